//! Tasks: one delegated piece of work each, from request to end.

mod apply;
mod caller;
mod command;
mod end;
mod ending;
mod limits;
mod plan;
mod request;
mod state;
mod want;

pub use caller::Caller;
pub use command::{Approve, Refuse, Request, Start};
pub(crate) use command::{Approved, Refused, Requested, Started, allowed_now, rests, still_so};
pub(crate) use end::{cut_off, due, end_task};
pub use ending::{Complete, CompleteContent, Kill, Sender, Signal, SignalContent};
pub(crate) use ending::{Completed, Killed, Signalled};
pub(crate) use limits::CREDENTIALS_OF_TASK_MAX;
pub use limits::{APPROVAL_LIFE, START_WITHIN};

pub(crate) use request::{ask_of, gates, reaches, references, resolve};
pub use state::{Phase, Task, Tasks};
pub(crate) use want::Wanted;
pub use want::{Want, delegators};
