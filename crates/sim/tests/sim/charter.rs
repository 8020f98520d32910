//! Who answers, and what is refused until they have signed.

use writ_ledger::body::{IdentityItem, Item, PartyState};
use writ_plane::{Answer, Command, FileChange};
use writ_sim::{Cast, Estate, World};
use writ_types::{ActKind, Code, Duty, Name, OwnerRole, PartyId, Section, TextValue as _};

fn party(handle: &str) -> PartyId {
    Cast::get().person(handle).party
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// R1, R2, R3, R4, R5, R6, R7, R9, R15, R18, R63, R66, R67, R68, R69: nothing is issued before each has signed; the denial
/// names each that is missing and who can supply it.
#[test]
fn an_unsigned_charter_refuses_documents_and_names_who_must_sign() {
    let mut world = World::enrolled(1);
    let change = world.apply("alice", Estate::new().items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        let denial = world.attest("invoicer").unwrap_err();
        assert_ne!(denial.code, Code::Bug, "{denial:?}");
        world.sign(handle, change).unwrap();
    }
    world.attest("invoicer").unwrap();

    // The same with the boundary in force and each section signed by its own role alone.
    let mut world = World::enrolled(2);
    let mut estate = Estate::new();
    let charter = std::mem::take(&mut estate.boundary.charter);
    estate.boundary.charter.platform.clone_from(&charter.platform);
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    let denial = world.attest("invoicer").unwrap_err();
    assert_eq!(denial.code, Code::Unchartered);
    let wanted =
        ["business", "identity", "security"].map(|section| format!("the {section} section of the charter of boundary `prod`"));
    assert_eq!(denial.missing, wanted);
    let wanted = [("bob", "business"), ("carol", "identity"), ("erin", "security")];
    assert_eq!(denial.who_can, wanted.map(|(handle, role)| format!("{} ({role} owner)", party(handle))));
    estate.boundary.charter = charter;
    let change = world.apply("alice", vec![Item::Boundary(Box::new(estate.boundary))]);
    for handle in ["bob", "carol"] {
        world.sign(handle, change).unwrap();
        assert_eq!(world.attest("invoicer").unwrap_err().code, Code::Unchartered);
    }
    world.sign("erin", change).unwrap();
    world.attest("invoicer").unwrap();
}

/// R66, R67, R68, R69: a role's section needs that role's signature, given in that role.
#[test]
fn a_section_is_signed_in_its_role() {
    let mut world = World::staffed(1);
    let mut boundary = Estate::new().boundary;
    boundary.charter.identity.as_mut().unwrap().ttl_max = writ_types::Ttl::from_seconds(1_800);
    let change = world.apply("alice", vec![Item::Boundary(Box::new(boundary))]);
    let ttl = |world: &World| world.state().boundaries().identity(&name("prod")).unwrap().ttl_max.seconds();
    world.sign("bob", change).unwrap();
    world.sign("erin", change).unwrap();
    world.sign_as("carol", change, &[OwnerRole::Platform]).unwrap();
    assert_eq!(ttl(&world), 3_600);
    world.sign_as("carol", change, &[OwnerRole::Identity]).unwrap();
    assert_eq!(ttl(&world), 1_800);
}

/// R63, R66, R71: a new tool voids the business section and leaves the other signatures as they are.
#[test]
fn changing_a_tool_asks_the_business_owner_alone() {
    let mut world = World::staffed(1);
    let mut boundary = Estate::new().boundary;
    boundary.charter.business.as_mut().unwrap().tools.push(name("ledger-db"));
    let before = world.state().boundaries().get(&name("prod")).unwrap().clone();
    let change = world.apply("dave", vec![Item::Boundary(Box::new(boundary))]);
    assert_eq!(world.state().boundaries().get(&name("prod")).unwrap(), &before);
    let Answer::Change { complete, in_force, .. } = world.sign("bob", change).unwrap() else { panic!() };
    assert!(complete);
    assert_eq!(in_force, ["business section of boundary `prod`"]);
    let after = world.state().boundaries().get(&name("prod")).unwrap();
    for section in Section::ALL {
        let same = before.charter[section] == after.charter[section];
        assert_eq!(same, *section != Section::Business, "{section}");
    }
    let kinds = world.disk.leaves().iter().filter(|leaf| String::from_utf8_lossy(leaf).contains("charter.voided")).count();
    assert_eq!(kinds, 1);
}

/// R8: security alone, or one person for everything, answers for nothing.
#[test]
fn one_person_in_every_role_is_refused() {
    let mut world = World::enrolled(1);
    let mut estate = Estate::new();
    estate.boundary.production = false;
    estate.boundary.backups.clear();
    estate.boundary.owners = OwnerRole::ALL.iter().map(|role| (*role, party("erin"))).collect();
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "erin"] {
        world.sign(handle, change).unwrap();
    }
    let denial = world.attest("invoicer").unwrap_err();
    assert_eq!((denial.code, denial.missing.len()), (Code::OwnerMissing, 1));
    assert!(denial.missing[0].contains("second person"), "{denial:?}");
}

