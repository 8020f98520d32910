//! The connector of one PostgreSQL cluster.

use super::doctor::{self, Report};
use super::ending::Ending;
use super::pool::Lane;
use super::scram::{FreshPassword, ITERATIONS_MAX};
use super::settings::PostgresSettings;
use super::tls;
use super::turns::Turns;
use crate::{ClosureProof, ConnectError, Connector, Effect, Made, Phase, Sealed};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Mutex;
use tokio::time::timeout;
use writ_ledger::Committed;
use writ_types::{CredentialId, CutDatabaseUser, OpenDatabaseUser, Random};

/// One managed PostgreSQL cluster.
pub struct Postgres {
    pub(crate) settings: PostgresSettings,
    pub(crate) ending: Lane,
    /// Logins that were in flight when a credential's block committed, until they are seen to have gone. Later ones
    /// meet the block, so waiting for them too would let anybody who keeps logging in hold a closure open.
    pub(crate) in_flight: Mutex<BTreeMap<CredentialId, BTreeSet<String>>>,
    opening: Lane,
    turns: Turns,
}

impl Postgres {
    /// The connector of one cluster. Nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// When the settings can't work.
    pub fn new(settings: PostgresSettings) -> Result<Self, ConnectError> {
        match &settings.ca {
            Some(ca) => tls::client(ca).map(drop)?,
            None if settings.address.is_local() => {}
            None => {
                let message = format!("`{}` is on another machine: the resource needs its `ca`", settings.address);
                return Err(ConnectError::Settings(message));
            }
        }
        if settings.databases.is_empty() {
            return Err(ConnectError::Settings(format!("`{}` has no managed database", settings.address)));
        }
        let limits = settings.limits;
        Ok(Self {
            opening: Lane::new("make a user", limits.opening_connections_max, limits.lease),
            ending: Lane::new("end a user", limits.ending_connections_max, limits.lease),
            in_flight: Mutex::default(),
            turns: Turns::default(),
            settings,
        })
    }

    /// Looks whether the login and the installed functions are what they should be. Changes nothing.
    ///
    /// # Errors
    /// When the cluster does not answer, or has no functions.
    pub async fn doctor(&self) -> Result<Report, ConnectError> {
        doctor::examine(&self.settings).await
    }

    /// Moves the cluster's fence to `epoch`; the epoch before. From then on no other epoch makes users there.
    ///
    /// # Errors
    /// [`ConnectError::Foreign`] or [`ConnectError::Epoch`] where the mark is not ours to move.
    pub async fn mark(&self, epoch: u64) -> Result<u64, ConnectError> {
        let wanted = i64::try_from(epoch).map_err(|_| ConnectError::Bug(format!("the epoch {epoch} is too large")))?;
        let mut lease = self.ending.take(&self.settings).await?;
        let before = lease.session().mark(&self.settings.installation, wanted).await;
        lease.settle(&before);
        before.map(|before| u64::try_from(before).unwrap_or_default())
    }

    async fn make(
        &self,
        index: u64,
        order: OpenDatabaseUser,
        password: FreshPassword,
        verifier: String,
    ) -> Result<Made, ConnectError> {
        let _turn = self.turns.take(order.credential).await;
        let mut lease = self.opening.take(&self.settings).await?;
        self.settings.on_phase.reach(Phase::Open);
        let opened = {
            let settings = &self.settings;
            lease.session().open(&settings.installation, &order, &verifier, settings.connections_per_user).await
        };
        let server_version = lease.session().server_version().to_owned();
        lease.settle(&opened);
        let role = opened?;
        self.settings.on_phase.reach(Phase::Opened);
        Ok(Made {
            credential: order.credential,
            user: order.user,
            backend_id: role.to_string(),
            server_version,
            ordered_at: index,
            sealed: Sealed::new(order.credential, password.into_secret()),
        })
    }

    /// What of an order can be checked before the cluster is asked.
    fn check(&self, order: &OpenDatabaseUser) -> Result<NonZeroU32, ConnectError> {
        if let Some(database) = order.databases.iter().find(|database| !self.settings.databases.contains(database)) {
            return Err(ConnectError::Bug(format!("`{database}` is not a managed database of `{}`", self.settings.address)));
        }
        NonZeroU32::new(order.scram_iterations).filter(|iterations| iterations.get() <= ITERATIONS_MAX).ok_or_else(|| {
            ConnectError::Bug(format!("{} SCRAM iterations are not 1 to {ITERATIONS_MAX}", order.scram_iterations))
        })
    }
}

impl Connector for Postgres {
    fn open<'a>(&'a self, order: Committed<OpenDatabaseUser>, random: &mut dyn Random) -> Effect<'a, Result<Made, ConnectError>> {
        let index = order.index();
        let order = order.into_order();
        let iterations = match self.check(&order) {
            Ok(iterations) => iterations,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let password = FreshPassword::draw(random);
        Box::pin(async move {
            let verifier = password.verifier(iterations);
            self.make(index, order, password, verifier).await
        })
    }

    fn end(&self, order: CutDatabaseUser) -> Effect<'_, ClosureProof> {
        Box::pin(async move {
            // An earlier effect of the same credential is let finish, but not for long: the backend's own row lock and
            // tombstone keep the order right without this turn.
            let _turn = timeout(self.settings.limits.turn, self.turns.take(order.credential)).await;
            Ending::new(self, &order).run().await
        })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.settings.address)
    }
}
