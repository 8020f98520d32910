//! What the connector's login, and whoever has stolen it, is refused; and what an agent is refused.

use crate::commit::OsRandom;
use crate::world::{EPOCH, NOTHING, World, installation, order, plan, shared};
use std::num::NonZeroU32;
use writ_connect::postgres::verifier;
use writ_types::{CredentialId, OpenDatabaseUser, Secret};

/// R16 R30: the connector's login calls functions and can do nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_can_do_nothing_but_call_the_functions() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_ro"]).await;
    let user = task.user();
    let rows = [
        ("CREATE ROLE mine", "permission denied"),
        ("CREATE DATABASE mine", "permission denied"),
        ("CREATE SCHEMA mine", "permission denied"),
        ("CREATE TABLE public.mine (id integer)", "permission denied"),
        ("GRANT pg_execute_server_program TO writ_connector", "must have admin option"),
        ("GRANT pg_read_server_files TO writ_connector", "must have admin option"),
        ("GRANT app_ro TO writ_connector", "must have admin option"),
        ("GRANT writ_owner TO writ_connector", "must have admin option"),
        ("GRANT writ_sweeper TO writ_connector", "must have admin option"),
        ("ALTER ROLE postgres PASSWORD 'x'", "superuser"),
        (&format!("ALTER ROLE {user} PASSWORD 'x'"), "permission denied"),
        ("ALTER ROLE writ_connector CREATEROLE", "permission denied"),
        ("ALTER ROLE writ_connector SUPERUSER", "superuser"),
        ("ALTER ROLE writ_connector CONNECTION LIMIT -1", "permission denied"),
        ("SET ROLE writ_owner", "permission denied"),
        ("SET ROLE writ_sweeper", "permission denied"),
        ("SET ROLE writ_orphans", "permission denied"),
        ("SET ROLE app_ro", "permission denied"),
        (&format!("SET ROLE {user}"), "permission denied"),
        ("SET SESSION AUTHORIZATION postgres", "permission denied"),
        ("SELECT * FROM writ.marker", "permission denied"),
        ("SELECT * FROM writ.tombstone", "permission denied"),
        ("DELETE FROM writ.tombstone", "permission denied"),
        ("INSERT INTO writ.allowed_group VALUES ('unlisted')", "permission denied"),
        ("UPDATE writ.rule SET prefix = ''", "permission denied"),
        ("SELECT * FROM app.invoice", "permission denied"),
        (
            "CREATE OR REPLACE FUNCTION writ.cut(p_credential text) RETURNS TABLE (signalled integer, refused integer) LANGUAGE sql AS 'SELECT 1, 1'",
            "permission denied",
        ),
        ("DROP FUNCTION writ.open", "must be owner"),
        ("ALTER FUNCTION writ.open OWNER TO writ_connector", "must be owner"),
        ("SELECT writ.reap(now())", "permission denied"),
        ("COPY (SELECT 1) TO PROGRAM 'id'", "must be superuser"),
        ("SELECT pg_read_file('/etc/passwd')", "permission denied"),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'", "must be a superuser"),
        ("SELECT rolpassword FROM pg_authid", "permission denied"),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p", "must be superuser"),
        ("SELECT pg_create_physical_replication_slot('mine')", "must be superuser or replication"),
    ];
    for (sql, expected) in rows {
        let answer = world.psql_as_connector(sql);
        assert!(answer.contains("ERROR") && answer.contains(expected), "{sql}: {answer}");
    }
    world.end(&connector, &task).await;
}

/// One call of open, each part of which a row may change.
struct Call {
    installation: String,
    epoch: String,
    credential: String,
    user: String,
    verifier: String,
    groups: String,
    expires: String,
    connections: String,
}

/// The call that makes the user of an order.
pub(crate) fn open_sql(order: &OpenDatabaseUser) -> String {
    format!("{};", Call::of(order).sql())
}

impl Call {
    fn good() -> Self {
        Self::of(&order(&["app_ro"]))
    }

    fn of(order: &OpenDatabaseUser) -> Self {
        Self {
            installation: format!("'{}'", installation()),
            epoch: EPOCH.to_string(),
            credential: format!("'{}'", order.credential),
            user: format!("'{}'", order.user),
            verifier: format!("'{}'", verifier(&Secret::new("x".to_owned()), [1; 16], NonZeroU32::MIN)),
            groups: "ARRAY['app_ro']".to_owned(),
            expires: order.expires.micros().to_string(),
            connections: "4".to_owned(),
        }
    }

