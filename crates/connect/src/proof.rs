//! What is known of a revocation at one backend.

use std::time::Duration;
use writ_types::{Closure, CredentialId};

/// How far the end of one credential has come, with what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosureProof {
    /// The credential.
    pub credential: CredentialId,
    /// The state; `CLOSED` exactly if `access_ended`.
    pub state: Closure,
    /// True if the backend has shown that nobody works, or can come to work, with this credential.
    pub access_ended: bool,
    /// True if what it left behind is cleaned up and the user dropped. This may wait for a person at the backend.
    pub tidy: bool,
    /// How many rounds of block, cut and verify it took.
    pub rounds: u32,
    /// What was seen, a line each: counts, log positions, what was left. No secrets.
    pub evidence: Vec<String>,
    /// What still stands in the way, and who can act.
    pub reason: Option<String>,
    /// Try again after this; none once nothing is left to do.
    pub next_try: Option<Duration>,
}
