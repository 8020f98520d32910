//! What attestation can say of a process, and the bounds within which a charter lets identities ask for it.

use crate::text::{is_bidi, through_text};
use crate::{Digest, ParseError, TextValue};
use std::fmt;

/// The longest path that is compared. A selector stands in signed content and in entries, which are bounded.
const PATH_BYTES_MAX: usize = 1024;

/// One fact about a workload, as attestation found it or as an identity asks for it.
///
/// Text: `unix:uid:1001`, `unix:gid:1001`, `unix:path:/opt/invoicer`, `unix:sha256:<64 lower-case hexadecimal digits>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// The user that the process connected as.
    Uid(u32),
    /// The group that the process connected as.
    Gid(u32),
    /// Where the executable lies, in the file system that the attestor sees.
    Path(ExecutablePath),
    /// The digest of the executable's content.
    Sha256(Digest),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "unix:uid:{uid}"),
            Self::Gid(gid) => write!(f, "unix:gid:{gid}"),
            Self::Path(path) => write!(f, "unix:path:{path}"),
            Self::Sha256(digest) => write!(f, "unix:{digest}"),
        }
    }
}

impl TextValue for Selector {
    const WANTED: &'static str = "a selector";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        match split(text) {
            Some(("uid", value)) => number(value).map(Self::Uid).ok_or_else(|| wrong(NUMBER)),
            Some(("gid", value)) => number(value).map(Self::Gid).ok_or_else(|| wrong(NUMBER)),
            Some(("path", value)) => ExecutablePath::parse(value).map(Self::Path).map_err(|error| wrong(error.why())),
            Some(("sha256", _)) => digest(text).map(Self::Sha256).ok_or_else(|| wrong(DIGEST)),
            _ => Err(wrong(KINDS)),
        }
    }
}

/// A bound on selectors, as a charter's platform section states it.
///
/// Text: a selector, or `unix:uid:1000-1999` and `unix:gid:1000-1999` (both ends included), `unix:path:/opt/*` (everything below
/// the directory, at any depth), `unix:sha256:*` (any digest).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SelectorPattern {
    /// Users from the first to the last.
    Uids(u32, u32),
    /// Groups from the first to the last.
    Gids(u32, u32),
    /// One executable.
    Path(ExecutablePath),
    /// Every executable below a directory.
    Below(ExecutablePath),
    /// One digest.
    Sha256(Digest),
    /// Any digest.
    AnySha256,
}

impl SelectorPattern {
    /// Whether the bound lets an identity ask for `selector`.
    pub fn allows(&self, selector: &Selector) -> bool {
        match (self, selector) {
            (Self::Uids(first, last), Selector::Uid(id)) | (Self::Gids(first, last), Selector::Gid(id)) => {
                (first..=last).contains(&id)
            }
            (Self::Path(bound), Selector::Path(path)) => bound == path,
            (Self::Below(directory), Selector::Path(path)) => path.is_below(directory),
            (Self::Sha256(bound), Selector::Sha256(digest)) => bound == digest,
            (Self::AnySha256, Selector::Sha256(_)) => true,
            _ => false,
        }
    }

    /// Whether everything that `narrower` allows is allowed here too: narrowing a charter needs no signature.
    pub fn covers(&self, narrower: &Self) -> bool {
        match (self, narrower) {
            (Self::Uids(first, last), Self::Uids(low, high)) | (Self::Gids(first, last), Self::Gids(low, high)) => {
                first <= low && high <= last
            }
            (Self::Below(directory), Self::Below(inner)) => directory == inner || inner.is_below(directory),
            (_, Self::Path(path)) => self.allows(&Selector::Path(path.clone())),
            (_, Self::Sha256(digest)) => self.allows(&Selector::Sha256(*digest)),
            (Self::AnySha256, Self::AnySha256) => true,
            _ => false,
        }
    }
}

