//! `writ task delegate`: a person delegates what an identity asks for by itself, word for word, after it was shown.

use super::{Names, delegation, tell};
use crate::act::Question;
use crate::args::{Output, parsed};
use crate::estate::describe;
use crate::failure::{Failure, Outcome};
use crate::link::{Keyed, Link, Reach};
use crate::show::{note, print, quoted};
use crate::sign::confirm;
use clap::Args;
use serde_json::Value;
use writ_credential::content_digest;
use writ_ledger::body::Delegation;
use writ_types::{ActKind, TaskId};
use writ_wire::api::{RequestTask, TaskView};

/// Delegate what an identity asks for by itself
#[derive(Debug, Args)]
pub(crate) struct Delegate {
    /// The task, as `writ run` printed it
    #[arg(value_parser = parsed::<TaskId>)]
    task: TaskId,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

impl Delegate {
    pub(crate) fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let view: TaskView = link.get(&format!("/v1/tasks/{}", self.task))?;
        if view.state != "requested" {
            let message = format!("task `{}` is {}: it does not wait for a delegator", self.task, view.state);
            return Err(Failure::failed(message, "look at it with `writ task show`"));
        }
        let wanted = delegation(&view)?;
        let me = link.me(&self.keyed)?;
        let content = Delegation { delegator: Some(me.party), ..wanted };
        if content.task != self.task || !content.self_requested {
            let message = format!("what the server shows as `{}` is not what an actor asks for", self.task);
            return Err(Failure::failed(message, "don't sign it; tell the security owner"));
        }
        let value = serde_json::to_value(&content).map_err(Failure::bug)?;
        let names = Names::of(&link)?;
        let shown = told(&names, &content, &value)?;
        if self.output.is_json() {
            note(&shown)
        } else {
            print(&shown)
        }
        confirm(&format!("delegate this, as {}", crate::sign::signed_by(&me.signer, &names.people, &me.party)), self.yes)?;
        let id = self.task.to_string();
        let question = Question { origin: &link.status().origin, act: ActKind::Delegate, id: &id, content: &value, roles: &[] };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let request = RequestTask { content: value, act: Some(act), blobs: Vec::new() };
        let view: TaskView = link.post("/v1/tasks", &request)?;
        tell(&link, &view, self.output)
    }
}

/// What is delegated, member by member.
fn told(names: &Names, content: &Delegation, value: &Value) -> Result<String, Failure> {
    let mut out = format!("task {}\n", content.task);
    out.push_str(&format!("  {} asks for it by itself\n", names.of_id(&content.actor.to_string())));
    out.push_str(&format!("  purpose {}, for {} from its start\n", quoted(content.purpose.as_str()), content.ttl));
    let data: Vec<String> = content.data_scope.iter().map(ToString::to_string).collect();
    if !data.is_empty() {
        out.push_str(&format!("  data {}\n", data.join(", ")));
    }
    for grant in &content.grants {
        let actions: Vec<String> = grant.actions.iter().map(ToString::to_string).collect();
        out.push_str(&format!("  reaches {} to {}\n", names.of_id(&grant.resource.to_string()), actions.join(", ")));
    }
    out.push_str(&format!("all of it, as it is signed (digest {}):\n", content_digest(value)?));
    out.push_str(&describe::lines(&describe::value(value, &names.people), "  "));
    Ok(out)
}
