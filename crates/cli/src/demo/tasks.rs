//! The steps `delegate`, `self-approval`, `approve`, `work` and `one-task`.

use super::agent::WORK;
use super::charter::no_users;
use super::program::{Said, text, until};
use super::stage::{Stage, Task};
use super::trouble::{Result, must};
use serde_json::Value;
use std::time::Duration;

/// The sessions of somebody who wants to stay.
pub(super) const SESSIONS: [&str; 4] = ["cursor", "set-role", "temporary", "reconnecting"];
const WORKS_WITHIN: Duration = Duration::from_secs(15);

fn request(stage: &Stage) -> Result<Said> {
    let what = ["task", "request", "--actor", "invoicer", "--purpose", "close invoices", "--data", "billing"];
    let how = ["--resource", "billing-db=read,write", "--ttl", "30m", "-o", "json"];
    stage.cast()?.writ("alice", &[&what[..], &how[..]].concat())
}

/// Alice delegates; policy asks for an approval, whose content says what a revocation will do.
pub(super) fn delegate(stage: &mut Stage) -> Result<String> {
    let view = request(stage)?.with(5)?.json()?;
    let state = text(&view, "/state")?;
    must(state == "awaiting", || format!("the task is {state}, not awaiting"))?;
    let resource = view.pointer("/proposal/resources/0").cloned().unwrap_or_default();
    let (class, within) = (text(&resource, "/class")?, text(&resource, "/effective_in")?);
    must(class == "cuts-live", || format!("the class shown is `{class}`"))?;
    let id = text(&view, "/task")?;
    stage.delegate_first(Task { id: id.clone(), ..Task::default() });
    let role = if stage.has_cluster() {
        no_users(stage)?;
        "; the superuser finds no user for it yet"
    } else {
        ""
    };
    Ok(format!("{id} by alice's key: approval required; what is approved says {class}, {within}{role}"))
}

/// Alice can't approve what she delegated.
pub(super) fn self_approval(stage: &mut Stage) -> Result<String> {
    let task = stage.first()?;
    let said = stage.cast()?.writ("alice", &["task", "approve", &task.id, "--yes"])?.with(4)?;
    let state = text(&shown(stage, &task.id)?, "/state")?;
    must(state == "awaiting", || format!("the task is {state} all the same"))?;
    if stage.has_cluster() {
        no_users(stage)?;
    }
    Ok(format!("exit 4: {}", said.complaint()))
}

fn shown(stage: &Stage, task: &str) -> Result<Value> {
    // An awaiting task's state is its exit code too.
    let said = stage.cast()?.writ("alice", &["task", "show", task, "-o", "json"])?;
    said.json()
}

/// The business owner approves with his key.
pub(super) fn approve(stage: &mut Stage) -> Result<String> {
    let task = stage.first()?;
    approved(stage, &task.id)?;
    Ok(format!("{} by bob, the business owner, with his key", task.id))
}

pub(super) fn approved(stage: &Stage, task: &str) -> Result<()> {
    let view = stage.cast()?.writ("bob", &["task", "approve", task, "--yes", "-o", "json"])?.well()?.json()?;
    let state = text(&view, "/state")?;
    must(state == "approved", || format!("the task is {state}, not approved"))
}

/// The agent works through psql, and the superuser sees as whom.
pub(super) fn work(stage: &mut Stage) -> Result<String> {
    let id = stage.first()?.id.clone();
    let mut held = stage.agent.hold(&id, WORK)?;
    let cluster = stage.cluster()?;
    let sessions = "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE usename LIKE 'writ\\_t\\_%'";
    until("the superuser sees the agent's four clients", WORKS_WITHIN, || {
        held.runs()?;
        let seen = cluster.psql("postgres", sessions)?;
        Ok((seen == SESSIONS.len().to_string()).then_some(()))
    })?;
    let task = stage.see(&id, "cursor")?;
    let read = stage.agent.read("read.out");
    must(read == "500", || format!("the agent read `{read}` {}", stage.agent.read("read.err")))?;
    let wrote = cluster.psql("billing", "SELECT entered_by FROM app.invoice WHERE what = 'closed by the agent'")?;
    must(wrote == task.user, || format!("the superuser sees a row entered by `{wrote}` {}", stage.agent.read("write.err")))?;
    let role = cluster.psql("postgres", "SELECT current_setting('is_superuser')")?;
    must(role == "on", || "who judges is no superuser".to_owned())?;
    let detail = format!("the agent read 500 invoices and entered one; the superuser sees the row, entered by {}", task.user);
    stage.held = Some(held);
    stage.delegate_first(task);
    Ok(detail)
}

/// What was approved for one task is nothing for another.
pub(super) fn one_task(stage: &mut Stage) -> Result<String> {
    let id = text(&request(stage)?.with(5)?.json()?, "/task")?;
    stage.delegate_second(Task { id: id.clone(), ..Task::default() });
    let before = stage.has_cluster().then(|| stage.cluster()?.users()).transpose()?;
    let said = stage.agent.writ(&["take", "--task", &id, "--resource", "billing-db", "--actions", "read"])?;
    must(matches!(said.code, Some(4 | 5)), || {
        format!("a credential for the second task: exit {:?} {}", said.code, said.complaint())
    })?;
    let ran = stage.agent.writ(&["run", "--task", &id, "--resource", "billing-db", "--", "touch", "ran"])?;
    must(matches!(ran.code, Some(4 | 5)), || format!("the second task ran: exit {:?} {}", ran.code, ran.complaint()))?;
    must(!stage.agent.file("ran").exists(), || "the command ran all the same".to_owned())?;
    let after = stage.has_cluster().then(|| stage.cluster()?.users()).transpose()?;
    must(before == after, || format!("the superuser finds {after:?} task users, and found {before:?} before"))?;
    if let Some(held) = &mut stage.held {
        held.runs()?;
    }
    let first = if stage.held.is_some() { "runs" } else { "is approved" };
    Ok(format!("no credential for {id} while the first task {first}: {}", said.complaint()))
}
