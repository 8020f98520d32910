//! The log over HTTP.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{Digest, TrustDomain};

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The trust domain.
    pub trust_domain: TrustDomain,
    /// The log's origin.
    pub origin: String,
    /// True for a development domain.
    pub dev: bool,
    /// The log's epoch.
    pub epoch: u64,
    /// The log's size.
    pub size: u64,
    /// The tree's root.
    pub root: Digest,
    /// SHA-256 of the genesis entry.
    pub genesis: Digest,
    /// True while the wall clock is trusted to grant by.
    pub clock_sure: bool,
    /// The server's version.
    pub version: String,
    /// Where the mTLS API listens.
    pub api: Option<String>,
    /// Revocations that are not closed yet.
    pub closing: u64,
}

/// `GET /v1/log/entries/{i}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryView {
    /// Its index.
    pub index: u64,
    /// The entry.
    pub entry: Value,
}
