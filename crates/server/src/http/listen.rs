//! Listening, bounded in connections, bytes and time.

use super::{App, Via, router};
use crate::tls::Terms;
use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Connections at once, for each listener.
const CONNECTIONS_MAX: usize = 1_024;
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
    let router = router(app);
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        match (listener.accept().await, permit) {
            (Ok((stream, _)), Ok(permit)) => spawn(converse(stream, router.clone(), Via::Socket), permit),
            _ => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

/// Serves the API by certificate.
pub(crate) async fn tls(listener: TcpListener, app: App, terms: Arc<Terms>) {
    let router = router(app);
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        match (listener.accept().await, permit) {
            (Ok((stream, _)), Ok(permit)) => {
                let (router, terms) = (router.clone(), Arc::clone(&terms));
                let talk = async move {
                    let acceptor = TlsAcceptor::from(terms.server());
                    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await else { return };
                    // The handshake has proven the key; the certificate is judged by the verifier, and by the log on use.
                    let caller = stream
                        .get_ref()
                        .1
                        .peer_certificates()
                        .and_then(|chain| chain.first())
                        .and_then(|leaf| terms.caller(leaf));
                    if let Some(caller) = caller {
                        converse(stream, router, Via::Svid(caller)).await;
                    }
                };
                spawn(talk, permit);
            }
            _ => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

fn spawn(work: impl Future<Output = ()> + Send + 'static, permit: OwnedSemaphorePermit) {
    tokio::spawn(async move {
        // An overlong connection is dropped; what it asked of the writer is done all the same.
        drop(tokio::time::timeout(CONNECTION_LIFE_MAX, work).await);
        drop(permit);
    });
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, via: Via) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(via.clone());
        router.clone().oneshot(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(64 * 1024);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}
