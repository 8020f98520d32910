//! A person's act, proven: the one way from a signature to something that counts.

use crate::{KeyFingerprint, PublicKey, SignatureError, Statement, StatementError, sshsig};
use serde_json::Value;
use writ_types::{ActKind, Digest, PartyId, Time, Ttl};

/// How far ahead a statement may expire when it is handed in.
pub const STATEMENT_LIFE_MAX: Ttl = Ttl::from_seconds(24 * 3600);

/// Proof that a person's key signed exactly what was asked. Only [`verify_act`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAct {
    by: PartyId,
    key: KeyFingerprint,
    statement: Statement,
}

impl VerifiedAct {
    /// Who answers.
    pub const fn by(&self) -> PartyId {
        self.by
    }

    /// With which key.
    pub const fn key(&self) -> KeyFingerprint {
        self.key
    }

    /// What was signed.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// What the statement must say, from who asks for it: never taken from the statement itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// This log.
    pub origin: &'a str,
    /// What the signature is to do.
    pub act: ActKind,
    /// What is to be answered.
    pub id: &'a str,
    /// [`crate::content_digest`] of what is to be answered.
    pub digest: Digest,
}

/// Why an act does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The statement can't be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It says something else than what was asked.
    #[error("the statement's `{member}` is `{found}`, but `{wanted}` is to be signed")]
    Differs {
        /// Which member.
        member: &'static str,
        /// What it is to say.
        wanted: String,
        /// What it says.
        found: String,
    },
    /// Its time is up.
    #[error("the statement expired at `{0}`")]
    Expired(Time),
    /// It would count for longer than a day.
    #[error("the statement expires at `{0}`, more than 24 hours from now")]
    TooFarAhead(Time),
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Checks one act: the statement says what `expected` says, has not expired, and is signed with `key` as SSHSIG
/// in the namespace of its act. That `key` is `by`'s is for the caller to know.
///
/// `now` is `None` for an entry of the log, where the time of the entry has been checked before.
///
/// # Errors
/// Says what of it does not hold.
pub fn verify_act(
    by: PartyId,
    key: &PublicKey,
    statement: &Value,
    sshsig: &str,
    expected: Expected<'_>,
    now: Option<Time>,
) -> Result<VerifiedAct, ActError> {
    let statement = Statement::from_value(statement)?;
    same("origin", expected.origin, &statement.origin)?;
    same("act", expected.act.as_str(), statement.act.as_str())?;
    same("id", expected.id, &statement.id)?;
    same("digest", &expected.digest.to_string(), &statement.digest.to_string())?;
    if let Some(now) = now {
        if statement.expires <= now {
            return Err(ActError::Expired(statement.expires));
        }
        if statement.expires > now.after(STATEMENT_LIFE_MAX) {
            return Err(ActError::TooFarAhead(statement.expires));
        }
    }
    sshsig::verify(key, &expected.act.namespace(), &statement.to_bytes()?, sshsig)?;
    Ok(VerifiedAct { by, key: key.fingerprint(), statement })
}

fn same(member: &'static str, wanted: &str, found: &str) -> Result<(), ActError> {
    if wanted == found { Ok(()) } else { Err(ActError::Differs { member, wanted: wanted.to_owned(), found: found.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_digest;
    use crate::sshsig::tests::Signer;
    use serde_json::json;
    use writ_types::OwnerRole;

    const NOW: Time = Time::from_seconds(1_795_341_600);

    fn expected() -> Expected<'static> {
        Expected { origin: "writ.example/prod", act: ActKind::Approve, id: "apr_1", digest: content_digest(&json!({})).unwrap() }
    }

    fn statement(expires: Time) -> Statement {
        let Expected { origin, act, id, digest } = expected();
        let (origin, id, nonce) = (origin.to_owned(), id.to_owned(), "0123456789abcdefABCDEF".to_owned());
        Statement { origin, act, id, digest, as_roles: vec![OwnerRole::Business], expires, nonce }
    }

    fn judge(statement: &Statement, namespace: &str, expected: Expected<'_>) -> Result<VerifiedAct, ActError> {
        let signer = Signer::ed25519();
        let signature = signer.sign(namespace, &statement.to_bytes().unwrap());
        verify_act(PartyId::from_bits([1; 16]), &signer.key, &statement.to_value().unwrap(), &signature, expected, Some(NOW))
    }

    /// R72: the signer, the key and the exact words are in the proof.
    #[test]
    fn an_act_over_exactly_what_was_asked_counts() {
        let said = statement(NOW.after(Ttl::from_seconds(600)));
        let act = judge(&said, "writ.approve", expected()).unwrap();
        assert_eq!((act.by(), act.statement()), (PartyId::from_bits([1; 16]), &said));
    }

    /// R72: a signature for anything else is worth nothing.
    #[test]
    fn an_act_over_anything_else_does_not() {
        let said = statement(NOW.after(Ttl::from_seconds(600)));
        let other = content_digest(&json!({"amount": 2})).unwrap();
        for wrong in [
            Expected { origin: "writ.example/dev", ..expected() },
            Expected { act: ActKind::Refuse, ..expected() },
            Expected { id: "apr_2", ..expected() },
            Expected { digest: other, ..expected() },
        ] {
            assert!(matches!(judge(&said, "writ.approve", wrong), Err(ActError::Differs { .. })));
        }
        let error = judge(&said, "writ.refuse", expected()).unwrap_err();
        assert!(matches!(error, ActError::Signature(SignatureError::Namespace { .. })), "{error}");
    }

    #[test]
    fn an_act_counts_only_in_its_time() {
        for (seconds, wanted) in [(0, "expired"), (1, ""), (24 * 3600, ""), (24 * 3600 + 1, "24 hours")] {
            let said = statement(NOW.after(Ttl::from_seconds(seconds)));
            match judge(&said, "writ.approve", expected()) {
                Ok(_) => assert_eq!(wanted, "", "{seconds}"),
                Err(error) => assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{seconds}: {error}"),
            }
        }
        // In the log, the entry's own time has been judged already.
        let (signer, said) = (Signer::ed25519(), statement(NOW));
        let signature = signer.sign("writ.approve", &said.to_bytes().unwrap());
        let by = PartyId::from_bits([1; 16]);
        assert!(verify_act(by, &signer.key, &said.to_value().unwrap(), &signature, expected(), None).is_ok());
    }

    #[test]
    fn a_changed_statement_is_not_what_was_signed() {
        let (signer, mut said) = (Signer::ed25519(), statement(NOW.after(Ttl::from_seconds(600))));
        let signature = signer.sign("writ.approve", &said.to_bytes().unwrap());
        said.as_roles = vec![OwnerRole::Control];
        let judged =
            verify_act(PartyId::from_bits([1; 16]), &signer.key, &said.to_value().unwrap(), &signature, expected(), Some(NOW));
        assert_eq!(judged, Err(ActError::Signature(SignatureError::Mismatch)));
    }
}
