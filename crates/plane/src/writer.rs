//! The writer: one loop, two lanes, a batch at a time. A synchronous machine, so that the simulator drives the very code that
//! the server runs.
//!
//! A step takes what waits, cuts before grants; judges and plans each command against the state as the commands before it
//! left it; appends the whole batch; and only then lets answers and orders out. Whoever can see the writer between steps sees
//! nothing that the log is not durable up to.

mod batch;
mod clock;
mod lanes;
mod limits;
mod open;
mod release;

pub use lanes::Ticket;
pub use limits::{BATCH_MAX, LANE_MAX};
pub use open::OpenError;
pub(crate) use open::compile;
pub use release::Release;

use crate::answer::Answer;
use crate::command::Command;
use crate::memo::Memo;
use crate::state::State;
use crate::view::View;
use batch::{Batch, Fold};
use clock::Judge;
use lanes::{Answered, Claim, Lanes, Waiting};
use std::collections::VecDeque;
use writ_ledger::{AppendError, Blob, Committed, Lane, Log, LogStore};
use writ_policy::PolicySet;
use writ_types::{Clock, Code, CutDatabaseUser, Denial, Order, Random, Time};

/// What whoever is refused for want of the log does next.
const LOG_HELP: &str = "try again in a moment: granting goes on by itself once the operator has mended the store";

/// The writer of one log.
#[derive(Debug)]
pub struct Writer<S> {
    log: Log<S>,
    state: State,
    policy: PolicySet,
    memo: Memo,
    lanes: Lanes,
    answered: Answered,
    clock: Judge,
    /// Set while memory is ahead of the log, or the log has stopped.
    broken: Option<Broken>,
    /// The last append failed: until one succeeds, each command is appended by itself and folded afterwards, so that a log that
    /// stays full for long is not folded again at every try.
    is_careful: bool,
}

/// The last append failed.
#[derive(Debug)]
struct Broken {
    why: String,
    /// True if memory holds what the log does not.
    is_ahead: bool,
}

/// One thing asked, with what it brings along.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Who asks and with which `Idempotency-Key`: the same text gets the same answer, and nothing happens twice.
    pub key: Option<String>,
    /// What is asked.
    pub command: Command,
    /// Blobs that its entries name.
    pub blobs: Vec<Blob>,
}

/// What became of one submission. It exists only once the log is durable up to it.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub ticket: Ticket,
    /// The answer.
    pub result: Result<Answer, Denial>,
    /// How many entries it left.
    pub entries: usize,
    /// What is to be done now; each still has to pass [`Writer::release`].
    pub orders: Vec<Committed<Order>>,
    /// The log's size when this became true.
    pub size: u64,
}

/// What one step did.
#[derive(Debug, Default)]
pub struct Step {
    /// What became of each submission.
    pub outcomes: Vec<Outcome>,
    /// What must be ended in backends, now, whether the log could be written or not (law 12).
    pub cuts: Vec<CutDatabaseUser>,
}

impl<S: LogStore> Writer<S> {
    /// Puts a submission into its lane.
    ///
    /// # Errors
    /// When the lane is full. Endings have a lane of their own, so a flood of grants doesn't fill it.
    pub fn submit(&mut self, submission: Submission) -> Result<Ticket, Denial> {
        let lane = submission.command.lane(&self.state);
        self.lanes.put(submission, lane)
    }

