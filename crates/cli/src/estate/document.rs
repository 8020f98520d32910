//! What each kind of document holds.

use super::fields::{At, Fields, boolean, by_name, by_word, line, list, number, text, value, values, word};
use super::nearest::suggestion;
use super::problem::{Problems, Spot};
use super::yaml::{Node, Value, shown};
use std::collections::BTreeMap;
use std::path::Path;
use writ_ledger::body::{BusinessTerms, PartyType, PlatformTerms, PostgresTerms, SecurityTerms};
use writ_types::{
    ActorKind, CredentialKind, Duty, Handle, Name, OwnerRole, Purpose, Selector, SelectorPattern, SqlName, Tier, Trigger, Ttl,
};

/// Longer certificate files are not taken.
const CA_BYTES_MAX: u64 = 16 * 1024;

/// One document, with names as they are written.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    Party(PartyDocument),
    Boundary(Box<BoundaryDocument>),
    Identity(IdentityDocument),
    Resource(ResourceDocument),
}

/// `kind: Party`.
#[derive(Debug, Clone)]
pub(crate) struct PartyDocument {
    pub(crate) name: At<Handle>,
    pub(crate) kind: PartyType,
    pub(crate) display_name: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) members: Vec<At<Handle>>,
}

/// `kind: Boundary`.
#[derive(Debug, Clone)]
pub(crate) struct BoundaryDocument {
    pub(crate) name: At<Name>,
    pub(crate) parent: Option<At<Name>>,
    pub(crate) production: bool,
    pub(crate) delegators: Option<At<Handle>>,
    pub(crate) owners: BTreeMap<OwnerRole, At<Handle>>,
    pub(crate) backups: BTreeMap<OwnerRole, At<Handle>>,
    pub(crate) duties: BTreeMap<Duty, At<Handle>>,
    pub(crate) grace: Ttl,
    pub(crate) business: Option<BusinessTerms>,
    pub(crate) identity: Option<IdentityDocumentTerms>,
    pub(crate) platform: Option<PlatformTerms>,
    pub(crate) security: Option<SecurityTerms>,
}

/// The identity section, with senders as they are written.
#[derive(Debug, Clone)]
pub(crate) struct IdentityDocumentTerms {
    pub(crate) kinds: Vec<CredentialKind>,
    pub(crate) ttl_max: Ttl,
    pub(crate) rotation: Ttl,
    pub(crate) triggers: BTreeMap<Trigger, Vec<At<Sender>>>,
    pub(crate) misuse: String,
}

/// Who may signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The server.
    Writ,
    /// A system, `system/evals`.
    System(Handle),
    /// A person, by handle.
    Person(Handle),
}

/// `kind: Identity`.
#[derive(Debug, Clone)]
pub(crate) struct IdentityDocument {
    pub(crate) name: At<Name>,
    pub(crate) boundary: At<Name>,
    pub(crate) actor_kind: ActorKind,
    pub(crate) autonomous: bool,
    pub(crate) tier: Tier,
    pub(crate) spiffe_path: At<String>,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) retired: bool,
}

/// `kind: Resource`.
#[derive(Debug, Clone)]
pub(crate) struct ResourceDocument {
    pub(crate) name: At<Name>,
    pub(crate) boundary: At<Name>,
    pub(crate) tier: Tier,
    pub(crate) data_class: Name,
    pub(crate) postgres: PostgresTerms,
}

impl Document {
    /// Its kind and its name, for messages.
    pub(crate) fn title(&self) -> (&'static str, &str, &Spot) {
        match self {
            Self::Party(it) => ("party", it.name.value.as_str(), &it.name.spot),
            Self::Boundary(it) => ("boundary", it.name.value.as_str(), &it.name.spot),
            Self::Identity(it) => ("identity", it.name.value.as_str(), &it.name.spot),
            Self::Resource(it) => ("resource", it.name.value.as_str(), &it.name.spot),
        }
    }
}

