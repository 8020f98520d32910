//! What the steps stand on, and leave for those after them.

use super::agent::{Agent, Held};
use super::cast::Cast;
use super::cluster::Cluster;
use super::program::{text, until};
use super::server::{Server, free_api};
use super::trouble::{Result, Trouble};
use super::world::World;
use serde_json::Value;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// A task, and what the world shows of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Task {
    pub(super) id: String,
    /// Its database user, as the superuser sees it.
    pub(super) user: String,
    /// That user's number.
    pub(super) oid: String,
    /// Its credential's id.
    pub(super) credential: String,
}

/// Where the demo stands. What is dropped first ends first: the agent, the server, then the world with its cluster.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) held: Option<Held>,
    pub(super) server: Option<Server>,
    cast: Option<Cast>,
    pub(super) agent: Agent,
    cluster: Option<Cluster>,
    genesis: Option<String>,
    /// The change set with the estate.
    pub(super) change: Option<String>,
    first: Option<Task>,
    second: Option<Task>,
    /// The address of the API for actors.
    pub(super) api: String,
    /// The exported log goes here.
    pub(super) export: PathBuf,
    pub(super) world: Rc<World>,
}

fn there<'a, T>(what: &str, value: Option<&'a T>) -> Result<&'a T> {
    value.ok_or_else(|| Trouble::new(format!("there is no {what}")))
}

impl Stage {
    pub(super) fn new(keep: Option<PathBuf>) -> Result<Self> {
        let world = Rc::new(World::make()?);
        let api = free_api()?;
        let export = keep.map_or_else(|| world.path("out/log"), |keep| keep.join("log"));
        let agent = Agent::new(&world, &api);
        Ok(Self {
            held: None,
            server: None,
            cast: None,
            agent,
            cluster: None,
            genesis: None,
            change: None,
            first: None,
            second: None,
            api,
            export,
            world,
        })
    }

    pub(super) fn found(&mut self, cast: Cast, genesis: String) {
        (self.cast, self.genesis) = (Some(cast), Some(genesis));
    }

    pub(super) fn connect(&mut self, cluster: Cluster) {
        self.cluster = Some(cluster);
    }

    pub(super) fn delegate_first(&mut self, task: Task) {
        self.first = Some(task);
    }

    pub(super) fn delegate_second(&mut self, task: Task) {
        self.second = Some(task);
    }

    pub(super) fn cast(&self) -> Result<&Cast> {
        there("cast", self.cast.as_ref())
    }

    /// The hash that the founders were told to pin.
    pub(super) fn genesis(&self) -> Result<&String> {
        there("genesis", self.genesis.as_ref())
    }

    pub(super) fn cluster(&self) -> Result<&Cluster> {
        there("cluster", self.cluster.as_ref())
    }

    pub(super) const fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    pub(super) fn first(&self) -> Result<&Task> {
        there("first task", self.first.as_ref())
    }

    pub(super) fn second(&self) -> Result<&Task> {
        there("second task", self.second.as_ref())
    }

    /// Starts the server, in place of one that is there.
    pub(super) fn serve(&mut self, crash_in: Option<&str>) -> Result<()> {
        self.server = None;
        self.server = Some(Server::start(&self.world, &self.api, crash_in)?);
        Ok(())
    }

    /// The estate's file.
    pub(super) fn estate(&self) -> Result<String> {
        let path = self.world.path("out/estate.yaml");
        let address = self.cluster.as_ref().map_or_else(|| "db.invalid:5432".to_owned(), |it| format!("127.0.0.1:{}", it.port()));
        let yaml = super::estate::yaml(self.world.acting_uid(), &address);
        std::fs::write(&path, yaml).map_err(|error| Trouble::file(&path, &error))?;
        Ok(path.display().to_string())
    }

    /// The database user of a task whose client calls itself `application`, and its credential.
    pub(super) fn see(&self, task: &str, application: &str) -> Result<Task> {
        let cluster = self.cluster()?;
        let sql = format!("SELECT usename, usesysid FROM pg_stat_activity WHERE application_name = '{application}'");
        let seen = until(&format!("the superuser sees the session `{application}`"), Duration::from_secs(10), || {
            let seen = cluster.psql("postgres", &sql)?;
            Ok(seen.split_once('|').map(|(user, oid)| (user.to_owned(), oid.to_owned())))
        })?;
        let row = self.credential(|row| row.get("task").and_then(Value::as_str) == Some(task))?;
        Ok(Task { id: task.to_owned(), user: seen.0, oid: seen.1, credential: text(&row, "/id")? })
    }

    /// The row of `writ credential list`.
    pub(super) fn credential(&self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let rows = self.cast()?.writ("alice", &["credential", "list", "-o", "json"])?.well()?.json()?;
        let found = rows.as_array().into_iter().flatten().find(|row| wanted(row)).cloned();
        found.ok_or_else(|| Trouble::new("`writ credential list` does not show it"))
    }

    /// How many sessions and how many logins a superuser finds of a task's user, by name and by number.
    pub(super) fn left(&self, task: &Task) -> Result<(u32, u32)> {
        let Task { user, oid, .. } = task;
        let sql = format!(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE usesysid = {oid} OR usename = '{user}'),
                    (SELECT count(*) FROM pg_roles WHERE (oid = {oid} OR rolname = '{user}') AND rolcanlogin)"
        );
        let said = self.cluster()?.psql("postgres", &sql)?;
        let counts = said.split_once('|').and_then(|(sessions, logins)| Some((sessions.parse().ok()?, logins.parse().ok()?)));
        counts.ok_or_else(|| Trouble::new(format!("the superuser's psql printed `{said}`")))
    }

    /// Waits until Writ says that the task's credential is closed.
    pub(super) fn closed(&self, task: &Task) -> Result<()> {
        until("`writ credential list` says CLOSED", Duration::from_secs(10), || {
            let row = self.credential(|row| row.get("id").and_then(Value::as_str) == Some(&task.credential))?;
            Ok((row.get("closure").and_then(Value::as_str) == Some("CLOSED")).then_some(()))
        })
    }
}
