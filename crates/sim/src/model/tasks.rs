//! The laws of tasks: who asks, who delegates, who approves, and when one runs.

use super::{Broken, Key, Model, REST, Task};
use writ_ledger::Entry;
use writ_ledger::body::{Body, Delegation, TaskRequested, TaskWanted};
use writ_types::{ActKind, OwnerRole, TaskId, Time};

impl Model {
    pub(super) fn tasks(&mut self, entry: &Entry, body: &Body) -> Result<(), Broken> {
        match body {
            Body::TaskWanted(it) => self.wanted(entry, it)?,
            Body::TaskRequested(it) => self.requested(entry, it)?,
            Body::TaskApproved(it) => {
                let content = self.open(&it.task)?.proposal.clone().ok_or("nothing was to be approved")?;
                let delegator = self.open(&it.task)?.content.delegator.ok_or("nobody delegated it")?;
                self.act(entry, Some(it.by), ActKind::Approve, &it.approval.to_string(), &content)?;
                law!(it.by != delegator, "{} approves what it delegated", it.by);
                let from = entry.at.micros().saturating_sub(REST);
                let rests = |key: &&Key| key.party == it.by && key.at.micros() > from && key.by.contains(&delegator);
                law!(!self.keys.values().any(|key| rests(&key)), "{} approves for who enrolled it", it.by);
                self.open(&it.task)?.approvers.insert(it.by);
            }
            Body::TaskRefused(it) => {
                let content = self.open(&it.task)?.proposal.clone();
                self.act(entry, Some(it.by), ActKind::Refuse, &it.approval.to_string(), &content)?;
            }
            Body::TaskStarted(it) => self.started(entry, it.task, it.ends_at)?,
            Body::TaskSignalled(it) => {
                if let Some(content) = &it.content {
                    self.act(entry, None, ActKind::Signal, &it.task.to_string(), content)?;
                }
            }
            Body::KillOrdered(it) => {
                self.act(entry, None, ActKind::Kill, &it.content.scope.to_string(), &it.content)?;
            }
            Body::TaskEnded(it) => {
                if let Some(content) = &it.content {
                    self.act(entry, None, ActKind::Complete, &it.task.to_string(), content)?;
                }
                self.open(&it.task)?.ended = true;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn open(&mut self, id: &TaskId) -> Result<&mut Task, Broken> {
        self.tasks.get_mut(id).filter(|task| !task.ended).ok_or_else(|| format!("task {id} is not open"))
    }

    /// What an agent asks for by itself: in its own name, and nothing else follows from it.
    fn wanted(&mut self, entry: &Entry, wanted: &TaskWanted) -> Result<(), Broken> {
        let content = &wanted.content;
        law!(entry.actor.id == content.actor.to_string() && entry.acts.is_empty(), "{} asks in another's name", entry.actor.id);
        law!(content.self_requested && content.delegator.is_none(), "task {} is delegated by nobody's word", content.task);
        self.chartered(&content.actor)?;
        law!(self.tasks.insert(content.task, Task::of(content, None)).is_none(), "task {} is asked for twice", content.task);
        Ok(())
    }

    fn requested(&mut self, entry: &Entry, requested: &TaskRequested) -> Result<(), Broken> {
        let content = &requested.content;
        law!(content.delegator.is_some(), "task {} is delegated by nobody", content.task);
        self.act(entry, content.delegator, ActKind::Delegate, &content.task.to_string(), content)?;
        self.chartered(&content.actor)?;
        let proposal = requested.proposal.as_ref().map(|proposal| proposal.content.clone());
        let before = self.tasks.insert(content.task, Task::of(content, proposal));
        // Word for word what its actor asked for, and only once.
        let wanted = Delegation { delegator: None, ..content.clone() };
        let same = before.as_ref().is_none_or(|before| !before.ended && before.content == wanted);
        law!(same && content.self_requested == before.is_some(), "task {} is not what was asked for", content.task);
        Ok(())
    }

    /// Law 7, and the base policy: in production the control or business owner approved, and is not the delegator.
    fn started(&mut self, entry: &Entry, id: TaskId, ends_at: Time) -> Result<(), Broken> {
        self.allowed(entry)?;
        let task = self.open(&id)?;
        law!(task.ends_at.is_none(), "task {id} is started twice");
        law!(ends_at <= entry.at.after(task.content.ttl), "task {id} lasts longer than was delegated");
        task.ends_at = Some(ends_at);
        let (content, approvers) = (task.content.clone(), task.approvers.clone());
        self.chartered(&content.actor)?;
        let delegator = content.delegator.ok_or("a task starts that nobody delegated")?;
        law!(self.people.get(&delegator) == Some(&true), "the delegator of {id} is disabled");
        for grant in &content.grants {
            let boundary = self.resources.get(&grant.resource).ok_or("a task reaches nothing")?;
            let owners = [OwnerRole::Control, OwnerRole::Business].map(|role| self.owner(boundary, role));
            let one = owners.iter().flatten().any(|owner| approvers.contains(owner) && *owner != delegator);
            law!(one, "task {id} starts without an approval that counts");
        }
        Ok(())
    }
}
