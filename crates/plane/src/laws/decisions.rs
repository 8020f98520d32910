//! Every decision comes out the same again, from the state as it was.

use super::{Decided, Laws};
use crate::decision::evaluate;
use writ_ledger::Entry;
use writ_ledger::body::{Asked, Body, Effect, Evaluation, TaskAsk};

pub(super) fn judge(laws: &mut Laws, index: u64, entry: &Entry, body: &Body, found: &mut Vec<String>) {
    if entry.policy_set.is_some() && index > 0 && entry.policy_set != laws.state.domain.policy_set {
        found.push("it names another policy set than the one in force".to_owned());
    }
    if let Body::LogState(state) = body
        && state.digest != laws.state.digest()
    {
        found.push("the state is not what the entries before it fold to".to_owned());
    }
    let Body::DecisionMade(made) = body else { return };
    let mut same = true;
    for evaluation in &made.evaluations {
        if let Some(now) = now(&evaluation.asked)
            && now != entry.at
        {
            found.push("it was decided at another time than it says".to_owned());
        }
        same &= repeat(laws, evaluation, found);
    }
    if same {
        laws.evaluations += 1;
    }
    if entry.decision != Some(made.decision) || laws.decisions.contains_key(&made.decision) {
        found.push("its decision's id is not its own".to_owned());
    }
    laws.decisions.insert(made.decision, Decided { index, made: (**made).clone() });
}

fn repeat(laws: &Laws, evaluation: &Evaluation, found: &mut Vec<String>) -> bool {
    let Some((_, policy)) = &laws.policy else { return false };
    let (again, _) = evaluate(&laws.state, policy, evaluation.asked.clone());
    if again == *evaluation {
        return true;
    }
    found.push(format!("a decision comes out as {:?} and not as {:?}", again.effect, evaluation.effect));
    false
}

/// When it was asked, by its own words.
fn now(asked: &Asked) -> Option<writ_types::Time> {
    match asked {
        Asked::Reach { ask, .. } | Asked::Delegate { ask, .. } | Asked::Approve { ask, .. } => Some(ask.now),
        Asked::Administer { now, .. } => Some(*now),
        _ => None,
    }
}

/// True if every question of `wanted` was asked in a decision and allowed.
pub(super) fn allowed(evaluations: &[Evaluation], wanted: &[Asked]) -> bool {
    let holds =
        |asked: &Asked| evaluations.iter().any(|evaluation| evaluation.asked == *asked && evaluation.effect == Effect::Allow);
    !wanted.is_empty() && wanted.iter().all(holds)
}

/// The circumstances that a decision's first question about a task was asked in.
pub(super) fn circumstances(evaluations: &[Evaluation]) -> Option<&TaskAsk> {
    evaluations.iter().rev().find_map(|evaluation| match &evaluation.asked {
        Asked::Reach { ask, .. } => Some(ask),
        _ => None,
    })
}
