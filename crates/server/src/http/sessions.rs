//! Logging in: the server's challenge, a person's signature over it, a token.

use super::App;
use super::reply::{Body, Once, Refused, Reply, malformed};
use crate::clock;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use writ_ledger::SignedAct;
use writ_plane::{Answer, Command};
use writ_types::{Code, Denial, Digest, Time, Ttl};
use writ_wire::api::{Act, Challenge, Login, SessionView};

/// How long a challenge is good.
const CHALLENGE_LIFE: Ttl = Ttl::from_seconds(60);
/// Challenges that wait at once; the one that ends first makes room.
const CHALLENGES_MAX: usize = 4_096;
/// The prefix of a session's token, for whoever scans for leaked ones.
const TOKEN_PREFIX: &str = "wrs_";

/// Challenges that were given out and not answered.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<BTreeMap<String, Time>>);

impl Challenges {
    fn give(&self) -> String {
        let challenge = Shared::random_text(32);
        let now = clock::wall();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, expires| *expires > now);
        if open.len() >= CHALLENGES_MAX {
            open.pop_first();
        }
        open.insert(challenge.clone(), now.after(CHALLENGE_LIFE));
        challenge
    }

    /// True once.
    fn take(&self, challenge: &str) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(challenge).is_some_and(|expires| expires > clock::wall())
    }
}

/// A signature from the wire, as the log keeps it.
pub(super) fn signed(act: Act) -> SignedAct {
    SignedAct { by: act.by, key: act.key, statement: act.statement, sshsig: act.sshsig }
}

pub(super) async fn challenge(State(app): State<App>) -> Reply<Challenge> {
    let origin = app.shared.read().state().domain().origin().to_owned();
    Ok(Json(Challenge { challenge: app.challenges.give(), origin }))
}

pub(super) async fn login(State(app): State<App>, once: Once, Body(login): Body<Login>) -> Reply<SessionView> {
    if !app.challenges.take(&login.challenge) {
        return Err(malformed("the challenge was not given by this server, was answered, or is older than a minute"));
    }
    let token = token();
    let command = writ_plane::Login {
        challenge: login.challenge,
        session: Digest::of(token.as_bytes()),
        ttl: login.ttl,
        act: signed(login.act),
    };
    let outcome = app.shared.ask(Command::Login(command), Some(once.0), Vec::new()).await?;
    match outcome.result? {
        Answer::Session { session, party, expires } if session == Digest::of(token.as_bytes()) => {
            Ok(Json(SessionView { token, party, expires }))
        }
        _ => Err(Refused::from(Denial::new(Code::Stale, "this login was answered before", "log in again"))),
    }
}

/// A token: a prefix, 256 random bits, and eight digits of its digest as a checksum.
fn token() -> String {
    let random = Shared::random_text(32);
    let body = format!("{TOKEN_PREFIX}{random}");
    let digest = Digest::of(body.as_bytes()).to_string();
    let checksum: String = digest.chars().skip("sha256:".len()).take(8).collect();
    format!("{body}.{checksum}")
}
