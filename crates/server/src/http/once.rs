//! The `Idempotency-Key`, which every POST has: the same key, the same answer, and nothing twice.

use super::asker::Via;
use super::reply::{Refused, malformed};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, Uri};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use writ_types::{Code, Denial, Digest};
use writ_wire::api::IDEMPOTENCY_KEY;

/// Keys that are remembered; the oldest is forgotten first. The writer remembers as many answers.
const USED_MAX: usize = 16_384;

/// A request's key, with its path and, where a certificate was shown, with whose it is: nobody reads another's answer by guessing
/// the key, and nobody spoils it.
pub(super) struct Once(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        key(&parts.uri, &parts.headers, &parts.extensions).map(Self)
    }
}

/// As [`Once`].
pub(super) fn key(uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Result<String, Refused> {
    let key = headers.get(HeaderName::from_static(IDEMPOTENCY_KEY)).and_then(|value| value.to_str().ok());
    let plain = |key: &&str| (8..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key
        .filter(plain)
        .ok_or_else(|| malformed("the header `idempotency-key` is missing, or not 8 to 128 visible characters"))?;
    let of = match extensions.get::<Via>() {
        Some(Via::Svid(caller, _)) => caller.serial.as_str(),
        _ => "",
    };
    Ok(format!("{of} {} {key}", uri.path()))
}

/// What keys were used for. Answering the second of two different requests with the answer to the first would say of a kill
/// that it is done when it is not.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    bodies: BTreeMap<String, Digest>,
    order: VecDeque<String>,
}

impl Used {
    /// Remembers what the key is used for.
    ///
    /// # Errors
    /// When it was used for another body.
    pub(super) fn by(&self, key: String, body: &[u8]) -> Result<(), Refused> {
        let digest = Digest::of(body);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.bodies.get(&key) {
            Some(before) if *before == digest => return Ok(()),
            Some(_) => {
                return Err(
                    Denial::new(Code::Invalid, "this idempotency key was used for something else", "use a new key").into()
                );
            }
            None => {}
        }
        keys.bodies.insert(key.clone(), digest);
        keys.order.push_back(key);
        if keys.order.len() > USED_MAX
            && let Some(oldest) = keys.order.pop_front()
        {
            keys.bodies.remove(&oldest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_one_body_and_the_oldest_is_forgotten() {
        let used = Used::default();
        let by = |key: &str, body: &[u8]| used.by(key.to_owned(), body).is_ok();
        assert!(by("/a k", b"1") && by("/a k", b"1") && !by("/a k", b"2") && by("/b k", b"2"));
        for n in 0..USED_MAX {
            assert!(by(&n.to_string(), b""));
        }
        assert!(by("/a k", b"2"));
        assert_eq!(used.0.lock().unwrap().bodies.len(), USED_MAX);
    }
}
