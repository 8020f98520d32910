//! One batch on its way into the log.

use super::Outcome;
use super::lanes::{Ticket, Waiting};
use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use crate::state::State;
use writ_ledger::{AppendError, Blob, Committed, Lane, Log, LogStore, Staged, Stored};
use writ_types::{Code, CutDatabaseUser, Denial, Order, Random, Time};

/// Commands with their answers and entries, none of which is out yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    commands: Vec<Planned>,
    staged: Vec<Staged<Option<Order>>>,
}

#[derive(Debug)]
struct Planned {
    /// What to do again if the log can't be written; none for what wrote nothing.
    again: Option<Waiting>,
    ticket: Option<Ticket>,
    result: Result<Answer, Denial>,
    entries: usize,
    cuts: Vec<CutDatabaseUser>,
}

impl Batch {
    /// An answer that needs no entry.
    pub(super) fn answer(&mut self, ticket: Option<Ticket>, result: Result<Answer, Denial>) {
        self.commands.push(Planned { again: None, ticket, result, entries: 0, cuts: Vec::new() });
    }

    /// Folds a plan into the state and keeps its entries for the log.
    #[expect(clippy::too_many_arguments, reason = "a batch takes what the writer holds, piece by piece")]
    pub(super) fn add<S: LogStore>(
        &mut self,
        waiting: Waiting,
        result: Result<Answer, Denial>,
        plan: Plan,
        now: Time,
        state: &mut State,
        log: &Log<S>,
        random: &mut dyn Random,
    ) {
        let ticket = waiting.ticket;
        let drafts = plan.into_drafts();
        if let Some(denial) = absent_blob(&drafts, &waiting.submission.blobs, log) {
            return self.answer(ticket, Err(denial));
        }
        let (epoch, policy_set) = (state.domain.epoch, state.domain.policy_set);
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            // A set of entries goes in whole or not at all: what has no bytes is refused before any of it is folded.
            match draft.entry(now, epoch, policy_set, random).filter(|entry| entry.encode().is_ok()) {
                Some(entry) => entries.push(entry),
                None => {
                    let denial = Denial::new(
                        Code::Limit,
                        "this does not fit into an entry of the log (64 KiB)",
                        "ask for it in smaller parts",
                    );
                    return self.answer(ticket, Err(denial));
                }
            }
        }
        let count = entries.len();
        let mut cuts = Vec::new();
        for (entry, draft) in entries.into_iter().zip(drafts) {
            state.apply(&entry, &draft.body);
            if let Some(Order::CutDatabaseUser(cut)) = &draft.order {
                cuts.push(cut.clone());
            }
            let blobs = waiting.submission.blobs.iter().filter(|blob| entry.blobs.contains(&blob.name())).cloned().collect();
            self.staged.push(Staged { entry, blobs, order: draft.order });
        }
        self.commands.push(Planned { again: Some(waiting), ticket, result, entries: count, cuts });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.commands.iter().all(|planned| planned.ticket.is_none())
    }

    /// What must be ended in backends.
    pub(super) fn cuts(&self) -> Vec<CutDatabaseUser> {
        self.commands.iter().flat_map(|planned| planned.cuts.iter().cloned()).collect()
    }

    pub(super) fn staged(&mut self) -> Vec<Staged<Option<Order>>> {
        std::mem::take(&mut self.staged)
    }

    /// The log is durable up to the batch: answers and orders come out.
    pub(super) fn committed(self, committed: Vec<Committed<Option<Order>>>, size: u64) -> Vec<Outcome> {
        let mut committed = committed.into_iter();
        let mut outcomes = Vec::new();
        for planned in self.commands {
            let mine = committed.by_ref().take(planned.entries);
            let orders = mine.filter_map(|each| each.select(|order| order.ok_or(None)).ok()).collect();
            if let Some(ticket) = planned.ticket {
                outcomes.push(Outcome { ticket, result: planned.result, orders, size });
            }
        }
        outcomes
    }

    /// The log could not be written: grants are refused, endings wait to be logged; their cuts are out already (law 12).
    pub(super) fn failed(self, lane: Lane, error: &AppendError, size: u64) -> (Vec<Outcome>, Vec<Waiting>) {
        let mut outcomes = Vec::new();
        let mut again = Vec::new();
        for planned in self.commands {
            let wrote = planned.entries > 0;
            match (planned.ticket, planned.again) {
                (Some(_), Some(waiting)) if wrote && lane == Lane::Cut => again.push(waiting),
                (Some(ticket), _) => {
                    let denial = Denial::new(
                        Code::LogUnavailable,
                        format!("the evidence log can't be written: {error}"),
                        "try again once the operator has mended the store",
                    );
                    let result = if wrote { Err(denial) } else { planned.result };
                    outcomes.push(Outcome { ticket, result, orders: Vec::new(), size });
                }
                (None, _) => {}
            }
        }
        (outcomes, again)
    }
}

/// A blob that an entry would name and that is nowhere.
fn absent_blob<S: LogStore>(drafts: &[Draft], brought: &[Blob], log: &Log<S>) -> Option<Denial> {
    let here = |name: &writ_types::Digest| {
        brought.iter().any(|blob| blob.name() == *name) || matches!(log.store().blob(name), Ok(Stored::Here(_) | Stored::Erased))
    };
    let absent = drafts.iter().flat_map(|draft| &draft.blobs).find(|name| !here(name))?;
    Some(Denial::new(Code::Invalid, format!("blob `{absent}` did not come along"), "send the blobs with the request"))
}
