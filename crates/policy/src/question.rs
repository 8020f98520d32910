//! A request in Cedar's words: principal, action, resource, context, and the few entities that a decision can look at.
//!
//! Only here are facts turned into Cedar's values. Never a world of entities: principal, resource, delegator or author,
//! task and action, each with its ancestors flattened into parents, because policies may dereference one step only.

use crate::facts::{Actor, Ask, BoundaryFacts, Change, End, NonHuman, Owners, Person, ResourceFacts, TaskFacts};
use crate::request::{Request, Target, Who};
use crate::source::SCHEMA;
use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value, Schema};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Arc, LazyLock};
use writ_types::{Name, PartyId, TextValue, Tier, Time, Ttl};

/// Cedar's names, parsed once: parsing a type's name costs more than evaluating a policy.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) schema: Schema,
    /// Every action with its groups, by its name.
    actions: BTreeMap<String, Entity>,
    /// Every action, with the groups that it is in.
    pub(crate) groups: BTreeMap<EntityUid, BTreeSet<EntityUid>>,
    /// The actions of a task.
    pub(crate) reach: BTreeSet<Name>,
    agent: EntityTypeName,
    boundary: EntityTypeName,
    human: EntityTypeName,
    resource: EntityTypeName,
    system: EntityTypeName,
    task: EntityTypeName,
    team: EntityTypeName,
    tier: EntityTypeName,
    workload: EntityTypeName,
}

/// The one schema's vocabulary: a constant that takes a while to compute.
static VOCABULARY: LazyLock<Result<Arc<Vocabulary>, String>> = LazyLock::new(|| Vocabulary::new().map(Arc::new));

impl Vocabulary {
    /// The vocabulary of this program's schema; otherwise what is wrong with it.
    pub(crate) fn get() -> Result<Arc<Self>, String> {
        VOCABULARY.clone()
    }

    fn new() -> Result<Self, String> {
        let (schema, mut warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
        if let Some(warning) = warnings.next() {
            return Err(warning.to_string());
        }
        drop(warnings);
        let entities = schema.action_entities().map_err(|error| error.to_string())?;
        let kind = |text: &str| text.parse::<EntityTypeName>().map_err(|error| error.to_string());
        let group = EntityUid::from_type_name_and_id(kind("Action")?, EntityId::new("reach"));
        let name = |entity: &Entity| entity.uid().id().unescaped().to_owned();
        Ok(Self {
            reach: entities
                .iter()
                .filter(|action| entities.is_ancestor_of(&group, &action.uid()))
                .filter_map(|action| Name::parse(&name(action)).ok())
                .collect(),
            groups: entities
                .iter()
                .map(|action| (action.uid(), entities.ancestors(&action.uid()).into_iter().flatten().cloned().collect()))
                .collect(),
            actions: entities.iter().map(|action| (name(action), action.clone())).collect(),
            agent: kind("Agent")?,
            boundary: kind("Boundary")?,
            human: kind("Human")?,
            resource: kind("Resource")?,
            system: kind("System")?,
            task: kind("Task")?,
            team: kind("Team")?,
            tier: kind("Tier")?,
            workload: kind("Workload")?,
            schema,
        })
    }

    /// The request in Cedar's words.
    pub(crate) fn question(&self, request: &Request) -> Result<Question, Unaskable> {
        let mut question = Builder { vocabulary: self, entities: Vec::with_capacity(5) };
        match request {
            Request::Identify(ask) => {
                let principal = question.actor(&ask.actor)?;
                let resource = question.boundary(&ask.boundary)?;
                question.finish(principal, "identify", resource, Vec::new())
            }
            Request::Reach(ask) => {
                if !self.reach.contains(&ask.action) {
                    return Err(Unaskable::Action { action: ask.action.clone(), known: self.reach.clone() });
                }
                let principal = question.actor(&ask.actor)?;
                let resource = question.resource(&ask.resource)?;
                let context = question.ask(&ask.ask)?;
                question.finish(principal, ask.action.as_str(), resource, context)
            }
            Request::Delegate(ask) => {
                let principal = question.who(&ask.who)?;
                let resource = question.resource(&ask.resource)?;
                let context = question.ask(&ask.ask)?;
                question.finish(principal, "delegate", resource, context)
            }
            Request::Approve(ask) => {
                let principal = question.person(&ask.person)?;
                let resource = question.resource(&ask.resource)?;
                let context = question.ask(&ask.ask)?;
                question.finish(principal, "approve", resource, context)
            }
            Request::Administer(ask) | Request::Activate(ask) => {
                let action = if matches!(request, Request::Activate(_)) { "activate" } else { "administer" };
                let principal = question.person(&ask.person)?;
                let resource = question.boundary(&ask.boundary)?;
                let context = question.change(&ask.change)?;
                question.finish(principal, action, resource, context)
            }
            Request::Signal(ask) => {
                let principal = question.who(&ask.who)?;
                let resource = question.task(&ask.task)?;
                let context = question.end(&ask.end)?;
                question.finish(principal, "signal", resource, context)
            }
            Request::Kill(ask) => {
                let principal = question.person(&ask.person)?;
                let resource = match &ask.target {
                    Target::Task(task) => question.task(task)?,
                    Target::Actor(actor) => question.actor(actor)?,
                    Target::Resource(resource) => question.resource(resource)?,
                    Target::Boundary(boundary) => question.boundary(boundary)?,
                };
                let context = question.end(&ask.end)?;
                question.finish(principal, "kill", resource, context)
            }
        }
    }
}

/// Why a request can't be put to Cedar. It is a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unaskable {
    /// The resource's action is not in the schema.
    Action { action: Name, known: BTreeSet<Name> },
    /// The facts contradict each other, or Cedar can't hold them.
    Facts(String),
}

