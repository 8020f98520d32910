//! Whether a log kept the laws: the fold again, every signature, every decision, and every step that needed both.
//!
//! Inclusion proves order; this proves lawfulness. It is given entries one by one, so an auditor needs no server and no trust in one.

mod credentials;
mod decisions;
mod parts;
mod signatures;
mod tasks;

use crate::state::State;
use crate::writer::compile;
use std::collections::BTreeMap;
use writ_ledger::Entry;
use writ_ledger::body::{Body, DecisionMade};
use writ_policy::PolicySet;
use writ_types::{DecisionId, Digest, PartyId};

/// Something that is not as the laws say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The entry.
    pub index: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Judges a log entry by entry, in order.
#[derive(Debug, Default)]
pub struct Laws {
    state: State,
    policy: Option<(Digest, PolicySet)>,
    decisions: BTreeMap<DecisionId, Decided>,
    /// The founders' keys, as the genesis names them.
    founders: BTreeMap<PartyId, String>,
    signatures: u64,
    evaluations: u64,
    breaches: Vec<Breach>,
}

/// A decision of the log that could be repeated.
#[derive(Debug)]
struct Decided {
    index: u64,
    made: DecisionMade,
}

/// Breaches that are kept; a log with more is broken enough.
const BREACHES_MAX: usize = 1_000;

impl Laws {
    /// Judges the next entry, then folds it, lawful or not.
    pub fn add(&mut self, entry: &Entry) {
        let index = self.state.size();
        let body = match Body::decode(entry.kind.as_str(), &entry.body) {
            Ok(body) => body,
            Err(error) => {
                self.breach(index, error.to_string());
                // An entry that can't be read still has its place.
                self.state.size += 1;
                return;
            }
        };
        let mut found = Vec::new();
        signatures::judge(self, entry, &body, &mut found);
        parts::judge(self, entry, &body, &mut found);
        decisions::judge(self, index, entry, &body, &mut found);
        tasks::judge(self, entry, &body, &mut found);
        credentials::judge(self, entry, &body, &mut found);
        for what in found {
            self.breach(index, what);
        }
        if let Body::Genesis(genesis) = &body {
            self.founders = genesis.content.founders.iter().map(|founder| (founder.party, founder.key.clone())).collect();
        }
        self.state.apply(entry, &body);
        self.compile(index);
    }

    fn breach(&mut self, index: u64, what: String) {
        if self.breaches.len() < BREACHES_MAX {
            self.breaches.push(Breach { index, what });
        }
    }

    /// Compiles the policy set in force when it changes.
    fn compile(&mut self, index: u64) {
        let Some(hash) = self.state.domain.policy_set else { return };
        if self.policy.as_ref().is_some_and(|(compiled, _)| *compiled == hash) {
            return;
        }
        match self.state.domain.policy_text(&hash).as_ref().map(compile) {
            Some(Ok(policy)) => self.policy = Some((hash, policy)),
            Some(Err(error)) => self.breach(index, format!("the policy set does not hold: {error}")),
            None => self.breach(index, "the policy set in force is not in the log".to_owned()),
        }
    }

    /// The decision that an entry names, if it is in the log, was made just for such a command, and refused nothing.
    fn decision(&self, entry: &Entry, command: &str, found: &mut Vec<String>) -> Option<&DecisionMade> {
        let decided = entry.decision.and_then(|id| self.decisions.get(&id));
        let Some(decided) = decided.filter(|decided| decided.made.command == command) else {
            found.push(format!("it names no decision on a `{command}`"));
            return None;
        };
        if decided.made.refused.is_some() {
            found.push("its decision refused".to_owned());
            return None;
        }
        if !entry.cause.contains(&decided.index) {
            found.push("it does not rest on its decision".to_owned());
        }
        Some(&decided.made)
    }

    /// The state after all entries so far.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// How many signatures hold.
    pub const fn signatures(&self) -> u64 {
        self.signatures
    }

    /// How many decisions came out the same again.
    pub const fn decisions(&self) -> u64 {
        self.evaluations
    }

    /// What is not as the laws say.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }
}
