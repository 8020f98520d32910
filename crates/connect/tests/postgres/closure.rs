//! What is said of an end that can't be complete, and by whom a cluster is left alone.

use crate::commit::{OsRandom, commit};
use crate::psql::Psql;
use crate::world::{EPOCH, NOTHING, World, eventually, installation, order, shared};
use std::process::Stdio;
use writ_connect::postgres::{Postgres, PostgresSettings, Standing};
use writ_connect::{ConnectError, Connector as _};
use writ_types::{Closure, Digest, ReleasePassword};

/// R109: while a standby is there, or is known of, nothing is CLOSED: its own sessions can't be seen from the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_keeps_everything_from_being_closed() {
    let world = World::start(&[]);
    let connector = world.connector();
    let streaming = "SELECT count(*) FROM pg_stat_replication";
    let mut standby = world
        .cluster
        .program("pg_receivewal")
        .args(["--no-loop", "-D"])
        .arg(world.cluster.socket())
        .stderr(Stdio::null())
        .spawn()
        .expect("a standby");
    eventually("the standby streams", || world.cluster.psql("postgres", streaming) == "1").await;
    let task = world.task(&connector, &["app_rw"]).await;
    let _psql = Psql::connected(&world, &task, "billing").await;
    let partial = |proof: &writ_connect::ClosureProof| {
        assert_eq!((proof.state, proof.access_ended, proof.tidy), (Closure::Partial, false, false), "{proof:#?}");
        assert!(proof.reason.as_deref().unwrap_or_default().contains("standbys"), "{proof:#?}");
    };
    partial(&connector.end(task.cut.clone()).await);
    assert_eq!(
        world.left(&task),
        "1 roles, 0 sessions, 0 prepared",
        "blocked and cut, but not dropped: a standby needs the role"
    );
    let blocked = format!("SELECT rolcanlogin FROM pg_roles WHERE oid = {}", task.role);
    assert_eq!(world.cluster.psql("postgres", &blocked), "f");
    standby.kill().expect("it ends");
    standby.wait().expect("it ends");
    eventually("the standby is gone", || world.cluster.psql("postgres", streaming) == "0").await;

    world.cluster.psql("postgres", "SELECT pg_create_physical_replication_slot('away', true)");
    partial(&connector.end(task.cut.clone()).await);
    world.cluster.psql("postgres", "SELECT pg_drop_replication_slot('away')");

    let replicas = vec!["standby.internal:5432".to_owned()];
    let knowing = Postgres::new(PostgresSettings { replicas, ..world.settings() }).expect("a connector");
    partial(&knowing.end(task.cut.clone()).await);

    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
}

/// R109: a backend that does not answer is UNKNOWN, with a next try; when it is back, the same call converges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_away_is_unknown_until_it_is_back() {
    let world = World::start(&[]);
    let connector = world.connector();
    let task = world.task(&connector, &["app_rw"]).await;
    world.cluster.stop();
    for _ in 0..2 {
        let proof = connector.end(task.cut.clone()).await;
        assert_eq!((proof.state, proof.access_ended), (Closure::Unknown, false), "{proof:#?}");
        assert!(proof.next_try.is_some() && proof.reason.is_some(), "{proof:#?}");
    }
    let error = connector.open(commit(order(&["app_ro"])), &mut OsRandom).await.expect_err("nobody answers");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    world.cluster.launch();
    assert_eq!(world.left(&task), "1 roles, 0 sessions, 0 prepared", "what was made is durable");
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
}

/// R109: access that has ended is kept apart from tidiness: what only a DBA can remove is named, and CLOSED stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_dba_can_remove_leaves_it_closed_but_untidy() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_ro"]).await;
    world.cluster.psql("reports", &format!("GRANT SELECT ON app.invoice TO {}", task.user()));
    let proof = connector.end(task.cut.clone()).await;
    assert_eq!((proof.state, proof.access_ended, proof.tidy), (Closure::Closed, true, false), "{proof:#?}");
    let reason = proof.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("a DBA") && reason.contains("reports"), "{proof:#?}");
    assert_eq!(world.left(&task), "1 roles, 0 sessions, 0 prepared");
    let again = world.psql_as(task.user(), &task.password, "reports", "SELECT 1");
    assert!(again.contains("FATAL"), "{again}");
    world.cluster.psql("reports", &format!("DROP OWNED BY {}", task.user()));
    let proof = world.end(&connector, &task).await;
    assert!(proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
}

