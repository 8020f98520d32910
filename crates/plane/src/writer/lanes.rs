//! What waits, and what was answered.

use super::limits::{ANSWERED_MAX, LANE_MAX};
use super::{Outcome, Submission};
use crate::answer::Answer;
use crate::command::Command;
use std::collections::{BTreeMap, VecDeque};
use writ_ledger::Lane;
use writ_types::{Code, Denial, Time};

/// Names one submission within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// A submission in its lane.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// None for what the writer asks of itself.
    pub(super) ticket: Option<Ticket>,
    pub(super) submission: Submission,
    /// When it was carried out and what that came to, if the log could not be written then: an ending that has been carried out
    /// is logged, however long the signature that ordered it has expired by then.
    pub(super) carried: Option<(Time, Answer)>,
}

impl Waiting {
    /// What the passing of time asks, at each step.
    pub(super) const fn due() -> Self {
        let submission = Submission { key: None, command: Command::Due, blobs: Vec::new() };
        Self { ticket: None, submission, carried: None }
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
    pub(super) fn put(&mut self, submission: Submission, lane: Lane) -> Result<Ticket, Denial> {
        let lane = match lane {
            Lane::Cut => &mut self.cut,
            Lane::Grant => &mut self.grant,
        };
        if lane.len() >= LANE_MAX {
            return Err(Denial::new(Code::Overloaded, "too much waits already", "try again in a second"));
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        lane.push_back(Waiting { ticket: Some(ticket), submission, carried: None });
        Ok(ticket)
    }

    /// What the server asks of itself before anything else. The bound is on what others ask.
    pub(super) fn put_first(&mut self, submission: Submission) {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.cut.push_front(Waiting { ticket: Some(ticket), submission, carried: None });
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
    /// Keys whose first submission is on its way.
    claimed: BTreeMap<String, (Ticket, Asked)>,
    keys: BTreeMap<Ticket, String>,
    answers: BTreeMap<String, (Asked, Result<Answer, Denial>)>,
    order: VecDeque<String>,
}

/// What a key was used for first.
type Asked = std::mem::Discriminant<Command>;

/// What is known of a submission's key.
pub(super) enum Claim {
    /// Nothing: it is to be judged.
    New,
    /// It was answered before, or was used for something else.
    Answered(Result<Answer, Denial>),
    /// The submission with this ticket came first and is on its way.
    After(Ticket),
}

impl Answered {
    /// Claims the submission's key for it.
    pub(super) fn claim(&mut self, waiting: &Waiting) -> Claim {
        let (Some(key), Some(ticket)) = (&waiting.submission.key, waiting.ticket) else { return Claim::New };
        let asked = std::mem::discriminant(&waiting.submission.command);
        let other = || {
            let denial = Denial::new(Code::Invalid, "this idempotency key was used for something else", "use a new key");
            Claim::Answered(Err(denial))
        };
        if let Some((before, answer)) = self.answers.get(key) {
            return if *before == asked { Claim::Answered(answer.clone()) } else { other() };
        }
        match self.claimed.get(key) {
            Some((first, _)) if *first == ticket => Claim::New,
            Some((first, before)) if *before == asked => Claim::After(*first),
            Some(_) => other(),
            None => {
                self.claimed.insert(key.clone(), (ticket, asked));
                self.keys.insert(ticket, key.clone());
                Claim::New
            }
        }
    }

    /// The submission is answered. What changed nothing is not remembered: asked again, it may come out better.
    pub(super) fn settle(&mut self, outcome: &Outcome, remember: bool) {
        let Some(key) = self.keys.remove(&outcome.ticket) else { return };
        let Some((_, asked)) = self.claimed.remove(&key).filter(|_| remember) else { return };
        if self.answers.insert(key.clone(), (asked, outcome.result.clone())).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > ANSWERED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}
