//! Requesting, approving, refusing and starting a task, judged.

use super::caller::{Caller, Known};
use super::limits::{APPROVAL_LIFE, OPEN_OF_ACTOR_MAX, START_WITHIN};
use super::request::{ask_of, candidates, gates, reaches, references, resolve};
use super::state::{Phase, Task};
use crate::act;
use crate::decision::{Asking, Needed, approvals};
use crate::people::KEY_REST;
use crate::refusal::{Record, Refusal};
use crate::state::State;
use crate::view::View;
use std::collections::BTreeSet;
use writ_credential::VerifiedAct;
use writ_ledger::SignedAct;
use writ_ledger::body::{ApprovalContent, Asked, Delegation, Evaluation};
use writ_types::{ActKind, Code, Denial, PartyId, TaskId, Time};

/// Request a task: a person delegates.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is signed.
    pub content: Delegation,
    /// The delegator's signature.
    pub act: SignedAct,
}

/// Approve a request.
#[derive(Debug, Clone)]
pub struct Approve {
    /// The task.
    pub task: TaskId,
    /// The approver's signature over the proposal's content.
    pub act: SignedAct,
}

/// Refuse a request.
#[derive(Debug, Clone)]
pub struct Refuse {
    /// The task.
    pub task: TaskId,
    /// The approver's signature over the proposal's content.
    pub act: SignedAct,
}

/// Start an approved task: only its actor, by its certificate.
#[derive(Debug, Clone)]
pub struct Start {
    /// The task.
    pub task: TaskId,
    /// Who shows which certificate.
    pub caller: Caller,
}

/// A request that may be filed.
#[derive(Debug)]
pub(crate) struct Requested {
    pub(crate) content: Delegation,
    pub(crate) act: SignedAct,
    pub(crate) by: VerifiedAct,
    pub(crate) evaluations: Vec<Evaluation>,
    /// The sets of people of which one is enough; none if policy needs no approval.
    pub(crate) any_of: Option<Vec<BTreeSet<PartyId>>>,
}

/// An approval that counts.
#[derive(Debug)]
pub(crate) struct Approved {
    pub(crate) task: TaskId,
    pub(crate) content: ApprovalContent,
    pub(crate) act: SignedAct,
    pub(crate) by: VerifiedAct,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) complete: bool,
}

/// A refusal that counts.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) task: TaskId,
    pub(crate) content: ApprovalContent,
    pub(crate) act: SignedAct,
    pub(crate) by: VerifiedAct,
    pub(crate) evaluations: Vec<Evaluation>,
}

/// A start that policy allows now.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) task: TaskId,
    pub(crate) known: Known,
    pub(crate) ends_at: Time,
    pub(crate) evaluations: Vec<Evaluation>,
}

impl Request {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Requested, Refusal> {
        let content = self.content;
        let by = act::check(view.state, &self.act, ActKind::Delegate, &content.task.to_string(), &content, view.now)?;
        if Some(by.by()) != content.delegator {
            return Err(Denial::new(Code::BadSignature, "the delegator is not who signed", "delegate in your own name").into());
        }
        references(view, &content)?;
        room(view.state, &content, OPEN_OF_ACTOR_MAX, |_| true)?;
        let mut asking = Asking::new(view);
        let any_of = match judge(view, &content, by.by(), &mut asking) {
            Ok(any_of) => any_of,
            Err(denial) => {
                let on = vec![content.task.to_string(), content.actor.to_string()];
                let actor = crate::actor::person(&by);
                return Err(Record { actor, command: "request", on, evaluations: asking.into_evaluations() }.refuse(denial));
            }
        };
        Ok(Requested { content, act: self.act, by, evaluations: asking.into_evaluations(), any_of })
    }
}

/// Refuses one task more of an actor who has as many already.
pub(super) fn room(state: &State, content: &Delegation, most: usize, counts: impl Fn(&Task) -> bool) -> Result<(), Denial> {
    let mine = |(id, task): &(&TaskId, &Task)| task.content.actor == content.actor && **id != content.task && counts(task);
    let open = state.tasks.open().filter(mine).count();
    if open < most {
        return Ok(());
    }
    Err(Denial::new(Code::Limit, format!("the actor has {open} such tasks that have not ended"), "end some first"))
}

