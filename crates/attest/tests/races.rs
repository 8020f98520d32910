//! Attestation against real processes that change under it. `cargo run --release --example race_soak -p writ-attest` runs 10,000 of each.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

#[path = "races/driver.rs"]
mod driver;

use driver::{Moment, Role, World, act_if_child, converse};
use nix::sys::socket::sockopt::PeerPidfd;
use std::fs::{Permissions, copy, remove_file, rename, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use writ_attest::{AttestError, Peer, PeerStream, Pinned, mark_senders};
use writ_types::{Selector, TextValue};

const CHILD: &[&str] = &["--exact", "child", "--nocapture", "--test-threads=1"];

/// The caller's side: does nothing unless this process was started as a caller.
#[test]
fn child() {
    act_if_child();
}

/// Whether a race that only root can force is possible; says so where it isn't.
fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("left out: {what} needs root");
    }
    root
}

/// R45, R46: facts come from the kernel, and all of them match.
#[tokio::test]
async fn an_honest_caller_is_attested() {
    let world = World::new(CHILD);
    let attested = world.exec_race(Role::Answer, Moment::AtOnce).await.unwrap();
    assert_eq!(attested.uid(), rustix::process::geteuid().as_raw());
    let texts: Vec<String> = attested.selectors().iter().map(ToString::to_string).collect();
    assert!(texts.iter().any(|text| text.starts_with("unix:path:/") && text.ends_with("/caller")), "{texts:?}");
    assert!(attested.matches(attested.selectors()));
    assert!(!attested.matches(&[Selector::Uid(attested.uid() + 1)].into()));
    assert!(!attested.matches(&[].into()), "an identity without selectors is nobody's");
}

/// R47, R49: a program that another process executes never gets, and never lends, its facts to the connection.
#[tokio::test]
async fn executing_another_program_never_yields_its_facts() {
    let world = World::new(CHILD);
    let mut attested = 0;
    for round in 0..300 {
        let role = [Role::Exec, Role::AnswerThenExec, Role::LendThenExec][round % 3];
        attested += usize::from(world.exec_race(role, Moment::AtOnce).await.is_ok());
    }
    eprintln!("300 races: {attested} attested as the caller before it changed");
    for role in [Role::Exec, Role::LendThenExec] {
        let refused = world.exec_race(role, Moment::AfterExec).await.unwrap_err();
        assert!(matches!(refused, AttestError::Unheard | AttestError::Gone | AttestError::Changed(_)), "{refused}");
    }
}

/// R47, R49: a number that another process has been given names nobody: also where the kernel can't pin a peer.
#[tokio::test]
async fn a_reused_process_number_never_yields_the_other_process() {
    if !is_root("giving a process number again") {
        return;
    }
    let world = World::new(CHILD);
    let mut reused = 0;
    for round in 0..200 {
        let pin = [Peer::of, Peer::of_by_number][round % 2];
        if let Some(result) = world.reuse_race(pin).await {
            reused += 1;
            let refused = result.unwrap_err();
            assert!(matches!(refused, AttestError::Gone | AttestError::Unheard), "{refused}");
        }
    }
    assert!(reused > 100, "only {reused} numbers could be had again");
}

/// R49: a process that becomes another program or user later loses what it had.
#[tokio::test]
async fn a_caller_that_changes_after_it_was_attested_is_refused() {
    let world = World::new(CHILD);
    let mut callers = vec![world.caller(Role::AnswerThenExec)];
    if is_root("a set-user-id program") {
        let mut caller = world.caller(Role::AnswerThenExec);
        caller.uid(4_242).gid(4_242).env("WRIT_RACE_VICTIM", "/bin/su").stderr(std::process::Stdio::null());
        callers.push(caller);
    }
    for mut caller in callers {
        let mut child = caller.spawn().unwrap();
        let socket = world.accept().await;
        let peer = Peer::of(&socket).unwrap();
        let nonce = peer.challenge([7; 8]).unwrap();
        let mut stream = PeerStream::new(socket, peer.pid());
        stream.write_all(&nonce).await.unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        peer.answer(answer);
        let link = format!("/proc/{}/exe", child.id());
        while child.try_wait().unwrap().is_none() && std::fs::read_link(&link).is_ok_and(|now| now.ends_with("caller")) {
            std::thread::yield_now();
        }
        let refused = peer.attest().unwrap_err();
        assert!(matches!(refused, AttestError::Changed(_) | AttestError::Several(_) | AttestError::Gone), "{refused}");
        let _ = child.kill();
        child.wait().unwrap();
        assert!(matches!(peer.attest(), Err(AttestError::Gone)));
        peer.ended().await.unwrap();
    }
}

