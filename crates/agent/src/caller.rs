//! Who is at the other end of a connection.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use writ_attest::{AttestError, Attested, Peer};

/// The caller of one connection: pinned and challenged. It holds its place among its user's connections.
#[derive(Debug)]
pub(crate) struct Caller {
    peer: Arc<Peer>,
    answered: watch::Receiver<bool>,
    handshake: Duration,
    _places: [OwnedSemaphorePermit; 2],
}

/// Says that the challenge's answer came over the connection.
#[derive(Debug)]
pub(crate) struct Answered {
    peer: Arc<Peer>,
    nonce: [u8; 8],
    told: watch::Sender<bool>,
}

impl Answered {
    pub(crate) fn came(&self) {
        self.peer.answer(self.nonce);
        self.told.send_replace(true);
    }
}

impl Caller {
    /// The caller, and what tells it of the answer to `nonce`.
    pub(crate) fn new(peer: Peer, nonce: [u8; 8], handshake: Duration, places: [OwnedSemaphorePermit; 2]) -> (Self, Answered) {
        let peer = Arc::new(peer);
        let (told, answered) = watch::channel(false);
        let caller = Self { peer: Arc::clone(&peer), answered, handshake, _places: places };
        (caller, Answered { peer, nonce, told })
    }

    /// What the caller is, now.
    pub(crate) async fn attest(&self) -> Result<Attested, AttestError> {
        let mut answered = self.answered.clone();
        let _ = tokio::time::timeout(self.handshake, answered.wait_for(|answered| *answered)).await;
        let peer = Arc::clone(&self.peer);
        blocking(move || peer.attest()).await
    }

    /// Resolves when the caller's process ends. Never, if that can't be watched: then the next look finds it.
    pub(crate) async fn ended(&self) {
        if self.peer.ended().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Runs a look, which reads files, off the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, AttestError> + Send + 'static,
) -> Result<T, AttestError> {
    match tokio::task::spawn_blocking(look).await {
        Ok(result) => result,
        Err(error) => Err(AttestError::Kernel(error.into())),
    }
}
