//! A task that the actor asks for by itself: filed, and waited for until people have answered.

use super::actor::Actor;
use super::child::Signals;
use super::named;
use super::scope;
use crate::args::parsed;
use crate::failure::{Exit, Failure};
use crate::leak;
use crate::show::{note, plain};
use clap::Args;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;
use writ_types::{Code, Denial, Name, PartyId, Purpose, Ttl};
use writ_wire::api::{EndTask, Ending, RequestTask, TaskView, WantTask};
use writ_wire::client::ClientError;

/// The pause before a server that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A task to ask for, where none is named
#[derive(Debug, Args)]
pub(crate) struct Wish {
    /// Ask for a task by itself, and wait until a person has delegated it: why, as the charter names it
    #[arg(long, value_name = "TEXT", value_parser = parsed::<Purpose>, conflicts_with = "task", requires = "actions")]
    pub(super) purpose: Option<Purpose>,
    /// The data that may be handled, as the charter names it
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = parsed::<Name>, requires = "purpose")]
    data: Vec<Name>,
    /// How long from its start
    #[arg(long, value_name = "TTL", value_parser = parsed::<Ttl>, default_value = "15m")]
    ttl: Ttl,
}

impl Wish {
    /// Files the request, says what it waits for, and returns once it can be worked on.
    pub(super) async fn granted(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        resource: &Name,
        actions: &[Name],
        signals: &mut Signals,
    ) -> Result<TaskView, Failure> {
        leak::refuse("purpose", purpose.as_str())?;
        let actions: BTreeSet<Name> = actions.iter().cloned().collect();
        let (data_scope, grants) = (self.data.clone(), [(resource.clone(), actions)].into());
        let want = WantTask { purpose: purpose.clone(), data_scope, grants, ttl: self.ttl };
        let content = serde_json::to_value(want).map_err(Failure::bug)?;
        let mut view: TaskView = actor.insist("/v1/tasks", &RequestTask { content, act: None, blobs: Vec::new() }).await?;
        let mut told = String::new();
        loop {
            match waits_for(&view, &actor.name())? {
                None => return Ok(view),
                Some(waits) if waits.state != told => {
                    told.clone_from(&waits.state);
                    waits.say();
                }
                Some(_) => {}
            }
            tokio::select! {
                changed = changed(actor, &view) => view = changed?,
                () = signals.any() => return Err(taken_back(actor, &view).await),
            }
        }
    }
}

/// The task as soon as it has changed. A server that is away is waited for: the request is in its log.
async fn changed(actor: &Actor, view: &TaskView) -> Result<TaskView, Failure> {
    let mut away = false;
    loop {
        match actor.look(view.task, Some(view.index)).await {
            Ok(view) => return Ok(view),
            Err(ClientError::Denied(denial)) if denial.code == Code::NotFound => return Err((*denial).into()),
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    note(&format!("writ: {error}: the request is kept, and this waits"));
                }
                sleep(ASK_AGAIN).await;
            }
        }
    }
}

/// Nobody waits for it any more: nobody is to delegate it.
async fn taken_back(actor: &Actor, view: &TaskView) -> Failure {
    let path = format!("/v1/tasks/{}/complete", view.task);
    let told = match actor.post::<Ending>(&path, &EndTask::default()).await {
        Ok(_) => format!("task {} is taken back", view.task),
        Err(error) => format!("task {} could not be taken back: {error}; it ends by itself", view.task),
    };
    Failure::failed(told, "nothing was started")
}

/// What a request waits for.
#[derive(Debug, PartialEq, Eq)]
struct Waits {
    state: String,
    message: String,
    who: BTreeSet<PartyId>,
    verb: &'static str,
    task: String,
}

/// What is missing; none if the task can be worked on.
fn waits_for(view: &TaskView, name: &str) -> Result<Option<Waits>, Failure> {
    let task = view.task.to_string();
    let who = view.any_of.iter().flatten().filter(|person| !view.approved.contains(person)).copied().collect();
    let (message, verb) = match (view.state.as_str(), &view.ended) {
        ("requested", _) => {
            (format!("task {task} is asked for by `{}` itself: a person has to delegate it", plain(name)), "delegate")
        }
        ("awaiting", _) => (format!("task {task} is delegated, and waits for approval"), "approve"),
        ("ended", Some((end, at))) => {
            let what = format!("task `{task}` has ended before it began: {end}, at {at}");
            return Err(Denial::new(Code::NoTask, what, "ask for another one, or have somebody delegate it").into());
        }
        _ => return scope::standing(view).map(|_| None),
    };
    Ok(Some(Waits { state: view.state.clone(), message, who, verb, task }))
}

impl Waits {
    /// One sentence on what is missing, and who can give it.
    fn say(&self) {
        let help = format!("one of them runs `writ task {} {}`; this waits", self.verb, self.task);
        let mut failure = Failure::new(Exit::Waiting, self.message.clone(), help);
        failure.who_can = self.who.iter().map(ToString::to_string).collect();
        for line in named(failure).lines() {
            note(&format!("writ: {}", line.strip_prefix("error: ").unwrap_or(&line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::{TaskEnd, TaskId, Time};

    fn view(state: &str) -> TaskView {
        TaskView {
            task: TaskId::from_bits([1; 16]),
            state: state.to_owned(),
            index: 1,
            content: serde_json::Value::Null,
            decision: None,
            proposal: None,
            any_of: vec![vec![PartyId::from_bits([6; 16])], vec![PartyId::from_bits([7; 16])]],
            approved: Vec::new(),
            ends_at: None,
            ended: None,
        }
    }

    /// R55: what is missing is said, with who can give it; what has ended is not waited for.
    #[test]
    fn a_request_says_what_it_waits_for() {
        for (state, verb) in [("requested", "delegate"), ("awaiting", "approve")] {
            let waits = waits_for(&view(state), "invoicer").unwrap().unwrap();
            assert_eq!((waits.verb, waits.who.len()), (verb, 2));
        }
        assert!(waits_for(&view("requested"), "invoicer").unwrap().unwrap().message.contains("`invoicer` itself"));
        for ready in ["approved", "live"] {
            assert_eq!(waits_for(&view(ready), "invoicer"), Ok(None));
        }
        let ended = TaskView { ended: Some((TaskEnd::Expired, Time::from_seconds(1))), ..view("ended") };
        assert_eq!(waits_for(&ended, "invoicer").unwrap_err().exit, Exit::Denied);
        assert!(waits_for(&view("no such state"), "invoicer").is_err());
    }
}
