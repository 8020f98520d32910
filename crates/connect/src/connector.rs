//! What every managed backend does.

use crate::{ClosureProof, ConnectError, Sealed};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use writ_ledger::Committed;
use writ_types::{CredentialId, CutDatabaseUser, OpenDatabaseUser, Random, SqlName};

/// An effect under way. Dropping it leaves the backend in a state from which [`Connector::end`] converges.
pub type Effect<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A managed backend.
pub trait Connector: Send + Sync + fmt::Debug {
    /// Makes a task's user. Only a committed order makes one (law 1); the password comes sealed.
    ///
    /// After an error for which [`ConnectError::may_have_made`] is true, the caller orders the end of this credential.
    fn open<'a>(&'a self, order: Committed<OpenDatabaseUser>, random: &mut dyn Random) -> Effect<'a, Result<Made, ConnectError>>;

    /// Ends a task's user as far as it can within a few seconds, and says how far that is. It never fails and never
    /// gives up: the caller calls again after [`ClosureProof::next_try`] until `access_ended` and `tidy`.
    fn end(&self, order: CutDatabaseUser) -> Effect<'_, ClosureProof>;
}

/// What a backend made.
#[derive(Debug)]
pub struct Made {
    /// The credential.
    pub credential: CredentialId,
    /// Its user.
    pub user: SqlName,
    /// The backend's own name of it: in PostgreSQL the role's OID.
    pub backend_id: String,
    /// The version that the backend says it has.
    pub server_version: String,
    /// The index of the entry that ordered it.
    pub ordered_at: u64,
    /// The password, which opens only with the outcome's entry.
    pub sealed: Sealed,
}

/// A step of an effect, as a crash test sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the user is made.
    Open,
    /// The user is made, and nobody knows yet.
    Opened,
    /// Before new logins are refused.
    BlockNew,
    /// Before live sessions are ended.
    CutLive,
    /// Before the backend is asked what is left.
    VerifyNone,
    /// Before what it left is cleaned up and the user dropped.
    CleanUp,
    /// Before the closure is stated.
    Prove,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Opened, Self::BlockNew, Self::CutLive, Self::VerifyNone, Self::CleanUp, Self::Prove];

    /// Its name, as a crash test's command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Opened => "opened",
            Self::BlockNew => "block-new",
            Self::CutLive => "cut-live",
            Self::VerifyNone => "verify-none",
            Self::CleanUp => "clean-up",
            Self::Prove => "prove",
        }
    }
}

/// Called before each phase; a crash test ends the process in it.
#[derive(Clone, Default)]
pub struct PhaseHook(Option<Arc<dyn Fn(Phase) + Send + Sync>>);

impl PhaseHook {
    /// Calls `hook` before each phase.
    pub fn new(hook: impl Fn(Phase) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    pub(crate) fn reach(&self, phase: Phase) {
        if let Some(hook) = &self.0 {
            hook(phase);
        }
    }
}

impl fmt::Debug for PhaseHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "PhaseHook(set)" } else { "PhaseHook(none)" })
    }
}
