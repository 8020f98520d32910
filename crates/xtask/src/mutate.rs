//! `cargo xtask mutate`: breaks named lines, one at a time, and sees whether the test that should redden does.
//!
//! It works on a copy of the tree under `target/mutate`, so the checkout is never touched.

use crate::json::Json;
use crate::mutations::{Break, TABLE};
use crate::{run, tree};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};

/// A test that hangs is ended after this many seconds, and has not reddened.
const TEST_SECONDS_MAX: &str = "600";
/// Building the copy for the first time takes some minutes, and more on a machine that does other things too.
const BUILD_SECONDS_MAX: &str = "3600";

/// Runs all breaks or the named ones: `mutate [-o json] [NAME…]`. Fails where one did not redden its test.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let (json, names) = crate::output_and_names(arguments)?;
    if let Some(unknown) = names.iter().find(|name| !TABLE.iter().any(|one| one.name == *name)) {
        return Err(format!(
            "no break `{unknown}`; there are {}",
            TABLE.iter().map(|one| one.name).collect::<Vec<_>>().join(", ")
        ));
    }
    let chosen: Vec<&Break> = TABLE.iter().filter(|one| names.is_empty() || names.iter().any(|name| name == one.name)).collect();
    let bed = TestBed::prepare(&tree::root())?;
    eprintln!("{} breaks; the first build of the copy takes some minutes", chosen.len());
    let mut reddened = Vec::new();
    for one in chosen {
        let result = bed.reddens(one);
        match &result {
            Ok(true) => eprintln!("reddened: {}", one.name),
            Ok(false) => eprintln!("NOT REDDENED: {} leaves {} green", one.name, one.test),
            Err(problem) => eprintln!("NOT REDDENED: {}: {problem}", one.name),
        }
        reddened.push((one, result == Ok(true)));
    }
    if json {
        println!("{}", Json::List(reddened.iter().map(|(one, reddened)| row(one, *reddened)).collect()));
    }
    let lasting = reddened.iter().filter(|(_, reddened)| !reddened).count();
    eprintln!("{} breaks, {lasting} that no test saw", reddened.len());
    Ok(if lasting == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(one: &Break, reddened: bool) -> Json {
    Json::Object(vec![
        ("break".to_owned(), Json::text(one.name)),
        ("file".to_owned(), Json::text(one.file)),
        ("test".to_owned(), Json::text(format!("{}::{}", one.package, one.test))),
        ("reddened".to_owned(), Json::Bool(reddened)),
    ])
}

/// The text with the break in it. What is to be found must stand there exactly once.
pub(crate) fn broken(one: &Break, text: &str) -> Result<String, String> {
    match text.matches(one.find).count() {
        1 => Ok(text.replacen(one.find, one.replace, 1)),
        count => Err(format!("{}: `{}` stands there {count} times, not once", one.file, one.find)),
    }
}

/// The copy and where it is built.
struct TestBed {
    copy: PathBuf,
    target: PathBuf,
}

impl TestBed {
    /// Makes the copy equal to the checkout; files that are equal already keep their time, so little is built again.
    fn prepare(root: &Path) -> Result<Self, String> {
        let target = run::target_directory(root);
        let bed = Self { copy: target.join("mutate"), target: target.join("mutate-build") };
        let paths = tree::paths(root)?;
        for path in &paths {
            let (from, to) = (root.join(path), bed.copy.join(path));
            let bytes = std::fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
            if std::fs::read(&to).is_ok_and(|there| there == bytes) {
                continue;
            }
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            }
            std::fs::copy(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        }
        bed.forget_what_is_gone(&bed.copy, &paths)?;
        Ok(bed)
    }

    /// A file that the checkout no longer has would still be built.
    fn forget_what_is_gone(&self, folder: &Path, paths: &[String]) -> Result<(), String> {
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let known = path.strip_prefix(&self.copy).is_ok_and(|inside| paths.iter().any(|path| Path::new(path) == inside));
            if path.is_dir() {
                self.forget_what_is_gone(&path, paths)?;
            } else if !known {
                std::fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(())
    }

    /// True where the test passes, the break builds, and then the same test fails.
    fn reddens(&self, one: &Break) -> Result<bool, String> {
        let file = self.copy.join(one.file);
        let whole = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", one.file))?;
        let broken = broken(one, &whole)?;
        match self.test(one)? {
            Verdict::Passed => {}
            other => return Err(format!("before the break the test {} was {other:?}", one.test)),
        }
        let write = |text: &str| std::fs::write(&file, text).map_err(|error| format!("{}: {error}", one.file));
        write(&broken)?;
        let verdict = self.test(one);
        write(&whole)?;
        match verdict? {
            Verdict::Failed => Ok(true),
            Verdict::Passed => Ok(false),
            other => Err(format!("with the break the test {} was {other:?}", one.test)),
        }
    }

    fn test(&self, one: &Break) -> Result<Verdict, String> {
        self.cargo(BUILD_SECONDS_MAX, one, &["--no-run"])?;
        let output = self.cargo(TEST_SECONDS_MAX, one, &["--", "--exact", one.test])?;
        let verdict = verdict(&String::from_utf8_lossy(&output.stdout));
        if verdict == Verdict::NotRun {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(verdict)
    }

    /// `cargo test` of the break's target, within so many seconds.
    fn cargo(&self, seconds: &str, one: &Break, more: &[&str]) -> Result<Output, String> {
        let package = if one.package == "xtask" { one.package.to_owned() } else { format!("writ-{}", one.package) };
        let limit = ["--kill-after=10", seconds, "cargo", "test", "--package", &package];
        let mut command = run::command(&self.copy, "timeout", &limit);
        command.args(one.target).args(more).env("CARGO_TARGET_DIR", &self.target).env_remove("CARGO_MANIFEST_DIR");
        command.output().map_err(|error| format!("{}: {error}", run::shown(&command)))
    }
}

/// What became of one test.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    /// The build failed, there is no such test, or it hung.
    NotRun,
}

/// Reads it from the test harness's closing line, so that a build that fails is no red test.
fn verdict(output: &str) -> Verdict {
    let mut results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
    match results.next() {
        Some(line) if line.starts_with("ok. 1 passed; 0 failed;") => Verdict::Passed,
        Some(line) if line.starts_with("FAILED. 0 passed; 1 failed;") => Verdict::Failed,
        _ => Verdict::NotRun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_break_finds_its_line_exactly_once() {
        let tree = tree::Tree::read(&tree::root()).unwrap();
        for one in TABLE {
            let text = tree.text(one.file).unwrap_or_else(|| panic!("{}: no such file", one.file));
            let broken = broken(one, text).unwrap_or_else(|problem| panic!("{}: {problem}", one.name));
            assert_ne!(broken, text, "{}: it breaks nothing", one.name);
        }
    }

    #[test]
    fn every_break_names_a_test_that_exists() {
        let tree = tree::Tree::read(&tree::root()).unwrap();
        let tests: BTreeSet<(String, String)> = tree
            .rust()
            .flat_map(|file| {
                let krate = file.krate().to_owned();
                file.source.functions().into_iter().map(move |function| (krate.clone(), function.name)).collect::<Vec<_>>()
            })
            .collect();
        for one in TABLE {
            let name = one.test.rsplit("::").next().unwrap().to_owned();
            assert!(tests.contains(&(one.package.to_owned(), name)), "{}: {}::{}", one.name, one.package, one.test);
        }
        let names: BTreeSet<&str> = TABLE.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), TABLE.len(), "a name stands for one break");
    }

    #[test]
    fn only_one_test_that_ran_and_failed_is_red() {
        let failed = "test a::b ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        assert_eq!(verdict(failed), Verdict::Failed);
        assert_eq!(verdict("test a::b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"), Verdict::Passed);
        for output in ["", "error: could not compile\n", "test result: ok. 0 passed; 0 failed;\n", "test a::b ... \n"] {
            assert_eq!(verdict(output), Verdict::NotRun, "{output}");
        }
    }

    #[test]
    fn a_line_that_stands_twice_is_no_break() {
        let one = Break { name: "n", file: "f", find: "x", replace: "y", package: "a", target: &[], test: "t" };
        assert_eq!(broken(&one, "axb"), Ok("ayb".to_owned()));
        assert!(broken(&one, "xx").is_err());
        assert!(broken(&one, "").is_err());
    }
}
