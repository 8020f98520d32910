//! Tasks and kills.

use super::App;
use super::account::Payer;
use super::asker::{Actor, Anybody, Reader, Via};
use super::once::Once;
use super::reply::{Body, Refused, Reply, Segment, blobs, content, malformed, not_found, parse};
use super::sessions::signed;
use crate::clock;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use writ_ledger::Blob;
use writ_ledger::body::{Delegation, KillContent};
use writ_plane::{Answer, Command, Phase, Sender, Task, View, Writer, delegators};
use writ_store::SqliteStore;
use writ_types::{PartyId, TaskId};
use writ_wire::api::{EndTask, Ending, FileKill, JudgeTask, RequestTask, StartedView, TaskView, WantTask};

/// Nobody waits longer for a task to change, in seconds.
const WAIT_SECONDS_MAX: u64 = 30;

/// A person delegates by signature; an actor asks for a task of its own by its certificate.
pub(super) async fn request(
    State(app): State<App>,
    Extension(via): Extension<Via>,
    once: Once,
    Body(request): Body<RequestTask>,
) -> Reply<TaskView> {
    match (request.act, via) {
        (Some(act), _) => {
            let content: Delegation = content(request.content)?;
            let task = content.task;
            let blobs = blobs(&request.blobs)?;
            let payer = Payer::Person(act.by);
            let command = Command::Request(Box::new(writ_plane::Request { content, act: signed(act) }));
            app.ask(payer, command, once, blobs).await?.result?;
            shown(&app, task)
        }
        (None, Via::Svid(caller, spiffe_id)) => {
            let WantTask { purpose, data_scope, grants, ttl } = content(request.content)?;
            let command = Command::Want(Box::new(writ_plane::Want { purpose, data_scope, grants, ttl, caller }));
            match app.ask(Payer::Asker(spiffe_id), command, once, Vec::new()).await?.result? {
                Answer::Wanted { task } => shown(&app, task),
                _ => Err(malformed("this asks for no task")),
            }
        }
        (None, Via::Socket | Via::Stranger) => Err(malformed("a signature is missing: over the socket a key says who delegates")),
    }
}

pub(super) async fn approve(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(judge): Body<JudgeTask>,
) -> Reply<TaskView> {
    let task: TaskId = parse(&id)?;
    let payer = Payer::Person(judge.act.by);
    let command = Command::Approve(writ_plane::Approve { task, act: signed(judge.act) });
    app.ask(payer, command, once, Vec::new()).await?.result?;
    shown(&app, task)
}

pub(super) async fn refuse(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(judge): Body<JudgeTask>,
) -> Reply<TaskView> {
    let task: TaskId = parse(&id)?;
    let payer = Payer::Person(judge.act.by);
    let command = Command::Refuse(writ_plane::Refuse { task, act: signed(judge.act) });
    app.ask(payer, command, once, Vec::new()).await?.result?;
    shown(&app, task)
}

pub(super) async fn start(
    State(app): State<App>,
    Actor(caller, spiffe_id): Actor,
    Segment(id): Segment,
    once: Once,
) -> Reply<StartedView> {
    let task: TaskId = parse(&id)?;
    let command = Command::Start(writ_plane::Start { task, caller });
    let outcome = app.ask(Payer::Identity(spiffe_id), command, once, Vec::new()).await?;
    match outcome.result? {
        Answer::Started { task, ends_at } => Ok(Json(StartedView { task, ends_at })),
        _ => Err(not_found(&id)),
    }
}

pub(super) async fn complete(
    State(app): State<App>,
    Extension(via): Extension<Via>,
    Segment(id): Segment,
    once: Once,
    Body(end): Body<EndTask>,
) -> Reply<Ending> {
    let task: TaskId = parse(&id)?;
    let (payer, by) = sender(via, end)?;
    ended(&app, payer, Command::Complete(writ_plane::Complete { task, by }), once, Vec::new()).await
}

pub(super) async fn signal(
    State(app): State<App>,
    Extension(via): Extension<Via>,
    Segment(id): Segment,
    once: Once,
    Body(end): Body<EndTask>,
) -> Reply<Ending> {
    let task: TaskId = parse(&id)?;
    let trigger = end.trigger.ok_or_else(|| malformed("the trigger is missing"))?;
    let (payer, by) = sender(via, end)?;
    ended(&app, payer, Command::Signal(writ_plane::Signal { task, trigger, by }), once, Vec::new()).await
}

pub(super) async fn kill(State(app): State<App>, once: Once, Body(kill): Body<FileKill>) -> Reply<Ending> {
    let content: KillContent = content(kill.content)?;
    let blobs = blobs(&kill.blobs)?;
    let payer = Payer::Person(kill.act.by);
    ended(&app, payer, Command::Kill(Box::new(writ_plane::Kill { content, act: signed(kill.act) })), once, blobs).await
}

