//! Starting other programs: without a terminal's input, with their output passed on as it comes.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// A program and its arguments, to be run in `folder`.
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(if program == "cargo" { cargo() } else { program.to_owned() });
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// The cargo that started this program, or the one on the path.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs it to its end; its output goes where ours goes.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command.status().map_err(|error| format!("{}: {error}", shown(command)))
}

/// Runs it to its end; its standard output is the result, its errors go where ours go.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", shown(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{}: {}", shown(command), output.status))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Where `cargo` puts what it builds.
pub(crate) fn target_directory(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given))
}
