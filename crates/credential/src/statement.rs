//! What a person signs: one statement, in one form of bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{ActKind, CanonicalError, Digest, OwnerRole, Time, canonical, is_bidi};

/// Longest statement that is read, in bytes.
const STATEMENT_BYTES_MAX: usize = 4096;

/// A person's answer, bound to one log and to the exact content that it is about.
///
/// Its bytes are the RFC 8785 form of `{"writ":"v1","origin","act","id","digest","as","expires","nonce"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The log in which it counts.
    pub origin: String,
    /// What the signature does.
    pub act: ActKind,
    /// What is answered: a change set, an approval, a task…
    pub id: String,
    /// [`content_digest`] of what is answered.
    pub digest: Digest,
    /// The owner roles in which the person answers, each once. Empty where no role is needed.
    pub as_roles: Vec<OwnerRole>,
    /// After this it counts no more.
    pub expires: Time,
    /// At least 128 random bits in base64url or hexadecimal, so that no two statements are alike.
    pub nonce: String,
}

/// Why something is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is longer than what is read.
    #[error("the statement is {0} bytes; at most {STATEMENT_BYTES_MAX} are read")]
    TooLong(usize),
    /// Not JSON, a member missing, unknown or of the wrong shape.
    #[error("the statement can't be read: {0}")]
    Shape(String),
    /// Another version.
    #[error("the statement's `writ` is not `v1`")]
    Version,
    /// A member's text is too short, too long or has characters that it may not have.
    #[error("the statement's `{member}` is wrong: {why}")]
    Member {
        /// Which.
        member: &'static str,
        /// What it is to be.
        why: &'static str,
    },
    /// The bytes are not the RFC 8785 form of what they say.
    #[error("the statement is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// The content has no RFC 8785 form.
    #[error("the content has no canonical form: {0}")]
    Content(#[from] CanonicalError),
}

/// The statement as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    writ: String,
    origin: String,
    act: ActKind,
    id: String,
    digest: Digest,
    #[serde(rename = "as")]
    as_roles: Vec<OwnerRole>,
    expires: Time,
    nonce: String,
}

impl Statement {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// When a member breaks its rule.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementError> {
        self.check()?;
        Ok(canonical(&self.form())?)
    }

    /// The statement as the JSON value that stands in an entry.
    ///
    /// # Errors
    /// When a member breaks its rule.
    pub fn to_value(&self) -> Result<Value, StatementError> {
        self.check()?;
        serde_json::to_value(self.form()).map_err(|error| shape(&error))
    }

    /// Reads signed bytes: the RFC 8785 form and nothing else.
    ///
    /// # Errors
    /// When they are something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(StatementError::TooLong(bytes.len()));
        }
        let form: Form = serde_json::from_slice(bytes).map_err(|error| shape(&error))?;
        let statement = Self::from_form(form)?;
        if statement.to_bytes()? == bytes { Ok(statement) } else { Err(StatementError::NotCanonical) }
    }

    /// Reads the value that stands in an entry.
    ///
    /// # Errors
    /// When a member is missing, unknown or wrong.
    pub fn from_value(value: &Value) -> Result<Self, StatementError> {
        let form = Form::deserialize(value).map_err(|error| shape(&error))?;
        Self::from_form(form)
    }

    fn from_form(form: Form) -> Result<Self, StatementError> {
        if form.writ != "v1" {
            return Err(StatementError::Version);
        }
        let Form { origin, act, id, digest, as_roles, expires, nonce, .. } = form;
        let statement = Self { origin, act, id, digest, as_roles, expires, nonce };
        statement.check()?;
        Ok(statement)
    }

    fn form(&self) -> Form {
        let Self { origin, act, id, digest, as_roles, expires, nonce } = self.clone();
        Form { writ: "v1".to_owned(), origin, act, id, digest, as_roles, expires, nonce }
    }

    fn check(&self) -> Result<(), StatementError> {
        let wrong = |member, why| Err(StatementError::Member { member, why });
        if !is_token(&self.origin, 1..=512) {
            return wrong("origin", "it is 1 to 512 visible characters of ASCII");
        }
        if !is_token(&self.id, 1..=128) {
            return wrong("id", "it is 1 to 128 visible characters of ASCII");
        }
        if !is_token(&self.nonce, 22..=64) || !self.nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
            return wrong("nonce", "it is 22 to 64 of `a-z`, `A-Z`, `0-9`, `-` and `_`");
        }
        let mut roles = self.as_roles.clone();
        roles.sort_unstable();
        roles.dedup();
        if roles.len() != self.as_roles.len() {
            return wrong("as", "a role stands in it twice");
        }
        Ok(())
    }
}