/// A person by signature, or the actor by its certificate.
fn sender(via: Via, end: EndTask) -> Result<(Payer, Sender), Refused> {
    match (end.act, via) {
        (Some(act), _) => Ok((Payer::Person(act.by), Sender::Person(Box::new(signed(act))))),
        (None, Via::Svid(caller, spiffe_id)) => Ok((Payer::Identity(spiffe_id), Sender::Actor(caller))),
        (None, Via::Socket | Via::Stranger) => Err(malformed("a signature is missing: over the socket a key says who ends it")),
    }
}

async fn ended(app: &App, payer: Payer, command: Command, once: Once, blobs: Vec<Blob>) -> Reply<Ending> {
    match app.ask(payer, command, once, blobs).await?.result? {
        Answer::Ended { tasks, credentials } => {
            Ok(Json(Ending { tasks: tasks.into_iter().collect(), credentials: credentials.into_iter().collect() }))
        }
        _ => Err(malformed("this ends nothing")),
    }
}

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<TaskView>> {
    let writer = app.shared.told()?;
    Ok(Json(writer.state().tasks().iter().filter_map(|(id, task)| view(&writer, *id, task)).collect()))
}

/// How long somebody waits for a task to change.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// The entry up to which its changes are known.
    since: Option<u64>,
    /// Seconds.
    wait: Option<u64>,
}

/// One task, to a person with a session or to its actor: at once, or as soon as an entry after `since` has changed it.
pub(super) async fn show(
    State(app): State<App>,
    anybody: Anybody,
    Segment(id): Segment,
    wait: Result<Query<Wait>, QueryRejection>,
) -> Reply<TaskView> {
    let task: TaskId = parse(&id)?;
    let Query(wait) = wait.map_err(|error| malformed(&error.body_text()))?;
    let seconds = wait.wait.unwrap_or_default();
    if seconds > WAIT_SECONDS_MAX {
        return Err(malformed(&format!("nobody waits longer than {WAIT_SECONDS_MAX} s: ask again")));
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        // Registered before the look: what changes in between is not missed.
        let mut changed = pin!(app.shared.watched.of(&id).notified());
        changed.as_mut().enable();
        let view = seen(&app, &anybody, task).ok_or_else(|| not_found(&id))??;
        if wait.since.is_none_or(|since| view.index > since) || timeout_at(until, changed).await.is_err() {
            return Ok(Json(view));
        }
    }
}

/// The task as it is now, if this caller may know it.
fn seen(app: &App, anybody: &Anybody, id: TaskId) -> Option<Result<TaskView, Refused>> {
    let writer = match app.shared.told() {
        Ok(writer) => writer,
        Err(denial) => return Some(Err(denial.into())),
    };
    let found = writer.state().tasks().get(&id).filter(|found| anybody.may_see(writer.state(), found.actor()));
    found.and_then(|found| view(&writer, id, found)).map(Ok)
}

fn shown(app: &App, id: TaskId) -> Reply<TaskView> {
    let writer = app.shared.told()?;
    let view = writer.state().tasks().get(&id).and_then(|task| view(&writer, id, task));
    view.map(Json).ok_or_else(|| not_found(&id.to_string()))
}

/// Each set of people that is enough for the next step.
fn any_of(writer: &Writer<SqliteStore>, task: &Task) -> Vec<Vec<PartyId>> {
    if task.phase == Phase::Requested {
        let view = View { state: writer.state(), policy: writer.policy(), now: clock::now(writer.state()) };
        return delegators(view, &task.content).into_iter().map(|person| vec![person]).collect();
    }
    let sets = task.proposal.iter().flat_map(|proposal| &proposal.any_of);
    sets.map(|set| set.iter().copied().collect()).collect()
}

fn view(writer: &Writer<SqliteStore>, id: TaskId, task: &Task) -> Option<TaskView> {
    let proposal = task.proposal.as_ref();
    Some(TaskView {
        task: id,
        state: task.word().to_owned(),
        index: task.version,
        content: serde_json::to_value(&task.content).ok()?,
        decision: task.decision,
        proposal: proposal.and_then(|proposal| serde_json::to_value(&proposal.content).ok()),
        any_of: any_of(writer, task),
        approved: task.approvals.keys().copied().collect(),
        ends_at: match task.phase {
            Phase::Live { ends_at, .. } => Some(ends_at),
            _ => None,
        },
        ended: match task.phase {
            Phase::Ended { end, at, .. } => Some((end, at)),
            _ => None,
        },
    })
}
