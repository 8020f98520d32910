//! One stream: the full state at once, and again whenever it has changed (SPIFFE_Workload_API.md section 4.3).

use crate::Limits;
use crate::caller::Caller;
use crate::refusal::{denied, no_identity, stopping, too_slow, unattested};
use crate::upstream::{Entitled, Upstream};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use writ_attest::Attested;
use writ_types::{Denial, Time};

/// A stream looks at the clock at least this often: the wall clock can move without the timer.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What a kind of stream sends.
pub(crate) trait Profile: Send + 'static {
    /// Its message: always the full state.
    type Message: Clone + PartialEq + Send + 'static;

    /// The state for an attested caller that is entitled to something.
    fn state(&mut self, entitled: &Entitled, attested: &Attested) -> impl Future<Output = State<Self::Message>> + Send;
}

/// What there is to send.
pub(crate) enum State<M> {
    /// A full state, and when it is to be made again.
    Full {
        /// The message.
        message: M,
        /// When it gets old by itself.
        renew_at: Option<Time>,
        /// Part of it could not be made, for the operator's reasons.
        retry: bool,
    },
    /// Nothing yet, because people must act.
    Pending(Denial),
    /// Nothing, for the operator's reasons.
    Trouble(Status),
    /// Nothing.
    Refused(Status),
}

/// What every stream of an agent shares.
pub(crate) struct Surroundings<U> {
    pub(crate) upstream: Arc<U>,
    pub(crate) limits: Arc<Limits>,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl<U> Clone for Surroundings<U> {
    fn clone(&self) -> Self {
        Self { upstream: Arc::clone(&self.upstream), limits: Arc::clone(&self.limits), stopping: self.stopping.clone() }
    }
}

/// A stream to one caller. It ends with the client's interest, the caller's process, the caller's identity, or the server.
pub(crate) struct Stream<U, P: Profile> {
    around: Surroundings<U>,
    caller: Arc<Caller>,
    profile: P,
    sent: Option<P::Message>,
    retries: u32,
}

/// What a stream does next.
enum Next {
    /// Waits for a change, at most so long.
    Wait(Duration),
    /// Ends, with what the caller hears.
    End(Option<Status>),
}

impl<U: Upstream, P: Profile> Stream<U, P> {
    pub(crate) const fn new(around: Surroundings<U>, caller: Arc<Caller>, profile: P) -> Self {
        Self { around, caller, profile, sent: None, retries: 0 }
    }

    /// Runs the stream until it ends.
    pub(crate) async fn run(mut self, out: mpsc::Sender<Result<P::Message, Status>>) {
        let mut stop = self.around.stopping.clone();
        let caller = Arc::clone(&self.caller);
        let last = tokio::select! {
            last = self.push(&out) => last,
            () = caller.ended() => None,
            () = out.closed() => None,
            _ = stop.wait_for(|stop| *stop) => Some(stopping()),
        };
        if let Some(status) = last {
            // Nobody is left to hear it if this fails.
            let _ = out.send(Err(status)).await;
        }
    }

    async fn push(&mut self, out: &mpsc::Sender<Result<P::Message, Status>>) -> Option<Status> {
        let mut changes = self.around.upstream.changes();
        let held_until = Instant::now() + self.around.limits.pending;
        loop {
            // Marked as seen before the look: a change during the look is another round.
            changes.borrow_and_update();
            let wait = match self.round(out, held_until).await {
                Next::Wait(wait) => wait,
                Next::End(status) => return status,
            };
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Some(stopping()) },
                () = sleep(wait) => {}
            }
        }
    }

    /// Looks, makes the state, and sends it if it is new.
    async fn round(&mut self, out: &mpsc::Sender<Result<P::Message, Status>>, held_until: Instant) -> Next {
        let attested = match self.caller.attest().await {
            Ok(attested) => attested,
            Err(error) => return Next::End(Some(unattested(&error))),
        };
        let upstream = Arc::clone(&self.around.upstream);
        let entitled = match timeout(self.around.limits.upstream, upstream.entitled(&attested)).await {
            Ok(Ok(entitled)) => entitled,
            Ok(Err(denial)) if crate::refusal::is_passing(&denial) => return self.trouble(denied(&denial)),
            Ok(Err(denial)) => return Next::End(Some(denied(&denial))),
            Err(_) => return self.trouble(too_slow()),
        };
        if entitled.identities.is_empty() {
            return match entitled.pending {
                Some(denial) => self.hold(held_until, denied(&denial)),
                None => Next::End(Some(no_identity(&attested))),
            };
        }
        match self.profile.state(&entitled, &attested).await {
            State::Full { message, renew_at, retry } => self.send(out, message, renew_at, retry).await,
            State::Pending(denial) => self.hold(held_until, denied(&denial)),
            State::Trouble(status) => self.trouble(status),
            State::Refused(status) => Next::End(Some(status)),
        }
    }

    async fn send(
        &mut self,
        out: &mpsc::Sender<Result<P::Message, Status>>,
        message: P::Message,
        renew_at: Option<Time>,
        retry: bool,
    ) -> Next {
        if self.sent.as_ref() != Some(&message) {
            // There is room first, so that the look below is the last thing before the hand-over.
            let Ok(room) = out.reserve().await else { return Next::End(None) };
            if let Err(error) = self.caller.attest().await {
                return Next::End(Some(unattested(&error)));
            }
            room.send(Ok(message.clone()));
            self.sent = Some(message);
        }
        if retry {
            return Next::Wait(self.pause());
        }
        self.retries = 0;
        let until_renewal = renew_at.map_or(LOOK_EVERY, |at| at.since(self.around.upstream.now()));
        Next::Wait(until_renewal.clamp(Duration::from_millis(10), LOOK_EVERY))
    }

    /// People must act. A stream that has sent nothing yet is held for a while; one that has sent something takes it back.
    fn hold(&self, held_until: Instant, status: Status) -> Next {
        let left = held_until.saturating_duration_since(Instant::now());
        if self.sent.is_some() || left.is_zero() { Next::End(Some(status)) } else { Next::Wait(left) }
    }

    /// The operator must act. What was sent stands, and is tried again; who has nothing is told to come back.
    fn trouble(&mut self, status: Status) -> Next {
        if self.sent.is_none() {
            return Next::End(Some(status));
        }
        tracing::warn!(status = %status.message(), "a stream could not be brought up to date");
        Next::Wait(self.pause())
    }

    fn pause(&mut self) -> Duration {
        self.retries = self.retries.saturating_add(1);
        self.around.limits.retry.saturating_mul(1 << self.retries.min(5)).min(LOOK_EVERY)
    }
}
