//! An application's cluster with Writ's functions in it, and tasks that use it.

use crate::cluster::Cluster;
use crate::commit::{OsRandom, commit};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use writ_connect::postgres::{InstallPlan, Login, Postgres, PostgresSettings, install_sql, verifier};
use writ_connect::{ClosureProof, Connector as _, Made, PhaseHook};
use writ_ledger::body::PostgresTerms;
use writ_types::{
    CredentialId, CutDatabaseUser, Digest, OpenDatabaseUser, Random as _, ReleasePassword, ResourceId, Secret, SqlName, TaskId,
    TextValue as _, Time,
};

/// The managed databases.
pub(crate) const DATABASES: [&str; 3] = ["billing", "archive", "reports"];
/// The epoch that the cluster is marked with.
pub(crate) const EPOCH: u64 = 3;
const CONNECTOR_PASSWORD: &str = "only-for-this-test-cluster";

/// A cluster that has an application and the functions.
pub(crate) struct World {
    /// The cluster.
    pub(crate) cluster: Cluster,
}

/// One task's user, made.
pub(crate) struct Task {
    /// What ends it.
    pub(crate) cut: CutDatabaseUser,
    /// What was made.
    pub(crate) role: String,
    /// Its password.
    pub(crate) password: String,
}

impl Task {
    /// Its user's name.
    pub(crate) fn user(&self) -> &str {
        self.cut.user.as_str()
    }
}

/// The cluster that most tests share; it allows prepared transactions, because agents try to survive in them.
pub(crate) fn shared() -> &'static World {
    static SHARED: OnceLock<World> = OnceLock::new();
    SHARED.get_or_init(|| World::start(&["max_prepared_transactions=10"]))
}

/// Whose cluster it is.
pub(crate) fn installation() -> Digest {
    Digest::of(b"a genesis")
}

/// A name.
pub(crate) fn name(text: &str) -> SqlName {
    SqlName::parse(text).expect("a name")
}

/// The moment `seconds` from now.
#[expect(clippy::disallowed_methods, reason = "the backend compares with the real clock")]
pub(crate) fn in_seconds(seconds: u64) -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Time::from_seconds(now.as_secs() + seconds)
}

/// The plan that the test cluster's DBA installs.
pub(crate) fn plan() -> InstallPlan {
    let password = Secret::new(CONNECTOR_PASSWORD.to_owned());
    InstallPlan {
        installation: installation(),
        prefix: name("writ_t_"),
        groups: ["app_ro", "app_rw", "app_gone", "app_owner", "app_boss", "app_over_boss"].map(name).into(),
        databases: DATABASES.map(name).into(),
        users_max: 200,
        ttl_seconds_max: 86_400,
        connections_max: 20,
        connector_verifier: Some(verifier(&password, [7; 16], NonZeroU32::MIN)),
    }
}

