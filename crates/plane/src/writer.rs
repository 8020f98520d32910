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
pub use release::Release;

use crate::answer::Answer;
use crate::command::Command;
use crate::memo::Memo;
use crate::state::State;
use crate::view::View;
use batch::Batch;
use clock::Judge;
use lanes::{Answered, Lanes, Waiting};
use writ_ledger::{Blob, Committed, Lane, Log, LogStore};
use writ_policy::PolicySet;
use writ_types::{Clock, Code, CutDatabaseUser, Denial, Order, Random, Time};

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
        self.lanes.put(submission)
    }

    /// True if nothing waits.
    pub fn is_idle(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Works on what waits, and on what is due at this reading of the clocks.
    ///
    /// # Errors
    /// When the log has stopped and can't be folded again. Then nothing more is granted by this process.
    pub fn step(&mut self, clock: Clock, random: &mut dyn Random) -> Result<Step, OpenError> {
        let now = self.now(clock);
        let mut step = Step::default();
        let cuts = self.lanes.take(Lane::Cut, usize::MAX);
        self.batch(Lane::Cut, cuts, now, random, &mut step)?;
        let grants = self.lanes.take(Lane::Grant, BATCH_MAX);
        self.batch(Lane::Grant, grants, now, random, &mut step)?;
        Ok(step)
    }

    fn batch(
        &mut self,
        lane: Lane,
        waiting: Vec<Waiting>,
        now: Time,
        random: &mut dyn Random,
        step: &mut Step,
    ) -> Result<(), OpenError> {
        let mut batch = Batch::default();
        if lane == Lane::Cut {
            self.plan(Waiting::due(), now, random, &mut batch);
        }
        for each in waiting {
            self.take(each, now, random, &mut batch);
        }
        if batch.is_empty() {
            return Ok(());
        }
        step.cuts.extend(batch.cuts());
        match self.log.append(lane, batch.staged()) {
            Ok(committed) => {
                let size = self.log.size();
                let outcomes = batch.committed(committed, size);
                for outcome in &outcomes {
                    self.answered.keep(outcome);
                }
                step.outcomes.extend(outcomes);
                Ok(())
            }
            Err(error) => {
                let (outcomes, again) = batch.failed(lane, &error, self.log.size());
                step.outcomes.extend(outcomes);
                self.lanes.put_back(again);
                self.refold()
            }
        }
    }

    /// One command, unless it was answered before or the clock forbids it.
    fn take(&mut self, waiting: Waiting, now: Time, random: &mut dyn Random, batch: &mut Batch) {
        if let Some(before) = self.answered.before(&waiting) {
            return batch.answer(waiting.ticket, before);
        }
        if waiting.submission.command.grants() && !self.clock.is_sure() {
            let denial = Denial::new(
                Code::ClockUnsure,
                "the wall clock stepped or leapt, and nothing is granted by it",
                "have the operator set the clock and restart the server",
            );
            return batch.answer(waiting.ticket, Err(denial));
        }
        self.plan(waiting, now, random, batch);
    }

    fn plan(&mut self, waiting: Waiting, now: Time, random: &mut dyn Random, batch: &mut Batch) {
        let view = View { state: &self.state, policy: &self.policy, now };
        let mut plan = crate::plan::Plan::new(self.state.size);
        let again = waiting.clone();
        let result = match crate::command::prepare(waiting.submission.command, view, &self.memo) {
            Ok(prepared) => crate::command::plan(prepared, view, &mut self.memo, &mut plan, random),
            Err(refusal) => Err(crate::command::refuse(refusal, &mut plan, random)),
        };
        batch.add(again, result, plan, now, &mut self.state, &self.log, random);
    }

    /// The time of entries at this reading: never before the last entry (law on time, DESIGN section 5).
    pub fn now(&mut self, clock: Clock) -> Time {
        self.clock.read(clock, self.state.last_at()).max(self.state.last_at())
    }

    /// Everything that is true, and durable.
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
