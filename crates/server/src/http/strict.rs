//! JSON read strictly: objects are objects, no member stands twice, and what is signed is written in one way.
//!
//! `serde` takes an array for a struct, keeps the last of two members with one name inside free values, and reads `60m` where
//! `1h` is written. Each would let two readers of one text understand two things.

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A text of known shape.
///
/// # Errors
/// What is wrong with it, in a line.
pub(super) fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, String> {
    let Once(given) = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let (understood, value) = understood(&given)?;
    difference(&given, &value, "", false).map_or(Ok(understood), Err)
}

/// What people signed: it is judged as it was understood, so it has to be written like that.
///
/// # Errors
/// As [`read`]; also the first place where it is written otherwise.
pub(super) fn written<T: DeserializeOwned + Serialize>(given: Value) -> Result<T, String> {
    let (understood, value) = understood(&given)?;
    difference(&given, &value, "", true).map_or(Ok(understood), Err)
}

fn understood<T: DeserializeOwned + Serialize>(given: &Value) -> Result<(T, Value), String> {
    let understood = T::deserialize(given).map_err(|error| error.to_string())?;
    let value = serde_json::to_value(&understood).map_err(|error| error.to_string())?;
    Ok((understood, value))
}

/// The first difference in kind, or where `exact` in anything.
fn difference(given: &Value, understood: &Value, at: &str, exact: bool) -> Option<String> {
    let place = || if at.is_empty() { "it".to_owned() } else { format!("`{at}`") };
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            let inner = |(name, value): (&String, &Value)| {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                difference(value, understood.get(name)?, &at, exact)
            };
            let missing = || understood.keys().find(|name| exact && !given.contains_key(*name));
            given.iter().find_map(inner).or_else(|| missing().map(|name| format!("{} lacks the member `{name}`", place())))
        }
        (Value::Array(given), Value::Array(understood)) if given.len() == understood.len() || !exact => {
            let pairs = given.iter().zip(understood).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (given, understood))| difference(given, understood, &format!("{at}[{index}]"), exact))
        }
        (Value::Array(_), Value::Object(_)) => Some(format!("{} is an array, not an object", place())),
        _ if exact && given != understood => Some(format!("{} is written {understood}, not {given}", place())),
        _ => None,
    }
}

/// Any value in which no member stands twice.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(out.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some((name, Once(value))) = members.next_entry::<String, _>()? {
            if out.contains_key(&name) {
                return Err(serde::de::Error::custom(format!("the member `{name}` stands twice")));
            }
            out.insert(name, value);
        }
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::Ttl;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
        free: Value,
        #[serde(default)]
        maybe: Option<bool>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        ttl: Ttl,
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let wrong = |text: &str| read::<Outer>(text.as_bytes()).unwrap_err();
        assert!(read::<Outer>(br#"{"inner":{"ttl":"60m"},"free":[[{"a":1}]]}"#).is_ok());
        assert_eq!(wrong(r#"[{"ttl":"1h"},{},null]"#), "it is an array, not an object");
        assert_eq!(wrong(r#"{"inner":["1h"],"free":{}}"#), "`inner` is an array, not an object");
        assert!(wrong(r#"{"inner":{"ttl":"1h"},"free":[{"a":1,"a":2}]}"#).starts_with("the member `a` stands twice"));
        assert!(wrong(r#"{"inner":{"ttl":"1h"},"free":{},"more":1}"#).starts_with("unknown field `more`"));
        assert!(wrong("{").starts_with("EOF"));
    }

    #[test]
    fn what_is_signed_is_written_in_one_way() {
        let judge = |text: &str| written::<Outer>(serde_json::from_str(text).unwrap());
        assert!(judge(r#"{"inner":{"ttl":"1h"},"free":{"b":1,"a":[2]},"maybe":null}"#).is_ok());
        assert_eq!(
            judge(r#"{"inner":{"ttl":"60m"},"free":{},"maybe":null}"#).unwrap_err(),
            "`inner.ttl` is written \"1h\", not \"60m\""
        );
        assert_eq!(judge(r#"{"inner":{"ttl":"1h"},"free":{}}"#).unwrap_err(), "it lacks the member `maybe`");
    }
}
