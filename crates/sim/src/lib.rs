//! A deterministic world with faults that drives the writer and checks the laws.
//!
//! [`World`] is a server (the very writer that the real one runs), a disk, a database and people with real keys, moved one
//! step at a time by a seed. [`Model`] knows the laws and nothing of the writer's code: it reads the durable log and looks at
//! what has left the server. [`simulate`] plays random schedules with faults and dies at every [`Point`].
#![expect(clippy::unwrap_used, clippy::panic, reason = "a world for tests: what can't be made here is a broken test")]

mod backend;
mod cast;
mod clocks;
mod disk;
mod estate;
mod model;

mod person;
mod points;
mod random;
mod schedule;

mod server;
mod workload;
mod world;

pub use backend::{Backend, BackendError, Role};
pub use cast::{Agent, Cast};
pub use clocks::Clocks;
pub use disk::{Crash, Disk, Fault, Image, MemoryStore};
pub use estate::Estate;
pub use model::Model;

pub use person::{Person, Signing};
pub use points::{Died, Point, Points};
pub use random::Seeded;
pub use schedule::{Failure, Report, simulate, survive};

pub use server::{Outside, Server};
pub use workload::Holder;
pub use world::{Came, World};
