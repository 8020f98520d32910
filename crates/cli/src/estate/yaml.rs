//! YAML into nodes, each with its place. What an estate file does not need is refused: anchors, aliases, tags, control and
//! reordering characters, great depth.

use super::problem::{Problems, Spot};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::rc::Rc;
use writ_types::is_bidi;

/// The longest file.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;
/// Deeper nesting than any kind has.
const DEPTH_MAX: usize = 12;
/// More nodes than any estate has.
const NODES_MAX: usize = 100_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) spot: Spot,
    pub(crate) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text; `plain` without quotes, so that `true` can be told from `"true"`.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) spot: Spot,
}

/// What is open while the events come.
enum Open {
    List(Spot, Vec<Node>),
    Map(Spot, Vec<(Key, Node)>, Option<Key>),
}

/// The documents of a file. What is wrong is added to `problems`; the documents before it are still there.
pub(crate) fn read(file: &Rc<str>, bytes: &[u8], problems: &mut Problems) -> Vec<Node> {
    let at = |line, column| Spot { file: Rc::clone(file), line, column };
    if bytes.len() > FILE_BYTES_MAX {
        problems.say(&at(1, 1), format!("the file is longer than {FILE_BYTES_MAX} bytes"), "split it into several files");
        return Vec::new();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            let last = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = String::from_utf8_lossy(last).chars().count() + 1;
            problems.say(&at(line, column), "the file is not UTF-8 from here on", "save it as UTF-8");
            return Vec::new();
        }
    };
    if unseen(text, &at, problems) {
        return Vec::new();
    }
    Reader { file, problems, stack: Vec::new(), documents: Vec::new(), nodes: 0 }.read(text)
}

/// Characters that a reader can't see, or that end the file for some readers and not for others.
fn unseen(text: &str, at: &dyn Fn(usize, usize) -> Spot, problems: &mut Problems) -> bool {
    let before = problems.len();
    for (line, content) in text.split('\n').enumerate() {
        // A carriage return ends a line with its newline; alone it would take the cursor back.
        let content = content.strip_suffix('\r').unwrap_or(content);
        let bad = |(column, c): (usize, char)| {
            let fine = c == '\t' || (c == '\u{feff}' && line == 0 && column == 0);
            (!fine && (c.is_control() || is_bidi(c) || c == '\u{feff}')).then_some((column, c))
        };
        if let Some((column, c)) = content.chars().enumerate().find_map(bad) {
            let what = format!("the character {} can't be seen, or reorders what is seen", c.escape_unicode());
            problems.say(&at(line + 1, column + 1), what, "take it out");
        }
    }
    problems.len() > before
}

struct Reader<'a> {
    file: &'a Rc<str>,
    problems: &'a mut Problems,
    stack: Vec<Open>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Reader<'_> {
    fn read(mut self, text: &str) -> Vec<Node> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let go_on = match event {
                Ok((event, span)) => self.event(event, span),
                Err(error) => self.broken(&error),
            };
            if !go_on {
                break;
            }
        }
        self.documents
    }

    fn spot(&self, line: usize, column: usize) -> Spot {
        Spot { file: Rc::clone(self.file), line: line.max(1), column: column + 1 }
    }

    fn broken(&mut self, error: &ScanError) -> bool {
        let spot = self.spot(error.marker().line(), error.marker().col());
        // A comment after `: ` reads better than a sentence.
        self.problems.say(
            &spot,
            format!("this is not YAML: {}", error.info()),
            "mend it; quote texts that hold `:`, `#`, `*` or `&`",
        );
        false
    }

    /// Takes one event; false if the rest can't be read.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        let spot = self.spot(span.start.line(), span.start.col());
        match event {
            Event::Alias(_) => self.refuse(&spot, "an alias", "write the value out"),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) if anchor != 0 => {
                self.refuse(&spot, "an anchor", "write the value out where it is used")
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                self.refuse(&spot, "a tag", "leave the tag out")
            }
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                self.put(Node { spot, value: Value::Scalar { text: text.into_owned(), plain } })
            }
            Event::SequenceStart(..) => self.open(Open::List(spot, Vec::new())),
            Event::MappingStart(..) => self.open(Open::Map(spot, Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => true,
        }
    }

    fn refuse(&mut self, spot: &Spot, what: &str, help: &str) -> bool {
        self.problems.say(spot, format!("{what} has no place in an estate file"), help);
        false
    }

    fn open(&mut self, open: Open) -> bool {
        let (Open::List(spot, _) | Open::Map(spot, ..)) = &open;
        if self.stack.len() >= DEPTH_MAX {
            self.problems.say(
                spot,
                format!("this is nested deeper than {DEPTH_MAX}"),
                "no kind of document needs that: flatten it",
            );
            return false;
        }
        self.stack.push(open);
        true
    }

    fn close(&mut self) -> bool {
        match self.stack.pop() {
            Some(Open::List(spot, items)) => self.put(Node { spot, value: Value::List(items) }),
            Some(Open::Map(spot, members, _)) => self.put(Node { spot, value: Value::Map(members) }),
            None => true,
        }
    }

    fn put(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            self.problems.say(&node.spot, format!("the file holds more than {NODES_MAX} values"), "split it into several files");
            return false;
        }
        match self.stack.last_mut() {
            None => self.documents.push(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, members, key)) => match key.take() {
                Some(key) => members.push((key, node)),
                None => return self.key(node),
            },
        }
        true
    }

    /// A node where a key is to stand.
    fn key(&mut self, node: Node) -> bool {
        let Some(Open::Map(_, members, key)) = self.stack.last_mut() else { return true };
        let Node { spot, value: Value::Scalar { text, .. } } = node else {
            self.problems.say(&node.spot, "a key is a word, not a list or a map", "write `key: value`");
            return false;
        };
        if let Some((first, _)) = members.iter().find(|(known, _)| known.text == text) {
            let what = format!("key `{}` stands here twice, first in line {}", shown(&text), first.spot.line);
            self.problems.say(&spot, what, "leave one of them out");
        }
        *key = Some(Key { text, spot });
        true
    }
}

/// Text of a file in a message: short, and without what can't be seen.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(64).collect();
    let more = if text.chars().nth(64).is_some() { "…" } else { "" };
    format!("{}{more}", crate::show::plain(&short))
}
