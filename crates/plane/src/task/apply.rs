//! Folds what happened to tasks.

use super::state::{Phase, Task, Tasks};
use crate::fold::At;
use std::collections::BTreeMap;
use writ_ledger::body::{Body, TaskRequested};
use writ_types::TaskId;

impl Tasks {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        match body {
            Body::TaskRequested(requested) => self.request(at, requested),
            Body::TaskApproved(approved) => {
                self.change(&approved.task, |task| {
                    task.approvals.insert(approved.by, at.index);
                });
                if approved.complete {
                    self.phase(&approved.task, Phase::Approved { at: at.time, index: at.index });
                }
            }
            Body::TaskStarted(started) => self.phase(&started.task, Phase::Live { ends_at: started.ends_at, index: at.index }),
            Body::TaskEnded(ended) => self.phase(&ended.task, Phase::Ended { end: ended.end, at: at.time, index: at.index }),
            _ => {}
        }
    }

    fn request(&mut self, at: At<'_>, requested: &TaskRequested) {
        let phase = match &requested.proposal {
            Some(_) => Phase::Awaiting,
            None => Phase::Approved { at: at.time, index: at.index },
        };
        let task = Task {
            content: requested.content.clone(),
            proposal: requested.proposal.clone(),
            requested: at.index,
            requested_at: at.time,
            decision: at.decision,
            approvals: BTreeMap::new(),
            phase,
        };
        self.put(requested.content.task, task);
    }

    /// An end is for ever.
    fn phase(&mut self, id: &TaskId, phase: Phase) {
        self.change(id, |task| {
            if !task.is_ended() {
                task.phase = phase;
            }
        });
    }
}
