//! The estate that most worlds hold: production with five owners, a charter, a database and three identities.

use crate::Cast;
use std::collections::BTreeMap;
use writ_ledger::body::{
    BoundaryItem, BusinessTerms, Charter, IdentityItem, IdentityTerms, Item, KeyItem, PartyItem, PartyType, PlatformTerms,
    PostgresTerms, ResourceItem, SecurityTerms,
};
use writ_types::{
    ActorKind, CredentialKind, Name, OwnerRole, PartyId, Purpose, ResourceId, SpiffeId, SqlName, TextValue as _, Tier, Trigger,
    Ttl,
};

/// Items of change sets, as `writ apply` would file them.
#[derive(Debug, Clone)]
pub struct Estate {
    /// The boundary.
    pub boundary: BoundaryItem,
    /// The database.
    pub resource: ResourceItem,
    /// The team whose members may delegate.
    pub team: PartyItem,
}

/// A name.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn sql(text: &str) -> SqlName {
    SqlName::parse(text).unwrap()
}

fn id(handle: &str) -> PartyId {
    Cast::get().person(handle).party
}

const TEAM: PartyId = PartyId::from_bits([0x7e; 16]);
const DATABASE: ResourceId = ResourceId::from_bits([0xdb; 16]);

impl Estate {
    /// As the specification's example has it.
    pub fn new() -> Self {
        Self { boundary: boundary(), resource: resource(), team: team() }
    }

    /// Everybody but the founders, with their keys.
    pub fn people() -> Vec<Item> {
        let cast = Cast::get();
        let enrolled = cast.people().filter(|(handle, _)| !["alice", "bob", "mallory"].contains(handle));
        let mut items = Vec::new();
        for (_, person) in enrolled {
            let party = PartyItem { party: person.party, kind: PartyType::Person, name: person.name.name(), members: Vec::new() };
            items.push(Item::Party(party));
            items.push(Item::Key(KeyItem { party: person.party, key: person.key.to_string(), remove: false }));
        }
        items
    }

    /// Team, boundary, database and identities.
    pub fn items(&self) -> Vec<Item> {
        let mut items = vec![
            Item::Party(self.team.clone()),
            Item::Boundary(Box::new(self.boundary.clone())),
            Item::Resource(Box::new(self.resource.clone())),
        ];
        items.extend(Cast::get().agents().iter().map(|agent| Item::Identity(identity(agent.name))));
        items
    }
}

impl Default for Estate {
    fn default() -> Self {
        Self::new()
    }
}

fn team() -> PartyItem {
    let members = ["alice", "bob", "frank", "gina"].map(id).to_vec();
    PartyItem { party: TEAM, kind: PartyType::Team, name: Cast::get().person("alice").name.name(), members }
}

fn boundary() -> BoundaryItem {
    let owners = [
        (OwnerRole::Control, id("alice")),
        (OwnerRole::Business, id("bob")),
        (OwnerRole::Identity, id("carol")),
        (OwnerRole::Platform, id("dave")),
        (OwnerRole::Security, id("erin")),
    ];
    let backups = [
        (OwnerRole::Control, id("frank")),
        (OwnerRole::Business, id("alice")),
        (OwnerRole::Identity, id("dave")),
        (OwnerRole::Platform, id("carol")),
        (OwnerRole::Security, id("frank")),
    ];
    BoundaryItem {
        name: name("prod"),
        parent: name("root"),
        production: true,
        delegators: Some(TEAM),
        owners: owners.into(),
        backups: backups.into(),
        duties: BTreeMap::new(),
        grace: Ttl::from_seconds(72 * 3_600),
        charter: charter(),
    }
}

fn charter() -> Charter {
    let evaluator = Cast::get().agent("judge").identity.to_string();
    let triggers =
        BTreeMap::from([(Trigger::ScopeExceeded, vec!["system/writ".to_owned()]), (Trigger::EvaluationFailed, vec![evaluator])]);
    Charter {
        business: Some(BusinessTerms {
            purposes: vec![Purpose::parse("close invoices").unwrap()],
            data_scope: vec![name("billing")],
            tools: vec![name("billing-db")],
        }),
        identity: Some(IdentityTerms {
            kinds: vec![CredentialKind::X509Svid, CredentialKind::PostgresUser],
            ttl_max: Ttl::from_seconds(3_600),
            rotation: Ttl::from_seconds(1_800),
            triggers,
            misuse: "kill-task".to_owned(),
        }),
        platform: Some(PlatformTerms {
            storage: "memory".to_owned(),
            issuance: "workload-api".to_owned(),
            telemetry: "log".to_owned(),
            selectors: vec!["unix:uid:1000-1999".to_owned()],
        }),
        security: Some(SecurityTerms {
            policy: "base".to_owned(),
            exceptions: "none".to_owned(),
            audit_every: Ttl::from_seconds(90 * 86_400),
        }),
    }
}

fn resource() -> ResourceItem {
    ResourceItem {
        resource: DATABASE,
        name: name("billing-db"),
        boundary: name("prod"),
        tier: Tier::Standard,
        data_class: name("confidential"),
        postgres: PostgresTerms {
            address: "db.internal:5432".to_owned(),
            ca: None,
            databases: vec![sql("billing")],
            replicas: Vec::new(),
            actions: [(name("read"), vec![sql("app_ro")]), (name("write"), vec![sql("app_rw")])].into(),
            scram_iterations: 1,
        },
    }
}

/// The identity of one of the cast's agents.
pub(crate) fn identity(agent: &str) -> IdentityItem {
    let agent = Cast::get().agent(agent);
    IdentityItem {
        identity: agent.identity,
        name: name(agent.name),
        boundary: name("prod"),
        actor_kind: ActorKind::Agent,
        autonomous: false,
        tier: Tier::Standard,
        spiffe_id: SpiffeId::parse(&format!("spiffe://prod.example/prod/{}", agent.name)).unwrap(),
        selectors: vec![agent.selector.to_owned()],
        retired: false,
    }
}
