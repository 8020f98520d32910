//! Races between a caller that connects and what its process becomes: another program, or another process of the same number.
//!
//! The callers are real processes: this very binary, started again with a role. What must never come out is the facts of the
//! *victim*, a program that never connected.

use rustix::io::{FdFlags, fcntl_setfd};
use std::fs::{Permissions, copy, read, read_link, set_permissions, write};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as Caller;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use writ_attest::{AttestError, Attested, Peer, PeerStream, mark_senders};
use writ_types::Digest;

const ROLE: &str = "WRIT_RACE_ROLE";
const SOCKET: &str = "WRIT_RACE_SOCKET";
const VICTIM: &str = "WRIT_RACE_VICTIM";

/// What a caller does after it has connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Answers, and stays until the end of the stream: the honest one.
    Answer,
    /// Executes the victim at once; the connection survives.
    Exec,
    /// Answers, then executes the victim.
    AnswerThenExec,
    /// Lends the connection to a child that echoes, then executes the victim.
    LendThenExec,
    /// Ends.
    Die,
}

impl Role {
    const ALL: [Self; 5] = [Self::Answer, Self::Exec, Self::AnswerThenExec, Self::LendThenExec, Self::Die];
}

/// When the attestor looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As soon as the connection is there: it races.
    AtOnce,
    /// Once the process runs the victim.
    AfterExec,
}

/// Runs the caller's role and ends the process, if this process was started as one.
pub(crate) fn act_if_child() {
    let Ok(name) = std::env::var(ROLE) else { return };
    let role = Role::ALL.into_iter().find(|role| format!("{role:?}") == name).unwrap();
    let mut socket = Caller::connect(std::env::var_os(SOCKET).unwrap()).unwrap();
    match role {
        Role::Die => {}
        Role::Answer => {
            echo(&mut socket);
            let _ = socket.read(&mut [0]);
        }
        Role::Exec => become_victim(&socket),
        Role::AnswerThenExec => {
            echo(&mut socket);
            become_victim(&socket);
        }
        Role::LendThenExec => {
            let (read, write): (OwnedFd, OwnedFd) = (socket.try_clone().unwrap().into(), socket.try_clone().unwrap().into());
            let borrower = Command::new("head").arg("-c8").stdin(Stdio::from(read)).stdout(Stdio::from(write)).spawn();
            become_victim(&socket);
            drop(borrower);
        }
    }
    std::process::exit(0);
}

fn echo(socket: &mut Caller) {
    let mut nonce = [0; 8];
    if socket.read_exact(&mut nonce).is_ok() {
        let _ = socket.write_all(&nonce);
    }
}

fn become_victim(socket: &Caller) {
    fcntl_setfd(socket, FdFlags::empty()).unwrap();
    let error = Command::new(std::env::var_os(VICTIM).unwrap()).arg("0.05").env_remove(ROLE).exec();
    panic!("{error}");
}

/// A socket, a caller's program and a victim's.
pub(crate) struct World {
    directory: TempDir,
    listener: UnixListener,
    arguments: &'static [&'static str],
    caller_digest: Digest,
}

impl World {
    /// `arguments` make this binary call [`act_if_child`].
    pub(crate) fn new(arguments: &'static [&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        set_permissions(directory.path().join("socket"), Permissions::from_mode(0o666)).unwrap();
        mark_senders(&listener).unwrap();
        let caller = directory.path().join("caller");
        copy(std::env::current_exe().unwrap(), &caller).unwrap();
        copy("/bin/sleep", directory.path().join("victim")).unwrap();
        let caller_digest = Digest::of(&read(&caller).unwrap());
        Self { directory, listener, arguments, caller_digest }
    }

    /// Where the victim's program lies.
    pub(crate) fn victim(&self) -> PathBuf {
        self.directory.path().join("victim")
    }

    /// A command that starts a caller.
    pub(crate) fn caller(&self, role: Role) -> Command {
        let mut command = Command::new(self.directory.path().join("caller"));
        command.args(self.arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.env(ROLE, format!("{role:?}")).env(SOCKET, self.directory.path().join("socket")).env(VICTIM, self.victim());
        command
    }

    /// Accepts the next connection.
    pub(crate) async fn accept(&self) -> UnixStream {
        self.listener.accept().await.unwrap().0
    }

    /// One caller with its role against one attestation.
    pub(crate) async fn exec_race(&self, role: Role, moment: Moment) -> Result<Attested, AttestError> {
        let mut child = self.caller(role).spawn().unwrap();
        let socket = self.accept().await;
        if moment == Moment::AfterExec {
            self.wait_for_victim(&mut child);
        }
        let result = converse(Peer::of(&socket), socket).await;
        let _ = child.kill();
        child.wait().unwrap();
        if let Ok(attested) = &result {
            self.must_be_the_caller(attested);
        }
        result
    }

    /// One caller that has ended, and whose number a victim has. `None` where the number could not be had.
    pub(crate) async fn reuse_race(
        &self,
        pin: fn(&UnixStream) -> Result<Peer, AttestError>,
    ) -> Option<Result<Attested, AttestError>> {
        let mut child = self.caller(Role::Die).spawn().unwrap();
        let socket = self.accept().await;
        let number = child.id();
        child.wait().unwrap();
        let mut victim = self.victim_numbered(number)?;
        let result = converse(pin(&socket), socket).await;
        let _ = victim.kill();
        victim.wait().unwrap();
        if let Ok(attested) = &result {
            self.must_be_the_caller(attested);
        }
        Some(result)
    }

    /// Starts the victim as process `number`: only root may say which number is next.
    fn victim_numbered(&self, number: u32) -> Option<Child> {
        for _ in 0..20 {
            write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).ok()?;
            let mut victim = Command::new(self.victim()).arg("5").spawn().unwrap();
            if victim.id() == number {
                return Some(victim);
            }
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        None
    }

    /// Waits until the child runs the victim's program, or has ended.
    pub(crate) fn wait_for_victim(&self, child: &mut Child) {
        let link = format!("/proc/{}/exe", child.id());
        while child.try_wait().unwrap().is_none() && read_link(&link).ok() != Some(self.victim()) {
            std::thread::yield_now();
        }
    }

    fn must_be_the_caller(&self, attested: &Attested) {
        let caller = self.directory.path().join("caller");
        let path = attested.path().map(|path| path.as_str());
        assert_eq!(path, caller.to_str(), "the facts of a program that did not connect");
        assert_eq!(attested.sha256(), Some(self.caller_digest), "the digest of a program that did not connect");
    }
}

/// Challenges the peer, hears it, attests it.
pub(crate) async fn converse(peer: Result<Peer, AttestError>, socket: UnixStream) -> Result<Attested, AttestError> {
    let peer = peer?;
    let mut stream = PeerStream::new(socket, peer.pid());
    let nonce = peer.challenge(peer.pid().to_be_bytes().repeat(2).try_into().unwrap())?;
    let mut answer = [0; 8];
    let heard = async {
        stream.write_all(&nonce).await?;
        stream.read_exact(&mut answer).await
    };
    if matches!(tokio::time::timeout(Duration::from_secs(10), heard).await, Ok(Ok(_))) {
        peer.answer(answer);
    }
    peer.attest()
}