/// A request in Cedar's words.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) request: cedar_policy::Request,
    pub(crate) entities: Vec<Entity>,
}

impl Question {
    /// The question with its entities in the form in which Cedar takes them.
    pub(crate) fn close(self) -> Result<(cedar_policy::Request, Entities), Unaskable> {
        // Without the schema: the types above can only fill the shapes that it wants, and a test compares them all.
        let entities = Entities::from_entities(self.entities, None).map_err(|error| facts(&error))?;
        Ok((self.request, entities))
    }
}

struct Builder<'a> {
    vocabulary: &'a Vocabulary,
    entities: Vec<Entity>,
}

type Pairs = Vec<(String, Value)>;

impl Builder<'_> {
    fn finish(mut self, principal: EntityUid, action: &str, resource: EntityUid, context: Pairs) -> Result<Question, Unaskable> {
        let Some(action) = self.vocabulary.actions.get(action) else {
            return Err(Unaskable::Facts(format!("the schema has no action `{action}`")));
        };
        let context = Context::from_pairs(context).map_err(|error| facts(&error))?;
        let schema = Some(&self.vocabulary.schema);
        let request =
            cedar_policy::Request::new(principal, action.uid(), resource, context, schema).map_err(|error| facts(&error))?;
        self.entities.push(action.clone());
        Ok(Question { request, entities: self.entities })
    }

    fn person(&mut self, person: &Person) -> Result<EntityUid, Unaskable> {
        let uid = human(self.vocabulary, person.id);
        let parents = uids(&self.vocabulary.team, &person.teams);
        self.put(uid, vec![("active".to_owned(), Value::new_bool(person.active))], parents)
    }

    fn actor(&mut self, actor: &Actor) -> Result<EntityUid, Unaskable> {
        let words = self.vocabulary;
        let mut pairs = vec![
            ("chartered".to_owned(), Value::new_bool(actor.chartered)),
            ("tier".to_owned(), tier(words, actor.tier)),
            ("owners".to_owned(), owners(words, &actor.owners)?),
        ];
        let kind = match actor.kind {
            NonHuman::Workload => &words.workload,
            NonHuman::Agent { autonomous } => {
                pairs.push(("autonomous".to_owned(), Value::new_bool(autonomous)));
                &words.agent
            }
        };
        self.put(uid(kind, actor.id), pairs, uids(&words.boundary, &actor.boundaries))
    }

    fn who(&mut self, who: &Who) -> Result<EntityUid, Unaskable> {
        match who {
            Who::Person(person) => self.person(person),
            Who::System(party) => self.put(uid(&self.vocabulary.system, party), Vec::new(), Vec::new()),
            Who::Actor(actor) => self.actor(actor),
        }
    }

    fn resource(&mut self, resource: &ResourceFacts) -> Result<EntityUid, Unaskable> {
        let words = self.vocabulary;
        let mut pairs = vec![
            ("kind".to_owned(), Value::new_string(resource.kind.to_string())),
            ("production".to_owned(), Value::new_bool(resource.production)),
            ("tier".to_owned(), tier(words, resource.tier)),
            ("dataClass".to_owned(), Value::new_string(resource.data_class.to_string())),
            ("owners".to_owned(), owners(words, &resource.owners)?),
        ];
        if let Some(team) = resource.delegators {
            pairs.push(("delegators".to_owned(), Value::new_entity_uid(uid(&words.team, team))));
        }
        let mut parents = uids(&words.boundary, &resource.boundaries);
        parents.extend(uids(&words.resource, &resource.within));
        self.put(uid(&words.resource, resource.id), pairs, parents)
    }

    fn boundary(&mut self, boundary: &BoundaryFacts) -> Result<EntityUid, Unaskable> {
        let words = self.vocabulary;
        let pairs = vec![
            ("production".to_owned(), Value::new_bool(boundary.production)),
            ("owners".to_owned(), owners(words, &boundary.owners)?),
        ];
        self.put(uid(&words.boundary, &boundary.name), pairs, uids(&words.boundary, &boundary.ancestors))
    }

    fn task(&mut self, task: &TaskFacts) -> Result<EntityUid, Unaskable> {
        let kind = &self.vocabulary.task;
        self.put(uid(kind, task.id), Vec::new(), uids(kind, &task.ancestors))
    }

    fn ask(&mut self, ask: &Ask) -> Result<Pairs, Unaskable> {
        let task = self.task(&ask.task)?;
        let scope = ask.data_scope.iter().map(|name| Value::new_string(name.to_string()));
        let mut pairs = vec![
            ("task".to_owned(), Value::new_entity_uid(task)),
            ("selfRequested".to_owned(), Value::new_bool(ask.self_requested)),
            ("approvers".to_owned(), humans(self.vocabulary, &ask.approvers)),
            ("purpose".to_owned(), Value::new_string(ask.purpose.to_string())),
            ("dataScope".to_owned(), Value::new_set(scope)),
            ("depth".to_owned(), Value::new_long(i64::from(ask.depth))),
            ("ttl".to_owned(), duration(ask.ttl)),
            ("now".to_owned(), datetime(ask.now)),
        ];
        if let Some(delegator) = &ask.delegator {
            pairs.push(("delegator".to_owned(), Value::new_entity_uid(self.person(delegator)?)));
        }
        Ok(pairs)
    }

    fn change(&mut self, change: &Change) -> Result<Pairs, Unaskable> {
        let author = self.person(&change.author)?;
        Ok(vec![("author".to_owned(), Value::new_entity_uid(author)), ("now".to_owned(), datetime(change.now))])
    }

    fn end(&mut self, end: &End) -> Result<Pairs, Unaskable> {
        let mut pairs =
            vec![("owners".to_owned(), humans(self.vocabulary, &end.owners)), ("named".to_owned(), Value::new_bool(end.named))];
        if let Some(delegator) = &end.delegator {
            pairs.push(("delegator".to_owned(), Value::new_entity_uid(self.person(delegator)?)));
        }
        Ok(pairs)
    }

    /// Adds an entity. The same one may come twice (a person who approves what she delegated), but not with other facts.
    fn put(&mut self, uid: EntityUid, pairs: Pairs, parents: Vec<EntityUid>) -> Result<EntityUid, Unaskable> {
        let entity = Entity::new_with_tags(uid.clone(), pairs, parents, []).map_err(|error| facts(&error))?;
        match self.entities.iter().find(|known| known.uid() == uid) {
            Some(known) if known.deep_eq(&entity) => {}
            Some(_) => return Err(Unaskable::Facts(format!("`{uid}` comes with two different sets of facts"))),
            None => self.entities.push(entity),
        }
        Ok(uid)
    }
}

