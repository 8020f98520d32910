//! What is refused when it is filed, before anybody signs it.

use writ_ledger::body::{BoundaryItem, IdentityItem, Item, ResourceItem};
use writ_plane::Command;
use writ_sim::{Cast, Estate, World};
use writ_types::{Address, Code, IdentityId, Name, OwnerRole, PartyId, SpiffeId, SqlName, TextValue as _, Ttl};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn party(handle: &str) -> PartyId {
    Cast::get().person(handle).party
}

/// What is said against these items.
fn refused(world: &mut World, items: Vec<Item>) -> Vec<String> {
    let file = world.change("alice", items);
    let before = world.state().size();
    let denial = world.ask(Command::FileChange(Box::new(file))).unwrap_err();
    assert_eq!((denial.code, world.state().size()), (Code::Invalid, before), "{denial:?}");
    denial.missing
}

fn says(problems: &[String], what: &str) {
    assert!(problems.iter().any(|problem| problem.contains(what)), "{what}: {problems:?}");
}

/// R67, R69: what nothing knows is not signed: a policy set, a word for exceptions, a misuse action, a grace of years.
#[test]
fn words_that_mean_nothing_are_not_filed() {
    type Spoil = fn(&mut BoundaryItem);
    let rows: [(Spoil, &str); 4] = [
        (
            |it| it.charter.security.as_mut().unwrap().policy = "mine".to_owned(),
            "the policy set `mine` of boundary `prod` is unknown: there is `base`",
        ),
        (
            |it| it.charter.security.as_mut().unwrap().exceptions = "all".to_owned(),
            "the word for exceptions `all` of boundary `prod`",
        ),
        (|it| it.charter.identity.as_mut().unwrap().misuse = "shrug".to_owned(), "the misuse action `shrug` of boundary `prod`"),
        (|it| it.grace = Ttl::from_seconds(31 * 86_400), "the grace of boundary `prod` is 31d, and at most 30d"),
    ];
    let mut world = World::enrolled(1);
    for (spoil, what) in rows {
        let mut estate = Estate::new();
        spoil(&mut estate.boundary);
        says(&refused(&mut world, estate.items()), what);
    }
}

/// R63: a resource is reached by TLS or not over a network, and gives nobody PostgreSQL's own groups or the connector's.
#[test]
fn a_resource_that_could_not_be_reached_safely_is_not_filed() {
    type Spoil = fn(&mut ResourceItem);
    let rows: [(Spoil, &str); 6] = [
        (|it| it.postgres.ca = None, "`db.internal:5432` of resource `billing-db` is on another machine"),
        (|it| it.postgres.ca = Some("none".to_owned()), "the `ca` of resource `billing-db`"),
        (
            |it| {
                (it.postgres.ca, it.postgres.address) = (None, Address::parse("127.0.0.1:5432").unwrap());
                it.postgres.replicas = vec![Address::parse("standby:5432").unwrap()];
            },
            "`standby:5432` of resource `billing-db` is on another machine",
        ),
        (|it| group(it, "pg_execute_server_program"), "group `pg_execute_server_program` of resource `billing-db`"),
        (|it| group(it, "writ_owner"), "group `writ_owner` of resource `billing-db`"),
        (|it| it.postgres.scram_iterations = 0, "the SCRAM iterations of resource `billing-db`"),
    ];
    let mut world = World::enrolled(1);
    for (spoil, what) in rows {
        let mut estate = Estate::new();
        spoil(&mut estate.resource);
        says(&refused(&mut world, estate.items()), what);
    }
    let mut local = Estate::new();
    (local.resource.postgres.ca, local.resource.postgres.address) = (None, Address::parse("[::1]:5432").unwrap());
    world.apply("alice", local.items());
}

fn group(item: &mut ResourceItem, name: &str) {
    item.postgres.actions.get_mut(&self::name("read")).unwrap().push(SqlName::parse(name).unwrap());
}