/// The document in a node. Files that it names lie `beside` it.
pub(crate) fn read(node: &Node, beside: Option<&Path>, problems: &mut Problems) -> Option<Document> {
    let empty = |value: &Value| matches!(value, Value::Scalar { text, plain: true } if text.is_empty() || text == "~");
    if empty(&node.value) {
        return None;
    }
    let mut fields = Fields::of(node, "a document", problems)?;
    let kind = fields.must("kind", problems);
    let metadata = fields.must("metadata", problems);
    let spec = fields.must("spec", problems);
    fields.finish(problems);
    let kind = text(kind?, "the kind", problems)?;
    let (metadata, spec) = (metadata?, spec?);
    match kind {
        "Party" => party(metadata, spec, problems).map(Document::Party),
        "Boundary" => boundary(metadata, spec, problems).map(|document| Document::Boundary(Box::new(document))),
        "Identity" => identity(metadata, spec, problems).map(Document::Identity),
        "Resource" => resource(metadata, spec, beside, problems).map(Document::Resource),
        other => {
            let what = format!("`{}` is not a kind of document", shown(other));
            problems.say(&node.spot, what, suggestion(other, ["Party", "Boundary", "Identity", "Resource"]));
            None
        }
    }
}

fn party(metadata: &Node, spec: &Node, problems: &mut Problems) -> Option<PartyDocument> {
    let mut fields = Fields::of(metadata, "the metadata of a party", problems)?;
    let name = fields.must("name", problems).and_then(|node| value(node, "the name", problems));
    fields.finish(problems);
    let mut fields = Fields::of(spec, "the spec of a party", problems)?;
    let kind = fields.must("type", problems).and_then(|node| party_type(node, problems));
    let display_name = fields.may("displayName").and_then(|node| line(node, "the display name", problems));
    let mail = fields.may("mail").and_then(|node| line(node, "the mail address", problems));
    let members = fields.may("members");
    fields.finish(problems);
    let members = members.map(|node| {
        let members = list(node, "the members", problems);
        members.iter().filter_map(|member| value(member, "a member", problems)).collect()
    });
    Some(PartyDocument { name: name?, kind: kind?, display_name, mail, members: members.unwrap_or_default() })
}

fn party_type(node: &Node, problems: &mut Problems) -> Option<PartyType> {
    match text(node, "the type", problems)? {
        "person" => Some(PartyType::Person),
        "team" => Some(PartyType::Team),
        "system" => Some(PartyType::System),
        other => {
            let what = format!("the type `{}` is not a type of party", shown(other));
            problems.say(&node.spot, what, suggestion(other, ["person", "team", "system"]));
            None
        }
    }
}

fn boundary(metadata: &Node, spec: &Node, problems: &mut Problems) -> Option<BoundaryDocument> {
    let mut fields = Fields::of(metadata, "the metadata of a boundary", problems)?;
    let name = fields.must("name", problems).and_then(|node| value(node, "the name", problems));
    let parent = fields.may("parent").and_then(|node| value(node, "the parent", problems));
    fields.finish(problems);
    let mut fields = Fields::of(spec, "the spec of a boundary", problems)?;
    let production = fields.may("production").map(|node| boolean(node, "`production`", problems));
    let delegators = fields.may("delegators").and_then(|node| team(node, problems));
    let handle = |node: &Node, problems: &mut Problems| value::<Handle>(node, "a person", problems);
    let owners = fields.may("owners").map(|node| by_word(node, "the owners", OwnerRole::ALL, problems, handle));
    let backups = fields.may("backups").map(|node| by_word(node, "the backups", OwnerRole::ALL, problems, handle));
    let duties = fields.may("duties").map(|node| by_word(node, "the duties", Duty::ALL, problems, handle));
    let grace = fields.may("grace").and_then(|node| grace(node, problems));
    let charter = fields.may("charter");
    fields.finish(problems);
    let mut out = BoundaryDocument {
        name: name?,
        parent,
        production: production.flatten().unwrap_or(false),
        delegators,
        owners: owners.unwrap_or_default(),
        backups: backups.unwrap_or_default(),
        duties: duties.unwrap_or_default(),
        grace: grace.unwrap_or(Ttl::from_seconds(0)),
        business: None,
        identity: None,
        platform: None,
        security: None,
    };
    if let Some(mut fields) = charter.and_then(|node| Fields::of(node, "a charter", problems)) {
        out.business = fields.may("business").and_then(|node| business(node, problems));
        out.identity = fields.may("identity").and_then(|node| identity_terms(node, problems));
        out.platform = fields.may("platform").and_then(|node| platform(node, problems));
        out.security = fields.may("security").and_then(|node| security(node, problems));
        fields.finish(problems);
    }
    Some(out)
}

