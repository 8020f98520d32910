//! Free text is looked through for secrets before it is stored: a log keeps what it is given.

use crate::failure::Failure;

/// What an obvious secret begins with, and how many characters of its alphabet follow.
const TOKENS: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "an access key id of AWS"),
    ("ASIA", 16, "an access key id of AWS"),
    ("ghp_", 30, "a token of GitHub"),
    ("gho_", 30, "a token of GitHub"),
    ("ghs_", 30, "a token of GitHub"),
    ("github_pat_", 30, "a token of GitHub"),
    ("glpat-", 16, "a token of GitLab"),
    ("xoxb-", 16, "a token of Slack"),
    ("xoxp-", 16, "a token of Slack"),
    ("sk-ant-", 16, "an API key"),
    ("sk_live_", 16, "an API key"),
    ("hvs.", 16, "a token of Vault"),
    ("eyJhbGciOi", 16, "a JSON web token"),
    ("eyJ0eXAiOi", 16, "a JSON web token"),
];

/// Names that a value follows after `=` or `:`.
const NAMES: &[&str] = &["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "api-key", "access_key"];

/// The kind of secret that `text` seems to hold.
pub(crate) fn found(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    let token = TOKENS.iter().find(|(prefix, rest, _)| {
        let after = |at: usize| text.get(at + prefix.len()..).unwrap_or_default();
        let starts_word = |at: usize| !text.get(..at).unwrap_or_default().ends_with(|c: char| c.is_ascii_alphanumeric());
        text.match_indices(prefix).any(|(at, _)| {
            starts_word(at) && after(at).bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count() >= *rest
        })
    });
    if let Some((_, _, what)) = token {
        return Some(what);
    }
    let lower = text.to_ascii_lowercase();
    let named = NAMES.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let rest = lower.get(at + name.len()..).unwrap_or_default().trim_start();
            let value = rest.strip_prefix(['=', ':']).map(str::trim_start).unwrap_or_default();
            value.bytes().take_while(u8::is_ascii_graphic).count() >= 4
        })
    });
    let in_url = lower.match_indices("://").any(|(at, _)| {
        let authority = lower.get(at + 3..).unwrap_or_default().split(['/', ' ', '\n']).next().unwrap_or_default();
        authority.split_once('@').is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()))
    });
    if named || in_url { Some("a password") } else { None }
}

/// Refuses free text that seems to hold a secret. The text is not quoted.
pub(crate) fn refuse(what: &str, text: &str) -> Result<(), Failure> {
    match found(text) {
        None => Ok(()),
        Some(kind) => Err(Failure::usage(
            format!("the {what} seems to hold {kind}: it would stay in the log"),
            "leave it out; if it was a real secret, replace it where it is used",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log line is for ever: no secret gets into one by way of a description.
    #[test]
    fn obvious_secrets_are_seen_and_ordinary_words_are_not() {
        let key = ["-----BEGIN OPENSSH PRIV", "ATE KEY-----"].concat();
        for secret in [
            key.as_str(),
            "use AKIAIOSFODNN7EXAMPLE please",
            "password=hunter2",
            "Password: hunter2",
            "postgres://app:hunter2@db/billing",
            "ghp_0123456789abcdefghijABCDEFGHIJ0123",
        ] {
            assert!(found(secret).is_some(), "{secret}");
        }
        for fine in
            ["close invoices", "reset the password of nobody", "token", "AKIA is a prefix", "see https://example.org/a:b", ""]
        {
            assert_eq!(found(fine), None, "{fine}");
        }
        let failure = refuse("description", "password=hunter2").unwrap_err();
        assert!(!failure.message.contains("hunter2"));
    }
}
