//! Change sets.

use super::App;
use super::asker::Reader;
use super::once::Once;
use super::reply::{Body, Reply, Segment, blobs, content, not_found, parse};
use super::sessions::signed;
use crate::clock;
use axum::Json;
use axum::extract::State;
use std::collections::BTreeSet;
use writ_ledger::body::ChangeContent;
use writ_plane::{Answer, Command, Need, Who, in_force_with, in_words, needs};
use writ_types::ChangeId;
use writ_wire::api::{ChangeView, FileChange, NeedView, PartView, SignChange, SignedBy, WithdrawChange, Withdrawn};

pub(super) async fn file(State(app): State<App>, once: Once, Body(file): Body<FileChange>) -> Reply<ChangeView> {
    let content: ChangeContent = content(file.content)?;
    let id = content.change;
    let blobs = blobs(&file.blobs)?;
    let command = writ_plane::FileChange { content, act: signed(file.act) };
    answered(&app, id, Command::FileChange(Box::new(command)), once, blobs).await
}

pub(super) async fn sign(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(sign): Body<SignChange>,
) -> Reply<ChangeView> {
    let change: ChangeId = parse(&id)?;
    let command = writ_plane::SignChange { change, act: signed(sign.act) };
    answered(&app, change, Command::SignChange(command), once, Vec::new()).await
}

pub(super) async fn withdraw(
    State(app): State<App>,
    Segment(id): Segment,
    once: Once,
    Body(withdraw): Body<WithdrawChange>,
) -> Reply<Withdrawn> {
    let change: ChangeId = parse(&id)?;
    let command = Command::WithdrawChange(writ_plane::WithdrawChange { change, act: signed(withdraw.act) });
    app.shared.ask(command, Some(once.0), Vec::new()).await?.result?;
    Ok(Json(Withdrawn { change }))
}

async fn answered(app: &App, id: ChangeId, command: Command, once: Once, blobs: Vec<writ_ledger::Blob>) -> Reply<ChangeView> {
    let outcome = app.shared.ask(command, Some(once.0), blobs).await?;
    let in_force = match outcome.result? {
        Answer::Change { in_force, .. } => in_force,
        _ => Vec::new(),
    };
    // What has come into force by this has left the list of what waits.
    Ok(Json(view(app, id).unwrap_or_else(|| complete(id, in_force))))
}

fn complete(change: ChangeId, in_force: Vec<String>) -> ChangeView {
    let parts = in_force.into_iter().map(|what| PartView { what, in_force: true, needs: Vec::new() }).collect();
    ChangeView { change, content: None, digest: None, filed_at: None, signed: Vec::new(), parts, complete: true }
}

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<ChangeView>> {
    let ids: Vec<ChangeId> = app.shared.told()?.state().changes().iter().map(|(id, _)| *id).collect();
    Ok(Json(ids.into_iter().filter_map(|id| view(&app, id)).collect()))
}

/// One change set, to whoever knows its id: a new person signs for a key without having a session.
pub(super) async fn show(State(app): State<App>, Segment(id): Segment) -> Reply<ChangeView> {
    let change: ChangeId = parse(&id)?;
    view(&app, change).map(Json).ok_or_else(|| not_found(&id))
}

fn view(app: &App, id: ChangeId) -> Option<ChangeView> {
    let writer = app.shared.told().ok()?;
    let change = writer.state().changes().get(&id)?;
    let parts = change
        .parts()
        .into_iter()
        .map(|part| {
            let in_force = change.done.contains(&part);
            // What waits for other parts of the same set is shown as if those were in force: who must sign is known.
            let asked = || needs(&writer.state().with_others(change, part), writer.policy(), change, part, clock::wall());
            let all = if in_force { Vec::new() } else { asked() };
            let open = all.into_iter().filter(|need| !in_force_with(change, need)).map(need_view).collect();
            PartView { what: in_words(change, part), in_force, needs: open }
        })
        .collect();
    let signed = change.signed_by().into_iter().map(|(party, roles)| SignedBy { party, roles: roles.into_iter().collect() });
    Some(ChangeView {
        change: id,
        content: serde_json::to_value(&change.content).ok(),
        digest: Some(change.digest),
        filed_at: Some(change.filed_at),
        signed: signed.collect(),
        parts,
        complete: false,
    })
}

fn need_view(need: Need) -> NeedView {
    let (of, count, key, until): (BTreeSet<_>, _, _, _) = match need.who {
        Who::Some { of, count } => (of, count, None, None),
        Who::Key { fingerprint, party } => (BTreeSet::from([party]), 1, Some(fingerprint), None),
        Who::Nobody { until } => (BTreeSet::new(), 0, None, Some(until)),
    };
    NeedView { of: of.into_iter().collect(), count, role: need.role, key, until, reason: need.reason }
}
