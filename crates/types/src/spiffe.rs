//! SPIFFE IDs (SPIFFE-ID.md, sections 2 to 2.3).

use crate::text::through_text;
use crate::{ParseError, TextValue};
use std::fmt;

/// A trust domain name, at most 255 bytes of `a-z 0-9 . - _`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// The name, without scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SPIFFE ID of the domain's member at `path`.
    ///
    /// # Errors
    /// When the path is not one (section 2.2).
    pub fn member(&self, path: &str) -> Result<SpiffeId, ParseError> {
        SpiffeId::parse(&format!("spiffe://{}{path}", self.0))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TextValue for TrustDomain {
    const WANTED: &'static str = "a trust domain";
    fn parse(text: &str) -> Result<Self, ParseError> {
        // SPIFFE-ID section 2.1: lower-case letters, digits, dots, dashes and underscores; no port, no user.
        let fits = (1..=255).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(text, Self::WANTED, "it is 1 to 255 of `a-z`, `0-9`, `.`, `-` and `_`, without scheme or port"))
        }
    }
}

/// A SPIFFE ID with a path: the name of one workload.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    domain: TrustDomain,
    path: String,
}

impl SpiffeId {
    /// The trust domain.
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// The path, with its leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}{}", self.domain, self.path)
    }
}

impl TextValue for SpiffeId {
    const WANTED: &'static str = "a SPIFFE ID";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        // Section 2.3: longer ones may be refused.
        if text.len() > 2048 {
            return Err(wrong("it is longer than 2048 bytes"));
        }
        // Section 2: the scheme compares without case.
        let rest = match text.split_at_checked(9) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("spiffe://") => rest,
            _ => return Err(wrong("it starts with `spiffe://`")),
        };
        let (domain, path) = rest.split_at(rest.find('/').ok_or_else(|| wrong("it has no path"))?);
        let domain = TrustDomain::parse(domain).map_err(|error| wrong(error.why()))?;
        for segment in path.split('/').skip(1) {
            // Section 2.2: no empty, `.` or `..` segments, no percent-encoding, no trailing slash.
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err(wrong("a path segment is empty, `.` or `..`"));
            }
            if !segment.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
                return Err(wrong("a path segment has a character outside `a-z`, `A-Z`, `0-9`, `.`, `-` and `_`"));
            }
        }
        Ok(Self { domain, path: path.to_owned() })
    }
}

through_text!(TrustDomain, SpiffeId);

#[cfg(test)]
mod tests {
    use super::*;

    /// R43, R46: an identity's name has one strict form.
    #[test]
    fn only_the_forms_of_the_specification_parse() {
        assert_eq!(SpiffeId::parse("spiffe://prod.example/billing/invoicer").unwrap().path(), "/billing/invoicer");
        assert_eq!(SpiffeId::parse("SPIFFE://a/B").unwrap().to_string(), "spiffe://a/B");
        for bad in [
            "", "spiffe:/", "spiffe://", "spiffe://a", "spiffe://a/", "spiffe:///a", "spiffe://A/b", "spiffe://a:80/b",
            "spiffe://u@a/b", "spiffe://a/b?c", "spiffe://a/b#c", "spiffe://a//b", "spiffe://a/./b", "spiffe://a/../b",
            "spiffe://a/b/", "spiffe://a/%41", "spiffe://a/é", "https://a/b", "spiffe://a/b\0", "spiffe://é/b",
        ] {
            assert!(SpiffeId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(SpiffeId::parse(&format!("spiffe://a/{}", "b".repeat(2038))).is_err());
        assert!(SpiffeId::parse(&format!("spiffe://a/{}", "b".repeat(2037))).is_ok());
    }
}
