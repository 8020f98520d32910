//! One decision, and the proof that it was an allow.

use crate::errors::one_line;
use crate::limits::with_stack;
use crate::question::{Question, Unaskable};
use crate::request::Request;
use crate::set::{PolicySet, Ready};
use cedar_policy::{Entities, EvalResult, eval_expression};
use std::collections::BTreeSet;
use std::sync::Arc;
use writ_types::{Digest, Name};

/// Asks policy. It always answers: what can't be asked or evaluated is denied (law 6).
pub fn decide(set: &PolicySet, request: &Request) -> Decision {
    judge(set, request, set.compiled().words.question(request))
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Allowed.
    Allow,
    /// Denied.
    Deny,
}

/// What policy said to one request, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    request: Arc<Request>,
    policy_set: Digest,
    effect: Effect,
    determining: Vec<Name>,
    errors: Vec<String>,
    reasons: Vec<String>,
}

impl Decision {
    /// Allow or deny.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The policies that determine the effect, sorted: the permits that hold, or the forbids. None where no permit holds.
    pub fn determining(&self) -> &[Name] {
        &self.determining
    }

    /// What could not be evaluated, sorted; each is one line. Any makes the effect a denial, and an alarm.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Why, for people: the reasons of the determining policies, or what else stands against it.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// What was asked.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The set that said so.
    pub fn policy_set(&self) -> Digest {
        self.policy_set
    }

    /// The proof of an allow.
    ///
    /// # Errors
    /// The decision itself, where it is a denial.
    pub fn permit(self) -> Result<Permit, Self> {
        match self.effect {
            Effect::Allow => Ok(Permit { request: self.request, policy_set: self.policy_set, determining: self.determining }),
            Effect::Deny => Err(self),
        }
    }
}

/// Proof that policy allowed one request. Only [`Decision::permit`] makes one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    request: Arc<Request>,
    policy_set: Digest,
    determining: Vec<Name>,
}

impl Permit {
    /// What is allowed: this and nothing else.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The set that allowed it.
    pub fn policy_set(&self) -> Digest {
        self.policy_set
    }

    /// The permits that hold, sorted.
    pub fn determining(&self) -> &[Name] {
        &self.determining
    }
}

fn judge(set: &PolicySet, request: &Request, question: Result<Question, Unaskable>) -> Decision {
    let heard = question.and_then(Question::close).map(|(asked, entities)| {
        let compiled = set.compiled();
        with_stack(compiled.stack_bytes, || Heard::of(compiled.slice(&asked, &entities), &asked, &entities))
    });
    let mut decision = Decision {
        request: Arc::new(request.clone()),
        policy_set: set.hash(),
        effect: Effect::Deny,
        determining: Vec::new(),
        errors: Vec::new(),
        reasons: Vec::new(),
    };
    match heard {
        Ok(heard) => conclude(set, heard, &mut decision),
        Err(Unaskable::Facts(cause)) => {
            let error = format!("the facts do not fit policy's schema: {}", one_line(&cause));
            decision.reasons.push(error.clone());
            decision.errors.push(error);
        }
        Err(Unaskable::Action { action, known }) => {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            decision.reasons.push(format!("policy knows no action `{action}`: name the resource's actions {}", known.join(", ")));
        }
    }
    decision
}

/// What the policies said, each by itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    permits: BTreeSet<Name>,
    forbids: BTreeSet<Name>,
    errors: BTreeSet<String>,
}

impl Heard {
    /// Asks every policy of a slice: none is left out because another has spoken, so that what is logged is whole.
    fn of<'a>(slice: impl Iterator<Item = &'a Ready>, asked: &cedar_policy::Request, entities: &Entities) -> Self {
        let mut heard = Self::default();
        for policy in slice {
            match eval_expression(asked, entities, &policy.condition) {
                Ok(EvalResult::Bool(false)) => {}
                Ok(EvalResult::Bool(true)) => {
                    let said =
                        if policy.effect == cedar_policy::Effect::Permit { &mut heard.permits } else { &mut heard.forbids };
                    said.insert(policy.id.clone());
                }
                Ok(_) => drop(heard.errors.insert(failed(&policy.id, "its condition is not true or false"))),
                Err(error) => drop(heard.errors.insert(failed(&policy.id, &error.to_string()))),
            }
        }
        heard
    }
}

