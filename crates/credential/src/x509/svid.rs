//! Laying out a workload's certificate.

use super::tbs::{self, Head};
use super::{CaFacts, Serial, VerifiedCsr, X509Error, extensions};
use writ_types::{SpiffeId, Time};

/// One workload's certificate, to be laid out. The caller chooses all of it; the request gives the key alone.
#[derive(Debug, Clone)]
pub struct SvidPlan<'a> {
    /// Its serial number.
    pub serial: Serial,
    /// Whom it names.
    pub spiffe_id: &'a SpiffeId,
    /// The key, proven to be held.
    pub csr: &'a VerifiedCsr,
    /// From when it is valid, in whole seconds rounded down. The caller puts it back a little, for clocks that lag.
    pub not_before: Time,
    /// Until when it is valid, in whole seconds rounded down.
    pub not_after: Time,
    /// Who signs it.
    pub issuer: &'a CaFacts,
}

impl SvidPlan<'_> {
    /// The to-be-signed part, DER.
    ///
    /// # Errors
    /// When the ID is of another trust domain, when it would be valid for no time or longer than its authority, and
    /// when its key is the authority's own.
    pub fn tbs(&self) -> Result<Vec<u8>, X509Error> {
        let no = |why: String| Err(X509Error::Plan(why));
        let domain = self.spiffe_id.trust_domain();
        // SPIFFE-ID.md section 3.1: only an authority of the ID's own trust domain is trusted for it.
        if domain != self.issuer.trust_domain() {
            return no(format!("`{}` is not in the authority's trust domain `{}`", self.spiffe_id, self.issuer.trust_domain()));
        }
        if self.not_after.seconds() <= self.not_before.seconds() {
            return no(format!("it would end at `{}`, before it begins at `{}`", self.not_after, self.not_before));
        }
        if self.not_after.seconds() > self.issuer.not_after().seconds() {
            return no(format!("it would end at `{}`, after its authority at `{}`", self.not_after, self.issuer.not_after()));
        }
        if self.csr.key() == self.issuer.key() {
            return no("its key is the authority's own".to_owned());
        }
        self.encode().map_err(|error| X509Error::Plan(error.to_string()))
    }

    fn encode(&self) -> x509_cert::der::Result<Vec<u8>> {
        let Self { serial, not_before, not_after, .. } = self;
        let key = self.csr.key();
        let extensions = extensions::of_svid(&self.spiffe_id.to_string(), key, self.issuer.key_id())?;
        let (issuer, subject) = (self.issuer.subject(), &tbs::EMPTY_NAME);
        tbs::write(&Head { serial, issuer, not_before: *not_before, not_after: *not_after, subject, key }, &extensions)
    }
}
