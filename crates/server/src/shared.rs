//! What every part of the server stands over: the writer behind its lock, the queue to it, and what it has said.

use crate::counted::Counted;
use crate::entropy::Entropy;
use crate::watched::Watched;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::{oneshot, watch};
use writ_issue::X509Authority;
use writ_ledger::{Blob, Committed};
use writ_plane::{Command, Outcome, Release, Submission, Writer};
use writ_store::SqliteStore;
use writ_types::{Code, Denial, Digest, Order};

/// The server's middle. Between steps the state is durable, and only then can a reader take the lock: nothing that was
/// computed at an index leaves before the log is durable up to it.
pub(crate) struct Shared {
    pub(crate) writer: Mutex<Writer<SqliteStore>>,
    pub(crate) index: RwLock<writ_plane::Index>,
    queue: SyncSender<Asked>,
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) watched: Watched,
    pub(crate) authority: X509Authority,
    pub(crate) genesis: Digest,
    /// Certificates that were shown, validly signed and unknown to the log.
    pub(crate) strangers: AtomicU64,
    /// What was refused without an entry of its own.
    pub(crate) counted: Counted,
}

/// One submission and where its answer goes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) submission: Submission,
    pub(crate) reply: oneshot::Sender<Result<Outcome, Denial>>,
}

impl Shared {
    pub(crate) fn new(
        writer: Writer<SqliteStore>,
        index: writ_plane::Index,
        queue: SyncSender<Asked>,
        authority: X509Authority,
        genesis: Digest,
    ) -> Self {
        let (changes, _) = watch::channel(writer.state().size());
        Self {
            writer: Mutex::new(writer),
            index: RwLock::new(index),
            queue,
            changes,
            watched: Watched::default(),
            authority,
            genesis,
            strangers: AtomicU64::new(0),
            counted: Counted::default(),
        }
    }

    /// Asks the writer, and waits until the log is durable up to the answer.
    pub(crate) async fn ask(&self, command: Command, key: Option<String>, blobs: Vec<Blob>) -> Result<Outcome, Denial> {
        let (reply, answer) = oneshot::channel();
        let asked = Asked { submission: Submission { key, command, blobs }, reply };
        put(&self.queue, asked)?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// What is true and durable. The guard is held for as long as one answer takes to put together, and never across a wait.
    pub(crate) fn read(&self) -> MutexGuard<'_, Writer<SqliteStore>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Shared::read`], for whoever asks from outside: after a failed append nothing is told until memory is what the log says.
    ///
    /// # Errors
    /// Memory is ahead of the log.
    pub(crate) fn told(&self) -> Result<MutexGuard<'_, Writer<SqliteStore>>, Denial> {
        let writer = self.read();
        if writer.is_ahead() { Err(stopped()) } else { Ok(writer) }
    }

    /// The release gate, asked at the moment of the effect. While it is not known where the log ends, nothing passes: what was
    /// ended since may not be in it.
    pub(crate) fn release(&self, order: Committed<Order>) -> Result<Release, Denial> {
        let writer = self.read();
        if writer.stopped().is_some() { Err(stopped()) } else { writer.release(order, crate::clock::now(writer.state())) }
    }

    /// A random text for challenges and tokens: `bytes` random bytes in base64url.
    pub(crate) fn random_text(bytes: usize) -> String {
        use base64::Engine as _;
        use writ_types::Random as _;
        let mut bits = vec![0u8; bytes];
        Entropy::default().fill(&mut bits);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bits)
    }
}

/// Puts a submission where the writer takes it up. A full queue is said at once: nobody waits to wait.
fn put(queue: &SyncSender<Asked>, asked: Asked) -> Result<(), Denial> {
    queue.try_send(asked).map_err(|error| match error {
        TrySendError::Full(_) => Denial::new(Code::Overloaded, "too much waits already", "try again in a second"),
        TrySendError::Disconnected(_) => stopped(),
    })
}

fn stopped() -> Denial {
    Denial::new(
        Code::LogUnavailable,
        "the evidence log can't be written",
        "try again in a moment: it goes on by itself once the operator has mended the store; the server's log says what is wrong",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    /// A queue has a bound, and what does not fit is told to come back.
    #[test]
    fn a_full_queue_is_overloaded_and_a_stopped_writer_is_the_logs_fault() {
        let (queue, taken) = sync_channel(2);
        let ask = || {
            let submission = Submission { key: None, command: Command::Due, blobs: Vec::new() };
            put(&queue, Asked { submission, reply: oneshot::channel().0 }).map_err(|denial| denial.code)
        };
        assert_eq!((ask(), ask(), ask()), (Ok(()), Ok(()), Err(Code::Overloaded)));
        drop(taken.recv());
        assert_eq!((ask(), ask()), (Ok(()), Err(Code::Overloaded)));
        drop(taken);
        assert_eq!(ask(), Err(Code::LogUnavailable));
    }
}
