//! The scripts that a DBA reads and runs, one for each managed database.

use super::functions::FUNCTIONS;
use super::quote::{identifier, literal};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use writ_types::{Digest, SqlName};

/// The roles that the scripts make.
pub const ROLES: [&str; 5] = ["writ_owner", "writ_sweeper", "writ_orphans", "writ_connector", "writ_timer"];

/// What a DBA installs in one cluster.
#[derive(Debug, Clone)]
pub struct InstallPlan {
    /// The installation whose cluster this becomes: the hash of its genesis.
    pub installation: Digest,
    /// Every task user's name starts with this.
    pub prefix: SqlName,
    /// The groups that a task user may be made a member of. Each must exist.
    pub groups: BTreeSet<SqlName>,
    /// The managed databases. The state lies in the first.
    pub databases: Vec<SqlName>,
    /// How many task users there may be at a time.
    pub users_max: u32,
    /// How long a task user may live, in seconds.
    pub ttl_seconds_max: u32,
    /// How many connections a task user may have.
    pub connections_max: u32,
    /// The verifier of the connector's password (see [`super::scram::verifier`]); without one its login stays as it is.
    pub connector_verifier: Option<String>,
}

/// One database's script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallScript {
    /// The database.
    pub database: SqlName,
    /// SQL, one transaction, for a superuser's psql. It may run again.
    pub sql: String,
}

/// Why a plan can't be installed. The operator changes the estate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// Task users could be taken for the roles of the functions.
    #[error("the prefix `{0}` is the start of a role that the functions need: choose one like `writ_t_`")]
    Prefix(SqlName),
    /// There is nothing to install in.
    #[error("a cluster has at least one managed database")]
    NoDatabase,
    /// A group that is one of the roles of the functions.
    #[error("the group `{0}` is a role of the functions")]
    Group(SqlName),
    /// The verifier is not one.
    #[error("the connector's verifier is not a SCRAM-SHA-256 verifier")]
    Verifier,
}

/// The scripts of `plan`, the first database's first.
///
/// # Errors
/// When the plan contradicts itself.
pub fn install_sql(plan: &InstallPlan) -> Result<Vec<InstallScript>, InstallError> {
    if ROLES.iter().any(|role| role.starts_with(plan.prefix.as_str())) {
        return Err(InstallError::Prefix(plan.prefix.clone()));
    }
    if let Some(group) = plan.groups.iter().find(|group| ROLES.contains(&group.as_str())) {
        return Err(InstallError::Group(group.clone()));
    }
    if plan.connector_verifier.as_ref().is_some_and(|verifier| !is_verifier(verifier)) {
        return Err(InstallError::Verifier);
    }
    let (home, others) = plan.databases.split_first().ok_or(InstallError::NoDatabase)?;
    let mut scripts = vec![InstallScript { database: home.clone(), sql: home_script(home, plan) }];
    scripts.extend(others.iter().map(|database| InstallScript { database: database.clone(), sql: other_script(database) }));
    Ok(scripts)
}

/// True for what PostgreSQL takes as a verifier; anything else it would take for a plain password.
fn is_verifier(text: &str) -> bool {
    let base64 = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) && part.ends_with('=')
    };
    let parsed = || {
        let (rest, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = rest.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let counted = iterations.parse::<u32>().is_ok_and(|n| n > 0 && n.to_string() == iterations);
        Some(counted && base64(salt, 24) && base64(stored, 44) && base64(server, 44))
    };
    parsed().unwrap_or(false)
}

fn head(database: &SqlName) -> String {
    format!(
        "-- Writ's functions for the database {database}: read them, then run this as a superuser:\n\
         --   psql -X -v ON_ERROR_STOP=1 -d {database} -f THIS_FILE\n\
         -- All or nothing; it may run again after an upgrade or when groups change.\n\
         BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n\
         DO $writ$\nBEGIN\n  IF current_database() <> {0} THEN\n    RAISE EXCEPTION 'this script is for the database %', {0};\n  END IF;\nEND\n$writ$;\n",
        literal(database.as_str())
    )
}

fn home_script(database: &SqlName, plan: &InstallPlan) -> String {
    let mut sql = head(database);
    sql.push_str(include_str!("roles.sql"));
    if let Some(verifier) = &plan.connector_verifier {
        // Writing to a String cannot fail.
        let _ = writeln!(sql, "ALTER ROLE writ_connector PASSWORD {};", literal(verifier));
    }
    sql.push_str(include_str!("schema.sql"));
    sql.push_str(include_str!("tables.sql"));
    sql.push_str(&rows(plan));
    sql.push_str(&grants());
    for function in FUNCTIONS {
        let _ = write!(sql, "\n{}", function.sql());
    }
    sql.push_str(&modern(plan));
    sql.push_str(include_str!("schemas.sql"));
    sql.push_str("COMMIT;\n");
    sql
}

