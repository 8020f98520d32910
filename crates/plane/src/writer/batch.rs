//! One batch on its way into the log.

use super::Outcome;
use super::lanes::{Ticket, Waiting};
use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use crate::state::State;
use std::collections::BTreeMap;
use writ_ledger::body::Body;
use writ_ledger::{AppendError, Blob, Committed, Entry, Lane, Log, LogStore, Staged, Stored};
use writ_types::{Code, CutDatabaseUser, Denial, Order, Random, Time};

/// Commands with their answers and entries, none of which is out yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    commands: Vec<Planned>,
    staged: Vec<Staged<Option<Order>>>,
    /// What is to be folded once it is durable.
    unfolded: Vec<(Entry, Body)>,
}

/// When entries are folded into the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// At once: the next command of the batch is judged by them.
    Now,
    /// Once they are durable.
    Afterwards,
    /// Not at all: the log can't be written, only the cuts count.
    Never,
}

#[derive(Debug)]
struct Planned {
    /// What to do again if the log can't be written; none for what does not depend on it.
    again: Option<Waiting>,
    ticket: Option<Ticket>,
    result: Result<Answer, Denial>,
    /// The submission whose answer this one gets, where it came with the same key.
    same_as: Option<Ticket>,
    entries: usize,
    cuts: Vec<CutDatabaseUser>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Each outcome, and whether it is worth remembering.
    pub(super) outcomes: Vec<(Outcome, bool)>,
    /// Endings that wait for the log.
    pub(super) again: Vec<Waiting>,
}

impl Batch {
    /// An answer that needs no entry and rests on none.
    pub(super) fn answer(&mut self, ticket: Option<Ticket>, result: Result<Answer, Denial>) {
        self.commands.push(Planned { again: None, ticket, result, same_as: None, entries: 0, cuts: Vec::new() });
    }

    /// The answer that the submission with ticket `first` gets.
    pub(super) fn same(&mut self, waiting: Waiting, first: Ticket) {
        let denial = Denial::new(Code::Overloaded, "the first request with this key is still on its way", "ask again");
        let (ticket, result) = (waiting.ticket, Err(denial));
        self.commands.push(Planned { again: Some(waiting), ticket, result, same_as: Some(first), entries: 0, cuts: Vec::new() });
    }

    /// Folds a plan into the state and keeps its entries for the log. Where nothing is folded only its cuts are kept.
    #[expect(clippy::too_many_arguments, reason = "a batch takes what the writer holds, piece by piece")]
    pub(super) fn add<S: LogStore>(
        &mut self,
        waiting: Waiting,
        result: Result<Answer, Denial>,
        plan: Plan,
        now: Time,
        (fold, state): (Fold, &mut State),
        log: &Log<S>,
        random: &mut dyn Random,
    ) {
        let ticket = waiting.ticket;
        let drafts = plan.into_drafts();
        if let Some(denial) = absent_blob(&drafts, &waiting.submission.blobs, log) {
            return self.answer(ticket, Err(denial));
        }
        let cut = |draft: &Draft| match &draft.order {
            Some(Order::CutDatabaseUser(cut)) => Some(cut.clone()),
            _ => None,
        };
        let cuts = drafts.iter().filter_map(cut).collect();
        if fold == Fold::Never {
            return self.commands.push(Planned { again: Some(waiting), ticket, result, same_as: None, entries: 0, cuts });
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
        for (entry, draft) in entries.into_iter().zip(drafts) {
            if fold == Fold::Now {
                state.apply(&entry, &draft.body);
            } else {
                self.unfolded.push((entry.clone(), draft.body));
            }
            let blobs = waiting.submission.blobs.iter().filter(|blob| entry.blobs.contains(&blob.name())).cloned().collect();
            self.staged.push(Staged { entry, blobs, order: draft.order });
        }
        self.commands.push(Planned { again: Some(waiting), ticket, result, same_as: None, entries: count, cuts });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.commands.iter().all(|planned| planned.ticket.is_none() && planned.cuts.is_empty())
    }

    /// What must be ended in backends.
    pub(super) fn cuts(&self) -> Vec<CutDatabaseUser> {
        self.commands.iter().flat_map(|planned| planned.cuts.iter().cloned()).collect()
    }

    /// What is to be folded now that it is durable.
    pub(super) fn unfolded(&mut self) -> Vec<(Entry, Body)> {
        std::mem::take(&mut self.unfolded)
    }

    pub(super) fn staged(&mut self) -> Vec<Staged<Option<Order>>> {
        std::mem::take(&mut self.staged)
    }

    /// The log is durable up to the batch: answers and orders come out.
    pub(super) fn committed(self, committed: Vec<Committed<Option<Order>>>, size: u64) -> Settled {
        let mut committed = committed.into_iter();
        let mut settled = Settled::default();
        let mut results = BTreeMap::new();
        for planned in self.commands {
            let mine = committed.by_ref().take(planned.entries);
            let orders = mine.filter_map(Committed::some).collect();
            let Some(ticket) = planned.ticket else { continue };
            let first = planned.same_as.and_then(|first| results.get(&first).cloned());
            let result = first.unwrap_or(planned.result);
            results.insert(ticket, result.clone());
            let remember = planned.entries > 0 || result.is_ok();
            settled.outcomes.push((Outcome { ticket, result, entries: planned.entries, orders, size }, remember));
        }
        settled
    }

    /// The log was not written: grants are refused, endings wait to be logged; their cuts are out already (law 12). What was
    /// judged by entries that are not durable is not said.
    pub(super) fn failed(self, lane: Lane, error: &AppendError, size: u64, now: Time) -> Settled {
        let denial = Denial::new(Code::LogUnavailable, format!("the evidence log can't be written: {error}"), super::LOG_HELP);
        let culprit = self.culprit(error);
        let mut settled = Settled::default();
        for (place, planned) in self.commands.into_iter().enumerate() {
            let Some(ticket) = planned.ticket else { continue };
            let result = match planned.again {
                None => planned.result,
                // What itself can't be appended must not keep everything else from being appended.
                Some(_) if culprit == Some(place) => {
                    Err(Denial::new(Code::Bug, format!("its entry does not fit the log: {error}"), "report this"))
                }
                Some(waiting) if lane == Lane::Cut => {
                    // What was refused is judged again as of then: only what has been carried out keeps its time.
                    let carried = waiting.carried.or_else(|| planned.result.ok().map(|answer| (now, answer)));
                    settled.again.push(Waiting { carried, ..waiting });
                    continue;
                }
                Some(_) => Err(denial.clone()),
            };
            settled.outcomes.push((Outcome { ticket, result, entries: 0, orders: Vec::new(), size }, false));
        }
        settled
    }

    /// The command whose entry the log refused.
    fn culprit(&self, error: &AppendError) -> Option<usize> {
        let (AppendError::Entry { place, .. } | AppendError::Blob { place, .. }) = error else { return None };
        let mut before = 0;
        self.commands.iter().position(|planned| {
            before += planned.entries;
            *place < before
        })
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
