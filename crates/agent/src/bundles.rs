//! The stream of trust bundles.

use crate::stream::{Profile, State, Surroundings};
use crate::upstream::{Entitled, Upstream};
use writ_attest::Attested;
use writ_wire::workload::X509BundlesResponse;

/// The bundles that a caller with an identity may see: its own trust domain's.
pub(crate) struct Bundles<U> {
    around: Surroundings<U>,
}

impl<U> Bundles<U> {
    pub(crate) const fn new(around: Surroundings<U>) -> Self {
        Self { around }
    }
}

impl<U: Upstream> Profile for Bundles<U> {
    type Message = X509BundlesResponse;

    async fn state(&mut self, _entitled: &Entitled, _attested: &Attested) -> State<X509BundlesResponse> {
        // SPIFFE_Workload_API.md section 5.2.2: by the SPIFFE ID of the trust domain.
        let name = format!("spiffe://{}", self.around.upstream.trust_domain());
        let bundles = [(name, self.around.upstream.bundle().concat())].into();
        State::Full { message: X509BundlesResponse { bundles, ..X509BundlesResponse::default() }, renew_at: None, retry: false }
    }
}
