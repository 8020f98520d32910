//! Why a policy set is refused.

use crate::limits::{NESTING_MAX, POLICIES_MAX, POLICY_BYTES_MAX, REASON_CHARS_MAX, SET_BYTES_MAX, TOKENS_MAX};
use writ_types::{Code, Denial, Name, ParseError};

/// Why a policy set is refused: the policy by its id, and the cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicySetError {
    /// The bytes are not a policy set in its canonical form.
    #[error("not a policy set: {0}")]
    NotASet(String),
    /// An id that no policy can have.
    #[error("a policy's id does not hold: {0}")]
    Id(#[from] ParseError),
    /// Two texts with one id.
    #[error("policy `{0}` stands there twice")]
    Twice(Name),
    /// No policy at all.
    #[error("the set has no policy")]
    Empty,
    /// Too many policies.
    #[error("the set has {0} policies, and {POLICIES_MAX} is the limit")]
    TooMany(usize),
    /// Too much text in all.
    #[error("the set's texts have {0} bytes, and {SET_BYTES_MAX} is the limit")]
    TooLarge(usize),
    /// The schema is not one that this program fills with facts.
    #[error("the schema is not one that this version of writ knows")]
    UnknownSchema,
    /// The schema that this program knows does not compile.
    #[error("the schema does not compile: {0}")]
    Schema(String),
    /// Too much text in one policy.
    #[error("policy `{id}` has {bytes} bytes, and {POLICY_BYTES_MAX} is the limit")]
    TooLong {
        /// The policy.
        id: Name,
        /// Its length.
        bytes: usize,
    },
    /// A control or reordering character.
    #[error("policy `{id}` has the character `{character}` in line {line}, which a reader can't see")]
    Character {
        /// The policy.
        id: Name,
        /// The line, from 1.
        line: usize,
        /// The character, escaped.
        character: String,
    },
    /// Too many brackets within each other.
    #[error("policy `{id}` nests brackets deeper than {NESTING_MAX}")]
    TooDeep {
        /// The policy.
        id: Name,
    },
    /// Too many words and signs.
    #[error("policy `{id}` has more than {TOKENS_MAX} words and signs")]
    TooComplex {
        /// The policy.
        id: Name,
    },
    /// Not Cedar.
    #[error("policy `{id}` does not parse: {cause}")]
    Syntax {
        /// The policy.
        id: Name,
        /// What Cedar says.
        cause: String,
    },
    /// None, several, or a template.
    #[error("policy `{id}` is not exactly one policy: the text holds {policies} policies and {templates} templates")]
    NotOne {
        /// The policy.
        id: Name,
        /// How many policies the text holds.
        policies: usize,
        /// How many templates the text holds.
        templates: usize,
    },
    /// Its `@id` is missing or another one.
    #[error("policy `{id}` does not carry its own `@id`: {found}")]
    OtherId {
        /// The policy.
        id: Name,
        /// What stands there.
        found: String,
    },
    /// Its `@reason` is missing or can't be shown.
    #[error("policy `{id}` has no `@reason` of 1 to {REASON_CHARS_MAX} characters in one line")]
    NoReason {
        /// The policy.
        id: Name,
    },
    /// The validator refuses it, or warns of it.
    #[error("policy `{id}` does not hold against the schema: {cause}")]
    Invalid {
        /// The policy.
        id: Name,
        /// What the validator says, errors and warnings alike.
        cause: String,
    },
    /// It would let an identity reach a resource by what it is alone.
    #[error("policy `{id}` grants reach without looking at the task: a role alone opens nothing")]
    RoleOnly {
        /// The policy.
        id: Name,
    },
}

impl PolicySetError {
    /// The next step.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NotASet(_) => "take the bytes as `writ` wrote them: they are named by their digest",
            Self::Id(_) | Self::Twice(_) => "give each policy an id of its own",
            Self::Empty | Self::TooMany(_) | Self::TooLarge(_) => "split or join the policies",
            Self::UnknownSchema | Self::Schema(_) => "leave the schema as this version of `writ` prints it",
            Self::TooLong { .. } | Self::TooDeep { .. } | Self::TooComplex { .. } => "split the policy in two",
            Self::Character { .. } => "remove the character",
            Self::Syntax { .. } => "correct the text; the language is at https://docs.cedarpolicy.com",
            Self::NotOne { .. } => "put one policy in each text",
            Self::OtherId { .. } => "write `@id(\"…\")` with the policy's id above it",
            Self::NoReason { .. } => "say in `@reason(\"…\")` what a person who is denied should read",
            Self::Invalid { .. } => "correct the policy; a warning counts, because such a policy never does what it seems to say",
            Self::RoleOnly { .. } => "add a condition on `context`: the time, the approval, the delegator or the purpose",
        }
    }
}

impl From<PolicySetError> for Denial {
    fn from(error: PolicySetError) -> Self {
        Self::new(Code::Invalid, error.to_string(), error.help())
    }
}

/// Text of another program as one line that is safe to show, at most 500 characters long.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            if c.is_control() || writ_types::is_bidi(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
    }
    match out.char_indices().nth(500) {
        Some((end, _)) => {
            out.truncate(end);
            out.push('…');
            out
        }
        None => out,
    }
}
