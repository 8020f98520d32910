//! Entries of a credential: its grant, its end, and the reach outside a task that ends the task.

use super::command::{Exceeded, Taken};
use crate::actor::WRIT;
use crate::answer::Answer;
use crate::decision::{record, refused};
use crate::plan::{Draft, Plan};
use crate::state::State;
use crate::task::end_task;
use crate::view::View;
use writ_ledger::Actor;
use writ_ledger::body::{CredentialGranted, CredentialRevoked, TaskSignalled};
use writ_types::{
    Code, CredentialId, CredentialKind, CutDatabaseUser, Denial, OpenDatabaseUser, Order, Random, SqlName, TaskEnd, TextValue,
    Time, Trigger,
};

impl Taken {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Result<Answer, Denial> {
        let gone = || Denial::new(Code::Stale, "what the task reaches is no longer there", "ask for a new task");
        let task = view.state.tasks.get(&self.task).ok_or_else(gone)?;
        let resource = view.state.resources.get(&self.resource).ok_or_else(gone)?;
        let groups = resource.groups(&self.actions).ok_or_else(gone)?;
        let credential = CredentialId::mint(random);
        let user = SqlName::parse(&credential.to_string().replacen(CredentialId::PREFIX, "writ_t_", 1)).map_err(|_| gone())?;
        let databases = resource.postgres.databases.clone();
        let on: Vec<String> = [
            credential.to_string(),
            self.task.to_string(),
            task.actor().to_string(),
            self.resource.to_string(),
            user.to_string(),
            self.serial.clone(),
        ]
        .into();
        let (decision, decided) = record(plan, self.actor.clone(), "credential", on.clone(), self.evaluations, None, random);
        let started = match task.phase {
            crate::task::Phase::Live { index, .. } => Some(index),
            _ => None,
        };
        let body = CredentialGranted {
            credential,
            kind: CredentialKind::PostgresUser,
            task: self.task,
            identity: task.actor(),
            serial: self.serial,
            resource: self.resource,
            actions: self.actions,
            user: user.clone(),
            databases: databases.clone(),
            expires: self.expires,
            class: CredentialKind::PostgresUser.class(),
        };
        let order = Order::OpenDatabaseUser(OpenDatabaseUser {
            credential,
            task: self.task,
            resource: self.resource,
            user: user.clone(),
            groups: groups.into_iter().collect(),
            databases,
            expires: self.expires,
            epoch: view.state.domain.epoch,
            scram_iterations: resource.postgres.scram_iterations,
        });
        let draft = Draft::new(self.actor, body).on(on).cause([decided, self.caller_index]).cause(started);
        plan.push(draft.decision(Some(decision)).order(order));
        Ok(Answer::Granted { credential, user, expires: self.expires })
    }
}

impl Exceeded {
    /// The denial as evidence, the signal by the server itself, the end of the task and of all its credentials.
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Denial {
        let (decision, decided) = refused(plan, self.record, &self.denial, random);
        let actor = crate::actor::system();
        let body = TaskSignalled {
            task: self.task,
            trigger: Trigger::ScopeExceeded,
            sender: WRIT.to_owned(),
            self_reported: false,
            content: None,
        };
        let draft = Draft::new(actor.clone(), body).on([self.task]).cause([decided]).decision(Some(decision));
        let index = plan.push(draft);
        end_task(view.state, plan, &self.task, TaskEnd::Signal, &actor, index);
        self.denial
    }
}

/// Revokes one credential and orders its end.
pub(crate) fn revoke(state: &State, plan: &mut Plan, id: &CredentialId, why: &str, actor: &Actor, cause: u64) {
    let Some(credential) = state.credentials.get(id).filter(|credential| credential.counts()) else { return };
    let on = [id.to_string(), credential.task.to_string(), credential.user.to_string()];
    let body = CredentialRevoked { credential: *id, why: why.to_owned() };
    let order = Order::CutDatabaseUser(credential.cut(*id, state.domain.epoch));
    plan.push(Draft::new(actor.clone(), body).on(on).cause([credential.granted, cause]).order(order));
}

/// Credentials whose own time is up before their task's.
pub(crate) fn due(state: &State, now: Time) -> Vec<CredentialId> {
    state.credentials.due(now).copied().collect()
}

/// What must still be ended: every credential that counts no longer and is not closed everywhere.
pub fn unfinished(state: &State) -> Vec<CutDatabaseUser> {
    let open = state.credentials.unclosed().filter(|(_, credential)| !credential.counts());
    open.map(|(id, credential)| credential.cut(*id, state.domain.epoch)).collect()
}
