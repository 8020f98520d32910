//! `writ serve` as a child.

use super::program::{PATIENCE, end, until, within};
use super::trouble::{Result, Trouble, must};
use super::world::World;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Stdio};
use std::rc::Rc;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    world: Rc<World>,
    child: Child,
}

/// A port for the API that is free now, and stays the server's own over its restarts.
pub(super) fn free_api() -> Result<String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    address.map(|address| address.to_string()).map_err(|error| Trouble::new(format!("no free port: {error}")))
}

impl Server {
    /// Starts one and waits until it listens. With `crash_in`, it kills itself when the end of a credential reaches that phase.
    pub(super) fn start(world: &Rc<World>, api: &str, crash_in: Option<&str>) -> Result<Self> {
        let home = world.path("people");
        let mut command = world.writ(&home);
        command.args(["serve", "--api", api, "--dir"]).arg(world.server());
        command.arg("--admin-socket").arg(world.admin_socket()).arg("--workload-socket").arg(world.workload_socket());
        if let Some(phase) = crash_in {
            command.args(["--crash-in", phase]);
        }
        let log = world.path("out/server.log");
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(|error| Trouble::file(&log, &error))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let child = command.spawn().map_err(|error| Trouble::new(format!("can't run `writ serve`: {error}")))?;
        world.remember(&child);
        let mut server = Self { world: Rc::clone(world), child };
        until("the server listens", PATIENCE, || {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(Trouble::new(format!("`writ serve` ended: {status}: {}", server.last_words())));
            }
            let both = [server.world.admin_socket(), server.world.workload_socket()];
            Ok(both.iter().all(|socket| UnixStream::connect(socket).is_ok()).then_some(()))
        })?;
        Ok(server)
    }

    /// Waits until it was killed, by whom ever.
    pub(super) fn killed(mut self) -> Result<()> {
        let status = within(&mut self.child, PATIENCE)?;
        let signal = status.and_then(|status| status.signal());
        must(signal == Some(9), || format!("the server was to be killed, and is not: {status:?}"))
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.world.path("out/server.log")).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
        self.world.forget(&self.child);
    }
}