impl fmt::Display for SelectorPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uids(first, last) if first == last => write!(f, "unix:uid:{first}"),
            Self::Uids(first, last) => write!(f, "unix:uid:{first}-{last}"),
            Self::Gids(first, last) if first == last => write!(f, "unix:gid:{first}"),
            Self::Gids(first, last) => write!(f, "unix:gid:{first}-{last}"),
            Self::Path(path) => write!(f, "unix:path:{path}"),
            Self::Below(directory) => write!(f, "unix:path:{directory}/*"),
            Self::Sha256(digest) => write!(f, "unix:{digest}"),
            Self::AnySha256 => f.write_str("unix:sha256:*"),
        }
    }
}

impl TextValue for SelectorPattern {
    const WANTED: &'static str = "a bound on selectors";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        match split(text) {
            Some(("uid", value)) => range(value).map(|(first, last)| Self::Uids(first, last)).map_err(wrong),
            Some(("gid", value)) => range(value).map(|(first, last)| Self::Gids(first, last)).map_err(wrong),
            Some(("path", value)) => {
                let (path, below) = value.strip_suffix("/*").map_or((value, false), |directory| (directory, true));
                let path = ExecutablePath::parse(path).map_err(|error| wrong(error.why()))?;
                Ok(if below { Self::Below(path) } else { Self::Path(path) })
            }
            Some(("sha256", "*")) => Ok(Self::AnySha256),
            Some(("sha256", _)) => digest(text).map(Self::Sha256).ok_or_else(|| wrong(DIGEST)),
            _ => Err(wrong(KINDS)),
        }
    }
}

/// The absolute path of an executable, in its one plain form: no empty, `.` or `..` part, nothing that a reader can't see, no `*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutablePath(String);

impl ExecutablePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path lies below `directory`, at any depth.
    fn is_below(&self, directory: &Self) -> bool {
        self.0.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for ExecutablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TextValue for ExecutablePath {
    const WANTED: &'static str = "the path of an executable";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        if text.len() > PATH_BYTES_MAX {
            return Err(wrong("it is longer than 1024 bytes"));
        }
        let Some(relative) = text.strip_prefix('/') else { return Err(wrong("a path starts with `/`")) };
        if relative.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("a part of the path is empty, `.` or `..`"));
        }
        if text.chars().any(|c| c.is_control() || is_bidi(c) || c == '*') {
            return Err(wrong("the path has a control or reordering character, or a `*`"));
        }
        Ok(Self(text.to_owned()))
    }
}

through_text!(Selector, SelectorPattern, ExecutablePath);

const KINDS: &str = "it starts with `unix:uid:`, `unix:gid:`, `unix:path:` or `unix:sha256:`";
const NUMBER: &str = "an id is a decimal number below 4294967295, without sign or leading zero";
const DIGEST: &str = "a digest is 64 lower-case hexadecimal digits";

/// The kind and the value of `unix:<kind>:<value>`.
fn split(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("unix:")?.split_once(':')
}

/// A uid or gid in its one decimal form. The last value means "no id" to the kernel.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| plain && *number != u32::MAX)
}

/// `1000-1999`, or one number. A range of one has one form: the number.
fn range(text: &str) -> Result<(u32, u32), &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = number(first).zip(number(last)).ok_or(NUMBER)?;
    match text.contains('-') {
        true if first >= last => Err("the range does not go up"),
        _ => Ok((first, last)),
    }
}

