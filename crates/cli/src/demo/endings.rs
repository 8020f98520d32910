//! The steps `exceed` and `crash`.

use super::agent::IDLE;
use super::program::{begin, end, until};
use super::server::Server;
use super::stage::{Stage, Task};
use super::stopwatch::Stopwatch;
use super::tasks::{SESSIONS, approved};
use super::trouble::{Result, must};
use std::time::Duration;

/// By then nothing of an ended task may be left.
const GONE_WITHIN: Duration = Duration::from_secs(1);
/// The same, after a crash: the server's start is in it.
const CONVERGED_WITHIN: Duration = Duration::from_secs(20);

/// The agent reaches outside its task: every session of it dies, whatever it holds.
pub(super) fn exceed(stage: &mut Stage) -> Result<String> {
    let task = stage.first()?.clone();
    let (before, _) = stage.left(&task)?;
    must(before as usize >= SESSIONS.len() - 1, || format!("the superuser sees only {before} sessions before"))?;
    let said = stage.agent.writ(&["take", "--task", &task.id, "--resource", "billing-db", "--actions", "drop"])?;
    let watch = Stopwatch::start();
    let said = said.with(4)?.saying("scope-exceeded")?;
    gone(stage, &task, GONE_WITHIN)?;
    let ms = watch.ms();
    stage.closed(&task)?;
    let closed = watch.ms();
    must(closed <= 1000, || format!("no session is left, but CLOSED took {closed} ms"))?;
    died(stage)?;
    stays_out(stage, &task)?;
    stage.held = None;
    Ok(format!(
        "{}: with a cursor, a SET ROLE, a temporary table and a reconnecting client, the superuser sees 0 sessions after {ms} ms; \
         CLOSED after {closed} ms",
        said.complaint()
    ))
}

/// The superuser polls until neither a session nor a login is left.
fn gone(stage: &Stage, task: &Task, limit: Duration) -> Result<()> {
    until("the superuser finds no session and no login of the task's user", limit, || {
        Ok((stage.left(task)? == (0, 0)).then_some(()))
    })
}

/// That the clients themselves say what became of their sessions.
fn died(stage: &Stage) -> Result<()> {
    for session in SESSIONS.iter().filter(|session| **session != "reconnecting") {
        until(&format!("the client `{session}` sees its session end"), Duration::from_secs(5), || {
            let said = stage.agent.read(&format!("{session}.out"));
            Ok(said.contains("terminating connection").then_some(()))
        })?;
    }
    Ok(())
}

/// That the client which comes again and again, with its own copy of the password, stays out.
fn stays_out(stage: &Stage, task: &Task) -> Result<()> {
    let tried = |stage: &Stage| stage.agent.read("reconnecting.out").lines().filter(|line| line.contains("FATAL")).count();
    let before = tried(stage);
    until("the reconnecting client is refused", Duration::from_secs(5), || Ok((tried(stage) > before + 2).then_some(())))?;
    must(stage.left(task)? == (0, 0), || "the reconnecting client is in again".to_owned())?;
    let stop = stage.agent.file("stop");
    // Who can't write it lets the client run until the demo ends.
    let _ = std::fs::write(stop, b"");
    Ok(())
}

/// The server dies between two phases of an end, and goes on from there when it is back.
pub(super) fn crash(stage: &mut Stage) -> Result<String> {
    let id = stage.second()?.id.clone();
    let all = stage.cluster()?;
    until("the first task's user is dropped", CONVERGED_WITHIN, || Ok(all.users().is_ok_and(|users| users == 0).then_some(())))?;
    stage.serve(Some("cut-live"))?;
    approved(stage, &id)?;
    stage.held = Some(stage.agent.hold(&id, IDLE)?);
    let task = stage.see(&id, "second")?;
    let mut completes = begin(&mut stage.cast()?.command("alice", &["task", "complete", &id]))?;
    let killed = stage.server.take().map_or(Ok(()), Server::killed);
    // Its answer died with the server.
    end(&mut completes);
    killed?;
    let (sessions, logins) = stage.left(&task)?;
    must((sessions, logins) == (1, 0), || {
        format!("between the phases the superuser sees {sessions} sessions and {logins} logins")
    })?;
    let watch = Stopwatch::start();
    stage.serve(None)?;
    gone(stage, &task, CONVERGED_WITHIN)?;
    let ms = watch.ms();
    stage.closed(&task)?;
    stage.held = None;
    stage.delegate_second(task);
    Ok(format!("kill -9 after `block-new`: the superuser still sees 1 session; {ms} ms after the restart 0, and CLOSED"))
}
