//! Boundaries, each with who answers there and on which boundary that is set.

use super::App;
use super::asker::Reader;
use super::estate::of_boundary;
use super::holders::{charter, owners};
use super::reply::{Reply, Segment, not_found};
use axum::Json;
use axum::extract::State;
use writ_types::{Name, TextValue as _};
use writ_wire::api::{BoundaryRow, BoundaryView};

pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<BoundaryRow>> {
    let writer = app.shared.told()?;
    let boundaries = writer.state().boundaries();
    let row = |(name, boundary): (&Name, &writ_plane::Boundary)| BoundaryRow {
        name: name.clone(),
        parent: boundary.parent.clone(),
        production: boundaries.is_production(name),
    };
    Ok(Json(boundaries.iter().map(row).collect()))
}

pub(super) async fn show(State(app): State<App>, _: Reader, Segment(name): Segment) -> Reply<BoundaryView> {
    let unknown = || not_found(&name);
    let parsed = Name::parse(&name).map_err(|_| unknown())?;
    let writer = app.shared.told()?;
    let state = writer.state();
    let boundary = state.boundaries().get(&parsed).ok_or_else(unknown)?;
    Ok(Json(BoundaryView {
        production: state.boundaries().is_production(&parsed),
        set: of_boundary(&parsed, boundary),
        version: boundary.version,
        owners: owners(state, &parsed),
        charter: charter(state, &parsed),
    }))
}
