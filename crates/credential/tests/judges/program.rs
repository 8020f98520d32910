//! Running the judges.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a program said.
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) text: String,
}

/// Runs a program in `dir`, with `input` on its standard input.
pub(crate) fn run(dir: &Path, input: Option<&Path>, program: &str, args: &[&str]) -> Said {
    let stdin = input.map_or_else(Stdio::null, |path| std::fs::File::open(dir.join(path)).unwrap().into());
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(stdin)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` is needed for this test: {error}"));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Said { ok: output.status.success(), text }
}

/// As [`run`]; the program must succeed.
pub(crate) fn must(dir: &Path, program: &str, args: &[&str]) -> String {
    let said = run(dir, None, program, args);
    assert!(said.ok, "{program} {args:?}: {}", said.text);
    said.text
}
