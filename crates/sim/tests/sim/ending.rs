//! Every way in which a task ends, and that nothing of it is left.

use writ_ledger::body::{Item, KillContent, KillScope, PartyState};
use writ_plane::{Command, Complete, CompleteContent, Kill, Sender, Signal, SignalContent};
use writ_sim::{Backend, Cast, Estate, World};
use writ_types::{ActKind, Closure, Code, CredentialId, Name, SqlName, TaskEnd, TaskId, TextValue as _, Trigger};

/// A live task with a credential that is in use.
fn at_work(world: &mut World) -> (TaskId, CredentialId, SqlName) {
    let task = world.live_task("invoicer");
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    let user = world.outside.passwords[&credential].clone();
    let now = world.now();
    assert!(world.backend.connect(&user, now));
    (task, credential, user)
}

fn check_ended(world: &mut World, task: TaskId, credential: CredentialId, user: &SqlName, wanted: TaskEnd) {
    let state = world.state();
    let phase = &state.tasks().get(&task).unwrap().phase;
    assert!(matches!(phase, writ_plane::Phase::Ended { end, .. } if *end == wanted), "{phase:?}");
    assert_eq!(state.credentials().get(&credential).unwrap().closure(), Some(Closure::Closed));
    assert!(world.backend.role(user).is_none());
    let now = world.now();
    assert!(!world.backend.connect(user, now));
    assert_eq!(world.take("invoicer", task, &["read"]).unwrap_err().code, Code::NoTask);
}

fn kill(world: &mut World, handle: &str, scope: KillScope, id: &str) -> writ_sim::Came {
    let content = KillContent { scope, reason: None };
    let act = world.act(handle, ActKind::Kill, id, &content);
    world.ask(Command::Kill(Box::new(Kill { content, act })))
}

/// R60, R103: a reach outside the task ends it and cuts its credentials; the agent is told why.
#[test]
fn a_reach_outside_the_task_ends_it() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    let denial = world.take("invoicer", task, &["read", "write"]).unwrap_err();
    assert_eq!(denial.code, Code::ScopeExceeded);
    check_ended(&mut world, task, credential, &user, TaskEnd::Signal);
}

/// R36, R100: completing ends every credential; anybody else's word does not complete it.
#[test]
fn completion_ends_every_credential() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    world.attest("reporter").unwrap();
    let other = Sender::Actor(world.caller("reporter").unwrap());
    assert_eq!(world.ask(Command::Complete(Complete { task, by: other })).unwrap_err().code, Code::NotFound);
    let stranger = Sender::Person(Box::new(world.act("frank", ActKind::Complete, &task.to_string(), &CompleteContent { task })));
    assert_eq!(world.ask(Command::Complete(Complete { task, by: stranger })).unwrap_err().code, Code::NotFound);
    let by = Sender::Actor(world.caller("invoicer").unwrap());
    world.ask(Command::Complete(Complete { task, by })).unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Completed);
}

/// R89, R91, R101: a deadline that has passed has passed, also while the server was down.
#[test]
fn a_deadline_passes_while_the_server_is_down() {
    for down in [false, true] {
        let mut world = World::staffed(1);
        let (task, credential, user) = at_work(&mut world);
        if down {
            world.kill_server();
        }
        world.clocks.pass(30 * 60_000);
        if down {
            world.boot().unwrap();
        }
        world.settle();
        check_ended(&mut world, task, credential, &user, TaskEnd::Timeout);
    }
}

/// R102, R104: who the charter names signals; nobody else does; an agent can report itself.
#[test]
fn a_failed_evaluation_ends_the_task() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    for agent in ["judge", "reporter"] {
        world.attest(agent).unwrap();
    }
    let mut signal = |agent: &str, trigger| {
        let by = Sender::Actor(world.caller(agent).unwrap());
        world.ask(Command::Signal(Signal { task, trigger, by }))
    };
    assert_eq!(signal("reporter", Trigger::EvaluationFailed).unwrap_err().code, Code::PolicyDenied);
    assert_eq!(signal("judge", Trigger::ObjectiveChanged).unwrap_err().code, Code::PolicyDenied);
    signal("judge", Trigger::EvaluationFailed).unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Signal);

    let (task, credential, user) = at_work(&mut world);
    let by = Sender::Actor(world.caller("invoicer").unwrap());
    world.ask(Command::Signal(Signal { task, trigger: Trigger::ObjectiveChanged, by })).unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Signal);

    let (task, credential, user) = at_work(&mut world);
    let content = SignalContent { task, trigger: Trigger::Misuse };
    let act = world.act("carol", ActKind::Signal, &task.to_string(), &content);
    world.ask(Command::Signal(Signal { task, trigger: Trigger::Misuse, by: Sender::Person(Box::new(act)) })).unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Signal);
}

/// R28, R107, R108: an owner of the path kills a task, an identity, a resource, a boundary; others don't.
#[test]
fn an_owner_kills_every_scope() {
    let mut world = World::staffed(1);
    let identity = Cast::get().agent("invoicer").identity;
    for (handle, scope) in [
        ("erin", KillScope::Identity(identity)),
        ("carol", KillScope::Resource(World::database())),
        ("alice", KillScope::Boundary(Name::parse("prod").unwrap())),
        ("alice", KillScope::Boundary(Name::parse("root").unwrap())),
        ("gina", KillScope::Task(TaskId::from_bits([0; 16]))),
    ] {
        let (task, credential, user) = at_work(&mut world);
        let scope = if matches!(scope, KillScope::Task(_)) { KillScope::Task(task) } else { scope };
        let id = match &scope {
            KillScope::Task(id) => id.to_string(),
            KillScope::Identity(id) => id.to_string(),
            KillScope::Resource(id) => id.to_string(),
            KillScope::Boundary(name) => name.to_string(),
        };
        assert_eq!(kill(&mut world, "mallory", scope.clone(), &id).unwrap_err().code, Code::BadSignature);
        if !matches!(scope, KillScope::Task(_)) {
            assert_eq!(kill(&mut world, "gina", scope.clone(), &id).unwrap_err().code, Code::PolicyDenied);
        }
        kill(&mut world, handle, scope, &id).unwrap();
        check_ended(&mut world, task, credential, &user, TaskEnd::Killed);
    }
}

