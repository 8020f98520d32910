//! Who asks: a certificate, a session, or nobody in particular. A signature in the body says more, and is judged by the core.

use super::App;
use super::reply::Refused;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use writ_plane::{Caller, State};
use writ_types::{Code, Denial, Digest, IdentityId, SpiffeId};

/// How the connection came in. Set by the listener, never by a header.
#[derive(Debug, Clone)]
pub(crate) enum Via {
    /// The admin socket: it only carries requests.
    Socket,
    /// TLS with a certificate that chains to the authority and that the log knows, and the name in it.
    Svid(Caller, SpiffeId),
    /// TLS with a certificate that chains to the authority and that the log does not know. It is told so, and nothing else.
    Stranger,
}

/// A person with an open session, who may read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader;

/// An identity that showed its certificate.
#[derive(Debug, Clone)]
pub(super) struct Actor(pub(super) Caller, pub(super) SpiffeId);

/// A person with a session or an identity with a certificate.
#[derive(Debug, Clone)]
pub(super) enum Anybody {
    Reader,
    Actor(Caller),
}

impl Anybody {
    /// True for a person with a session, who may know everything.
    pub(super) const fn is_reader(&self) -> bool {
        matches!(self, Self::Reader)
    }

    /// True for a person with a session, and for the identity itself.
    pub(super) fn may_see(&self, state: &State, identity: IdentityId) -> bool {
        match self {
            Self::Reader => true,
            Self::Actor(caller) => {
                let document = state.identities().document(&caller.serial, crate::clock::now(state));
                document.is_some_and(|document| document.key == caller.key && document.identity == identity)
            }
        }
    }
}

/// What a certificate gets that the log does not know.
pub(super) fn stranger() -> Refused {
    unauthenticated("this certificate is not in the log, or its identity is retired", "attest again over the Workload API")
}

fn unauthenticated(what: &str, help: &str) -> Refused {
    Denial::new(Code::Unauthenticated, what, help).into()
}

impl FromRequestParts<App> for Reader {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| unauthenticated("a session is needed", "run `writ login`"))?;
        let writer = app.shared.told()?;
        let state = writer.state();
        let session = state.people().session(&Digest::of(token.as_bytes()), crate::clock::now(state));
        session.map(|_| Self).ok_or_else(|| unauthenticated("the session has ended", "run `writ login` again"))
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        match parts.extensions.get::<Via>() {
            Some(Via::Svid(caller, spiffe_id)) => Ok(Self(caller.clone(), spiffe_id.clone())),
            _ => Err(unauthenticated("only the attested actor can ask this", "show an X.509-SVID over TLS, as `writ run` does")),
        }
    }
}

impl FromRequestParts<App> for Anybody {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        if let Some(Via::Svid(caller, _)) = parts.extensions.get::<Via>() {
            return Ok(Self::Actor(caller.clone()));
        }
        Reader::from_request_parts(parts, app).await.map(|_| Self::Reader)
    }
}
