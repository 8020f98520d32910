//! A deadline that passes while the server is down.

use super::world::{World, finish, line_of, now, text, time, until};
use std::process::{Command, Stdio};

/// R60, R103, law 8: killed a moment before the deadline and started again after it, the server's first answer says that the task has ended;
/// the session is dead, the login refused, and the command was ended at its deadline by its own clock.
#[test]
fn a_deadline_that_passed_while_the_server_was_down_has_passed() {
    let mut world = World::new();
    let (task, ready) = (world.approved("read", "10s"), world.at("ready"));
    std::fs::create_dir(&ready).expect("a directory");
    std::fs::set_permissions(&ready, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("its mode");
    // The passfile is carried off: the deadline holds also for who kept a copy.
    let script = format!(
        "cp \"$PGPASSFILE\" {0}/pass; chmod 644 {0}/pass; psql -XAtqc 'SELECT pg_sleep(600)' & \
         echo \"$PGUSER\" > {0}/user; while :; do sleep 0.05; done",
        ready.display()
    );
    let mut run = world.run(&task, &["sh", "-c", &script]).spawn().expect("writ runs");
    let user = line_of(&mut run, &ready.join("user"));
    let ends_at = time(world.task(&task).get("ends_at"));
    until("a session", || world.left().ends_with("|1").then_some(()));

    until("a moment before the deadline", || (now().micros() + 3_000 >= ends_at.micros()).then_some(()));
    world.kill_server();
    until("the deadline", || (now() > ends_at).then_some(()));
    world.serve();
    let first = world.task(&task);
    assert_eq!(first.get("state").and_then(|state| state.as_str()), Some("ended"), "{first}");
    assert!(first.get("ended").is_some_and(|ended| ended.to_string().contains("timeout")), "{first}");

    let login = Command::new("psql")
        .args(["-XAtqc", "SELECT 1"])
        .env("PGPASSFILE", private_copy(&ready.join("pass"), &world))
        .env("PGHOST", world.cluster.socket())
        .env("PGPORT", world.cluster.port().to_string())
        .env("PGUSER", &user)
        .env("PGDATABASE", "billing")
        .stdin(Stdio::null())
        .output()
        .expect("psql runs");
    assert!(!login.status.success(), "{}", text(&login.stdout));

    let (code, _, report) = finish(run);
    assert_eq!(code, Some(143), "{report}");
    assert!(report.contains("CLOSED"), "{report}");
    until("nothing is left", || (world.left() == "0|0").then_some(()));
}

/// libpq reads a passfile only from its owner, and only if nobody else can.
fn private_copy(from: &std::path::Path, world: &World) -> std::path::PathBuf {
    let copy = world.at("pass");
    std::fs::write(&copy, std::fs::read(from).expect("the passfile")).expect("a copy");
    std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    copy
}
