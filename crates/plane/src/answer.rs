//! What a caller gets, once the log is durable up to it.

use std::collections::BTreeSet;
use writ_ledger::body::Proposal;
use writ_types::{ChangeId, CredentialId, DecisionId, Digest, PartyId, SqlName, TaskId, Time};

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// A session is open.
    Session {
        /// SHA-256 of its token.
        session: Digest,
        /// Whose.
        party: PartyId,
        /// When it ends.
        expires: Time,
    },
    /// A change set is filed or signed.
    Change {
        /// The change set.
        change: ChangeId,
        /// The parts that came into force by this, in words.
        in_force: Vec<String>,
        /// True if nothing of it waits.
        complete: bool,
    },
    /// A task is asked for by its actor itself: a person has to delegate it.
    Wanted {
        /// The task.
        task: TaskId,
    },
    /// A task is requested.
    Requested {
        /// The task.
        task: TaskId,
        /// The decision.
        decision: DecisionId,
        /// What has to be approved, and by whom; none if nothing has.
        proposal: Option<Box<Proposal>>,
    },
    /// A task is approved, by one or by all that are needed.
    Approved {
        /// The task.
        task: TaskId,
        /// True if it can start.
        complete: bool,
    },
    /// A task is started.
    Started {
        /// The task.
        task: TaskId,
        /// When it ends at the latest.
        ends_at: Time,
    },
    /// Tasks are ended.
    Ended {
        /// The tasks.
        tasks: BTreeSet<TaskId>,
        /// Their credentials, whose closing has begun.
        credentials: BTreeSet<CredentialId>,
    },
    /// A credential is granted; its making is ordered.
    Granted {
        /// The credential.
        credential: CredentialId,
        /// The database user.
        user: SqlName,
        /// When it ends.
        expires: Time,
    },
    /// A certificate is recorded; its signing is ordered.
    Certificate {
        /// Its serial number.
        serial: String,
        /// When it ends.
        expires: Time,
    },
}
