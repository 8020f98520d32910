//! Every path, in one table: the router is made of it, and the API's description is compared with it.

use super::{
    App, boundaries, changes, credentials, decisions, estate, identities, log, openapi, parties, resources, sessions, tasks, why,
};
use axum::Router;
use axum::routing::MethodRouter;

macro_rules! routes {
    ($($path:literal => $($method:ident $handler:path),+;)*) => {
        /// Every path with its methods.
        #[cfg(test)]
        pub(super) const ROUTES: &[(&str, &[&str])] = &[$(($path, &[$(stringify!($method)),+])),*];

        /// A router of every path.
        pub(super) fn routed() -> Router<App> {
            Router::new()$(.route($path, MethodRouter::new()$(.$method($handler))+))*
        }
    };
}

routes! {
    "/healthz" => get log::healthz;
    "/readyz" => get log::readyz;
    "/metrics" => get log::metrics;
    "/v1/openapi.json" => get openapi::describe;
    "/v1/status" => get log::status;
    "/v1/login/challenge" => post sessions::challenge;
    "/v1/login" => post sessions::login;
    "/v1/estate/export" => get estate::export;
    "/v1/parties" => get parties::list;
    "/v1/parties/{id}" => get parties::show;
    "/v1/boundaries" => get boundaries::list;
    "/v1/boundaries/{name}" => get boundaries::show;
    "/v1/identities" => get identities::list;
    "/v1/identities/{id}" => get identities::show;
    "/v1/identities/{id}/owners" => get identities::owners;
    "/v1/identities/{id}/charter" => get identities::charter;
    "/v1/resources" => get resources::list;
    "/v1/resources/{id}" => get resources::show;
    "/v1/changes" => post changes::file, get changes::list;
    "/v1/changes/{id}" => get changes::show;
    "/v1/changes/{id}/sign" => post changes::sign;
    "/v1/changes/{id}/withdraw" => post changes::withdraw;
    "/v1/tasks" => post tasks::request, get tasks::list;
    "/v1/tasks/{id}" => get tasks::show;
    "/v1/tasks/{id}/approve" => post tasks::approve;
    "/v1/tasks/{id}/refuse" => post tasks::refuse;
    "/v1/tasks/{id}/start" => post tasks::start;
    "/v1/tasks/{id}/complete" => post tasks::complete;
    "/v1/tasks/{id}/signal" => post tasks::signal;
    "/v1/tasks/{id}/credentials" => post credentials::take;
    "/v1/credentials" => get credentials::list;
    "/v1/credentials/{id}" => get credentials::show;
    "/v1/decisions/{id}" => get decisions::show;
    "/v1/kills" => post tasks::kill;
    "/v1/why" => post why::ask;
    "/v1/log/checkpoint" => get log::checkpoint;
    "/v1/log/vkey" => get log::vkey;
    "/v1/log/entries/{index}" => get log::entry;
    "/v1/log/receipts/{index}" => get log::receipt;
    "/v1/log/tile/{*path}" => get log::tile;
}
