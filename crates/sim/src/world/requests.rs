//! Tasks, as agents ask for them, and as people delegate, approve and refuse them.

use super::{Came, World, names};
use crate::{Cast, Estate};
use writ_ledger::body::{Delegation, DelegationGrant, Proposal};
use writ_plane::{Answer, Approve, Command, Refuse, Request, Want};
use writ_types::{ActKind, Denial, Name, Purpose, TaskId, TextValue as _, Ttl};

impl World {
    /// A task for an agent on the database, as the delegator signs it.
    pub fn delegation(&mut self, handle: &str, agent: &str, actions: &[&str], minutes: u64) -> Request {
        let resource = Estate::new().resource.resource;
        let content = Delegation {
            task: TaskId::mint(&mut self.random),
            delegator: Some(Cast::get().person(handle).party),
            self_requested: false,
            actor: Cast::get().agent(agent).identity,
            purpose: Purpose::parse("close invoices").unwrap(),
            data_scope: vec![Name::parse("billing").unwrap()],
            grants: vec![DelegationGrant { resource, actions: names(actions) }],
            ttl: Ttl::from_seconds(minutes * 60),
            description: None,
        };
        let act = self.act(handle, ActKind::Delegate, &content.task.to_string(), &content);
        Request { content, act }
    }

    /// Requests a task.
    ///
    /// # Errors
    /// The denial.
    pub fn request(&mut self, handle: &str, agent: &str, actions: &[&str], minutes: u64) -> Result<TaskId, Denial> {
        let request = self.delegation(handle, agent, actions, minutes);
        let task = request.content.task;
        self.ask(Command::Request(Box::new(request))).map(|_| task)
    }

    /// What an agent would ask for by itself.
    ///
    /// # Panics
    /// When the agent has no certificate.
    pub fn wish(&self, agent: &str, actions: &[&str], minutes: u64) -> Want {
        Want {
            purpose: Purpose::parse("close invoices").unwrap(),
            data_scope: vec![Name::parse("billing").unwrap()],
            grants: [(Name::parse("billing-db").unwrap(), names(actions))].into(),
            ttl: Ttl::from_seconds(minutes * 60),
            caller: self.caller(agent).unwrap(),
        }
    }

    /// An agent asks for a task by itself.
    ///
    /// # Errors
    /// The denial.
    ///
    /// # Panics
    /// When the agent has no certificate.
    pub fn want(&mut self, agent: &str, actions: &[&str], minutes: u64) -> Result<TaskId, Denial> {
        let want = self.wish(agent, actions, minutes);
        match self.ask(Command::Want(Box::new(want)))? {
            Answer::Wanted { task } => Ok(task),
            other => panic!("{other:?}"),
        }
    }

    /// What an agent asked for by itself, as this person would delegate it.
    ///
    /// # Panics
    /// When there is no such task.
    pub fn delegating(&mut self, handle: &str, task: TaskId) -> Request {
        let mut content = self.state().tasks().get(&task).unwrap().content.clone();
        content.delegator = Some(Cast::get().person(handle).party);
        let act = self.act(handle, ActKind::Delegate, &task.to_string(), &content);
        Request { content, act }
    }

    /// What has to be approved of a task.
    ///
    /// # Panics
    /// When there is no such task, or nothing has.
    pub fn proposal(&self, task: TaskId) -> Proposal {
        self.state().tasks().get(&task).and_then(|task| task.proposal.clone()).unwrap()
    }

    /// Approves a task.
    ///
    /// # Errors
    /// The denial.
    pub fn approve(&mut self, handle: &str, task: TaskId) -> Came {
        let content = self.proposal(task).content;
        let act = self.act(handle, ActKind::Approve, &content.approval.to_string(), &content);
        self.ask(Command::Approve(Approve { task, act }))
    }

    /// Refuses a task.
    ///
    /// # Errors
    /// The denial.
    pub fn refuse(&mut self, handle: &str, task: TaskId) -> Came {
        let content = self.proposal(task).content;
        let act = self.act(handle, ActKind::Refuse, &content.approval.to_string(), &content);
        self.ask(Command::Refuse(Refuse { task, act }))
    }
}
