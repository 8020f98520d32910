//! A task from its request to its credential.

use writ_ledger::body::Item;
use writ_plane::{Answer, Approve, Caller, Command, Request, Start, Take};
use writ_sim::{Cast, Estate, World};
use writ_types::{ActKind, ActorKind, Code, Digest, Name, OwnerRole, Purpose, TaskId, TextValue as _};

fn party(handle: &str) -> writ_types::PartyId {
    Cast::get().person(handle).party
}

fn code(came: &Result<impl std::fmt::Debug, writ_types::Denial>) -> Code {
    came.as_ref().unwrap_err().code
}

/// R26, R27, R53, R54, R55, R56, R88, R90, R91: the whole way, and what stands in the log of it.
#[test]
fn a_delegated_and_approved_task_gets_a_credential_that_ends_with_it() {
    let mut world = World::staffed(1);
    world.attest("invoicer").unwrap();
    let task = world.request("gina", "invoicer", &["read"], 30).unwrap();
    assert_eq!(code(&world.start("invoicer", task)), Code::ApprovalRequired);
    world.approve("bob", task).unwrap();
    let Answer::Started { ends_at, .. } = world.start("invoicer", task).unwrap() else { panic!() };
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    let held = world.state().credentials().get(&credential).unwrap();
    assert_eq!((held.task, held.identity, held.expires), (task, Cast::get().agent("invoicer").identity, ends_at));
    let user = world.outside.passwords[&credential].clone();
    assert_eq!(world.backend.role(&user).unwrap().expires, ends_at);
    let now = world.now();
    assert!(world.backend.connect(&user, now));
    let known = world.state().tasks().get(&task).unwrap();
    assert_eq!(known.approvals.keys().copied().collect::<Vec<_>>(), [party("bob")]);
    assert_eq!((known.content.delegator, known.content.purpose.as_str()), (Some(party("gina")), "close invoices"));
}

/// R20: whoever delegates does not approve; the denial says who can.
#[test]
fn the_delegator_does_not_approve() {
    let mut world = World::staffed(1);
    let task = world.request("bob", "invoicer", &["read"], 30).unwrap();
    let denial = world.approve("bob", task).unwrap_err();
    assert_eq!(denial.code, Code::SeparationOfDuties);
    assert_eq!(denial.who_can, [party("alice").to_string()]);
    assert_eq!(code(&world.approve("carol", task)), Code::PolicyDenied);
    world.approve("alice", task).unwrap();
}

/// R20: for 7 days a key does not approve what its enroller delegates.
#[test]
fn who_enrolled_a_key_waits_seven_days_for_its_approval() {
    let mut world = World::founded(1);
    let change = world.apply("alice", Estate::people());
    for (handle, _) in Cast::get().people().filter(|(handle, _)| !["alice", "mallory"].contains(handle)) {
        world.sign(handle, change).unwrap();
    }
    let mut estate = Estate::new();
    estate.boundary.owners.insert(OwnerRole::Business, party("gina"));
    estate.boundary.owners.insert(OwnerRole::Control, party("carol"));
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "carol", "dave", "erin", "frank", "gina"] {
        world.sign(handle, change).unwrap();
    }
    // Both who could approve got their keys from Alice.
    let denial = world.request("alice", "invoicer", &["read"], 30).unwrap_err();
    assert_eq!(denial.code, Code::SeparationOfDuties, "{denial:?}");
    assert!(denial.who_can.contains(&party("gina").to_string()));
    world.clocks.pass(7 * 86_400_000);
    let task = world.request("alice", "invoicer", &["read"], 30).unwrap();
    world.approve("gina", task).unwrap();
}

/// R20, law 7: the delegator enrolled the key of one who could approve, and not that of the other: only the other is asked, and only
/// the other's approval counts.
#[test]
fn who_rests_does_not_approve_what_another_could() {
    let mut world = World::founded(1);
    let change = world.apply("alice", Estate::people());
    for (handle, _) in Cast::get().people().filter(|(handle, _)| !["alice", "mallory"].contains(handle)) {
        world.sign(handle, change).unwrap();
    }
    let mut estate = Estate::new();
    estate.boundary.owners.insert(OwnerRole::Business, party("gina"));
    estate.boundary.owners.insert(OwnerRole::Control, party("bob"));
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "carol", "dave", "erin", "frank", "gina"] {
        world.sign(handle, change).unwrap();
    }
    world.attest("invoicer").unwrap();
    let task = world.request("alice", "invoicer", &["read"], 30).unwrap();
    assert_eq!(world.proposal(task).any_of, [[party("bob")].into()]);
    assert_eq!(code(&world.approve("gina", task)), Code::SeparationOfDuties);
    world.approve("bob", task).unwrap();
    world.start("invoicer", task).unwrap();
}

