//! Logging in: the server's challenge, a person's signature over it, a token.

use super::App;
use super::account::Payer;
use super::once::Once;
use super::reply::{Body, Refused, Reply, malformed};
use crate::clock;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use writ_ledger::SignedAct;
use writ_plane::{Answer, Command};
use writ_types::{Code, Denial, Digest, PartyId, Random as _, Secret, Time, Ttl};
use writ_wire::api::{Act, Challenge, Login, SessionView};

/// How long a challenge is good.
const CHALLENGE_LIFE: Ttl = Ttl::from_seconds(60);
/// The prefix of a session's token, for whoever scans for leaked ones.
const TOKEN_PREFIX: &str = "wrs_";

/// Challenges are not kept: each says when it ends, under a key that only this process has. So a flood of them displaces
/// nobody's. Only those that opened a session are remembered, until they end.
pub(super) struct Challenges {
    key: Secret<[u8; 32]>,
    answered: Mutex<BTreeMap<String, Time>>,
}

impl Challenges {
    /// With a key of its own.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        crate::entropy::Entropy::default().fill(&mut key);
        Self { key: Secret::new(key), answered: Mutex::default() }
    }

    fn give(&self, now: Time) -> String {
        let mut body = [0; 24];
        let (nonce, end) = body.split_at_mut(16);
        crate::entropy::Entropy::default().fill(nonce);
        end.copy_from_slice(&now.after(CHALLENGE_LIFE).micros().to_be_bytes());
        URL_SAFE_NO_PAD.encode([&body[..], self.seal(&body).as_bytes()].concat())
    }

    /// When the challenge ends, if it is this process's, has not ended and has not opened a session.
    fn good(&self, challenge: &str, now: Time) -> Option<Time> {
        let bytes: [u8; 56] = URL_SAFE_NO_PAD.decode(challenge).ok()?.try_into().ok()?;
        let (body, seal) = bytes.split_first_chunk::<24>()?;
        // Digests of both are compared, so that the time it takes tells nothing of the seal.
        let ours = Digest::of(seal) == Digest::of(self.seal(body).as_bytes());
        let end = Time::from_micros(u64::from_be_bytes(*body.last_chunk::<8>()?));
        let fresh = end > now && !self.answered().contains_key(challenge);
        (ours && fresh).then_some(end)
    }

    fn answer(&self, challenge: String, end: Time, now: Time) {
        let mut answered = self.answered();
        answered.retain(|_, end| *end > now);
        answered.insert(challenge, end);
    }

    /// SHA-256 over the key and a body of fixed length: nobody without the key can make it, and nothing can be appended.
    fn seal(&self, body: &[u8; 24]) -> Digest {
        Digest::of_parts(&[self.key.expose(), body])
    }

    fn answered(&self) -> MutexGuard<'_, BTreeMap<String, Time>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signature from the wire, as the log keeps it.
pub(super) fn signed(act: Act) -> SignedAct {
    SignedAct { by: act.by, key: act.key, statement: act.statement, sshsig: act.sshsig }
}

pub(super) async fn challenge(State(app): State<App>, _: Once) -> Reply<Challenge> {
    let origin = app.shared.told()?.state().domain().origin().to_owned();
    Ok(Json(Challenge { challenge: app.challenges.give(clock::wall()), origin }))
}

pub(super) async fn login(State(app): State<App>, once: Once, Body(login): Body<Login>) -> Reply<SessionView> {
    let now = clock::wall();
    let Some(end) = app.challenges.good(&login.challenge, now) else {
        return Err(malformed("the challenge was not given by this server, was answered, or is older than a minute"));
    };
    let mut act = signed(login.act);
    if act.by == PartyId::from_bits([0; 16])
        && let Some(key) = app.shared.told()?.state().people().key(&act.key)
    {
        // Who comes with a key and no session need not know by which id it is known here.
        act.by = key.party;
    }
    let payer = Payer::Person(act.by);
    let (token, challenge) = (token(), login.challenge.clone());
    let command = writ_plane::Login { challenge: login.challenge, session: Digest::of(token.as_bytes()), ttl: login.ttl, act };
    let outcome = app.ask(payer, Command::Login(command), once, Vec::new()).await?;
    match outcome.result? {
        Answer::Session { session, party, expires } if session == Digest::of(token.as_bytes()) => {
            app.challenges.answer(challenge, end, now);
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_seconds(1_795_341_600);

    #[test]
    fn a_challenge_is_good_here_once_and_for_a_minute() {
        let challenges = Challenges::new();
        let challenge = challenges.give(NOW);
        let end = challenges.good(&challenge, NOW).unwrap();
        assert_eq!(end, NOW.after(CHALLENGE_LIFE));
        assert_eq!(challenges.good(&challenge, end), None);
        assert_eq!(Challenges::new().good(&challenge, NOW), None);
        for (at, _) in challenge.char_indices() {
            let mut other = challenge.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(challenges.good(&String::from_utf8(other).unwrap(), NOW), None, "{at}");
        }
        for other in ["", "A", challenge.get(1..).unwrap(), &format!("{challenge}AAAA")] {
            assert_eq!(challenges.good(other, NOW), None);
        }
        // However many others are given, it stays good, until it has opened a session.
        for _ in 0..10_000 {
            challenges.give(NOW);
        }
        assert!(challenges.good(&challenge, NOW).is_some());
        challenges.answer(challenge.clone(), end, NOW);
        assert_eq!(challenges.good(&challenge, NOW), None);
    }

    #[test]
    fn a_token_has_its_prefix_and_its_checksum() {
        let token = token();
        let (body, checksum) = token.split_once('.').unwrap();
        assert!(body.starts_with(TOKEN_PREFIX) && body.len() == TOKEN_PREFIX.len() + 43);
        assert!(checksum.len() == 8 && Digest::of(body.as_bytes()).to_string().starts_with(&format!("sha256:{checksum}")));
    }
}
