//! What a person gets instead of an answer, and the exit codes.

use crate::show::plain;
use std::io::Write as _;
use std::path::Path;
use writ_types::{Code, Denial, ParseError};
use writ_wire::client::ClientError;

/// How the command ended. The numbers are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// It failed, or a verification does not hold.
    Failed = 1,
    /// The command line or a file is not as it is to be.
    Usage = 2,
    /// Something was left out.
    LeftOut = 3,
    /// Denied, unknown or forbidden.
    Denied = 4,
    /// It waits for people, or is not closed yet.
    Waiting = 5,
    /// The server can't be reached.
    Unreachable = 6,
}

/// Why a verb did not do what was asked, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Lower case, the caller's input in backticks. Several lines where several things are wrong.
    pub(crate) message: String,
    pub(crate) missing: Vec<String>,
    pub(crate) who_can: Vec<String>,
    pub(crate) help: String,
}

/// What a verb comes to.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit, message: message.into(), missing: Vec::new(), who_can: Vec::new(), help: help.into() }
    }

    pub(crate) fn failed(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message, help)
    }

    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message, help)
    }

    /// A file that can't be read or written.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::failed(format!("`{}`: {error}", path.display()), "check that the file is there and yours")
    }

    /// What should not happen.
    pub(crate) fn bug(what: impl std::fmt::Display) -> Self {
        Self::failed(format!("this should not happen: {what}"), "report this")
    }

    /// Each text with `spell` applied.
    #[must_use]
    pub(crate) fn spelt(mut self, spell: impl Fn(&str) -> String) -> Self {
        self.message = spell(&self.message);
        self.help = spell(&self.help);
        for text in self.missing.iter_mut().chain(&mut self.who_can) {
            *text = spell(text);
        }
        self
    }

    /// True if a text names a party by id.
    pub(crate) fn names_parties(&self) -> bool {
        let texts = [&self.message, &self.help];
        texts.into_iter().chain(&self.missing).chain(&self.who_can).any(|text| text.contains("pty_"))
    }

    /// The lines for standard error.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.message.lines().map(plain).collect();
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, "error: ");
        }
        lines.extend(self.missing.iter().map(|each| format!("missing: {}", plain(each))));
        lines.extend(self.who_can.iter().map(|each| format!("who can: {}", plain(each))));
        if !self.help.is_empty() {
            lines.push(format!("help: {}", plain(&self.help)));
        }
        lines
    }

    /// Writes the failure to standard error; who closed it misses it.
    pub(crate) fn tell(&self) {
        let mut err = std::io::stderr().lock();
        for line in self.lines() {
            if writeln!(err, "{line}").is_err() {
                return;
            }
        }
    }
}

/// The exit code of a refusal by the server.
const fn exit_of(code: Code) -> Exit {
    match code {
        Code::ApprovalRequired => Exit::Waiting,
        Code::Unauthenticated
        | Code::BadSignature
        | Code::PolicyDenied
        | Code::SeparationOfDuties
        | Code::NoTask
        | Code::OtherTask
        | Code::ScopeExceeded
        | Code::NotFound
        | Code::Unchartered
        | Code::OwnerMissing => Exit::Denied,
        Code::Malformed
        | Code::MethodNotAllowed
        | Code::WrongState
        | Code::Invalid
        | Code::Stale
        | Code::Limit
        | Code::LogUnavailable
        | Code::ClockUnsure
        | Code::BackendUnavailable
        | Code::Overloaded
        | Code::Bug => Exit::Failed,
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        let Denial { code, message, help, missing, who_can } = denial;
        Self { exit: exit_of(code), message, missing, who_can, help }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Denied(denial) => (*denial).into(),
            ClientError::Unreachable(_) => Self::new(
                Exit::Unreachable,
                error.to_string(),
                "start the server with `writ serve --dir DIR`, or name its socket",
            ),
            ClientError::Answer(_) => Self::failed(error.to_string(), "check that server and command have the same version"),
        }
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::usage(error.to_string(), "write it in that form")
    }
}

impl From<writ_credential::StatementError> for Failure {
    fn from(error: writ_credential::StatementError) -> Self {
        Self::failed(error.to_string(), "check that server and command have the same version")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_what_is_missing_who_can_supply_it_and_the_next_step() {
        let denial = Denial::new(Code::Unchartered, "refused until named people answer", "sign with `writ sign`");
        let failure = Failure::from(denial.missing(["the business section\u{202e}"]).who_can(["pty_1 (business owner)"]));
        assert_eq!(failure.exit, Exit::Denied);
        assert!(failure.names_parties());
        assert_eq!(
            failure.spelt(|text| text.replace("pty_1", "bob")).lines(),
            [
                "error: refused until named people answer",
                "missing: the business section\\u{202e}",
                "who can: bob (business owner)",
                "help: sign with `writ sign`",
            ]
        );
    }
}
