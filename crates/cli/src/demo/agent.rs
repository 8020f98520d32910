//! The agent: programs under its own account, which have a socket to attest at and nothing else.

use super::program::{Said, end, run};
use super::trouble::{Result, Trouble};
use super::world::World;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

/// Reads and writes; then does what somebody does who wants to stay: a cursor, a changed role, a temporary table, and a client
/// that keeps a copy of the password and comes again and again.
pub(super) const WORK: &str = r#"
for bin in /usr/lib/postgresql/*/bin; do PATH="$PATH:$bin"; done
q() { psql -X -q -A -t -w -v ON_ERROR_STOP=1 "$@"; }
q -c "SELECT count(*) FROM app.invoice" >read.out 2>read.err
q -c "INSERT INTO app.invoice (what) VALUES ('closed by the agent')" >write.out 2>write.err
PGAPPNAME=cursor q -c "BEGIN; DECLARE c CURSOR FOR SELECT * FROM app.invoice; FETCH 1 FROM c; SELECT pg_sleep(300)" >cursor.out 2>&1 &
PGAPPNAME=set-role q -c "SET ROLE app_rw" -c "SELECT pg_sleep(300)" >set-role.out 2>&1 &
PGAPPNAME=temporary q -c "CREATE TEMPORARY TABLE hoard AS SELECT * FROM app.invoice" -c "SELECT pg_sleep(300)" >temporary.out 2>&1 &
cp "$PGPASSFILE" stolen && chmod 600 stolen
( unset PGSERVICE PGSERVICEFILE; export PGPASSFILE="$HOME/stolen" PGAPPNAME=reconnecting PGCONNECT_TIMEOUT=5; n=0
  while [ ! -e stop ] && [ $n -lt 2000 ]; do n=$((n+1)); q -c "SELECT pg_sleep(0.1)" >>reconnecting.out 2>&1 || sleep 0.05; done ) &
wait
"#;

/// Keeps a copy of the certificate that it acts with, and stays logged in.
pub(super) const IDLE: &str = r#"cp "$WRIT_RUN_DIR/svid.pem" acted.pem
for bin in /usr/lib/postgresql/*/bin; do PATH="$PATH:$bin"; done
PGAPPNAME=second psql -X -q -A -t -w -c "SELECT pg_sleep(300)" >second.out 2>&1"#;

/// The agent's account.
#[derive(Debug)]
pub(super) struct Agent {
    world: Rc<World>,
    api: String,
}

impl Agent {
    pub(super) fn new(world: &Rc<World>, api: &str) -> Self {
        Self { world: Rc::clone(world), api: api.to_owned() }
    }

    /// A file in its home.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.world.path("agent").join(name)
    }

    /// What a file in its home holds; nothing if there is none.
    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default().trim().to_owned()
    }

    /// What a `writ` of the agent's says.
    pub(super) fn writ(&self, arguments: &[&str]) -> Result<Said> {
        run(self.command().args(arguments))
    }

    /// `writ run` in a task, with a shell script as its child, until it is let go.
    pub(super) fn hold(&self, task: &str, script: &str) -> Result<Held> {
        let log = self.world.path("out/agent.log");
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(|error| Trouble::file(&log, &error))?;
        let mut command = self.command();
        command.args(["run", "--task", task, "--resource", "billing-db", "--", "sh", "-c", script]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let child = command.spawn().map_err(|error| Trouble::new(format!("can't run `writ run`: {error}")))?;
        self.world.remember(&child);
        Ok(Held { world: Rc::clone(&self.world), child })
    }

    fn command(&self) -> Command {
        let mut command = self.world.writ(&self.world.path("agent"));
        command.env("SPIFFE_ENDPOINT_SOCKET", format!("unix://{}", self.world.workload_socket().display()));
        command.env("WRIT_API", &self.api).env("XDG_RUNTIME_DIR", &self.world.memory);
        if let Some(uid) = self.world.agent_uid {
            // Supplementary groups go with it.
            command.uid(uid).gid(uid);
        }
        command
    }
}

/// A `writ run` that works.
#[derive(Debug)]
pub(super) struct Held {
    world: Rc<World>,
    child: Child,
}

impl Held {
    /// That it works still.
    pub(super) fn runs(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(Trouble::new(format!("`writ run` ended: {}", self.last_words()))),
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.world.path("out/agent.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(4)).copied().collect::<Vec<_>>().join("; ")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        end(&mut self.child);
        self.world.forget(&self.child);
    }
}
