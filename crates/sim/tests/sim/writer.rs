//! The writer: what it does when the log, the clock or a caller fails.

use writ_ledger::body::{Item, KeyItem, KillContent, KillScope, PartyState};
use writ_plane::{
    Answer, BATCH_MAX, Closing, Command, Complete, Count, Kill, OpenError, Sender, SignChange, State, Take, Writer,
};
use writ_sim::{Cast, Disk, Fault, World};
use writ_types::{ActKind, Closure, Code, Name, TaskId, TextValue as _, Ttl};

fn refolded(world: &World) -> State {
    let mut state = State::default();
    for leaf in world.disk.leaves().iter() {
        let entry = writ_ledger::Entry::decode(leaf).unwrap();
        let body = writ_ledger::body::Body::decode(entry.kind.as_str(), &entry.body).unwrap();
        state.apply(&entry, &body);
    }
    state
}

fn take(world: &World, task: TaskId) -> Command {
    let caller = world.caller("invoicer").unwrap();
    Command::Take(Take { task, resource: World::database(), actions: [Name::parse("read").unwrap()].into(), caller })
}

fn kill(world: &mut World, task: TaskId) -> Command {
    let content = KillContent { scope: KillScope::Task(task), reason: None };
    let act = world.act("erin", ActKind::Kill, &task.to_string(), &content);
    Command::Kill(Box::new(Kill { content, act }))
}

/// R40: the state is the fold of the log, and a start folds it again.
#[test]
fn the_live_state_is_the_fold_of_the_log() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.take("invoicer", task, &["read"]).unwrap();
    world.take("invoicer", task, &["write"]).unwrap_err();
    assert_eq!(world.state().digest(), refolded(&world).digest());
    world.kill_server();
    let before = refolded(&world).digest();
    world.boot().unwrap();
    assert_eq!(world.state().digest(), refolded(&world).digest());
    assert_ne!(world.state().digest(), before);
}

/// R88: one idempotency key, one credential, whether the second request comes along or later.
#[test]
fn one_key_is_one_execution() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let command = take(&world, task);
    let first = world.submit(Some("invoicer/1"), command.clone());
    let second = world.submit(Some("invoicer/1"), command.clone());
    let answers = world.settle();
    let of = |ticket| answers.iter().find(|(each, _)| *each == ticket).unwrap().1.clone().unwrap();
    assert_eq!(of(first), of(second));
    assert_eq!(world.ask_with(Some("invoicer/1"), command.clone()).unwrap(), of(first));
    assert_eq!(world.state().credentials().of_task(&task).count(), 1);
    let Answer::Granted { .. } = world.ask_with(Some("invoicer/2"), command).unwrap() else { panic!() };
    let by = Sender::Actor(world.caller("invoicer").unwrap());
    let other = world.ask_with(Some("invoicer/1"), Command::Complete(Complete { task, by }));
    assert_eq!(other.unwrap_err().code, Code::Invalid);
}

/// R88: what failed for the moment is not remembered as the answer.
#[test]
fn a_key_that_met_a_failing_log_may_be_used_again() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let command = take(&world, task);
    world.disk.fail(Some(Fault::Io));
    assert_eq!(world.ask_with(Some("k"), command.clone()).unwrap_err().code, Code::LogUnavailable);
    world.disk.fail(None);
    world.ask_with(Some("k"), command).unwrap();
}

/// R101: a wall clock that steps or leaps grants nothing, ends nothing by the leap, and still ends what is asked.
#[test]
fn a_clock_that_cannot_be_trusted_stops_granting() {
    for back in [false, true] {
        let mut world = World::staffed(1);
        let task = world.live_task("invoicer");
        let (credential, day) = (world.take("invoicer", task, &["read"]).unwrap(), Ttl::from_seconds(86_400));
        if back {
            world.clocks.step_back(day)
        } else {
            world.clocks.leap(day)
        }
        let command = take(&world, task);
        assert_eq!(world.ask(command).unwrap_err().code, Code::ClockUnsure);
        assert_eq!(world.request("gina", "invoicer", &["read"], 30).unwrap_err().code, Code::ClockUnsure);
        assert!(!world.state().tasks().get(&task).unwrap().is_ended(), "nothing ends by a leap");
        // Time goes on by the boot clock.
        world.clocks.pass(30 * 60_000);
        world.settle();
        assert!(world.state().credentials().get(&credential).unwrap().is_over());
        // What is behind the log can't be confirmed: time would stand still until it had caught up.
        world.server.as_mut().unwrap().writer.confirm_clock();
        assert_eq!(world.attest("invoicer").is_err(), back);
        if back {
            world.clocks.leap(day);
            world.server.as_mut().unwrap().writer.confirm_clock();
            world.attest("invoicer").unwrap();
        }
    }
}

