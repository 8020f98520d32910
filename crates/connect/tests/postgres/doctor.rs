//! The doctor refuses a login that can do more than call the functions, and functions that are not this version's.

use crate::world::{World, installation, name, shared};
use writ_connect::ConnectError;
use writ_connect::postgres::{Login, Postgres, PostgresSettings, Severity, Standing};
use writ_types::Secret;

/// R16: what the scripts install is fit, and the doctor says what could be better.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_scripts_install_is_fit() {
    let report = shared().connector().doctor().await.expect("a report");
    assert!(report.is_fit(), "{report:#?}");
    assert_eq!(report.marker.installation, installation().to_string());
    assert_eq!(report.standing, Standing::Ours);
    assert_eq!(report.prefix, "writ_t_");
    let warned: Vec<_> = report.findings.iter().filter(|finding| finding.severity == Severity::Warning).collect();
    assert_eq!(warned.len(), 1, "{report:#?}");
    assert!(warned[0].what.contains("max_prepared_transactions"), "{report:#?}");
}

/// R16 R30: each way in which the login or the functions are more than they should be is a refusal that says what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_do_more_is_refused() {
    let world = World::start(&[]);
    let report = world.connector().doctor().await.expect("a report");
    assert!(report.is_fit() && report.findings.is_empty(), "{report:#?}");
    for (database, change, back, expected) in [
        ("billing", "ALTER ROLE writ_connector CREATEROLE", "ALTER ROLE writ_connector NOCREATEROLE", "may make roles"),
        ("billing", "ALTER ROLE writ_connector SUPERUSER", "ALTER ROLE writ_connector NOSUPERUSER", "is a superuser"),
        ("billing", "ALTER ROLE writ_connector CREATEDB", "ALTER ROLE writ_connector NOCREATEDB", "may make databases"),
        ("billing", "ALTER ROLE writ_connector INHERIT", "ALTER ROLE writ_connector NOINHERIT", "inherits"),
        ("billing", "GRANT app_ro TO writ_connector", "REVOKE app_ro FROM writ_connector", "is a member of app_ro"),
        ("billing", "GRANT writ_owner TO writ_connector", "REVOKE writ_owner FROM writ_connector", "is a member of writ_owner"),
        (
            "billing",
            "GRANT SELECT ON app.invoice TO writ_connector",
            "REVOKE ALL ON app.invoice FROM writ_connector",
            "was granted something",
        ),
        (
            "archive",
            "GRANT SELECT ON app.invoice TO writ_connector",
            "REVOKE ALL ON app.invoice FROM writ_connector",
            "in `archive`",
        ),
        (
            "billing",
            "GRANT SELECT ON writ.tombstone TO writ_connector",
            "REVOKE ALL ON writ.tombstone FROM writ_connector",
            "was granted something",
        ),
        (
            "reports",
            "CREATE TABLE app.mine (id integer); ALTER TABLE app.mine OWNER TO writ_connector",
            "DROP TABLE app.mine",
            "owns 1 objects",
        ),
        (
            "billing",
            "GRANT EXECUTE ON FUNCTION writ.cut TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION writ.cut FROM PUBLIC",
            "`writ.cut` in `billing` has another owner, path or public",
        ),
        (
            "billing",
            "ALTER FUNCTION writ.cut OWNER TO postgres",
            "ALTER FUNCTION writ.cut OWNER TO writ_sweeper",
            "`writ.cut` in `billing` has another owner",
        ),
        (
            "billing",
            "ALTER FUNCTION writ.cut RESET search_path",
            "ALTER FUNCTION writ.cut SET search_path = pg_catalog, pg_temp",
            "another owner, path",
        ),
        (
            "archive",
            "ALTER FUNCTION writ.clean RENAME TO gone",
            "ALTER FUNCTION writ.gone RENAME TO clean",
            "`writ.clean` is not installed in `archive`",
        ),
        (
            "billing",
            "CREATE OR REPLACE FUNCTION writ.unlend(p_credential text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS 'BEGIN END'",
            "",
            "`writ.unlend` in `billing` is not this version's",
        ),
    ] {
        world.cluster.psql(database, change);
        let report = world.connector().doctor().await.expect("a report");
        assert!(!report.is_fit(), "{change}: {report:#?}");
        assert!(report.findings.iter().any(|finding| finding.what.contains(expected)), "{change}: {report:#?}");
        world.cluster.psql(database, back);
    }
    for script in writ_connect::postgres::install_sql(&crate::world::plan()).expect("a plan") {
        world.cluster.psql(script.database.as_str(), &script.sql);
    }
    let report = world.connector().doctor().await.expect("a report");
    assert!(report.is_fit() && report.findings.is_empty(), "running the scripts again mends it: {report:#?}");
}

/// R16: a superuser's login is refused, a wrong password is the operator's, and neither error shows the password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superusers_login_is_refused() {
    let world = World::start(&[]);
    world.cluster.psql("postgres", "CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'hunter2'");
    let login = |user: &str, password: &str| {
        let login = Login::new(name(user), Secret::new(password.to_owned()));
        Postgres::new(PostgresSettings { login, ..world.settings() }).expect("a connector")
    };
    let report = login("boss", "hunter2").doctor().await.expect("a report");
    assert!(!report.is_fit(), "{report:#?}");
    assert!(report.findings.iter().any(|finding| finding.what.contains("is a superuser")), "{report:#?}");
    let error = login("boss", "hunter3").doctor().await.expect_err("a wrong password");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert!(!error.to_string().contains("hunter"), "{error}");
}
