//! The server's own beginnings: opening a log, its authority, its certificate.

use crate::refusal::Refusal;
use crate::view::View;
use writ_credential::x509::{CaFacts, Serial, SvidPlan, VerifiedCsr, parse_ca};
use writ_types::{Code, Denial, Digest, SpiffeId, Time, Ttl};

/// The server's certificate lives this long; the server asks for another in time.
const SERVER_TTL: Ttl = Ttl::from_seconds(24 * 3_600);

/// A server opened the log.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its version.
    pub version: String,
}

/// A self-signed X.509 authority takes over.
#[derive(Debug, Clone)]
pub struct NewAuthority {
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

/// A certificate for the server itself.
#[derive(Debug, Clone)]
pub struct NewServerCertificate {
    /// The request, proven.
    pub csr: VerifiedCsr,
}

/// An authority whose certificate holds.
#[derive(Debug)]
pub(crate) struct AuthorityReady {
    pub(crate) facts: CaFacts,
}

/// A server certificate that can be laid out.
#[derive(Debug)]
pub(crate) struct ServerCertificateReady {
    pub(crate) csr: VerifiedCsr,
    pub(crate) spiffe_id: SpiffeId,
    pub(crate) expires: Time,
}

impl NewAuthority {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<AuthorityReady, Refusal> {
        let wrong = |why: String| {
            Denial::new(Code::Invalid, format!("the authority's certificate does not hold: {why}"), "make a new one")
        };
        let facts = parse_ca(&self.certificate).map_err(|error| wrong(error.to_string()))?;
        if Some(facts.trust_domain()) != view.state.domain.trust_domain.as_ref() {
            return Err(wrong("it is another trust domain's".to_owned()).into());
        }
        Ok(AuthorityReady { facts })
    }
}

impl NewServerCertificate {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<ServerCertificateReady, Refusal> {
        let domain = view.state.domain.trust_domain.as_ref().ok_or_else(not_open)?;
        let spiffe_id =
            domain.member("/writ/server").map_err(|error| Denial::new(Code::Bug, error.to_string(), "report this"))?;
        Ok(ServerCertificateReady { csr: self.csr, spiffe_id, expires: view.now.after(SERVER_TTL) })
    }
}

fn not_open() -> Denial {
    Denial::new(Code::WrongState, "the trust domain has no genesis", "run `writ init` first")
}

/// The to-be-signed part of a certificate by the authority in force, its digest and its serial number.
pub(crate) fn lay_out(
    issuer: &CaFacts,
    spiffe_id: &SpiffeId,
    csr: &VerifiedCsr,
    not_before: Time,
    expires: Time,
    serial: Serial,
) -> Result<(Vec<u8>, Digest, String), Denial> {
    let bug = |error: String| Denial::new(Code::Bug, format!("the certificate can't be laid out: {error}"), "report this");
    let text = serial.to_string();
    let plan = SvidPlan { serial, spiffe_id, csr, not_before, not_after: expires, issuer };
    let tbs = plan.tbs().map_err(|error| bug(error.to_string()))?;
    let digest = Digest::of(&tbs);
    Ok((tbs, digest, text))
}
