//! `cargo xtask requirements`: which rows of the requirements have a test that names them.
//!
//! A test names a row in its doc comment (`/// R53: …`, `/// R53–R56`) or as a part of its name (`r53_…`).

use crate::json::Json;
use crate::tree::{self, RustFile, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// The rows are R1 up to this one.
const ROW_MAX: u16 = 210;

/// Prints the rows with and without a test: `requirements [-o json]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let (json, names) = crate::output_and_names(arguments)?;
    if !names.is_empty() {
        return Err("usage: cargo xtask requirements [-o json]".to_owned());
    }
    let covered = covered(&Tree::read(&tree::root())?);
    let uncovered: Vec<u16> = (1..=ROW_MAX).filter(|row| !covered.contains_key(row)).collect();
    if json {
        println!("{}", document(&covered, &uncovered));
        return Ok(ExitCode::SUCCESS);
    }
    for (row, tests) in &covered {
        println!("R{row}: {}", tests.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    println!("{} of {ROW_MAX} rows have a test that names them", covered.len());
    Ok(ExitCode::SUCCESS)
}

fn document(covered: &BTreeMap<u16, BTreeSet<String>>, uncovered: &[u16]) -> Json {
    let member =
        |(row, tests): (&u16, &BTreeSet<String>)| (format!("R{row}"), Json::List(tests.iter().map(Json::text).collect()));
    Json::Object(vec![
        ("covered".to_owned(), Json::Object(covered.iter().map(member).collect())),
        ("uncovered".to_owned(), Json::List(uncovered.iter().map(|row| Json::text(format!("R{row}"))).collect())),
    ])
}

/// Each row that is named, with the tests that name it.
fn covered(tree: &Tree) -> BTreeMap<u16, BTreeSet<String>> {
    let mut out: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for file in tree.rust() {
        let lines: Vec<&str> = file.source.text.lines().collect();
        for function in file.source.functions() {
            let above = head(&lines, function.first);
            if !above.iter().any(|line| is_test_attribute(line)) {
                continue;
            }
            let docs = above.iter().filter_map(|line| line.strip_prefix("///"));
            let rows = docs.flat_map(rows).chain(function.name.split('_').filter_map(row_of_a_name));
            let path = path(&file, &function.modules, &function.name);
            for row in rows.filter(|row| (1..=ROW_MAX).contains(row)) {
                out.entry(row).or_default().insert(path.clone());
            }
        }
    }
    out
}

/// The doc comments and attributes right above the line `first` (from 1).
fn head<'a>(lines: &[&'a str], first: usize) -> Vec<&'a str> {
    let above = lines.iter().take(first.saturating_sub(1)).rev().map(|line| line.trim());
    above.take_while(|line| line.starts_with("///") || line.starts_with("//") || line.starts_with("#[")).collect()
}

fn is_test_attribute(line: &str) -> bool {
    let name = line.strip_prefix("#[").unwrap_or("").split(['(', ']']).next().unwrap_or("");
    name == "test" || name.ends_with("::test")
}

fn row_of_a_name(part: &str) -> Option<u16> {
    part.strip_prefix('r')?.parse().ok()
}

/// The rows that a line of prose names, ranges unfolded.
fn rows(line: &str) -> Vec<u16> {
    let mut out = Vec::new();
    let mut range_from: Option<u16> = None;
    for word in line.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let name = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let row = name.strip_prefix('R').and_then(|digits| digits.parse::<u16>().ok());
        if let (Some(from), Some(to)) = (range_from, row) {
            out.extend(from + 1..to);
        }
        out.extend(row);
        range_from = row.filter(|_| word.ends_with(['–', '-']));
    }
    out
}

/// The package, and after it what `cargo test` calls the test.
fn path(file: &RustFile<'_>, modules: &[String], name: &str) -> String {
    let inside: Vec<&str> = file.path.split('/').skip(3).collect();
    let mut parts: Vec<&str> = inside.iter().map(|part| part.strip_suffix(".rs").unwrap_or(part)).collect();
    if matches!(parts.last(), Some(&("lib" | "main" | "mod"))) {
        parts.pop();
    }
    parts.extend(modules.iter().map(String::as_str));
    parts.push(name);
    format!("{}::{}", file.krate(), parts.join("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str) -> Vec<String> {
        let covered = covered(&Tree::of(&[(path, text)]));
        covered.iter().map(|(row, tests)| format!("R{row} {}", tests.iter().cloned().collect::<Vec<_>>().join(" "))).collect()
    }

    #[test]
    fn a_test_names_rows_in_its_docs_and_its_name() {
        let text = "mod tests {\n    /// R53, R54: no task, no login (R60–R62).\n    #[test]\n    fn r7_refuses() {}\n}\n";
        let rows = ["R7", "R53", "R54", "R60", "R61", "R62"].map(|row| format!("{row} plane::task::start::tests::r7_refuses"));
        assert_eq!(shown("crates/plane/src/task/start.rs", text), rows);
    }

    #[test]
    fn what_is_no_test_or_no_row_covers_nothing() {
        assert_eq!(shown("crates/a/src/lib.rs", "/// R1: told, not tested.\nfn a() {}\n"), [""; 0]);
        assert_eq!(shown("crates/a/src/lib.rs", "/// R0 R211 R2x RFC8785 AR3\n#[test]\nfn a() {}\n"), [""; 0]);
        assert_eq!(shown("crates/a/src/lib.rs", "/// R1\n#[test]\nfn a() {}\n\nfn b() {}\n").len(), 1);
    }

    #[test]
    fn a_path_is_what_cargo_test_takes() {
        for (path, test) in [
            ("crates/a/src/lib.rs", "R1 a::t"),
            ("crates/a/src/b.rs", "R1 a::b::t"),
            ("crates/a/tests/c.rs", "R1 a::c::t"),
            ("crates/a/tests/c/main.rs", "R1 a::c::t"),
        ] {
            assert_eq!(shown(path, "/// R1\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn t() {}\n"), [test], "{path}");
        }
    }

    #[test]
    fn the_document_has_every_row_once() {
        let covered = BTreeMap::from([(2, BTreeSet::from(["a::t".to_owned()]))]);
        assert_eq!(document(&covered, &[1, 3]).to_string(), r#"{"covered":{"R2":["a::t"]},"uncovered":["R1","R3"]}"#);
    }
}
