//! The HTTP API: one router, reached over the admin socket and, by certificate, over TLS.

mod account;
mod asker;
mod boundaries;
mod changes;
mod credentials;
mod decisions;
mod estate;
mod holders;
mod identities;
mod listen;
mod log;
mod once;
mod openapi;
mod parties;
mod reply;
mod resources;
mod routes;
mod sessions;
mod strict;
mod tasks;
mod unproven;
mod why;

pub(crate) use asker::Via;
pub(crate) use listen::{admin, tls};

use crate::effects::Effects;
use crate::shared::Shared;
use account::Accounts;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use once::Used;
use sessions::Challenges;
use std::sync::Arc;
use tokio::sync::Semaphore;
use writ_wire::api::BODY_BYTES_MAX;

/// What every handler stands over.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) effects: Arc<Effects>,
    challenges: Arc<Challenges>,
    /// What callers may still cause.
    accounts: Arc<Accounts>,
    /// What idempotency keys were used for.
    used: Arc<Used>,
    /// One answer at a time finds out who must still sign.
    looking: Arc<Semaphore>,
    /// Where the API is reached by certificate.
    api: Option<String>,
}

impl App {
    pub(crate) fn new(shared: Arc<Shared>, effects: Arc<Effects>, api: Option<String>) -> Self {
        let (challenges, looking) = (Arc::new(Challenges::new()), Arc::new(Semaphore::new(1)));
        Self { shared, effects, challenges, accounts: Arc::default(), used: Arc::default(), looking, api }
    }
}

/// Every path.
pub(crate) fn router(app: App) -> Router {
    routes::routed()
        .fallback(reply::no_such_path)
        .method_not_allowed_fallback(reply::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}
