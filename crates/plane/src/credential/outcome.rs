//! What backends answered, and what a start finds unfinished.

use super::state::CredentialPhase;
use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use crate::view::View;
use writ_ledger::body::{ClosureReported, CredentialFailed, CredentialMade};
use writ_types::{Closure, Code, CredentialId, Denial, Order, ReleasePassword, Time};

/// The backend made a credential.
#[derive(Debug, Clone)]
pub struct Made {
    /// The credential.
    pub credential: CredentialId,
    /// The backend's own name of it.
    pub backend_id: String,
}

/// The backend did not make it.
#[derive(Debug, Clone)]
pub struct Failed {
    /// The credential.
    pub credential: CredentialId,
    /// A word for why.
    pub why: String,
}

/// What is known of a revocation at one point.
#[derive(Debug, Clone)]
pub struct Closing {
    /// The credential.
    pub credential: CredentialId,
    /// The point.
    pub point: String,
    /// The state.
    pub state: Closure,
    /// True if what it left behind is cleaned up.
    pub tidy: bool,
    /// What was seen there.
    pub evidence: Vec<String>,
    /// When it is tried again.
    pub next_try: Option<Time>,
}

/// Undo what an earlier process left between intent and outcome. An unfinished create is undone, never resumed (law 10).
#[derive(Debug, Clone, Copy)]
pub struct Recover;

/// Lines of evidence of one report.
const EVIDENCE_MAX: usize = 32;
/// Characters of what a backend says.
const TEXT_CHARS_MAX: usize = 500;

/// What a backend says is cut to what an entry can hold: an outcome that could not be logged would never be known.
fn short(text: String) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

impl Made {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Result<Answer, Denial> {
        let credential =
            view.state.credentials.get(&self.credential).filter(|credential| credential.phase == CredentialPhase::Granted);
        let Some(credential) = credential else {
            return Err(Denial::new(
                Code::Stale,
                "the credential was revoked before it was made",
                "take a new one in a task that runs",
            ));
        };
        let on = [self.credential.to_string(), credential.task.to_string(), credential.user.to_string()];
        let body = CredentialMade { credential: self.credential, backend_id: short(self.backend_id) };
        let order = Order::ReleasePassword(ReleasePassword { credential: self.credential });
        plan.push(Draft::new(crate::actor::system(), body).on(on).cause([credential.granted]).order(order));
        Ok(Answer::Done)
    }
}

impl Failed {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let credential = view.state.credentials.get(&self.credential).filter(|credential| credential.counts());
        if let Some(credential) = credential {
            let on = [self.credential.to_string(), credential.task.to_string(), credential.user.to_string()];
            let body = CredentialFailed { credential: self.credential, why: short(self.why) };
            let order = Order::CutDatabaseUser(credential.cut(self.credential, view.state.domain.epoch));
            plan.push(Draft::new(crate::actor::system(), body).on(on).cause([credential.granted]).order(order));
        }
        Answer::Done
    }
}

impl Closing {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let Some(credential) = view.state.credentials.get(&self.credential) else { return Answer::Done };
        // What counts is not being closed: a report of it would close it before its end.
        if credential.counts() {
            return Answer::Done;
        }
        // Said already, word for word: nothing new to keep.
        let known = credential.closure.get(&self.point);
        if known.is_some_and(|known| known.state == self.state && known.tidy == self.tidy) {
            return Answer::Done;
        }
        let on = [self.credential.to_string(), credential.task.to_string(), credential.user.to_string()];
        let body = ClosureReported {
            credential: self.credential,
            point: short(self.point),
            state: self.state,
            tidy: self.tidy,
            evidence: self.evidence.into_iter().take(EVIDENCE_MAX).map(short).collect(),
            next_try: self.next_try,
        };
        plan.push(Draft::new(crate::actor::system(), body).on(on).cause([credential.phased]));
        Answer::Done
    }
}

impl Recover {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let unfinished: Vec<CredentialId> = view
            .state
            .credentials
            .unclosed()
            .filter(|(_, credential)| credential.phase == CredentialPhase::Granted)
            .map(|(id, _)| *id)
            .collect();
        for credential in unfinished {
            Failed { credential, why: "server-stopped".to_owned() }.plan(view, plan);
        }
        Answer::Done
    }
}