/// R48, R49, R72: an agent has no key that approves, and a person's certificate starts nothing.
#[test]
fn an_agent_never_approves() {
    let mut world = World::staffed(1);
    world.attest("invoicer").unwrap();
    let task = world.request("gina", "invoicer", &["read"], 30).unwrap();
    let content = world.proposal(task).content;
    let mut act = world.act("bob", ActKind::Approve, &content.approval.to_string(), &content);
    act.by = writ_types::PartyId::parse(&Cast::get().agent("invoicer").identity.to_string().replace("idn_", "pty_")).unwrap();
    assert_eq!(code(&world.ask(Command::Approve(Approve { task, act }))), Code::BadSignature);
    let state = world.state().identities().get(&Cast::get().agent("invoicer").identity).unwrap();
    assert_eq!(state.actor_kind, ActorKind::Agent);
}

/// R71: an approval is over the resolved parameters; any change voids it.
#[test]
fn an_approval_of_what_has_changed_is_stale() {
    let mut world = World::staffed(1);
    let task = world.request("gina", "invoicer", &["read"], 30).unwrap();
    let mut resource = Estate::new().resource;
    resource.postgres.actions.get_mut(&Name::parse("read").unwrap()).unwrap().push(writ_types::SqlName::parse("app_rw").unwrap());
    let change = world.apply("bob", vec![Item::Resource(Box::new(resource))]);
    world.sign("dave", change).unwrap();
    assert_eq!(code(&world.approve("bob", task)), Code::Stale);
}

/// R71, R101: a live task whose resource changes under it ends, with its credentials.
#[test]
fn a_live_task_ends_when_what_was_approved_changes() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let credential = world.take("invoicer", task, &["read"]).unwrap();
    let mut resource = Estate::new().resource;
    resource.postgres.actions.get_mut(&Name::parse("read").unwrap()).unwrap().push(writ_types::SqlName::parse("app_rw").unwrap());
    let change = world.apply("bob", vec![Item::Resource(Box::new(resource))]);
    world.sign("dave", change).unwrap();
    assert!(world.state().tasks().get(&task).unwrap().is_ended());
    assert!(world.state().credentials().get(&credential).unwrap().is_over());
    assert_eq!(world.backend.roles().count(), 0);
}

/// R62: a credential and a task are one agent's; somebody else's certificate, task or key is nobody's.
#[test]
fn another_agents_task_is_unknown() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.attest("reporter").unwrap();
    assert_eq!(code(&world.take("reporter", task, &["read"])), Code::NoTask);
    let second = world.request("gina", "reporter", &["read"], 30).unwrap();
    world.approve("alice", second).unwrap();
    assert_eq!(code(&world.start("invoicer", second)), Code::NotFound);
    assert_eq!(code(&world.start("invoicer", TaskId::from_bits([1; 16]))), Code::NotFound);
    assert_eq!(code(&world.take("invoicer", second, &["read"])), Code::NoTask);
}

/// R43, R49: a certificate that the log does not know is nobody's, whoever signed it.
#[test]
fn a_forged_serial_or_a_foreign_key_is_refused() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let mine = world.caller("invoicer").unwrap();
    let forged = Caller { serial: "41".repeat(16), key: mine.key };
    let foreign = Caller { serial: mine.serial, key: Digest::of(b"another key") };
    for caller in [forged, foreign] {
        let start = world.ask(Command::Start(Start { task, caller: caller.clone() }));
        assert_eq!(code(&start), Code::Unauthenticated);
        let take = Take { task, resource: World::database(), actions: [Name::parse("read").unwrap()].into(), caller };
        assert_eq!(code(&world.ask(Command::Take(take))), Code::Unauthenticated);
    }
    assert!(!world.state().tasks().get(&task).unwrap().is_ended());
    // A certificate ends by itself.
    let mine = world.caller("invoicer").unwrap();
    world.clocks.pass(3_600_000);
    let start = world.ask(Command::Start(Start { task, caller: mine }));
    assert_eq!(code(&start), Code::Unauthenticated);
}

