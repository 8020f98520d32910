//! `cargo xtask bench`: measures beside the raw limit of the same run, one row a measure.
//!
//! Each bench is an example of the crate that it measures. It prints lines of JSON, each one row or a list of rows.

use crate::json::Json;
use crate::{run, tree};
use std::path::Path;
use std::process::ExitCode;

/// Crate and example, in the order of the table.
const BENCHES: &[(&str, &str)] = &[
    ("store", "bench_append"),
    ("issue", "bench_svid"),
    ("connect", "bench_postgres"),
    ("policy", "bench_decide"),
    ("agent", "bench_workload"),
];

/// What every row has; a bench leaves out what does not apply, and that is `null`.
const COLUMNS: &[&str] = &["measure", "value", "unit", "raw_limit", "ratio", "peer", "budget", "met"];

/// Exit code where a bench could not run: something was left out.
const LEFT_OUT: u8 = 3;

/// Runs the benches and prints their rows: `bench [-o json] [EXAMPLE…]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let (json, names) = crate::output_and_names(arguments)?;
    let root = tree::root();
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|(_, example)| example == *name)) {
        return Err(format!(
            "no bench `{unknown}`; there are {}",
            BENCHES.iter().map(|(_, e)| *e).collect::<Vec<_>>().join(", ")
        ));
    }
    let mut table = Vec::new();
    let mut left_out = false;
    for (krate, example) in BENCHES {
        if !names.is_empty() && !names.iter().any(|name| name == example) {
            continue;
        }
        match measure(&root, krate, example) {
            Ok(rows) => table.extend(rows),
            Err(problem) => {
                eprintln!("left out {example}: {problem}");
                left_out = true;
            }
        }
    }
    if json {
        println!("{}", Json::List(table));
    } else {
        table.iter().for_each(|row| println!("{}", sentence(row)));
    }
    Ok(if left_out { ExitCode::from(LEFT_OUT) } else { ExitCode::SUCCESS })
}

fn measure(root: &Path, krate: &str, example: &str) -> Result<Vec<Json>, String> {
    if !root.join(format!("crates/{krate}/examples/{example}.rs")).is_file() {
        return Err("there is no such example yet".to_owned());
    }
    let package = format!("writ-{krate}");
    let run = ["run", "--release", "--locked", "--quiet", "--package", &package, "--example", example];
    rows(example, &run::output(&mut run::command(root, "cargo", &run))?)
}

/// The rows of a bench's output. Lines that are no JSON are for people and are passed over.
fn rows(example: &str, output: &str) -> Result<Vec<Json>, String> {
    let mut rows = Vec::new();
    for line in output.lines().map(str::trim).filter(|line| line.starts_with(['{', '['])) {
        match Json::parse(line)? {
            Json::List(items) => rows.extend(items),
            row => rows.push(row),
        }
    }
    if rows.is_empty() {
        return Err("it printed no measure".to_owned());
    }
    Ok(rows.into_iter().map(|row| complete(example, row)).collect())
}

/// The row with every column, in order, and whatever else the bench told. A row without a name has the bench's.
fn complete(example: &str, row: Json) -> Json {
    let column = |name: &&str| {
        let value = row.get(name).clone();
        let nameless = *name == "measure" && value == Json::Null;
        ((*name).to_owned(), if nameless { Json::text(example) } else { value })
    };
    let mut members: Vec<(String, Json)> = COLUMNS.iter().map(column).collect();
    if let Json::Object(given) = row {
        members.extend(given.into_iter().filter(|(name, _)| !COLUMNS.contains(&name.as_str())));
    }
    Json::Object(members)
}

fn sentence(row: &Json) -> String {
    let show = |name: &str| match row.get(name) {
        Json::Text(text) => text.clone(),
        other => other.to_string(),
    };
    let verdict = match row.get("met") {
        Json::Bool(true) => "met",
        Json::Bool(false) => "NOT MET",
        _ => "no verdict",
    };
    let mut out = format!("{}: {} {}", show("measure"), show("value"), show("unit"));
    for (name, label) in [("raw_limit", "raw limit"), ("ratio", "ratio"), ("peer", "peer"), ("budget", "budget")] {
        if row.get(name) != &Json::Null {
            out.push_str(&format!(", {label} {}", show(name)));
        }
    }
    format!("{out}: {verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_objects_and_lists_become_whole_rows() {
        let output =
            "warming up\n{\"measure\":\"a\",\"value\":1.5,\"met\":true,\"group\":8}\n[{\"measure\":\"b\"},{\"p99\":1}]\n";
        let rows = rows("bench_a", output).unwrap();
        let names: Vec<_> = rows.iter().filter_map(|row| row.get("measure").as_text()).collect();
        assert_eq!(names, ["a", "b", "bench_a"]);
        assert_eq!(
            rows[0].to_string(),
            r#"{"measure":"a","value":1.5,"unit":null,"raw_limit":null,"ratio":null,"peer":null,"budget":null,"met":true,"group":8}"#
        );
        assert_eq!(sentence(&rows[0]), "a: 1.5 null: met");
    }

    #[test]
    fn an_output_without_measures_is_no_result() {
        for output in ["", "done\n", "{\"measure\":\n"] {
            assert!(rows("bench_a", output).is_err(), "{output}");
        }
    }
}