/// Gates, then the delegator's own authority, then the task: allowed, allowed if approved, or denied.
fn judge(
    view: View<'_>,
    content: &Delegation,
    delegator: PartyId,
    asking: &mut Asking<'_>,
) -> Result<Option<Vec<BTreeSet<PartyId>>>, Denial> {
    gates(view.state, content)?;
    let ask = ask_of(content, [], view.now);
    for grant in &content.grants {
        let asked = Asked::Delegate { person: delegator, resource: grant.resource, ask: ask.clone() };
        if asking.ask(asked).is_none() {
            let denial = Denial::new(
                Code::PolicyDenied,
                format!("you may not delegate on resource `{}`: {}", grant.resource, asking.last_policies()),
                "ask a member of the boundary's delegators",
            );
            return Err(denial);
        }
    }
    let reaches = reaches(content, &ask);
    for asked in &reaches {
        // Whether it is allowed as it is stands in the record; what approvals it needs follows.
        let _ = asking.ask(asked.clone());
    }
    let candidates = candidates(view.state, content);
    match approvals(view, &reaches, &candidates) {
        Needed::None => Ok(None),
        Needed::Impossible { decision } => {
            let reasons = decision.reasons().join(" ");
            Err(Denial::new(
                Code::PolicyDenied,
                format!("no approval would allow this: {reasons}"),
                "ask for less, for a shorter time, or have somebody else delegate",
            ))
        }
        Needed::AnyOf(sets) => {
            let resting: BTreeSet<PartyId> =
                candidates.iter().filter(|person| rests(view, person, &delegator)).copied().collect();
            let (usable, blocked): (Vec<_>, Vec<_>) = sets.into_iter().partition(|set| set.is_disjoint(&resting));
            if usable.is_empty() {
                let denial = Denial::new(
                    Code::SeparationOfDuties,
                    "whoever could approve got a key from the delegator less than 7 days ago",
                    "have somebody else delegate, or wait",
                );
                return Err(denial.who_can(blocked.iter().flatten().map(ToString::to_string)));
            }
            Ok(Some(usable))
        }
    }
}

/// True if a key of `person` was enrolled by `delegator` less than [`KEY_REST`] ago (law 7).
pub(crate) fn rests(view: View<'_>, person: &PartyId, delegator: &PartyId) -> bool {
    let since = Time::from_micros(view.now.micros().saturating_sub(KEY_REST.seconds().saturating_mul(1_000_000)));
    view.state.people.enrollers_since(person, since).contains(delegator)
}

/// The task, if it waits for approval and what would be approved is still what was proposed.
fn awaiting(view: View<'_>, id: TaskId) -> Result<(&Task, &ApprovalContent), Denial> {
    let task = view.state.tasks.get(&id).ok_or_else(|| unknown(id))?;
    let Some(proposal) = task.proposal.as_ref().filter(|_| task.phase == Phase::Awaiting) else {
        return Err(Denial::new(
            Code::WrongState,
            format!("task `{id}` is {} and does not wait for approval", task.word()),
            "look at it with `writ why`",
        ));
    };
    if proposal.content.expires <= view.now {
        return Err(Denial::new(Code::Stale, "the request's time is up", "ask the delegator to request it again"));
    }
    Ok((task, &proposal.content))
}

pub(crate) fn still_so(view: View<'_>, task: &Task, content: &ApprovalContent) -> Result<(), Denial> {
    if resolve(view, &task.content, content.approval, content.expires).as_ref() == Some(content) {
        return Ok(());
    }
    Err(Denial::new(
        Code::Stale,
        "what was asked for has changed since: the resource, the charter, the actor or the policy",
        "ask the delegator to request it again",
    ))
}

pub(super) fn unknown(id: TaskId) -> Denial {
    Denial::new(Code::NotFound, format!("task `{id}` is unknown, or not yours to know"), "check its id")
}

impl Approve {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Approved, Refusal> {
        let (task, content) = awaiting(view, self.task)?;
        let by = act::check(view.state, &self.act, ActKind::Approve, &content.approval.to_string(), content, view.now)?;
        let mut asking = Asking::new(view);
        match judge_approval(view, task, content, by.by(), &mut asking) {
            Ok(complete) => {
                let evaluations = asking.into_evaluations();
                Ok(Approved { task: self.task, content: content.clone(), act: self.act, by, evaluations, complete })
            }
            Err(denial) => {
                let on = vec![self.task.to_string(), task.actor().to_string()];
                let actor = crate::actor::person(&by);
                Err(Record { actor, command: "approve", on, evaluations: asking.into_evaluations() }.refuse(denial))
            }
        }
    }
}

fn judge_approval(
    view: View<'_>,
    task: &Task,
    content: &ApprovalContent,
    by: PartyId,
    asking: &mut Asking<'_>,
) -> Result<bool, Denial> {
    still_so(view, task, content)?;
    gates(view.state, &task.content)?;
    let who: BTreeSet<String> =
        task.proposal.iter().flat_map(|proposal| proposal.any_of.iter().flatten()).map(ToString::to_string).collect();
    // What awaits approval was delegated by a person.
    let delegator = task.content.delegator.ok_or_else(|| unknown(task.content.task))?;
    if by == delegator {
        return Err(Denial::new(
            Code::SeparationOfDuties,
            "the delegator of a task cannot approve it",
            "have one of those named approve it",
        )
        .who_can(who));
    }
    if rests(view, &by, &delegator) {
        return Err(Denial::new(
            Code::SeparationOfDuties,
            "your key was enrolled by the delegator less than 7 days ago",
            "have one of those named approve it",
        )
        .who_can(who));
    }
    if task.approvals.contains_key(&by) {
        return Err(Denial::new(Code::WrongState, "you approved this already", "nothing more is needed of you"));
    }
    let mut approvers: BTreeSet<PartyId> = task.approvals.keys().copied().collect();
    let ask = ask_of(&task.content, approvers.iter().copied(), view.now);
    for grant in &task.content.grants {
        if asking.ask(Asked::Approve { person: by, resource: grant.resource, ask: ask.clone() }).is_none() {
            return Err(Denial::new(
                Code::PolicyDenied,
                format!("you may not approve this: {}", asking.last_policies()),
                "have one of those named approve it",
            )
            .who_can(who));
        }
    }
    approvers.insert(by);
    let ask = ask_of(&task.content, approvers, view.now);
    let allowed: Vec<bool> = reaches(&task.content, &ask).into_iter().map(|asked| asking.ask(asked).is_some()).collect();
    Ok(allowed.iter().all(|allowed| *allowed))
}

