//! Folds what happened to tasks.

use super::state::{Phase, Task, Tasks};
use crate::fold::At;
use std::collections::BTreeMap;
use writ_ledger::body::{Body, Delegation, Proposal};
use writ_types::TaskId;

impl Tasks {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        match body {
            Body::TaskWanted(wanted) => self.ask(at, &wanted.content, None, Phase::Requested),
            Body::TaskRequested(requested) => {
                let phase = match &requested.proposal {
                    Some(_) => Phase::Awaiting,
                    None => Phase::Approved { at: at.time, index: at.index },
                };
                self.ask(at, &requested.content, requested.proposal.clone(), phase);
            }
            Body::TaskApproved(approved) => {
                self.change(&approved.task, at.index, |task| {
                    task.approvals.insert(approved.by, at.index);
                });
                if approved.complete {
                    self.phase(at, &approved.task, Phase::Approved { at: at.time, index: at.index });
                }
            }
            Body::TaskStarted(started) => {
                self.phase(at, &started.task, Phase::Live { ends_at: started.ends_at, index: at.index })
            }
            Body::TaskEnded(ended) => self.phase(at, &ended.task, Phase::Ended { end: ended.end, at: at.time, index: at.index }),
            _ => {}
        }
    }

    fn ask(&mut self, at: At<'_>, content: &Delegation, proposal: Option<Proposal>, phase: Phase) {
        let task = Task {
            content: content.clone(),
            proposal,
            requested: at.index,
            requested_at: at.time,
            decision: at.decision,
            approvals: BTreeMap::new(),
            phase,
            version: at.index,
        };
        self.put(content.task, task);
    }

    /// An end is for ever.
    fn phase(&mut self, at: At<'_>, id: &TaskId, phase: Phase) {
        self.change(id, at.index, |task| {
            if !task.is_ended() {
                task.phase = phase;
            }
        });
    }
}
