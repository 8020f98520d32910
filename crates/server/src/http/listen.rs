//! Listening, bounded in connections, bytes and time.

use super::asker::stranger;
use super::unproven::{Place, Unproven};
use super::{App, Via, router};
use crate::shared::Shared;
use crate::tls::Terms;
use axum::Router;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;
use writ_plane::Caller;
use writ_types::SpiffeId;

/// Connections at once to the admin socket.
const CONNECTIONS_MAX: usize = 1_024;
/// Of those, one user's at once: nobody on the machine can take every place from the others.
const OF_ONE_USER_MAX: usize = 256;
/// Connections at once by certificate, beside those that have not shown one yet.
const PROVEN_MAX: usize = 512;
/// Of those, one identity's at once.
const OF_ONE_IDENTITY_MAX: usize = 128;
/// The time in which a connection sends its next request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// The time in which a handshake is done.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The longest that one connection lives.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(300);
/// After the system refused a connection, wait a little: it is out of something.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Serves the admin socket. Its connections end with it.
pub(crate) async fn admin(listener: UnixListener, app: App) {
    let shared = Arc::clone(&app.shared);
    let router = router(app);
    let (permits, seats) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), Seats::default());
    let mut open = JoinSet::new();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        match (listener.accept().await, permit) {
            (Ok((stream, _)), Ok(permit)) => {
                let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
                let Some(seat) = uid.and_then(|uid| seats.take(uid, of_user(uid))) else { continue };
                let talk = converse(stream, router.clone(), Via::Socket, Arc::clone(&shared));
                while open.try_join_next().is_some() {}
                open.spawn(async move {
                    talk.await;
                    drop((seat, permit));
                });
            }
            _ => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

/// The server's own user may have all places.
fn of_user(uid: u32) -> usize {
    if uid == rustix::process::geteuid().as_raw() { CONNECTIONS_MAX } else { OF_ONE_USER_MAX }
}

/// What connections by certificate stand over.
struct ByCertificate {
    shared: Arc<Shared>,
    router: Router,
    terms: Arc<Terms>,
    unproven: Unproven,
    proven: Arc<Semaphore>,
    seats: Seats<SpiffeId>,
}

/// Serves the API by certificate. Its connections end with it.
pub(crate) async fn tls(listener: TcpListener, app: App, terms: Arc<Terms>) {
    let (shared, proven) = (Arc::clone(&app.shared), Arc::new(Semaphore::new(PROVEN_MAX)));
    let (unproven, seats) = (Unproven::default(), Seats::default());
    let api = Arc::new(ByCertificate { shared, router: router(app), terms, unproven, proven, seats });
    let mut open = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                while open.try_join_next().is_some() {}
                api.unproven.enter(address.ip(), |place| open.spawn(Arc::clone(&api).talk(stream, place)));
            }
            Err(_) => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

impl ByCertificate {
    /// One connection. Until it has a place among those who have proven themselves, the next one can take its place.
    async fn talk(self: Arc<Self>, stream: TcpStream, place: Place) {
        let proven = tokio::time::timeout(HANDSHAKE_WITHIN, self.prove(stream)).await.ok().flatten();
        self.unproven.leave(place);
        if let Some((stream, via, places)) = proven {
            converse(stream, self.router.clone(), via, Arc::clone(&self.shared)).await;
            drop(places);
        }
    }

    /// The handshake, and a place for whoever has shown a certificate that holds.
    async fn prove(&self, stream: TcpStream) -> Option<(TlsStream<TcpStream>, Via, [OwnedSemaphorePermit; 2])> {
        let stream = TlsAcceptor::from(self.terms.server()).accept(stream).await.ok()?;
        // The handshake has proven the key; the certificate is judged by the verifier, and by the log on use.
        let leaf = stream.get_ref().1.peer_certificates()?.first()?;
        let now = crate::clock::now(self.shared.read().state());
        let (caller, spiffe_id) = self.terms.caller(leaf, now)?;
        let seat = self.seats.take(spiffe_id.clone(), OF_ONE_IDENTITY_MAX)?;
        let place = Arc::clone(&self.proven).acquire_owned().await.ok()?;
        let via = join(&self.shared, caller, spiffe_id);
        Some((stream, via, [seat, place]))
    }
}

/// Places, so many for each holder.
#[derive(Debug)]
struct Seats<K>(Mutex<BTreeMap<K, Arc<Semaphore>>>);

impl<K> Default for Seats<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord> Seats<K> {
    /// A place of this holder's, who may have `most`, if one is left.
    fn take(&self, holder: K, most: usize) -> Option<OwnedSemaphorePermit> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other, seats| *other == holder || Arc::strong_count(seats) > 1);
        let seats = all.entry(holder).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Arc::clone(seats).try_acquire_owned().ok()
    }
}

/// A certificate that is validly signed and that the log does not know is told from the others before anything is read: its
/// identity is retired, or somebody else has the authority's key.
fn join(shared: &Shared, caller: Caller, spiffe_id: SpiffeId) -> Via {
    // What can't be told now is asked again at each use.
    let Ok(writer) = shared.told() else { return Via::Svid(caller, spiffe_id) };
    let now = crate::clock::now(writer.state());
    let identities = writer.state().identities();
    if identities.document(&caller.serial, now).is_some_and(|document| document.key == caller.key) {
        return Via::Svid(caller, spiffe_id);
    }
    let retired = identities.documents(now).any(|(serial, document)| *serial == caller.serial && document.key == caller.key);
    drop(writer);
    if !retired {
        shared.strangers.fetch_add(1, Ordering::Relaxed);
        let serial = caller.serial;
        tracing::error!(serial, "a validly signed certificate that the log does not know: the authority's key may be stolen");
    }
    Via::Stranger
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, via: Via, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let (router, via, shared) = (router.clone(), via.clone(), Arc::clone(&shared));
        async move {
            let answer = if matches!(via, Via::Stranger) {
                Ok(stranger().into_response())
            } else {
                request.extensions_mut().insert(via);
                router.oneshot(request).await
            };
            if let Some(code) = answer.as_ref().ok().and_then(|answer| answer.extensions().get()) {
                shared.counted.add(*code);
            }
            answer
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(64 * 1024);
    // An overlong connection is dropped; what it asked of the writer is done all the same.
    let served = tokio::time::timeout(CONNECTION_LIFE_MAX, http.serve_connection(TokioIo::new(stream), service));
    if let Ok(Err(error)) = served.await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law 12: whoever crowds the socket keeps nobody else from ending something.
    #[tokio::test]
    async fn one_user_can_not_take_every_place() {
        let (places, own) = (Seats::default(), rustix::process::geteuid().as_raw());
        let (crowd, other) = (own + 1, own + 2);
        let seat = |uid| places.take(uid, of_user(uid));
        let mut seats: Vec<_> = std::iter::from_fn(|| seat(crowd)).collect();
        assert_eq!(seats.len(), OF_ONE_USER_MAX);
        assert!(seat(other).is_some() && seat(own).is_some());
        assert!(seat(crowd).is_none());
        seats.pop();
        assert!(seat(crowd).is_some() && places.0.lock().unwrap().len() == 1);
    }
}
