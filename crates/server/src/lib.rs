//! The server: listeners, authentication, the writer's thread, effects and the index. Thin: what may happen is judged in `plane`.

mod clock;
mod connecting;
mod counted;
mod effects;
mod entropy;
mod http;
mod reopening;
mod serve;
mod shared;
mod tls;
mod upstream;
mod watched;
mod writing;

pub use connecting::{ConnectError, Connected, connect_postgres};
pub use serve::{Config, ServeError, serve};
pub use writ_connect::{Phase, PhaseHook};
