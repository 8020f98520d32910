//! How long a file and a function may be, and the list of what is longer, which may only shrink.

use crate::tree::{RustFile, Tree};
use std::collections::BTreeMap;

/// Lines of a source file before its tests: longer needs a line in the ratchet.
const FILE_AIM: usize = 450;
/// Lines of any file before its tests: longer is refused.
const FILE_MAX: usize = 700;
/// Lines of a function outside tests: longer needs a line in the ratchet.
const FUNCTION_AIM: usize = 70;

/// Where the exemptions stand: `file PATH LINES` and `function PATH NAME LINES`.
pub(crate) const RATCHET: &str = "crates/xtask/ratchet.txt";

/// Every file and function that is over its aim without an exemption, and every exemption that is too wide by now.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    let exempt = match exemptions(tree.text(RATCHET).unwrap_or("")) {
        Ok(exempt) => exempt,
        Err(problem) => return vec![problem],
    };
    let long = long(tree);
    for (what, lines) in &long {
        let aim = if what.starts_with("file ") { FILE_AIM } else { FUNCTION_AIM };
        match exempt.get(what) {
            None => problems.push(format!("{what}: {lines} lines, the aim is {aim}: split it by noun")),
            Some(was) if lines > was => problems.push(format!("{what}: grew from {was} to {lines} lines, the aim is {aim}")),
            Some(_) => {}
        }
        if what.starts_with("file ") && *lines > FILE_MAX {
            problems.push(format!("{what}: {lines} lines, none may be over {FILE_MAX}"));
        }
    }
    for (what, was) in exempt {
        match long.get(&what) {
            None => {
                problems.push(format!("{RATCHET}: `{what} {was}` is no longer needed; `cargo xtask tidy --shrink` takes it out"))
            }
            Some(lines) if *lines < was => {
                problems
                    .push(format!("{RATCHET}: `{what} {was}` is {lines} lines by now; `cargo xtask tidy --shrink` lowers it"));
            }
            Some(_) => {}
        }
    }
    problems
}

/// The ratchet with every exemption as narrow as the tree allows; it never adds or widens one.
pub(crate) fn shrunk(tree: &Tree) -> Result<String, String> {
    let text = tree.text(RATCHET).unwrap_or("");
    let exempt = exemptions(text)?;
    let long = long(tree);
    let mut out: String = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    for (what, was) in exempt {
        if let Some(lines) = long.get(&what) {
            out.push_str(&format!("{what} {}\n", was.min(*lines)));
        }
    }
    Ok(out)
}

fn exemptions(text: &str) -> Result<BTreeMap<String, usize>, String> {
    let mut out = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let parsed = line.rsplit_once(' ').and_then(|(what, lines)| Some((what.to_owned(), lines.parse().ok()?)));
        let (what, lines) = parsed.ok_or_else(|| format!("{RATCHET}: `{line}` is no exemption"))?;
        out.insert(what, lines);
    }
    Ok(out)
}

/// What is over its aim: `file PATH` or `function PATH NAME`, with its lines.
fn long(tree: &Tree) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for file in tree.rust() {
        let lines = file.source.lines_before_tests();
        let aim = if file.is_src() { FILE_AIM } else { FILE_MAX };
        if lines > aim {
            out.insert(format!("file {}", file.path), lines);
        }
        out.extend(long_functions(&file));
    }
    out
}

fn long_functions<'a>(file: &'a RustFile<'a>) -> impl Iterator<Item = (String, usize)> + 'a {
    let functions = file.source.functions().into_iter().filter(|f| f.lines() > FUNCTION_AIM && !file.is_test(f.first));
    functions.map(|f| (format!("function {} {}", file.path, f.name), f.lines()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(lines: usize, function: usize, ratchet: &str) -> Vec<String> {
        let body = format!("fn long() {{\n{}}}\n{}", "    x;\n".repeat(function - 2), "\n".repeat(lines - function));
        check(&Tree::of(&[("crates/a/src/lib.rs", &body), (RATCHET, ratchet)]))
    }

    #[test]
    fn what_is_over_its_aim_needs_an_exemption() {
        assert_eq!(with(450, 70, ""), [""; 0]);
        assert_eq!(with(451, 71, "").len(), 2);
        assert_eq!(with(451, 71, "# why\nfile crates/a/src/lib.rs 451\nfunction crates/a/src/lib.rs long 71\n"), [""; 0]);
    }

    #[test]
    fn an_exemption_neither_grows_nor_stays_wider_than_needed() {
        assert!(with(452, 70, "file crates/a/src/lib.rs 451\n")[0].contains("grew from 451 to 452"));
        assert!(with(451, 70, "file crates/a/src/lib.rs 460\n")[0].contains("451 lines by now"));
        assert!(with(10, 10, "file crates/a/src/lib.rs 460\n")[0].contains("no longer needed"));
        assert!(with(10, 10, "file\n")[0].contains("is no exemption"));
    }

    #[test]
    fn no_exemption_holds_over_the_limit() {
        assert!(with(701, 10, "file crates/a/src/lib.rs 701\n")[0].contains("none may be over 700"));
    }

    #[test]
    fn shrinking_lowers_and_removes_and_never_adds() {
        let body = format!("fn long() {{\n{}}}\n", "    x;\n".repeat(80));
        let ratchet = "# why\nfile crates/a/src/lib.rs 500\nfunction crates/a/src/lib.rs long 90\n";
        let tree = Tree::of(&[("crates/a/src/lib.rs", &body), ("crates/b/src/lib.rs", &body), (RATCHET, ratchet)]);
        assert_eq!(shrunk(&tree).unwrap(), "# why\nfunction crates/a/src/lib.rs long 82\n");
    }
}
