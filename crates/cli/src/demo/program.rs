//! Other people's programs, and our own, as children that are bounded in time.

use super::stopwatch::Stopwatch;
use super::trouble::{Result, Trouble, must};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a child has if nobody says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);
/// What a child says beyond this is not read.
const SAID_BYTES_MAX: u64 = 8 << 20;

/// What a child said, and how it ended.
#[derive(Debug, Clone)]
pub(super) struct Said {
    name: String,
    /// None where a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a child to its end. Its process group is killed if it takes longer than [`PATIENCE`].
pub(super) fn run(command: &mut Command) -> Result<Said> {
    fed(command, b"")
}

/// As [`run`], with this on its standard input.
pub(super) fn fed(command: &mut Command, input: &[u8]) -> Result<Said> {
    let name = command.get_program().to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned();
    let missing = |error: std::io::Error| Trouble::new(format!("can't run `{name}`: {error}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(missing)?;
    let (out, err) = (child.stdout.take().map(reader), child.stderr.take().map(reader));
    if let Some(mut stdin) = child.stdin.take() {
        // Who ends before it has read all says why on its own.
        let _ = stdin.write_all(input);
    }
    let Some(status) = within(&mut child, PATIENCE)? else {
        end(&mut child);
        return Err(Trouble::new(format!("`{name}` did not end within {} seconds", PATIENCE.as_secs())));
    };
    let text = |reader: Option<JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    };
    Ok(Said { name, code: status.code(), out: text(out), err: text(err) })
}

/// Starts a child whose words nobody waits for.
pub(super) fn begin(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().map_err(|error| Trouble::new(format!("a child can't be started: {error}")))
}

fn reader(from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.take(SAID_BYTES_MAX).read_to_end(&mut bytes);
        bytes
    })
}

/// How the child ended, if it did by then.
pub(super) fn within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let watch = Stopwatch::start();
    loop {
        match child.try_wait() {
            Ok(None) if watch.elapsed() < limit => std::thread::sleep(POLL),
            Ok(ended) => return Ok(ended),
            Err(error) => return Err(Trouble::new(format!("a child can't be waited for: {error}"))),
        }
    }
}

/// Ends a child that leads its own process group, and all that is in the group.
pub(super) fn end(child: &mut Child) {
    signal(child, Signal::KILL);
    let _ = child.wait();
}

/// Tells a child's process group something.
pub(super) fn signal(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// Asks again and again until it is so.
pub(super) fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = ask()? {
            return Ok(found);
        }
        must(watch.elapsed() < limit, || format!("{what}: not within {} seconds", limit.as_secs()))?;
        std::thread::sleep(POLL);
    }
}

impl Said {
    /// That it ended with this code.
    pub(super) fn with(self, code: i32) -> Result<Self> {
        if self.code == Some(code) {
            return Ok(self);
        }
        let ended = self.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with {code}"));
        Err(Trouble::new(format!("`{}` ended {ended}, not with {code}: {}", self.name, self.last_words())))
    }

    /// That it ended well.
    pub(super) fn well(self) -> Result<Self> {
        self.with(0)
    }

    /// That this stands in what it said.
    pub(super) fn saying(self, what: &str) -> Result<Self> {
        if self.out.contains(what) || self.err.contains(what) {
            return Ok(self);
        }
        Err(Trouble::new(format!("`{}` does not say `{what}`: {}", self.name, self.last_words())))
    }

    /// Its standard output, as JSON.
    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out)
            .map_err(|error| Trouble::new(format!("what `{}` printed is not JSON: {error}", self.name)))
    }

    /// The first line of what it said on standard error.
    pub(super) fn complaint(&self) -> String {
        self.err.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    }

    fn last_words(&self) -> String {
        let all = if self.err.is_empty() { &self.out } else { &self.err };
        let all: Vec<&str> = all.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        all.iter().skip(all.len().saturating_sub(6)).copied().collect::<Vec<_>>().join("; ")
    }
}

/// The text at a place in JSON, like `/0/id`.
pub(super) fn text(value: &Value, place: &str) -> Result<String> {
    let found = value.pointer(place).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Trouble::new(format!("there is no text at `{place}` in {}", brief(value))))
}

fn brief(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_child_that_fails_says_why() {
        let failed = run(&mut sh("echo far >&2; echo near >&2; exit 4")).unwrap();
        assert_eq!(failed.complaint(), "far");
        let trouble = failed.well().unwrap_err().to_string();
        assert_eq!(trouble, "`sh` ended with 4, not with 0: far; near");
        assert!(run(&mut Command::new("no-such-program")).is_err());
    }

    #[test]
    fn a_child_reads_what_it_is_given_and_prints_json() {
        let said = fed(&mut sh("cat"), b"[{\"id\":\"x\"}]").unwrap().well().unwrap();
        assert_eq!(text(&said.json().unwrap(), "/0/id"), Ok("x".to_owned()));
        assert!(text(&said.json().unwrap(), "/1/id").is_err());
    }
}
