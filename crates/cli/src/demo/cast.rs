//! The people of the demo. Each has a key that `ssh-keygen` made, and a session of their own.

use super::program::{Said, run, text};
use super::trouble::{Result, Trouble};
use super::world::World;
use serde_json::Value;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

/// Who opens the trust domain.
pub(super) const FOUNDERS: [&str; 2] = ["alice", "bob"];
/// Who is enrolled by them.
pub(super) const OTHERS: [&str; 4] = ["carol", "dave", "erin", "frank"];

/// The people.
#[derive(Debug)]
pub(super) struct Cast {
    world: Rc<World>,
}

impl Cast {
    /// Makes everybody's key.
    pub(super) fn make(world: &Rc<World>) -> Result<Self> {
        let cast = Self { world: Rc::clone(world) };
        for name in FOUNDERS.iter().chain(&OTHERS) {
            let home = cast.home(name);
            DirBuilder::new().mode(0o700).create(&home).map_err(|error| Trouble::file(&home, &error))?;
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(cast.key(name));
            run(&mut keygen)?.well()?;
        }
        Ok(cast)
    }

    fn home(&self, name: &str) -> PathBuf {
        self.world.path("people").join(name)
    }

    /// The private key's file.
    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.home(name).join("key")
    }

    /// The public key's file.
    pub(super) fn public(&self, name: &str) -> PathBuf {
        self.home(name).join("key.pub")
    }

    /// The public key as `ssh-keygen` wrote it: kind and bits.
    pub(super) fn public_line(&self, name: &str) -> Result<String> {
        let path = self.public(name);
        let line = std::fs::read_to_string(&path).map_err(|error| Trouble::file(&path, &error))?;
        Ok(line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
    }

    /// Somebody's own `writ`.
    pub(super) fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.writ(&self.home(name));
        command.args(arguments);
        command
    }

    /// What somebody's own `writ` says.
    pub(super) fn writ(&self, name: &str, arguments: &[&str]) -> Result<Said> {
        run(&mut self.command(name, arguments))
    }

    /// Opens a session for somebody, with a server whose log begins with `genesis`.
    pub(super) fn login(&self, name: &str, genesis: &str) -> Result<()> {
        let mut login = self.command(name, &["login", "--genesis", genesis, "--socket"]);
        login.arg(self.world.admin_socket()).arg("--key").arg(self.key(name));
        run(&mut login)?.well().map(drop)
    }

    /// Somebody signs a change set; what is then known of it.
    pub(super) fn sign(&self, name: &str, change: &str) -> Result<Value> {
        let mut sign = self.command(name, &["sign", change, "--yes", "-o", "json", "--socket"]);
        sign.arg(self.world.admin_socket()).arg("--key").arg(self.key(name));
        let said = run(&mut sign)?;
        match said.code {
            // In force, or waiting for somebody else.
            Some(0 | 5) => said.json(),
            _ => Err(said.well().err().unwrap_or_else(|| Trouble::new("not signed"))),
        }
    }

    /// Everybody named signs, and then nothing waits.
    pub(super) fn sign_all(&self, names: &[&str], change: &str) -> Result<()> {
        let mut seen = Value::Null;
        for name in names {
            seen = self.sign(name, change)?;
        }
        match seen.get("complete").and_then(Value::as_bool) {
            Some(true) => Ok(()),
            _ => Err(Trouble::new(format!("change set {change} still waits after {}: {}", names.join(", "), waiting(&seen)))),
        }
    }

    /// Text with people's names in place of their ids.
    pub(super) fn spelt(&self, text: &str) -> Result<String> {
        let parties = self.writ("alice", &["party", "list", "-o", "json"])?.well()?.json()?;
        let mut spelt = text.to_owned();
        for party in parties.as_array().into_iter().flatten() {
            let member = |name| party.get(name).and_then(Value::as_str);
            if let (Some(id), Some(handle)) = (member("party"), member("handle")) {
                spelt = spelt.replace(id, handle);
            }
        }
        Ok(spelt)
    }
}

/// The change set that a verb has filed.
pub(super) fn filed(said: Said) -> Result<String> {
    text(&said.with(5)?.json()?, "/change")
}

/// What of a change set is not in force.
fn waiting(change: &Value) -> String {
    let parts = change.get("parts").and_then(Value::as_array).into_iter().flatten();
    let open = parts.filter(|part| part.get("in_force").and_then(Value::as_bool) != Some(true));
    open.filter_map(|part| part.get("what").and_then(Value::as_str)).collect::<Vec<_>>().join(", ")
}
