//! Two bounded sets of connections to the first database: one for making users, one for ending them.

use super::session::Session;
use super::settings::PostgresSettings;
use crate::ConnectError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// A bounded set of connections.
pub(crate) struct Lane {
    what: &'static str,
    permits: Semaphore,
    lease: Duration,
    idle: Mutex<Vec<Session>>,
}

/// One connection, held. Unless it is kept, it closes when dropped: nobody gets a connection on which something of
/// somebody else may still run.
pub(crate) struct Lease<'a> {
    session: Session,
    lane: &'a Lane,
    _permit: SemaphorePermit<'a>,
}

impl Lane {
    /// A set of at most `connections_max`.
    pub(crate) fn new(what: &'static str, connections_max: usize, lease: Duration) -> Self {
        Self { what, permits: Semaphore::new(connections_max), lease, idle: Mutex::new(Vec::new()) }
    }

    /// A connection: an idle one, or a new one if none is idle.
    pub(crate) async fn take(&self, settings: &PostgresSettings) -> Result<Lease<'_>, ConnectError> {
        let busy = || ConnectError::Busy { backend: settings.address.to_string(), what: self.what, limit: self.lease };
        let permit = timeout(self.lease, self.permits.acquire()).await.map_err(|_| busy())?;
        let permit = permit.map_err(|_| ConnectError::Bug("a set of connections was closed".to_owned()))?;
        let session = match self.idle() {
            Some(session) => session,
            None => {
                let home = settings.databases.first();
                let home = home.ok_or_else(|| ConnectError::Settings(format!("`{}` has no database", settings.address)))?;
                Session::connect(settings, home.as_str()).await?
            }
        };
        Ok(Lease { session, lane: self, _permit: permit })
    }

    fn idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| !session.is_closed());
        idle.pop()
    }
}

impl Lease<'_> {
    /// The connection.
    pub(crate) const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Keeps the connection for the next one, if everything asked on it was answered.
    pub(crate) fn settle<T>(self, outcome: &Result<T, ConnectError>) {
        if matches!(outcome, Err(ConnectError::Unreachable { .. } | ConnectError::TimedOut { .. } | ConnectError::Bug(_))) {
            return;
        }
        let Self { session, lane, .. } = self;
        lane.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }
}
