//! The child: started with what it is handed, told what `writ run` is told, ended with its task.

use crate::failure::Failure;
use crate::show::plain;
use rustix::process::{Pid, kill_process};
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

/// How long a child that was told to end has for it.
const END_WITHIN: Duration = Duration::from_secs(5);

/// The signals that are passed on. They are taken from the moment this is made, so that none of them leaves something half done.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn take() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(Failure::bug);
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
            hangup: take(SignalKind::hangup())?,
        })
    }

    /// Any of them: there is no child yet that could answer.
    pub(crate) async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {},
            _ = self.hangup.recv() => {},
            _ = self.interrupt.recv() => {},
        }
    }

    /// The next one to pass on.
    pub(crate) async fn next(&mut self) -> rustix::process::Signal {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return rustix::process::Signal::TERM,
                _ = self.hangup.recv() => return rustix::process::Signal::HUP,
                // At a terminal its driver has told the child already: both are of the foreground.
                _ = self.interrupt.recv() => if !std::io::stdin().is_terminal() { return rustix::process::Signal::INT },
            }
        }
    }
}

/// The program that a command names, or a failure before anything is begun.
pub(crate) fn find(program: &OsStr) -> Result<PathBuf, Failure> {
    let runs = |path: &Path| std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    let named = Path::new(program);
    let found = if named.components().count() > 1 || named.is_absolute() {
        Some(named.to_owned()).filter(|path| runs(path))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|dir| dir.join(named)).find(|path| runs(path))
    };
    found.ok_or_else(|| {
        let message = format!("`{}` is no program that can be run", plain(&program.to_string_lossy()));
        Failure::usage(message, "name a program on the path, or by its file; nothing was started")
    })
}

/// Starts it.
pub(crate) fn start(
    program: &Path,
    arguments: &[OsString],
    without: &[&str],
    with: impl IntoIterator<Item = (&'static str, OsString)>,
) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    for variable in without {
        command.env_remove(variable);
    }
    command.envs(with);
    command.spawn().map_err(|error| Failure::file(program, &error))
}

/// Passes a signal on. A child that has just ended misses it.
pub(crate) fn tell(child: &Child, signal: rustix::process::Signal) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Ends it: asked first, then made to.
pub(crate) async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    tell(child, rustix::process::Signal::TERM);
    match timeout(END_WITHIN, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            tell(child, rustix::process::Signal::KILL);
            child.wait().await
        }
    }
}

/// The code that a shell would give it: its own, or 128 and the signal that ended it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_before_anything_is_begun() {
        assert!(find(OsStr::new("sh")).unwrap().is_absolute());
        assert_eq!(find(OsStr::new("/bin/sh")).unwrap(), Path::new("/bin/sh"));
        for missing in ["no-such-program", "/bin", "./no-such-program", ""] {
            assert!(find(OsStr::new(missing)).is_err(), "{missing}");
        }
    }

    #[test]
    fn the_code_is_the_one_that_a_shell_gives() {
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(15)), 143);
    }
}
