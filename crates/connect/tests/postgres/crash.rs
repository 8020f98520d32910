//! Crashes of the connector's process in each phase, and races between making and ending.

use crate::commit::{OsRandom, commit};
use crate::psql::Psql;
use crate::world::{NOTHING, Task, World, cut, eventually, order, shared, until_closed};
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use writ_connect::{ConnectError, Connector as _, Phase, PhaseHook};
use writ_types::Closure;

/// The phases of an end.
const ENDING: [Phase; 5] = [Phase::BlockNew, Phase::CutLive, Phase::VerifyNone, Phase::CleanUp, Phase::Prove];

/// A task with much to end: a session as its group with a cursor, objects in two databases, a prepared transaction.
async fn busy_task(world: &World) -> (Task, Psql) {
    let connector = world.connector();
    let task = world.task(&connector, &["app_rw"]).await;
    let user = task.user().to_owned();
    for database in ["billing", "archive"] {
        Psql::connected(world, &task, database)
            .await
            .must(&format!("CREATE TABLE app.left_{user} (id integer); BEGIN; INSERT INTO app.left_{user} VALUES (1); PREPARE TRANSACTION '{database} {user}';"))
            .await;
    }
    let mut psql = Psql::connected(world, &task, "billing").await;
    psql.must("SET ROLE app_rw; BEGIN; DECLARE c CURSOR FOR SELECT * FROM app.invoice; FETCH 1 FROM c;").await;
    (task, psql)
}

/// R100 R109: the process dies before each phase; another process, which knows only the order, converges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_died_before_a_phase_converges() {
    let world = shared();
    for phase in ENDING {
        let (task, psql) = busy_task(world).await;
        let dying = world.hooked(PhaseHook::new(move |reached| {
            if reached == phase {
                resume_unwind(Box::new("the process dies"));
            }
        }));
        let order = task.cut.clone();
        let died = tokio::spawn(async move { dying.end(order).await }).await;
        assert!(died.is_err(), "{phase:?} was never reached");
        let proof = world.end(&world.connector(), &task).await;
        assert_eq!(proof.state, Closure::Closed, "{phase:?}: {proof:#?}");
        assert!(proof.tidy, "{phase:?}: {proof:#?}");
        assert_eq!(world.left(&task), NOTHING, "{phase:?}");
        drop(psql);
    }
}

/// R100 R109: the process dies while the backend works on each phase; what was asked may or may not have happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_died_within_a_phase_converges() {
    let world = shared();
    for phase in ENDING {
        let (task, psql) = busy_task(world).await;
        let reached = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&reached);
        let dying = world.hooked(PhaseHook::new(move |at| flag.store(at == phase, Ordering::SeqCst)));
        {
            let mut end = dying.end(task.cut.clone());
            poll_fn(|context| match end.as_mut().poll(context) {
                _ if reached.load(Ordering::SeqCst) => Poll::Ready(()),
                Poll::Ready(proof) => panic!("{phase:?} was never reached: {proof:#?}"),
                Poll::Pending => Poll::Pending,
            })
            .await;
        }
        drop(dying);
        let proof = world.end(&world.connector(), &task).await;
        assert!(proof.access_ended && proof.tidy, "{phase:?}: {proof:#?}");
        assert_eq!(world.left(&task), NOTHING, "{phase:?}");
        drop(psql);
    }
}

/// R109: an end that is complete stays so, whoever asks again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_may_be_asked_for_again() {
    let world = shared();
    let (task, _psql) = busy_task(world).await;
    let first = world.end(&world.connector(), &task).await;
    let again = world.connector().end(task.cut.clone()).await;
    for proof in [first, again] {
        assert!(proof.access_ended && proof.tidy && proof.next_try.is_none(), "{proof:#?}");
    }
}