    fn sql(&self) -> String {
        let Self { installation, epoch, credential, user, verifier, groups, expires, connections } = self;
        format!("SELECT writ.open({installation}, {epoch}, {credential}, {user}, {verifier}, {groups}, {expires}, {connections})")
    }
}

fn good_verifier() -> String {
    verifier(&Secret::new("x".to_owned()), [1; 16], NonZeroU32::MIN)
}

/// A verifier with the character that stands `back` from its end replaced.
fn spoiled(back: usize, with: &str) -> String {
    let mut text = good_verifier();
    let at = text.len() - back;
    text.replace_range(at..=at, with);
    text
}

/// R16 R62: open makes nothing but what the DBA has listed, and a stolen connector login gets no more out of it.
#[test]
fn open_refuses_what_is_not_on_the_list() {
    let world = shared();
    world.cluster.psql("postgres", "ALTER ROLE app_gone RESET ALL");
    world.cluster.psql(
        "postgres",
        "DO $$ BEGIN CREATE ROLE app_files; CREATE ROLE app_set; CREATE ROLE app_login LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT pg_read_server_files TO app_files; ALTER ROLE app_set SET work_mem = '1MB';",
    );
    world.cluster.psql(
        "billing",
        "INSERT INTO writ.allowed_group VALUES ('app_files'), ('app_set'), ('app_login'), ('pg_monitor'), ('postgres')",
    );
    type Change = fn(&mut Call);
    let rows: &[(&str, Change, &str)] = &[
        ("an unlisted group", |c| c.groups = "ARRAY['unlisted']".into(), "not on the list"),
        ("a predefined group", |c| c.groups = "ARRAY['pg_execute_server_program']".into(), "not on the list"),
        ("a listed predefined group", |c| c.groups = "ARRAY['pg_monitor']".into(), "reaches"),
        ("a listed superuser", |c| c.groups = "ARRAY['postgres']".into(), "reaches"),
        ("a group that may make roles", |c| c.groups = "ARRAY['app_boss']".into(), "reaches"),
        ("a group above which one may make roles", |c| c.groups = "ARRAY['app_over_boss']".into(), "reaches"),
        ("a group that reaches a predefined one", |c| c.groups = "ARRAY['app_files']".into(), "reaches"),
        ("a group that owns something", |c| c.groups = "ARRAY['app_owner']".into(), "owns something"),
        ("a group with settings", |c| c.groups = "ARRAY['app_set']".into(), "settings"),
        ("a group that logs in", |c| c.groups = "ARRAY['app_login']".into(), "can log in"),
        ("the owner of the functions", |c| c.groups = "ARRAY['writ_owner']".into(), "not on the list"),
        ("injection in the group", |c| c.groups = "ARRAY['app_ro; ALTER ROLE x SUPERUSER']".into(), "not on the list"),
        ("a group twice", |c| c.groups = "ARRAY['app_ro','app_ro']".into(), "named twice"),
        ("no group", |c| c.groups = "ARRAY[]::text[]".into(), "1 to 16 groups"),
        ("a NULL group", |c| c.groups = "ARRAY[NULL]::text[]".into(), "1 to 16 groups"),
        ("a square of groups", |c| c.groups = "ARRAY[['app_ro'],['app_rw']]".into(), "1 to 16 groups"),
        ("NULL groups", |c| c.groups = "NULL".into(), "missing"),
        ("injection in the name", |c| c.user = "'writ_t_x\" SUPERUSER --'".into(), "starts with"),
        ("a name outside the prefix", |c| c.user = "'postgres'".into(), "starts with"),
        ("the prefix alone", |c| c.user = "'writ_t_'".into(), "starts with"),
        ("a name that is too long", |c| c.user = format!("'writ_t_{}'", "x".repeat(60)), "starts with"),
        ("a name with a newline at its end", |c| c.user = "E'writ_t_x\\n'".into(), "starts with"),
        ("a name with capitals", |c| c.user = "'writ_t_X'".into(), "starts with"),
        ("a plain password", |c| c.verifier = "'plain'".into(), "verifier"),
        ("an md5 verifier", |c| c.verifier = "'md5f0e1d2c3b4a5968778695a4b3c2d1e0f'".into(), "verifier"),
        ("injection in the verifier", |c| c.verifier = format!("'{} '' SUPERUSER --'", good_verifier()), "verifier"),
        ("a verifier with a newline at its end", |c| c.verifier = format!("E'{}\\n'", good_verifier()), "verifier"),
        ("a verifier with a long salt", |c| c.verifier = format!("'{}'", good_verifier().replace("==$", "A==$")), "verifier"),
        ("a verifier with a long key", |c| c.verifier = format!("'{}'", good_verifier().replace("=:", "A=:")), "verifier"),
        ("a verifier with a short key", |c| c.verifier = format!("'{}'", spoiled(2, "")), "verifier"),
        ("a verifier with another letter", |c| c.verifier = format!("'{}'", spoiled(10, "-")), "verifier"),
        ("a verifier with a part too many", |c| c.verifier = format!("'{}'", spoiled(60, ":")), "verifier"),
        ("many iterations", |c| c.verifier = format!("'{}'", good_verifier().replace("$1:", "$1000000:")), "verifier"),
        ("no iterations", |c| c.verifier = format!("'{}'", good_verifier().replace("$1:", "$0:")), "verifier"),
        ("NULL for a verifier", |c| c.verifier = "NULL".into(), "missing"),
        ("an infinite end", |c| c.expires = "9223372036854775807".into(), ""),
        ("an end far away", |c| c.expires = "253402300799999999".into(), "seconds away"),
        ("an end that is past", |c| c.expires = "1".into(), "past"),
        ("no limit of connections", |c| c.connections = "-1".into(), "connections"),
        ("too many connections", |c| c.connections = "21".into(), "connections"),
        ("an older epoch", |c| c.epoch = (EPOCH - 1).to_string(), "epoch"),
        ("a newer epoch", |c| c.epoch = (EPOCH + 1).to_string(), "epoch"),
        ("another installation", |c| c.installation = "'sha256:00'".into(), "another installation"),
        ("NULL for an installation", |c| c.installation = "NULL".into(), "missing"),
        ("an id that is none", |c| c.credential = "'crd_1'".into(), "credential id"),
        (
            "an id with a newline at its end",
            |c| c.credential = "E'crd_00000000000000000000000000000000\\n'".into(),
            "credential id",
        ),
    ];
    for (what, change, expected) in rows {
        let mut call = Call::good();
        change(&mut call);
        let answer = world.psql_as_connector(&call.sql());
        assert!(answer.contains("ERROR") && answer.contains(expected), "{what}: {answer}");
    }
    let made = "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'";
    assert_eq!(world.cluster.psql("postgres", made), "0");
}

