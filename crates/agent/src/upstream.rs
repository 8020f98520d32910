//! What the agent stands over: who may have which identity, and who signs for it.

use std::future::Future;
use tokio::sync::watch;
use writ_attest::Attested;
use writ_types::{Denial, IdentityId, SpiffeId, Time, TrustDomain};

/// The server, as the agent sees it.
///
/// What `entitled` and `bundle` answer is durable, and is visible before [`Upstream::changes`] says so.
pub trait Upstream: Send + Sync + 'static {
    /// The trust domain.
    fn trust_domain(&self) -> TrustDomain;

    /// The identities that this caller has: all of an identity's selectors are among the caller's facts, and it may be issued now.
    ///
    /// # Errors
    /// When it can't be told. An unknown caller is no error: it is entitled to nothing.
    fn entitled(&self, attested: &Attested) -> impl Future<Output = Result<Entitled, Denial>> + Send;

    /// Signs one SVID for the key of `csr` (PKCS#10, DER).
    ///
    /// # Errors
    /// When the identity may not have one, or not now.
    fn issue(&self, to: &Entitlement, csr: Vec<u8>, attested: &Attested) -> impl Future<Output = Result<Svid, Denial>> + Send;

    /// The CA certificates of the trust domain, DER.
    fn bundle(&self) -> Vec<Vec<u8>>;

    /// A number that moves whenever an answer of `entitled` or `bundle` may have.
    fn changes(&self) -> watch::Receiver<u64>;

    /// The wall clock, that certificates' times are compared with.
    fn now(&self) -> Time;
}

/// What a caller is entitled to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entitled {
    /// Its identities: the first is the default one, and the order does not change by itself.
    pub identities: Vec<Entitlement>,
    /// Where an identity with matching selectors is filed but may not be issued yet: what is missing, and who can supply it. A
    /// caller without identities then waits for [`crate::Limits::pending`] before it is refused.
    pub pending: Option<Denial>,
}

/// One identity of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// The identity.
    pub identity: IdentityId,
    /// Its name.
    pub spiffe_id: SpiffeId,
    /// How the workload may use it, chosen by the operator; may be empty.
    pub hint: String,
    /// Moves when SVIDs issued before are to be replaced: they were revoked, or their authority was.
    pub generation: u64,
}

/// One signed SVID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svid {
    /// The certificates, DER: the SVID first, then intermediates. The root is in the bundle and not here.
    pub chain: Vec<Vec<u8>>,
    /// When the SVID ends.
    pub expires: Time,
}
