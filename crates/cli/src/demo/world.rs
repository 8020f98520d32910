//! A directory of the demo's own, which the agent's account can reach, and what cleans up after it.

use super::trouble::{Result, Trouble};
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Accounts that the agent may get, if nobody has them: none of a machine's own (Debian gives out 1000 to 59999).
pub(super) const AGENT_UIDS: std::ops::Range<u32> = 61_000..61_900;

/// Ends what is still there once this process has gone, however it went: the process groups named in `live`, the cluster, the files.
const WATCHDOG: &str = r#"read -r _
for f in "$1"/live/*; do kill -s KILL -- "-${f##*/}"; done
if pid=$(head -n 1 "$1/pg/data/postmaster.pid"); then
  kill -s QUIT "$pid"; n=0; while kill -0 "$pid" && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
fi
rm -rf "$1" "$2""#;

/// The demo's directory.
#[derive(Debug)]
pub(super) struct World {
    dir: PathBuf,
    /// The binary, where the agent can run it.
    pub(super) writ: PathBuf,
    /// An account that nobody else has; none where we may not change accounts.
    pub(super) agent_uid: Option<u32>,
    /// The agent's directory in memory, for what `writ run` hands over.
    pub(super) memory: PathBuf,
    /// Our own account.
    pub(super) own_uid: u32,
    watchdog: Option<Child>,
}

impl World {
    pub(super) fn make() -> Result<Self> {
        let dir = place()?;
        let own_uid = std::fs::metadata(&dir).map_err(|error| Trouble::file(&dir, &error))?.uid();
        let memory = Path::new("/dev/shm").join(dir.file_name().unwrap_or_default());
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(&dir).arg(&memory);
        // `read` returns when the pipe closes, which it does when this process ends.
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let watchdog = watchdog.spawn().map_err(|error| Trouble::new(format!("can't run `sh`: {error}")))?;
        let agent_uid = (own_uid == 0).then(free_uid).flatten();
        let writ = dir.join("bin/writ");
        let world = Self { dir, writ, agent_uid, memory, own_uid, watchdog: Some(watchdog) };
        for (name, mode) in [("bin", 0o755), ("run", 0o711), ("people", 0o700), ("agent", 0o700), ("live", 0o700), ("out", 0o700)]
        {
            let path = world.path(name);
            DirBuilder::new().mode(mode).create(&path).map_err(|error| Trouble::file(&path, &error))?;
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|error| Trouble::file(&path, &error))?;
        }
        // Where there is no such place, `writ run` looks for another.
        let in_memory = DirBuilder::new().mode(0o700).create(&world.memory).is_ok();
        if let Some(uid) = world.agent_uid {
            for dir in [Some(&world.path("agent")), in_memory.then_some(&world.memory)].into_iter().flatten() {
                chown(dir, Some(uid), Some(uid)).map_err(|error| Trouble::file(dir, &error))?;
            }
        }
        let own = std::env::current_exe().map_err(|error| Trouble::new(format!("this program can't find itself: {error}")))?;
        // Where it was built, the agent's account may have no way in.
        let linked = std::fs::hard_link(&own, &world.writ).or_else(|_| std::fs::copy(&own, &world.writ).map(drop));
        linked.map_err(|error| Trouble::file(&world.writ, &error))?;
        Ok(world)
    }

    /// Something in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The server's directory.
    pub(super) fn server(&self) -> PathBuf {
        self.path("server")
    }

    /// The socket for people.
    pub(super) fn admin_socket(&self) -> PathBuf {
        self.path("run/admin.sock")
    }

    /// The Workload API's socket.
    pub(super) fn workload_socket(&self) -> PathBuf {
        self.path("run/workload.sock")
    }

    /// The uid that the agent runs under.
    pub(super) fn acting_uid(&self) -> u32 {
        self.agent_uid.unwrap_or(self.own_uid)
    }

    /// Our binary, with nothing of the caller's that could reach another server.
    pub(super) fn writ(&self, home: &Path) -> Command {
        let mut command = Command::new(&self.writ);
        command.env_clear().env("HOME", home).env("XDG_STATE_HOME", home.join("state")).env("LC_ALL", "C").current_dir(home);
        for kept in ["PATH", "TMPDIR", "RUST_BACKTRACE"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command
    }

    /// Remembers a child that leads its process group, so that it does not outlive us.
    pub(super) fn remember(&self, child: &Child) {
        // What can't be remembered is still ended where it is let go.
        let _ = std::fs::write(self.path("live").join(child.id().to_string()), b"");
    }

    /// The child has ended.
    pub(super) fn forget(&self, child: &Child) {
        let _ = std::fs::remove_file(self.path("live").join(child.id().to_string()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The watchdog does its work now instead of at the end of the process.
        if let Some(mut watchdog) = self.watchdog.take() {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
    }
}

/// A fresh directory, 0711, under a parent that every account can pass.
fn place() -> Result<PathBuf> {
    let passable = |path: &Path| {
        path.ancestors()
            .all(|dir| std::fs::metadata(dir).is_ok_and(|meta| meta.is_dir() && meta.permissions().mode() & 0o001 != 0))
    };
    let parents = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    // A unix socket's path has at most 107 bytes.
    let parent = parents.iter().find(|path| passable(path) && path.as_os_str().len() < 60);
    let parent = parent.ok_or_else(|| Trouble::new("no temporary directory that every account can pass: not even `/tmp`"))?;
    let made = tempfile::Builder::new().prefix("writ-demo-").tempdir_in(parent).map_err(|error| Trouble::file(parent, &error))?;
    let dir = made.keep();
    std::fs::set_permissions(&dir, Permissions::from_mode(0o711)).map_err(|error| Trouble::file(&dir, &error))?;
    Ok(dir)
}

/// An account's number that no account has and no process runs under.
fn free_uid() -> Option<u32> {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = |uid: &u32| known.lines().any(|line| line.split(':').nth(2) == Some(&uid.to_string()));
    let running: Vec<u32> =
        std::fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| Some(entry.metadata().ok()?.uid())).collect();
    AGENT_UIDS.into_iter().find(|uid| !named(uid) && !running.contains(uid))
}
