//! What validation can't say of a policy: whether it looks at the task (R79), and how deep it is.

use crate::errors::PolicySetError;
use crate::question::Vocabulary;
use cedar_policy::pst::{Clause, Expr, Var};
use cedar_policy::{Effect, Policy};
use std::sync::Arc;
use writ_types::Name;

/// A policy's conditions as a tree, each with how it counts.
pub(crate) fn conditions(id: &Name, policy: &Policy) -> Result<Vec<Clause>, PolicySetError> {
    let tree = policy.to_pst().map_err(|error| PolicySetError::Syntax { id: id.clone(), cause: error.to_string() })?;
    Ok(tree.body().clauses().clone())
}

/// True for a permit that could let an identity reach a resource without a look at the task.
///
/// It is a lint and not a proof: a condition on `context` that always holds passes. The laws that stand before policy
/// (a live task, a charter, an expiry) don't depend on it.
pub(crate) fn role_only(policy: &Policy, conditions: &[Clause], words: &Vocabulary) -> bool {
    let reaches = || {
        policy.get_valid_request_envs(&words.schema).any(|env| {
            let action = env.action().id().unescaped();
            words.reach.iter().any(|reach| reach.as_str() == action)
        })
    };
    policy.effect() == Effect::Permit && !conditions.iter().any(|clause| reads_context(condition(clause))) && reaches()
}

/// How many levels evaluating these conditions descends.
pub(crate) fn levels(conditions: &[Clause]) -> usize {
    // Cedar joins the scope and all clauses by `&&`, each one level below the last.
    let deepest = conditions.iter().map(|clause| depth(condition(clause))).max().unwrap_or_default();
    deepest + conditions.len() + 4
}

/// True if the expression looks at the request's circumstances.
pub(crate) fn reads_context(expression: &Expr) -> bool {
    let is_context = |node: &Expr| match node {
        Expr::Var(Var::Context) => Some(true),
        _ => None,
    };
    expression.reduce(&is_context, &|left, right| left || right, false)
}

fn condition(clause: &Clause) -> &Expr {
    let (Clause::When(condition) | Clause::Unless(condition)) = clause;
    condition
}

fn depth(expression: &Expr) -> usize {
    let deepest = |parts: &[&Arc<Expr>]| 1 + parts.iter().map(|part| depth(part)).max().unwrap_or_default();
    match expression {
        Expr::UnaryOp { expr, .. } | Expr::GetAttr { expr, .. } | Expr::Like { expr, .. } => deepest(&[expr]),
        // Cedar unfolds a path into a test for each step.
        Expr::HasAttr { expr, attrs } => deepest(&[expr]) + 2 * attrs.len(),
        Expr::BinaryOp { left, right, .. } => deepest(&[left, right]),
        // It becomes a type test and a test of membership.
        Expr::Is { expr, in_expr, .. } => 1 + deepest(&in_expr.iter().chain([expr]).collect::<Vec<_>>()),
        Expr::IfThenElse { cond, then_expr, else_expr } => deepest(&[cond, then_expr, else_expr]),
        Expr::Set(parts) => deepest(&parts.iter().collect::<Vec<_>>()),
        Expr::Record(parts) => deepest(&parts.values().collect::<Vec<_>>()),
        _ => 1,
    }
}
