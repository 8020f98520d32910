//! What waits, and what was answered.

use super::limits::{ANSWERED_MAX, LANE_MAX};
use super::{Outcome, Submission};
use crate::answer::Answer;
use crate::command::Command;
use std::collections::{BTreeMap, VecDeque};
use writ_ledger::Lane;
use writ_types::{Code, Denial};

/// Names one submission within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// A submission in its lane.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// None for what the writer asks of itself.
    pub(super) ticket: Option<Ticket>,
    pub(super) submission: Submission,
}

impl Waiting {
    /// What the passing of time asks, at each step.
    pub(super) const fn due() -> Self {
        Self { ticket: None, submission: Submission { key: None, command: Command::Due, blobs: Vec::new() } }
    }
}

/// Two lanes: endings and grants.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    next: u64,
    cut: VecDeque<Waiting>,
    grant: VecDeque<Waiting>,
}

impl Lanes {
    pub(super) fn put(&mut self, submission: Submission) -> Result<Ticket, Denial> {
        let lane = match submission.command.lane() {
            Lane::Cut => &mut self.cut,
            Lane::Grant => &mut self.grant,
        };
        if lane.len() >= LANE_MAX {
            return Err(Denial::new(Code::Overloaded, "too much waits already", "try again in a second"));
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        lane.push_back(Waiting { ticket: Some(ticket), submission });
        Ok(ticket)
    }

    /// Endings that could not be logged wait for the log to return, before everything else.
    pub(super) fn put_back(&mut self, again: Vec<Waiting>) {
        for waiting in again.into_iter().rev() {
            self.cut.push_front(waiting);
        }
    }

    pub(super) fn take(&mut self, lane: Lane, most: usize) -> Vec<Waiting> {
        let lane = match lane {
            Lane::Cut => &mut self.cut,
            Lane::Grant => &mut self.grant,
        };
        let count = lane.len().min(most);
        lane.drain(..count).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cut.is_empty() && self.grant.is_empty()
    }
}

/// Answers by idempotency key, the oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct Answered {
    keys: BTreeMap<Ticket, String>,
    answers: BTreeMap<String, Result<Answer, Denial>>,
    order: VecDeque<String>,
}

impl Answered {
    /// The answer that this key got before. While the first is still on its way, the second waits for it in the same batch.
    pub(super) fn before(&mut self, waiting: &Waiting) -> Option<Result<Answer, Denial>> {
        let key = waiting.submission.key.as_ref()?;
        if let Some(answer) = self.answers.get(key) {
            return Some(answer.clone());
        }
        if let Some(ticket) = waiting.ticket {
            self.keys.insert(ticket, key.clone());
        }
        None
    }

    pub(super) fn keep(&mut self, outcome: &Outcome) {
        let Some(key) = self.keys.remove(&outcome.ticket) else { return };
        if self.answers.insert(key.clone(), outcome.result.clone()).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > ANSWERED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}
