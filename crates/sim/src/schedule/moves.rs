//! What is asked next: by those who may, and by those who may not.

use crate::{Cast, Estate, Seeded, World};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use writ_ledger::body::{Item, KillContent, KillScope, PartyState};
use writ_plane::{
    Answer, Approve, Caller, Command, Complete, CompleteContent, IssueSvid, Kill, Login, Phase, Refuse, Request, Sender,
    SignChange, Signal, Start, Take, Ticket, WithdrawChange,
};
use writ_types::{ActKind, ChangeId, Denial, Digest, Name, OwnerRole, SqlName, TaskId, TextValue as _, Trigger, Ttl};

/// Who may delegate.
const DELEGATORS: [&str; 4] = ["gina", "frank", "bob", "alice"];

/// One thing to ask.
pub(super) struct Ask {
    pub(super) command: Command,
    pub(super) key: Option<String>,
    /// Why it must be refused, where it must.
    pub(super) hostile: Option<&'static str>,
}

/// What the players know.
#[derive(Default)]
pub(super) struct Hand {
    /// Commands with signatures that were accepted: somebody reads the log and tries them again.
    accepted: VecDeque<Command>,
    /// Commands that wait for their answer.
    asked: BTreeMap<Ticket, Command>,
    keys: u64,
}

impl Ask {
    fn of(command: Command) -> Option<Self> {
        Some(Self { command, key: None, hostile: None })
    }

    fn hostile(command: Command, why: &'static str) -> Option<Self> {
        Some(Self { command, key: None, hostile: Some(why) })
    }
}

/// How many accepted commands are tried again.
const REPLAYED_MAX: usize = 32;

impl Hand {
    /// The process died: what was asked and not answered is not known to be accepted.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }

    /// A command by who may was handed in.
    pub(super) fn asked(&mut self, ticket: Ticket, command: Command) {
        if matches!(command, Command::Request(_) | Command::Approve(_) | Command::FileChange(_) | Command::Kill(_)) {
            self.asked.insert(ticket, command);
        }
    }

    /// What was accepted can be read in the log.
    pub(super) fn learn(&mut self, ticket: Ticket, came: &Result<Answer, Denial>) {
        let Some(command) = self.asked.remove(&ticket) else { return };
        if came.is_ok() {
            self.accepted.push_front(command);
            self.accepted.truncate(REPLAYED_MAX);
        }
    }

    pub(super) fn next(&mut self, world: &mut World) -> Option<Ask> {
        // Most of what is asked brings some task a step on; the rest is anything.
        if world.random.chance(55) {
            let holds =
                |world: &World, phase: fn(&Phase) -> bool| world.state().tasks().open().any(|(_, task)| phase(&task.phase));
            return match world.random.below(4) {
                0 if holds(world, |phase| matches!(phase, Phase::Live { .. })) => self.take(world),
                1 if holds(world, |phase| matches!(phase, Phase::Approved { .. })) => start(world),
                2 if holds(world, |phase| matches!(phase, Phase::Awaiting)) => self.approve(world),
                3 => self.request(world),
                _ => self.attest(world),
            };
        }
        match world.random.below(44) {
            0..=3 => self.attest(world),
            4..=9 => self.request(world),
            10..=15 => self.approve(world),
            16..=20 => start(world),
            21..=27 => self.take(world),
            28..=29 => complete(world),
            30..=31 => signal(world),
            32 => kill(world),
            33 => refuse(world),
            34..=35 => self.change(world),
            36..=37 => sign(world),
            38 => login(world),
            39 => withdraw(world),
            40 => want(world),
            41..=42 => delegate(world),
            _ => replay(&self.accepted, &mut world.random),
        }
    }

    #[expect(clippy::unused_self, reason = "a move like the others")]
    fn attest(&mut self, world: &mut World) -> Option<Ask> {
        let agent = world.random.pick(Cast::get().agents())?;
        let (identity, csr) = (agent.identity, agent.csr.clone());
        if world.random.chance(15) {
            let attested = BTreeSet::from(["unix:uid:1999".to_owned()]);
            return Ask::hostile(Command::IssueSvid(IssueSvid { identity, csr, attested }), "a document without its selectors");
        }
        Ask::of(Command::IssueSvid(IssueSvid { identity, csr, attested: [agent.selector.to_owned()].into() }))
    }

