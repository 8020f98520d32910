//! Logging in.

use super::Act;
use serde::{Deserialize, Serialize};
use writ_types::{PartyId, Time, Ttl};

/// `POST /v1/login/challenge`: what is signed as `{"challenge":…}` (act `login`, id: the challenge).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Random; good once, for a minute.
    pub challenge: String,
    /// The log's origin, which the statement names.
    pub origin: String,
}

/// `POST /v1/login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The challenge.
    pub challenge: String,
    /// The signature.
    pub act: Act,
    /// How long, at most 8 h.
    pub ttl: Ttl,
}

/// An open session. The token is sent as `Authorization: Bearer`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_debug_implementations, reason = "it holds the session's token")]
pub struct SessionView {
    /// The token.
    pub token: String,
    /// Whose session.
    pub party: PartyId,
    /// When it ends.
    pub expires: Time,
}
