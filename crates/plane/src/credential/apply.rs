//! Folds what happened to credentials.

use super::state::{Credential, CredentialPhase, Credentials, Known};
use crate::fold::At;
use std::collections::BTreeMap;
use writ_ledger::body::{Body, ClosureReported, CredentialGranted};
use writ_types::CredentialId;

impl Credentials {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        match body {
            Body::CredentialGranted(granted) => self.grant(at, granted),
            Body::CredentialMade(made) => self.phase(at, &made.credential, CredentialPhase::Made),
            Body::CredentialFailed(failed) => self.phase(at, &failed.credential, CredentialPhase::Failed),
            Body::CredentialRevoked(revoked) => self.phase(at, &revoked.credential, CredentialPhase::Revoked),
            Body::ClosureReported(report) => self.report(at, report),
            _ => {}
        }
    }

    fn grant(&mut self, at: At<'_>, granted: &CredentialGranted) {
        let credential = Credential {
            kind: granted.kind,
            task: granted.task,
            identity: granted.identity,
            resource: granted.resource,
            actions: granted.actions.clone(),
            user: granted.user.clone(),
            databases: granted.databases.clone(),
            expires: granted.expires,
            class: granted.class,
            granted: at.index,
            phased: at.index,
            phase: CredentialPhase::Granted,
            closure: BTreeMap::new(),
        };
        self.put(granted.credential, credential);
    }

    /// What is revoked or failed never counts again.
    fn phase(&mut self, at: At<'_>, id: &CredentialId, phase: CredentialPhase) {
        self.change(id, |credential| {
            if credential.counts() {
                (credential.phase, credential.phased) = (phase, at.index);
            }
        });
    }

    fn report(&mut self, at: At<'_>, report: &ClosureReported) {
        self.change(&report.credential, |credential| {
            if credential.counts() {
                return;
            }
            let before = credential.closure.get(&report.point).filter(|known| known.state == report.state);
            let since = before.map_or(at.time, |known| known.since);
            let known = Known { state: report.state, tidy: report.tidy, since, next_try: report.next_try, index: at.index };
            credential.closure.insert(report.point.clone(), known);
        });
    }
}
