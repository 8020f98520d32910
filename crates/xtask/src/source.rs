//! Rust source as the checks read it: comments and literals blanked, so that a word in a sentence is not code.

/// One source file: its text, and the same text with every comment, string and character literal turned to spaces.
///
/// Both have the same lines, so a line number found in one holds in the other.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) code: String,
}

/// A function with a body: its name, the modules around it, and where it stands (lines from 1, both inclusive).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) modules: Vec<String>,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Function {
    pub(crate) fn lines(&self) -> usize {
        self.last + 1 - self.first
    }
}

impl Source {
    pub(crate) fn new(text: String) -> Self {
        let code = blank(&text);
        Self { text, code }
    }

    /// How many lines stand before the test module, which is last in a file.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let lines: Vec<&str> = self.code.lines().map(str::trim).collect();
        let opens_tests =
            |pair: &[&str]| matches!(pair, ["#[cfg(test)]", next] if next.starts_with("mod ") || next.starts_with("#[path"));
        lines.windows(2).position(opens_tests).unwrap_or(lines.len())
    }

    /// The words of the code with their line: identifiers, keywords and numbers.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().flat_map(|(i, line)| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).map(move |word| (i + 1, word))
        })
    }

    /// Every function that has a body, in the order of its end.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        let mut open: Vec<Block> = Vec::new();
        let mut waiting: Option<Block> = None;
        let mut before = "";
        for token in tokens(&self.code) {
            match token.text {
                ";" => waiting = None,
                "{" => open.push(waiting.take().unwrap_or(Block::Other)),
                "}" => {
                    if let Some(Block::Function { name, first }) = open.pop() {
                        let modules = open.iter().filter_map(Block::module).collect();
                        found.push(Function { name, modules, first, last: token.line });
                    }
                }
                name if before == "fn" && is_word(name) => {
                    waiting = Some(Block::Function { name: name.to_owned(), first: token.line });
                }
                name if before == "mod" && is_word(name) => waiting = Some(Block::Module(name.to_owned())),
                _ => {}
            }
            before = token.text;
        }
        found
    }
}

enum Block {
    Function { name: String, first: usize },
    Module(String),
    Other,
}

impl Block {
    fn module(&self) -> Option<String> {
        if let Block::Module(name) = self { Some(name.clone()) } else { None }
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// Words, and every other character by itself. A `;` inside brackets (`[u8; 16]`) is no end of a statement and is left out.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let (mut rest, mut line, mut brackets) = (code, 1, 0usize);
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (text, after) = rest.split_at(if word == 0 { c.len_utf8() } else { word });
        rest = after;
        match c {
            '\n' => line += 1,
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            ';' if brackets > 0 => {}
            c if c.is_whitespace() => {}
            _ => out.push(Token { text, line }),
        }
    }
    out
}

/// The text with comments and literals as spaces; line ends stay.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut word_before = false;
    while let Some(c) = rest.chars().next() {
        let length = literal(rest, word_before).unwrap_or(0);
        let (piece, after) = rest.split_at(if length == 0 { c.len_utf8() } else { length });
        if length == 0 {
            out.push_str(piece);
        } else {
            out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        word_before = length == 0 && (c.is_alphanumeric() || c == '_');
        rest = after;
    }
    out
}

/// The length in bytes of the comment or literal that `text` starts with.
fn literal(text: &str, word_before: bool) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    if let Some(body) = text.strip_prefix('"') {
        return Some(1 + quoted(body, '"'));
    }
    if let Some(body) = text.strip_prefix('\'') {
        return character(body).map(|length| 1 + length);
    }
    if word_before {
        return None;
    }
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let body = raw.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut rest) = (0usize, text);
    while let Some(at) = rest.find(['/', '*']) {
        let (_, here) = rest.split_at(at);
        if let Some(after) = here.strip_prefix("/*") {
            depth += 1;
            rest = after;
        } else if let Some(after) = here.strip_prefix("*/") {
            depth = depth.saturating_sub(1);
            rest = after;
            if depth == 0 {
                return text.len() - rest.len();
            }
        } else {
            let mut chars = here.chars();
            chars.next();
            rest = chars.as_str();
        }
    }
    text.len()
}

/// The length up to and with the closing `quote`.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if !escaped && c == quote {
            return at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    body.len()
}

/// A character literal's length after its first quote; `None` for a lifetime.
fn character(body: &str) -> Option<usize> {
    let mut chars = body.chars();
    let first = chars.next()?;
    if first == '\\' {
        return Some(quoted(body, '\''));
    }
    chars.as_str().starts_with('\'').then(|| first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        for (text, left) in [
            ("a // async\nb", "a\nb"),
            ("a /* x /* y */ async */ b", "a b"),
            (r#"let s = "async \" fn"; t"#, "let s = ; t"),
            ("let s = r#\"async \"quoted\" \"#; t", "let s = ; t"),
            ("let c = '\"'; let l: &'static str = x;", "let c = ; let l: &'static str = x;"),
            (r"let c = '\''; b", "let c = ; b"),
            ("let b = b\"async\";", "let b = b ;"),
        ] {
            let code = Source::new(text.to_owned()).code;
            let squeeze = |s: &str| s.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
            assert_eq!(squeeze(&code), squeeze(left), "{text}");
            assert_eq!(code.lines().count(), text.lines().count());
        }
    }

    #[test]
    fn functions_are_found_with_their_modules_and_lengths() {
        let text = "fn a(x: [u8; 2]) -> [u8; 2] {\n    if x { y }\n}\ntrait T {\n    fn no_body(&self);\n}\nmod tests {\n    #[test]\n    fn b() {}\n}\n";
        let found = Source::new(text.to_owned()).functions();
        let shown: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.modules.join("::"), f.first, f.last)).collect();
        assert_eq!(shown, [("a", String::new(), 1, 3), ("b", "tests".to_owned(), 9, 9)]);
    }

    #[test]
    fn lines_are_counted_up_to_the_tests() {
        let source = Source::new("a\nb\n#[cfg(test)]\nmod tests {}\n".to_owned());
        assert_eq!(source.lines_before_tests(), 2);
    }
}
