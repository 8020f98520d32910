//! What a caller gets instead of an answer: who must act, and the next step.

use std::fmt;

/// Who must act for a request to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller: the request itself is wrong, or not allowed.
    Caller,
    /// People: a signature, an approval or an owner is missing.
    People,
    /// The operator: storage, clock or a backend.
    Operator,
    /// Us.
    Bug,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $fault:ident;)*) => {
        /// What went wrong, one wire code each. This is the only table of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The code on the wire and in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
            /// The HTTP status that carries it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
            /// Who must act.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault,)* }
            }
            /// The code with this text.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

codes! {
    /// The request can't be read.
    Malformed = "malformed", 400, Caller;
    /// Nobody that the server knows is asking.
    Unauthenticated = "unauthenticated", 401, Caller;
    /// A signature does not hold, or is not over what was asked.
    BadSignature = "bad-signature", 403, Caller;
    /// Policy denies it.
    PolicyDenied = "policy-denied", 403, Caller;
    /// The same person would stand on both sides, or an agent would approve.
    SeparationOfDuties = "separation-of-duties", 403, Caller;
    /// No task, or not a live one.
    NoTask = "no-task", 403, Caller;
    /// The credential belongs to another task or identity.
    OtherTask = "other-task", 403, Caller;
    /// Outside the task's resources or actions.
    ScopeExceeded = "scope-exceeded", 403, Caller;
    /// Unknown, or not for this caller to know.
    NotFound = "not-found", 404, Caller;
    /// The path has another method.
    MethodNotAllowed = "method-not-allowed", 405, Caller;
    /// It is not in a state in which that can happen.
    WrongState = "wrong-state", 409, Caller;
    /// Names, bounds or references in the content do not hold.
    Invalid = "invalid", 422, Caller;
    /// What was signed is no longer what is true.
    Stale = "stale", 409, Caller;
    /// A limit is reached.
    Limit = "limit", 429, Caller;
    /// A charter section is not signed.
    Unchartered = "unchartered", 403, People;
    /// An owner role or a duty is not held by an active person.
    OwnerMissing = "owner-missing", 403, People;
    /// People must approve first.
    ApprovalRequired = "approval-required", 403, People;
    /// The log can't be written.
    LogUnavailable = "log-unavailable", 503, Operator;
    /// The wall clock is not to be trusted.
    ClockUnsure = "clock-unsure", 503, Operator;
    /// A backend does not answer, or refuses.
    BackendUnavailable = "backend-unavailable", 503, Operator;
    /// Too much waits already, or one caller asks too often.
    Overloaded = "overloaded", 503, Operator;
    /// Our mistake.
    Bug = "bug", 500, Bug;
}

/// A refusal: a code, what is wrong, the next step, what is missing and who can supply it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The wire code.
    pub code: Code,
    /// Lower case, one line, the caller's input in backticks.
    pub message: String,
    /// The next step.
    pub help: String,
    /// What is missing, each by name.
    pub missing: Vec<String>,
    /// Who can supply it: party ids, or roles where nobody holds one.
    pub who_can: Vec<String>,
}

impl Denial {
    /// A refusal with its next step.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), missing: Vec::new(), who_can: Vec::new() }
    }

    /// Adds what is missing.
    #[must_use]
    pub fn missing(mut self, missing: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.missing.extend(missing.into_iter().map(Into::into));
        self
    }

    /// Adds who can supply it.
    #[must_use]
    pub fn who_can(mut self, who: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.who_can.extend(who.into_iter().map(Into::into));
        self
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if !self.missing.is_empty() {
            write!(f, ": missing {}", self.missing.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_one_wire_text() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
            assert!((400..600).contains(&code.status()));
        }
    }
}
