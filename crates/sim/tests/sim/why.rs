//! What `why` is told from: each scrap tells its own story, and no other.

use writ_ledger::Entry;
use writ_ledger::body::{Effect, KillScope};
use writ_plane::{Explained, Index, Take, explain};
use writ_sim::{Cast, Estate, World};
use writ_types::{CredentialId, PartyId, RevocationClass, TaskId};

fn tell(world: &World, scrap: &str) -> Option<Explained> {
    let leaves = world.disk.leaves();
    let mut index = Index::default();
    for (place, leaf) in leaves.iter().enumerate() {
        index.add(place as u64, &Entry::decode(leaf).unwrap());
    }
    let fetch = |place: u64| Entry::decode(leaves.get(usize::try_from(place).unwrap())?).ok();
    explain(world.state(), &index, &fetch, scrap)
}

fn story(world: &World, scrap: &str) -> Explained {
    tell(world, scrap).unwrap()
}

fn party(handle: &str) -> PartyId {
    Cast::get().person(handle).party
}

/// A new certificate of the agent's, by its serial number.
fn attest(world: &mut World) -> String {
    world.attest("invoicer").unwrap();
    world.caller("invoicer").unwrap().serial
}

fn requested(world: &mut World, delegator: &str, approver: &str) -> TaskId {
    let task = world.request(delegator, "invoicer", &["read"], 30).unwrap();
    world.approve(approver, task).unwrap();
    task
}

fn tells_task(story: &Explained, task: TaskId, delegator: &str) {
    assert_eq!(story.delegated.as_ref().map(|by| by.by), Some(party(delegator)), "{}", story.id);
    assert_eq!(story.cut, Some(KillScope::Task(task)), "{}", story.id);
}

/// Law 11: a certificate tells the task that it took part in, whether it started it or took a credential in it, and none that it
/// didn't. What attestation showed is what it showed for this very certificate.
#[test]
fn a_certificate_tells_the_task_that_it_took_part_in_and_no_other() {
    let mut world = World::staffed(1);
    let idle = attest(&mut world);
    let starts = attest(&mut world);
    let first = requested(&mut world, "gina", "bob");
    world.start("invoicer", first).unwrap();
    let takes = attest(&mut world);
    let credential: CredentialId = world.take("invoicer", first, &["read"]).unwrap();
    // Another task, requested afterwards by somebody else, that never runs.
    requested(&mut world, "bob", "alice");
    let later = attest(&mut world);

    for scrap in [&starts, &takes, &credential.to_string(), &first.to_string()] {
        tells_task(&story(&world, scrap), first, "gina");
    }
    for scrap in [&idle, &later] {
        let story = story(&world, scrap);
        assert_eq!((story.kind, &story.delegated, story.approved.len(), &story.ended), ("certificate", &None, 0, &None));
        assert_eq!((story.purpose.as_ref(), story.last_task), (None, None));
        let justified = story.justified.unwrap();
        assert_eq!(
            (justified.effect, justified.policies.iter().map(String::as_str).collect()),
            (Effect::Allow, vec!["identify"])
        );
        assert_eq!(story.attested, [Cast::get().agent("invoicer").selector]);
        assert_eq!(story.actor.unwrap().0, Cast::get().agent("invoicer").identity.to_string());
        assert_eq!((story.owners.len(), story.class), (5, Some(RevocationClass::BlocksNew)));
        assert!(story.ends_at.is_some());
    }
    let refused = world.caller("invoicer").map(|caller| Take {
        task: first,
        resource: World::database(),
        actions: ["write"].map(|name| writ_types::TextValue::parse(name).unwrap()).into(),
        caller,
    });
    world.ask(writ_plane::Command::Take(refused.unwrap())).unwrap_err();
    assert_eq!(story(&world, &later).delegated, None, "to be refused is not to take part");
}

