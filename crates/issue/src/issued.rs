//! What leaves: a credential whose entry is durable.

use writ_types::{SpiffeId, Time};

/// A signed certificate. Only an authority makes one, from a committed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub(crate) index: u64,
    pub(crate) der: Vec<u8>,
    pub(crate) spiffe_id: SpiffeId,
    pub(crate) expires: Time,
}

impl Issued {
    /// The index of the entry that records it.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificates to present, the workload's first, without the authority's own: that one is in the bundle
    /// (SPIFFE_Workload_API.md section 5.2.1). One after the other they are what the Workload API calls `x509_svid`.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.der())
    }

    /// Whom it names.
    pub const fn spiffe_id(&self) -> &SpiffeId {
        &self.spiffe_id
    }

    /// When it ends.
    pub const fn expires(&self) -> Time {
        self.expires
    }
}