/// Law 5: another installation's cluster is left alone; a cluster of a newer epoch makes nothing, but ends what is ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_or_newer_mark_makes_nothing() {
    let world = World::start(&[]);
    let connector = world.connector();
    let task = world.task(&connector, &["app_ro"]).await;
    let mut psql = Psql::connected(&world, &task, "billing").await;

    let foreign = PostgresSettings { installation: Digest::of(b"another genesis"), ..world.settings() };
    let foreign = Postgres::new(foreign).expect("a connector");
    let proof = foreign.end(task.cut.clone()).await;
    assert_eq!(proof.state, Closure::Unknown, "{proof:#?}");
    assert!(proof.reason.as_deref().unwrap_or_default().contains("left alone"), "{proof:#?}");
    assert_eq!(psql.ask("SELECT 'still here';").await, "still here");
    let made = foreign.open(commit(order(&["app_ro"])), &mut OsRandom).await;
    assert!(matches!(made, Err(ConnectError::Foreign { .. })), "{made:?}");
    assert!(matches!(foreign.mark(EPOCH + 9).await, Err(ConnectError::Foreign { .. })));
    let report = foreign.doctor().await.expect("a report");
    assert_eq!((report.standing, report.is_fit()), (Standing::Foreign, false));

    assert_eq!(connector.mark(EPOCH).await, Ok(EPOCH), "marking again changes nothing");
    assert_eq!(connector.mark(EPOCH + 1).await, Ok(EPOCH));
    assert!(matches!(connector.mark(EPOCH).await, Err(ConnectError::Epoch { .. })));
    let made = connector.open(commit(order(&["app_ro"])), &mut OsRandom).await;
    assert!(matches!(made, Err(ConnectError::Epoch { .. })), "{made:?}");
    let report = connector.doctor().await.expect("a report");
    assert_eq!((report.marker.epoch, report.marker.installation), (EPOCH + 1, installation().to_string()));
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "ending never waits for the fence: {proof:#?}");
}

/// R36: a password leaves only with its own outcome's entry, logs in with a real psql for either count of iterations, and
/// stands nowhere: not in what prints, not in the server's log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_handed_over_once_and_stands_nowhere() {
    let world =
        World::start(&["log_statement=all", "log_min_duration_statement=0", "log_min_messages=info", "log_connections=on"]);
    let connector = world.connector();
    let mut passwords = Vec::new();
    for iterations in [1, 4_096] {
        let order = writ_types::OpenDatabaseUser { scram_iterations: iterations, ..order(&["app_ro"]) };
        let cut = crate::world::cut(&order);
        let made = connector.open(commit(order), &mut OsRandom).await.expect("a user");
        let printed = format!("{made:?}");
        let task = world.release(cut, made);
        assert!(!printed.contains(&task.password), "{printed}");
        assert_eq!(world.psql_as(task.user(), &task.password, "billing", "SELECT count(*) FROM app.invoice"), "1000");
        let proof = world.end(&connector, &task).await;
        assert!(!format!("{proof:?}").contains(&task.password));
        passwords.push(task.password);
    }
    let log = std::fs::read_to_string(world.cluster.log()).expect("the server's log");
    assert!(log.contains("writ.open"), "the log shows the calls");
    assert!(passwords.iter().all(|password| !log.contains(password)), "a password stands in the server's log");

    let order = order(&["app_ro"]);
    let made = connector.open(commit(order), &mut OsRandom).await.expect("a user");
    let other = commit(ReleasePassword { credential: writ_types::CredentialId::from_bits([9; 16]) });
    assert!(made.sealed.open(&other).is_err(), "another credential's order opens nothing");
}

/// R109: orders that the estate does not allow never reach the cluster.
#[tokio::test]
async fn an_order_outside_the_settings_is_our_mistake() {
    let connector = shared().connector();
    for order in [
        writ_types::OpenDatabaseUser { databases: vec![crate::world::name("postgres")], ..order(&["app_ro"]) },
        writ_types::OpenDatabaseUser { scram_iterations: 0, ..order(&["app_ro"]) },
        writ_types::OpenDatabaseUser { scram_iterations: 100_001, ..order(&["app_ro"]) },
    ] {
        let made = connector.open(commit(order), &mut OsRandom).await;
        assert!(matches!(made, Err(ConnectError::Bug(_))), "{made:?}");
    }
}
