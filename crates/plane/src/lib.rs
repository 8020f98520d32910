//! The pure core of Writ: a state folded from the log, commands judged against it, plans of entries and orders, and the
//! writer that drives them over a [`writ_ledger::LogStore`].
//!
//! Nothing here reads a clock, takes randomness, waits or talks to anything. One folder a noun; in each, `state` is what is
//! true, `command` judges, `plan` lays out entries, `apply` folds them, `limits` bounds.

mod act;
mod actor;
mod answer;
mod boundary;
mod change;
mod command;
mod credential;
mod decision;
mod digest;
mod domain;
mod explain;
mod fold;
mod identity;
mod laws;
mod memo;
mod people;
mod plan;
mod refusal;
mod resource;
mod state;
mod task;
mod view;
mod writer;

pub use actor::WRIT;
pub use answer::Answer;
pub use boundary::{BOUNDARIES_DEPTH_MAX, Boundaries, Boundary, Holder, Missing, ROOT, SignedSection, Standing};
pub use change::{
    Change, Changes, FileChange, Need, Part, SignChange, Signature, Who, WithdrawChange, in_force_with, in_words, needs,
};
pub use command::Command;
pub use credential::{Closing, Credential, CredentialPhase, Credentials, Failed, Known, Made, Recover, Take, unfinished};
pub use decision::Count;
pub use domain::{Authority, Domain, NewAuthority, NewServerCertificate, Open, found};
pub use explain::{Answered, Ending, Explained, Index, Justification, Point, explain};
pub use identity::{Document, Identities, Identity, IssueSvid, SVID_BACKDATE, SVID_TTL_MAX};
pub use laws::{Breach, Laws};
pub use people::{KEY_REST, Key, Login, Party, People, SESSION_TTL_MAX, Session};
pub use resource::{Resource, Resources};
pub use state::State;
pub use task::{
    APPROVAL_LIFE, Approve, Caller, Complete, CompleteContent, Kill, Phase, Refuse, Request, START_WITHIN, Sender, Signal,
    SignalContent, Start, Task, Tasks, Want, delegators,
};
pub use view::View;
pub use writer::{BATCH_MAX, LANE_MAX, OpenError, Outcome, Release, Step, Submission, Ticket, Writer};
