//! `cargo xtask VERB`: what people and CI start, each in one word. Depends on nothing but the standard library.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod bench;
mod budget;
mod codemap;
mod demo;
mod graph;
mod json;
mod licences;
mod metadata;
mod mutate;
mod mutations;
mod needs;
mod requirements;
mod run;
mod soak;
mod source;
mod test;
mod tidy;
mod tree;
mod words;

use std::process::ExitCode;

/// A verb: its name, what it does, and the function that does it.
type Verb = (&'static str, &'static str, fn(&[String]) -> Result<ExitCode, String>);

const VERBS: &[Verb] = &[
    ("demo", "checks the machine, builds writ and runs `writ demo`; arguments are passed on", demo::run),
    ("test", "all that CI runs", test::run),
    ("tidy", "crate graph, lengths, words, licences, codemap [--shrink]", tidy::run),
    ("bench", "measures beside raw limits [-o json] [EXAMPLE…]", bench::run),
    ("mutate", "breaks named lines and sees their tests redden [-o json] [NAME…]", mutate::run),
    ("requirements", "which requirement rows have a test [-o json]", requirements::run),
    ("soak", "longer runs of races and the simulator [NAME [COUNT]]", soak::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let verb = arguments.split_first().and_then(|(name, rest)| VERBS.iter().find(|verb| verb.0 == name).map(|verb| (verb, rest)));
    let Some(((name, _, run), rest)) = verb else {
        eprintln!("usage: cargo xtask VERB");
        VERBS.iter().for_each(|(name, what, _)| eprintln!("  {name:<13} {what}"));
        return ExitCode::from(2);
    };
    run(rest).unwrap_or_else(|problem| {
        eprintln!("xtask {name}: {problem}");
        ExitCode::FAILURE
    })
}

/// Splits `-o json` from the names after a verb.
fn output_and_names(arguments: &[String]) -> Result<(bool, Vec<String>), String> {
    let mut json = false;
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-o" if rest.next().is_some_and(|format| format == "json") => json = true,
            "-o" => return Err("the only output is `-o json`".to_owned()),
            flag if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
            name => names.push(name.to_owned()),
        }
    }
    Ok((json, names))
}
