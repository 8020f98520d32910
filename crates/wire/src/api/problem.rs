//! Errors (RFC 9457).

use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use writ_types::{Code, Denial};

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The phrase of the HTTP status (RFC 9457 section 4.2.1: what `about:blank` asks for).
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong: lower case, one line.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// The next step.
    pub help: String,
    /// What is missing, each by name.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Who can supply it.
    #[serde(default)]
    pub who_can: Vec<String>,
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: phrase(denial.code.status()).to_owned(),
            status: denial.code.status(),
            detail: denial.message,
            code: denial.code.as_str().to_owned(),
            help: denial.help,
            missing: denial.missing,
            who_can: denial.who_can,
        }
    }
}

fn phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

impl From<Problem> for Denial {
    fn from(problem: Problem) -> Self {
        let code = Code::from_text(&problem.code).unwrap_or(Code::Bug);
        Self { code, message: problem.detail, help: problem.help, missing: problem.missing, who_can: problem.who_can }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_travels_and_comes_back() {
        for code in Code::ALL {
            let denial = Denial::new(*code, "no", "do this").missing(["a"]).who_can(["b"]);
            assert_eq!(Denial::from(Problem::from(denial.clone())), denial);
        }
    }
}
