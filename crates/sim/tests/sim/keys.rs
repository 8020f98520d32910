//! A person's key is replaced: by the old key, or by two others, and by the new key itself.

use writ_ledger::body::{Item, KeyItem};
use writ_plane::{Approve, Command, SignChange};
use writ_sim::{Cast, Estate, Person, World};
use writ_types::{ActKind, ChangeId, Code, OwnerRole};

fn item(of: &Person, key: &Person, remove: bool) -> Item {
    Item::Key(KeyItem { party: of.party, key: key.key.to_string(), remove })
}

/// Carol's key goes, Mallory's comes in its place.
fn replacement() -> Vec<Item> {
    let (carol, new) = (Cast::get().person("carol"), Cast::get().person("mallory"));
    vec![item(carol, carol, true), item(carol, new, false)]
}

/// The new key signs for itself.
fn new_key_signs(world: &mut World, change: ChangeId) {
    let content = world.state().changes().get(&change).unwrap().content.clone();
    let mut act = world.act("mallory", ActKind::Change, &change.to_string(), &content);
    act.by = Cast::get().person("carol").party;
    world.ask(Command::SignChange(SignChange { change, act })).unwrap();
}

/// Whether the old and the new key answer.
fn answer(world: &World) -> (bool, bool) {
    let answers = |handle| world.state().people().key(&Cast::get().person(handle).key.fingerprint().to_string()).is_some();
    (answers("carol"), answers("mallory"))
}

/// R20, R24: the old key answers for its own replacement, which waits for the new key: nobody locks herself out.
#[test]
fn the_old_key_and_the_new_one_replace_a_key() {
    let mut world = World::enrolled(1);
    let change = world.apply("carol", replacement());
    assert_eq!(answer(&world), (true, false));
    new_key_signs(&mut world, change);
    assert_eq!(answer(&world), (false, true));
    assert!(world.state().changes().get(&change).is_none());
}

/// R20, R24: two others replace a key too, and the old one stops at once.
#[test]
fn two_others_and_the_new_key_replace_a_key() {
    let mut world = World::enrolled(1);
    let change = world.apply("gina", replacement());
    world.sign("alice", change).unwrap();
    assert_eq!(answer(&world), (true, false));
    world.sign("bob", change).unwrap();
    assert_eq!(answer(&world), (false, false));
    new_key_signs(&mut world, change);
    assert_eq!(answer(&world), (false, true));
}

/// R20: one key for one: a second one beside it, or another person's, is enrolled by two.
#[test]
fn an_old_key_answers_for_nothing_but_its_own_replacement() {
    let [carol, dave, new] = ["carol", "dave", "mallory"].map(|handle| Cast::get().person(handle));
    for items in [
        vec![item(carol, new, false)],
        vec![item(carol, carol, true)],
        vec![item(dave, dave, true), item(carol, new, false)],
        vec![item(carol, carol, true), item(dave, new, false)],
    ] {
        let mut world = World::enrolled(1);
        let change = world.apply("carol", items);
        let content = world.state().changes().get(&change).unwrap().content.clone();
        let mut act = world.act("mallory", ActKind::Change, &change.to_string(), &content);
        act.by = if content.items.contains(&item(dave, new, false)) { dave.party } else { carol.party };
        let _ = world.ask(Command::SignChange(SignChange { change, act }));
        assert_eq!(answer(&world), (true, false), "{content:?}");
    }
}

/// R71: law 7: who enrolled the key that was replaced is answered for no sooner by the new one.
#[test]
fn a_replaced_key_does_not_approve_for_who_enrolled_the_old_one() {
    let mut world = World::founded(1);
    let people = world.apply("alice", Estate::people());
    for handle in ["bob", "carol", "dave", "erin", "frank", "gina"] {
        world.sign(handle, people).unwrap();
    }
    let mut estate = Estate::new();
    estate.boundary.owners.insert(OwnerRole::Business, Cast::get().person("carol").party);
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    let change = world.apply("carol", replacement());
    new_key_signs(&mut world, change);
    world.attest("invoicer").unwrap();
    let task = world.request("bob", "invoicer", &["read"], 30).unwrap();
    let content = world.proposal(task).content;
    let approve = |world: &mut World| {
        let mut act = world.act("mallory", ActKind::Approve, &content.approval.to_string(), &content);
        act.by = Cast::get().person("carol").party;
        world.ask(Command::Approve(Approve { task, act }))
    };
    assert_eq!(approve(&mut world).unwrap_err().code, Code::SeparationOfDuties);
}
