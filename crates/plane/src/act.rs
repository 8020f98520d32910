//! From a person's signature to something that counts: the key must be that person's, and it must answer.

use crate::state::State;
use serde::Serialize;
use writ_credential::{ActError, Expected, PublicKey, VerifiedAct, verify_act};
use writ_ledger::SignedAct;
use writ_types::{ActKind, Code, Denial, Digest, Time, canonical};

/// Checks that `signed` is an act of this kind over this content, by an active person with a key that answers for them.
///
/// # Errors
/// What does not hold, and the next step.
pub(crate) fn check<T: Serialize>(
    state: &State,
    signed: &SignedAct,
    kind: ActKind,
    id: &str,
    content: &T,
    now: Time,
) -> Result<VerifiedAct, Denial> {
    if !state.people.is_active_person(&signed.by) {
        return Err(Denial::new(
            Code::BadSignature,
            format!("`{}` is not an active person here", signed.by),
            "sign with an enrolled person's key",
        ));
    }
    let Some(key) = state.people.key(&signed.key).filter(|key| key.party == signed.by) else {
        return Err(Denial::new(
            Code::BadSignature,
            format!("key `{}` does not answer for `{}`", shown(&signed.key), signed.by),
            "enrol the key first with `writ key enrol`",
        ));
    };
    let verified = verify(&state.domain.origin, signed, &key.openssh, kind, id, content, Some(now))?;
    once(state, signed).map(|()| verified)
}

/// A signature is one act: whoever reads it in the log can't act with it again.
pub(crate) fn once(state: &State, signed: &SignedAct) -> Result<(), Denial> {
    if crate::people::spent(&signed.statement).is_some_and(|spent| !state.people.spent.contains(&spent)) {
        return Ok(());
    }
    Err(Denial::new(Code::Stale, "this signature has been used already", "sign again"))
}

/// Checks the signature alone, by a key that the caller names: for a key that is not enrolled yet, and for old entries.
pub(crate) fn verify<T: Serialize>(
    origin: &str,
    signed: &SignedAct,
    openssh: &str,
    kind: ActKind,
    id: &str,
    content: &T,
    now: Option<Time>,
) -> Result<VerifiedAct, Denial> {
    let wrong = |why: String| {
        Denial::new(Code::BadSignature, format!("the signature does not count: {why}"), "sign the content again, as it is now")
    };
    let key = PublicKey::from_line(openssh).map_err(|error| wrong(error.to_string()))?;
    if key.fingerprint().to_string() != signed.key {
        return Err(wrong(format!("key `{}` is not the one that signed", shown(&signed.key))));
    }
    let bytes = canonical(content).map_err(|error| wrong(error.to_string()))?;
    let expected = Expected { origin, act: kind, id, digest: Digest::of(&bytes) };
    verify_act(signed.by, &key, &signed.statement, &signed.sshsig, expected, now).map_err(|error| match error {
        ActError::Expired(_) | ActError::TooFarAhead(_) => Denial::new(Code::Stale, error.to_string(), "sign again"),
        error => wrong(error.to_string()),
    })
}

/// A caller's text, short enough to show.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}