/// R62: what was made or ended once is never made again: replay, replay after the end, a new name, the name again, a
/// late create.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_credential_is_never_made_again() {
    let world = shared();
    let connector = world.connector();
    let good = Call::good();
    assert!(!world.psql_as_connector(&good.sql()).contains("ERROR"), "the same call works once");
    let again = |call: &Call, what: &str| {
        let answer = world.psql_as_connector(&call.sql());
        assert!(answer.contains("made or ended before"), "{what}: {answer}");
    };
    again(&good, "replay");
    let credential: CredentialId = good.credential.trim_matches('\'').parse().expect("an id");
    let mut cut = crate::world::cut(&order(&["app_ro"]));
    (cut.credential, cut.user) = (credential, good.user.trim_matches('\'').parse().expect("a name"));
    let proof = crate::world::until_closed(&connector, &cut).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    again(&good, "replay after the end");
    again(&Call { user: "'writ_t_other_name'".to_owned(), ..Call::good_with(&good.credential) }, "its id with a new name");
    again(&Call { user: good.user.clone(), ..Call::good() }, "its name with a new id");

    // A create that comes late: its end was ordered first, on another connection, while nothing of it was there.
    let late = order(&["app_rw"]);
    let proof = crate::world::until_closed(&connector, &crate::world::cut(&late)).await;
    assert!(proof.access_ended && proof.tidy, "{proof:#?}");
    let late = Call { credential: format!("'{}'", late.credential), user: format!("'{}'", late.user), ..Call::good() };
    again(&late, "a late create");
    let roles = format!("SELECT count(*) FROM pg_roles WHERE rolname = {}", late.user);
    assert_eq!(world.cluster.psql("postgres", &roles), "0");
}

