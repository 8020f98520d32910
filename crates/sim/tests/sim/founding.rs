//! Opening a trust domain, and the people in it.

use writ_ledger::body::{Body, Founder, GenesisContent, Item, KeyItem, PartyState, PolicyText, Root, TextOfPolicy};
use writ_ledger::{Entry, SignedAct};
use writ_plane::{Login, found};
use writ_policy::PolicySource;
use writ_sim::{Cast, Estate, Person, Seeded, Signing, World};
use writ_types::{ActKind, Code, Denial, Digest, OwnerRole, TextValue as _, Time, TrustDomain, Ttl};

const NOW: Time = Time::from_seconds(1_795_341_600);
const ORIGIN: &str = "writ.example/prod";

fn content(founders: &[&str], quorum: u32) -> GenesisContent {
    let people: Vec<&Person> = founders.iter().map(|handle| Cast::get().person(handle)).collect();
    let (first, last) = (people[0].party, people[people.len() - 1].party);
    let base = PolicySource::base();
    let policies = base.policies().map(|(id, text)| TextOfPolicy { id: id.to_string(), text: text.to_owned() }).collect();
    GenesisContent {
        trust_domain: TrustDomain::parse("prod.example").unwrap(),
        origin: ORIGIN.to_owned(),
        log_key: Cast::get().log_key.clone(),
        founders: people.iter().map(|p| Founder { party: p.party, name: p.name.name(), key: p.key.to_string() }).collect(),
        quorum,
        witnesses: Vec::new(),
        dev: false,
        policy: PolicyText { schema: base.schema().to_owned(), policies },
        root: Root {
            owners: OwnerRole::ALL.iter().map(|role| (*role, if *role == OwnerRole::Security { last } else { first })).collect(),
            backups: Default::default(),
            duties: Default::default(),
        },
    }
}

fn sign(handle: &str, content: &GenesisContent) -> SignedAct {
    let mut random = Seeded::new(7);
    let mut signing = Signing { origin: ORIGIN, now: NOW, random: &mut random };
    Cast::get().person(handle).sign(ActKind::Genesis, ORIGIN, content, &[], &mut signing)
}

fn founded(content: &GenesisContent, signers: &[&str]) -> Result<Vec<Entry>, Denial> {
    let acts = signers.iter().map(|handle| sign(handle, content)).collect();
    found(content.clone(), acts, NOW, &mut Seeded::new(1))
}

fn kinds(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.kind.as_str()).collect()
}

/// R72: a trust domain begins with what its founders signed, and with nobody else's word.
#[test]
fn founders_sign_and_one_alone_is_a_finding() {
    let two = founded(&content(&["alice", "bob"], 2), &["alice", "bob"]).unwrap();
    assert_eq!(kinds(&two), ["log.genesis", "key.enrolled", "key.enrolled"]);
    assert_eq!(two[0].acts.len(), 2);
    let Body::KeyEnrolled(key) = Body::decode("key.enrolled", &two[1].body).unwrap() else { panic!() };
    assert!(key.enrolled_by.is_empty());
    let one = founded(&content(&["alice"], 1), &["alice"]).unwrap();
    assert_eq!(kinds(&one), ["log.genesis", "key.enrolled", "finding.raised"]);
}

#[test]
fn a_genesis_that_does_not_hold_names_all_that_is_wrong() {
    let good = content(&["alice", "bob"], 2);
    let check = |change: &dyn Fn(&mut GenesisContent), wanted: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let denial = founded(&bad, &["alice", "bob"]).unwrap_err();
        assert!(denial.missing.iter().any(|missing| missing.contains(wanted)), "{wanted}: {denial:?}");
    };
    let mallory = Cast::get().person("mallory").party;
    check(&|it| it.quorum = 3, "quorum");
    check(&|it| it.quorum = 0, "quorum");
    check(&|it| it.log_key = "nonsense".to_owned(), "nonsense");
    check(&|it| it.origin = "other.example".to_owned(), "origin");
    check(&|it| it.founders[1].key = it.founders[0].key.clone(), "another founder's");
    check(&|it| it.founders[1].key.push_str(" a comment"), "comment");
    check(&|it| _ = it.root.owners.remove(&OwnerRole::Business), "business owner");
    check(&|it| _ = it.root.owners.insert(OwnerRole::Control, mallory), "no founder");
    check(&|it| _ = it.root.backups.insert(OwnerRole::Security, it.root.owners[&OwnerRole::Security]), "somebody else");
    check(&|it| it.policy.policies[0].text.push('('), "policy set");
    check(&|it| it.policy.policies.reverse(), "ordered");
}

