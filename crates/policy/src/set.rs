//! A policy set that holds: parsed, validated and bounded.

use crate::errors::{PolicySetError, one_line};
use crate::limits::{COMPILE_STACK_BYTES, POLICIES_MAX, REASON_CHARS_MAX, SET_BYTES_MAX, check_text, stack_bytes};
use crate::lint;
use crate::nearest::PermitClauses;
use crate::question::Vocabulary;
use crate::slice::Index;
use crate::source::{PolicySource, SCHEMA};
use cedar_policy::pst::Clause;
use cedar_policy::{Effect, Entities, Expression, Policy, PolicyId, ValidationMode, Validator};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use writ_types::{Digest, Name, TextValue};

/// A policy set that compiled. It never changes; cloning it is cheap.
#[derive(Debug, Clone)]
pub struct PolicySet(Arc<Compiled>);

#[derive(Debug)]
pub(crate) struct Compiled {
    source: PolicySource,
    hash: Digest,
    /// What every policy says where its scope matches, by its place in the index.
    policies: Vec<Ready>,
    index: Index,
    #[cfg(test)]
    pub(crate) cedar: cedar_policy::PolicySet,
    pub(crate) words: Arc<Vocabulary>,
    reasons: BTreeMap<Name, String>,
    pub(crate) permits: Vec<PermitClauses>,
    /// The stack that evaluating any of the policies can take.
    pub(crate) stack_bytes: usize,
}

/// A policy that is ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) id: Name,
    pub(crate) effect: Effect,
    /// All its conditions as one, in their order. The scope is not in it.
    pub(crate) condition: Expression,
}

/// How many steps of dereference a policy may take: a decision builds no more entities than that.
const LEVEL: u32 = 1;

impl PolicySet {
    /// Judges a set. Strict: a validator's warning is a refusal, because a policy that can never hold misleads its reader.
    ///
    /// # Errors
    /// Names the first policy, by id, that does not hold, and the cause.
    pub fn compile(source: PolicySource) -> Result<Self, PolicySetError> {
        stacker::grow(COMPILE_STACK_BYTES, || Self::judge(source))
    }

    fn judge(source: PolicySource) -> Result<Self, PolicySetError> {
        if source.schema() != SCHEMA {
            // The facts are filled by this program's types: under another schema a fact could silently be missing.
            return Err(PolicySetError::UnknownSchema);
        }
        match source.policies().len() {
            0 => return Err(PolicySetError::Empty),
            count if count > POLICIES_MAX => return Err(PolicySetError::TooMany(count)),
            _ => {}
        }
        let bytes = source.policies().map(|(_, text)| text.len()).sum();
        if bytes > SET_BYTES_MAX {
            return Err(PolicySetError::TooLarge(bytes));
        }
        let words = Vocabulary::get().map_err(PolicySetError::Schema)?;
        let mut cedar = cedar_policy::PolicySet::new();
        let mut reasons = BTreeMap::new();
        for (id, text) in source.policies() {
            check_text(id, text)?;
            let policy = parse(id, text)?;
            reasons.insert(id.clone(), reason(id, &policy)?);
            cedar.add(policy).map_err(|error| PolicySetError::Syntax { id: id.clone(), cause: one_line(&error.to_string()) })?;
        }
        validate(&words, &cedar)?;
        let (mut permits, mut policies, mut index) = (Vec::new(), Vec::new(), Index::default());
        let mut levels = 0;
        for (id, policy) in source.policies().filter_map(|(id, _)| Some((id, cedar.policy(&PolicyId::new(id.as_str()))?))) {
            let conditions = lint::conditions(id, policy)?;
            if lint::role_only(policy, &conditions, &words) {
                return Err(PolicySetError::RoleOnly { id: id.clone() });
            }
            levels = levels.max(lint::levels(&conditions));
            index.add(policies.len(), policy, &words.groups);
            policies.push(Ready { id: id.clone(), effect: policy.effect(), condition: joined(id, &conditions)? });
            if policy.effect() == Effect::Permit {
                permits.push(PermitClauses::of(id.clone(), policy, &conditions));
            }
        }
        let hash = source.hash();
        let stack_bytes = stack_bytes(levels);
        Ok(Self(Arc::new(Compiled {
            source,
            hash,
            policies,
            index,
            #[cfg(test)]
            cedar,
            words,
            reasons,
            permits,
            stack_bytes,
        })))
    }

