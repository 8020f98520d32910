//! Tasks and kills.

use super::App;
use super::account::Payer;
use super::asker::{Actor, Anybody, Reader, Via};
use super::once::Once;
use super::reply::{Body, Reply, Segment, blobs, content, malformed, not_found, parse};
use super::sessions::signed;
use axum::extract::State;
use axum::{Extension, Json};
use writ_ledger::body::{Delegation, KillContent};
use writ_ledger::{Blob, Lane};
use writ_plane::{Answer, Command, Phase, Sender, Task};
use writ_types::TaskId;
use writ_wire::api::{EndTask, Ending, FileKill, JudgeTask, RequestTask, StartedView, TaskView};

pub(super) async fn request(State(app): State<App>, once: Once, Body(request): Body<RequestTask>) -> Reply<TaskView> {
    let content: Delegation = content(request.content)?;
    let task = content.task;
    let blobs = blobs(&request.blobs)?;
    let payer = Payer::Person(request.act.by);
    let command = Command::Request(Box::new(writ_plane::Request { content, act: signed(request.act) }));
    app.ask(payer, Lane::Grant, command, once, blobs).await?.result?;
    shown(&app, task)
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
    app.ask(payer, Lane::Grant, command, once, Vec::new()).await?.result?;
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
    app.ask(payer, Lane::Cut, command, once, Vec::new()).await?.result?;
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
    let outcome = app.ask(Payer::Identity(spiffe_id), Lane::Grant, command, once, Vec::new()).await?;
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
fn sender(via: Via, end: EndTask) -> Result<(Payer, Sender), super::reply::Refused> {
    match (end.act, via) {
        (Some(act), _) => Ok((Payer::Person(act.by), Sender::Person(Box::new(signed(act))))),
        (None, Via::Svid(caller, spiffe_id)) => Ok((Payer::Identity(spiffe_id), Sender::Actor(caller))),
        (None, Via::Socket | Via::Stranger) => Err(malformed("a signature is missing: over the socket a key says who ends it")),
    }
}

async fn ended(app: &App, payer: Payer, command: Command, once: Once, blobs: Vec<Blob>) -> Reply<Ending> {
    match app.ask(payer, Lane::Cut, command, once, blobs).await?.result? {
        Answer::Ended { tasks, credentials } => {
            Ok(Json(Ending { tasks: tasks.into_iter().collect(), credentials: credentials.into_iter().collect() }))
        }
        _ => Err(malformed("this ends nothing")),
    }
}

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<TaskView>> {
    let writer = app.shared.told()?;
    Ok(Json(writer.state().tasks().iter().filter_map(|(id, task)| view(*id, task)).collect()))
}

/// One task, to a person with a session or to its actor.
pub(super) async fn show(State(app): State<App>, anybody: Anybody, Segment(id): Segment) -> Reply<TaskView> {
    let task: TaskId = parse(&id)?;
    let writer = app.shared.told()?;
    let found = writer.state().tasks().get(&task).filter(|found| anybody.may_see(writer.state(), found.actor()));
    found.and_then(|found| view(task, found)).map(Json).ok_or_else(|| not_found(&id))
}

fn shown(app: &App, id: TaskId) -> Reply<TaskView> {
    let writer = app.shared.told()?;
    let view = writer.state().tasks().get(&id).and_then(|task| view(id, task));
    view.map(Json).ok_or_else(|| not_found(&id.to_string()))
}

fn view(id: TaskId, task: &Task) -> Option<TaskView> {
    let proposal = task.proposal.as_ref();
    Some(TaskView {
        task: id,
        state: task.word().to_owned(),
        content: serde_json::to_value(&task.content).ok()?,
        decision: task.decision,
        proposal: proposal.and_then(|proposal| serde_json::to_value(&proposal.content).ok()),
        any_of: proposal
            .map(|proposal| proposal.any_of.iter().map(|set| set.iter().copied().collect()).collect())
            .unwrap_or_default(),
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