/// R72: a missing, a foreign or a swapped signature founds nothing.
#[test]
fn every_founder_signs_this_very_genesis() {
    let good = content(&["alice", "bob"], 2);
    let denial = founded(&good, &["alice"]).unwrap_err();
    assert_eq!((denial.code, denial.who_can), (Code::BadSignature, vec![Cast::get().person("bob").party.to_string()]));
    assert_eq!(founded(&good, &["alice", "bob", "bob"]).unwrap_err().code, Code::Invalid);
    let mut other = good.clone();
    other.dev = true;
    let swapped = vec![sign("alice", &other), sign("bob", &good)];
    assert_eq!(found(good.clone(), swapped, NOW, &mut Seeded::new(1)).unwrap_err().code, Code::BadSignature);
    let mut stolen = sign("mallory", &good);
    stolen.by = Cast::get().person("bob").party;
    assert_eq!(
        found(good.clone(), vec![sign("alice", &good), stolen], NOW, &mut Seeded::new(1)).unwrap_err().code,
        Code::BadSignature
    );
    let late = NOW.after(Ttl::from_seconds(86_400));
    let acts = vec![sign("alice", &good), sign("bob", &good)];
    assert_eq!(found(good, acts, late, &mut Seeded::new(1)).unwrap_err().code, Code::Stale);
}

/// R20: two holders of `administer` enrol a person, and the new key signs for itself.
#[test]
fn a_key_answers_once_two_administrators_and_the_key_itself_have_signed() {
    let mut world = World::founded(1);
    let change = world.apply("alice", Estate::people());
    let carol = Cast::get().person("carol");
    let answers = |world: &World| world.state().people().key(&carol.key.fingerprint().to_string()).is_some();
    world.sign("carol", change).unwrap();
    assert!(!answers(&world));
    world.sign("bob", change).unwrap();
    assert!(answers(&world));
    let dave = Cast::get().person("dave");
    assert!(world.state().people().key(&dave.key.fingerprint().to_string()).is_none());
}

/// R22: one key, one party, also when two change sets were filed before either was signed.
#[test]
fn a_key_that_was_taken_in_between_stays_whose_it_is() {
    let mut world = World::founded(1);
    let people: Vec<Item> = Estate::people().into_iter().filter(|item| matches!(item, Item::Party(_))).collect();
    let parties = world.apply("alice", people);
    world.sign("bob", parties).unwrap();
    let (carol, dave) = (Cast::get().person("carol"), Cast::get().person("dave"));
    let key = |party| vec![Item::Key(KeyItem { party, key: carol.key.to_string(), remove: false })];
    let (first, second) = (world.apply("alice", key(carol.party)), world.apply("alice", key(dave.party)));
    for change in [first, second] {
        world.sign("bob", change).unwrap();
    }
    world.sign("carol", first).unwrap();
    // Carol's key also signs that it is Dave's.
    let content = world.state().changes().get(&second).unwrap().content.clone();
    let mut act = world.act("carol", ActKind::Change, &second.to_string(), &content);
    act.by = dave.party;
    let _ = world.ask(writ_plane::Command::SignChange(writ_plane::SignChange { change: second, act }));
    let key = world.state().people().key(&carol.key.fingerprint().to_string()).unwrap();
    assert_eq!(key.party, carol.party);
}

/// R24: a disabled party's signature counts no more, and its sessions end.
#[test]
fn a_disabled_party_answers_for_nothing() {
    let mut world = World::enrolled(1);
    let login = |world: &mut World| {
        let act = world.act("gina", ActKind::Login, "challenge", &serde_json::json!({ "challenge": "challenge" }));
        let (challenge, session) = ("challenge".to_owned(), Digest::of(b"token"));
        world.ask(writ_plane::Command::Login(Login { challenge, session, ttl: Ttl::from_seconds(3_600), act }))
    };
    login(&mut world).unwrap();
    let now = world.now();
    assert!(world.state().people().session(&Digest::of(b"token"), now).is_some());
    let party = Cast::get().person("gina").party;
    let change = world.apply("alice", vec![Item::PartyState(PartyState { party, disabled: true })]);
    world.sign("bob", change).unwrap();
    assert!(world.state().people().session(&Digest::of(b"token"), now).is_none());
    assert_eq!(login(&mut world).unwrap_err().code, Code::BadSignature);
}

/// R20: of two founders one can end the other's powers, and bring them back, but gives nobody a name or a key alone.
#[test]
fn who_is_left_alone_enrols_nobody_and_can_bring_the_other_back() {
    let mut world = World::founded(1);
    let (bob, carol) = (Cast::get().person("bob").party, Cast::get().person("carol").party);
    let power = |disabled| vec![Item::PartyState(PartyState { party: bob, disabled })];
    world.apply("alice", power(true));
    assert!(!world.state().people().is_active_person(&bob));
    let people = world.apply("alice", writ_sim::Estate::people());
    assert!(world.state().people().party(&carol).is_none());
    world.apply("alice", power(false));
    assert!(world.state().people().is_active_person(&bob));
    world.sign("bob", people).unwrap();
    assert!(world.state().people().party(&carol).is_some());
}

