//! The writer's thread: takes what waits, steps, lets answers out, and keeps the checkpoint fresh.

use crate::clock;
use crate::entropy::Entropy;
use crate::reopening::Reopening;
use crate::shared::{Asked, Shared};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use writ_ledger::LogSigner;
use writ_plane::{Outcome, Step, Ticket};
use writ_types::{CutDatabaseUser, Denial};

/// How late the writer notices that something is due.
const TICK: Duration = Duration::from_millis(20);

/// As [`TICK`], while the log can't be written: what waits to be logged is asked for again at each step.
const TICK_STOPPED: Duration = Duration::from_millis(200);

/// How old a checkpoint may be while the log grows.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// Submissions that one step takes up at most.
const TAKE_MAX: usize = 4_096;

type Replies = BTreeMap<Ticket, oneshot::Sender<Result<Outcome, Denial>>>;

/// The writer's thread, until nobody can ask any more.
pub(crate) fn run(
    shared: &Weak<Shared>,
    queue: &Receiver<Asked>,
    signer: &LogSigner,
    cuts: &mpsc::UnboundedSender<CutDatabaseUser>,
) {
    let mut replies = Replies::new();
    let mut signed_at = Duration::ZERO;
    let mut random = Entropy::default();
    let mut reopening = Reopening::default();
    let mut tick = TICK;
    loop {
        let first = match queue.recv_timeout(tick) {
            Ok(asked) => Some(asked),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        // What the writer stands over holds the way to it: only those who can ask keep it.
        let Some(shared) = shared.upgrade() else { break };
        let mut writer = shared.read();
        let (before, grounds) = (writer.log().size(), writer.state().grounds());
        for asked in first.into_iter().chain(queue.try_iter()).take(TAKE_MAX) {
            match writer.submit(asked.submission) {
                Ok(ticket) => {
                    replies.insert(ticket, asked.reply);
                }
                // Who no longer waits for the answer does not get one.
                Err(denial) => drop(asked.reply.send(Err(denial))),
            }
        }
        reopening.look(&mut writer, clock::boot());
        let step = writer.step(clock::read(), &mut random);
        tick = if writer.stopped().is_some() { TICK_STOPPED } else { TICK };
        let size = writer.log().size();
        if size != before {
            index(&shared, &writer, before, size);
        }
        let late = clock::boot().saturating_sub(signed_at) >= CHECKPOINT_EVERY && writer.stopped().is_none();
        if late && writer.log().checkpoint().is_none_or(|signed| signed.checkpoint().size != size) {
            signed_at = clock::boot();
            if let Err(error) = writer.log_mut().sign_checkpoint(signer) {
                tracing::warn!(%error, "the checkpoint can't be signed");
            }
        }
        let moved = (writer.state().grounds() != grounds).then(|| writer.state().grounds());
        drop(writer);
        publish(&shared, step, moved, &mut replies, cuts);
    }
    reopening.end();
}

/// Lets answers out, now that the log is durable up to them.
fn publish(
    shared: &Shared,
    step: Step,
    moved: Option<u64>,
    replies: &mut Replies,
    cuts: &mpsc::UnboundedSender<CutDatabaseUser>,
) {
    for cut in step.cuts {
        // The receiver lives as long as the process.
        drop(cuts.send(cut));
    }
    // Only what documents rest on: every stream looks again on each of these.
    if let Some(grounds) = moved {
        shared.changes.send_replace(grounds);
    }
    for outcome in step.outcomes {
        if let Some(reply) = replies.remove(&outcome.ticket) {
            drop(reply.send(Ok(outcome)));
        }
    }
}

/// Brings the index up to the log. It is a projection: an entry that can't be read there is a bug, and only `why` suffers.
fn index(shared: &Shared, writer: &writ_plane::Writer<writ_store::SqliteStore>, from: u64, to: u64) {
    let mut index = shared.index.write().unwrap_or_else(PoisonError::into_inner);
    for place in from..to {
        match writer.log().entry(place) {
            Ok(entry) => {
                index.add(place, &entry);
                shared.watched.tell(&entry);
            }
            Err(error) => tracing::error!(%error, place, "an entry can't be indexed"),
        }
    }
}
