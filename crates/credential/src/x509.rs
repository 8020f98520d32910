//! X.509-SVID (SPIFFE's X509-SVID.md over RFC 5280): requests, the to-be-signed part of documents, verification.
//!
//! P-256 with SHA-256 throughout. The way of one document: [`VerifiedCsr`] → [`SvidPlan::tbs`] → its digest is logged
//! → `issue` signs → [`assemble`] → [`verify_issued_by`].

mod authority;
mod certificate;
mod csr;
mod extensions;
mod key;
mod pem;
mod serial;
mod signed;
mod svid;
mod tbs;
#[cfg(test)]
mod tests;
mod validity;

pub use authority::{CaFacts, CaPlan, parse_ca};
pub use certificate::{CertificateFacts, TbsFacts, parse_certificate, parse_tbs, verify_issued_by};
pub use csr::{VerifiedCsr, csr_info, verify_csr};
pub use key::P256Key;
pub use pem::{PemLabel, pem_decode, pem_encode};
pub use serial::Serial;
pub use signed::assemble;
pub use svid::SvidPlan;

use crate::ArmorError;
use writ_types::Time;

/// Longest request or certificate that is read, in bytes of DER: an X.509-SVID needs about 600, and an ID has at
/// most 2048.
pub const DER_BYTES_MAX: usize = 8192;

/// Why a request, a certificate or a plan for one is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// Longer than what is read.
    #[error("the {what} is {bytes} bytes; at most {DER_BYTES_MAX} are read")]
    TooLong {
        /// What was read.
        what: What,
        /// Its length.
        bytes: usize,
    },
    /// Not strict DER, or not the structure that RFC 2986 or RFC 5280 says.
    #[error("the {what} can't be read: {why}")]
    Encoding {
        /// What was read.
        what: What,
        /// What is wrong with it.
        why: String,
    },
    /// Not in PEM.
    #[error("the {what} can't be read: {why}")]
    Pem {
        /// What was read.
        what: What,
        /// What is wrong with its armour.
        why: ArmorError,
    },
    /// Signed by something else than ECDSA with P-256 and SHA-256, or about another kind of key.
    #[error("the {0}'s key or signature is not of P-256 with SHA-256, the one kind that is accepted")]
    Algorithm(What),
    /// The signature does not hold.
    #[error("the signature of the {0} does not hold")]
    Signature(What),
    /// It breaks a rule of X509-SVID.md or RFC 5280.
    #[error("the {what} breaks a rule: {rule}")]
    Rule {
        /// What was read.
        what: What,
        /// The rule, and its clause.
        rule: String,
    },
    /// It is not, or not yet, or no longer valid.
    #[error("the {what} is not valid at `{at}`: it is from `{not_before}` to `{not_after}`")]
    NotValidAt {
        /// What was read.
        what: What,
        /// The time that was asked for.
        at: Time,
        /// Its begin.
        not_before: Time,
        /// Its end.
        not_after: Time,
    },
    /// It is not from this authority.
    #[error("the certificate is not from this authority: {0}")]
    Issuer(&'static str),
    /// What was planned is not something to sign.
    #[error("no certificate can be laid out: {0}")]
    Plan(String),
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A PKCS#10 request.
    Request,
    /// A workload's certificate.
    Certificate,
    /// An authority's certificate.
    Authority,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Request => "certificate request",
            Self::Certificate => "certificate",
            Self::Authority => "authority's certificate",
        })
    }
}

impl What {
    fn bounded(self, der: &[u8]) -> Result<(), X509Error> {
        if der.len() > DER_BYTES_MAX { Err(X509Error::TooLong { what: self, bytes: der.len() }) } else { Ok(()) }
    }

    fn encoding(self) -> impl Fn(x509_cert::der::Error) -> X509Error {
        move |error| X509Error::Encoding { what: self, why: error.to_string() }
    }

    fn rule(self, rule: impl Into<String>) -> X509Error {
        X509Error::Rule { what: self, rule: rule.into() }
    }
}
