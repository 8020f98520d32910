//! Credentials of tasks: taken by the actor, listed for people.

use super::App;
use super::asker::{Actor, Reader};
use super::reply::{Body, Once, Refused, Reply, parse};
use crate::clock;
use axum::Json;
use axum::extract::{Path, State};
use std::sync::Arc;
use writ_connect::postgres::Address;
use writ_plane::{Answer, Command, Credential, CredentialPhase, Release, Take};
use writ_types::{Closure, Code, CredentialId, CredentialKind, Denial, Secret, SqlName, TaskId, Time};
use writ_wire::api::{CredentialView, Database, TakeCredential, TakenCredential};

/// Grants, makes and hands over one credential. What was begun is finished or undone even if the caller goes away.
pub(super) async fn take(
    State(app): State<App>,
    Actor(caller): Actor,
    Path(id): Path<String>,
    once: Once,
    Body(take): Body<TakeCredential>,
) -> Reply<TakenCredential> {
    let task: TaskId = parse(&id)?;
    let resource = app.shared.read().state().resources().named(&take.resource);
    // An unknown name is outside the task like any other: the core judges it, and the task ends.
    let resource = resource.unwrap_or_else(|| writ_types::ResourceId::from_bits([0; 16]));
    let key = format!("{} {}", caller.serial, once.0);
    let command = Command::Take(Take { task, resource, actions: take.actions, caller });
    let whole = tokio::spawn(async move { taken(&app, command, key, take.resource).await });
    whole.await.map_err(|_| Refused::from(Denial::new(Code::Bug, "the request ended early", "report this")))?.map(Json)
}

async fn taken(app: &App, command: Command, key: String, name: writ_types::Name) -> Result<TakenCredential, Refused> {
    let outcome = app.shared.ask(command, Some(key), Vec::new()).await?;
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
    handed(app, credential, user, expires, &name, &password)
}

fn handed(
    app: &App,
    credential: CredentialId,
    user: SqlName,
    expires: Time,
    name: &writ_types::Name,
    password: &Secret<String>,
) -> Result<TakenCredential, Refused> {
    let gone = || Refused::from(Denial::new(Code::Stale, "the resource is gone", "ask for a new task"));
    let writer = app.shared.read();
    let id = writer.state().resources().named(name).ok_or_else(gone)?;
    let terms = &writer.state().resources().get(&id).ok_or_else(gone)?.postgres;
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
    let writer = app.shared.read();
    let state = writer.state();
    let mut rows: Vec<CredentialView> = state.credentials().iter().map(|(id, credential)| row(*id, credential)).collect();
    rows.extend(state.identities().documents(clock::wall()).map(|(serial, document)| CredentialView {
        id: serial.clone(),
        kind: CredentialKind::X509Svid,
        task: None,
        resource: None,
        expires_at: document.expires,
        class: CredentialKind::X509Svid.class(),
        state: "made".to_owned(),
        closure: None,
        index: document.index,
    }));
    rows.sort_by_key(|row| row.index);
    Ok(Json(rows))
}

fn row(id: CredentialId, credential: &Credential) -> CredentialView {
    let closure = credential.closure();
    let state = match (credential.phase, closure) {
        (CredentialPhase::Granted | CredentialPhase::Made, _) if credential.expires <= clock::wall() => "expired",
        (CredentialPhase::Granted | CredentialPhase::Made, _) => "made",
        (CredentialPhase::Failed, _) => "failed",
        (CredentialPhase::Revoked, Some(Closure::Closed)) => "revoked",
        (CredentialPhase::Revoked, _) => "revoking",
    };
    CredentialView {
        id: id.to_string(),
        kind: credential.kind,
        task: Some(credential.task),
        resource: Some(credential.resource),
        expires_at: credential.expires,
        class: credential.class,
        state: state.to_owned(),
        closure: closure.map(|closure| closure.to_string()),
        index: credential.granted,
    }
}