fn estate_by(signers: &[&str]) -> (World, writ_types::ChangeId) {
    let mut world = World::enrolled(1);
    let change = world.apply("alice", Estate::new().items());
    for handle in signers {
        world.sign(handle, change).unwrap();
    }
    (world, change)
}

/// R24, R28: what a stolen key signed counts nowhere that still waits once the key is removed; nor what its holder signed whose powers
/// ended. With a key that answers it is signed again.
#[test]
fn what_was_signed_with_a_key_that_is_gone_counts_no_more() {
    let (carol, dave) = (Cast::get().person("carol"), Cast::get().person("dave"));
    let gone = |by: &Person, item: Item| {
        let (mut world, change) = estate_by(&["bob", "carol", "dave", "erin"]);
        assert!(world.state().changes().get(&change).unwrap().signed_by().contains_key(&by.party));
        let cut = world.apply("alice", vec![item]);
        world.sign("bob", cut).unwrap();
        assert!(!world.state().changes().get(&change).unwrap().signed_by().contains_key(&by.party));
        world.sign("frank", change).unwrap();
        let boundary = writ_types::Name::parse("prod").unwrap();
        assert!(world.state().boundaries().get(&boundary).is_none(), "it is in force without {}", by.party);
        (world, change)
    };
    gone(carol, Item::Key(KeyItem { party: carol.party, key: carol.key.to_string(), remove: true }));
    let (mut world, change) = gone(dave, Item::PartyState(PartyState { party: dave.party, disabled: true }));
    let back = world.apply("alice", vec![Item::PartyState(PartyState { party: dave.party, disabled: false })]);
    world.sign("bob", back).unwrap();
    assert!(world.state().changes().get(&change).is_some(), "powers that return sign nothing by themselves");
    world.sign("dave", change).unwrap();
    assert!(world.state().changes().get(&change).is_none());
}

/// R24: in the very set that removes it, a key still answers for the rest.
#[test]
fn a_key_that_a_change_set_removes_signs_the_rest_of_it() {
    let mut world = World::staffed(1);
    let bob = Cast::get().person("bob");
    let mut boundary = Estate::new().boundary;
    boundary.charter.business.as_mut().unwrap().tools.clear();
    let gone = Item::Key(KeyItem { party: bob.party, key: bob.key.to_string(), remove: true });
    let change = world.apply("alice", vec![gone, Item::Boundary(Box::new(boundary))]);
    world.sign("bob", change).unwrap();
    let prod = writ_types::Name::parse("prod").unwrap();
    assert!(world.state().boundaries().business(&prod).unwrap().tools.is_empty());
    assert!(world.state().people().key(&bob.key.fingerprint().to_string()).is_none());
}

/// R24: who filed a change set takes it back, whoever has signed it; nobody else does.
#[test]
fn a_change_set_is_taken_back_by_who_filed_it() {
    let (mut world, change) = estate_by(&["bob", "carol"]);
    let size = world.state().size();
    assert_eq!(world.withdraw("bob", change).unwrap_err().code, Code::PolicyDenied);
    // To sign it is not to take it back.
    let content = world.state().changes().get(&change).unwrap().content.clone();
    let act = world.act("alice", ActKind::Change, &change.to_string(), &content);
    let other = writ_plane::Command::WithdrawChange(writ_plane::WithdrawChange { change, act });
    assert_eq!(world.ask(other).unwrap_err().code, Code::BadSignature);
    world.withdraw("alice", change).unwrap();
    assert_eq!(world.state().size(), size + 1);
    for handle in ["dave", "erin", "frank"] {
        assert_eq!(world.sign(handle, change).unwrap_err().code, Code::NotFound);
    }
    assert_eq!(world.withdraw("alice", change).unwrap_err().code, Code::NotFound);
}

/// R24: what is in force word for word waits for nobody, and grows no log.
#[test]
fn what_is_in_force_already_needs_no_entry() {
    let mut world = World::staffed(1);
    let gina = Cast::get().person("gina").party;
    let enabled = Item::PartyState(PartyState { party: gina, disabled: false });
    let size = world.state().size();
    for items in [vec![enabled], Estate::new().items()] {
        world.apply("gina", items.clone());
        world.apply("gina", items);
    }
    assert_eq!((world.state().size(), world.state().changes().iter().count()), (size, 0));
    let mut boundary = Estate::new().boundary;
    boundary.grace = Ttl::from_seconds(60);
    world.apply("gina", vec![Item::Boundary(Box::new(boundary))]);
    assert_eq!((world.state().size(), world.state().changes().iter().count()), (size + 1, 1));
}
