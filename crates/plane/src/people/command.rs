//! Logging in, judged.

use super::limits::SESSION_TTL_MAX;
use crate::act;
use crate::refusal::Refusal;
use crate::view::View;
use writ_credential::VerifiedAct;
use writ_ledger::SignedAct;
use writ_types::{ActKind, Code, Denial, Digest, Time, Ttl};

/// Open a session. A session only reads; every act is signed by itself.
#[derive(Debug, Clone)]
pub struct Login {
    /// The challenge that the server gave, which it forgets once it is answered.
    pub challenge: String,
    /// SHA-256 of the token that the server will hand over.
    pub session: Digest,
    /// How long it is to last.
    pub ttl: Ttl,
    /// The signature over `{"challenge": …}` (act `login`, id: the challenge).
    pub act: SignedAct,
}

/// A login that counts.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) session: Digest,
    pub(crate) content: serde_json::Value,
    pub(crate) act: SignedAct,
    pub(crate) by: VerifiedAct,
    pub(crate) expires: Time,
}

impl Login {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<LoggedIn, Refusal> {
        let content = serde_json::json!({ "challenge": self.challenge });
        let by = act::check(view.state, &self.act, ActKind::Login, &self.challenge, &content, view.now)?;
        if self.ttl.seconds() == 0 || self.ttl > SESSION_TTL_MAX {
            return Err(Denial::new(Code::Invalid, format!("a session lasts at most {SESSION_TTL_MAX}"), "ask for less").into());
        }
        Ok(LoggedIn { session: self.session, content, act: self.act, by, expires: view.now.after(self.ttl) })
    }
}
