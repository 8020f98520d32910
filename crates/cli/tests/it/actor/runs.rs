//! `writ run`: what it needs, what it hands over, and how it ends.

use super::world::{World, finish, line_of, tell, text, until};
use rustix::process::Signal;
use serde_json::Value;

/// R55, R62, R72, R100, R102: without a task nothing; waiting for people is said; with an approval a real psql reads and writes; and with
/// the command the user dies, sessions and passfile with it.
#[test]
fn a_command_works_in_its_task_and_the_task_ends_with_it() {
    let mut world = World::new();
    let without = world.agent(&["run", "--resource", "billing-db", "--", "true"]).output().expect("writ runs");
    assert_eq!(without.status.code(), Some(4));
    let said = text(&without.stderr);
    assert!(said.contains("no-task") && said.contains("invoicer") && said.contains("writ task request"), "{said}");

    let task = world.request("read,write", "10m");
    let waiting = world.run(&task, &["true"]).output().expect("writ runs");
    assert_eq!(waiting.status.code(), Some(5));
    assert!(text(&waiting.stderr).contains("who can: pty_"), "{}", text(&waiting.stderr));
    world.person("bob", &["task", "approve", &task, "--yes"]);

    // A slip, before anything has begun: the approval is still good after it.
    let slip = world.run(&task, &["no-such-program"]).output().expect("writ runs");
    assert_eq!(slip.status.code(), Some(2));
    let other = world.agent(&["run", "--resource", "ledger-db", "--task", &task, "--", "true"]).output().expect("writ runs");
    assert_eq!(other.status.code(), Some(4));

    let sql = "INSERT INTO app.invoice VALUES (3); SELECT sum(id) FROM app.invoice";
    let script = format!(
        "psql -XAtqc '{sql}' && psql -XAtqc 'SELECT current_user' service=billing-db && ls \"$WRIT_RUN_DIR\" && cat \"$PGPASSFILE\" && env && exit 7"
    );
    let worked = world.run(&task, &["sh", "-c", &script]).output().expect("writ runs");
    let (said, report) = (text(&worked.stdout), text(&worked.stderr));
    assert_eq!(worked.status.code(), Some(7), "{said}{report}");
    assert!(said.starts_with("6\nwrit_t_"), "{said}");
    assert!(report.contains("has ended: completed") && report.contains("at billing-db: CLOSED"), "{report}");
    assert_eq!(world.left(), "0|0");

    // The password stands in the passfile and nowhere in the environment; the directory is gone.
    let password =
        said.lines().find(|line| line.contains(":*:writ_t_")).and_then(|line| line.rsplit(':').next()).expect("the passfile");
    assert!(password.len() >= 32);
    assert_eq!(said.matches(password).count(), 2, "one line for each name of the socket");
    let dir = said.lines().find_map(|line| line.strip_prefix("WRIT_RUN_DIR=")).expect("the directory");
    assert!(dir.starts_with("/dev/shm/") && !std::path::Path::new(dir).exists(), "{dir}");

    let again = world.run(&task, &["true"]).output().expect("writ runs");
    assert_eq!(again.status.code(), Some(4));
    assert!(text(&again.stderr).contains("completed"), "{}", text(&again.stderr));

    // The server stops when it is told to, and what it held is free: who asks now can't reach it.
    assert_eq!(world.stop_server(), Some(0));
    let away = world.run(&task, &["true"]).output().expect("writ runs");
    assert_eq!(away.status.code(), Some(6), "{}", text(&away.stderr));
}

/// R89, R107, R108: reaching outside the task is refused and ends it: the command with its live session, and every credential.
#[test]
fn reaching_outside_the_task_ends_the_command_and_all_it_holds() {
    let world = World::new();
    let task = world.approved("read", "10m");
    let writ = env!("CARGO_BIN_EXE_writ");
    let script = format!(
        "{writ} take --resource billing-db --actions read -o json; psql -XAtqc 'SELECT pg_sleep(600)' & \
         ({writ} take --resource billing-db --actions write; echo took $?); while :; do sleep 0.05; done"
    );
    let ran = world.run(&task, &["sh", "-c", &script]).spawn().expect("writ runs");
    let (code, said, report) = finish(ran);
    assert_eq!(code, Some(143), "{said}{report}");
    let first = said.lines().next().unwrap_or_default();
    let taken: Value = serde_json::from_str(first).unwrap_or_else(|_| panic!("{said}{report}"));
    let passfile = taken.get("passfile").and_then(Value::as_str).expect("the passfile");
    assert!(!std::path::Path::new(passfile).exists(), "what was taken goes with the run");
    assert!(said.contains("took 4") && report.contains("outside the task"), "{said}{report}");
    assert!(report.contains("has ended: signal"), "{report}");
    assert_eq!(report.matches("at billing-db: CLOSED").count(), 2, "{report}");
    assert_eq!(world.left(), "0|0");
}

