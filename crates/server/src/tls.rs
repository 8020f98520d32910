//! The server's own certificate, and who shows one.

use crate::shared::Shared;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;
use writ_agent::{WorkloadKey, server_config};
use writ_credential::x509::{CaFacts, verify_csr, verify_issued_by};
use writ_plane::{Caller, Command, NewServerCertificate, Release};
use writ_types::{Code, Denial, SpiffeId, Time};

/// The server's certificate is replaced when this much of its life is left, in seconds.
const RENEW_BEFORE: u64 = 12 * 3_600;

/// What TLS goes by: the authority, and the certificate that is shown now.
#[derive(Debug)]
pub(crate) struct Terms {
    authority: CaFacts,
    server: RwLock<Arc<ServerConfig>>,
}

impl Terms {
    /// Asks for a certificate like any workload: the entry comes first.
    pub(crate) async fn new(shared: &Arc<Shared>) -> Result<Arc<Self>, Denial> {
        let authority = shared.authority.ca().clone();
        let (server, _) = certificate(shared, &authority).await?;
        Ok(Arc::new(Self { authority, server: RwLock::new(Arc::new(server)) }))
    }

    /// What to show now.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who showed this certificate, if it holds at `now`. The handshake has judged it by the wall clock; whether the log knows it, the core asks at each use.
    pub(crate) fn caller(&self, leaf: &CertificateDer<'_>, now: Time) -> Option<(Caller, SpiffeId)> {
        let facts = verify_issued_by(leaf, &self.authority, now).ok()?;
        Some((Caller { serial: facts.serial.to_string(), key: facts.key.thumbprint() }, facts.spiffe_id))
    }

    /// Replaces the certificate in time, for ever.
    pub(crate) async fn renew(self: Arc<Self>, shared: Arc<Shared>) {
        let mut pause = Duration::from_secs(RENEW_BEFORE);
        loop {
            tokio::time::sleep(pause).await;
            pause = match certificate(&shared, &self.authority).await {
                Ok((server, _)) => {
                    *self.server.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(server);
                    Duration::from_secs(RENEW_BEFORE)
                }
                Err(denial) => {
                    tracing::warn!(%denial, "the server's certificate was not renewed");
                    Duration::from_secs(60)
                }
            };
        }
    }
}

async fn certificate(shared: &Arc<Shared>, authority: &CaFacts) -> Result<(ServerConfig, String), Denial> {
    let bug = |why: String| Denial::new(Code::Bug, why, "report this");
    let key = WorkloadKey::generate().map_err(|_| bug("the system gives no randomness".to_owned()))?;
    let csr = verify_csr(&key.csr).map_err(|error| bug(error.to_string()))?;
    let outcome = shared.ask(Command::NewServerCertificate(NewServerCertificate { csr }), None, Vec::new()).await?;
    outcome.result?;
    let order = outcome.orders.into_iter().next().ok_or_else(|| bug("the order of a certificate is lost".to_owned()))?;
    let Release::Sign(committed) = shared.release(order)? else { return Err(bug("the order is another's".to_owned())) };
    let issued = shared.authority.sign(committed).map_err(|error| bug(error.to_string()))?;
    let config =
        server_config(&[issued.der().to_vec()], &key.pkcs8, authority.clone()).map_err(|error| bug(error.to_string()))?;
    Ok((config, issued.spiffe_id().to_string()))
}
