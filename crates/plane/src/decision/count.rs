//! Refusals that are counted and not logged one by one: who causes them is nobody that the log knows, or asks too often.

use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use std::collections::BTreeMap;
use writ_ledger::body::DenialsCounted;
use writ_types::Code;

/// How many requests were refused without an entry of their own, by code, since the last such count.
#[derive(Debug, Clone)]
pub struct Count {
    /// By code; what is not there, or zero, did not happen.
    pub counts: BTreeMap<Code, u64>,
}

impl Count {
    pub(crate) fn plan(self, plan: &mut Plan) -> Answer {
        let counts: BTreeMap<String, u64> = self
            .counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(code, count)| (code.as_str().to_owned(), count))
            .collect();
        if !counts.is_empty() {
            plan.push(Draft::new(crate::actor::system(), DenialsCounted { counts }));
        }
        Answer::Done
    }
}
