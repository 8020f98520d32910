//! Decisions, as the log records them.

use super::App;
use super::asker::Anybody;
use super::reply::{Reply, Segment, not_found};
use axum::Json;
use axum::extract::State;
use std::sync::PoisonError;
use writ_ledger::Entry;
use writ_ledger::body::{Body, DecisionMade};
use writ_types::{DecisionId, IdentityId, TextValue as _};
use writ_wire::api::{ActorView, DecisionView};

/// One decision: to a person with a session, and to the identity that asked.
pub(super) async fn show(State(app): State<App>, anybody: Anybody, Segment(text): Segment) -> Reply<DecisionView> {
    let unknown = || not_found(&text);
    let id = DecisionId::parse(&text).map_err(|_| unknown())?;
    let writer = app.shared.told()?;
    let index = app.shared.index.read().unwrap_or_else(PoisonError::into_inner);
    let found = index.find(&text).iter().find_map(|place| {
        let entry = writer.log().entry(*place).ok()?;
        let made = made(&entry, id)?;
        Some((*place, entry, made))
    });
    let (place, entry, made) = found
        .filter(|(_, entry, _)| match IdentityId::parse(&entry.actor.id) {
            Ok(identity) => anybody.may_see(writer.state(), identity),
            Err(_) => anybody.is_reader(),
        })
        .ok_or_else(unknown)?;
    Ok(Json(DecisionView {
        decision: id,
        index: place,
        at: entry.at,
        actor: ActorView { id: entry.actor.id, kind: entry.actor.kind, via: entry.actor.via },
        command: made.command,
        evaluations: made.evaluations.iter().filter_map(|it| serde_json::to_value(it).ok()).collect(),
        refused: made.refused.and_then(|refused| serde_json::to_value(refused).ok()),
        policy_set: entry.policy_set,
    }))
}

/// What the entry says of this decision, if it is the one that records it.
fn made(entry: &Entry, id: DecisionId) -> Option<DecisionMade> {
    match Body::decode(entry.kind.as_str(), &entry.body) {
        Ok(Body::DecisionMade(made)) if made.decision == id => Some(*made),
        _ => None,
    }
}
