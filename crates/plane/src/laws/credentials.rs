//! No credential without a live task, within its scope and its time; no document without a charter.

use super::Laws;
use super::tasks::rests_on_approvals;
use crate::credential::{Credential, CredentialPhase};
use crate::identity::SVID_TTL_MAX;
use crate::task::gates;
use writ_ledger::Entry;
use writ_ledger::body::{Asked, Body, CredentialGranted, Effect, SvidRow};
use writ_types::Scope;

pub(super) fn judge(laws: &Laws, entry: &Entry, body: &Body, found: &mut Vec<String>) {
    match body {
        Body::CredentialGranted(granted) => grant(laws, entry, granted, found),
        Body::CredentialMade(made) => {
            let credential = laws.state.credentials.get(&made.credential);
            if credential.is_none_or(|credential| credential.phase != CredentialPhase::Granted) {
                found.push("it was not granted, or had ended before it was made".to_owned());
            }
        }
        Body::ClosureReported(report) => {
            let credential = laws.state.credentials.get(&report.credential);
            if credential.is_none_or(Credential::counts) {
                found.push("it reports the closure of what was not ended".to_owned());
            }
        }
        Body::SvidsIssued(issued) => {
            for row in &issued.rows {
                document(laws, entry, row, found);
            }
        }
        _ => {}
    }
}

fn grant(laws: &Laws, entry: &Entry, granted: &CredentialGranted, found: &mut Vec<String>) {
    let Some(task) = laws.state.tasks.get(&granted.task) else {
        return found.push(format!("task `{}` is unknown", granted.task));
    };
    match task.live_until(entry.at) {
        None => found.push("its task does not run".to_owned()),
        Some(ends_at) if granted.expires > ends_at => found.push("it outlives its task".to_owned()),
        Some(_) => {}
    }
    if laws.state.credentials.get(&granted.credential).is_some() {
        found.push("its id is another credential's".to_owned());
    }
    if let Err(denial) = gates(&laws.state, &task.content) {
        found.push(denial.to_string());
    }
    let identity = laws.state.identities.get(&granted.identity);
    let terms = identity.and_then(|identity| laws.state.boundaries.identity(&identity.boundary));
    if terms.is_none_or(|terms| granted.expires > entry.at.after(terms.ttl_max)) {
        found.push("it lives longer than its charter lets it".to_owned());
    }
    let resource = laws.state.resources.get(&granted.resource);
    if resource.is_none_or(|resource| resource.postgres.databases != granted.databases) {
        found.push("it reaches other databases than its resource has".to_owned());
    }
    let reach = Scope::new([writ_types::Grant { resource: granted.resource, actions: granted.actions.clone() }]);
    if reach.is_empty() || !task.scope().contains(&reach) {
        found.push("it reaches outside its task".to_owned());
    }
    if granted.identity != task.actor() || entry.actor.id != task.actor().to_string() {
        found.push("it is not its task's actor's".to_owned());
    }
    let document = laws.state.identities.document(&granted.serial, entry.at);
    if document.is_none_or(|document| document.identity != granted.identity) {
        found.push("its holder showed no certificate that the log knows".to_owned());
    }
    let Some(made) = laws.decision(entry, "credential", found) else { return };
    rests_on_approvals(task, &made.evaluations, entry, found);
}

fn document(laws: &Laws, entry: &Entry, row: &SvidRow, found: &mut Vec<String>) {
    let Some(identity) = laws.state.identities.get(&row.identity) else {
        return found.push(format!("identity `{}` is unknown", row.identity));
    };
    if identity.spiffe_id != row.spiffe_id {
        found.push("it names another identity".to_owned());
    }
    if !identity.selectors.iter().all(|selector| row.attested.contains(selector)) {
        found.push("attestation did not show what the identity asks for".to_owned());
    }
    if row.expires > entry.at.after(SVID_TTL_MAX) {
        found.push("it lives too long".to_owned());
    }
    if let Err(missing) = laws.state.boundaries.chartered(&laws.state.people, &identity.boundary) {
        found.extend(missing.iter().map(|missing| format!("missing {missing}")));
    }
    let decided = entry.decision.and_then(|id| laws.decisions.get(&id));
    let asked = Asked::Identify { identity: row.identity };
    let holds = decided.filter(|decided| decided.index >= laws.state.grounds).is_some_and(|decided| {
        decided.made.refused.is_none()
            && decided.made.evaluations.iter().any(|it| it.asked == asked && it.effect == Effect::Allow)
    });
    if !holds {
        found.push("no decision on the grounds of its time allows it".to_owned());
    }
}
