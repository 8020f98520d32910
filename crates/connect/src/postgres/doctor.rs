//! Looks whether the connector's login and the installed functions are what they should be.

use super::functions::FUNCTIONS;
use super::session::Session;
use super::settings::PostgresSettings;
use crate::ConnectError;
use writ_types::SqlName;

/// Whose mark a cluster carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The installation's id.
    pub installation: String,
    /// The epoch.
    pub epoch: u64,
}

/// How a cluster's mark stands to this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is ours.
    Ours,
    /// It is another installation's: only report.
    Foreign,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Known, and worse than it could be.
    Warning,
    /// The cluster must not be used so.
    Refusal,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What.
    pub what: String,
    /// The next step.
    pub help: String,
}

/// What the doctor saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The server's version, as it says it.
    pub server_version: String,
    /// The cluster's mark.
    pub marker: Marker,
    /// Whose it is.
    pub standing: Standing,
    /// Every task user's name starts with this.
    pub prefix: String,
    /// The groups that the DBA allows.
    pub groups: Vec<String>,
    /// How many more users may be made now, and how many in all.
    pub slots: (u64, u64),
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Report {
    /// True if the cluster may be used: nothing refuses it, and it is ours.
    pub fn is_fit(&self) -> bool {
        self.standing == Standing::Ours && self.findings.iter().all(|finding| finding.severity < Severity::Refusal)
    }
}

/// Rights that the login has by itself or by a membership, beyond calling the functions.
const RIGHTS: &str = "\
    SELECT 'is a superuser' FROM pg_roles r WHERE r.rolname = current_user AND r.rolsuper \
    UNION ALL SELECT 'may make roles' FROM pg_roles r WHERE r.rolname = current_user AND r.rolcreaterole \
    UNION ALL SELECT 'may make databases' FROM pg_roles r WHERE r.rolname = current_user AND r.rolcreatedb \
    UNION ALL SELECT 'may replicate' FROM pg_roles r WHERE r.rolname = current_user AND r.rolreplication \
    UNION ALL SELECT 'passes row security' FROM pg_roles r WHERE r.rolname = current_user AND r.rolbypassrls \
    UNION ALL SELECT 'inherits' FROM pg_roles r WHERE r.rolname = current_user AND r.rolinherit \
    UNION ALL SELECT 'is a member of ' || g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid \
      JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = current_user \
      AND NOT (NOT g.rolcanlogin AND EXISTS (SELECT 1 FROM pg_auth_members s JOIN pg_roles w ON w.oid = s.member \
                                              WHERE s.roleid = g.oid AND w.rolname = 'writ_sweeper')) \
    UNION ALL SELECT 'owns ' || count(*)::text || ' objects' FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
      WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = current_user AND d.deptype = 'o' HAVING count(*) > 0 \
    UNION ALL SELECT 'was granted something on ' || d.classid::regclass::text || ' ' || d.objid::text || ' in database ' || d.dbid::text \
      FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
      WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = current_user AND d.deptype = 'a' \
        AND d.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()) \
        AND NOT EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
                         WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND n.nspname = 'writ') \
        AND NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE d.classid = 'pg_namespace'::regclass AND n.oid = d.objid AND n.nspname = 'writ')";

/// What is installed in one database.
const INSTALLED: &str = "\
    SELECT p.proname::text, p.prosrc, p.prosecdef, o.rolname::text, coalesce(p.proconfig, '{}'::text[]), \
           EXISTS (SELECT 1 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) \
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner WHERE n.nspname = 'writ'";

const DESCRIBE: &str = "SELECT d.installation, d.epoch, d.prefix, d.slots_free, d.slots, d.allowed FROM writ.describe() AS d";

const PREPARED_MAX: &str =
    "SELECT current_setting('max_prepared_transactions')::integer, current_setting('server_version_num')::integer";

