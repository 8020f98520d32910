//! Agents that try to outlive their credential.

use crate::psql::{Psql, command};
use crate::world::{NOTHING, eventually, shared};
use writ_connect::Connector as _;
use writ_types::Closure;

/// R36 R100 R107 R109: sessions that hold on by other means than logging in again are gone, and a superuser finds none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_hold_on_are_gone() {
    let world = shared();
    for (what, sql) in [
        ("idle", "SELECT 1;"),
        ("acts as its group", "SET ROLE app_rw; SELECT count(*) FROM app.invoice;"),
        ("open cursor", "BEGIN; DECLARE c CURSOR FOR SELECT * FROM app.invoice; FETCH 10 FROM c;"),
        ("cursor with hold", "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM app.invoice; COMMIT; FETCH 10 FROM c;"),
        ("temporary table", "CREATE TEMPORARY TABLE mine AS SELECT * FROM app.invoice;"),
        ("listens", "LISTEN news;"),
        ("open transaction", "BEGIN; SELECT count(*) FROM app.invoice;"),
        ("locks its own row", "BEGIN; ALTER ROLE current_user PASSWORD 'mine';"),
        ("advisory lock", "SELECT pg_advisory_lock(1);"),
    ] {
        let connector = world.connector();
        let task = world.task(&connector, &["app_rw"]).await;
        let mut psql = Psql::connected(world, &task, "billing").await;
        psql.must(sql).await;
        let proof = world.end(&connector, &task).await;
        assert_eq!(proof.state, Closure::Closed, "{what}: {proof:#?}");
        assert!(proof.access_ended && proof.tidy, "{what}: {proof:#?}");
        assert_eq!(world.left(&task), NOTHING, "{what}");
        let answer = psql.ask("SELECT count(*) FROM app.invoice; FETCH 10 FROM c;").await;
        assert!(!answer.contains("1000"), "{what} still reads: {answer}");
        let again = Psql::start(world, &task, "billing").rest().await;
        assert!(again.contains("FATAL"), "{what} logs in again: {again}");
    }
}

/// R101 R107: a statement under way and a COPY end, and what they wrote does not stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_is_stopped_and_rolled_back() {
    let world = shared();
    for (what, sql) in [
        ("COPY", "COPY app.invoice FROM STDIN;\n-7\t1\n-7\t2"),
        ("a long statement", "INSERT INTO app.invoice SELECT -8, 1 FROM generate_series(1, 3) n, pg_sleep(600);"),
    ] {
        let connector = world.connector();
        let task = world.task(&connector, &["app_rw"]).await;
        let mut psql = Psql::connected(world, &task, "reports").await;
        psql.say(sql).await;
        let running = format!("SELECT count(*) FROM pg_stat_activity WHERE usesysid = {} AND state = 'active'", task.role);
        eventually("the statement runs", || world.cluster.psql("postgres", &running) == "1").await;
        let proof = world.end(&connector, &task).await;
        assert!(proof.access_ended && proof.tidy, "{what}: {proof:#?}");
        assert_eq!(world.left(&task), NOTHING, "{what}");
        psql.rest().await;
        assert_eq!(world.cluster.psql("reports", "SELECT count(*) FROM app.invoice WHERE id < 0"), "0", "{what} wrote");
    }
}

/// R107: a client that logs in again at once, over and over, is shut out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reconnects_is_shut_out() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_rw"]).await;
    let user = task.user().to_owned();
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (address, password) = (world.cluster.port(), task.password.clone());
            let (user, sender) = (user.clone(), sender.clone());
            tokio::spawn(async move {
                let text = format!("host=127.0.0.1 port={address} user={user} password={password} dbname=billing");
                let mut refused = 0;
                while refused < 8 {
                    match tokio_postgres::connect(&text, tokio_postgres::NoTls).await {
                        Ok((client, connection)) => {
                            let driver = tokio::spawn(connection);
                            let _ = sender.send(());
                            let _ = client.batch_execute("SET ROLE app_rw; SELECT pg_sleep(600)").await;
                            driver.abort();
                        }
                        Err(_) => refused += 1,
                    }
                }
            })
        })
        .collect();
    for _ in 0..3 {
        seen.recv().await.expect("each client gets in first");
    }
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
    for client in clients {
        client.await.expect("each client is refused again and again");
    }
    assert_eq!(world.left(&task), NOTHING);
}

/// R107: a login that was in flight when the block came does not become a session that works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_in_flight_does_not_slip_through() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_rw"]).await;
    let mut late = command(world, &task, "archive");
    late.env("PGOPTIONS", "-c post_auth_delay=2");
    let mut late = Psql::run(late);
    late.say("INSERT INTO app.invoice VALUES (-9, 1);").await;
    let in_flight = "SELECT count(*) > 0 FROM pg_locks l WHERE l.locktype = 'virtualxid' AND l.pid <> pg_backend_pid()
                     AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = l.pid)";
    eventually("the login is in flight", || world.cluster.psql("postgres", in_flight) == "t").await;
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
    late.rest().await;
    assert_eq!(world.cluster.psql("archive", "SELECT count(*) FROM app.invoice WHERE id = -9"), "0", "it wrote after its end");
}

