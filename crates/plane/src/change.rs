//! Change sets: filed, signed part by part, put in force.

mod apply;
mod command;
mod force;
mod limits;
mod needs;
mod plan;
mod state;
mod validate;

pub(crate) use command::{ChangeAccepted, new_key};
pub use command::{FileChange, SignChange};
pub use force::in_words;
pub use needs::{Need, Who, in_force_with, needs};
pub(crate) use state::only_cuts;
pub use state::{Change, Changes, Part};