pub(crate) async fn examine(settings: &PostgresSettings) -> Result<Report, ConnectError> {
    let Some((home, others)) = settings.databases.split_first() else {
        return Err(ConnectError::Settings(format!("`{}` has no managed database", settings.address)));
    };
    let mut session = Session::connect(settings, home.as_str()).await?;
    let mut findings = rights(&mut session).await?;
    findings.extend(installed(&mut session, home, true).await?);
    let row = session.row("describe itself", PREPARED_MAX, &[]).await?;
    let (prepared_max, version): (i32, i32) = (session.get(&row, 0)?, session.get(&row, 1)?);
    if prepared_max > 0 && version < 160_000 {
        findings.push(Finding {
            severity: Severity::Warning,
            what: format!(
                "max_prepared_transactions is {prepared_max}: a user acting as a group can prepare what only a DBA can roll back"
            ),
            help: "set max_prepared_transactions = 0 and restart, or upgrade to PostgreSQL 16 or later".to_owned(),
        });
    }
    for database in others {
        let mut session = Session::connect(settings, database.as_str()).await?;
        findings.extend(
            rights(&mut session)
                .await?
                .into_iter()
                .map(|finding| Finding { what: format!("in `{database}`: {}", finding.what), ..finding }),
        );
        findings.extend(installed(&mut session, database, false).await?);
    }
    findings.dedup();
    let row = session.row("describe itself", DESCRIBE, &[]).await?;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let marker = Marker { installation: session.get(&row, 0)?, epoch: count(session.get(&row, 1)?) };
    let ours = marker.installation == settings.installation.to_string();
    Ok(Report {
        server_version: session.server_version().to_owned(),
        standing: if ours { Standing::Ours } else { Standing::Foreign },
        marker,
        prefix: session.get(&row, 2)?,
        slots: (count(session.get(&row, 3)?), count(session.get(&row, 4)?)),
        groups: session.get(&row, 5)?,
        findings,
    })
}

async fn rights(session: &mut Session) -> Result<Vec<Finding>, ConnectError> {
    let mut findings = Vec::new();
    for row in session.rows("list the login's rights", RIGHTS, &[]).await? {
        let right: String = session.get(&row, 0)?;
        findings.push(Finding {
            severity: Severity::Refusal,
            what: format!("the connector's login {right}"),
            help: "use the login that `writ connect postgres sql` makes: it only calls the functions".to_owned(),
        });
    }
    Ok(findings)
}

/// Compares what is installed with what this build would install.
async fn installed(session: &mut Session, database: &SqlName, home: bool) -> Result<Vec<Finding>, ConnectError> {
    let mut there = Vec::new();
    for row in session.rows("list the functions", INSTALLED, &[]).await? {
        let name: String = session.get(&row, 0)?;
        let body: String = session.get(&row, 1)?;
        let (definer, open_to_all): (bool, bool) = (session.get(&row, 2)?, session.get(&row, 5)?);
        let owner: String = session.get(&row, 3)?;
        let settings: Vec<String> = session.get(&row, 4)?;
        there.push((name, body, definer && !open_to_all, owner, settings));
    }
    let wrong = |what: String| Finding {
        severity: Severity::Refusal,
        what,
        help: format!("let a DBA read and run the script of `writ connect postgres sql` for `{database}` again"),
    };
    let mut findings = Vec::new();
    for function in FUNCTIONS.iter().filter(|function| home || function.everywhere) {
        let name = function.name;
        let Some((_, body, guarded, owner, settings)) = there.iter().find(|(other, ..)| other == name) else {
            findings.push(wrong(format!("`writ.{name}` is not installed in `{database}`")));
            continue;
        };
        if *body != function.stored_body() {
            findings.push(wrong(format!("`writ.{name}` in `{database}` is not this version's")));
        }
        let pinned = ["search_path=pg_catalog, pg_temp", "standard_conforming_strings=on"]
            .iter()
            .all(|pin| settings.iter().any(|setting| setting == pin));
        if !guarded || !pinned || owner != function.owner.role() {
            findings.push(wrong(format!("`writ.{name}` in `{database}` has another owner, path or public")));
        }
    }
    Ok(findings)
}
