//! Words that may not stand in some file: what the core never does, what is unfinished, what is of one machine only.

use crate::tree::{RustFile, Tree};

/// The pure core: no I/O, so nothing to wait for.
const CORE: &[&str] = &["types", "credential", "policy", "ledger", "plane"];
/// Who keeps a log, besides the tests of `ledger` itself.
const LOG_STORES: &[&str] = &["store", "sim"];
/// Who takes from aws-lc-rs only its randomness, which they hand to the core.
const RANDOMNESS_ONLY: &[&str] = &["server", "cli"];
/// Folders that exist on one machine only. In pieces, so that this file doesn't hold them.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
/// What says that something is not finished. In pieces for the same reason.
const UNFINISHED: &[&str] =
    &[concat!("todo", "!("), concat!("unimplemented", "!("), concat!("FIX", "ME"), concat!("#[", "ignore")];

/// Every such word, with file and line.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        problems.extend(async_in_the_core(&file));
        problems.extend(log_store_outside(&file));
        problems.extend(cryptography_where_only_randomness_is_due(&file));
    }
    for (path, text) in tree.files().filter(|(path, _)| *path != "Cargo.lock") {
        for (i, line) in text.lines().enumerate() {
            problems.extend(machine_path(line).map(|found| format!("{path}:{}: `{found}` is a path of one machine", i + 1)));
            if path.ends_with(".rs") || path.ends_with(".go") {
                let unfinished = UNFINISHED.iter().find(|word| line.contains(**word));
                problems.extend(unfinished.map(|word| format!("{path}:{}: `{word}` says that something is unfinished", i + 1)));
            }
        }
    }
    problems
}

fn async_in_the_core(file: &RustFile<'_>) -> Option<String> {
    if !CORE.contains(&file.krate()) || !file.is_src() {
        return None;
    }
    let (line, word) = file.source.words().find(|(_, word)| matches!(*word, "async" | "await"))?;
    Some(format!("{}:{line}: `{word}` in a core crate, which waits for nothing", file.path))
}

fn log_store_outside(file: &RustFile<'_>) -> Option<String> {
    if LOG_STORES.contains(&file.krate()) {
        return None;
    }
    let implements = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        line.trim_start().starts_with("impl")
            && words.windows(2).any(|pair| matches!(pair, [name, "for"] if name.ends_with("LogStore")))
    };
    let (at, _) = file.source.code.lines().enumerate().find(|(_, line)| implements(line))?;
    let in_its_tests = file.krate() == "ledger" && file.is_test(at + 1);
    let wrong = format!("{}:{}: only {} may implement `LogStore`", file.path, at + 1, LOG_STORES.join(" and "));
    (!in_its_tests).then_some(wrong)
}

fn cryptography_where_only_randomness_is_due(file: &RustFile<'_>) -> Option<String> {
    if !RANDOMNESS_ONLY.contains(&file.krate()) || !file.is_src() {
        return None;
    }
    let uses = |line: &str| {
        line.match_indices("aws_lc_rs::").any(|(at, name)| {
            let (before, after) = line.split_at(at);
            !before.ends_with("::") && !after.strip_prefix(name).is_some_and(|rest| rest.starts_with("rand::"))
        })
    };
    let (at, _) = file.source.code.lines().enumerate().find(|(at, line)| !file.is_test(at + 1) && uses(line))?;
    Some(format!("{}:{}: `{}` takes only randomness from aws-lc-rs", file.path, at + 1, file.krate()))
}

/// The machine's folder in `line`, unless it is the middle of a longer path or an address.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.iter().copied().find(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line.split_at(at).0.chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | ')' | '*' | '~' | '$'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
    }

    #[test]
    fn async_reddens_in_the_core_only_and_only_as_code() {
        assert_eq!(found("crates/plane/src/a.rs", "fn a() {}\nasync fn b() {}\n").len(), 1);
        assert_eq!(found("crates/plane/src/a.rs", "// no async here\nconst A: &str = \"async\";\n"), [""; 0]);
        assert_eq!(found("crates/server/src/a.rs", "async fn b() {}\n"), [""; 0]);
    }

    #[test]
    fn a_log_store_reddens_outside_store_sim_and_the_ledgers_tests() {
        let text = "impl<T: X> ledger::LogStore for Mine<T> {}\n";
        assert_eq!(found("crates/server/src/a.rs", text).len(), 1);
        assert_eq!(found("crates/ledger/src/a.rs", text).len(), 1);
        assert_eq!(found("crates/sim/src/a.rs", text), [""; 0]);
        assert_eq!(found("crates/ledger/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}}}\n")), [""; 0]);
        assert_eq!(found("crates/ledger/tests/a.rs", text), [""; 0]);
        assert_eq!(found("crates/server/src/a.rs", "fn a<S: LogStore>(store: S) {}\n"), [""; 0]);
    }

    #[test]
    fn cryptography_reddens_where_only_randomness_is_due() {
        for krate in RANDOMNESS_ONLY {
            let path = format!("crates/{krate}/src/a.rs");
            assert_eq!(found(&path, "use aws_lc_rs::digest::SHA256;\n").len(), 1);
            assert_eq!(
                found(&path, "use aws_lc_rs::rand::SystemRandom;\nrustls::crypto::aws_lc_rs::default_provider();\n"),
                [""; 0]
            );
        }
        assert_eq!(found("crates/issue/src/a.rs", "use aws_lc_rs::digest::SHA256;\n"), [""; 0]);
    }

    #[test]
    fn a_path_of_one_machine_reddens_anywhere() {
        for path in MACHINE_PATHS {
            assert_eq!(found("docs/a.md", &format!("see `{path}x`")).len(), 1, "{path}");
            assert_eq!(found("docs/a.md", &format!("https://example.org{path}x and some{path}x")), [""; 0], "{path}");
        }
    }

    #[test]
    fn what_is_unfinished_reddens() {
        for word in UNFINISHED {
            assert_eq!(found("crates/a/src/lib.rs", &format!("    {word}\n")).len(), 1, "{word}");
            assert_eq!(found("docs/a.md", word), [""; 0], "{word}");
        }
    }
}