fn failed(id: &Name, cause: &str) -> String {
    one_line(&format!("error while evaluating policy `{id}`: {cause}"))
}

/// A permit and no forbid allows; an error anywhere denies.
fn conclude(set: &PolicySet, heard: Heard, decision: &mut Decision) {
    let Heard { permits, forbids, errors } = heard;
    if forbids.is_empty() && errors.is_empty() && !permits.is_empty() {
        decision.effect = Effect::Allow;
    }
    decision.determining = match (forbids.is_empty(), errors.is_empty()) {
        (false, _) => forbids.into_iter().collect(),
        (true, true) => permits.into_iter().collect(),
        // Cedar would skip a policy that errs. A forbid among them must not be the one that would have spoken (law 6).
        (true, false) => Vec::new(),
    };
    decision.reasons = decision.determining.iter().filter_map(|id| set.reason(id)).map(str::to_owned).collect();
    if !errors.is_empty() {
        decision.reasons.push("A policy could not be evaluated, and nothing is granted on a guess.".to_owned());
    } else if decision.determining.is_empty() {
        decision.reasons.push("No policy permits it.".to_owned());
    }
    decision.errors = errors.into_iter().collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{BASE, any_request, any_set};
    use cedar_policy::Authorizer;
    use proptest::prelude::*;

    /// What Cedar's own authorizer says of the whole set: allow, the determining policies, the errors.
    fn whole(set: &PolicySet, request: &Request) -> Option<(bool, BTreeSet<String>, BTreeSet<String>)> {
        let (asked, entities) = set.compiled().words.question(request).ok()?.close().ok()?;
        let compiled = set.compiled();
        let response = with_stack(compiled.stack_bytes, || Authorizer::new().is_authorized(&asked, &compiled.cedar, &entities));
        let diagnostics = response.diagnostics();
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        let reasons = diagnostics.reason().map(ToString::to_string).collect();
        Some((allowed, reasons, diagnostics.errors().map(|error| one_line(&error.to_string())).collect()))
    }

    /// R76: the slice says what the whole set says, also of what errs; only that any error denies is ours.
    fn equals_the_whole(set: &PolicySet, request: &Request) -> Result<(), TestCaseError> {
        let decision = decide(set, request);
        let Some((allowed, reasons, errors)) = whole(set, request) else { return Ok(()) };
        prop_assert_eq!(BTreeSet::from_iter(decision.errors().iter().cloned()), errors.clone());
        prop_assert_eq!(decision.effect() == Effect::Allow, allowed && errors.is_empty());
        let wanted = if allowed && !errors.is_empty() { BTreeSet::new() } else { reasons };
        prop_assert_eq!(decision.determining().iter().map(ToString::to_string).collect::<BTreeSet<_>>(), wanted);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn a_slice_of_any_set_decides_as_the_whole(set in any_set(), requests in prop::collection::vec(any_request(), 12)) {
            for request in &requests {
                equals_the_whole(&set, request)?;
            }
        }

        #[test]
        fn a_slice_of_the_base_set_decides_as_the_whole(requests in prop::collection::vec(any_request(), 4)) {
            for request in &requests {
                equals_the_whole(&BASE, request)?;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(250))]

        /// Law 6: a fact that is missing, whichever it is, never turns a denial into an allow.
        #[test]
        fn dropping_any_entity_allows_nothing_more(request in any_request()) {
            let whole = decide(&BASE, &request);
            let ask = || BASE.compiled().words.question(&request);
            let count = ask().map_or(0, |question| question.entities.len());
            for index in 0..count {
                let mut question = ask().unwrap();
                let dropped = question.entities.remove(index);
                let without = judge(&BASE, &request, Ok(question));
                prop_assert!(without.effect() >= whole.effect(), "without {dropped}: {whole:?} became {without:?}");
            }
        }

        /// The types fill exactly the shapes that the schema wants, so a decision need not check it again.
        #[test]
        fn every_fact_fits_the_schema(request in any_request()) {
            if let Ok(question) = BASE.compiled().words.question(&request) {
                let checked = Entities::from_entities(question.entities, Some(&BASE.compiled().words.schema));
                prop_assert!(checked.is_ok(), "{:?}", checked);
            }
        }
    }
}
