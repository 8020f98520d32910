//! Resources.

use super::App;
use super::asker::Reader;
use super::reply::{Reply, Segment, not_found};
use axum::Json;
use axum::extract::State;
use writ_plane::Resource;
use writ_types::{ResourceId, TextValue as _};
use writ_wire::api::{ResourceDetail, ResourceView};

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<ResourceView>> {
    let writer = app.shared.told()?;
    let row = |(id, resource): (&ResourceId, &Resource)| ResourceView {
        resource: *id,
        name: resource.name.clone(),
        boundary: resource.boundary.clone(),
        tier: resource.tier,
    };
    Ok(Json(writer.state().resources().iter().map(row).collect()))
}

pub(super) async fn show(State(app): State<App>, _: Reader, Segment(text): Segment) -> Reply<ResourceDetail> {
    let unknown = || not_found(&text);
    let id = ResourceId::parse(&text).map_err(|_| unknown())?;
    let writer = app.shared.told()?;
    let state = writer.state();
    let resource = state.resources().get(&id).ok_or_else(unknown)?;
    let unclosed = state.credentials().unclosed().filter(|(_, credential)| credential.resource == id);
    Ok(Json(ResourceDetail {
        set: state.resources().item(&id).and_then(|item| serde_json::to_value(item).ok()).ok_or_else(unknown)?,
        version: resource.version,
        unclosed: unclosed.map(|(credential, _)| *credential).collect(),
    }))
}