/// Law 1 and R100: the process dies around making a user; its end undoes whatever was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_nobody_knows_of_is_undone() {
    let world = shared();
    for phase in [Phase::Open, Phase::Opened] {
        let order = order(&["app_ro"]);
        let cut = cut(&order);
        let dying = world.hooked(PhaseHook::new(move |reached| {
            if reached == phase {
                resume_unwind(Box::new("the process dies"));
            }
        }));
        let died = tokio::spawn(async move { dying.open(commit(order), &mut OsRandom).await.map(drop) }).await;
        assert!(died.is_err(), "{phase:?} was never reached");
        let there = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}'", cut.user);
        let made = if phase == Phase::Opened { "1" } else { "0" };
        assert_eq!(world.cluster.psql("postgres", &there), made, "{phase:?}");
        let proof = until_closed(&world.connector(), &cut).await;
        assert!(proof.access_ended && proof.tidy, "{phase:?}: {proof:#?}");
        assert_eq!(world.cluster.psql("postgres", &there), "0", "{phase:?}");
    }
}

/// Law 5: making and ending one credential at the same time, from two processes: whoever is first, no user is left that
/// can log in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_against_a_block_leaves_nobody() {
    let world = shared();
    let (one, two) = (world.connector(), world.connector());
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..40 {
        let order = order(&["app_rw"]);
        let cut = cut(&order);
        let order = commit(order);
        let (made, proof) = tokio::join!(one.open(order, &mut OsRandom), two.end(cut.clone()));
        match made {
            Ok(_) => opened += 1,
            Err(ConnectError::Spent { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        let proof = if proof.next_try.is_some() { until_closed(&two, &cut).await } else { proof };
        assert!(proof.access_ended && proof.tidy, "{proof:#?}");
        let there = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}'", cut.user);
        assert_eq!(world.cluster.psql("postgres", &there), "0", "opened {opened}, refused {refused}");
    }
    assert_eq!(opened + refused, 40);
}

/// Law 5: an open that hangs in another connection of the connector holds the row that block needs; the connector ends
/// that connection, and the user never comes to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_that_hangs_is_ended() {
    let world = shared();
    let order = order(&["app_ro"]);
    let cut = cut(&order);
    let mut hung = Psql::run(world.connector_command());
    hung.must(&format!("BEGIN; {}", crate::refused::open_sql(&order))).await;
    let proof = until_closed(&world.connector(), &cut).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    let answer = hung.ask("COMMIT;").await;
    assert!(!answer.contains("COMMIT"), "{answer}");
    let there = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}'", cut.user);
    assert_eq!(world.cluster.psql("postgres", &there), "0");
}

/// Law 5: the fence waits for an open in flight, so none of the epoch before lands after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fence_waits_for_an_open_in_flight() {
    let world = World::start(&[]);
    let order = order(&["app_ro"]);
    let mut open = Psql::run(world.connector_command());
    open.must(&format!("BEGIN; {}", crate::refused::open_sql(&order))).await;
    let connector = world.connector();
    let mark = tokio::spawn(async move { connector.mark(crate::world::EPOCH + 1).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%writ.mark%'";
    eventually("mark waits", || world.cluster.psql("postgres", waits) == "1").await;
    open.must("COMMIT;").await;
    assert_eq!(mark.await.expect("it answers"), Ok(crate::world::EPOCH));
    let late = world.connector().open(commit(crate::world::order(&["app_ro"])), &mut OsRandom).await;
    assert!(matches!(late, Err(ConnectError::Epoch { .. })), "{late:?}");
}

/// R62: an open that comes while a mark is in flight waits and meets the new epoch; an end does not wait for a mark.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_meets_the_mark_that_it_waited_for() {
    let world = World::start(&[]);
    let connector = world.connector();
    let task = world.task(&connector, &["app_ro"]).await;
    // Its plans are made, as those of a connection that has served before.
    let mut mark = Psql::run(world.connector_command());
    mark.must(&format!("BEGIN; SELECT writ.mark('{}', {});", crate::world::installation(), crate::world::EPOCH + 1)).await;
    let opener = connector.clone();
    let open = tokio::spawn(async move { opener.open(commit(order(&["app_ro"])), &mut OsRandom).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%writ.open%'";
    eventually("open waits", || world.cluster.psql("postgres", waits) == "1").await;
    let proof = until_closed(&connector, &task.cut).await;
    assert!(proof.tidy, "{proof:#?}");
    mark.must("COMMIT;").await;
    let opened = open.await.expect("it answers");
    assert!(matches!(opened, Err(ConnectError::Epoch { .. })), "{opened:?}");
}
