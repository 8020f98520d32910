//! `writ demo`, run as people run it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The names and their order are a contract.
const STEPS: &str = "init postgres people unsigned charter attest no-task delegate self-approval approve work one-task exceed crash why \
                     ssh-keygen laws tamper";

/// A place for the demo's directory, which the agent's account can pass.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    place
}

/// Runs the demo; `told` hears each line of its progress. Its report and exit code.
fn demo(place: &Path, arguments: &[&str], mut told: impl FnMut(&str)) -> (Value, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
    command.args(["demo", "-o", "json"]).args(arguments).env("TMPDIR", place).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        told(&line);
    }
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    (serde_json::from_str(&out).unwrap(), child.wait().unwrap().code().unwrap())
}

fn ok(step: &Value) -> bool {
    step["ok"].as_bool().unwrap()
}

/// R55, R103, R104, R107: all eighteen steps come true, what they leave behind is the exported log alone, and Writ's own
/// verifier takes it.
#[test]
fn the_demo_comes_true_and_leaves_nothing_but_the_log() {
    let place = place();
    let keep = place.path().join("kept");
    let (report, code) = demo(place.path(), &["--keep", keep.to_str().unwrap()], |_| {});
    let steps = report["steps"].as_array().unwrap();
    assert!(steps.iter().all(ok) && report["ok"] == true, "{report:#}");
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    let left_out = report["left_out"].as_array().unwrap();
    let wanted = STEPS
        .split_whitespace()
        .filter(|name| !left_out.iter().any(|why| why.as_str().is_some_and(|why| why.starts_with(&format!("{name}:")))));
    assert_eq!(names, wanted.collect::<Vec<_>>());
    assert_eq!(code, if left_out.is_empty() { 0 } else { 3 });
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["kept"]);
    let verify =
        Command::new(env!("CARGO_BIN_EXE_writ")).args(["log", "verify", "--laws"]).arg(keep.join("log")).output().unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}

/// A database that goes away in the middle is seen: what is judged there is not true, and the demo says so.
#[test]
fn a_database_that_stops_in_the_middle_makes_the_demo_false() {
    let place = place();
    let mut stopped = false;
    let (report, code) = demo(place.path(), &[], |line| {
        if line.starts_with("ok   approve") {
            let world = std::fs::read_dir(place.path()).unwrap().flatten().next().unwrap().path();
            let Ok(pid) = std::fs::read_to_string(world.join("pg/data/postmaster.pid")) else { return };
            stopped = Command::new("kill").args(["-QUIT", pid.lines().next().unwrap()]).status().unwrap().success();
        }
    });
    // Without PostgreSQL there is nothing to stop; the demo says so itself.
    if !stopped {
        assert!(!report["left_out"].as_array().unwrap().is_empty());
        return;
    }
    assert_eq!((report["ok"].as_bool(), code), (Some(false), 1));
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), STEPS.split_whitespace().count());
    for step in steps.iter().filter(|step| ["work", "exceed", "crash"].contains(&step["name"].as_str().unwrap())) {
        assert!(!ok(step), "{step}");
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left");
}
