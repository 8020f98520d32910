//! Change sets.

use super::App;
use super::account::Payer;
use super::asker::Reader;
use super::estate::blob;
use super::once::Once;
use super::reply::{Body, Refused, Reply, Segment, blobs, content, not_found, parse};
use super::sessions::signed;
use crate::clock;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use writ_ledger::body::{ChangeContent, Item};
use writ_plane::{Answer, Change, Changes, Command, Need, Part, Who, Writer, in_force_with, in_words, needs};
use writ_policy::PolicySet;
use writ_store::SqliteStore;
use writ_types::{ChangeId, Code, Denial, PartyId, Time};
use writ_wire::api::{ChangeView, FileChange, NeedView, PartView, SignChange, SignedBy, WithdrawChange, Withdrawn};

/// The time in which an answer about who must sign gets its turn.
const TURN_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn file(State(app): State<App>, once: Once, Body(file): Body<FileChange>) -> Reply<ChangeView> {
    let content: ChangeContent = content(file.content)?;
    let id = content.change;
    let blobs = blobs(&file.blobs)?;
    let by = file.act.by;
    let command = writ_plane::FileChange { content, act: signed(file.act) };
    answered(&app, id, by, Command::FileChange(Box::new(command)), once, blobs).await
}

pub(super) async fn sign(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(sign): Body<SignChange>,
) -> Reply<ChangeView> {
    let change: ChangeId = parse(&id)?;
    let by = sign.act.by;
    let command = writ_plane::SignChange { change, act: signed(sign.act) };
    answered(&app, change, by, Command::SignChange(command), once, Vec::new()).await
}

pub(super) async fn withdraw(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(withdraw): Body<WithdrawChange>,
) -> Reply<Withdrawn> {
    let change: ChangeId = parse(&id)?;
    let payer = Payer::Person(withdraw.act.by);
    let command = Command::WithdrawChange(writ_plane::WithdrawChange { change, act: signed(withdraw.act) });
    app.ask(payer, command, once, Vec::new()).await?.result?;
    Ok(Json(Withdrawn { change }))
}

async fn answered(
    app: &App,
    id: ChangeId,
    by: PartyId,
    command: Command,
    once: Once,
    blobs: Vec<writ_ledger::Blob>,
) -> Reply<ChangeView> {
    let outcome = app.ask(Payer::Filer(by), command, once, blobs).await?;
    let in_force = match outcome.result? {
        Answer::Change { in_force, .. } => in_force,
        _ => Vec::new(),
    };
    // What has come into force by this has left the list of what waits.
    let view = views(app, move |changes| changes.get(&id).map(|_| id).into_iter().collect()).await?.pop();
    Ok(Json(view.unwrap_or_else(|| complete(id, in_force))))
}

fn complete(change: ChangeId, in_force: Vec<String>) -> ChangeView {
    let parts = in_force.into_iter().map(|what| PartView { what, in_force: true, needs: Vec::new() }).collect();
    let (signed, blobs) = (Vec::new(), Vec::new());
    ChangeView { change, content: None, digest: None, filed_at: None, signed, parts, blobs, complete: true }
}

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<ChangeView>> {
    views(&app, |changes| changes.iter().map(|(id, _)| *id).collect()).await.map(Json)
}

/// One change set, to whoever knows its id: a new person signs for a key without having a session. Who must sign what is told to
/// people with a session only: finding it costs a question to policy for each part.
pub(super) async fn show(
    State(app): State<App>,
    reader: Result<Reader, Refused>,
    headers: HeaderMap,
    Segment(id): Segment,
) -> Reply<ChangeView> {
    let change: ChangeId = parse(&id)?;
    let unknown = || not_found(&id);
    match reader {
        Ok(_) => {
            let found = views(&app, move |changes| changes.get(&change).map(|_| change).into_iter().collect()).await?.pop();
            found.map(Json).ok_or_else(unknown)
        }
        Err(refused) if headers.contains_key(AUTHORIZATION) => Err(refused),
        Err(_) => {
            let writer = app.shared.told()?;
            let found = writer.state().changes().get(&change).ok_or_else(unknown)?;
            Ok(Json(view(change, found, names(&writer, found), |_| Vec::new())))
        }
    }
}

