//! The HTTP API's shapes, `/v1`. Ids, times and words are the core's values; what people sign travels as the JSON that is signed.

mod change;
mod credential;
mod decision;
mod estate;
mod holder;
mod log;
mod problem;
mod session;
mod story;
mod task;

pub use change::{ChangeView, FileChange, NeedView, PartView, SignChange, SignedBy, WithdrawChange, Withdrawn};
pub use credential::{CredentialDetail, CredentialView, Database, TakeCredential, TakenCredential};
pub use decision::{ActorView, DecisionView};
pub use estate::{
    DocumentView, Estate, HeldRole, IdentityDetail, IdentityView, KeyView, PartyDetail, PartyView, ResourceDetail, ResourceView,
};
pub use holder::{BoundaryRow, BoundaryView, CharterView, HolderView, OwnersView, SectionView};
pub use log::{EntryView, Status};
pub use problem::Problem;
pub use session::{Challenge, Login, SessionView};
pub use story::{Acted, AskWhy, By, ClosureView, Cut, Delegated, EndedView, Justified, Owner, PolicyView, SelfRequested, Story};
pub use task::{EndTask, Ending, FileKill, JudgeTask, RequestTask, StartedView, TaskView, WantTask};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::PartyId;

/// The header that makes a POST happen once: the same key, the same answer.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// A person's signature over one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The person.
    pub by: PartyId,
    /// The key's fingerprint, `SHA256:…`.
    pub key: String,
    /// What was signed.
    pub statement: Value,
    /// The armoured SSHSIG.
    pub sshsig: String,
}
