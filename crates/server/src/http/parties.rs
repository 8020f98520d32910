//! Parties, their keys and what they answer for.

use super::App;
use super::asker::Reader;
use super::estate::{key, party};
use super::reply::{Reply, Segment, not_found};
use axum::Json;
use axum::extract::State;
use writ_types::{PartyId, TextValue as _};
use writ_wire::api::{HeldRole, PartyDetail, PartyView};

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<PartyView>> {
    let writer = app.shared.told()?;
    Ok(Json(writer.state().people().parties().map(|(id, known)| party(&writer, *id, known)).collect()))
}

pub(super) async fn show(State(app): State<App>, _: Reader, Segment(text): Segment) -> Reply<PartyDetail> {
    let unknown = || not_found(&text);
    let id = PartyId::parse(&text).map_err(|_| unknown())?;
    let writer = app.shared.told()?;
    let state = writer.state();
    let known = state.people().party(&id).ok_or_else(unknown)?;
    let mut holds = Vec::new();
    for (name, boundary) in state.boundaries().iter() {
        for (named, backup) in [(&boundary.owners, false), (&boundary.backups, true)] {
            let mine = named.iter().filter(|(_, person)| **person == id);
            holds.extend(mine.map(|(role, _)| HeldRole { boundary: name.clone(), role: *role, backup }));
        }
    }
    let keys = state.people().keys().filter(|(_, key)| key.party == id && !key.removed);
    Ok(Json(PartyDetail {
        party: party(&writer, id, known),
        keys: keys.map(|(fingerprint, known)| key(fingerprint, known)).collect(),
        holds,
    }))
}
