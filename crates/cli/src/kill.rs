//! `writ kill`: end everything in a scope, now. Ending asks nothing and waits only to say what came of it.

use crate::act::Question;
use crate::args::Output;
use crate::estate::suggestion;
use crate::failure::{Exit, Failure, Outcome};
use crate::filing;
use crate::leak;
use crate::link::{Keyed, Link, Reach};
use crate::show::{note, plain, print, print_json};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use writ_ledger::body::{KillContent, KillScope};
use writ_ledger::{Blob, Salt};
use writ_types::{ActKind, IdentityId, Name, ResourceId, TaskId, TextValue as _};
use writ_wire::api::{Ending, FileKill};

/// How long the answer waits for proof that access has ended.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);

/// End everything in a scope, now
#[derive(Debug, Subcommand)]
pub(crate) enum Kill {
    /// One task
    Task(Target),
    /// Every task of one identity
    Identity(Target),
    /// Every task that reaches one resource
    Resource(Target),
    /// Every task in one boundary and below
    Boundary(Target),
}

/// What to end
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Its id or its name
    pub(crate) what: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) keyed: Keyed,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Kill {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Task(target) => target.kill(|what, _| Ok(KillScope::Task(TaskId::parse(what)?))),
            Self::Identity(target) => target.kill(|what, link| identity(what, link).map(KillScope::Identity)),
            Self::Resource(target) => target.kill(|what, link| resource(what, link).map(KillScope::Resource)),
            Self::Boundary(target) => target.kill(|what, _| Ok(KillScope::Boundary(Name::parse(what)?))),
        }
    }
}

impl Target {
    pub(crate) fn kill(self, scope: impl FnOnce(&str, &Link) -> Result<KillScope, Failure>) -> Outcome {
        if let Some(reason) = &self.reason {
            leak::refuse("reason", reason)?;
        }
        let link = Link::open(&self.reach)?;
        let scope = scope(&self.what, &link)?;
        let me = link.me(&self.keyed)?;
        let blob = self.reason.as_ref().map(|reason| Blob::new(json!({ "text": reason }), Salt::mint(&mut *link.random())));
        let blob = blob.transpose().map_err(Failure::bug)?;
        let id = scope.to_string();
        let content = serde_json::to_value(KillContent { scope, reason: blob.as_ref().map(Blob::name) }).map_err(Failure::bug)?;
        let question = Question { origin: &link.status().origin, act: ActKind::Kill, id: &id, content: &content, roles: &[] };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let blobs =
            blob.iter().map(|blob| serde_json::from_slice(blob.bytes()).map_err(Failure::bug)).collect::<Result<_, _>>()?;
        let ending: Ending = link.post("/v1/kills", &FileKill { content, act, blobs })?;
        report(&link, &ending, self.output)
    }
}

fn identity(what: &str, link: &Link) -> Result<IdentityId, Failure> {
    if let Ok(id) = IdentityId::parse(what) {
        return Ok(id);
    }
    // Only a name needs the estate, and a session to read it.
    let known = filing::known(link)?;
    let named = Name::parse(what).ok().and_then(|name| known.identities.get(&name)).map(|item| item.identity);
    named.ok_or_else(|| {
        let help = suggestion(what, known.identities.keys().map(Name::as_str));
        Failure::usage(format!("identity `{}` is unknown", plain(what)), help)
    })
}

fn resource(what: &str, link: &Link) -> Result<ResourceId, Failure> {
    if let Ok(id) = ResourceId::parse(what) {
        return Ok(id);
    }
    // Only a name needs the estate, and a session to read it.
    let known = filing::known(link)?;
    let named = Name::parse(what).ok().and_then(|name| known.resources.get(&name)).map(|item| item.resource);
    named.ok_or_else(|| {
        let help = suggestion(what, known.resources.keys().map(Name::as_str));
        Failure::usage(format!("resource `{}` is unknown", plain(what)), help)
    })
}

/// Says what ended, and follows its credentials until they are closed or the wait is over.
pub(crate) fn report(link: &Link, ending: &Ending, output: Output) -> Outcome {
    let wanted: BTreeSet<String> = ending.credentials.iter().map(ToString::to_string).collect();
    let mut waited = Duration::ZERO;
    let rows = loop {
        // Who ends may be somebody who can't list; then nothing more is known here.
        let all: Vec<Value> = if wanted.is_empty() { Vec::new() } else { link.get("/v1/credentials").unwrap_or_default() };
        let mine = |row: &Value| row.get("id").and_then(Value::as_str).is_some_and(|id| wanted.contains(id));
        let rows: Vec<Value> = all.into_iter().filter(mine).collect();
        if rows.len() == wanted.len() && rows.iter().all(closed) || waited >= CLOSED_WITHIN {
            break rows;
        }
        std::thread::sleep(POLL);
        waited += POLL;
    };
    let all_closed = rows.len() == wanted.len() && rows.iter().all(closed);
    if output.is_json() {
        print_json(&json!({ "tasks": ending.tasks, "credentials": rows, "closed": all_closed }));
    } else {
        for task in &ending.tasks {
            print(&format!("ended {task}"));
        }
        for row in &rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map_or_else(|| "-".to_owned(), plain);
            print(&format!("{} {} {}", text("id"), text("state"), text("closure")));
        }
        if ending.tasks.is_empty() {
            note("nothing was open in that scope");
        }
    }
    if all_closed {
        return Ok(Exit::Done);
    }
    note("not closed everywhere yet; the server goes on until it is: see `writ credential list`");
    Ok(Exit::Waiting)
}

fn closed(row: &Value) -> bool {
    row.get("closure").and_then(Value::as_str) == Some("CLOSED")
}