fn twin(bits: u8, selectors: &[&str]) -> IdentityItem {
    let text = format!("twin-{bits}");
    IdentityItem {
        identity: IdentityId::from_bits([bits; 16]),
        name: name(&text),
        spiffe_id: SpiffeId::parse(&format!("spiffe://prod.example/prod/{text}")).unwrap(),
        selectors: selectors.iter().map(ToString::to_string).collect(),
        ..Estate::identity("judge")
    }
}

/// R45, R46: in production each identity has a user of its own: processes of one user can act for each other.
#[test]
fn identities_that_one_process_could_be_taken_for_are_refused_and_named() {
    let mut world = World::staffed(1);
    for selectors in [
        &["unix:uid:1001"][..],
        &["unix:uid:1001", "unix:path:/opt/other"],
        &["unix:path:/opt/other"],
        &["unix:gid:7", "unix:uid:1001"],
    ] {
        let problems = refused(&mut world, vec![Item::Identity(twin(1, selectors))]);
        says(&problems, "identities `twin-1` and `");
        says(&problems, "can't be told apart");
    }
    says(&refused(&mut world, vec![Item::Identity(twin(1, &["unix:uid:1001"]))]), "`invoicer`");
    // Within one change set too, and not when the other one goes.
    let two = [twin(1, &["unix:uid:1500"]), twin(2, &["unix:uid:1500", "unix:gid:7"])];
    says(&refused(&mut world, two.map(Item::Identity).to_vec()), "identities `twin-1` and `twin-2`");
    let gone = IdentityItem { retired: true, ..Estate::identity("judge") };
    world.apply("alice", vec![Item::Identity(gone), Item::Identity(twin(1, &["unix:uid:1003"]))]);
}

/// R45, R46: two change sets side by side make no twins, and neither does a boundary that becomes production.
#[test]
fn twins_do_not_come_into_force_by_a_side_way() {
    let mut world = World::staffed(1);
    let (first, second) = (twin(1, &["unix:uid:3000"]), twin(2, &["unix:uid:3000"]));
    let changes = [first.clone(), second.clone()].map(|item| world.apply("carol", vec![Item::Identity(item)]));
    for change in changes {
        world.sign("dave", change).unwrap();
    }
    let known = |world: &World, item: &IdentityItem| world.state().identities().get(&item.identity).is_some();
    assert!(known(&world, &first) && !known(&world, &second));

    let mut lab = Estate::new().boundary;
    (lab.name, lab.production, lab.delegators, lab.backups) = (name("lab"), false, None, Default::default());
    lab.owners = [(OwnerRole::Control, "alice"), (OwnerRole::Platform, "gina"), (OwnerRole::Security, "frank")]
        .map(|(role, handle)| (role, party(handle)))
        .into();
    let change = world.apply("alice", vec![Item::Boundary(Box::new(lab.clone()))]);
    for handle in ["bob", "gina", "frank"] {
        world.sign(handle, change).unwrap();
    }
    let lab_twins = [3, 4].map(|bits| IdentityItem { boundary: name("lab"), ..twin(bits, &["unix:uid:1900"]) });
    world.apply("alice", lab_twins.clone().map(Item::Identity).to_vec());
    assert!(lab_twins.iter().all(|item| known(&world, item)), "outside production that is allowed");
    lab.production = true;
    says(&refused(&mut world, vec![Item::Boundary(Box::new(lab))]), "identities `twin-3` and `twin-4`");
}

/// R17: boundaries that would lie below each other are refused, also where the circle goes through the change set itself.
#[test]
fn boundaries_make_no_circle_and_no_abyss() {
    let mut world = World::staffed(1);
    let below = |text: &str, parent: &str| {
        let mut item = Estate::new().boundary;
        (item.name, item.parent) = (name(text), name(parent));
        Item::Boundary(Box::new(item))
    };
    says(&refused(&mut world, vec![below("a", "b"), below("b", "a")]), "boundary `a` would lie below itself");
    let deep: Vec<Item> =
        (1..20).map(|n| below(&format!("d{n}"), &if n == 1 { "prod".to_owned() } else { format!("d{}", n - 1) })).collect();
    says(&refused(&mut world, deep), "or deeper than 16");
}
