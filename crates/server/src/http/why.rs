//! `why`: the story behind anything that the world can show.

use super::App;
use super::asker::Anybody;
use super::estate::{blob, handle};
use super::once::Once;
use super::reply::{Body, Reply, not_found};
use axum::Json;
use axum::extract::State;
use std::sync::PoisonError;
use writ_credential::x509::{PemLabel, parse_certificate, pem_decode};
use writ_ledger::body::{Effect, KillScope};
use writ_plane::{Explained, Writer, explain};
use writ_store::SqliteStore;
use writ_types::{Digest, IdentityId, PartyId, RevocationClass};
use writ_wire::api::{
    Acted, AskWhy, By, ClosureView, Cut, Delegated, EndedView, Justified, Owner, PolicyView, SelfRequested, Story,
};

/// The longest scrap: a certificate chain.
const SCRAP_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn ask(State(app): State<App>, anybody: Anybody, _: Once, Body(ask): Body<AskWhy>) -> Reply<Story> {
    let what = ask.what.trim();
    // A PEM may hold a key: what was asked about is named only where it is a name.
    let shown = if what.starts_with("-----BEGIN") { "the PEM" } else { what };
    let shown = shown.to_owned();
    let scrap = if what.len() > SCRAP_BYTES_MAX { None } else { scrap(what) };
    let scrap = scrap.ok_or_else(|| not_found(&shown))?;
    let writer = app.shared.told()?;
    let index = app.shared.index.read().unwrap_or_else(PoisonError::into_inner);
    let fetch = |place: u64| writer.log().entry(place).ok();
    let explained = explain(writer.state(), &index, &fetch, &scrap).filter(|explained| may_know(&writer, &anybody, explained));
    let explained = explained.ok_or_else(|| not_found(&shown))?;
    Ok(Json(story(&app, &writer, explained)))
}

/// A certificate is known by its serial number; everything else by its text.
fn scrap(what: &str) -> Option<String> {
    if !what.starts_with("-----BEGIN") {
        return Some(what.to_owned());
    }
    let chain = pem_decode(PemLabel::Certificate, what).ok()?;
    let facts = parse_certificate(chain.first()?).ok()?;
    Some(facts.facts.serial.to_string())
}

/// A person with a session may know; an identity may know what it did itself.
fn may_know(writer: &Writer<SqliteStore>, anybody: &Anybody, explained: &Explained) -> bool {
    match anybody {
        Anybody::Reader => true,
        Anybody::Actor(_) => {
            let acted: Option<IdentityId> = explained.actor.as_ref().and_then(|(id, _)| id.parse().ok());
            acted.is_some_and(|acted| anybody.may_see(writer.state(), acted))
        }
    }
}

fn name(writer: &Writer<SqliteStore>, party: &PartyId) -> Option<String> {
    let digest = writer.state().people().party(party)?.name;
    handle(&blob(writer, &digest)?)
}

fn story(app: &App, writer: &Writer<SqliteStore>, explained: Explained) -> Story {
    let log = writer.log();
    let entries: Vec<u64> = explained.entries.iter().copied().collect();
    let kinds = entries.iter().filter_map(|place| log.entry(*place).ok()).map(|entry| entry.kind.to_string()).collect();
    let leaves = entries
        .iter()
        .filter_map(|place| log.leaves(*place..place + 1).ok()?.pop())
        .map(|leaf| String::from_utf8_lossy(&leaf).into_owned());
    let receipts = entries.iter().filter_map(|place| log.receipt(*place).ok()).map(|receipt| receipt.to_string());
    let named = |by: &PartyId| name(writer, by).unwrap_or_else(|| by.to_string());
    Story {
        kind: explained.kind.to_owned(),
        id: explained.id,
        acted: explained.actor.map(|(identity, actor_kind)| Acted {
            identity,
            spiffe_id: explained.spiffe_id.clone(),
            actor_kind,
            attested_by: explained.attested.clone(),
        }),
        self_requested: explained.self_requested.map(|(at, entry)| SelfRequested { at, entry }),
        delegated: explained.delegated.map(|it| Delegated { by: it.by, name: name(writer, &it.by), at: it.at, entry: it.entry }),
        justified: explained.justified.map(|it| Justified {
            decision: it.decision,
            effect: if it.effect == Effect::Allow { "allow" } else { "deny" }.to_owned(),
            policies: it.policies.iter().map(|id| PolicyView { id: id.clone(), text: text(writer, it.policy_set, id) }).collect(),
            policy_set: it.policy_set,
        }),
        approved: explained
            .approved
            .iter()
            .map(|it| By { by: it.by, name: name(writer, &it.by), at: it.at, entry: it.entry })
            .collect(),
        owners: explained
            .owners
            .iter()
            .map(|(role, (person, from))| (role.to_string(), Owner { name: named(person), from: from.to_string() }))
            .collect(),
        purpose: explained.purpose.map(|purpose| purpose.to_string()),
        ends_at: explained.ends_at,
        ended: explained.ended.map(|it| EndedView { at: it.at, why: it.end.to_string(), by: it.by }),
        on_misuse: explained.on_misuse,
        last_task: explained.last_task,
        cut: explained.cut.zip(explained.class).map(|(scope, class)| cut(writer.state(), &scope, class)),
        closure: explained
            .closure
            .into_iter()
            .map(|it| ClosureView {
                credential: it.credential,
                point: it.point,
                state: it.state,
                since: it.since,
                next_try: app.effects.next_try(&it.credential),
            })
            .collect(),
        receipts: receipts.collect(),
        leaves: leaves.collect(),
        entries,
        kinds,
        receipts_verified: false,
    }
}

/// What to type, by the names that people know.
fn cut(state: &writ_plane::State, scope: &KillScope, class: RevocationClass) -> Cut {
    let identity = |id| state.identities().get(id).map_or_else(|| scope.to_string(), |known| known.name.to_string());
    let resource = |id| state.resources().get(id).map_or_else(|| scope.to_string(), |known| known.name.to_string());
    let command = match scope {
        KillScope::Task(task) => format!("writ task kill {task}"),
        KillScope::Identity(id) => format!("writ kill identity {}", identity(id)),
        KillScope::Resource(id) => format!("writ kill resource {}", resource(id)),
        KillScope::Boundary(name) => format!("writ kill boundary {name}"),
    };
    let effective_in = match (scope, class) {
        (KillScope::Task(_), _) => "within a second",
        (_, RevocationClass::CutsLive) => "every task in it, within a second",
        _ => "every task of its identity, within a second; the document itself ends with its time",
    };
    Cut { command, class, effective_in: effective_in.to_owned() }
}

fn text(writer: &Writer<SqliteStore>, set: Option<Digest>, id: &str) -> String {
    let set = set.and_then(|hash| writer.state().domain().policy_text(&hash));
    let policy = set.and_then(|set| set.policies.into_iter().find(|policy| policy.id == id));
    policy.map(|policy| policy.text).unwrap_or_default()
}
