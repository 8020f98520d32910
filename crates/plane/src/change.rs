//! Change sets: filed, signed part by part, put in force.

mod apply;
mod command;
mod force;
mod in_force;
mod limits;
mod needs;
mod plan;
mod state;
mod succession;
mod validate;

pub(crate) use command::{ChangeAccepted, ChangeTakenBack, new_key};
pub use command::{FileChange, SignChange, WithdrawChange};
pub use force::in_words;
pub(crate) use in_force::InForce;
pub use needs::{Need, Who, in_force_with, needs};
pub(crate) use state::only_cuts;
pub use state::{Change, Changes, Part, Signature};
