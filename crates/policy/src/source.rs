//! A policy set as texts: what is signed, stored under its digest and compiled.

use crate::errors::PolicySetError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_types::{Digest, Name, TextValue, canonical};

/// The schema whose facts this program fills.
pub(crate) const SCHEMA: &str = include_str!("../base/schema.cedarschema");
const BASE: &str = include_str!("../base/base.cedar");

/// A policy set's texts, not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    schema: String,
    policies: BTreeMap<Name, String>,
}

/// The shape whose canonical form the digest is over.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: String,
    policies: Vec<FormPolicy>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormPolicy {
    id: String,
    text: String,
}

impl PolicySource {
    /// The set that a trust domain starts with.
    pub fn base() -> Self {
        let policies = BASE.split("\n\n").filter_map(|text| {
            let id = text.trim().strip_prefix("@id(\"")?.split('"').next()?;
            Some((Name::parse(id).ok()?, text.trim().to_owned()))
        });
        Self { schema: SCHEMA.to_owned(), policies: policies.collect() }
    }

    /// A set of these texts over this program's schema.
    ///
    /// # Errors
    /// When an id is not a name or stands there twice.
    pub fn of_policies<I: AsRef<str>, T: Into<String>>(
        policies: impl IntoIterator<Item = (I, T)>,
    ) -> Result<Self, PolicySetError> {
        Self::new(SCHEMA, policies)
    }

    /// A set of these texts.
    ///
    /// # Errors
    /// When an id is not a name or stands there twice.
    pub fn new<I: AsRef<str>, T: Into<String>>(
        schema: impl Into<String>,
        policies: impl IntoIterator<Item = (I, T)>,
    ) -> Result<Self, PolicySetError> {
        let mut source = Self { schema: schema.into(), policies: BTreeMap::new() };
        for (id, text) in policies {
            let id = Name::parse(id.as_ref())?;
            if source.policies.insert(id.clone(), text.into()).is_some() {
                return Err(PolicySetError::Twice(id));
            }
        }
        Ok(source)
    }

    /// Reads what [`Self::bytes`] wrote, and nothing else.
    ///
    /// # Errors
    /// When the bytes are not the canonical form of a set.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicySetError> {
        let form: Form = serde_json::from_slice(bytes).map_err(|error| PolicySetError::NotASet(error.to_string()))?;
        let source = Self::new(form.schema, form.policies.into_iter().map(|policy| (policy.id, policy.text)))?;
        // One form only: otherwise one set would have several digests.
        if source.bytes() == bytes {
            Ok(source)
        } else {
            Err(PolicySetError::NotASet("it is not in its canonical form".to_owned()))
        }
    }

    /// The RFC 8785 form of `{"schema":…,"policies":[{"id","text"}…by id]}`: the file under `policy/`.
    pub fn bytes(&self) -> Vec<u8> {
        let policies = self.policies().map(|(id, text)| FormPolicy { id: id.to_string(), text: text.to_owned() });
        let form = Form { schema: self.schema.clone(), policies: policies.collect() };
        // Strings in arrays in an object always have a canonical form.
        canonical(&form).unwrap_or_default()
    }

    /// SHA-256 of [`Self::bytes`]: the set's name.
    pub fn hash(&self) -> Digest {
        Digest::of(&self.bytes())
    }

    /// The schema, in Cedar's own syntax.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The texts, ordered by id.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = (&Name, &str)> {
        self.policies.iter().map(|(id, text)| (id, text.as_str()))
    }

    /// One policy's text.
    pub fn text(&self, id: &Name) -> Option<&str> {
        self.policies.get(id).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R76: a set is named by its content, and the bytes come back as they were.
    #[test]
    fn the_canonical_form_round_trips_and_nothing_else_is_read() {
        let base = PolicySource::base();
        assert_eq!(base.policies().len(), BASE.matches("@id(").count());
        let bytes = base.bytes();
        let read = PolicySource::parse(&bytes).unwrap();
        assert_eq!((read.hash(), &read), (base.hash(), &base));
        assert!(bytes.starts_with(b"{\"policies\":[{\"id\":\"administer\",\"text\":\"@id("));

        let mut spaced = bytes.clone();
        spaced.push(b'\n');
        for wrong in [&b""[..], b"{}", b"[]", br#"{"policies":[],"schema":"","x":1}"#, &spaced] {
            assert!(matches!(PolicySource::parse(wrong), Err(PolicySetError::NotASet(_))));
        }
        assert!(PolicySource::new("", [("a", ""), ("a", "")]).is_err());
        assert!(PolicySource::new("", [("A b", "")]).is_err());
    }

    #[test]
    fn any_change_changes_the_name() {
        let one = PolicySource::of_policies([("a", "x")]).unwrap();
        let names = [
            one.hash(),
            PolicySource::of_policies([("a", "y")]).unwrap().hash(),
            PolicySource::of_policies([("b", "x")]).unwrap().hash(),
            PolicySource::new("", [("a", "x")]).unwrap().hash(),
        ];
        assert_eq!(std::collections::BTreeSet::from(names).len(), names.len());
    }
}
