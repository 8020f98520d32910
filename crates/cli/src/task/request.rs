//! `writ task request`: a person delegates, by name, and signs what the names stand for.

use super::tell;
use crate::act::Question;
use crate::args::{Output, parsed};
use crate::estate::suggestion;
use crate::failure::{Failure, Outcome};
use crate::filing;
use crate::leak;
use crate::link::{Keyed, Link, Reach};
use crate::show::plain;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{Delegation, DelegationGrant};
use writ_ledger::{Blob, Salt};
use writ_types::{ActKind, Name, Purpose, TaskId, TextValue as _, Ttl};
use writ_wire::api::{RequestTask, TaskView};

/// A longer description belongs elsewhere.
const DESCRIPTION_CHARS_MAX: usize = 4096;

/// Delegate a task to an identity
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// The identity that acts
    #[arg(long, value_name = "NAME", value_parser = parsed::<Name>)]
    actor: Name,
    /// Why: a purpose that the charter names
    #[arg(long, value_name = "TEXT", value_parser = parsed::<Purpose>)]
    purpose: Purpose,
    /// The data that may be handled, as the charter names it
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = parsed::<Name>)]
    data: Vec<Name>,
    /// A resource and its actions, like `billing-db=read,write`
    #[arg(long = "resource", value_name = "NAME=ACTIONS", required = true, value_parser = grant)]
    resources: Vec<(Name, BTreeSet<Name>)>,
    /// How long from its start
    #[arg(long, value_name = "TTL", value_parser = parsed::<Ttl>)]
    ttl: Ttl,
    /// What for, in your own words: kept beside the log, so that it can be erased
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

fn grant(text: &str) -> Result<(Name, BTreeSet<Name>), String> {
    let (resource, actions) = text.split_once('=').ok_or("it is like `billing-db=read,write`")?;
    let resource = Name::parse(resource).map_err(|error| error.to_string())?;
    let actions: Result<BTreeSet<Name>, _> = actions.split(',').map(Name::parse).collect();
    Ok((resource, actions.map_err(|error| error.to_string())?))
}

impl Request {
    pub(crate) fn run(self) -> Outcome {
        leak::refuse("purpose", self.purpose.as_str())?;
        if let Some(text) = &self.description {
            leak::refuse("description", text)?;
            if text.chars().count() > DESCRIPTION_CHARS_MAX {
                let message = format!("the description is longer than {DESCRIPTION_CHARS_MAX} characters");
                return Err(Failure::usage(message, "say it shorter, and point to the rest"));
            }
        }
        let link = Link::open(&self.reach)?;
        let known = filing::known(&link)?;
        let unknown = |kind: &str, name: &Name, all: Vec<&str>| {
            Failure::usage(format!("{kind} `{}` is unknown", plain(name.as_str())), suggestion(name.as_str(), all))
        };
        let actor = known
            .identities
            .get(&self.actor)
            .ok_or_else(|| unknown("identity", &self.actor, known.identities.keys().map(Name::as_str).collect()))?;
        let mut grants: BTreeMap<_, BTreeSet<Name>> = BTreeMap::new();
        for (name, actions) in &self.resources {
            let resource = known
                .resources
                .get(name)
                .ok_or_else(|| unknown("resource", name, known.resources.keys().map(Name::as_str).collect()))?;
            let offered = &resource.postgres.actions;
            if let Some(action) = actions.iter().find(|action| !offered.contains_key(*action)) {
                return Err(unknown(
                    &format!("action of resource `{name}`:"),
                    action,
                    offered.keys().map(Name::as_str).collect(),
                ));
            }
            grants.entry(resource.resource).or_default().extend(actions.iter().cloned());
        }
        let me = link.me(&self.keyed)?;
        let blob = self.description.as_ref().map(|text| Blob::new(json!({ "text": text }), Salt::mint(&mut *link.random())));
        let blob = blob.transpose().map_err(Failure::bug)?;
        let task = TaskId::mint(&mut *link.random());
        let mut data_scope = self.data.clone();
        data_scope.sort_unstable();
        data_scope.dedup();
        let delegation = Delegation {
            task,
            delegator: Some(me.party),
            self_requested: false,
            actor: actor.identity,
            purpose: self.purpose.clone(),
            data_scope,
            grants: grants.into_iter().map(|(resource, actions)| DelegationGrant { resource, actions }).collect(),
            ttl: self.ttl,
            description: blob.as_ref().map(Blob::name),
        };
        let content = serde_json::to_value(&delegation).map_err(Failure::bug)?;
        let id = task.to_string();
        let question = Question { origin: &link.status().origin, act: ActKind::Delegate, id: &id, content: &content, roles: &[] };
        let act = question.answer(me.party, &me.signer, &mut link.random())?;
        let blobs =
            blob.iter().map(|blob| serde_json::from_slice(blob.bytes()).map_err(Failure::bug)).collect::<Result<_, _>>()?;
        let view: TaskView = link.post("/v1/tasks", &RequestTask { content, act: Some(act), blobs })?;
        tell(&link, &view, self.output)
    }
}