/// R54, R63, R80, R91: outside the charter's purpose, data, tools and life there is no task.
#[test]
fn a_request_outside_the_charter_is_refused_and_says_what() {
    let mut world = World::staffed(1);
    let mut check = |change: &dyn Fn(&mut writ_ledger::body::Delegation), wanted: &str| {
        let mut request = world.delegation("gina", "invoicer", &["read"], 30);
        change(&mut request.content);
        let id = request.content.task.to_string();
        let act = world.act("gina", ActKind::Delegate, &id, &request.content);
        let denial = world.ask(Command::Request(Box::new(Request { content: request.content, act }))).unwrap_err();
        assert!(denial.missing.iter().any(|missing| missing.contains(wanted)), "{denial:?}");
    };
    check(&|it| it.purpose = Purpose::parse("look around").unwrap(), "purpose `look around`");
    check(&|it| it.data_scope.push(Name::parse("salaries").unwrap()), "data scope `salaries`");
    check(&|it| it.ttl = writ_types::Ttl::from_seconds(7_200), "ttlMax");
    check(&|it| it.grants[0].actions = [Name::parse("drop").unwrap()].into(), "read, write");
    check(&|it| it.grants.clear(), "1 to 16 resources");
    check(&|it| it.grants.push(it.grants[0].clone()), "twice");
}

/// R30, R55: only who the boundary names delegates, in their own name.
#[test]
fn only_the_boundarys_delegators_delegate() {
    let mut world = World::staffed(1);
    assert_eq!(code(&world.request("carol", "invoicer", &["read"], 30)), Code::PolicyDenied);
    let mut request = world.delegation("gina", "invoicer", &["read"], 30);
    request.act = world.act("frank", ActKind::Delegate, &request.content.task.to_string(), &request.content);
    assert_eq!(code(&world.ask(Command::Request(Box::new(request)))), Code::BadSignature);
}

/// R72: a signature made for one thing does nothing else, and counts once.
#[test]
fn an_act_is_not_taken_for_another() {
    let mut world = World::staffed(1);
    let (first, second) =
        (world.request("gina", "invoicer", &["read"], 30).unwrap(), world.request("gina", "invoicer", &["read"], 30).unwrap());
    let content = world.proposal(first).content;
    let act = world.act("bob", ActKind::Approve, &content.approval.to_string(), &content);
    assert_eq!(code(&world.ask(Command::Approve(Approve { task: second, act: act.clone() }))), Code::BadSignature);
    let refusal = world.act("bob", ActKind::Refuse, &content.approval.to_string(), &content);
    assert_eq!(code(&world.ask(Command::Approve(Approve { task: first, act: refusal }))), Code::BadSignature);
    world.ask(Command::Approve(Approve { task: first, act: act.clone() })).unwrap();
    assert!(world.ask(Command::Approve(Approve { task: first, act })).is_err());
}

/// R72: a request that is not approved, or not started, in time is over.
#[test]
fn a_request_expires_and_so_does_an_approval() {
    let mut world = World::staffed(1);
    let slow = world.request("gina", "invoicer", &["read"], 30).unwrap();
    world.clocks.pass(86_400_000);
    assert!(world.approve("bob", slow).is_err());
    world.settle();
    assert!(world.state().tasks().get(&slow).unwrap().is_ended());
    world.attest("invoicer").unwrap();
    let idle = world.request("gina", "invoicer", &["read"], 30).unwrap();
    world.approve("bob", idle).unwrap();
    world.clocks.pass(15 * 60_000);
    assert!(world.start("invoicer", idle).is_err());
    let refused = world.request("gina", "invoicer", &["read"], 30).unwrap();
    world.refuse("alice", refused).unwrap();
    assert_eq!(code(&world.start("invoicer", refused)), Code::NoTask);
}

