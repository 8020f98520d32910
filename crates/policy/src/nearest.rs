//! What would change a denial: the permit that comes nearest, and which of its conditions do not hold.

use crate::decide::{Decision, Effect, decide};
use crate::limits::with_stack;
use crate::lint::reads_context;
use crate::request::Request;
use crate::set::PolicySet;
use cedar_policy::pst::{BinaryOp, Clause, Expr};
use cedar_policy::{
    ActionConstraint, Entities, EvalResult, Expression, Policy, PrincipalConstraint, ResourceConstraint, eval_expression,
};
use writ_types::Name;

/// The permit that comes nearest to allowing a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The permit.
    pub policy: Name,
    /// Its reason, for people.
    pub reason: String,
    /// Its conditions that do not hold, as text. None where it holds and only forbids stand against the request.
    pub failing: Vec<String>,
    /// Its conditions that can't be decided yet, because a fact that another condition guards is missing.
    pub undecided: Vec<String>,
    /// The forbids that hold, with their reasons.
    pub forbidden: Vec<(Name, String)>,
}

/// Explains a denial. It is for wording only and never decides anything.
///
/// None if policy allows the request, or if no permit speaks of such an action at all.
pub fn nearest(set: &PolicySet, request: &Request) -> Option<Nearest> {
    let decision = decide(set, request);
    if decision.effect() == Effect::Allow {
        return None;
    }
    let question = set.compiled().words.question(request).ok()?;
    let (asked, entities) = question.close().ok()?;
    with_stack(set.compiled().stack_bytes, || explain(set, &decision, &asked, &entities))
}

fn explain(set: &PolicySet, decision: &Decision, asked: &cedar_policy::Request, entities: &Entities) -> Option<Nearest> {
    let judged = set.compiled().permits.iter().filter_map(|permit| permit.judge(asked, entities));
    // Ties go to the smaller id: the permits come ordered by it, and `min_by_key` keeps the first.
    let found = judged.min_by_key(Judged::distance)?;
    Some(Nearest {
        policy: found.permit.id.clone(),
        reason: set.reason(&found.permit.id).unwrap_or_default().to_owned(),
        failing: texts(&found.failing),
        undecided: texts(&found.undecided),
        forbidden: forbids(set, decision),
    })
}

fn forbids(set: &PolicySet, decision: &Decision) -> Vec<(Name, String)> {
    // A denial's determining policies are forbids.
    let reasons = |id: &Name| (id.clone(), set.reason(id).unwrap_or_default().to_owned());
    decision.determining().iter().map(reasons).collect()
}

/// A permit taken apart, once per compilation.
#[derive(Debug)]
pub(crate) struct PermitClauses {
    id: Name,
    action: Option<Expression>,
    conjuncts: Vec<Conjunct>,
}

#[derive(Debug)]
struct Conjunct {
    text: String,
    expression: Option<Expression>,
    /// True if it looks at the circumstances: another request can meet it. What principal and resource are, none changes.
    asked: bool,
}

/// A permit's conditions that stand between it and a request.
struct Judged<'a> {
    permit: &'a PermitClauses,
    failing: Vec<&'a Conjunct>,
    undecided: Vec<&'a Conjunct>,
}

impl Judged<'_> {
    /// How far the request is from the permit: first by what no other request could meet, then by all that fails.
    fn distance(&self) -> (usize, usize) {
        let all = || self.failing.iter().chain(&self.undecided);
        (all().filter(|conjunct| !conjunct.asked).count(), all().count())
    }
}

fn texts(conjuncts: &[&Conjunct]) -> Vec<String> {
    conjuncts.iter().map(|conjunct| conjunct.text.clone()).collect()
}

