//! Refusals that are counted: who causes them is nobody that the log knows, or asks too often. One entry a minute says how many.

use crate::shared::Shared;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writ_plane::{Command, Count};
use writ_types::Code;

/// How often the counts go into the log, if there are any.
const EVERY: Duration = Duration::from_secs(60);

/// The codes of refusals that leave no entry, whoever asks.
const COUNTED: [Code; 4] = [Code::Malformed, Code::Unauthenticated, Code::BadSignature, Code::Overloaded];

/// Counts by code.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Since the start.
    all: Mutex<BTreeMap<Code, u64>>,
    /// Since the last entry.
    unlogged: Mutex<BTreeMap<Code, u64>>,
}

impl Counted {
    /// One more, if refusals of this code leave no entry.
    pub(crate) fn add(&self, code: Code) {
        if COUNTED.contains(&code) {
            for counts in [&self.all, &self.unlogged] {
                *locked(counts).entry(code).or_default() += 1;
            }
        }
    }

    /// All since the start.
    pub(crate) fn all(&self) -> BTreeMap<Code, u64> {
        let all = locked(&self.all);
        COUNTED.into_iter().map(|code| (code, all.get(&code).copied().unwrap_or_default())).collect()
    }

    fn take(&self) -> BTreeMap<Code, u64> {
        std::mem::take(&mut *locked(&self.unlogged))
    }

    /// What could not be logged is counted with what comes.
    fn put_back(&self, counts: BTreeMap<Code, u64>) {
        let mut unlogged = locked(&self.unlogged);
        for (code, count) in counts {
            *unlogged.entry(code).or_default() += count;
        }
    }
}

fn locked(counts: &Mutex<BTreeMap<Code, u64>>) -> MutexGuard<'_, BTreeMap<Code, u64>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs the counts now and then, for ever.
pub(crate) async fn keep_logging(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(EVERY).await;
        log(&shared).await;
    }
}

/// Logs what was counted since the last time.
pub(crate) async fn log(shared: &Shared) {
    let counts = shared.counted.take();
    let logged = shared.ask(Command::Count(Count { counts: counts.clone() }), None, Vec::new()).await;
    if !logged.is_ok_and(|outcome| outcome.result.is_ok()) {
        shared.counted.put_back(counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_no_entry_is_counted_until_it_is_logged() {
        let counted = Counted::default();
        for code in Code::ALL {
            counted.add(*code);
        }
        counted.add(Code::Overloaded);
        let all = [(Code::Malformed, 1), (Code::Unauthenticated, 1), (Code::BadSignature, 1), (Code::Overloaded, 2)].into();
        assert_eq!(counted.all(), all);
        let taken = counted.take();
        assert_eq!((&taken, counted.take().is_empty()), (&all, true));
        counted.add(Code::Overloaded);
        counted.put_back(taken);
        assert_eq!(counted.take()[&Code::Overloaded], 3);
        assert_eq!(counted.all()[&Code::Overloaded], 3);
    }
}