    fn request(&mut self, world: &mut World) -> Option<Ask> {
        let who = *world.random.pick(&DELEGATORS)?;
        let agent = *world.random.pick(&["invoicer", "reporter"])?;
        let actions: &[&str] = if world.random.chance(30) { &["read", "write"] } else { &["read"] };
        let minutes = 1 + world.random.draw() % 40;
        let mut request = world.delegation(who, agent, actions, minutes);
        if world.random.chance(15) {
            request.act = world.act("mallory", ActKind::Delegate, &request.content.task.to_string(), &request.content);
            request.act.by = request.content.delegator?;
            return Ask::hostile(Command::Request(Box::new(request)), "a delegation with a foreign signature");
        }
        if world.random.chance(5) {
            request.content.ttl = Ttl::from_seconds(60 * 50);
            return Ask::hostile(Command::Request(Box::new(request)), "a delegation that was changed after it was signed");
        }
        let command = Command::Request(Box::new(Request { content: request.content, act: request.act }));
        Ask::of(command)
    }

    fn approve(&mut self, world: &mut World) -> Option<Ask> {
        let task = some_task(world, |phase| matches!(phase, Phase::Awaiting))?;
        let content = world.state().tasks().get(&task)?.proposal.clone()?.content;
        let delegator = world.state().tasks().get(&task)?.content.delegator;
        let id = content.approval.to_string();
        let who = *world.random.pick(&["bob", "bob", "alice", "alice", "carol", "mallory"])?;
        let act = world.act(who, ActKind::Approve, &id, &content);
        let command = Command::Approve(Approve { task, act });
        if Some(Cast::get().person(who).party) == delegator {
            return Ask::hostile(command, "an approval by the delegator");
        }
        if ["carol", "mallory"].contains(&who) {
            return Ask::hostile(command, "an approval by who may not approve");
        }
        if world.random.chance(10) {
            let act = world.act(who, ActKind::Refuse, &id, &content);
            return Ask::hostile(Command::Approve(Approve { task, act }), "a refusal taken for an approval");
        }
        Ask::of(command)
    }

    fn take(&mut self, world: &mut World) -> Option<Ask> {
        let task = some_task(world, |phase| matches!(phase, Phase::Live { .. }))?;
        let content = world.state().tasks().get(&task)?.content.clone();
        let mine = agent_of(content.actor)?;
        let resource = World::database();
        let read = || [Name::parse("read").unwrap()].into();
        if world.random.chance(12) {
            let other = if mine == "invoicer" { "reporter" } else { "invoicer" };
            let caller = world.caller(other)?;
            return Ask::hostile(
                Command::Take(Take { task, resource, actions: read(), caller }),
                "a credential of another's task",
            );
        }
        let caller = world.caller(mine)?;
        if world.random.chance(8) {
            let forged = Caller { serial: "41".repeat(16), key: caller.key };
            return Ask::hostile(Command::Take(Take { task, resource, actions: read(), caller: forged }), "a forged serial");
        }
        if world.random.chance(10) {
            let actions: BTreeSet<Name> = ["read", "admin"].map(|text| Name::parse(text).unwrap()).into();
            return Ask::hostile(Command::Take(Take { task, resource, actions, caller }), "a reach outside the task");
        }
        let command = Command::Take(Take { task, resource, actions: read(), caller });
        let key = world.random.chance(50).then(|| {
            self.keys += u64::from(world.random.chance(50));
            format!("{mine}/{task}/{}", self.keys)
        });
        Some(Ask { command, key, hostile: None })
    }