/// R107: endings don't wait for the log; grants do.
#[test]
fn a_cut_runs_without_the_log_and_is_logged_when_it_returns() {
    for fault in [Fault::FullToTheReserve, Fault::Io, Fault::Gone] {
        let mut world = World::staffed(1);
        let task = world.live_task("invoicer");
        let credential = world.take("invoicer", task, &["read"]).unwrap();
        let user = world.outside.passwords[&credential].clone();
        world.disk.fail(Some(fault));
        let command = take(&world, task);
        assert_eq!(world.ask(command).unwrap_err().code, Code::LogUnavailable, "{fault:?}");
        let command = kill(&mut world, task);
        let ticket = world.submit(None, command);
        assert!(world.settle().iter().all(|(each, _)| *each != ticket), "{fault:?}: nothing is said before it is durable");
        assert!(world.backend.role(&user).is_none(), "{fault:?}: the user is gone all the same");
        // The signature expires while the log is away; the kill has happened all the same.
        world.clocks.pass(20 * 60_000);
        world.settle();
        world.disk.fail(None);
        let answers = world.settle();
        assert!(answers.iter().any(|(each, came)| *each == ticket && came.is_ok()), "{fault:?}: {answers:?}");
        assert!(world.state().tasks().get(&task).unwrap().is_ended());
        world.settle();
        assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Closed), "{fault:?}");
        assert_eq!(world.state().digest(), refolded(&world).digest());
    }
}

/// R72: a signature that was used is not used again by waiting out its life while the log is away.
#[test]
fn a_used_signature_does_not_come_back_with_the_log() {
    let mut world = World::staffed(1);
    let identity = Cast::get().agent("invoicer").identity;
    let content = KillContent { scope: KillScope::Identity(identity), reason: None };
    let act = world.act("erin", ActKind::Kill, &identity.to_string(), &content);
    let command = Command::Kill(Box::new(Kill { content, act }));
    world.ask(command.clone()).unwrap();
    let task = world.live_task("invoicer");
    world.disk.fail(Some(Fault::Io));
    let tickets = [world.submit(None, command.clone()), world.submit(None, command)];
    world.settle();
    world.clocks.pass(20 * 60_000);
    world.settle();
    world.disk.fail(None);
    let answers = world.settle();
    assert!(answers.iter().all(|(ticket, came)| tickets.contains(ticket) && came.is_err()), "{answers:?}");
    assert!(!world.state().tasks().get(&task).unwrap().is_ended());
}

/// R107: a full disk keeps a reserve for endings.
#[test]
fn a_full_log_still_takes_endings() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.take("invoicer", task, &["read"]).unwrap();
    world.disk.fail(Some(Fault::Full));
    let command = take(&world, task);
    assert_eq!(world.ask(command).unwrap_err().code, Code::LogUnavailable);
    let command = kill(&mut world, task);
    world.ask(command).unwrap();
    assert!(world.state().tasks().get(&task).unwrap().is_ended());
}

/// R24, R107: a person's powers and a key end as fast as anything ends: past waiting grants, by a clock that is not trusted, on a
/// full disk; and what they delegated with them. What also grants something waits.
#[test]
fn powers_and_keys_end_without_waiting_for_grants_or_for_a_clock() {
    let (gina, carol) = (Cast::get().person("gina"), Cast::get().person("carol"));
    let key = |remove| Item::Key(KeyItem { party: carol.party, key: carol.key.to_string(), remove });
    let power = |disabled| Item::PartyState(PartyState { party: gina.party, disabled });
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    world.disk.fail(Some(Fault::Full));
    world.clocks.leap(Ttl::from_seconds(86_400));
    let grant = world.change("alice", vec![power(true), Item::Party(writ_sim::Estate::new().team)]);
    assert_eq!(world.ask(Command::FileChange(Box::new(grant))).unwrap_err().code, Code::ClockUnsure);
    for cut in [vec![power(true)], vec![key(true)]] {
        for _ in 0..=BATCH_MAX {
            let take = take(&world, task);
            world.submit(None, take);
        }
        let file = world.change("alice", cut);
        let (change, content) = (file.content.change, file.content.clone());
        let filed = world.submit(None, Command::FileChange(Box::new(file)));
        let first = world.turn().unwrap();
        assert!(first.iter().any(|(ticket, came)| *ticket == filed && came.is_ok()), "{:?}", first.first());
        let act = world.act("bob", ActKind::Change, &change.to_string(), &content);
        let signed = world.submit(None, Command::SignChange(SignChange { change, act }));
        let second = world.turn().unwrap();
        assert!(second.iter().any(|(ticket, came)| *ticket == signed && came.is_ok()), "{:?}", second.first());
        world.settle();
    }
    let people = world.state().people();
    assert!(!people.is_active_person(&gina.party) && people.key(&carol.key.fingerprint().to_string()).is_none());
    assert!(world.state().tasks().get(&task).unwrap().is_ended());
    assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Closed));
    assert_eq!(world.state().digest(), refolded(&world).digest());
}