/// R46: what lies under a program's name later says nothing of the process that runs.
#[tokio::test]
async fn a_replaced_file_does_not_lie_for_the_running_process() {
    let world = World::new(CHILD);
    let path = world.victim().with_file_name("caller");
    let other = world.victim().with_file_name("other");
    let mut child = world.caller(Role::Answer).spawn().unwrap();
    let socket = world.accept().await;
    copy(world.victim(), &other).unwrap();
    let mine = world.victim().with_file_name("mine");
    rename(&path, &mine).unwrap();
    rename(&other, &path).unwrap();
    let attested = converse(Peer::of(&socket), socket).await.unwrap();
    assert_eq!(attested.path().map(|path| path.as_str()), mine.to_str(), "the file that runs, where it lies now");
    remove_file(&mine).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

/// R45: an upgrade that deletes the file of a running program takes nothing from the process; a caller that starts deleted has no path.
#[tokio::test]
async fn a_deleted_program_keeps_its_name_only_if_it_had_it() {
    for deleted_first in [false, true] {
        let world = World::new(CHILD);
        let path = world.victim().with_file_name("caller");
        let mut child = world.caller(Role::Answer).spawn().unwrap();
        let socket = world.accept().await;
        let peer = Peer::of(&socket).unwrap();
        if deleted_first {
            remove_file(&path).unwrap();
        }
        let nonce = peer.challenge([9; 8]).unwrap();
        if !deleted_first {
            remove_file(&path).unwrap();
        }
        let mut stream = PeerStream::new(socket, peer.pid());
        stream.write_all(&nonce).await.unwrap();
        stream.read_exact(&mut [0; 8]).await.unwrap();
        peer.answer(nonce);
        let attested = peer.attest().unwrap();
        assert_eq!(attested.path().is_none(), deleted_first);
        assert!(attested.sha256().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// R46: no answer, no facts; and the answer is the challenge's own.
#[tokio::test]
async fn nothing_is_attested_without_the_answer() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    mark_senders(&ours).unwrap();
    let peer = Peer::of(&ours).unwrap();
    assert!(matches!(peer.attest(), Err(AttestError::Unheard)));
    peer.answer([0; 8]);
    assert_eq!(peer.challenge([3; 8]).unwrap(), [3; 8]);
    peer.answer([4; 8]);
    assert!(matches!(peer.attest(), Err(AttestError::Unheard)));
    theirs.write_all(&[3; 8]).await.unwrap();
    let mut answer = [0; 8];
    PeerStream::new(ours, peer.pid()).read_exact(&mut answer).await.unwrap();
    peer.answer(answer);
    let attested = peer.attest().unwrap();
    assert_eq!(attested.pid(), std::process::id());
    assert!(attested.selectors().iter().all(|selector| Selector::parse(&selector.to_string()).is_ok()));
}

/// R47: bytes that another process sends over the connection end it.
#[tokio::test]
async fn bytes_of_another_process_end_the_stream() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    mark_senders(&ours).unwrap();
    let mut stream = PeerStream::new(ours, std::process::id() + 1);
    theirs.write_all(b"hello").await.unwrap();
    let error = stream.read(&mut [0; 5]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

/// The kernel of this machine decides how a peer is held; both ways are raced above.
#[tokio::test]
async fn a_new_kernel_pins_by_the_socket() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let known = nix::sys::socket::getsockopt(&ours, PeerPidfd).is_ok();
    let expected = if known { Pinned::BySocket } else { Pinned::ByNumber };
    assert_eq!(Peer::of(&ours).unwrap().pinned(), expected);
    assert_eq!(Peer::of_by_number(&ours).unwrap().pinned(), Pinned::ByNumber);
}

/// R46: a name that exists only in the caller's own file system is no fact here.
#[tokio::test]
async fn a_private_mount_does_not_forge_a_path() {
    if !is_root("a private mount") {
        return;
    }
    let world = World::new(CHILD);
    let forged = world.victim().with_file_name("forged");
    copy("/bin/true", &forged).unwrap();
    set_permissions(&forged, Permissions::from_mode(0o755)).unwrap();
    let caller = world.caller(Role::Answer);
    let script =
        format!("mount --bind {} {} && exec {} \"$@\"", caller.get_program().display(), forged.display(), forged.display());
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", &script, "sh"]).args(caller.get_args());
    command.envs(caller.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let socket = world.accept().await;
    let attested = converse(Peer::of(&socket), socket).await.unwrap();
    assert!(attested.path().is_none_or(|path| !path.as_str().ends_with("forged")), "{attested:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