/// Change sets with who must still sign what. It is found apart from the writer, which waits for nobody, and one answer at a
/// time: it costs a question to policy for each part.
async fn views(app: &App, which: impl FnOnce(&Changes) -> Vec<ChangeId> + Send + 'static) -> Result<Vec<ChangeView>, Refused> {
    let turn = tokio::time::timeout(TURN_WITHIN, Arc::clone(&app.looking).acquire_owned()).await;
    let turn = turn.map_err(|_| Denial::new(Code::Overloaded, "too many ask who must sign", "try again in a second"))?;
    let (state, policy, found, now) = {
        let writer = app.shared.told()?;
        let ids = which(writer.state().changes());
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let named = |id: ChangeId| Some((id, names(&writer, writer.state().changes().get(&id)?)));
        let found: Vec<_> = ids.into_iter().filter_map(named).collect();
        (writer.state().clone(), writer.policy().clone(), found, clock::now(writer.state()))
    };
    let look = move || {
        let _turn = turn;
        let of = |(id, names): (ChangeId, Vec<Value>)| {
            let change = state.changes().get(&id)?;
            Some(view(id, change, names, |part| open_needs(&state, &policy, change, part, now)))
        };
        found.into_iter().filter_map(of).collect()
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| Denial::new(Code::Bug, "the request ended early", "report this").into())
}

/// Who must still sign one part. What waits for other parts of the same set is shown as if those were in force.
fn open_needs(state: &writ_plane::State, policy: &PolicySet, change: &Change, part: Part, now: Time) -> Vec<NeedView> {
    let alone = change.parts().iter().all(|other| *other == part || change.done.contains(other));
    let asked = if alone {
        needs(state, policy, change, part, now)
    } else {
        needs(&state.with_others(change, part), policy, change, part, now)
    };
    asked.into_iter().filter(|need| !in_force_with(change, need)).map(need_view).collect()
}

/// The name blobs of the parties that it sets: whoever signs must see whom.
fn names(writer: &Writer<SqliteStore>, change: &Change) -> Vec<Value> {
    let parties = change.content.items.iter().filter_map(|item| match item {
        Item::Party(party) => Some(party.name),
        _ => None,
    });
    parties.filter_map(|name| blob(writer, &name)).collect()
}

fn view(id: ChangeId, change: &Change, blobs: Vec<Value>, open: impl Fn(Part) -> Vec<NeedView>) -> ChangeView {
    let part = |part: Part| {
        let in_force = change.done.contains(&part);
        PartView { what: in_words(change, part), in_force, needs: if in_force { Vec::new() } else { open(part) } }
    };
    let signed = change.signed_by().into_iter().map(|(party, roles)| SignedBy { party, roles: roles.into_iter().collect() });
    ChangeView {
        change: id,
        content: serde_json::to_value(&change.content).ok(),
        digest: Some(change.digest),
        filed_at: Some(change.filed_at),
        signed: signed.collect(),
        parts: change.parts().into_iter().map(part).collect(),
        blobs,
        complete: false,
    }
}

fn need_view(need: Need) -> NeedView {
    let mut view = NeedView { role: need.role, reason: need.reason, ..NeedView::default() };
    match need.who {
        Who::Some { of, count } => (view.of, view.count) = (of.into_iter().collect(), count),
        Who::Key { fingerprint, party } => (view.of, view.count, view.key) = (vec![party], 1, Some(fingerprint)),
        Who::OldKey { fingerprint, of, count, .. } => {
            (view.of, view.count, view.old_key) = (of.into_iter().collect(), count, Some(fingerprint));
        }
        Who::Nobody { until } => view.until = Some(until),
    }
    view
}