/// R49, R53, R55, R56: what an agent asks for by itself is nothing until a person delegates it, word for word; then it goes the way of
/// every task, approval and all.
#[test]
fn what_an_agent_asks_for_by_itself_waits_for_a_delegator() {
    let mut world = World::staffed(1);
    world.attest("invoicer").unwrap();
    let task = world.want("invoicer", &["read"], 15).unwrap();
    assert_eq!(world.state().tasks().get(&task).unwrap().word(), "requested");
    let denial = world.start("invoicer", task).unwrap_err();
    assert_eq!(denial.code, Code::ApprovalRequired);
    let delegators: std::collections::BTreeSet<_> =
        ["alice", "bob", "frank", "gina"].map(|handle| party(handle).to_string()).into();
    assert_eq!(denial.who_can.into_iter().collect::<std::collections::BTreeSet<_>>(), delegators);
    assert_eq!(code(&world.take("invoicer", task, &["read"])), Code::NoTask);
    // Who may not delegate, another content, another's request: nothing of it becomes a task.
    let carol = world.delegating("carol", task);
    assert_eq!(code(&world.ask(Command::Request(Box::new(carol)))), Code::PolicyDenied);
    let mut more = world.delegating("gina", task);
    more.content.grants[0].actions.insert(Name::parse("write").unwrap());
    more.act = world.act("gina", ActKind::Delegate, &task.to_string(), &more.content);
    let denial = world.ask(Command::Request(Box::new(more))).unwrap_err();
    assert!(denial.missing.iter().any(|missing| missing.contains("not what the actor asked for")), "{denial:?}");
    let mut invented = world.delegation("gina", "invoicer", &["read"], 15);
    invented.content.self_requested = true;
    invented.act = world.act("gina", ActKind::Delegate, &invented.content.task.to_string(), &invented.content);
    assert_eq!(code(&world.ask(Command::Request(Box::new(invented)))), Code::Invalid);

    let request = world.delegating("gina", task);
    world.ask(Command::Request(Box::new(request.clone()))).unwrap();
    assert!(world.ask(Command::Request(Box::new(request))).is_err());
    assert_eq!(code(&world.start("invoicer", task)), Code::ApprovalRequired);
    let proposal = world.proposal(task);
    assert!(proposal.any_of.iter().flatten().all(|person| *person != party("gina")));
    assert_eq!(code(&world.approve("gina", task)), Code::SeparationOfDuties);
    world.approve("bob", task).unwrap();
    world.start("invoicer", task).unwrap();
    world.take("invoicer", task, &["read"]).unwrap();
    let known = &world.state().tasks().get(&task).unwrap().content;
    assert!(known.self_requested && known.delegator == Some(party("gina")));
    assert_eq!(crate::laws::found(&world, |_, _| {}), Vec::<String>::new());
}

/// R54, R80: an agent asks only within its charter, and does not learn what lies outside it; the same again is the same request; a few
/// at a time; and it ends by itself, or is taken back.
#[test]
fn an_agent_asks_within_its_charter_and_a_request_of_its_own_ends() {
    let mut world = World::staffed(1);
    world.attest("invoicer").unwrap();
    world.attest("reporter").unwrap();
    let mut of = |tool: &str| {
        let mut want = world.wish("invoicer", &["read"], 15);
        want.grants = [(Name::parse(tool).unwrap(), [Name::parse("read").unwrap()].into())].into();
        world.ask(Command::Want(Box::new(want))).unwrap_err()
    };
    let mut hidden = Estate::new().resource;
    let (real, unreal) = (of("ledger-db"), of("no-such-db"));
    assert_eq!(real.message, unreal.message);
    assert_eq!((real.code, real.missing), (Code::Unchartered, vec!["tool `ledger-db`".to_owned()]));
    hidden.resource = writ_types::ResourceId::from_bits([4; 16]);
    (hidden.name, hidden.postgres.address) = (Name::parse("ledger-db").unwrap(), "ledger.internal:5432".to_owned());
    let change = world.apply("bob", vec![Item::Resource(Box::new(hidden))]);
    world.sign("dave", change).unwrap();
    let mut want = world.wish("invoicer", &["read"], 15);
    want.grants = [(Name::parse("ledger-db").unwrap(), [Name::parse("read").unwrap()].into())].into();
    assert_eq!(world.ask(Command::Want(Box::new(want))).unwrap_err().missing, ["tool `ledger-db`"]);
    assert_eq!(code(&world.want("invoicer", &["drop"], 15)), Code::Invalid);
    assert_eq!(code(&world.want("invoicer", &["read"], 61)), Code::Unchartered);

    let task = world.want("invoicer", &["read"], 15).unwrap();
    let size = world.state().size();
    assert_eq!(world.want("invoicer", &["read"], 15).unwrap(), task);
    assert_eq!(world.state().size(), size);
    let other = world.want("reporter", &["read"], 15).unwrap();
    assert_ne!(other, task);
    for minutes in 16..31 {
        world.want("invoicer", &["read"], minutes).unwrap();
    }
    assert_eq!(code(&world.want("invoicer", &["read"], 31)), Code::Limit);
    let end = |caller| Command::Complete(writ_plane::Complete { task, by: writ_plane::Sender::Actor(caller) });
    let foreign = end(world.caller("reporter").unwrap());
    assert_eq!(code(&world.ask(foreign)), Code::NotFound);
    let own = end(world.caller("invoicer").unwrap());
    world.ask(own).unwrap();
    let late = world.delegating("gina", task);
    assert_eq!(code(&world.ask(Command::Request(Box::new(late)))), Code::Invalid);
    world.clocks.pass(86_400_000);
    let late = world.delegating("gina", other);
    assert_eq!(code(&world.ask(Command::Request(Box::new(late)))), Code::Invalid);
    world.settle();
    assert!(world.state().tasks().open().next().is_none());
    assert_eq!(crate::laws::found(&world, |_, _| {}), Vec::<String>::new());
}