/// The digest in `unix:sha256:<digits>`.
fn digest(text: &str) -> Option<Digest> {
    Digest::parse(text.strip_prefix("unix:")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "unix:sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn selector(text: &str) -> Selector {
        Selector::parse(text).unwrap()
    }

    fn pattern(text: &str) -> SelectorPattern {
        SelectorPattern::parse(text).unwrap()
    }

    /// R46: what an identity is bound to has one strict form.
    #[test]
    fn every_form_prints_back_as_it_was_read() {
        for text in ["unix:uid:0", "unix:uid:1001", "unix:gid:4294967294", "unix:path:/opt/in voicer-é", "unix:path:/a", SHA] {
            assert_eq!(selector(text).to_string(), text);
            assert_eq!(pattern(text).to_string(), text);
            assert!(pattern(text).allows(&selector(text)));
        }
        for text in ["unix:uid:1000-1999", "unix:gid:0-1", "unix:path:/opt/*", "unix:sha256:*"] {
            assert_eq!(pattern(text).to_string(), text);
            assert!(Selector::parse(text).is_err(), "{text} is a bound, not a fact");
        }
    }

    /// R46: hostile selectors are refused, shortened and escaped in the error.
    #[test]
    fn hostile_text_is_refused() {
        let long = format!("unix:path:/{}", "a".repeat(64 * 1024));
        for bad in [
            "",
            "unix",
            "unix:",
            "unix:uid",
            "unix:uid:",
            "unix:uid:-1",
            "unix:uid:+1",
            "unix:uid:01",
            "unix:uid: 1",
            "unix:uid:4294967295",
            "unix:uid:99999999999",
            "unix:uid:1-",
            "unix:uid:-",
            "unix:uid:2-1",
            "unix:uid:1-1",
            "unix:uid:1-2-3",
            "unix:name:root",
            "UNIX:uid:1",
            "unix:path:",
            "unix:path:/",
            "unix:path:opt",
            "unix:path:/opt/",
            "unix:path:/opt//x",
            "unix:path:/opt/../etc/x",
            "unix:path:/opt/./x",
            "unix:path:/opt/x\0",
            "unix:path:/opt/\nx",
            "unix:path:/opt/\u{202e}x",
            "unix:path:/*",
            "unix:path:*",
            "unix:path:/o*t/x",
            "unix:path:/opt/*/x",
            "unix:path:/opt/**",
            "unix:sha256:",
            "unix:sha256:AB",
            "unix:sha256:sha256:",
            &long,
        ] {
            assert!(Selector::parse(bad).is_err(), "{bad:?}");
            let shown = SelectorPattern::parse(bad).unwrap_err().to_string();
            assert!(shown.len() < 400 && !shown.contains(['\0', '\n', '\u{202e}']), "{shown}");
        }
    }

    /// R66: an identity stays inside its charter's bounds.
    #[test]
    fn a_bound_allows_what_is_inside_and_nothing_else() {
        let uids = pattern("unix:uid:1000-1999");
        for (text, inside) in
            [("unix:uid:999", false), ("unix:uid:1000", true), ("unix:uid:1999", true), ("unix:uid:2000", false)]
        {
            assert_eq!(uids.allows(&selector(text)), inside, "{text}");
        }
        assert!(!uids.allows(&selector("unix:gid:1000")));
        let below = pattern("unix:path:/opt/*");
        for (text, inside) in [("/opt/x", true), ("/opt/a/x", true), ("/optx", false), ("/opt", false), ("/etc/opt/x", false)] {
            assert_eq!(below.allows(&selector(&format!("unix:path:{text}"))), inside, "{text}");
        }
        assert!(pattern("unix:sha256:*").allows(&selector(SHA)));
        assert!(!below.allows(&selector(SHA)) && !pattern("unix:sha256:*").allows(&selector("unix:uid:1")));
    }

    #[test]
    fn covering_is_the_order_of_narrowing() {
        for (wide, narrow, covers) in [
            ("unix:uid:1000-1999", "unix:uid:1000-1500", true),
            ("unix:uid:1000-1999", "unix:uid:1500", true),
            ("unix:uid:1000-1999", "unix:uid:1500-2000", false),
            ("unix:uid:1000-1999", "unix:gid:1500", false),
            ("unix:path:/opt/*", "unix:path:/opt/a/*", true),
            ("unix:path:/opt/*", "unix:path:/opt/*", true),
            ("unix:path:/opt/*", "unix:path:/opt/a", true),
            ("unix:path:/opt/a", "unix:path:/opt/*", false),
            ("unix:path:/opt/*", "unix:path:/optional/*", false),
            ("unix:sha256:*", SHA, true),
            (SHA, "unix:sha256:*", false),
        ] {
            assert_eq!(pattern(wide).covers(&pattern(narrow)), covers, "{wide} {narrow}");
        }
    }
}
