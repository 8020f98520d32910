//! A password that was made but may not leave yet.

use std::fmt;
use writ_ledger::Committed;
use writ_types::{CredentialId, ReleasePassword, Secret};

/// A password in connect's result. It opens only with the committed order of the entry that records the outcome
/// (`credential.made`), so none leaves before that entry is durable.
pub struct Sealed {
    credential: CredentialId,
    password: Secret<String>,
}

/// The order is another credential's. Our mistake; the password is gone, and the credential is to be ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password of `{sealed}` does not open with the order of `{ordered}`")]
pub struct SealedError {
    /// Whose password it was.
    pub sealed: CredentialId,
    /// Whose order it was.
    pub ordered: CredentialId,
}

impl Sealed {
    pub(crate) const fn new(credential: CredentialId, password: Secret<String>) -> Self {
        Self { credential, password }
    }

    /// The password.
    ///
    /// # Errors
    /// When the order releases another credential.
    pub fn open(self, order: &Committed<ReleasePassword>) -> Result<Secret<String>, SealedError> {
        let ordered = order.order().credential;
        if ordered == self.credential { Ok(self.password) } else { Err(SealedError { sealed: self.credential, ordered }) }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.credential)
    }
}