    /// The set's name: the digest of its canonical form.
    pub fn hash(&self) -> Digest {
        self.0.hash
    }

    /// One policy's text.
    pub fn text(&self, id: &Name) -> Option<&str> {
        self.0.source.text(id)
    }

    /// What a person who is denied reads of one policy.
    pub fn reason(&self, id: &Name) -> Option<&str> {
        self.0.reasons.get(id).map(String::as_str)
    }

    /// The texts that it was compiled from.
    pub fn source(&self) -> &PolicySource {
        &self.0.source
    }

    /// The actions that a task can have on a resource; policy denies every other one.
    pub fn reach_actions(&self) -> &BTreeSet<Name> {
        &self.0.words.reach
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl Compiled {
    /// The policies that can speak to a request, by id.
    pub(crate) fn slice(&self, request: &cedar_policy::Request, entities: &Entities) -> impl Iterator<Item = &Ready> {
        self.index.slice(request, entities).into_iter().filter_map(|place| self.policies.get(place))
    }
}

/// A policy's conditions as one expression, joined as Cedar joins them.
fn joined(id: &Name, conditions: &[Clause]) -> Result<Expression, PolicySetError> {
    let part = |clause: &Clause| match clause {
        Clause::When(condition) => format!("({condition})"),
        Clause::Unless(condition) => format!("!({condition})"),
    };
    let text =
        if conditions.is_empty() { "true".to_owned() } else { conditions.iter().map(part).collect::<Vec<_>>().join(" && ") };
    text.parse().map_err(|error: cedar_policy::ParseErrors| PolicySetError::Syntax {
        id: id.clone(),
        cause: one_line(&error.to_string()),
    })
}

/// The one policy of a text, under its own id.
fn parse(id: &Name, text: &str) -> Result<Policy, PolicySetError> {
    let set: cedar_policy::PolicySet = text.parse().map_err(|error: cedar_policy::ParseErrors| PolicySetError::Syntax {
        id: id.clone(),
        cause: one_line(&error.to_string()),
    })?;
    let (policies, templates) = (set.num_of_policies(), set.num_of_templates());
    let mut found = set.policies();
    let (Some(policy), None, 0) = (found.next(), found.next(), templates) else {
        return Err(PolicySetError::NotOne { id: id.clone(), policies, templates });
    };
    match policy.annotation("id") {
        Some(own) if own == id.as_str() => Ok(policy.new_id(PolicyId::new(id.as_str()))),
        Some(other) => Err(PolicySetError::OtherId { id: id.clone(), found: format!("it says `{}`", one_line(other)) }),
        None => Err(PolicySetError::OtherId { id: id.clone(), found: "it has none".to_owned() }),
    }
}

fn reason(id: &Name, policy: &Policy) -> Result<String, PolicySetError> {
    let text = policy.annotation("reason").unwrap_or_default();
    // Equal to its own single-line form: nothing in it is hidden, escaped or spread over lines.
    let fits = (1..=REASON_CHARS_MAX).contains(&text.chars().count()) && one_line(text) == text;
    if fits { Ok(text.to_owned()) } else { Err(PolicySetError::NoReason { id: id.clone() }) }
}

fn validate(words: &Vocabulary, cedar: &cedar_policy::PolicySet) -> Result<(), PolicySetError> {
    let validator = Validator::new(words.schema.clone());
    let result = validator.validate_with_level(cedar, ValidationMode::Strict, LEVEL);
    let errors = result.validation_errors().map(|error| (error.policy_id().to_string(), error.to_string()));
    let warnings = result.validation_warnings().map(|warning| (warning.policy_id().to_string(), warning.to_string()));
    // The validator's order is not stable; the first by id is.
    let first = errors.chain(warnings).collect::<BTreeSet<_>>().into_iter().next();
    match first {
        None if result.validation_passed_without_warnings() => Ok(()),
        None => Err(PolicySetError::Schema("the validator refuses it without saying why".to_owned())),
        Some((id, cause)) => Err(PolicySetError::Invalid { id: Name::parse(&id)?, cause: one_line(&cause) }),
    }
}