/// R11, R22: only a named person holds a role: no team, no system, no agent.
#[test]
fn a_team_holds_no_role() {
    let mut world = World::enrolled(1);
    for change in [
        (|estate: &mut Estate| estate.boundary.owners.insert(OwnerRole::Control, estate.team.party))
            as fn(&mut Estate) -> Option<PartyId>,
        |estate| estate.boundary.backups.insert(OwnerRole::Identity, estate.team.party),
        |estate| estate.boundary.duties.insert(Duty::Issuance, estate.team.party),
        |estate| estate.boundary.owners.insert(OwnerRole::Control, PartyId::from_bits([9; 16])),
    ] {
        let mut estate = Estate::new();
        change(&mut estate);
        let file = world.change("alice", estate.items());
        let denial = world.ask(Command::FileChange(Box::new(file))).unwrap_err();
        assert!(denial.code == Code::Invalid && denial.missing[0].contains("is a person"), "{denial:?}");
    }
}

/// R16, R17: a boundary inherits its owners, an override counts below, and the backup takes over.
#[test]
fn owners_are_inherited_overridden_and_backed_up() {
    let mut world = World::staffed(1);
    let mut below = Estate::new().boundary;
    (below.name, below.parent, below.delegators) = (name("prod-risky"), name("prod"), None);
    below.owners = [(OwnerRole::Control, party("frank"))].into();
    below.backups = [(OwnerRole::Control, party("gina"))].into();
    below.charter = Default::default();
    let change = world.apply("alice", vec![Item::Boundary(Box::new(below))]);
    for handle in ["frank", "gina", "erin"] {
        world.sign(handle, change).unwrap();
    }
    let holder = |world: &World, role| {
        let state = world.state();
        let holder = state.boundaries().holder(state.people(), &name("prod-risky"), role).unwrap();
        (holder.person, holder.from.to_string(), holder.backup)
    };
    assert_eq!(holder(&world, OwnerRole::Control), (party("frank"), "prod-risky".to_owned(), false));
    assert_eq!(holder(&world, OwnerRole::Business), (party("bob"), "prod".to_owned(), false));
    let change = world.apply("alice", vec![Item::PartyState(PartyState { party: party("frank"), disabled: true })]);
    world.sign("bob", change).unwrap();
    assert_eq!(holder(&world, OwnerRole::Control), (party("gina"), "prod-risky".to_owned(), true));
    let duty = world.state().boundaries().duty(world.state().people(), &name("prod-risky"), Duty::Enforcement).unwrap();
    assert_eq!(duty.person, party("gina"));
}

/// R18, R25: in production a role without a backup is missing.
#[test]
fn production_wants_a_backup_for_each_role() {
    let mut world = World::enrolled(1);
    let mut estate = Estate::new();
    estate.boundary.backups.remove(&OwnerRole::Identity);
    let change = world.apply("alice", estate.items());
    for handle in ["bob", "carol", "dave", "erin", "frank"] {
        world.sign(handle, change).unwrap();
    }
    let denial = world.attest("invoicer").unwrap_err();
    assert_eq!(denial.missing, ["a backup of the identity owner of boundary `prod`"]);
}

/// R46, R47: selectors outside the charter's bounds need the platform owner; inside them its filer answers.
#[test]
fn selectors_outside_the_charter_need_the_platform_owner() {
    let mut world = World::staffed(1);
    let Some(Item::Identity(item)) = Estate::new().items().pop() else { panic!() };
    let with = |selector: &str| IdentityItem { selectors: vec![selector.to_owned()], ..item.clone() };
    let selectors = |world: &World| world.state().identities().get(&item.identity).unwrap().selectors.clone();
    world.apply("carol", vec![Item::Identity(with("unix:uid:1500"))]);
    assert!(selectors(&world).contains("unix:uid:1500"));
    let change = world.apply("carol", vec![Item::Identity(with("unix:uid:0"))]);
    assert!(selectors(&world).contains("unix:uid:1500"));
    world.sign("dave", change).unwrap();
    assert!(selectors(&world).contains("unix:uid:0"));
    // Nobody who answers there has signed.
    world.apply("gina", vec![Item::Identity(with("unix:uid:1501"))]);
    assert!(!selectors(&world).contains("unix:uid:1501"));
}

/// R45, R46: what attestation does not show is not believed.
#[test]
fn a_document_needs_every_selector() {
    let mut world = World::staffed(1);
    let csr = Cast::get().agent("invoicer").csr.clone();
    let denial = world.attest_as("invoicer", &["unix:uid:1002", "unix:gid:1001"], csr.clone()).unwrap_err();
    assert_eq!(denial.code, Code::Unauthenticated);
    world.attest_as("invoicer", &["unix:gid:7", "unix:uid:1001"], csr).unwrap();
    let leaves = world.outside.certificates.len();
    assert_eq!(leaves, 1);
}

