//! `writ task`: delegated work, requested, judged and ended.

mod delegate;
mod judge;
mod request;

use crate::act::Question;
use crate::args::{Output, parsed};
use crate::failure::{Exit, Failure, Outcome};
use crate::kill::{Target, report};
use crate::link::{Keyed, Link, Reach};
use crate::people::People;
use crate::show::{print, print_json, table};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use writ_ledger::body::{Delegation, KillScope};
use writ_types::{ActKind, OwnerRole, TaskId, TextValue as _, Trigger};
use writ_wire::api::{EndTask, Ending, TaskView};

/// Request, approve and end tasks
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Delegate a task to an identity
    Request(request::Request),
    /// Delegate what an identity asks for by itself, after it was shown
    Delegate(delegate::Delegate),
    /// List the tasks
    List(Look),
    /// Show one task
    Show(One),
    /// Approve a request, after its resolved parameters were shown
    Approve(judge::Judge),
    /// Refuse a request
    Refuse(judge::Judge),
    /// Complete a task, or take a request back
    Complete(One),
    /// Say that a trigger fired
    Signal(Signal),
    /// End a task, now
    Kill(Target),
}

/// One task
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The task
    #[arg(value_parser = parsed::<TaskId>)]
    task: TaskId,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// A look at the server
#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

/// Say that a trigger fired
#[derive(Debug, Args)]
pub(crate) struct Signal {
    /// What happened, like `evaluation-failed`
    #[arg(value_parser = parsed::<Trigger>)]
    trigger: Trigger,
    #[command(flatten)]
    one: One,
}

impl Task {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Request(request) => request.run(),
            Self::Delegate(delegate) => delegate.run(),
            Self::List(look) => look.run(),
            Self::Show(one) => one.show(),
            Self::Approve(judge) => judge.run(ActKind::Approve),
            Self::Refuse(judge) => judge.run(ActKind::Refuse),
            Self::Complete(one) => {
                let content = json!({ "task": one.task });
                one.end("complete", ActKind::Complete, None, &content)
            }
            Self::Signal(Signal { trigger, one }) => {
                let content = json!({ "task": one.task, "trigger": trigger });
                one.end("signal", ActKind::Signal, Some(trigger), &content)
            }
            Self::Kill(target) => target.kill(|what, _| Ok(KillScope::Task(TaskId::parse(what)?))),
        }
    }
}

impl One {
    fn show(&self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let view: TaskView = link.get(&format!("/v1/tasks/{}", self.task))?;
        tell(&link, &view, self.output)
    }

    fn end(&self, verb: &str, act: ActKind, trigger: Option<Trigger>, content: &Value) -> Outcome {
        let link = Link::open(&self.reach)?;
        let me = link.me(&self.keyed)?;
        let id = self.task.to_string();
        let question = Question { origin: &link.status().origin, act, id: &id, content, roles: &[] };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let ending: Ending = link.post(&format!("/v1/tasks/{id}/{verb}"), &EndTask { trigger, act: Some(act) })?;
        report(&link, &ending, self.output)
    }
}

impl Look {
    fn run(&self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let tasks: Vec<TaskView> = link.get("/v1/tasks")?;
        if self.output.is_json() {
            print_json(&tasks);
            return Ok(Exit::Done);
        }
        let names = Names::of(&link)?;
        let mut rows = vec![["TASK", "STATE", "ACTOR", "DELEGATED BY", "PURPOSE", "ENDS"].map(str::to_owned).to_vec()];
        for view in &tasks {
            let Ok(content) = delegation(view) else { continue };
            let ends = match (&view.ended, view.ends_at) {
                (Some((end, at)), _) => format!("{end} {at}"),
                (None, Some(at)) => at.to_string(),
                (None, None) => format!("{} from its start", content.ttl),
            };
            let by = content.delegator.map_or_else(|| "nobody yet".to_owned(), |by| names.people.handle(&by));
            let actor = names.of_id(&content.actor.to_string());
            rows.push(vec![view.task.to_string(), crate::show::plain(&view.state), actor, by, content.purpose.to_string(), ends]);
        }
        print(&table(&rows));
        Ok(Exit::Done)
    }
}

