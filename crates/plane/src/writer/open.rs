//! Opening: the log is verified and folded, and memory that can't be trusted is folded again. Recovery is this same code.

use super::clock::Judge;
use super::lanes::{Answered, Lanes};
use super::{Submission, Writer};
use crate::command::Command;
use crate::credential::Recover;
use crate::memo::Memo;
use crate::state::State;
use writ_ledger::body::{Body, BodyError, PolicyText};
use writ_ledger::{Entry, Log, LogError, LogStore, ProofError, StoreError, verify_consistency};
use writ_policy::{PolicySet, PolicySetError, PolicySource};

/// Why a log can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store fails, or what it holds is broken.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An entry's body can't be read.
    #[error("entry {index}: {error}")]
    Body {
        /// Which.
        index: u64,
        /// What is wrong.
        error: BodyError,
    },
    /// The log is empty.
    #[error("the log has no genesis: run `writ init` first")]
    NoGenesis,
    /// The policy set in force does not compile.
    #[error("the policy set in force does not hold: {0}")]
    Policy(#[from] PolicySetError),
    /// What was opened anew is not the log that was written.
    #[error("the log does not go on from what was durable before: {0}")]
    OtherLog(ProofError),
}

/// A policy set of the log, compiled.
pub(crate) fn compile(text: &PolicyText) -> Result<PolicySet, PolicySetError> {
    let policies = text.policies.iter().map(|policy| (policy.id.as_str(), policy.text.as_str()));
    PolicySet::compile(PolicySource::new(text.schema.as_str(), policies)?)
}

/// Folds entries, remembering the first that can't be read.
struct Fold {
    state: State,
    broken: Option<OpenError>,
}

impl Fold {
    fn entry(&mut self, index: u64, entry: &Entry) {
        if self.broken.is_some() {
            return;
        }
        match Body::decode(entry.kind.as_str(), &entry.body) {
            Ok(body) => self.state.apply(entry, &body),
            Err(error) => self.broken = Some(OpenError::Body { index, error }),
        }
    }

    /// The state, and the policy set in force: `known`, if that is it.
    fn finish(self, known: Option<&PolicySet>) -> Result<(State, PolicySet), OpenError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let hash = self.state.domain.policy_set.ok_or(OpenError::NoGenesis)?;
        if let Some(known) = known.filter(|known| known.hash() == hash) {
            return Ok((self.state, known.clone()));
        }
        let text = self.state.domain.policy_text(&hash).ok_or(OpenError::NoGenesis)?;
        Ok((self.state, compile(&text)?))
    }
}

impl<S: LogStore> Writer<S> {
    /// Verifies and folds the log in `store`.
    ///
    /// # Errors
    /// When anything in it is broken, named; nothing is repaired.
    pub fn open(store: S) -> Result<Self, OpenError> {
        Self::open_knowing(store, None)
    }

    /// As [`Writer::open`], without compiling the policy set again if it is the one that is known.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open_knowing(store: S, known: Option<&PolicySet>) -> Result<Self, OpenError> {
        let mut fold = Fold { state: State::default(), broken: None };
        let log = Log::open(store, |index, entry| fold.entry(index, &entry))?;
        let (state, policy) = fold.finish(known)?;
        Ok(Self {
            log,
            state,
            policy,
            memo: Memo::default(),
            lanes: Lanes::default(),
            answered: Answered::default(),
            clock: Judge::default(),
            broken: None,
            is_careful: false,
        })
    }

    /// Goes on over the log as it was opened anew, after it was left unknown where it ends. What that left unfinished is undone
    /// first; endings that wait to be logged still wait.
    ///
    /// # Errors
    /// It does not go on from what was durable. Then nothing has moved.
    pub fn resume(&mut self, opened: Self) -> Result<(), OpenError> {
        let (before, now) = (self.log.head(), opened.log.head());
        let proof = match opened.log.consistency(before.size, now.size) {
            Err(LogError::Proof(error)) => return Err(OpenError::OtherLog(error)),
            proof => proof?,
        };
        verify_consistency(before.size, &before.root, now.size, &now.root, &proof).map_err(OpenError::OtherLog)?;
        (self.log, self.state, self.policy) = (opened.log, opened.state, opened.policy);
        (self.memo, self.broken, self.is_careful) = (Memo::default(), None, false);
        self.lanes.put_first(Submission { key: None, command: Command::Recover(Recover), blobs: Vec::new() });
        Ok(())
    }

    /// Discards memory and folds the log again: after a failed append, memory is ahead of what is durable.
    pub(super) fn refold(&mut self) -> Result<(), OpenError> {
        self.memo.clear();
        let mut fold = Fold { state: State::default(), broken: None };
        for index in 0..self.log.size() {
            fold.entry(index, &self.log.entry(index)?);
        }
        let (state, policy) = fold.finish(Some(&self.policy))?;
        self.state = state;
        self.policy = policy;
        Ok(())
    }
}
