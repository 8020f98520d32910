//! Nobody takes a boundary over alone: who would answer after a change is compared with who answers now, as resolved.

use writ_ledger::body::{BoundaryItem, Item};
use writ_sim::{Cast, Estate, World};
use writ_types::{ChangeId, Duty, Name, OwnerRole, PartyId, TextValue as _};

fn party(handle: &str) -> PartyId {
    Cast::get().person(handle).party
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Who holds a role in a boundary.
fn holder(world: &World, boundary: &str, role: OwnerRole) -> Option<PartyId> {
    world.state().boundaries().holder(world.state().people(), &name(boundary), role).map(|holder| holder.person)
}

fn apply(world: &mut World, by: &str, boundary: BoundaryItem) -> ChangeId {
    world.apply(by, vec![Item::Boundary(Box::new(boundary))])
}

/// True if all of the change set is in force.
fn is_in_force(world: &World, change: ChangeId) -> bool {
    world.state().changes().get(&change).is_none()
}

/// A boundary below `prod` that names its owners itself where `owners` says so, signed by everybody.
fn below(world: &mut World, text: &str, owners: &[(OwnerRole, &str)]) -> BoundaryItem {
    let mut boundary = Estate::new().boundary;
    (boundary.name, boundary.parent, boundary.delegators, boundary.production) = (name(text), name("prod"), None, false);
    boundary.owners = owners.iter().map(|(role, handle)| (*role, party(handle))).collect();
    (boundary.backups, boundary.charter) = Default::default();
    let change = apply(world, "alice", boundary.clone());
    for handle in ["bob", "carol", "dave", "erin", "frank", "gina"] {
        let _ = world.sign(handle, change);
    }
    assert!(is_in_force(world, change));
    boundary
}

/// R1, R2, R15, R17: lines that are deleted give their roles to who holds them above: each accepts, and the security owner signs.
#[test]
fn deleted_owner_lines_are_answered_by_who_would_hold_the_roles() {
    let mut world = World::staffed(1);
    let mut bare = Estate::new().boundary;
    (bare.owners, bare.backups) = Default::default();
    let change = apply(&mut world, "alice", bare);
    assert!(!is_in_force(&world, change));
    assert_eq!(holder(&world, "prod", OwnerRole::Platform), Some(party("dave")));
    world.sign("bob", change).unwrap();
    assert!(is_in_force(&world, change));
    assert_eq!(holder(&world, "prod", OwnerRole::Platform), Some(party("alice")));

    // The same for the security owner's line alone, and for one that another takes.
    let mut world = World::staffed(1);
    let mut without = Estate::new().boundary;
    without.owners.remove(&OwnerRole::Security);
    let change = apply(&mut world, "alice", without);
    assert!(!is_in_force(&world, change));
    world.sign_as("bob", change, &[OwnerRole::Identity]).unwrap();
    assert!(!is_in_force(&world, change), "it needs the security owner's signature as such");
    world.sign("bob", change).unwrap();
    assert_eq!(holder(&world, "prod", OwnerRole::Security), Some(party("bob")));
    let mut taken = Estate::new().boundary;
    taken.owners.insert(OwnerRole::Business, party("alice"));
    taken.owners.remove(&OwnerRole::Security);
    taken.backups.remove(&OwnerRole::Business);
    let change = apply(&mut world, "alice", taken);
    assert!(!is_in_force(&world, change), "the security owner signs that the scope may open");
    world.sign("bob", change).unwrap();
    assert!(is_in_force(&world, change));
}

/// R1, R15: backups and duties are held too: without them the scope is another, which the security owner signs.
#[test]
fn deleted_backups_and_duties_ask_who_takes_over_and_the_security_owner() {
    let mut world = World::staffed(1);
    let mut with = Estate::new().boundary;
    with.duties.insert(Duty::Issuance, party("gina"));
    let change = apply(&mut world, "alice", with.clone());
    world.sign("gina", change).unwrap();
    assert!(!is_in_force(&world, change));
    world.sign("erin", change).unwrap();
    assert!(is_in_force(&world, change));
    let mut without = with.clone();
    without.backups.remove(&OwnerRole::Platform);
    let change = apply(&mut world, "alice", without);
    assert!(!is_in_force(&world, change));
    world.sign("erin", change).unwrap();
    assert!(is_in_force(&world, change));
    // The duty falls back to the platform owner, who accepts it.
    with.backups.remove(&OwnerRole::Platform);
    with.duties.clear();
    let change = apply(&mut world, "alice", with);
    world.sign("erin", change).unwrap();
    assert!(!is_in_force(&world, change));
    world.sign("dave", change).unwrap();
    assert!(is_in_force(&world, change));
}

/// R1, R15, R17: what lies below and inherits changes hands too: it is asked of its own security owner.
#[test]
fn a_boundary_below_that_inherits_is_asked_too() {
    let mut world = World::staffed(1);
    below(&mut world, "prod-risky", &[(OwnerRole::Security, "gina")]);
    let mut changed = Estate::new().boundary;
    changed.owners.insert(OwnerRole::Business, party("frank"));
    let change = apply(&mut world, "alice", changed);
    for handle in ["frank", "erin"] {
        assert!(!is_in_force(&world, change));
        world.sign(handle, change).unwrap();
    }
    assert!(!is_in_force(&world, change), "the security owner below has not signed");
    world.sign("gina", change).unwrap();
    assert_eq!(holder(&world, "prod-risky", OwnerRole::Business), Some(party("frank")));
}

/// R15, R17: a boundary that is moved inherits from others: each of them accepts, as for a line that is written.
#[test]
fn a_move_is_answered_by_those_whom_it_makes_holders() {
    let mut world = World::staffed(1);
    let lab = below(&mut world, "lab", &[(OwnerRole::Control, "gina"), (OwnerRole::Platform, "gina")]);
    let inner = below(&mut world, "inner", &[(OwnerRole::Security, "frank")]);
    assert_eq!(holder(&world, "inner", OwnerRole::Platform), Some(party("dave")));
    let moved = BoundaryItem { parent: lab.name, ..inner };
    // Gina controls the new place and would hold the platform there; Alice controls the old one.
    let change = apply(&mut world, "gina", moved);
    world.sign("alice", change).unwrap();
    assert!(!is_in_force(&world, change));
    world.sign("frank", change).unwrap();
    assert!(is_in_force(&world, change));
    assert_eq!(holder(&world, "inner", OwnerRole::Platform), Some(party("gina")));
}

/// R15: that a boundary below is production no longer is signed by its own security owner.
#[test]
fn what_leaves_production_with_the_boundary_above_it_asks_its_own_security_owner() {
    let mut world = World::staffed(1);
    below(&mut world, "inner", &[(OwnerRole::Security, "gina")]);
    let mut boundary = Estate::new().boundary;
    boundary.production = false;
    let change = apply(&mut world, "alice", boundary);
    world.sign("erin", change).unwrap();
    assert!(world.state().boundaries().is_production(&name("inner")));
    world.sign("gina", change).unwrap();
    assert!(!world.state().boundaries().is_production(&name("inner")));
}

/// R15, R26: also where one person controls and secures what is above, a role is not taken from another by that person alone.
#[test]
fn who_holds_control_and_security_above_takes_no_role_from_another_alone() {
    let mut world = World::staffed(1);
    let alone = [OwnerRole::Control, OwnerRole::Security].map(|role| (role, "gina"));
    let middle = below(&mut world, "middle", &alone);
    let leaf = below(&mut world, "leaf", &[(OwnerRole::Control, "carol"), (OwnerRole::Security, "frank")]);
    let leaf = BoundaryItem { parent: middle.name, ..leaf };
    let change = apply(&mut world, "gina", leaf.clone());
    for handle in ["alice", "frank"] {
        world.sign(handle, change).unwrap();
    }
    assert!(is_in_force(&world, change));
    let taken = BoundaryItem { owners: Default::default(), ..leaf };
    let change = apply(&mut world, "gina", taken);
    assert!(!is_in_force(&world, change));
    world.sign("carol", change).unwrap();
    assert!(is_in_force(&world, change));
    assert_eq!(holder(&world, "leaf", OwnerRole::Security), Some(party("gina")));
}

/// R66, R68: a move under another charter is signed by who answers there for each section that it changes.
#[test]
fn a_move_under_another_charter_is_signed_section_by_section() {
    let mut world = World::staffed(1);
    let inner = below(&mut world, "inner", &[(OwnerRole::Platform, "carol")]);
    let mut lab = below(&mut world, "lab", &[(OwnerRole::Platform, "gina")]);
    lab.charter.platform = Estate::new().boundary.charter.platform;
    lab.charter.platform.as_mut().unwrap().selectors = vec!["unix:uid:0-9999".to_owned()];
    let change = apply(&mut world, "gina", lab.clone());
    assert!(is_in_force(&world, change));
    let change = apply(&mut world, "alice", BoundaryItem { parent: lab.name, ..inner });
    world.sign("erin", change).unwrap();
    assert!(!is_in_force(&world, change));
    world.sign("carol", change).unwrap();
    assert!(is_in_force(&world, change));
}