fn other_script(database: &SqlName) -> String {
    let mut sql = head(database);
    sql.push_str(include_str!("schema.sql"));
    sql.push_str(&grants());
    for function in FUNCTIONS.iter().filter(|function| function.everywhere) {
        let _ = write!(sql, "\n{}", function.sql());
    }
    sql.push_str(include_str!("schemas.sql"));
    sql.push_str("COMMIT;\n");
    sql
}

fn grants() -> String {
    "REVOKE ALL ON SCHEMA writ FROM PUBLIC;\n\
     GRANT USAGE ON SCHEMA writ TO writ_owner, writ_sweeper, writ_connector, writ_timer;\n"
        .to_owned()
}

/// The rows that say whose cluster this is and what may be made in it.
fn rows(plan: &InstallPlan) -> String {
    let installation = literal(&plan.installation.to_string());
    let groups: Vec<String> = plan.groups.iter().map(|group| literal(group.as_str())).collect();
    let mut sql = format!(
        "INSERT INTO writ.marker (installation) VALUES ({installation}) ON CONFLICT DO NOTHING;\n\
         DO $writ$\nBEGIN\n  IF (SELECT m.installation FROM writ.marker m) <> {installation} THEN\n    \
         RAISE EXCEPTION 'this cluster belongs to another installation';\n  END IF;\nEND\n$writ$;\n\
         INSERT INTO writ.rule (prefix, ttl_seconds_max, connections_max, users_max) VALUES ({}, {}, {}, {users_max})\n  \
         ON CONFLICT (one) DO UPDATE SET prefix = excluded.prefix, ttl_seconds_max = excluded.ttl_seconds_max, connections_max = excluded.connections_max, users_max = excluded.users_max;\n\
         INSERT INTO writ.slot (number) SELECT generate_series(1, {users_max}) ON CONFLICT (number) DO NOTHING;\n\
         DELETE FROM writ.slot WHERE number > {users_max} AND credential IS NULL;\n\
         DELETE FROM writ.allowed_group;\n",
        literal(plan.prefix.as_str()),
        plan.ttl_seconds_max,
        plan.connections_max,
        users_max = plan.users_max,
    );
    if !groups.is_empty() {
        let _ = writeln!(sql, "INSERT INTO writ.allowed_group (name) VALUES ({});", groups.join("), ("));
    }
    sql
}

/// What only version 16 and later need: there a role grants only what it holds with ADMIN.
fn modern(plan: &InstallPlan) -> String {
    let mut sql = String::from(
        "\nDO $writ$\nBEGIN\n  IF current_setting('server_version_num')::integer >= 160000 THEN\n    \
         ALTER FUNCTION writ.open SET createrole_self_grant = '';\n",
    );
    for group in &plan.groups {
        let _ =
            writeln!(sql, "    EXECUTE 'GRANT {} TO writ_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';", identifier(group));
    }
    sql.push_str("  END IF;\nEND\n$writ$;\n");
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::TextValue;

    fn name(text: &str) -> SqlName {
        SqlName::parse(text).unwrap()
    }

    fn plan() -> InstallPlan {
        InstallPlan {
            installation: Digest::of(b"genesis"),
            prefix: name("writ_t_"),
            groups: [name("app_ro"), name("app_rw")].into(),
            databases: vec![name("billing"), name("archive")],
            users_max: 64,
            ttl_seconds_max: 3_600,
            connections_max: 10,
            connector_verifier: None,
        }
    }

    #[test]
    fn the_state_lies_in_the_first_database_and_only_clean_in_the_others() {
        let scripts = install_sql(&plan()).unwrap();
        assert_eq!(scripts.iter().map(|s| s.database.as_str()).collect::<Vec<_>>(), ["billing", "archive"]);
        assert!(scripts[0].sql.contains("CREATE TABLE IF NOT EXISTS writ.tombstone"));
        assert!(scripts[0].sql.contains("VALUES ('app_ro'), ('app_rw');"));
        assert!(!scripts[1].sql.contains("CREATE TABLE"));
        assert_eq!(scripts[1].sql.matches("CREATE OR REPLACE FUNCTION").count(), 1);
        assert!(scripts[1].sql.contains("writ.clean"));
    }

    #[test]
    fn a_plan_that_contradicts_itself_is_refused() {
        let verifier = |text: &str| InstallPlan { connector_verifier: Some(text.to_owned()), ..plan() };
        for (plan, expected) in [
            (InstallPlan { prefix: name("writ_"), ..plan() }, InstallError::Prefix(name("writ_"))),
            (InstallPlan { databases: vec![], ..plan() }, InstallError::NoDatabase),
            (InstallPlan { groups: [name("writ_owner")].into(), ..plan() }, InstallError::Group(name("writ_owner"))),
            (verifier("plain"), InstallError::Verifier),
            (verifier("md5f0e1d2c3b4a5968778695a4b3c2d1e0f"), InstallError::Verifier),
            (verifier("SCRAM-SHA-256$0:AAAAAAAAAAAAAAAAAAAAAA==$x:y"), InstallError::Verifier),
            (verifier("SCRAM-SHA-256$1:' OR 1=1"), InstallError::Verifier),
        ] {
            assert_eq!(install_sql(&plan).unwrap_err(), expected);
        }
    }
}
