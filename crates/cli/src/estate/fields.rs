//! Nodes into values, with a problem for everything that is not as it is to be.

use super::nearest::suggestion;
use super::problem::{Problems, Spot};
use super::yaml::{Key, Node, Value, shown};
use std::collections::BTreeMap;
use writ_types::TextValue;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) spot: Spot,
}

/// A map whose keys are known beforehand.
pub(crate) struct Fields<'a> {
    /// What it is, with its article: `the spec of a boundary`.
    what: &'static str,
    pub(crate) spot: Spot,
    members: &'a [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The map in `node`.
    pub(crate) fn of(node: &'a Node, what: &'static str, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(members) => Some(Self { what, spot: node.spot.clone(), members, known: Vec::new() }),
            other => {
                problems.say(&node.spot, format!("{what} is {}", other.word()), "write a map of `key: value`");
                None
            }
        }
    }

    /// The node of a key that may be left out.
    pub(crate) fn may(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        self.members.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// The node of a key that must be there.
    pub(crate) fn must(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        let node = self.may(name);
        if node.is_none() {
            problems.say(&self.spot, format!("{} has no `{name}`", self.what), format!("add `{name}: …`"));
        }
        node
    }

    /// Refuses every key that nobody asked for.
    pub(crate) fn finish(self, problems: &mut Problems) {
        for (key, _) in self.members.iter().filter(|(key, _)| !self.known.contains(&key.text.as_str())) {
            let what = format!("`{}` is not a key of {}", shown(&key.text), self.what);
            problems.say(&key.spot, what, suggestion(&key.text, self.known.iter().copied()));
        }
    }
}

impl Value {
    /// What it is, for a message.
    const fn word(&self) -> &'static str {
        match self {
            Self::Scalar { .. } => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// A text; nothing at all is not one.
pub(crate) fn text<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, plain } if *plain && matches!(text.as_str(), "" | "~" | "null") => {
            problems.say(&node.spot, format!("{what} is empty"), "write a value, or leave the key out");
            None
        }
        Value::Scalar { text, .. } => Some(text),
        other => {
            problems.say(&node.spot, format!("{what} is {}", other.word()), "write a single value");
            None
        }
    }
}

/// A value with one textual form.
pub(crate) fn value<T: TextValue>(node: &Node, what: &str, problems: &mut Problems) -> Option<At<T>> {
    let text = text(node, what, problems)?;
    match T::parse(text) {
        Ok(value) => Some(At { value, spot: node.spot.clone() }),
        Err(error) => {
            problems.say(&node.spot, format!("{what} `{}` is not {}", shown(text), T::WANTED), error.why());
            None
        }
    }
}

/// One of a closed list of words; the nearest is named where it is another.
pub(crate) fn word<T: TextValue + Copy>(node: &Node, what: &str, known: &[T], problems: &mut Problems) -> Option<T> {
    let text = text(node, what, problems)?;
    if let Some(found) = T::parse(text).ok().filter(|found| known.iter().any(|each| each.to_string() == found.to_string())) {
        return Some(found);
    }
    let words: Vec<String> = known.iter().map(ToString::to_string).collect();
    problems.say(
        &node.spot,
        format!("{what} `{}` is not {}", shown(text), T::WANTED),
        suggestion(text, words.iter().map(String::as_str)),
    );
    None
}

/// `true` or `false`.
pub(crate) fn boolean(node: &Node, what: &str, problems: &mut Problems) -> Option<bool> {
    match &node.value {
        Value::Scalar { text, plain: true } if text == "true" => Some(true),
        Value::Scalar { text, plain: true } if text == "false" => Some(false),
        _ => {
            problems.say(&node.spot, format!("{what} is neither `true` nor `false`"), "write one of them, without quotes");
            None
        }
    }
}

/// A whole number.
pub(crate) fn number(node: &Node, what: &str, problems: &mut Problems) -> Option<u32> {
    let text = text(node, what, problems)?;
    let parsed = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    if parsed.is_none() {
        problems.say(&node.spot, format!("{what} `{}` is not a whole number", shown(text)), "write digits");
    }
    parsed
}

/// A short line for people: no control or reordering characters.
pub(crate) fn line(node: &Node, what: &str, problems: &mut Problems) -> Option<String> {
    let text = text(node, what, problems)?;
    if let Err(why) = check_line(text) {
        problems.say(&node.spot, format!("{what} `{}` {why}", shown(text)), "write it on one line of 1 to 256 characters");
        return None;
    }
    if let Some(kind) = crate::leak::found(text) {
        problems.say(&node.spot, format!("{what} seems to hold {kind}"), "take it out: what is filed stays in the log");
        return None;
    }
    Some(text.to_owned())
}

/// What is wrong with a short line for people.
pub(crate) fn check_line(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.chars().count() > 256 {
        return Err("is empty or too long");
    }
    if text.trim() != text || text.chars().any(|c| c.is_control() || writ_types::is_bidi(c)) {
        return Err("has a space at its end, or a character that can't be seen");
    }
    Ok(())
}

/// The nodes of a list.
pub(crate) fn list<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> &'a [Node] {
    match &node.value {
        Value::List(items) => items,
        other => {
            problems.say(&node.spot, format!("{what} is {}", other.word()), "write a list: `[a, b]`");
            &[]
        }
    }
}

/// The values of a list; each once.
pub(crate) fn values<T: TextValue + PartialEq>(node: &Node, what: &str, problems: &mut Problems) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for item in list(node, what, problems) {
        let Some(At { value, spot }) = value::<T>(item, what, problems) else { continue };
        if out.contains(&value) {
            problems.say(&spot, format!("{what} `{}` stands there twice", shown(&value.to_string())), "leave one of them out");
        } else {
            out.push(value);
        }
    }
    out
}

/// A map from one of a closed list of words to something.
pub(crate) fn by_word<K: TextValue + Copy + Ord, V>(
    node: &Node,
    what: &'static str,
    known: &[K],
    problems: &mut Problems,
    read: impl Fn(&Node, &mut Problems) -> Option<V>,
) -> BTreeMap<K, V> {
    let mut out = BTreeMap::new();
    let Value::Map(members) = &node.value else {
        problems.say(&node.spot, format!("{what} is {}", node.value.word()), "write a map of `key: value`");
        return out;
    };
    for (key, value) in members {
        let as_node = Node { spot: key.spot.clone(), value: Value::Scalar { text: key.text.clone(), plain: false } };
        let key = word(&as_node, &format!("a key of {what}"), known, problems);
        let value = read(value, problems);
        if let (Some(key), Some(value)) = (key, value) {
            out.insert(key, value);
        }
    }
    out
}

/// A map from names to something.
pub(crate) fn by_name<K: TextValue + Ord, V>(
    node: &Node,
    what: &'static str,
    problems: &mut Problems,
    read: impl Fn(&Node, &mut Problems) -> V,
) -> BTreeMap<K, V> {
    let mut out = BTreeMap::new();
    let Value::Map(members) = &node.value else {
        problems.say(&node.spot, format!("{what} is {}", node.value.word()), "write a map of `key: value`");
        return out;
    };
    for (key, member) in members {
        let as_node = Node { spot: key.spot.clone(), value: Value::Scalar { text: key.text.clone(), plain: false } };
        let read = read(member, problems);
        if let Some(key) = value::<K>(&as_node, &format!("a key of {what}"), problems) {
            out.insert(key.value, read);
        }
    }
    out
}