/// `team/NAME`.
fn team(node: &Node, problems: &mut Problems) -> Option<At<Handle>> {
    let text = text(node, "`delegators`", problems)?;
    let Some(handle) = text.strip_prefix("team/") else {
        problems.say(&node.spot, format!("`delegators` is `{}`, and not a team", shown(text)), "write `team/NAME`");
        return None;
    };
    let named = Node { spot: node.spot.clone(), value: Value::Scalar { text: handle.to_owned(), plain: false } };
    value(&named, "the team", problems)
}

fn grace(node: &Node, problems: &mut Problems) -> Option<Ttl> {
    let mut fields = Fields::of(node, "the grace", problems)?;
    let ttl = fields.must("identityDocuments", problems).and_then(|node| value(node, "`identityDocuments`", problems));
    fields.finish(problems);
    ttl.map(|ttl| ttl.value)
}

fn business(node: &Node, problems: &mut Problems) -> Option<BusinessTerms> {
    let mut fields = Fields::of(node, "the business section", problems)?;
    let purpose = fields.must("purpose", problems);
    let data_scope = fields.may("dataScope").map(|node| values::<Name>(node, "the data scope", problems));
    let tools = fields.may("tools").map(|node| values::<Name>(node, "a tool", problems));
    fields.finish(problems);
    let purposes = match purpose? {
        many @ Node { value: Value::List(_), .. } => values::<Purpose>(many, "the purpose", problems),
        one => value::<Purpose>(one, "the purpose", problems).map(|purpose| purpose.value).into_iter().collect(),
    };
    for purpose in &purposes {
        if let Some(kind) = crate::leak::found(purpose.as_str()) {
            problems.say(&node.spot, format!("a purpose seems to hold {kind}"), "take it out: what is filed stays in the log");
        }
    }
    Some(BusinessTerms { purposes, data_scope: data_scope.unwrap_or_default(), tools: tools.unwrap_or_default() })
}

fn identity_terms(node: &Node, problems: &mut Problems) -> Option<IdentityDocumentTerms> {
    let mut fields = Fields::of(node, "the identity section", problems)?;
    let kinds = fields.must("kinds", problems).map(|node| {
        let kinds = list(node, "`kinds`", problems);
        kinds.iter().filter_map(|kind| word(kind, "a kind", CredentialKind::ALL, problems)).collect()
    });
    let ttl_max = fields.must("ttlMax", problems).and_then(|node| value::<Ttl>(node, "`ttlMax`", problems));
    let rotation = fields.must("rotation", problems).and_then(|node| value::<Ttl>(node, "`rotation`", problems));
    let triggers = fields.may("triggers").map(|node| by_word(node, "the triggers", Trigger::ALL, problems, senders));
    let misuse = fields.may("misuse").and_then(|node| line(node, "`misuse`", problems));
    fields.finish(problems);
    Some(IdentityDocumentTerms {
        kinds: kinds?,
        ttl_max: ttl_max?.value,
        rotation: rotation?.value,
        triggers: triggers.unwrap_or_default(),
        misuse: misuse.unwrap_or_else(|| "kill-task".to_owned()),
    })
}

