//! A refusal that is itself evidence.

use writ_ledger::Actor;
use writ_ledger::body::Evaluation;
use writ_types::Denial;

/// Why a command is refused, and what of it goes into the log.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What the caller is told.
    pub(crate) denial: Denial,
    /// What is logged; none where the caller is nobody that the log knows.
    pub(crate) record: Option<Box<Record>>,
}

/// A refusal as the log keeps it.
#[derive(Debug)]
pub(crate) struct Record {
    /// Who asked.
    pub(crate) actor: Actor,
    /// What was asked for, in a word.
    pub(crate) command: &'static str,
    /// What it was about.
    pub(crate) on: Vec<String>,
    /// What policy said, as far as it was asked.
    pub(crate) evaluations: Vec<Evaluation>,
}

impl From<Denial> for Refusal {
    /// A refusal that only the caller is told: the request itself is wrong.
    fn from(denial: Denial) -> Self {
        Self { denial, record: None }
    }
}

impl Record {
    /// A refusal of `command` to `actor`, kept in the log.
    pub(crate) fn refuse(self, denial: Denial) -> Refusal {
        Refusal { denial, record: Some(Box::new(self)) }
    }
}