impl Call {
    fn good_with(credential: &str) -> Self {
        Self { credential: credential.to_owned(), ..Self::good() }
    }
}

/// R16: the session that calls open can't bend it: temporary objects, operators, dates, isolation.
#[test]
fn shadows_do_not_change_what_open_means() {
    let world = shared();
    let rows = [
        ("a serial transaction", "BEGIN ISOLATION LEVEL REPEATABLE READ; {}; COMMIT", "READ COMMITTED only"),
        (
            "a temporary table over the list",
            "CREATE TEMPORARY TABLE allowed_group (name name); INSERT INTO pg_temp.allowed_group VALUES ('unlisted'); SET search_path = pg_temp, writ; {unlisted}",
            "not on the list",
        ),
        (
            "a temporary catalog",
            "CREATE TEMPORARY TABLE pg_roles (oid oid); CREATE TEMPORARY TABLE pg_auth_members (roleid oid); {unlisted}",
            "not on the list",
        ),
        (
            "a function over format",
            "CREATE FUNCTION pg_temp.format(text, text, text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'ALTER ROLE writ_connector CREATEROLE' $$; SET search_path = pg_temp, pg_catalog; {}; SELECT 'made'",
            "made",
        ),
        (
            "another order of dates",
            "SET DateStyle = 'German, DMY'; SET TimeZone = 'Pacific/Kiritimati'; SET standard_conforming_strings = off; {}; SELECT 'made'",
            "made",
        ),
    ];
    for (what, sql, expected) in rows {
        let call = Call::good();
        let unlisted = Call { groups: "ARRAY['unlisted']".to_owned(), ..Call::good() };
        let sql = sql.replace("{}", &call.sql()).replace("{unlisted}", &unlisted.sql());
        let answer = world.psql_as_connector(&sql);
        assert!(answer.contains(expected), "{what}: {answer}");
        let user = call.user;
        let judged = world.cluster.psql(
            "postgres",
            &format!(
                "SELECT bool_and(NOT rolcreaterole AND rolconnlimit = 4 AND rolvaliduntil BETWEEN now() AND now() + interval '601 seconds'), count(*)
                   FROM pg_roles WHERE rolname = {user};
                 SELECT rolcreaterole FROM pg_roles WHERE rolname = 'writ_connector'"
            ),
        );
        assert_eq!(judged, if expected == "made" { "t|1\nf" } else { "|0\nf" }, "{what}");
    }
}

