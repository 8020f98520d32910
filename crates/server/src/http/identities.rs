//! Identities: to people with a session, and to each identity itself.

use super::App;
use super::asker::{Anybody, Reader};
use super::holders;
use super::reply::{Refused, Reply, Segment, not_found};
use crate::clock;
use axum::Json;
use axum::extract::State;
use writ_plane::Identity;
use writ_types::{IdentityId, Name, TextValue as _};
use writ_wire::api::{CharterView, DocumentView, IdentityDetail, IdentityView, OwnersView};

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<IdentityView>> {
    let writer = app.shared.told()?;
    let row = |(id, identity): (&IdentityId, &Identity)| IdentityView {
        identity: *id,
        name: identity.name.clone(),
        boundary: identity.boundary.clone(),
        actor_kind: identity.actor_kind,
        spiffe_id: identity.spiffe_id.clone(),
    };
    Ok(Json(writer.state().identities().iter().map(row).collect()))
}

pub(super) async fn show(State(app): State<App>, anybody: Anybody, Segment(id): Segment) -> Reply<IdentityDetail> {
    let (id, boundary) = known(&app, &anybody, &id)?;
    let writer = app.shared.told()?;
    let state = writer.state();
    let gone = || not_found(&id.to_string());
    let identity = state.identities().get(&id).ok_or_else(gone)?;
    let documents = state.identities().documents(clock::now(state)).filter(|(_, document)| document.identity == id);
    let documents = documents.map(|(serial, document)| DocumentView {
        serial: serial.clone(),
        key: document.key,
        expires: document.expires,
        index: document.index,
    });
    Ok(Json(IdentityDetail {
        set: state.identities().item(&id).and_then(|item| serde_json::to_value(item).ok()).ok_or_else(gone)?,
        version: identity.version,
        missing: holders::missing(state, &boundary),
        documents: documents.collect(),
        tasks: state.tasks().open().filter(|(_, task)| task.actor() == id).map(|(task, _)| *task).collect(),
    }))
}

pub(super) async fn owners(State(app): State<App>, anybody: Anybody, Segment(id): Segment) -> Reply<OwnersView> {
    let (_, boundary) = known(&app, &anybody, &id)?;
    Ok(Json(holders::owners(app.shared.told()?.state(), &boundary)))
}

pub(super) async fn charter(State(app): State<App>, anybody: Anybody, Segment(id): Segment) -> Reply<CharterView> {
    let (_, boundary) = known(&app, &anybody, &id)?;
    Ok(Json(holders::charter(app.shared.told()?.state(), &boundary)))
}

/// The identity and its boundary, if the caller may know it. Unknown, forbidden and not even an id answer alike.
fn known(app: &App, anybody: &Anybody, text: &str) -> Result<(IdentityId, Name), Refused> {
    let id = IdentityId::parse(text).map_err(|_| not_found(text))?;
    let writer = app.shared.told()?;
    let identity = writer.state().identities().get(&id).filter(|_| anybody.may_see(writer.state(), id));
    identity.map(|identity| (id, identity.boundary.clone())).ok_or_else(|| not_found(text))
}