/// R24, R107: whoever fills the room for change sets keeps nobody from ending powers.
#[test]
fn change_sets_that_wait_leave_room_for_those_that_end_something() {
    let mut world = World::staffed(1);
    let party = Cast::get().person("gina").party;
    let mut team = writ_sim::Estate::new().team;
    team.members.clear();
    let mut file = |disabled| {
        let items =
            if disabled { vec![Item::PartyState(PartyState { party, disabled })] } else { vec![Item::Party(team.clone())] };
        let file = world.change("alice", items);
        world.ask(Command::FileChange(Box::new(file)))
    };
    while file(false).is_ok() {}
    assert_eq!(file(false).unwrap_err().code, Code::Limit);
    file(true).unwrap();
}

/// R88: an append whose outcome is not known grants nothing until the log is opened anew.
#[test]
fn an_unknown_outcome_stops_the_log_until_it_is_opened_anew() {
    for fault in [Fault::UnknownKept, Fault::UnknownLost] {
        let mut world = World::staffed(1);
        let task = world.live_task("invoicer");
        let command = take(&world, task);
        world.disk.fail(Some(fault));
        assert_eq!(world.ask(command.clone()).unwrap_err().code, Code::LogUnavailable);
        assert_eq!(world.ask(command.clone()).unwrap_err().code, Code::LogUnavailable);
        assert!(world.backend.roles().next().is_none());
        let kill = kill(&mut world, task);
        let ticket = world.submit(None, kill);
        world.settle();
        assert!(world.server.as_ref().unwrap().writer.stopped().is_some());
        world.reopen();
        let answers = world.settle();
        assert!(world.state().tasks().get(&task).unwrap().is_ended(), "{fault:?} {ticket:?} {answers:?}");
        assert!(world.state().credentials().iter().all(|(_, credential)| credential.is_over()), "{fault:?}");
        assert_eq!(world.state().digest(), refolded(&world).digest());
    }
}

/// R107, law 12: a kill that comes last is carried out first, and what waited before it gets nothing any more.
#[test]
fn a_cut_waits_for_no_grant() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    for _ in 0..=BATCH_MAX {
        let take = take(&world, task);
        world.submit(None, take);
    }
    let kill = kill(&mut world, task);
    let kill = world.submit(None, kill);
    let first = world.turn().unwrap();
    assert_eq!(first.iter().filter(|(_, came)| came.is_ok()).map(|(ticket, _)| *ticket).collect::<Vec<_>>(), [kill]);
    assert!(world.state().credentials().iter().next().is_none());
}

/// R107: an ending whose own append is not known to be durable is answered as what it is, whether the log has kept it or not.
#[test]
fn an_ending_of_unknown_outcome_is_logged_once_and_answered() {
    for (fault, tries) in [(Fault::UnknownKept, 0), (Fault::UnknownLost, 0), (Fault::UnknownLost, 1)] {
        let mut world = World::staffed(1);
        let task = world.live_task("invoicer");
        world.take("invoicer", task, &["read"]).unwrap();
        let kill = kill(&mut world, task);
        world.disk.fail(Some(fault));
        let ticket = world.submit(None, kill);
        assert!(world.settle().iter().all(|(each, _)| *each != ticket), "{fault:?}");
        assert!(world.backend.roles().next().is_none(), "it was not carried out: {fault:?}");
        // However often it is tried meanwhile, what closes the credential is logged after what ends it.
        for _ in 0..tries {
            world.turn().unwrap();
        }
        world.reopen();
        let came = world.settle().into_iter().find(|(each, _)| *each == ticket).unwrap().1;
        assert!(matches!(came, Ok(Answer::Ended { tasks, .. }) if tasks == [task].into()), "{fault:?}");
        let orders = world.disk.leaves().iter().filter(|leaf| String::from_utf8_lossy(leaf).contains("kill.ordered")).count();
        assert_eq!(orders, 1, "{fault:?}");
        assert!(world.state().credentials().iter().all(|(_, credential)| credential.is_over()), "{fault:?}");
    }
}

