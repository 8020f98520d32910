//! `cargo xtask demo`: looks at the machine, builds `writ`, and lets it show itself.

use crate::needs::{self, For};
use crate::{run, tree};
use std::process::ExitCode;

/// `writ demo` ends with this where something was left out, and it says what.
const LEFT_OUT: i32 = 3;

/// Runs `writ demo` with `arguments`; something left out still counts as passed.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let root = tree::root();
    let lacking = needs::provide(For::Demo)?;
    if let Some(need) = lacking.iter().find(|need| need.hard) {
        return Err(format!("the demo can't run without {}", need.what));
    }
    eprintln!("building writ; the first time that takes about five minutes on two cores, then seconds");
    let build = run::status(&mut run::command(&root, "cargo", &["build", "--locked", "--package", "writ-cli"]))?;
    if !build.success() {
        return Err(format!("the build failed: {build}"));
    }
    let writ = run::target_directory(&root).join("debug").join("writ");
    let mut demo = run::command(&root, &writ.to_string_lossy(), &["demo"]);
    let status = run::status(demo.args(arguments))?;
    match status.code() {
        Some(0) => Ok(ExitCode::SUCCESS),
        Some(LEFT_OUT) => {
            let names: Vec<&str> = lacking.iter().map(|need| need.what).collect();
            let why = if names.is_empty() { String::new() } else { format!(": this machine lacks {}", names.join(", ")) };
            eprintln!("the demo passed, with something left out (named above){why}");
            Ok(ExitCode::SUCCESS)
        }
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(format!("the demo was ended from outside: {status}")),
    }
}
