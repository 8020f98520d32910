//! What a scrap is: by its form where that says so, else by the entry that named it.

use super::book::Book;
use crate::state::State;
use writ_ledger::body::Body;
use writ_types::{IdentityId, Name, ResourceId, TextValue};

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Entry(u64),
    Task,
    Credential,
    Approval,
    Decision,
    Certificate,
    Identity(IdentityId),
    Resource(ResourceId),
    Boundary(Name),
    Party,
    Key,
    Change,
    Thing,
}

impl Subject {
    /// What `scrap` is; none if no entry is about it.
    pub(super) fn of(book: &Book<'_>, scrap: &str) -> Option<Self> {
        if let Ok(place) = scrap.parse::<u64>()
            && place < book.state.size()
        {
            return Some(Self::Entry(place));
        }
        if let Some(boundary) = boundary(book.state, scrap) {
            return Some(Self::Boundary(boundary));
        }
        let first = *book.index.find(scrap).first()?;
        Some(match scrap.split_once('_').map(|(prefix, _)| prefix) {
            Some("ev") => Self::Entry(first),
            Some("tsk") => Self::Task,
            Some("crd" | "writ") => Self::Credential,
            Some("dec") => Self::Decision,
            Some("apr") => Self::Approval,
            Some("pty") => Self::Party,
            Some("chg") => Self::Change,
            Some("idn") => Self::Identity(IdentityId::parse(scrap).ok()?),
            Some("res") => Self::Resource(ResourceId::parse(scrap).ok()?),
            _ => book.newest_about(scrap).find_map(|page| Self::named_in(&page.body, scrap)).unwrap_or(Self::Thing),
        })
    }

    /// What bears this name or number, where the entry is the one that gives it.
    fn named_in(body: &Body, scrap: &str) -> Option<Self> {
        match body {
            Body::IdentitySet(set) if [set.identity.name.as_str(), &set.identity.spiffe_id.to_string()].contains(&scrap) => {
                Some(Self::Identity(set.identity.identity))
            }
            Body::ResourceSet(set) if set.resource.name.as_str() == scrap => Some(Self::Resource(set.resource.resource)),
            Body::SvidsIssued(issued) if issued.rows.iter().any(|row| row.serial == scrap) => Some(Self::Certificate),
            Body::AuthorityChanged(_) => Some(Self::Certificate),
            Body::KeyEnrolled(_) => Some(Self::Key),
            _ => None,
        }
    }

    /// The word for it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Entry(_) => "entry",
            Self::Task => "task",
            Self::Credential => "credential",
            Self::Approval => "approval",
            Self::Decision => "decision",
            Self::Certificate => "certificate",
            Self::Identity(_) => "identity",
            Self::Resource(_) => "resource",
            Self::Boundary(_) => "boundary",
            Self::Party => "party",
            Self::Key => "key",
            Self::Change => "change",
            Self::Thing => "thing",
        }
    }
}

fn boundary(state: &State, scrap: &str) -> Option<Name> {
    let name = Name::parse(scrap).ok()?;
    state.boundaries.get(&name).map(|_| name)
}

/// A serial number as OpenSSL prints it, in upper case and with colons, in the form that the log has. Anything else stays as it is.
pub(super) fn serial(scrap: &str) -> Option<String> {
    let digits = scrap.strip_prefix("serial=").unwrap_or(scrap);
    let digits: String = digits.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
    let is_serial = digits.len() > 2 && digits.chars().all(|c| c.is_ascii_hexdigit());
    is_serial.then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_read_as_openssl_prints_it() {
        for text in ["serial=400EFB50", "40:0e:fb:50", "40:0E:FB:\n    50", "400efb50"] {
            assert_eq!(serial(text).as_deref(), Some("400efb50"), "{text}");
        }
        for text in ["prod", "", ":", "serial=", "40-0E", "tsk_400e"] {
            assert_eq!(serial(text), None, "{text}");
        }
    }
}
