//! Listening, bounded in connections, bytes and time.

use super::asker::stranger;
use super::{App, Via, router};
use crate::shared::Shared;
use crate::tls::Terms;
use axum::Router;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use writ_plane::Caller;
use writ_types::SpiffeId;

/// Connections at once, for each listener.
const CONNECTIONS_MAX: usize = 1_024;
/// Of those, one user's at once: nobody on the machine can take every place from the others.
const OF_ONE_USER_MAX: usize = 256;
/// The time in which a connection sends its next request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// The time in which a handshake is done.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The longest that one connection lives.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(300);
/// After the system refused a connection, wait a little: it is out of something.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Serves the admin socket.
pub(crate) async fn admin(listener: UnixListener, app: App) {
    let shared = Arc::clone(&app.shared);
    let router = router(app);
    let mut open = Connections::new();
    loop {
        let permit = open.permit().await;
        match (listener.accept().await, permit) {
            (Ok((stream, _)), Ok(permit)) => {
                let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
                let Some(seat) = uid.and_then(|uid| open.seat(uid)) else { continue };
                let talk = converse(stream, router.clone(), Via::Socket, Arc::clone(&shared));
                open.spawn(
                    async move {
                        talk.await;
                        drop(seat);
                    },
                    permit,
                );
            }
            _ => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

/// Serves the API by certificate.
pub(crate) async fn tls(listener: TcpListener, app: App, terms: Arc<Terms>) {
    let shared = Arc::clone(&app.shared);
    let router = router(app);
    let mut open = Connections::new();
    loop {
        let permit = open.permit().await;
        match (listener.accept().await, permit) {
            (Ok((stream, _)), Ok(permit)) => {
                let (router, terms, shared) = (router.clone(), Arc::clone(&terms), Arc::clone(&shared));
                let talk = async move {
                    let acceptor = TlsAcceptor::from(terms.server());
                    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await else { return };
                    // The handshake has proven the key; the certificate is judged by the verifier, and by the log on use.
                    let caller = stream
                        .get_ref()
                        .1
                        .peer_certificates()
                        .and_then(|chain| chain.first())
                        .and_then(|leaf| terms.caller(leaf, crate::clock::now(shared.read().state())));
                    if let Some((caller, spiffe_id)) = caller {
                        let via = join(&shared, caller, spiffe_id);
                        converse(stream, router, via, shared).await;
                    }
                };
                open.spawn(talk, permit);
            }
            _ => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

/// A listener's connections. They end with it.
struct Connections {
    permits: Arc<Semaphore>,
    users: BTreeMap<u32, Arc<Semaphore>>,
    open: JoinSet<()>,
}

impl Connections {
    fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(CONNECTIONS_MAX)), users: BTreeMap::new(), open: JoinSet::new() }
    }

    /// Room for one more.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.permits).acquire_owned().await
    }

    /// A place of this user's, if one is left. The server's own user has all of them.
    fn seat(&mut self, uid: u32) -> Option<OwnedSemaphorePermit> {
        let most = if uid == rustix::process::geteuid().as_raw() { CONNECTIONS_MAX } else { OF_ONE_USER_MAX };
        self.users.retain(|user, seats| *user == uid || Arc::strong_count(seats) > 1);
        let seats = self.users.entry(uid).or_insert_with(|| Arc::new(Semaphore::new(most)));
        Arc::clone(seats).try_acquire_owned().ok()
    }

    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static, permit: OwnedSemaphorePermit) {
        while self.open.try_join_next().is_some() {}
        self.open.spawn(async move {
            // An overlong connection is dropped; what it asked of the writer is done all the same.
            drop(tokio::time::timeout(CONNECTION_LIFE_MAX, work).await);
            drop(permit);
        });
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
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law 12: whoever crowds the socket keeps nobody else from ending something.
    #[tokio::test]
    async fn one_user_can_not_take_every_place() {
        let mut open = Connections::new();
        let (crowd, other) = (rustix::process::geteuid().as_raw() + 1, rustix::process::geteuid().as_raw() + 2);
        let mut seats: Vec<_> = std::iter::from_fn(|| open.seat(crowd)).collect();
        assert_eq!(seats.len(), OF_ONE_USER_MAX);
        assert!(open.seat(other).is_some() && open.seat(rustix::process::geteuid().as_raw()).is_some());
        assert!(open.seat(crowd).is_none());
        seats.pop();
        assert!(open.seat(crowd).is_some() && open.users.len() == 1);
    }
}