/// R20: a change set is signed by who it says, over what it says, once.
#[test]
fn a_change_set_with_a_foreign_or_used_signature_is_refused() {
    let mut world = World::staffed(1);
    let mut estate = Estate::new();
    estate.boundary.grace = writ_types::Ttl::from_seconds(60);
    let file = world.change("alice", estate.items());
    let stolen = FileChange { content: file.content.clone(), act: world.act("mallory", ActKind::Change, "x", &file.content) };
    assert_eq!(world.ask(Command::FileChange(Box::new(stolen))).unwrap_err().code, Code::BadSignature);
    let mut swapped = file.clone();
    swapped.content.items.pop();
    assert_eq!(world.ask(Command::FileChange(Box::new(swapped))).unwrap_err().code, Code::BadSignature);
    let mut other = file.clone();
    other.content.filer = party("bob");
    assert_eq!(world.ask(Command::FileChange(Box::new(other))).unwrap_err().code, Code::BadSignature);
    world.ask(Command::FileChange(Box::new(file.clone()))).unwrap();
    assert_eq!(world.ask(Command::FileChange(Box::new(file))).unwrap_err().code, Code::Stale);
}

/// R16, R46, R63: who holds a boundary of their own takes nothing out of another: it needs those who answer where it is.
#[test]
fn nothing_is_taken_out_of_a_boundary_without_those_who_answer_there() {
    let mut world = World::staffed(1);
    let estate = Estate::new();
    let of = |handle: &str, roles: &[OwnerRole]| roles.iter().map(|role| (*role, party(handle))).collect::<Vec<_>>();
    let mut lab = estate.boundary.clone();
    (lab.name, lab.production, lab.delegators) = (name("lab"), false, None);
    lab.owners = of("gina", OwnerRole::ALL).into_iter().collect();
    lab.owners.extend(of("frank", &[OwnerRole::Platform, OwnerRole::Security]));
    lab.backups.clear();
    let change = world.apply("alice", vec![Item::Boundary(Box::new(lab.clone()))]);
    world.sign("gina", change).unwrap();
    world.sign("frank", change).unwrap();
    assert!(world.state().boundaries().chartered(world.state().people(), &name("lab")).is_ok());

    let mut taken = lab;
    (taken.name, taken.parent) = (name("prod"), name("lab"));
    let mut moved = estate.resource.clone();
    moved.boundary = name("lab");
    let mut shadow = moved.clone();
    (shadow.resource, shadow.name) = (writ_types::ResourceId::from_bits([5; 16]), name("shadow-db"));
    shadow.postgres.address = shadow.postgres.address.to_uppercase();
    let Some(Item::Identity(invoicer)) = estate.items().pop() else { panic!() };
    let retired = IdentityItem { boundary: name("lab"), retired: true, ..invoicer.clone() };
    let invoicer = IdentityItem { boundary: name("lab"), ..invoicer };
    let before = world.state().clone();
    for item in [Item::Boundary(Box::new(taken)), Item::Resource(Box::new(moved)), Item::Resource(Box::new(shadow))] {
        let change = world.apply("gina", vec![item]);
        world.sign("frank", change).unwrap();
    }
    world.apply("gina", vec![Item::Identity(retired)]);
    let change = world.apply("gina", vec![Item::Identity(invoicer.clone())]);
    let state = world.state();
    assert_eq!(state.boundaries(), before.boundaries());
    assert_eq!(state.resources(), before.resources());
    assert_eq!(state.identities().get(&invoicer.identity), before.identities().get(&invoicer.identity));
    // One of those who answer where it is lets it go.
    world.sign("carol", change).unwrap();
    assert_eq!(world.state().identities().get(&invoicer.identity).unwrap().boundary, name("lab"));
}

/// R15, R25: that a boundary is production no longer, its security owner signs too.
#[test]
fn leaving_production_asks_the_security_owner() {
    let mut world = World::staffed(1);
    let mut boundary = Estate::new().boundary;
    boundary.production = false;
    let change = world.apply("alice", vec![Item::Boundary(Box::new(boundary))]);
    assert!(world.state().boundaries().is_production(&name("prod")));
    world.sign("erin", change).unwrap();
    assert!(!world.state().boundaries().is_production(&name("prod")));
}

/// R17: two change sets that were filed side by side can't make a circle of boundaries, or share a name.
#[test]
fn what_two_change_sets_would_break_together_comes_into_force_once() {
    let mut world = World::staffed(1);
    let Some(Item::Identity(item)) = Estate::new().items().pop() else { panic!() };
    let mut twin = |bits: u8| {
        let mut twin = item.clone();
        twin.identity = writ_types::IdentityId::from_bits([bits; 16]);
        twin.name = name("twin");
        twin.spiffe_id = writ_types::SpiffeId::parse("spiffe://prod.example/prod/twin").unwrap();
        twin.selectors = vec![format!("unix:uid:{}", 3_000 + u32::from(bits))];
        world.apply("carol", vec![Item::Identity(twin)])
    };
    let (first, second) = (twin(1), twin(2));
    world.sign("dave", first).unwrap();
    world.sign("dave", second).unwrap();
    let named = world.state().identities().named(&name("twin"));
    assert_eq!(named, Some(writ_types::IdentityId::from_bits([1; 16])));
    assert_eq!(world.state().identities().iter().filter(|(_, it)| it.name == name("twin")).count(), 1);
}