fn senders(node: &Node, problems: &mut Problems) -> Option<Vec<At<Sender>>> {
    let senders = list(node, "the senders of a trigger", problems);
    Some(senders.iter().filter_map(|sender| self::sender(sender, problems)).collect())
}

fn sender(node: &Node, problems: &mut Problems) -> Option<At<Sender>> {
    let text = text(node, "a sender", problems)?;
    let sender = match text.strip_prefix("system/") {
        _ if text == "writ" || text == "system/writ" => Sender::Writ,
        system => {
            let handle = Value::Scalar { text: system.unwrap_or(text).to_owned(), plain: false };
            let handle = value(&Node { spot: node.spot.clone(), value: handle }, "a sender", problems)?.value;
            if system.is_some() { Sender::System(handle) } else { Sender::Person(handle) }
        }
    };
    Some(At { value: sender, spot: node.spot.clone() })
}

fn platform(node: &Node, problems: &mut Problems) -> Option<PlatformTerms> {
    let mut fields = Fields::of(node, "the platform section", problems)?;
    let storage = fields.must("storage", problems).and_then(|node| line(node, "`storage`", problems));
    let issuance = fields.must("issuance", problems).and_then(|node| line(node, "`issuance`", problems));
    let telemetry = fields.must("telemetry", problems).and_then(|node| line(node, "`telemetry`", problems));
    let selectors = fields.must("selectors", problems).map(|node| values::<SelectorPattern>(node, "a selector", problems));
    fields.finish(problems);
    let selectors = selectors?.iter().map(ToString::to_string).collect();
    Some(PlatformTerms { storage: storage?, issuance: issuance?, telemetry: telemetry?, selectors })
}

fn security(node: &Node, problems: &mut Problems) -> Option<SecurityTerms> {
    let mut fields = Fields::of(node, "the security section", problems)?;
    let policy = fields.must("policy", problems).and_then(|node| line(node, "`policy`", problems));
    let exceptions = fields.must("exceptions", problems).and_then(|node| line(node, "`exceptions`", problems));
    let audit_every = fields.must("auditEvery", problems).and_then(|node| value::<Ttl>(node, "`auditEvery`", problems));
    fields.finish(problems);
    Some(SecurityTerms { policy: policy?, exceptions: exceptions?, audit_every: audit_every?.value })
}

fn named(node: &Node, what: &'static str, problems: &mut Problems) -> Option<(At<Name>, At<Name>)> {
    let mut fields = Fields::of(node, what, problems)?;
    let name = fields.must("name", problems).and_then(|node| value(node, "the name", problems));
    let boundary = fields.must("boundary", problems).and_then(|node| value(node, "the boundary", problems));
    fields.finish(problems);
    Some((name?, boundary?))
}

fn identity(metadata: &Node, spec: &Node, problems: &mut Problems) -> Option<IdentityDocument> {
    let titled = named(metadata, "the metadata of an identity", problems);
    let mut fields = Fields::of(spec, "the spec of an identity", problems)?;
    let kinds = [ActorKind::Workload, ActorKind::Agent];
    let actor_kind = fields.must("actorKind", problems).and_then(|node| word(node, "the actor kind", &kinds, problems));
    let autonomous = fields.may("autonomous").and_then(|node| boolean(node, "`autonomous`", problems));
    let tier = fields.may("tier").map(|node| word(node, "the tier", Tier::ALL, problems));
    let path = fields
        .must("spiffePath", problems)
        .and_then(|node| Some(At { value: text(node, "the SPIFFE path", problems)?.to_owned(), spot: node.spot.clone() }));
    let selectors = fields.must("selectors", problems).map(|node| values::<Selector>(node, "a selector", problems));
    let retired = fields.may("retired").and_then(|node| boolean(node, "`retired`", problems));
    fields.finish(problems);
    let (name, boundary) = titled?;
    Some(IdentityDocument {
        name,
        boundary,
        actor_kind: actor_kind?,
        autonomous: autonomous.unwrap_or(false),
        tier: tier.unwrap_or(Some(Tier::Standard))?,
        spiffe_path: path?,
        selectors: selectors?,
        retired: retired.unwrap_or(false),
    })
}