impl World {
    /// Starts one.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let cluster = Cluster::start(settings);
        cluster.psql(
            "postgres",
            "CREATE ROLE app_ro; CREATE ROLE app_rw; CREATE ROLE app_boss CREATEROLE; CREATE ROLE app_over_boss; GRANT app_boss TO app_over_boss;
             CREATE ROLE app_owner; CREATE ROLE app_gone; CREATE ROLE unlisted;
             CREATE DATABASE billing; CREATE DATABASE archive; CREATE DATABASE reports;",
        );
        for database in DATABASES {
            cluster.psql(
                database,
                "CREATE SCHEMA app; CREATE TABLE app.invoice (id integer, amount integer);
                 INSERT INTO app.invoice SELECT n, n FROM generate_series(1, 1000) n;
                 GRANT USAGE ON SCHEMA app TO app_ro, app_rw; GRANT SELECT ON app.invoice TO app_ro, app_rw;
                 GRANT CREATE ON SCHEMA app TO app_rw; GRANT INSERT, UPDATE, TRIGGER ON app.invoice TO app_rw;",
            );
        }
        cluster
            .psql("billing", "CREATE TABLE app.owned_by_group (id integer); ALTER TABLE app.owned_by_group OWNER TO app_owner;");
        for script in install_sql(&plan()).expect("a plan") {
            cluster.psql(script.database.as_str(), &script.sql);
        }
        let world = Self { cluster };
        world.cluster.psql("billing", &format!("SELECT writ.mark('{}', {EPOCH})", installation()));
        world
    }

    /// What a resource says of this cluster.
    pub(crate) fn terms(&self) -> PostgresTerms {
        PostgresTerms {
            address: format!("127.0.0.1:{}", self.cluster.port()),
            ca: None,
            databases: DATABASES.map(name).into(),
            replicas: Vec::new(),
            actions: BTreeMap::new(),
            scram_iterations: 1,
        }
    }

    /// The connector's settings.
    pub(crate) fn settings(&self) -> PostgresSettings {
        let login = Login::new(name("writ_connector"), Secret::new(CONNECTOR_PASSWORD.to_owned()));
        PostgresSettings::of(&self.terms(), installation(), login).expect("settings")
    }

    /// A connector.
    pub(crate) fn connector(&self) -> Arc<Postgres> {
        Arc::new(Postgres::new(self.settings()).expect("a connector"))
    }

    /// A connector with a hook before each phase.
    pub(crate) fn hooked(&self, hook: PhaseHook) -> Arc<Postgres> {
        Arc::new(Postgres::new(PostgresSettings { on_phase: hook, ..self.settings() }).expect("a connector"))
    }

    /// Makes a user in these groups and releases its password.
    pub(crate) async fn task(&self, connector: &Postgres, groups: &[&str]) -> Task {
        let order = order(groups);
        let cut = cut(&order);
        let made = connector.open(commit(order), &mut OsRandom).await.expect("a user");
        self.release(cut, made)
    }

    /// Releases what was made.
    pub(crate) fn release(&self, cut: CutDatabaseUser, made: Made) -> Task {
        let release = commit(ReleasePassword { credential: cut.credential });
        let password = made.sealed.open(&release).expect("its own password");
        Task { cut, role: made.backend_id, password: password.expose().clone() }
    }

    /// What a psql of this login prints, errors too.
    pub(crate) fn psql_as(&self, user: &str, password: &str, database: &str, sql: &str) -> String {
        let mut command = std::process::Command::new("psql");
        command
            .args(["-X", "-q", "-A", "-t", "-d", database, "-c", sql])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.cluster.port().to_string())
            .env("PGUSER", user)
            .env("PGPASSWORD", password)
            .env("LC_ALL", "C");
        let output = command.output().expect("psql runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim_end().to_owned()
    }

    /// What a psql of the connector's own login prints.
    pub(crate) fn psql_as_connector(&self, sql: &str) -> String {
        self.psql_as("writ_connector", CONNECTOR_PASSWORD, "billing", sql)
    }

    /// A psql of the connector's own login, for [`crate::psql::Psql::run`].
    pub(crate) fn connector_command(&self) -> tokio::process::Command {
        crate::psql::command_as(self, "writ_connector", CONNECTOR_PASSWORD, "billing")
    }

    /// What a superuser sees of a user: its role, its sessions by name and by OID, its prepared transactions.
    pub(crate) fn left(&self, task: &Task) -> String {
        let (user, role) = (task.user(), &task.role);
        self.cluster.psql(
            "postgres",
            &format!(
                "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = '{user}' OR oid = {role}) || ' roles, ' ||
                        (SELECT count(*) FROM pg_stat_activity WHERE usesysid = {role} OR usename = '{user}') || ' sessions, ' ||
                        (SELECT count(*) FROM pg_prepared_xacts WHERE owner = '{user}') || ' prepared'"
            ),
        )
    }

    /// Ends a task's user, calling again as the server does, until nothing is left to do.
    pub(crate) async fn end(&self, connector: &Postgres, task: &Task) -> ClosureProof {
        until_closed(connector, &task.cut).await
    }
}

/// Calls `end` until it says that nothing is left to do.
pub(crate) async fn until_closed(connector: &Postgres, cut: &CutDatabaseUser) -> ClosureProof {
    let mut last = None;
    for _ in 0..12 {
        let proof = connector.end(cut.clone()).await;
        if proof.next_try.is_none() {
            return proof;
        }
        last = Some(proof);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not converge: {last:#?}");
}

/// Nothing left, as `World::left` says it.
pub(crate) const NOTHING: &str = "0 roles, 0 sessions, 0 prepared";

/// An order for a fresh user.
pub(crate) fn order(groups: &[&str]) -> OpenDatabaseUser {
    let mut random = OsRandom;
    let credential = CredentialId::mint(&mut random);
    let tail = u64::from_be_bytes(random.bits_128()[..8].try_into().expect("8 bytes"));
    OpenDatabaseUser {
        credential,
        task: TaskId::mint(&mut random),
        resource: ResourceId::mint(&mut random),
        user: name(&format!("writ_t_{tail:016x}")),
        groups: groups.iter().map(|group| name(group)).collect(),
        databases: vec![name("billing")],
        expires: in_seconds(600),
        epoch: EPOCH,
        scram_iterations: 1,
    }
}

/// What ends the user of an order.
pub(crate) fn cut(order: &OpenDatabaseUser) -> CutDatabaseUser {
    CutDatabaseUser {
        credential: order.credential,
        resource: order.resource,
        user: order.user.clone(),
        databases: order.databases.clone(),
        epoch: order.epoch,
    }
}

/// Polls `condition` until it holds; panics after a bound.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} does not come true");
}