/// R16: the functions that end and clean act on what is blocked, and on nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_blocked_is_not_touched() {
    let world = shared();
    let connector = world.connector();
    let task = world.task(&connector, &["app_ro"]).await;
    let (id, user, role) = (task.cut.credential, task.user().to_owned(), task.role.clone());
    let own = installation();
    let rows = [
        (format!("SELECT writ.cut('{id}')"), "only what is blocked"),
        (format!("SELECT writ.verify('{id}')"), "only what is blocked"),
        (format!("SELECT writ.lend('{id}')"), "only what is blocked"),
        (format!("SELECT writ.drop('{id}')"), "only what is blocked"),
        (format!("SELECT writ.clean({role}, '{user}', false)"), "only what is blocked"),
        ("SELECT writ.clean(10, 'postgres', false)".to_owned(), "only what is blocked"),
        ("SELECT writ.clean('writ_orphans'::regrole::oid::bigint, 'writ_orphans', false)".to_owned(), "only what is blocked"),
        ("SELECT writ.clean('app_owner'::regrole::oid::bigint, 'app_owner', false)".to_owned(), "only what is blocked"),
        (format!("SELECT writ.block('{own}', '{id}', 'writ_t_somebody_else')"), "another credential"),
        (format!("SELECT writ.block('{own}', '{id}', 'postgres')"), "starts with"),
        (format!("SELECT writ.block('{own}', 'crd_00000000000000000000000000000001', '{user}')"), "another credential"),
        (format!("SELECT writ.block('sha256:00', '{id}', '{user}')"), "another installation"),
        ("SELECT writ.mark('sha256:00', 99)".to_owned(), "another installation"),
        (format!("SELECT writ.mark('{own}', {})", EPOCH - 1), "already"),
        (format!("SELECT writ.mark('{own}', NULL)"), "already"),
    ];
    for (sql, expected) in rows {
        let answer = world.psql_as_connector(&sql);
        assert!(answer.contains("ERROR") && answer.contains(expected), "{sql}: {answer}");
    }
    assert_eq!(
        world.psql_as(&user, &task.password, "billing", "SELECT count(*) > 0 FROM app.invoice"),
        "t",
        "the task still works"
    );
    // The agent itself calls none of them, and makes or lends nothing.
    for sql in [
        "SELECT writ.describe()".to_owned(),
        format!("SELECT writ.cut('{id}')"),
        format!("GRANT {user} TO app_rw"),
        "CREATE ROLE mine".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        "CREATE DATABASE mine".to_owned(),
        "CREATE PUBLICATION mine FOR ALL TABLES".to_owned(),
        "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION pg_catalog.now()".to_owned(),
        "SELECT pg_create_logical_replication_slot('mine', 'pgoutput')".to_owned(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writ_connector' OR usename = 'postgres'"
            .to_owned(),
        "ALTER ROLE current_user CONNECTION LIMIT -1".to_owned(),
        "ALTER ROLE current_user VALID UNTIL 'infinity'".to_owned(),
        "SET ROLE writ_owner".to_owned(),
    ] {
        let answer = world.psql_as(&user, &task.password, "billing", &sql);
        let nobody_there = sql.contains("pg_terminate_backend") && answer.is_empty();
        assert!(answer.contains("ERROR") || nobody_there, "{sql}: {answer}");
    }
    world.end(&connector, &task).await;
    assert_eq!(world.left(&task), NOTHING);
}

/// R16: the state belongs to the DBA: not even the functions' owners delete a tombstone or widen the list.
#[test]
fn the_functions_owners_cannot_change_the_rules() {
    let world = shared();
    for (role, sql) in [
        ("writ_owner", "DELETE FROM writ.tombstone"),
        ("writ_owner", "UPDATE writ.tombstone SET name = 'x'"),
        ("writ_owner", "INSERT INTO writ.allowed_group VALUES ('unlisted')"),
        ("writ_owner", "UPDATE writ.rule SET prefix = 'a'"),
        ("writ_owner", "INSERT INTO writ.slot VALUES (9999)"),
        ("writ_owner", "DELETE FROM writ.credential"),
        ("writ_sweeper", "INSERT INTO writ.tombstone (id, name, lsn) VALUES ('x', 'x', '0/0')"),
        ("writ_sweeper", "UPDATE writ.credential SET role = 10"),
    ] {
        let output = world.cluster.try_psql("billing", &format!("SET ROLE {role}; {sql}"));
        let answer = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(answer.contains("permission denied"), "{role}: {sql}: {answer}");
    }
}

/// R16: the DBA's limit of users holds exactly under concurrent opens; an ended user makes room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_users_is_exact() {
    let world = World::start(&[]);
    let plan = writ_connect::postgres::InstallPlan { users_max: 6, ..plan() };
    for script in writ_connect::postgres::install_sql(&plan).expect("a plan") {
        world.cluster.psql(script.database.as_str(), &script.sql);
    }
    let connector = world.connector();
    let opens = (0..24).map(|_| {
        let (connector, order) = (connector.clone(), crate::commit::commit(order(&["app_ro"])));
        tokio::spawn(async move {
            let cut = crate::world::cut(order.order());
            (cut, writ_connect::Connector::open(&*connector, order, &mut OsRandom).await)
        })
    });
    let mut made = Vec::new();
    let mut full = 0;
    for open in opens.collect::<Vec<_>>() {
        match open.await.expect("it answers") {
            (cut, Ok(_)) => made.push(cut),
            (_, Err(writ_connect::ConnectError::Full { .. })) => full += 1,
            (_, Err(error)) => panic!("{error}"),
        }
    }
    assert_eq!((made.len(), full), (6, 18));
    let proof = crate::world::until_closed(&connector, &made[0]).await;
    assert!(proof.tidy, "{proof:#?}");
    world.task(&connector, &["app_ro"]).await;
}
