//! The estate as it is in force.

use super::App;
use super::asker::Reader;
use super::reply::{Refused, Reply};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use writ_ledger::{LogStore as _, Stored};
use writ_plane::{Boundary, Key, Party, Writer};
use writ_store::SqliteStore;
use writ_types::{Code, Denial, Digest, PartyId};
use writ_wire::api::{Estate, KeyView, PartyView};

pub(super) async fn export(State(app): State<App>, _: Reader) -> Reply<Estate> {
    let writer = app.shared.told()?;
    let state = writer.state();
    let domain = state.domain();
    let (Some(trust_domain), Some(policy_set)) = (domain.trust_domain().cloned(), domain.policy_set()) else {
        return Err(Refused::from(Denial::new(Code::Bug, "the trust domain has no genesis", "report this")));
    };
    let parties = state.people().parties().map(|(id, known)| party(&writer, *id, known));
    let keys = state.people().keys().filter(|(_, key)| !key.removed).map(|(fingerprint, known)| key(fingerprint, known));
    let value = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
    Ok(Json(Estate {
        trust_domain,
        origin: domain.origin().to_owned(),
        size: state.size(),
        parties: parties.collect(),
        keys: keys.collect(),
        boundaries: state.boundaries().iter().map(|(name, boundary)| of_boundary(name, boundary)).collect(),
        identities: state
            .identities()
            .iter()
            .filter_map(|(id, _)| state.identities().item(id))
            .map(|item| value(serde_json::to_value(item)))
            .collect(),
        resources: state
            .resources()
            .iter()
            .filter_map(|(id, _)| state.resources().item(id))
            .map(|item| value(serde_json::to_value(item)))
            .collect(),
        policy_set,
    }))
}

/// A party with the name that its blob has, unless that is erased.
pub(super) fn party(writer: &Writer<SqliteStore>, id: PartyId, party: &Party) -> PartyView {
    let blob = blob(writer, &party.name);
    PartyView {
        party: id,
        kind: serde_json::to_value(party.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default(),
        name: party.name,
        handle: blob.as_ref().and_then(handle),
        blob,
        members: party.members.iter().copied().collect(),
        disabled: party.disabled,
    }
}

/// A key that answers.
pub(super) fn key(fingerprint: &str, key: &Key) -> KeyView {
    KeyView { party: key.party, fingerprint: fingerprint.to_owned(), key: key.openssh.clone(), enrolled_at: key.enrolled_at }
}

/// A boundary as `boundary.set` has it, with its signed sections; the root has no parent.
pub(super) fn of_boundary(name: &writ_types::Name, boundary: &Boundary) -> Value {
    let mut charter = serde_json::Map::new();
    for section in writ_types::Section::ALL {
        let terms = boundary.charter.get(section).and_then(|signed| serde_json::to_value(&signed.terms).ok());
        // A section's terms stand under its own name there too.
        let terms = terms.and_then(|terms| terms.get(section.as_str()).cloned()).unwrap_or(Value::Null);
        charter.insert(section.to_string(), terms);
    }
    json!({
        "name": name,
        "parent": boundary.parent,
        "production": boundary.production,
        "delegators": boundary.delegators,
        "owners": boundary.owners,
        "backups": boundary.backups,
        "duties": boundary.duties,
        "grace": boundary.grace,
        "charter": charter,
    })
}

/// The blob of this name, unless it is erased.
pub(super) fn blob(writer: &Writer<SqliteStore>, name: &Digest) -> Option<Value> {
    match writer.log().store().blob(name) {
        Ok(Stored::Here(blob)) => serde_json::from_slice(blob.bytes()).ok(),
        _ => None,
    }
}

/// The handle in a name blob.
pub(super) fn handle(blob: &Value) -> Option<String> {
    blob.get("content").and_then(|content| content.get("handle")).and_then(Value::as_str).map(str::to_owned)
}