    fn change(&mut self, world: &mut World) -> Option<Ask> {
        let mut boundary = Estate::new().boundary;
        let mut resource = Estate::new().resource;
        let gina = Cast::get().person("gina").party;
        let items = match world.random.below(7) {
            0 => vec![Item::PartyState(PartyState { party: gina, disabled: true })],
            1 | 2 => vec![Item::PartyState(PartyState { party: gina, disabled: false })],
            3 => {
                let tools = &mut boundary.charter.business.as_mut()?.tools;
                tools.extend(world.random.chance(60).then(|| Name::parse("ledger-db").unwrap()));
                vec![Item::Boundary(Box::new(boundary))]
            }
            4 => {
                let groups = resource.postgres.actions.get_mut(&Name::parse("write").ok()?)?;
                groups.extend(world.random.chance(50).then(|| SqlName::parse("app_audit").unwrap()));
                vec![Item::Resource(Box::new(resource))]
            }
            // Who is left out of the lines gives the role to whoever holds it above.
            5 => {
                let role = *world.random.pick(OwnerRole::ALL)?;
                boundary.owners.retain(|each, _| *each != role);
                boundary.backups.retain(|each, _| *each != role);
                vec![Item::Boundary(Box::new(boundary))]
            }
            _ => {
                resource.postgres.address = format!("db{}.internal:5432", world.random.below(2));
                vec![Item::Resource(Box::new(resource))]
            }
        };
        let file = world.change("alice", items);
        let command = Command::FileChange(Box::new(file));
        Ask::of(command)
    }

    /// Agents log in with the passwords that they got; whatever was closed must not let them in.
    #[expect(clippy::unused_self, reason = "a move like the others")]
    pub(super) fn use_passwords(&self, world: &mut World) {
        let now = world.clocks.wall();
        let users: Vec<SqlName> = world.outside.passwords.values().cloned().collect();
        for user in users {
            if world.random.chance(30) {
                world.backend.connect(&user, now);
            }
        }
    }
}

fn some_task(world: &mut World, phase: impl Fn(&Phase) -> bool) -> Option<TaskId> {
    let tasks: Vec<TaskId> = world.state().tasks().open().filter(|(_, task)| phase(&task.phase)).map(|(id, _)| *id).collect();
    world.random.pick(&tasks).copied()
}

fn agent_of(identity: writ_types::IdentityId) -> Option<&'static str> {
    Cast::get().agents().iter().find(|agent| agent.identity == identity).map(|agent| agent.name)
}

fn start(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |phase| matches!(phase, Phase::Approved { .. }))?;
    let actor = world.state().tasks().get(&task)?.actor();
    let mine = agent_of(actor)?;
    if world.random.chance(15) {
        let other = if mine == "invoicer" { "reporter" } else { "invoicer" };
        let caller = world.caller(other)?;
        return Ask::hostile(Command::Start(Start { task, caller }), "a start of another's task");
    }
    let caller = world.caller(mine)?;
    if world.random.chance(10) {
        let caller = Caller { serial: caller.serial, key: Digest::of(b"another key") };
        return Ask::hostile(Command::Start(Start { task, caller }), "a start with another key");
    }
    Ask::of(Command::Start(Start { task, caller }))
}

fn complete(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |_| true)?;
    let content = world.state().tasks().get(&task)?.content.clone();
    let by = match world.random.below(3) {
        0 => Sender::Actor(world.caller(agent_of(content.actor)?)?),
        1 => {
            let who = DELEGATORS.into_iter().find(|who| Some(Cast::get().person(who).party) == content.delegator)?;
            Sender::Person(Box::new(world.act(who, ActKind::Complete, &task.to_string(), &CompleteContent { task })))
        }
        _ => {
            let act = world.act("erin", ActKind::Complete, &task.to_string(), &CompleteContent { task });
            let by = Sender::Person(Box::new(act));
            return Ask::hostile(Command::Complete(Complete { task, by }), "a completion by a stranger");
        }
    };
    Ask::of(Command::Complete(Complete { task, by }))
}

fn signal(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |phase| matches!(phase, Phase::Live { .. }))?;
    let actor = world.state().tasks().get(&task)?.actor();
    let trigger = Trigger::EvaluationFailed;
    if world.random.chance(50) {
        let other = if agent_of(actor)? == "invoicer" { "reporter" } else { "invoicer" };
        let by = Sender::Actor(world.caller(other)?);
        return Ask::hostile(Command::Signal(Signal { task, trigger, by }), "a signal by who is not named");
    }
    let by = Sender::Actor(world.caller("judge")?);
    Ask::of(Command::Signal(Signal { task, trigger, by }))
}

