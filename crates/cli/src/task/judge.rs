//! `writ task approve` and `refuse`: the resolved parameters are shown from the content that is signed, then answered.

use super::{Names, delegation, roles_at, tell};
use crate::act::Question;
use crate::args::{Output, parsed};
use crate::estate::describe;
use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Keyed, Link, Reach};
use crate::show::{note, print, quoted};
use crate::sign::confirm;
use clap::Args;
use serde_json::Value;
use writ_credential::content_digest;
use writ_ledger::body::{ApprovalContent, Delegation};
use writ_types::{ActKind, TaskId};
use writ_wire::api::{JudgeTask, TaskView};

/// Answer a request
#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// The task
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

impl Judge {
    pub(crate) fn run(self, act: ActKind) -> Outcome {
        let link = Link::open(&self.reach)?;
        let view: TaskView = link.get(&format!("/v1/tasks/{}", self.task))?;
        let Some(content) = view.proposal.clone().filter(|_| view.state == "awaiting") else {
            let message = format!("task `{}` is {}: it does not wait for approval", self.task, view.state);
            return Err(Failure::failed(message, "look at it with `writ task show`"));
        };
        let (delegation, approval) = (delegation(&view)?, approval(&view, &content)?);
        let names = Names::of(&link)?;
        let shown = told(&names, &delegation, &approval, &content)?;
        if self.output.is_json() {
            note(&shown)
        } else {
            print(&shown)
        }
        let me = link.me(&self.keyed)?;
        let roles = roles_at(&link, &delegation, me.party)?;
        let word = if act == ActKind::Approve { "approve" } else { "refuse" };
        confirm(&format!("{word} this, as {}", crate::sign::signed_by(&me.signer, &names.people, &me.party)), self.yes)?;
        let id = approval.approval.to_string();
        let question = Question { origin: &link.status().origin, act, id: &id, content: &content, roles: &roles };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let view: TaskView = link.post(&format!("/v1/tasks/{}/{word}", self.task), &JudgeTask { act })?;
        let told = tell(&link, &view, self.output)?;
        Ok(if word == "refuse" { Exit::Done } else { told })
    }
}

/// The resolved parameters, if they belong to what the delegator signed.
fn approval(view: &TaskView, content: &Value) -> Result<ApprovalContent, Failure> {
    let approval: ApprovalContent = serde_json::from_value(content.clone()).map_err(|error| {
        Failure::failed(
            format!("the request of task `{}` can't be read, so it can't be shown: {error}", view.task),
            "don't answer it; check that server and command have the same version",
        )
    })?;
    if approval.task != view.task || approval.delegation != content_digest(&view.content)? {
        let message = format!("what is to be approved is not what the delegator of task `{}` signed", view.task);
        return Err(Failure::failed(message, "don't answer it; tell the security owner"));
    }
    Ok(approval)
}

/// What is answered, member by member.
fn told(names: &Names, delegation: &Delegation, approval: &ApprovalContent, content: &Value) -> Result<String, Failure> {
    let mut out = format!("task {}\n", approval.task);
    let delegator = delegation.delegator.map_or_else(|| "nobody".to_owned(), |by| names.people.handle(&by));
    let asked = if delegation.self_requested { ", who asked for it by itself" } else { "" };
    out.push_str(&format!("  {delegator} delegates to {}{asked}\n", names.of_id(&approval.actor.to_string())));
    out.push_str(&format!("  purpose {}, for {} from its start\n", quoted(approval.purpose.as_str()), approval.ttl));
    let data: Vec<String> = delegation.data_scope.iter().map(ToString::to_string).collect();
    if !data.is_empty() {
        out.push_str(&format!("  data {}\n", data.join(", ")));
    }
    for resource in &approval.resources {
        let list = |texts: Vec<String>| texts.join(", ");
        out.push_str(&format!(
            "  resource {} at {}, databases {}\n    to {}, as a member of {}\n    its revocation: {}, {}; {}\n",
            quoted(resource.name.as_str()),
            quoted(&resource.address),
            list(resource.databases.iter().map(ToString::to_string).collect()),
            list(resource.actions.iter().map(ToString::to_string).collect()),
            list(resource.groups.iter().map(ToString::to_string).collect()),
            resource.class,
            crate::show::plain(&resource.effective_in),
            crate::show::plain(&resource.when_partitioned),
        ));
    }
    out.push_str(&format!("  answer before {}\n", approval.expires));
    out.push_str(&format!("all of it, as it is signed (digest {}):\n", content_digest(content)?));
    out.push_str(&describe::lines(&describe::value(content, &names.people), "  "));
    Ok(out)
}