/// R102: a signal is the child's to answer, and the task ends with its answer; a kill by a person ends both.
#[test]
fn signals_reach_the_command_and_a_kill_ends_it() {
    let world = World::new();
    let (task, ready) = (world.approved("read", "10m"), world.at("ready"));
    std::fs::create_dir(&ready).expect("a directory");
    std::fs::set_permissions(&ready, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("its mode");
    let script =
        |file: &str| format!("trap 'exit 9' TERM; echo up > {}; while :; do sleep 0.05; done", ready.join(file).display());
    let mut run = world.run(&task, &["sh", "-c", &script("one")]).spawn().expect("writ runs");
    line_of(&mut run, &ready.join("one"));
    tell(&run, Signal::TERM);
    let (code, _, report) = finish(run);
    assert_eq!(code, Some(9), "{report}");
    assert!(report.contains("completed") && report.contains("CLOSED"), "{report}");

    let task = world.approved("read", "10m");
    let mut run = world.run(&task, &["sh", "-c", &script("two").replace("exit 9", "")]).spawn().expect("writ runs");
    line_of(&mut run, &ready.join("two"));
    world.person_may("bob", &["task", "kill", &task]);
    let (code, _, report) = finish(run);
    assert_eq!(code, Some(137), "a command that will not end is ended: {report}");
    assert!(report.contains("has ended: killed") && report.contains("CLOSED"), "{report}");
    until("nothing is left", || (world.left() == "0|0").then_some(()));
}

/// R49, R53, R55, R56: without a task the agent asks for one by itself, says who can grant it, and waits; a person delegates, another
/// approves, and the command works. Nothing starts before; who no longer waits takes the request back.
#[test]
fn an_agent_asks_by_itself_and_works_once_people_have_answered() {
    let world = World::new();
    let wish = |script: &str| {
        let asked = ["run", "--resource", "billing-db", "--actions", "read", "--purpose", "close invoices", "--data", "billing"];
        let mut run = world.agent(&asked);
        run.args(["--", "sh", "-c", script]);
        run
    };
    let requested = || until("a request", || world.tasks("requested").pop());
    let other = ["run", "--resource", "ledger-db", "--actions", "read", "--purpose", "close invoices", "--", "true"];
    let outside = world.agent(&other).output().expect("writ runs");
    assert_eq!(outside.status.code(), Some(4), "{}", text(&outside.stderr));
    assert!(text(&outside.stderr).contains("missing: tool `ledger-db`"), "{}", text(&outside.stderr));

    let left = wish("echo started").spawn().expect("writ runs");
    let task = requested();
    tell(&left, Signal::TERM);
    let (code, said, report) = finish(left);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{report}");
    assert!(report.contains(&format!("task {task} is taken back")), "{report}");
    let late = world.person_may("alice", &["task", "delegate", &task, "--yes"]);
    assert_eq!(late.status.code(), Some(1), "{}", text(&late.stderr));

    let run = wish("psql -XAtqc 'SELECT sum(id) FROM app.invoice'").spawn().expect("writ runs");
    let task = requested();
    let early = world.person_may("bob", &["task", "approve", &task, "--yes"]);
    assert_eq!(early.status.code(), Some(1), "{}", text(&early.stderr));
    let delegated = world.person_may("alice", &["task", "delegate", &task, "--yes"]);
    assert_eq!(delegated.status.code(), Some(5), "{}", text(&delegated.stderr));
    assert!(text(&delegated.stdout).contains("invoicer asks for it by itself"), "{}", text(&delegated.stdout));
    let own = world.person_may("alice", &["task", "approve", &task, "--yes"]);
    assert_eq!(own.status.code(), Some(4), "{}", text(&own.stderr));
    world.person("bob", &["task", "approve", &task, "--yes"]);
    let (code, said, report) = finish(run);
    assert_eq!((code, said.as_str()), (Some(0), "3\n"), "{report}");
    for wanted in ["a person has to delegate it", "writ task delegate", "who can: pty_", "waits for approval", "CLOSED"] {
        assert!(report.contains(wanted), "{wanted}: {report}");
    }
    let why = world.read(&["why", &task]);
    assert!(why.contains("asked for") && why.contains("by itself at") && why.contains("delegated   by alice"), "{why}");
    world.verify();
    assert_eq!(world.left(), "0|0");
}
