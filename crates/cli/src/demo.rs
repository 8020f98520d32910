//! `writ demo`: the whole of Writ, once, on this machine. Each step is true because another program says so.

mod agent;
mod cast;
mod charter;
mod cluster;
mod endings;
mod estate;
mod evidence;
mod forgery;
mod judge;
mod opening;
mod program;
mod server;
mod stage;
mod stopwatch;
mod tamper;
mod tasks;
mod trouble;
mod world;

use crate::args::Output;
use crate::failure::{Exit, Failure, Outcome};
use crate::show::{note, plain, print, print_json};
use clap::Args;
use serde::Serialize;
use stage::Stage;
use std::path::{Path, PathBuf};
use stopwatch::Stopwatch;
use trouble::Result;

/// Show the whole of it on this machine, judged by psql, OpenSSL and ssh-keygen
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave the exported log in DIR/log
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// More hexadecimal digits than this in a row are an id or a digest.
const HEX_SHOWN_MAX: usize = 24;

/// One step: what it is called, which steps it rests on, and what it does.
struct Step {
    name: &'static str,
    rests_on: &'static [&'static str],
    /// True if there is nothing to see without PostgreSQL.
    in_database: bool,
    act: fn(&mut Stage) -> Result<String>,
}

const fn step(name: &'static str, rests_on: &'static [&'static str], act: fn(&mut Stage) -> Result<String>) -> Step {
    Step { name, rests_on, in_database: false, act }
}

const fn in_database(name: &'static str, rests_on: &'static [&'static str], act: fn(&mut Stage) -> Result<String>) -> Step {
    Step { name, rests_on, in_database: true, act }
}

/// The steps, in their order. The names are a contract.
const STEPS: [Step; 18] = [
    step("init", &[], opening::init),
    in_database("postgres", &["init"], opening::postgres),
    step("people", &["init"], opening::people),
    step("unsigned", &["people"], charter::unsigned),
    step("charter", &["unsigned"], charter::charter),
    step("attest", &["charter"], charter::attest),
    step("no-task", &["attest"], charter::no_task),
    step("delegate", &["charter"], tasks::delegate),
    step("self-approval", &["delegate"], tasks::self_approval),
    step("approve", &["delegate"], tasks::approve),
    in_database("work", &["postgres", "approve"], tasks::work),
    step("one-task", &["approve"], tasks::one_task),
    in_database("exceed", &["work"], endings::exceed),
    in_database("crash", &["postgres", "one-task"], endings::crash),
    step("why", &["one-task"], evidence::why),
    step("ssh-keygen", &["approve"], evidence::ssh_keygen),
    step("laws", &["approve"], evidence::laws),
    step("tamper", &["laws"], tamper::tamper),
];

/// How one step went.
#[derive(Debug, Serialize)]
struct Done {
    name: &'static str,
    ok: bool,
    ms: u64,
    detail: String,
}

/// How all of it went.
#[derive(Debug, Serialize)]
struct Report {
    steps: Vec<Done>,
    left_out: Vec<String>,
    ok: bool,
}

impl Demo {
    pub(crate) fn run(self) -> Outcome {
        if let Some(keep) = &self.keep {
            empty(&keep.join("log"))?;
        }
        let whole = Stopwatch::start();
        let failed =
            |trouble: trouble::Trouble| Failure::failed(trouble.to_string(), "the demo needs a temporary directory and `sh`");
        let keep = self.keep.as_ref().map(|keep| std::path::absolute(keep).unwrap_or_else(|_| keep.clone()));
        let mut stage = Stage::new(keep).map_err(failed)?;
        let say = |line: &str| if self.output.is_json() { note(line) } else { print(line) };
        let report = play(&mut stage, &say);
        let genesis = stage.genesis().cloned().unwrap_or_default();
        drop(stage);
        for why in &report.left_out {
            say(&format!("left out: {}", plain(why)));
        }
        let true_steps = report.steps.iter().filter(|step| step.ok).count();
        say(&format!("{true_steps} of {} steps are true, in {:.1} s", report.steps.len(), whole.elapsed().as_secs_f64()));
        if let Some(keep) = self.keep.as_ref().filter(|keep| keep.join("log").exists()) {
            let log = keep.join("log");
            say(&format!("the log is kept: `writ log verify --laws --genesis {genesis} {}`", log.display()));
        }
        if self.output.is_json() {
            print_json(&report);
        }
        Ok(match (report.ok, report.left_out.is_empty()) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::LeftOut,
            (true, true) => Exit::Done,
        })
    }
}

/// Refuses a directory with something in it before anything is begun.
fn empty(dir: &Path) -> std::result::Result<(), Failure> {
    if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::usage(format!("`{}` is not empty", dir.display()), "name a directory that is not there yet"));
    }
    Ok(())
}