/// R107: whoever reads a kill in the log can't kill with it again.
#[test]
fn a_kill_is_not_repeated_by_who_read_it() {
    let mut world = World::staffed(1);
    let identity = Cast::get().agent("invoicer").identity;
    at_work(&mut world);
    let content = KillContent { scope: KillScope::Identity(identity), reason: None };
    let act = world.act("erin", ActKind::Kill, &identity.to_string(), &content);
    let command = Command::Kill(Box::new(Kill { content, act }));
    world.ask(command.clone()).unwrap();
    let (task, _, _) = at_work(&mut world);
    assert_eq!(world.ask(command).unwrap_err().code, Code::Stale);
    assert!(!world.state().tasks().get(&task).unwrap().is_ended());
}

/// R107: a vacant role keeps nobody else from killing.
#[test]
fn a_kill_needs_no_full_house() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    let parties = ["bob", "alice"].map(|handle| Cast::get().person(handle).party);
    // Root's control owner goes; its backup goes too; production has owners of its own for all but these two.
    let change = world.apply("alice", vec![Item::PartyState(PartyState { party: parties[0], disabled: true })]);
    world.sign("bob", change).unwrap_err();
    let state = world.state();
    assert!(state.people().party(&parties[0]).unwrap().disabled, "one administrator is left when the other goes");
    kill(&mut world, "erin", KillScope::Boundary(Name::parse("prod").unwrap()), "prod").unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Killed);
}

/// R24, R101: the tasks of a delegator end with the delegator's power.
#[test]
fn a_disabled_delegator_cuts_off_the_task() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    let party = Cast::get().person("gina").party;
    let change = world.apply("alice", vec![Item::PartyState(PartyState { party, disabled: true })]);
    world.sign("bob", change).unwrap();
    check_ended(&mut world, task, credential, &user, TaskEnd::Cutoff);
}

/// R109: an identity that is retired gets nothing more, and what it had ends.
#[test]
fn a_retired_identity_ends_with_everything_it_had() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    let caller = world.caller("invoicer").unwrap();
    let invoicer = Estate::new().items().into_iter().find_map(|item| match item {
        Item::Identity(item) if item.name.as_str() == "invoicer" => Some(item),
        _ => None,
    });
    let mut item = invoicer.unwrap();
    item.retired = true;
    world.apply("carol", vec![Item::Identity(item)]);
    assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Closed));
    assert!(world.backend.role(&user).is_none());
    assert_eq!(world.attest("invoicer").unwrap_err().code, Code::NotFound);
    let start = world.ask(Command::Start(writ_plane::Start { task, caller }));
    assert_eq!(start.unwrap_err().code, Code::Unauthenticated);
}

/// R108, R113: a backend that is down is UNKNOWN, never CLOSED, and it is asked until it answers.
#[test]
fn a_backend_that_is_down_is_not_closed_until_it_is() {
    let mut world = World::staffed(1);
    let (task, credential, user) = at_work(&mut world);
    world.backend.down = true;
    kill(&mut world, "erin", KillScope::Task(task), &task.to_string()).unwrap();
    for _ in 0..5 {
        world.clocks.pass(2_000);
        world.settle();
        assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Unknown));
    }
    assert_eq!(world.backend.role(&user).unwrap().sessions, 1);
    world.backend.down = false;
    world.clocks.pass(2_000);
    world.settle();
    check_ended(&mut world, task, credential, &user, TaskEnd::Killed);
}

/// R113: a create that arrives after the end meets the tombstone.
#[test]
fn a_late_create_does_not_revive() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.backend.late = true;
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    assert!(!world.outside.passwords.contains_key(&credential));
    assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Closed));
    world.backend.late = false;
    Backend::arrive(&mut world.backend);
    assert_eq!((world.backend.roles().count(), world.backend.refused_by_tombstone), (0, 1));
}

/// R90, R99: a server that stopped between the intent and its outcome undoes the create.
#[test]
fn an_unfinished_create_is_undone_at_the_start() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.points.arm(Some(writ_sim::Point::AfterOpen));
    let caller = world.caller("invoicer").unwrap();
    let take = writ_plane::Take { task, resource: World::database(), actions: [Name::parse("read").unwrap()].into(), caller };
    world.submit(None, Command::Take(take));
    world.turn().unwrap();
    // Through the gate, then to the backend.
    world.carry().unwrap();
    world.carry().unwrap_err();
    assert_eq!(world.backend.roles().count(), 1);
    world.boot().unwrap();
    world.settle();
    assert_eq!(world.backend.roles().count(), 0);
    let (_, credential) = world.state().credentials().iter().next().unwrap();
    assert_eq!(credential.closure(), Some(Closure::Closed));
    assert!(world.outside.passwords.is_empty());
    world.take("invoicer", task, &["read"]).unwrap();
}