impl Refuse {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Refused, Refusal> {
        let (task, content) = awaiting(view, self.task)?;
        let by = act::check(view.state, &self.act, ActKind::Refuse, &content.approval.to_string(), content, view.now)?;
        let mut asking = Asking::new(view);
        let ask = ask_of(&task.content, [], view.now);
        for grant in &task.content.grants {
            if asking.ask(Asked::Approve { person: by.by(), resource: grant.resource, ask: ask.clone() }).is_none() {
                let denial = Denial::new(
                    Code::PolicyDenied,
                    "only who may approve may refuse",
                    "end it with `writ task kill` if you own it",
                );
                let on = vec![self.task.to_string()];
                let actor = crate::actor::person(&by);
                return Err(Record { actor, command: "refuse", on, evaluations: asking.into_evaluations() }.refuse(denial));
            }
        }
        Ok(Refused { task: self.task, content: content.clone(), act: self.act, by, evaluations: asking.into_evaluations() })
    }
}

impl Start {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Started, Refusal> {
        let known = self.caller.known(view)?;
        let mut asking = Asking::new(view);
        match judge_start(view, self.task, &known, &mut asking) {
            Ok(ends_at) => Ok(Started { task: self.task, known, ends_at, evaluations: asking.into_evaluations() }),
            Err(denial) => {
                let on = vec![self.task.to_string(), known.identity.to_string()];
                Err(Record { actor: known.actor(), command: "start", on, evaluations: asking.into_evaluations() }.refuse(denial))
            }
        }
    }
}

fn judge_start(view: View<'_>, id: TaskId, known: &Known, asking: &mut Asking<'_>) -> Result<Time, Denial> {
    // Unknown and another's answer alike.
    let task = view.state.tasks.get(&id).filter(|task| task.actor() == known.identity).ok_or_else(|| unknown(id))?;
    let approved_at = match &task.phase {
        Phase::Approved { at, .. } => *at,
        Phase::Awaiting => {
            let who: BTreeSet<String> =
                task.proposal.iter().flat_map(|proposal| proposal.any_of.iter().flatten()).map(ToString::to_string).collect();
            return Err(Denial::new(
                Code::ApprovalRequired,
                format!("task `{id}` waits for approval"),
                "have one of those named run `writ task approve`",
            )
            .who_can(who));
        }
        Phase::Requested => {
            let what = format!("task `{id}` is only asked for: nobody has delegated it");
            let who = super::want::delegators(view, &task.content).into_iter().map(|person| person.to_string());
            let help = "have one of those named run `writ task delegate`";
            return Err(Denial::new(Code::ApprovalRequired, what, help).who_can(who));
        }
        Phase::Live { .. } => {
            return Err(Denial::new(Code::WrongState, format!("task `{id}` runs already"), "take its credentials"));
        }
        Phase::Ended { end, .. } => {
            return Err(Denial::new(Code::NoTask, format!("task `{id}` has ended: {end}"), "ask for a new one"));
        }
    };
    if approved_at.after(START_WITHIN) <= view.now {
        return Err(Denial::new(Code::Stale, "the task was not started within 15 minutes of its approval", "ask for a new one"));
    }
    if let Some(proposal) = &task.proposal {
        still_so(view, task, &proposal.content)?;
    }
    allowed_now(view, task, asking)?;
    Ok(view.now.after(task.content.ttl))
}

/// The gates and policy again, at the point of use, with the approvals that there are (R77).
pub(crate) fn allowed_now(view: View<'_>, task: &Task, asking: &mut Asking<'_>) -> Result<(), Denial> {
    gates(view.state, &task.content)?;
    let ask = ask_of(&task.content, task.approvals.keys().copied(), view.now);
    for asked in reaches(&task.content, &ask) {
        if asking.ask(asked).is_none() {
            return Err(Denial::new(
                Code::PolicyDenied,
                format!("policy no longer allows this task: {}", asking.last_policies()),
                "ask for a new one",
            ));
        }
    }
    Ok(())
}

/// When a request that is filed at `now` ends without approval.
pub(super) fn approval_expires(now: Time) -> Time {
    now.after(APPROVAL_LIFE)
}
