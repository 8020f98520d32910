//! Credentials of tasks: taken by the actor, listed for people.

use super::App;
use super::account::Payer;
use super::asker::{Actor, Anybody, Reader};
use super::once::Once;
use super::reply::{Body, Refused, Reply, Segment, not_found, parse};
use crate::clock;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use writ_connect::postgres::Address;
use writ_plane::{Answer, Command, Credential, CredentialPhase, Document, Release, Take};
use writ_types::{Closure, Code, CredentialId, CredentialKind, Denial, Secret, SqlName, TaskId, TextValue as _, Time};
use writ_wire::api::{ClosureView, CredentialDetail, CredentialView, Database, TakeCredential, TakenCredential};

/// Grants, makes and hands over one credential. What was begun is finished or undone even if the caller goes away.
pub(super) async fn take(
    State(app): State<App>,
    Actor(caller, spiffe_id): Actor,
    Segment(id): Segment,
    once: Once,
    Body(take): Body<TakeCredential>,
) -> Reply<TakenCredential> {
    let task: TaskId = parse(&id)?;
    let resource = app.shared.told()?.state().resources().named(&take.resource);
    // An unknown name is outside the task like any other: the core judges it, and the task ends.
    let resource = resource.unwrap_or_else(|| writ_types::ResourceId::from_bits([0; 16]));
    let command = Command::Take(Take { task, resource, actions: take.actions, caller });
    let whole = tokio::spawn(async move { taken(&app, Payer::Identity(spiffe_id), command, once).await });
    whole.await.map_err(|_| Refused::from(Denial::new(Code::Bug, "the request ended early", "report this")))?.map(Json)
}

async fn taken(app: &App, payer: Payer, command: Command, once: Once) -> Result<TakenCredential, Refused> {
    let outcome = app.ask(payer, command, once, Vec::new()).await?;
    let Answer::Granted { credential, user, expires } = outcome.result? else {
        return Err(Denial::new(Code::Bug, "the order of a credential is lost", "report this").into());
    };
    let order =
        outcome.orders.into_iter().next().ok_or_else(|| {
            Refused::from(Denial::new(Code::Stale, "this credential was handed over before", "take another one"))
        })?;
    let password = match app.shared.release(order)? {
        Release::Open(order) => Arc::clone(&app.effects).open(order).await?,
        _ => return Err(Denial::new(Code::Bug, "the order of a credential is another's", "report this").into()),
    };
    handed(app, credential, user, expires, &password)
}

fn handed(
    app: &App,
    credential: CredentialId,
    user: SqlName,
    expires: Time,
    password: &Secret<String>,
) -> Result<TakenCredential, Refused> {
    let gone = || Refused::from(Denial::new(Code::Stale, "the resource is gone", "ask for a new task"));
    let writer = app.shared.told()?;
    let state = writer.state();
    // Not by the name that was asked for: it may name another host by now.
    let resource = state.credentials().get(&credential).map(|credential| credential.resource).ok_or_else(gone)?;
    let terms = &state.resources().get(&resource).ok_or_else(gone)?.postgres;
    let address = Address::parse(&terms.address).map_err(|_| gone())?;
    let dbname = terms.databases.first().cloned().ok_or_else(gone)?;
    let database = Database { host: address.host_text(), port: address.port(), dbname, user, ca: terms.ca.clone() };
    Ok(TakenCredential {
        credential,
        database,
        password: password.expose().clone(),
        expires,
        class: CredentialKind::PostgresUser.class(),
    })
}

/// Every credential of a task, and every identity document that has not expired.
pub(super) async fn list(State(app): State<App>, _: Reader) -> Reply<Vec<CredentialView>> {
    let writer = app.shared.told()?;
    let state = writer.state();
    let now = clock::now(state);
    let mut rows: Vec<CredentialView> = state.credentials().iter().map(|(id, credential)| row(*id, credential, now)).collect();
    rows.extend(state.identities().documents(now).map(|(serial, document)| of_document(serial, document)));
    rows.sort_by_key(|row| row.index);
    Ok(Json(rows))
}

/// One credential of a task by its id, or one certificate by its serial number: to a person with a session, and to its holder.
pub(super) async fn show(State(app): State<App>, anybody: Anybody, Segment(text): Segment) -> Reply<CredentialDetail> {
    let writer = app.shared.told()?;
    let state = writer.state();
    let now = clock::now(state);
    let found = match CredentialId::parse(&text) {
        Ok(id) => state.credentials().get(&id).map(|credential| detail(&app, id, credential, now)),
        Err(_) => state.identities().document(&text, now).map(|document| CredentialDetail {
            credential: of_document(&text, document),
            identity: document.identity,
            resource: None,
            actions: Default::default(),
            user: None,
            points: Vec::new(),
        }),
    };
    found.filter(|found| anybody.may_see(state, found.identity)).map(Json).ok_or_else(|| not_found(&text))
}

fn detail(app: &App, id: CredentialId, credential: &Credential, now: Time) -> CredentialDetail {
    let points = credential.closure.iter().map(|(point, known)| ClosureView {
        credential: id,
        point: point.clone(),
        state: known.state,
        since: known.since,
        next_try: app.effects.next_try(&id),
    });
    CredentialDetail {
        credential: row(id, credential, now),
        identity: credential.identity,
        resource: Some(credential.resource),
        actions: credential.actions.clone(),
        user: Some(credential.user.clone()),
        points: points.collect(),
    }
}

fn of_document(serial: &str, document: &Document) -> CredentialView {
    CredentialView {
        id: serial.to_owned(),
        kind: CredentialKind::X509Svid,
        task: None,
        identity: document.identity,
        expires_at: document.expires,
        class: CredentialKind::X509Svid.class(),
        state: "made".to_owned(),
        closure: None,
        index: document.index,
    }
}

fn row(id: CredentialId, credential: &Credential, now: Time) -> CredentialView {
    let closure = credential.closure();
    let state = match (credential.phase, closure) {
        (CredentialPhase::Granted | CredentialPhase::Made, _) if credential.expires <= now => "expired",
        (CredentialPhase::Granted | CredentialPhase::Made, _) => "made",
        (CredentialPhase::Failed, _) => "failed",
        (CredentialPhase::Revoked, Some(Closure::Closed)) => "revoked",
        (CredentialPhase::Revoked, _) => "revoking",
    };
    CredentialView {
        id: id.to_string(),
        kind: credential.kind,
        task: Some(credential.task),
        identity: credential.identity,
        expires_at: credential.expires,
        class: credential.class,
        state: state.to_owned(),
        closure: closure.map(|closure| closure.to_string()),
        index: credential.granted,
    }
}