/// Law 10: a log that does not go on from what was durable is not gone on with.
#[test]
fn another_log_is_not_gone_on_with() {
    let mut world = World::staffed(1);
    let earlier = Disk::of(&world.disk.image());
    world.live_task("invoicer");
    world.disk.fail(Some(Fault::UnknownLost));
    world.attest("invoicer").unwrap_err();
    let size = world.disk.leaves().len();
    let mut writer = world.server.take().unwrap().writer;
    let mut longer = World::staffed(2);
    longer.live_task("invoicer");
    longer.live_task("invoicer");
    assert!(longer.disk.leaves().len() > size);
    for (disk, other) in [(earlier, "shorter"), (longer.disk, "another")] {
        let opened = Writer::open(disk.store()).unwrap();
        assert!(matches!(writer.resume(opened), Err(OpenError::OtherLog(_))), "{other}");
        assert!(writer.stopped().is_some() && writer.log().size() == size as u64);
    }
    writer.resume(Writer::open(world.disk.store()).unwrap()).unwrap();
    assert_eq!(writer.stopped(), None);
}

/// R88, R100: what ended one entry before its order was carried out does not come out: no user is made, no password handed over.
#[test]
fn an_order_is_held_back_when_its_task_has_ended() {
    for made in [false, true] {
        let mut world = World::staffed(1);
        let task = world.live_task("invoicer");
        let command = take(&world, task);
        world.submit(None, command);
        world.turn().unwrap();
        if made {
            // Through the gate, to the backend, and its outcome into the log: now the password waits at the gate.
            world.carry().unwrap();
            world.carry().unwrap();
            world.turn().unwrap();
            assert_eq!(world.backend.roles().count(), 1);
        }
        let command = kill(&mut world, task);
        world.submit(None, command);
        world.settle();
        assert_eq!((world.outside.held_back, world.outside.passwords.len()), (1, 0), "made: {made}");
        assert_eq!(world.backend.roles().count(), 0);
    }
}

/// R113: a report on a credential that still counts does not close it before its end.
#[test]
fn a_premature_report_closes_nothing() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    let (point, state, evidence) = ("billing-db".to_owned(), Closure::Closed, vec!["x".repeat(100_000); 100]);
    let closing = Closing { credential, point, state, tidy: true, evidence, next_try: None };
    world.ask(Command::Closing(closing.clone())).unwrap();
    world.backend.down = true;
    let command = kill(&mut world, task);
    world.ask(command).unwrap();
    assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Unknown));
    // And what a backend says at length is still an entry.
    world.ask(Command::Closing(closing)).unwrap();
    assert_eq!(world.state().credentials().get(&credential).unwrap().closure(), Some(Closure::Closed));
}

/// Refusals without an entry of their own are counted in one entry, by any clock; none where nothing was refused.
#[test]
fn counts_are_an_entry_where_there_are_any() {
    let mut world = World::staffed(1);
    let size = world.disk.leaves().len();
    world.clocks.leap(Ttl::from_seconds(86_400));
    world.ask(Command::Count(Count { counts: [(Code::Overloaded, 0)].into() })).unwrap();
    assert_eq!(world.disk.leaves().len(), size);
    world.ask(Command::Count(Count { counts: [(Code::Overloaded, 7), (Code::Malformed, 0)].into() })).unwrap();
    let leaf = world.disk.leaves().last().map(|leaf| String::from_utf8_lossy(leaf).into_owned()).unwrap();
    assert!(leaf.contains("\"body\":{\"counts\":{\"overloaded\":7},\"v\":1}"), "{leaf}");
    assert_eq!(world.state().digest(), refolded(&world).digest());
}

/// R107: however many tasks a kill ends, it is an entry.
#[test]
fn a_kill_of_very_many_tasks_is_not_too_long() {
    let mut world = World::staffed(1);
    let requests: Vec<_> = (0..30).map(|_| world.delegation("gina", "invoicer", &["read"], 30)).collect();
    for request in requests {
        world.submit(None, Command::Request(Box::new(request)));
    }
    assert!(world.settle().iter().all(|(_, came)| came.is_ok()));
    let content = KillContent { scope: KillScope::Identity(Cast::get().agent("invoicer").identity), reason: None };
    let act = world.act("erin", ActKind::Kill, &Cast::get().agent("invoicer").identity.to_string(), &content);
    let Answer::Ended { tasks, .. } = world.ask(Command::Kill(Box::new(Kill { content, act }))).unwrap() else { panic!() };
    assert_eq!(tasks.len(), 30);
    let longest =
        world.disk.leaves().iter().filter(|leaf| String::from_utf8_lossy(leaf).contains("kill.ordered")).map(Vec::len).max();
    assert!(longest.unwrap() < 2_000);
}