fn facts(error: &impl Display) -> Unaskable {
    Unaskable::Facts(error.to_string())
}

fn uid(kind: &EntityTypeName, id: impl Display) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id.to_string()))
}

fn uids<T: Display>(kind: &EntityTypeName, ids: &BTreeSet<T>) -> Vec<EntityUid> {
    ids.iter().map(|id| uid(kind, id)).collect()
}

fn human(words: &Vocabulary, id: PartyId) -> EntityUid {
    uid(&words.human, id)
}

fn humans(words: &Vocabulary, ids: &BTreeSet<PartyId>) -> Value {
    Value::new_set(ids.iter().map(|id| Value::new_entity_uid(human(words, *id))))
}

fn tier(words: &Vocabulary, tier: Tier) -> Value {
    Value::new_entity_uid(uid(&words.tier, tier))
}

fn owners(words: &Vocabulary, owners: &Owners) -> Result<Value, Unaskable> {
    let holder = |role: &str, id: PartyId| (role.to_owned(), Value::new_entity_uid(human(words, id)));
    Value::new_record([
        holder("control", owners.control),
        holder("business", owners.business),
        holder("identity", owners.identity),
        holder("platform", owners.platform),
        holder("security", owners.security),
    ])
    .map_err(|error| facts(&error))
}

fn duration(ttl: Ttl) -> Value {
    Value::new_duration(format!("{}s", ttl.seconds()))
}

/// Cedar's datetime has three fraction digits; ours has six, and the rest is cut off.
fn datetime(time: Time) -> Value {
    let text = time.to_string();
    Value::new_datetime(format!("{}Z", text.get(..23).unwrap_or_default()))
}
