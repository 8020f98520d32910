//! What can go wrong at a backend, by who must act.

use std::time::Duration;
use writ_types::{Code, Fault};

/// Why an effect did not happen, or may not have. Never carries a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// It does not answer. The operator looks after the backend; a later try may succeed.
    #[error("`{backend}` does not answer: {cause}")]
    Unreachable {
        /// Its address.
        backend: String,
        /// The cause.
        cause: String,
        /// True if the effect had been asked for before the answer failed to come.
        asked: bool,
    },
    /// It took too long.
    #[error("`{backend}` did not {what} within {} ms", limit.as_millis())]
    TimedOut {
        /// Its address.
        backend: String,
        /// What it was to do.
        what: &'static str,
        /// The limit.
        limit: Duration,
        /// True if the effect had been asked for.
        asked: bool,
    },
    /// Every connection is in use.
    #[error("no connection to `{backend}` became free to {what} within {} ms", limit.as_millis())]
    Busy {
        /// Its address.
        backend: String,
        /// For what.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// It refuses. The operator reads the message.
    #[error("`{backend}` refuses: {message} ({sqlstate})")]
    Refused {
        /// Its address.
        backend: String,
        /// The five characters of its code.
        sqlstate: String,
        /// Its message.
        message: String,
    },
    /// Another installation's mark is on it, or none.
    #[error("`{backend}` does not carry this installation's mark: it is left alone")]
    Foreign {
        /// Its address.
        backend: String,
    },
    /// Its mark is of another epoch: another server has taken over, or this one has not marked it yet.
    #[error("`{backend}` is at another epoch: {message}")]
    Epoch {
        /// Its address.
        backend: String,
        /// Which.
        message: String,
    },
    /// The credential, or its user, was made or ended before.
    #[error("`{backend}` has made or ended this credential before")]
    Spent {
        /// Its address.
        backend: String,
    },
    /// As many users exist as the DBA allows.
    #[error("`{backend}` holds as many task users as its list allows")]
    Full {
        /// Its address.
        backend: String,
    },
    /// How it is described can't be. The operator changes the estate or the passfile.
    #[error("{0}")]
    Settings(String),
    /// Our mistake.
    #[error("bug: {0}")]
    Bug(String),
}

impl ConnectError {
    /// The wire code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Busy { .. } => Code::Overloaded,
            Self::Full { .. } => Code::Limit,
            Self::Spent { .. } | Self::Bug(_) => Code::Bug,
            _ => Code::BackendUnavailable,
        }
    }

    /// Who must act.
    pub const fn fault(&self) -> Fault {
        match self {
            // The list is the DBA's; the caller can't shorten it.
            Self::Full { .. } => Fault::Operator,
            _ => self.code().fault(),
        }
    }

    /// True if the user may exist all the same.
    pub const fn may_have_made(&self) -> bool {
        matches!(self, Self::Unreachable { asked: true, .. } | Self::TimedOut { asked: true, .. })
    }
}
