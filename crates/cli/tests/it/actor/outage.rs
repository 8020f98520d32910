//! A store that fails under a running server: granting stops, ending goes on, and nobody has to start anything again.

use super::world::{World, finish, line_of, now, text, time, until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// R88, R107, law 12: no file of the server's can grow. Nothing is granted, and that is said with a next step; a kill ends the live
/// session all the same. Once files can grow again the same process goes on: the kill is in the log, the log holds, and a new task
/// is granted.
#[test]
fn a_server_outlives_its_store() {
    let world = World::new();
    let (task, ready) = (world.approved("read", "10m"), world.at("ready"));
    std::fs::create_dir(&ready).expect("a directory");
    std::fs::set_permissions(&ready, PermissionsExt::from_mode(0o777)).expect("its mode");
    let script =
        format!("psql -XAtqc 'SELECT pg_sleep(600)' & echo \"$PGUSER\" > {}/user; while :; do sleep 0.05; done", ready.display());
    let mut run = world.run(&task, &["sh", "-c", &script]).spawn().expect("writ runs");
    line_of(&mut run, &ready.join("user"));
    until("a session", || world.left().ends_with("|1").then_some(()));

    world.limit_files(Some(1));
    for _ in 0..3 {
        let refused = world.request_may("read", "10m");
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("the evidence log can't be written") && said.contains("try again"), "{said}");
    }
    assert_eq!(world.ready(), "the evidence log can't be written");
    let killed = world.person_may("alice", &["kill", "task", &task]);
    let said = text(&killed.stderr);
    assert!(!killed.status.success() && said.contains("is being ended, and is logged once it can"), "{said}");
    until("the end of the session", || world.left().ends_with("|0").then_some(()));
    // The log does not say so yet, and nothing else is told.
    assert_eq!(world.task(&task).get("state").and_then(Value::as_str), Some("live"));

    world.limit_files(None);
    let (code, _, report) = finish(run);
    assert_eq!(code, Some(143), "{report}");
    assert!(report.contains("has ended: killed") && report.contains("at billing-db: CLOSED"), "{report}");
    until("nothing is left", || (world.left() == "0|0").then_some(()));
    assert_eq!(world.ready(), "ready");
    let next = world.approved("read", "10m");
    let worked = world.run(&next, &["psql", "-XAtqc", "SELECT count(*) FROM app.invoice"]).output().expect("writ runs");
    assert_eq!(text(&worked.stdout).trim(), "2", "{}", text(&worked.stderr));
    world.verify();
}

/// R107: a backend that is away is tried again and again, and what is said of the next try is true when it is asked: it lies ahead.
#[test]
fn a_next_try_lies_ahead() {
    let world = World::new();
    let (task, ready) = (world.approved("read", "10m"), world.at("ready"));
    std::fs::create_dir(&ready).expect("a directory");
    std::fs::set_permissions(&ready, PermissionsExt::from_mode(0o777)).expect("its mode");
    let script = format!("echo up > {}/up; while :; do sleep 0.05; done", ready.display());
    let mut run = world.run(&task, &["sh", "-c", &script]).spawn().expect("writ runs");
    line_of(&mut run, &ready.join("up"));
    world.cluster.stop();
    assert_eq!(world.person_may("alice", &["kill", "task", &task]).status.code(), Some(5));
    let mut seen = std::collections::BTreeSet::new();
    until("another try after the first", || {
        let asked = now();
        let story = world.told("alice", &["why", &task]);
        let closure = story.pointer("/closure/0").expect("a closure");
        assert_eq!(closure.get("state").and_then(Value::as_str), Some("UNKNOWN"), "{closure}");
        // None while it is being tried.
        let next_try = closure.get("next_try").map(|at| time(Some(at)));
        assert!(next_try.is_none_or(|at| at > asked), "{closure} asked at {asked}");
        seen.extend(next_try);
        (seen.len() > 1).then_some(())
    });
    world.cluster.launch();
    until("nothing is left", || (world.left() == "0|0").then_some(()));
    let (_, _, report) = finish(run);
    assert!(report.contains("has ended: killed"), "{report}");
}