/// Law 11: an identity, by whichever of its names, did not delegate to itself: its last task stands in a member of its own.
#[test]
fn an_identity_tells_its_last_task_apart() {
    let mut world = World::staffed(1);
    let agent = Cast::get().agent("invoicer");
    let id = agent.identity.to_string();
    let spiffe_id = world.state().identities().get(&agent.identity).unwrap().spiffe_id.to_string();
    assert_eq!(story(&world, &id).last_task, None);
    attest(&mut world);
    requested(&mut world, "gina", "bob");
    let last = requested(&mut world, "bob", "alice");
    for scrap in [&id, &spiffe_id, "invoicer"] {
        let story = story(&world, scrap);
        assert_eq!((story.kind, story.delegated, story.approved.len()), ("identity", None, 0), "{scrap}");
        assert_eq!((story.last_task, story.ends_at, story.ended), (Some(last), None, None), "{scrap}");
        assert_eq!(story.actor.unwrap().0, id);
        assert_eq!(story.cut, Some(KillScope::Identity(agent.identity)));
        assert_eq!(story.attested, [agent.selector]);
    }
}

/// Law 11: a boundary and a resource have owners; nobody acted in them, and no decision justifies them.
#[test]
fn places_have_owners_and_no_actor() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    let content = writ_ledger::body::KillContent { scope: KillScope::Boundary(Estate::new().boundary.name), reason: None };
    let act = world.act("alice", writ_types::ActKind::Kill, "prod", &content);
    world.ask(writ_plane::Command::Kill(Box::new(writ_plane::Kill { content, act }))).unwrap();
    let resource = Estate::new().resource;
    for (scrap, kind) in [
        ("prod", "boundary"),
        ("root", "boundary"),
        (resource.name.as_str(), "resource"),
        (&resource.resource.to_string(), "resource"),
    ] {
        let story = story(&world, scrap);
        assert_eq!((story.kind, &story.actor, &story.justified, &story.delegated), (kind, &None, &None, &None), "{scrap}");
        assert_eq!(story.owners.len(), 5, "{scrap}");
        assert!(!story.entries.is_empty() && story.entries.len() < 7, "{scrap}: {:?}", story.entries);
    }
    assert_eq!(story(&world, "prod").owners[&writ_types::OwnerRole::Security].0, party("erin"));
    assert!(story(&world, &task.to_string()).ended.is_some());
    assert_eq!(tell(&world, "no-such-boundary"), None);
}

/// Law 11: a change set tells who filed and who signed it, and no task that came later.
#[test]
fn a_change_set_tells_who_signed_it() {
    let mut world = World::enrolled(1);
    let change = world.apply("alice", Estate::new().items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    world.live_task("invoicer");
    let story = story(&world, &change.to_string());
    assert_eq!((story.kind, story.delegated), ("change", None));
    assert_eq!(story.actor.unwrap().0, party("alice").to_string());
    let signed: Vec<PartyId> = story.approved.iter().map(|by| by.by).collect();
    assert_eq!(signed, ["alice", "bob", "carol", "dave", "erin", "frank"].map(party));
}

/// A serial number as OpenSSL prints it, in upper case or with colons, is the one in the log.
#[test]
fn a_serial_number_is_known_in_the_ways_openssl_prints_it() {
    let mut world = World::staffed(1);
    let serial = attest(&mut world);
    let pairs: Vec<String> = serial.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    for printed in [format!("serial={}", serial.to_uppercase()), pairs.join(":"), pairs.join(":").to_lowercase()] {
        let story = story(&world, &printed);
        assert_eq!((story.kind, &story.id), ("certificate", &serial));
    }
}

/// R111: the report that a credential is closed rests on the entry that revoked it.
#[test]
fn a_closure_rests_on_the_revocation() {
    let mut world = World::staffed(1);
    let task = world.live_task("invoicer");
    world.take("invoicer", task, &["read"]).unwrap();
    let act = world.act("gina", writ_types::ActKind::Complete, &task.to_string(), &writ_plane::CompleteContent { task });
    let by = writ_plane::Sender::Person(Box::new(act));
    world.ask(writ_plane::Command::Complete(writ_plane::Complete { task, by })).unwrap();
    world.settle();
    let entries: Vec<Entry> = world.disk.leaves().iter().map(|leaf| Entry::decode(leaf).unwrap()).collect();
    let place = |kind: &str| entries.iter().position(|entry| entry.kind.as_str() == kind).unwrap() as u64;
    let report = &entries[usize::try_from(place("closure.reported")).unwrap()];
    assert_eq!(report.cause, [place("credential.revoked")]);
}
