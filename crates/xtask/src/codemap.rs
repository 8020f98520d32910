//! ARCHITECTURE.md and the manifests: every crate is named, none that is gone, and all follow the workspace's lints.

use crate::tree::Tree;
use std::collections::BTreeSet;

const DOCUMENT: &str = "ARCHITECTURE.md";

/// Every crate that the document leaves out or invents, and every manifest that does not take the workspace's lints.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let exist: BTreeSet<&str> = tree.crates().into_iter().collect();
    let text = tree.text(DOCUMENT).unwrap_or("");
    let named: BTreeSet<&str> = text.split("crates/").skip(1).map(first_word).filter(|name| !name.is_empty()).collect();
    let mut problems: Vec<String> =
        exist.difference(&named).map(|name| format!("{DOCUMENT}: it does not name `crates/{name}`")).collect();
    problems.extend(named.difference(&exist).map(|name| format!("{DOCUMENT}: it names `crates/{name}`, which does not exist")));
    for name in exist {
        let manifest = format!("crates/{name}/Cargo.toml");
        if !tree.text(&manifest).is_some_and(takes_lints) {
            problems.push(format!("{manifest}: `[lints] workspace = true` is missing"));
        }
    }
    problems
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').next().unwrap_or("")
}

fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.find(|line| !line.is_empty()) == Some("workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codemap_and_the_crates_are_the_same_set() {
        let good = "[lints]\nworkspace = true\n";
        let tree =
            |text: &str| check(&Tree::of(&[("crates/a/Cargo.toml", good), ("crates/b/Cargo.toml", good), (DOCUMENT, text)]));
        assert_eq!(tree("`crates/a` and crates/b/src"), [""; 0]);
        assert_eq!(tree("`crates/a`"), ["ARCHITECTURE.md: it does not name `crates/b`"]);
        assert_eq!(tree("`crates/a` crates/b crates/c"), ["ARCHITECTURE.md: it names `crates/c`, which does not exist"]);
    }

    #[test]
    fn a_manifest_with_lints_of_its_own_reddens() {
        for manifest in ["[package]\n", "[lints]\n[dependencies]\nworkspace = true\n", "[lints]\nworkspace = false\n"] {
            let problems = check(&Tree::of(&[("crates/a/Cargo.toml", manifest), (DOCUMENT, "crates/a")]));
            assert_eq!(problems.len(), 1, "{manifest}");
        }
    }
}