/// What the delegator signed.
fn delegation(view: &TaskView) -> Result<Delegation, Failure> {
    serde_json::from_value(view.content.clone()).map_err(|error| {
        Failure::failed(
            format!("task `{}` can't be read: {error}", view.task),
            "check that server and command have the same version",
        )
    })
}

/// The names behind ids.
struct Names {
    people: People,
    things: std::collections::BTreeMap<String, String>,
}

impl Names {
    fn of(link: &Link) -> Result<Self, Failure> {
        let estate = link.estate()?;
        let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
        let all = |values: &[Value], id: &'static str| {
            values.iter().filter_map(|value| Some((text(value, id)?, text(value, "name")?))).collect::<Vec<_>>()
        };
        let mut things = all(&estate.identities, "identity");
        things.extend(all(&estate.resources, "resource"));
        Ok(Self { people: People::of(estate), things: things.into_iter().collect() })
    }

    /// The name of an identity or a resource, or the id.
    fn of_id(&self, id: &str) -> String {
        crate::show::plain(self.things.get(id).map_or(id, String::as_str))
    }
}

/// A task for people, or as JSON; its state is the exit code.
fn tell(link: &Link, view: &TaskView, output: Output) -> Outcome {
    let exit = if ["requested", "awaiting"].contains(&view.state.as_str()) { Exit::Waiting } else { Exit::Done };
    if output.is_json() {
        print_json(view);
        return Ok(exit);
    }
    let names = Names::of(link)?;
    let content = delegation(view)?;
    let mut out = format!("task {} is {}\n", view.task, crate::show::plain(&view.state));
    out.push_str(&format!("  actor      {}\n", names.of_id(&content.actor.to_string())));
    if content.self_requested {
        out.push_str("  asked for  by its actor itself\n");
    }
    if let Some(delegator) = &content.delegator {
        out.push_str(&format!("  delegated  by {}\n", names.people.handle(delegator)));
    }
    out.push_str(&format!("  purpose    {}\n", crate::show::quoted(content.purpose.as_str())));
    for grant in &content.grants {
        let actions: Vec<String> = grant.actions.iter().map(ToString::to_string).collect();
        out.push_str(&format!("  reaches    {} to {}\n", names.of_id(&grant.resource.to_string()), actions.join(", ")));
    }
    match (&view.ended, view.ends_at) {
        (Some((end, at)), _) => out.push_str(&format!("  ended      {end} at {at}\n")),
        (None, Some(at)) => out.push_str(&format!("  ends       at {at}\n")),
        (None, None) => out.push_str(&format!("  lasts      {} from its start\n", content.ttl)),
    }
    if !view.approved.is_empty() {
        out.push_str(&format!("  approved   by {}\n", names.people.handles(&view.approved)));
    }
    let sets: Vec<String> = view
        .any_of
        .iter()
        .map(|set| set.iter().map(|party| names.people.handle(party)).collect::<Vec<_>>().join(" and "))
        .collect();
    if view.state == "requested" {
        out.push_str(&format!("waits until {} delegates it: `writ task delegate {}`\n", sets.join(" or "), view.task));
    } else if view.state == "awaiting" {
        out.push_str(&format!("waits for the approval of {}: `writ task approve {}`\n", sets.join(", or of "), view.task));
    } else if view.state == "approved" {
        out.push_str(&format!("its actor starts it: `writ run --task {} -- COMMAND`\n", view.task));
    }
    print(&out);
    Ok(exit)
}

/// The roles that `me` holds where the task reaches.
fn roles_at(link: &Link, content: &Delegation, me: writ_types::PartyId) -> Result<Vec<OwnerRole>, Failure> {
    let known = crate::filing::known(link)?;
    let reached = |id| content.grants.iter().any(|grant| grant.resource == id);
    let boundaries: std::collections::BTreeSet<_> =
        known.resources.values().filter(|item| reached(item.resource)).map(|item| item.boundary.clone()).collect();
    let roles: std::collections::BTreeSet<OwnerRole> =
        boundaries.iter().flat_map(|boundary| crate::estate::roles::held(&known, boundary, me)).collect();
    Ok(roles.into_iter().collect())
}
