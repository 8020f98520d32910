//! Entries of a request, an approval, a refusal and a start.

use super::command::{Approved, Refused, Requested, Started, approval_expires};
use super::end::end_task;
use super::request::resolve;
use crate::answer::Answer;
use crate::decision::record;
use crate::plan::{Draft, Plan};
use crate::view::View;
use writ_ledger::body::{Proposal, TaskApproved, TaskRefused, TaskRequested, TaskStarted};
use writ_types::{ApprovalId, Random, TaskEnd};

impl Requested {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let task = self.content.task;
        let actor = crate::actor::person(&self.by);
        let mut on = vec![task.to_string(), self.content.actor.to_string()];
        on.extend(self.content.grants.iter().map(|grant| grant.resource.to_string()));
        let (decision, decided) = record(plan, actor.clone(), "request", on.clone(), self.evaluations, None, random);
        let approval = ApprovalId::mint(random);
        let proposal = self.any_of.and_then(|any_of| {
            Some(Proposal { content: resolve(view, &self.content, approval, approval_expires(view.now))?, any_of })
        });
        let blobs = self.content.description;
        on.extend(proposal.iter().map(|proposal| proposal.content.approval.to_string()));
        let identity = view.state.identities.get(&self.content.actor).map(|identity| identity.version);
        let wanted = view.state.tasks.get(&task).map(|task| task.requested);
        let body = TaskRequested { content: self.content, proposal: proposal.clone() };
        plan.push(
            Draft::new(actor, body)
                .on(on)
                .cause([decided])
                .cause(identity)
                .cause(wanted)
                .decision(Some(decision))
                .act(self.act)
                .blobs(blobs),
        );
        Answer::Requested { task, decision, proposal: proposal.map(Box::new) }
    }
}

impl Approved {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let approval = self.content.approval;
        let on = vec![self.task.to_string(), approval.to_string()];
        let actor = crate::actor::person(&self.by);
        let (decision, decided) = record(plan, actor.clone(), "approve", on.clone(), self.evaluations, None, random);
        let requested = view.state.tasks.get(&self.task).map(|task| task.requested);
        let body = TaskApproved { task: self.task, approval, by: self.by.by(), complete: self.complete };
        plan.push(Draft::new(actor, body).on(on).cause(requested).cause([decided]).decision(Some(decision)).act(self.act));
        Answer::Approved { task: self.task, complete: self.complete }
    }
}

impl Refused {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let approval = self.content.approval;
        let on = vec![self.task.to_string(), approval.to_string()];
        let actor = crate::actor::person(&self.by);
        let (decision, decided) = record(plan, actor.clone(), "refuse", on.clone(), self.evaluations, None, random);
        let requested = view.state.tasks.get(&self.task).map(|task| task.requested);
        let body = TaskRefused { task: self.task, approval, by: self.by.by() };
        let index = plan.push(
            Draft::new(actor.clone(), body).on(on).cause(requested).cause([decided]).decision(Some(decision)).act(self.act),
        );
        end_task(view.state, plan, &self.task, TaskEnd::Refused, &actor, index);
        Answer::Ended { tasks: [self.task].into(), credentials: Default::default() }
    }
}

impl Started {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let on = vec![self.task.to_string(), self.known.identity.to_string(), self.known.serial.clone()];
        let actor = self.known.actor();
        let (decision, decided) = record(plan, actor.clone(), "start", on.clone(), self.evaluations, None, random);
        let task = view.state.tasks.get(&self.task);
        let causes = task.into_iter().flat_map(|task| task.approvals.values().copied().chain([task.requested]));
        let body = TaskStarted { task: self.task, serial: self.known.serial, ends_at: self.ends_at };
        plan.push(Draft::new(actor, body).on(on).cause(causes).cause([decided, self.known.index]).decision(Some(decision)));
        Answer::Started { task: self.task, ends_at: self.ends_at }
    }
}