    /// True if nothing waits.
    pub fn is_idle(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Works on what waits, and on what is due at this reading of the clocks. While the log can't be written, nothing is
    /// granted; what is to be ended comes out all the same, at every step, and waits to be logged.
    pub fn step(&mut self, clock: Clock, random: &mut dyn Random) -> Step {
        let now = self.now(clock);
        let mut step = Step::default();
        self.mend();
        let cuts = self.lanes.take(Lane::Cut, usize::MAX);
        self.batch(Lane::Cut, cuts, now, random, &mut step);
        let grants = self.lanes.take(Lane::Grant, BATCH_MAX);
        self.batch(Lane::Grant, grants, now, random, &mut step);
        step
    }

    fn batch(&mut self, lane: Lane, waiting: Vec<Waiting>, now: Time, random: &mut dyn Random, step: &mut Step) {
        let due = (lane == Lane::Cut).then(Waiting::due);
        let mut waiting: VecDeque<Waiting> = due.into_iter().chain(waiting).collect();
        let mut again = Vec::new();
        while !waiting.is_empty() {
            let mut batch = Batch::default();
            let most = if self.is_careful { 1 } else { waiting.len() };
            for each in waiting.drain(..most) {
                self.take(lane, each, now, random, &mut batch);
            }
            if !batch.is_empty() {
                again.extend(self.append(lane, batch, now, step));
            }
        }
        // In their order: what closes a credential comes after what has ended it.
        self.lanes.put_back(again);
    }

    /// Appends a batch; what of it waits for the log.
    fn append(&mut self, lane: Lane, mut batch: Batch, now: Time, step: &mut Step) -> Vec<Waiting> {
        step.cuts.extend(batch.cuts());
        let staged = batch.staged();
        let appended = match &self.broken {
            Some(broken) => Err(AppendError::Stopped(broken.why.clone())),
            None => self.log.append(lane, staged),
        };
        let settled = match appended {
            Ok(committed) => {
                for (entry, body) in batch.unfolded() {
                    self.state.apply(&entry, &body);
                    self.is_careful = false;
                }
                batch.committed(committed, self.log.size())
            }
            Err(error) => {
                if !self.is_careful || self.log.stopped().is_some() {
                    let is_ahead = !self.is_careful;
                    self.broken.get_or_insert_with(|| Broken { why: error.to_string(), is_ahead });
                }
                self.is_careful = true;
                // A decision whose entry is not durable is not rested on.
                self.memo.clear();
                batch.failed(lane, &error, self.log.size(), now)
            }
        };
        for (outcome, remember) in settled.outcomes {
            self.answered.settle(&outcome, remember);
            step.outcomes.push(outcome);
        }
        self.mend();
        settled.again
    }

    /// Memory that is ahead of the log is folded again as soon as the log can be read; then it can be written again, unless
    /// it has stopped.
    fn mend(&mut self) {
        if self.broken.as_ref().is_some_and(|broken| broken.is_ahead) && self.refold().is_ok() {
            let why = self.log.stopped().map(ToOwned::to_owned);
            self.broken = why.map(|why| Broken { why, is_ahead: false });
        }
    }

    /// One command, unless it was answered before or the clock or the log forbids it.
    fn take(&mut self, lane: Lane, waiting: Waiting, now: Time, random: &mut dyn Random, batch: &mut Batch) {
        match self.answered.claim(&waiting) {
            Claim::New => {}
            Claim::Answered(before) => return batch.answer(waiting.ticket, before),
            Claim::After(first) => return batch.same(waiting, first),
        }
        let grants = lane == Lane::Grant && !waiting.submission.command.is_own();
        if grants && !self.clock.is_sure() {
            let denial = Denial::new(
                Code::ClockUnsure,
                "the wall clock stepped or leapt, and nothing is granted by it",
                "have the operator set the clock and restart the server",
            );
            return batch.answer(waiting.ticket, Err(denial));
        }
        if let (Some(broken), Lane::Grant) = (&self.broken, lane) {
            let denial =
                Denial::new(Code::LogUnavailable, format!("the evidence log can't be written: {}", broken.why), LOG_HELP);
            return batch.answer(waiting.ticket, Err(denial));
        }
        self.plan(waiting, now, random, batch);
    }

    fn plan(&mut self, waiting: Waiting, now: Time, random: &mut dyn Random, batch: &mut Batch) {
        let view = View { state: &self.state, policy: &self.policy, now: waiting.carried.as_ref().map_or(now, |(at, _)| *at) };
        let mut plan = crate::plan::Plan::new(self.state.size);
        let again = waiting.clone();
        let result = match (crate::command::prepare(waiting.submission.command, view, &self.memo), &again.carried) {
            (Ok(prepared), _) => crate::command::plan(prepared, view, &mut self.memo, &mut plan, random),
            // Carried out, and its signature spent or its end reached: the append whose outcome nobody knew has kept it.
            (Err(refusal), Some((_, answer))) if matches!(refusal.denial.code, Code::Stale | Code::WrongState) => {
                Ok(answer.clone())
            }
            (Err(refusal), _) => Err(crate::command::refuse(refusal, &mut plan, random)),
        };
        let fold = match (&self.broken, self.is_careful) {
            (Some(_), _) => Fold::Never,
            (None, true) => Fold::Afterwards,
            (None, false) => Fold::Now,
        };
        batch.add(again, result, plan, now, (fold, &mut self.state), &self.log, random);
    }

    /// The time of entries at this reading: never before the last entry (law on time, DESIGN section 5).
    pub fn now(&mut self, clock: Clock) -> Time {
        self.clock.read(clock, self.state.last_at()).max(self.state.last_at())
    }

    /// Why nothing is granted, where that is so: the last append failed, and the log can't be read, or has to be opened anew
    /// and gone on with ([`Writer::resume`]).
    pub fn stopped(&self) -> Option<&str> {
        self.broken.as_ref().map(|broken| broken.why.as_str())
    }

    /// True while memory holds what the log does not: nothing of it may be told.
    pub fn is_ahead(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.is_ahead)
    }

    /// Everything that is true; durable unless [`Writer::is_ahead`].
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The policy set in force.
    pub const fn policy(&self) -> &PolicySet {
        &self.policy
    }

    /// The log.
    pub const fn log(&self) -> &Log<S> {
        &self.log
    }

    /// The log, to sign checkpoints and to tend its store.
    pub const fn log_mut(&mut self) -> &mut Log<S> {
        &mut self.log
    }

    /// True while the wall clock is trusted to grant by.
    pub const fn is_clock_sure(&self) -> bool {
        self.clock.is_sure()
    }

    /// A person says that the wall clock is right.
    pub const fn confirm_clock(&mut self) {
        self.clock.confirm();
    }
}
