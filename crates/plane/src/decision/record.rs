//! Decisions as entries.

use crate::plan::{Draft, Plan};
use crate::refusal::Record;
use writ_ledger::Actor;
use writ_ledger::body::{DecisionMade, Evaluation, Refused};
use writ_types::{DecisionId, Denial, Random};

/// Adds the entry of a decision; its id and its index.
pub(crate) fn record(
    plan: &mut Plan,
    actor: Actor,
    command: &str,
    on: Vec<String>,
    evaluations: Vec<Evaluation>,
    refused: Option<Refused>,
    random: &mut dyn Random,
) -> (DecisionId, u64) {
    let decision = DecisionId::mint(random);
    let body = DecisionMade { decision, command: command.to_owned(), evaluations, refused };
    let index = plan.push(Draft::new(actor, body).on([decision]).on(on).decision(Some(decision)));
    (decision, index)
}

/// Adds the entry of a refusal.
pub(crate) fn refused(plan: &mut Plan, record_of: Record, denial: &Denial, random: &mut dyn Random) -> (DecisionId, u64) {
    let refused = Refused { code: denial.code.as_str().to_owned(), missing: denial.missing.clone() };
    record(plan, record_of.actor, record_of.command, record_of.on, record_of.evaluations, Some(refused), random)
}
