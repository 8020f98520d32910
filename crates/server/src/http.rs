//! The HTTP API: one router, reached over the admin socket and, by certificate, over TLS.

mod asker;
mod changes;
mod credentials;
mod estate;
mod listen;
mod log;
mod reply;
mod sessions;
mod tasks;
mod why;

pub(crate) use asker::Via;
pub(crate) use listen::{admin, tls};

use crate::effects::Effects;
use crate::shared::Shared;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use sessions::Challenges;
use std::sync::Arc;
use writ_wire::api::BODY_BYTES_MAX;

/// What every handler stands over.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) effects: Arc<Effects>,
    challenges: Arc<Challenges>,
    /// Where the API is reached by certificate.
    api: Option<String>,
}

impl App {
    pub(crate) fn new(shared: Arc<Shared>, effects: Arc<Effects>, api: Option<String>) -> Self {
        Self { shared, effects, challenges: Arc::default(), api }
    }
}

/// Every path.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(log::healthz))
        .route("/readyz", get(log::readyz))
        .route("/metrics", get(log::metrics))
        .route("/v1/status", get(log::status))
        .route("/v1/login/challenge", post(sessions::challenge))
        .route("/v1/login", post(sessions::login))
        .route("/v1/estate/export", get(estate::export))
        .route("/v1/changes", post(changes::file).get(changes::list))
        .route("/v1/changes/{id}", get(changes::show))
        .route("/v1/changes/{id}/sign", post(changes::sign))
        .route("/v1/tasks", post(tasks::request).get(tasks::list))
        .route("/v1/tasks/{id}", get(tasks::show))
        .route("/v1/tasks/{id}/approve", post(tasks::approve))
        .route("/v1/tasks/{id}/refuse", post(tasks::refuse))
        .route("/v1/tasks/{id}/start", post(tasks::start))
        .route("/v1/tasks/{id}/complete", post(tasks::complete))
        .route("/v1/tasks/{id}/signal", post(tasks::signal))
        .route("/v1/tasks/{id}/credentials", post(credentials::take))
        .route("/v1/credentials", get(credentials::list))
        .route("/v1/kills", post(tasks::kill))
        .route("/v1/why", post(why::ask))
        .route("/v1/log/checkpoint", get(log::checkpoint))
        .route("/v1/log/vkey", get(log::vkey))
        .route("/v1/log/entries/{index}", get(log::entry))
        .route("/v1/log/receipts/{index}", get(log::receipt))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}