impl PermitClauses {
    pub(crate) fn of(id: Name, policy: &Policy, conditions: &[Clause]) -> Self {
        let mut conjuncts = Vec::new();
        conjuncts.extend(scope("principal", &Scope::from(policy.principal_constraint())));
        conjuncts.extend(scope("resource", &Scope::from(policy.resource_constraint())));
        for clause in conditions {
            match clause {
                Clause::When(condition) => split(condition, &mut conjuncts),
                Clause::Unless(condition) => conjuncts.push(Conjunct::new(format!("!({condition})"), reads_context(condition))),
            }
        }
        let action = match policy.action_constraint() {
            ActionConstraint::Any => None,
            ActionConstraint::Eq(action) => Some(format!("action == {action}")),
            ActionConstraint::In(actions) => {
                let actions: Vec<_> = actions.iter().map(ToString::to_string).collect();
                Some(format!("action in [{}]", actions.join(", ")))
            }
        };
        Self { id, action: action.and_then(|text| text.parse().ok()), conjuncts }
    }

    /// The conditions that fail and those that can't be decided; none if the permit is about other actions.
    fn judge(&self, request: &cedar_policy::Request, entities: &Entities) -> Option<Judged<'_>> {
        let holds = |expression: &Expression| match eval_expression(request, entities, expression) {
            Ok(EvalResult::Bool(holds)) => Some(holds),
            Ok(_) | Err(_) => None,
        };
        if self.action.as_ref().is_some_and(|action| holds(action) != Some(true)) {
            return None;
        }
        let mut judged = Judged { permit: self, failing: Vec::new(), undecided: Vec::new() };
        for conjunct in &self.conjuncts {
            match conjunct.expression.as_ref().and_then(holds) {
                Some(true) => {}
                Some(false) => judged.failing.push(conjunct),
                None => judged.undecided.push(conjunct),
            }
        }
        Some(judged)
    }
}

impl Conjunct {
    fn new(text: String, asked: bool) -> Self {
        let expression = text.parse().ok();
        Self { text, expression, asked }
    }
}

fn split(condition: &Expr, out: &mut Vec<Conjunct>) {
    if let Expr::BinaryOp { op: BinaryOp::And, left, right } = condition {
        split(left, out);
        split(right, out);
    } else {
        out.push(Conjunct::new(condition.to_string(), reads_context(condition)));
    }
}

/// A constraint on principal or resource; Cedar has the same five for both, as two types.
enum Scope {
    Any,
    In(String),
    Eq(String),
    Is(String),
    IsIn(String, String),
}

fn scope(variable: &str, scope: &Scope) -> Option<Conjunct> {
    let text = match scope {
        Scope::Any => return None,
        Scope::In(uid) => format!("{variable} in {uid}"),
        Scope::Eq(uid) => format!("{variable} == {uid}"),
        Scope::Is(kind) => format!("{variable} is {kind}"),
        Scope::IsIn(kind, uid) => format!("{variable} is {kind} in {uid}"),
    };
    Some(Conjunct::new(text, false))
}

impl From<PrincipalConstraint> for Scope {
    fn from(constraint: PrincipalConstraint) -> Self {
        match constraint {
            PrincipalConstraint::Any => Self::Any,
            PrincipalConstraint::In(uid) => Self::In(uid.to_string()),
            PrincipalConstraint::Eq(uid) => Self::Eq(uid.to_string()),
            PrincipalConstraint::Is(kind) => Self::Is(kind.to_string()),
            PrincipalConstraint::IsIn(kind, uid) => Self::IsIn(kind.to_string(), uid.to_string()),
        }
    }
}

impl From<ResourceConstraint> for Scope {
    fn from(constraint: ResourceConstraint) -> Self {
        match constraint {
            ResourceConstraint::Any => Self::Any,
            ResourceConstraint::In(uid) => Self::In(uid.to_string()),
            ResourceConstraint::Eq(uid) => Self::Eq(uid.to_string()),
            ResourceConstraint::Is(kind) => Self::Is(kind.to_string()),
            ResourceConstraint::IsIn(kind, uid) => Self::IsIn(kind.to_string(), uid.to_string()),
        }
    }
}