/// What a statement's `digest` is: SHA-256 of the RFC 8785 form of the content that is answered.
///
/// # Errors
/// When the content has no such form.
pub fn content_digest(content: &Value) -> Result<Digest, StatementError> {
    Ok(Digest::of(&canonical(content)?))
}

/// What the JSON reader says, on one line of at most 200 characters: it quotes what it read.
fn shape(error: &serde_json::Error) -> StatementError {
    let mut line = String::new();
    for c in error.to_string().chars().take(200) {
        if c.is_control() || is_bidi(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    StatementError::Shape(line)
}

fn is_token(text: &str, bytes: std::ops::RangeInclusive<usize>) -> bool {
    bytes.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn statement() -> Statement {
        Statement {
            origin: "writ.example/prod".to_owned(),
            act: ActKind::Approve,
            id: "apr_00000000000000000000000000000001".to_owned(),
            digest: content_digest(&json!({"b": 1, "a": [true]})).unwrap(),
            as_roles: vec![OwnerRole::Business, OwnerRole::Control],
            expires: Time::from_micros(1_795_341_600_000_001),
            nonce: "0123456789abcdefABCDEF".to_owned(),
        }
    }

    /// R72: what a person signs is one form of bytes, that anybody can rebuild.
    #[test]
    fn the_bytes_are_those_of_the_contract() {
        let bytes = statement().to_bytes().unwrap();
        let wanted = format!(
            "{{\"act\":\"approve\",\"as\":[\"business\",\"control\"],\"digest\":\"{}\",\"expires\":\"2026-11-22T10:00:00.000001Z\",\
             \"id\":\"apr_00000000000000000000000000000001\",\"nonce\":\"0123456789abcdefABCDEF\",\"origin\":\"writ.example/prod\",\
             \"writ\":\"v1\"}}",
            Digest::of(br#"{"a":[true],"b":1}"#)
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), wanted);
        assert_eq!(Statement::from_bytes(&bytes).unwrap(), statement());
        assert_eq!(Statement::from_value(&statement().to_value().unwrap()).unwrap(), statement());
    }

    #[test]
    fn anything_else_is_refused() {
        let good = statement().to_value().unwrap();
        let with = |name: &str, value: Value| {
            let mut changed = good.clone();
            changed[name] = value;
            changed
        };
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove("nonce");
        for bad in [
            less,
            with("writ", json!("v2")),
            with("more", json!(1)),
            with("mo\nre\u{202e}", json!(1)),
            with(&"m".repeat(64 * 1024), json!(1)),
            with("act", json!("sign")),
            with("as", json!(["business", "business"])),
            with("as", json!(["owner"])),
            with("digest", json!("sha256:00")),
            with("expires", json!("2026-11-22T10:00:00Z")),
            with("id", json!("")),
            with("id", json!("a b")),
            with("id", json!("a\u{202e}b")),
            with("origin", json!("a\0")),
            with("origin", json!("a".repeat(64 * 1024))),
            with("nonce", json!("short")),
            json!([good]),
        ] {
            let error = Statement::from_value(&bad).unwrap_err().to_string();
            assert!(!error.contains(['\0', '\n', '\u{202e}']) && error.len() < 1000, "{error}");
        }
        let text = String::from_utf8(statement().to_bytes().unwrap()).unwrap();
        assert_eq!(Statement::from_bytes(format!("{text}\n").as_bytes()), Err(StatementError::NotCanonical));
        assert_eq!(Statement::from_bytes(format!(" {text}").as_bytes()), Err(StatementError::NotCanonical));
        let twice = text.replacen('{', "{\"act\":\"approve\",", 1);
        assert!(matches!(Statement::from_bytes(twice.as_bytes()), Err(StatementError::Shape(_))));
        assert!(matches!(Statement::from_bytes(&[b' '; 5000]), Err(StatementError::TooLong(5000))));
        assert!(matches!(Statement::from_bytes("[".repeat(4000).as_bytes()), Err(StatementError::Shape(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn what_is_read_is_written_back_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..300, to in any::<u8>()) {
            let _ = Statement::from_bytes(&bytes);
            let mut changed = statement().to_bytes().unwrap();
            let at = at % changed.len();
            changed[at] = to;
            if let Ok(read) = Statement::from_bytes(&changed) {
                prop_assert_eq!(read.to_bytes().unwrap(), changed);
            }
        }
    }
}