/// R100 R107: objects in three databases, code among them: access ends, data stays with the orphans' role, code goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_owns_in_three_databases_is_taken_over() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_rw"]).await;
    let user = task.user();
    for database in ["billing", "archive", "reports"] {
        let mut psql = Psql::connected(world, &task, database).await;
        psql.must(&format!(
            "CREATE TABLE app.kept_{user} AS SELECT 42 AS answer; GRANT SELECT ON app.kept_{user} TO PUBLIC, unlisted;
             CREATE VIEW app.view_{user} AS SELECT * FROM app.kept_{user};
             CREATE FUNCTION app.back_door_{user}() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM app.invoice';
             CREATE FUNCTION app.on_insert_{user}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER t_{user} BEFORE INSERT ON app.invoice FOR EACH ROW EXECUTE FUNCTION app.on_insert_{user}();
             SELECT lo_create(0); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
             ALTER ROLE current_user SET application_name = 'still me';"
        ))
        .await;
    }
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
    for database in ["billing", "archive", "reports"] {
        let judged = world.cluster.psql(
            database,
            &format!(
                "SELECT (SELECT answer FROM app.kept_{user}), pg_get_userbyid(relowner), coalesce(array_to_string(relacl, ','), '') ~ '^$|^writ_orphans='
                   FROM pg_class WHERE relname = 'kept_{user}';
                 SELECT count(*) FROM pg_proc WHERE proname LIKE '%{user}'; SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%{user}'"
            ),
        );
        assert_eq!(judged, "42|writ_orphans|t\n0\n0", "{database}");
    }
}

/// R107: a transaction that it prepared, in another database than the first and with a hostile name, is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_prepared_is_rolled_back() {
    let world = shared();
    for (what, database, sql) in [
        ("a write", "archive", "INSERT INTO app.invoice VALUES (-5, 1)"),
        ("a table", "reports", "CREATE TABLE app.prepared (id integer)"),
        ("a lock on its own row, so that its login can't be blocked", "billing", "ALTER ROLE current_user PASSWORD 'mine'"),
        ("an unmanaged database", "postgres", "CREATE TEMPORARY SEQUENCE s; DROP SEQUENCE s"),
    ] {
        let connector = world.connector();
        let task = world.task(&connector, &["app_rw"]).await;
        let mut psql = Psql::connected(world, &task, database).await;
        let prepared = psql.ask(&format!("BEGIN; {sql}; PREPARE TRANSACTION E'it''s \\\\ \"{}\"';", task.user())).await;
        if prepared.contains("ERROR") {
            // A temporary object can't be prepared; the attempt stays as a row so that the day it can is noticed.
            assert!(prepared.contains("temporary"), "{what}: {prepared}");
        } else {
            assert!(world.left(&task).ends_with("1 prepared"), "{what}: {}", world.left(&task));
        }
        let proof = world.end(&connector, &task).await;
        assert!(proof.access_ended && proof.tidy, "{what}: {proof:#?}");
        assert_eq!(world.left(&task), NOTHING, "{what}");
    }
    assert_eq!(world.cluster.psql("archive", "SELECT count(*) FROM app.invoice WHERE id = -5"), "0");
}

/// R107: a transaction that it prepared as its group belongs to the group: nothing is CLOSED until a DBA has rolled it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_prepared_as_its_group_is_never_called_closed() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_gone"]).await;
    let mut psql = Psql::connected(world, &task, "billing").await;
    psql.must("SET ROLE app_gone; BEGIN; SELECT 1; PREPARE TRANSACTION 'as_a_group';").await;
    let proof = connector.end(task.cut.clone()).await;
    assert_eq!((proof.state, proof.access_ended), (Closure::Partial, false), "{proof:#?}");
    assert!(proof.reason.as_deref().unwrap_or_default().contains("a DBA rolls them back"), "{proof:#?}");
    world.cluster.psql("billing", "ROLLBACK PREPARED 'as_a_group'");
    let proof = world.end(&connector, &task).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);
}

/// R54 R101: a timer beside the database ends what is past its end without the server, and nothing before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_past_its_end_is_reaped_without_the_server() {
    let world = shared();
    let connector = world.connector();
    let (due, other) = (world.task(&connector, &["app_rw"]).await, world.task(&connector, &["app_rw"]).await);
    let mut sessions = [Psql::connected(world, &due, "billing").await, Psql::connected(world, &other, "billing").await];
    let id = due.cut.credential;
    world.cluster.psql("billing", &format!("UPDATE writ.credential SET expires = now() - interval '1 second' WHERE id = '{id}'"));
    let reap = "SET ROLE writ_timer; SELECT writ.reap(now() + interval '100 years')";
    world.cluster.psql("billing", reap);
    let left = format!("SELECT count(*) FROM pg_stat_activity WHERE usesysid = {}", due.role);
    // The first call's cut can't see its own block yet; the timer calls again.
    eventually("its session is gone", || {
        world.cluster.psql("billing", reap);
        world.cluster.psql("postgres", &left) == "0"
    })
    .await;
    let refused = world.psql_as(due.user(), &due.password, "billing", "SELECT 1");
    assert!(refused.contains("FATAL"), "{refused}");
    assert_eq!(sessions[1].ask("SELECT 'still here';").await, "still here", "a far future reaps nothing early");
    for task in [due, other] {
        let proof = world.end(&connector, &task).await;
        assert!(proof.access_ended && proof.tidy, "{proof:#?}");
        assert_eq!(world.left(&task), NOTHING);
    }
}
