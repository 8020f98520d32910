//! The way back after an append whose outcome nobody knows: the log is opened anew beside the writer, which goes on ending
//! meanwhile, and gone on with once it is verified and folded.

use crate::serve::ServeError;
use std::thread::JoinHandle;
use std::time::Duration;
use writ_plane::Writer;
use writ_store::SqliteStore;

/// The pause after the first try that failed; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Opens the log again and again, off the writer's thread, until one try has come out well.
#[derive(Debug, Default)]
pub(crate) struct Reopening {
    /// The try that runs.
    running: Option<JoinHandle<Result<Writer<SqliteStore>, ServeError>>>,
    tries: u32,
    /// Since boot: nothing is tried before.
    next: Duration,
}

impl Reopening {
    /// One look, at `now` since boot: begins a try where one is due, or goes on over what a try has opened. True in that case.
    pub(crate) fn look(&mut self, writer: &mut Writer<SqliteStore>, now: Duration) -> bool {
        if writer.stopped().is_none() {
            // It could be read again: a try that runs on is for nothing.
            *self = Self::default();
            return false;
        }
        let opened = match self.running.take() {
            Some(running) if running.is_finished() => running.join().unwrap_or(Err(ServeError::Ended)),
            Some(running) => {
                self.running = Some(running);
                return false;
            }
            None if now < self.next => return false,
            None => match begin(writer) {
                Ok(running) => {
                    self.running = Some(running);
                    return false;
                }
                Err(error) => Err(error),
            },
        };
        match opened.and_then(|opened| Ok(writer.resume(opened)?)) {
            Ok(()) => {
                *self = Self::default();
                tracing::info!(size = writer.log().size(), "the evidence log was opened anew, and granting goes on");
                true
            }
            Err(error) => {
                let pause = PAUSE_FIRST.saturating_mul(1 << self.tries.min(16)).min(PAUSE_MAX);
                (self.tries, self.next) = (self.tries.saturating_add(1), now.saturating_add(pause));
                tracing::error!(
                    %error,
                    why = writer.stopped(),
                    again_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                    "the evidence log can't be opened anew: nothing is granted, endings go on; mend the store"
                );
                false
            }
        }
    }
}

impl Reopening {
    /// Waits for the try that runs, so that it does not hold the directory for longer than the writer.
    pub(crate) fn end(self) {
        if let Some(running) = self.running {
            drop(running.join());
        }
    }
}

/// One try, on a thread of its own: verifying a long log takes its time.
fn begin(writer: &Writer<SqliteStore>) -> Result<JoinHandle<Result<Writer<SqliteStore>, ServeError>>, ServeError> {
    let (open, policy) = (writer.log().store().again(), writer.policy().clone());
    crate::serve::spawn_thread("reopen", move || Ok(Writer::open_knowing(open()?, Some(&policy))?))
}