fn resource(metadata: &Node, spec: &Node, beside: Option<&Path>, problems: &mut Problems) -> Option<ResourceDocument> {
    let titled = named(metadata, "the metadata of a resource", problems);
    let mut fields = Fields::of(spec, "the spec of a resource", problems)?;
    if let Some((node, other)) = fields.must("kind", problems).and_then(|node| Some((node, text(node, "the kind", problems)?)))
        && other != "postgres"
    {
        problems.say(&node.spot, format!("`{}` is not a kind of resource", shown(other)), suggestion(other, ["postgres"]));
    }
    let tier = fields.may("tier").map(|node| word(node, "the tier", Tier::ALL, problems));
    let data_class = fields.must("dataClass", problems).and_then(|node| value::<Name>(node, "the data class", problems));
    let address = fields.must("address", problems).and_then(|node| address(node, problems));
    let ca = fields.may("ca").map(|node| certificates(node, beside, problems));
    let databases = fields.must("databases", problems).map(|node| values::<SqlName>(node, "a database", problems));
    let replicas = fields.may("replicas").map(|node| {
        let replicas = list(node, "the replicas", problems);
        replicas.iter().filter_map(|replica| self::address(replica, problems)).collect()
    });
    let groups = |node: &Node, problems: &mut Problems| values::<SqlName>(node, "a group", problems);
    let actions = fields.must("actions", problems).map(|node| by_name::<Name, _>(node, "the actions", problems, groups));
    let iterations = fields.may("scramIterations").and_then(|node| number(node, "`scramIterations`", problems));
    fields.finish(problems);
    let (name, boundary) = titled?;
    Some(ResourceDocument {
        name,
        boundary,
        tier: tier.unwrap_or(Some(Tier::Standard))?,
        data_class: data_class?.value,
        postgres: PostgresTerms {
            address: address?,
            ca: match ca {
                None => None,
                Some(ca) => Some(ca?),
            },
            databases: databases?,
            replicas: replicas.unwrap_or_default(),
            actions: actions?,
            scram_iterations: iterations.unwrap_or(1),
        },
    })
}

/// `host:port`, or the directory of a unix socket and the port.
fn address(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = text(node, "the address", problems)?;
    let port = text.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok())?);
    if text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) || port.is_none_or(|port| port == 0) {
        let what = format!("the address `{}` is not `host:port`", shown(text));
        problems.say(&node.spot, what, "write it like `\"db.internal:5432\"`, or `\"/run/postgresql:5432\"` for a unix socket");
        return None;
    }
    Some(text.to_owned())
}

/// The certificates in the file that the node names.
fn certificates(node: &Node, beside: Option<&Path>, problems: &mut Problems) -> Option<String> {
    use std::io::Read as _;
    let name = text(node, "`ca`", problems)?;
    let path = beside.unwrap_or_else(|| Path::new("")).join(name);
    let mut pem = String::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(CA_BYTES_MAX + 1).read_to_string(&mut pem));
    let wrong = match read {
        Err(error) => Some(format!("can't be read: {error}")),
        Ok(_) if pem.contains("PRIVATE KEY") => Some("holds a private key".to_owned()),
        Ok(_) if pem.len() as u64 > CA_BYTES_MAX => Some(format!("is longer than {CA_BYTES_MAX} bytes")),
        Ok(_) if !pem.contains("-----BEGIN CERTIFICATE-----") => Some("holds no certificate".to_owned()),
        Ok(_) => None,
    };
    if let Some(why) = wrong {
        let what = format!("the file `{}` of `ca` {why}", shown(name));
        problems.say(&node.spot, what, "name a PEM file with the authority's certificates, beside this file");
        return None;
    }
    Some(pem)
}