fn kill(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |_| true)?;
    let identity = world.state().tasks().get(&task)?.actor();
    let (scope, id) = match world.random.below(4) {
        0 => (KillScope::Identity(identity), identity.to_string()),
        1 => (KillScope::Boundary(Name::parse("prod").ok()?), "prod".to_owned()),
        2 => (KillScope::Resource(World::database()), World::database().to_string()),
        _ => (KillScope::Task(task), task.to_string()),
    };
    let who = *world.random.pick(&["erin", "carol", "mallory"])?;
    let content = KillContent { scope, reason: None };
    let act = world.act(who, ActKind::Kill, &id, &content);
    let command = Command::Kill(Box::new(Kill { content, act }));
    if who == "mallory" { Ask::hostile(command, "a kill by a stranger") } else { Ask::of(command) }
}

fn refuse(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |phase| matches!(phase, Phase::Awaiting))?;
    let content = world.state().tasks().get(&task)?.proposal.clone()?.content;
    let act = world.act("alice", ActKind::Refuse, &content.approval.to_string(), &content);
    Ask::of(Command::Refuse(Refuse { task, act }))
}

fn sign(world: &mut World) -> Option<Ask> {
    let waiting: Vec<ChangeId> = world.state().changes().iter().map(|(id, _)| *id).collect();
    let change = *world.random.pick(&waiting)?;
    let content = world.state().changes().get(&change)?.content.clone();
    let who = *world.random.pick(&["bob", "bob", "dave", "carol", "erin", "mallory"])?;
    let act = world.act_as(who, ActKind::Change, &change.to_string(), &content, OwnerRole::ALL);
    let command = Command::SignChange(SignChange { change, act });
    if who == "mallory" { Ask::hostile(command, "a change set signed by a stranger") } else { Ask::of(command) }
}

fn withdraw(world: &mut World) -> Option<Ask> {
    let waiting: Vec<ChangeId> = world.state().changes().iter().map(|(id, _)| *id).collect();
    let change = *world.random.pick(&waiting)?;
    let content = world.state().changes().get(&change)?.content.clone();
    let who = *world.random.pick(&["alice", "bob"])?;
    let act = world.act(who, ActKind::Refuse, &change.to_string(), &content);
    let command = Command::WithdrawChange(WithdrawChange { change, act });
    let mine = content.filer == Cast::get().person(who).party;
    if mine { Ask::of(command) } else { Ask::hostile(command, "a change set that another than its filer takes back") }
}

fn want(world: &mut World) -> Option<Ask> {
    let agent = *world.random.pick(&["invoicer", "reporter"])?;
    let caller = world.caller(agent)?;
    let minutes = 1 + world.random.draw() % 40;
    let mut want = world.wish(agent, &["read"], minutes);
    if world.random.chance(20) {
        want.caller = Caller { serial: caller.serial, key: Digest::of(b"another key") };
        return Ask::hostile(Command::Want(Box::new(want)), "a request in another's name");
    }
    Ask::of(Command::Want(Box::new(want)))
}

fn delegate(world: &mut World) -> Option<Ask> {
    let task = some_task(world, |phase| matches!(phase, Phase::Requested))?;
    let who = *world.random.pick(&["gina", "frank", "carol"])?;
    let mut request = world.delegating(who, task);
    if world.random.chance(20) {
        request.content.ttl = Ttl::from_seconds(60 * 41);
        request.act = world.act(who, ActKind::Delegate, &task.to_string(), &request.content);
        return Ask::hostile(Command::Request(Box::new(request)), "a delegation of more than was asked for");
    }
    let command = Command::Request(Box::new(request));
    if who == "carol" { Ask::hostile(command, "a delegation by who may not delegate") } else { Ask::of(command) }
}

fn login(world: &mut World) -> Option<Ask> {
    let challenge = format!("challenge-{}", world.random.draw());
    let who = *world.random.pick(&["alice", "bob", "mallory"])?;
    let act = world.act(who, ActKind::Login, &challenge, &serde_json::json!({ "challenge": challenge }));
    let session = Digest::of(challenge.as_bytes());
    let command = Command::Login(Login { challenge, session, ttl: Ttl::from_seconds(600), act });
    if who == "mallory" { Ask::hostile(command, "a login by a stranger") } else { Ask::of(command) }
}

fn replay(accepted: &VecDeque<Command>, random: &mut Seeded) -> Option<Ask> {
    Ask::hostile(accepted.get(random.below(accepted.len()))?.clone(), "a signature that was used before")
}
