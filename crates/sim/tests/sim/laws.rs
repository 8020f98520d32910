//! What an auditor finds in a log whose keeper has its key and nobody else's.

use serde_json::json;
use writ_ledger::Entry;
use writ_ledger::body::Item;
use writ_plane::Laws;
use writ_sim::{Cast, Estate, World};
use writ_types::TextValue as _;

/// What is found in this log, once each of its entries has gone through `forge`.
pub(crate) fn found(world: &World, mut forge: impl FnMut(u64, &mut Entry)) -> Vec<String> {
    let mut laws = Laws::default();
    for (index, leaf) in world.disk.leaves().iter().enumerate() {
        let mut entry = Entry::decode(leaf).unwrap();
        forge(index as u64, &mut entry);
        laws.add(&entry);
    }
    laws.breaches().iter().map(|breach| breach.what.clone()).collect()
}

fn says(found: &[String], what: &str) {
    assert!(found.iter().any(|breach| breach.contains(what)), "{what}: {found:?}");
}

/// R20: what was not so is found: who enrolled a key, when it may approve, what is closed, who signalled, how long it lives.
#[test]
fn a_log_that_was_forged_with_its_own_key_breaks_the_laws() {
    let mut world = World::founded(1);
    let change = world.apply("alice", Estate::people());
    for (handle, _) in Cast::get().people().filter(|(handle, _)| !["alice", "mallory"].contains(handle)) {
        world.sign(handle, change).unwrap();
    }
    let change = world.apply("alice", Estate::new().items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    let task = world.live_task("invoicer");
    world.take("invoicer", task, &["read"]).unwrap();
    assert_eq!(found(&world, |_, _| {}), Vec::<String>::new());

    let kind = |entry: &Entry, kind: &str| entry.kind.as_str() == kind;
    let alone = found(&world, |_, entry| {
        if kind(entry, "key.enrolled") {
            entry.body["enrolled_by"] = json!([]);
        }
    });
    says(&alone, "names others as its enrollers");
    // As if the delegator had enrolled the keys of those who approve.
    let early = found(&world, |_, entry| {
        if kind(entry, "key.enrolled") {
            entry.body["enrolled_by"] = json!(Cast::get().people().map(|(_, person)| person.party).collect::<Vec<_>>());
        }
    });
    says(&early, "less than 7 days");
    let foreign = found(&world, |_, entry| {
        if kind(entry, "credential.granted") {
            entry.body["databases"] = json!(["payroll"]);
            entry.body["expires"] = json!("2040-01-01T00:00:00.000000Z");
        }
    });
    says(&foreign, "other databases");
    says(&foreign, "longer than its charter");
    let closed = found(&world, |_, entry| {
        if kind(entry, "credential.made") {
            let credential = entry.body["credential"].clone();
            entry.kind = writ_ledger::Kind::parse("closure.reported").unwrap();
            entry.body = json!({
                "v": 1, "credential": credential, "point": "billing-db", "state": "CLOSED", "tidy": true, "evidence": [],
                "next_try": null,
            });
        }
    });
    says(&closed, "what was not ended");
    let accused = found(&world, |_, entry| {
        if kind(entry, "credential.made") {
            entry.kind = writ_ledger::Kind::parse("task.signalled").unwrap();
            entry.body = json!({
                "v": 1, "task": task, "trigger": "misuse", "sender": Cast::get().person("carol").party, "self_reported": false,
                "content": null,
            });
        }
    });
    says(&accused, "carries no signature");
}

/// R1, R15, R17, R20: a server that puts a boundary in force whose new holders have not signed is found out.
#[test]
fn a_boundary_that_was_taken_over_without_its_new_holders_breaks_the_laws() {
    let mut world = World::staffed(1);
    let mut bare = Estate::new().boundary;
    (bare.owners, bare.backups) = Default::default();
    let change = world.apply("alice", vec![Item::Boundary(Box::new(bare.clone()))]);
    world.attest("invoicer").unwrap();
    bare.charter = Default::default();
    let taken = found(&world, |_, entry| {
        if entry.kind.as_str() == "svids.issued" {
            entry.kind = writ_ledger::Kind::parse("boundary.set").unwrap();
            entry.body = json!({ "v": 1, "change": change, "boundary": bare });
        }
    });
    for role in ["identity owner", "security owner", "platform backup"] {
        says(&taken, &format!("a signature is missing: accepts to be {role} of boundary `prod`"));
    }
}

/// R55, R72: a server that holds the log's key makes no task of what an agent asked for by itself.
#[test]
fn a_forged_delegation_of_what_an_agent_asked_for_breaks_the_laws() {
    let mut world = World::staffed(1);
    world.attest("invoicer").unwrap();
    let task = world.want("invoicer", &["read"], 15).unwrap();
    let request = world.delegating("gina", task);
    world.ask(writ_plane::Command::Request(Box::new(request))).unwrap();
    assert_eq!(found(&world, |_, _| {}), Vec::<String>::new());
    let alone = found(&world, |_, entry| {
        if entry.kind.as_str() == "task.requested" {
            entry.body["content"]["delegator"] = json!(null);
            entry.acts.clear();
        }
    });
    says(&alone, "nobody delegated it");
    let more = found(&world, |_, entry| {
        if entry.kind.as_str() == "task.wanted" {
            entry.body["content"]["ttl"] = json!("1m");
        }
    });
    says(&more, "does not hold");
    let of_another = found(&world, |_, entry| {
        if entry.kind.as_str() == "task.wanted" {
            entry.actor.id = Cast::get().agent("reporter").identity.to_string();
        }
    });
    says(&of_another, "not asked for by its actor's certificate");
}