/// Plays every step. One that can't be true, because one that it rests on is not, says so.
fn play(stage: &mut Stage, say: &dyn Fn(&str)) -> Report {
    let mut report = Report { steps: Vec::new(), left_out: Vec::new(), ok: true };
    if stage.world.agent_uid.is_none() {
        let why = format!(
            "the agent's own account, which only root can give it: it runs as uid {}, like everything here",
            stage.world.own_uid
        );
        report.left_out.push(why);
    }
    let lacking = cluster::Programs::find(stage.world.own_uid).err();
    for step in &STEPS {
        if let Some(lacking) = lacking.as_ref().filter(|_| step.in_database) {
            report.left_out.push(format!("{}: {lacking}", step.name));
            continue;
        }
        let watch = Stopwatch::start();
        let not_true = |name: &&&str| report.steps.iter().any(|done| done.name == **name && !done.ok);
        let outcome = match step.rests_on.iter().find(not_true) {
            Some(name) => Err(trouble::Trouble::new(format!("it rests on `{name}`, which is not true"))),
            None => (step.act)(stage),
        };
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(trouble) => (false, trouble.to_string()),
        };
        let done = Done { name: step.name, ok, ms: watch.ms(), detail };
        say(&line(&done));
        report.ok &= ok;
        report.steps.push(done);
    }
    report
}

/// A step's line.
fn line(done: &Done) -> String {
    let mark = if done.ok { "ok  " } else { "FAIL" };
    format!("{mark} {:<13} {:>6} ms  {}", done.name, done.ms, shortened(&plain(&done.detail)))
}

/// Ids and digests by their first digits: a line is for people.
fn shortened(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c.filter(char::is_ascii_hexdigit) {
            Some(digit) => run.push(digit),
            None => {
                let long = run.len() >= HEX_SHOWN_MAX;
                out.extend(run.chars().take(if long { 8 } else { usize::MAX }));
                out.push_str(if long { "…" } else { "" });
                out.extend(c);
                run.clear();
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_the_eighteen_of_the_contract_and_rest_on_earlier_ones() {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        let contract = "init postgres people unsigned charter attest no-task delegate self-approval approve work one-task exceed crash \
                        why ssh-keygen laws tamper";
        assert_eq!(names, contract.split_whitespace().collect::<Vec<_>>());
        for (place, step) in STEPS.iter().enumerate() {
            assert!(step.rests_on.iter().all(|name| names[..place].contains(name)), "{}", step.name);
        }
    }

    #[test]
    fn a_line_shows_the_first_digits_of_ids_and_all_of_words() {
        let text = format!("tsk_{} faded {}", "ab".repeat(16), "0".repeat(23));
        assert_eq!(shortened(&text), format!("tsk_abababab… faded {}", "0".repeat(23)));
    }

    #[test]
    fn a_report_has_the_shape_of_the_contract() {
        let step = Done { name: "init", ok: false, ms: 7, detail: "why".to_owned() };
        assert_eq!(line(&step), "FAIL init               7 ms  why");
        let report = Report { steps: vec![step], left_out: vec!["this".to_owned()], ok: false };
        let wanted =
            "{\"steps\":[{\"name\":\"init\",\"ok\":false,\"ms\":7,\"detail\":\"why\"}],\"left_out\":[\"this\"],\"ok\":false}";
        assert_eq!(serde_json::to_string(&report).unwrap(), wanted);
    }
}
