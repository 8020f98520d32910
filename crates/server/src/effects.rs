//! Effects in backends: made from committed orders, ended without waiting for anything, each credential's one after another.

use crate::clock;
use crate::entropy::Entropy;
use crate::shared::Shared;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use writ_connect::postgres::{Address, Login, Postgres, PostgresSettings, Standing};
use writ_connect::{ClosureProof, ConnectError, Connector, PhaseHook};
use writ_ledger::Committed;
use writ_plane::{Closing, Command, Failed, Made, Release};
use writ_store::KeyDir;
use writ_types::{Closure, Code, CredentialId, CutDatabaseUser, Denial, OpenDatabaseUser, ResourceId, Secret, Time, Ttl};

/// A backend that does not say when to try again is tried after this.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Connectors, and the endings under way.
pub(crate) struct Effects {
    shared: Arc<Shared>,
    passfiles: KeyDir,
    on_phase: PhaseHook,
    connectors: Mutex<BTreeMap<ResourceId, (u64, Arc<Managed>)>>,
    /// Each credential that is being ended, with the time of the next try while it waits for one.
    ending: Mutex<BTreeMap<CredentialId, Option<Time>>>,
}

/// One managed cluster.
struct Managed {
    backend: Postgres,
    /// Set once the cluster was found fit and its fence stands at our epoch. Only making waits for that; ending never does.
    fit: OnceCell<()>,
}

impl Managed {
    /// Looks whether the connector's login can do what it must and nothing else, and moves the fence to `epoch`.
    ///
    /// Outside a development domain a login that can do more is refused: it is the kind of standing right that Writ bounds.
    async fn ready(&self, epoch: u64, is_dev: bool) -> Result<(), ConnectError> {
        let examine = async {
            let report = self.backend.doctor().await?;
            for finding in &report.findings {
                tracing::warn!(what = %finding.what, help = %finding.help, "the doctor of a managed cluster");
            }
            if report.standing != Standing::Ours || !(is_dev || report.is_fit()) {
                let what: Vec<_> = report.findings.iter().map(|finding| finding.what.clone()).collect();
                return Err(ConnectError::Settings(format!("the cluster is not fit to be managed: {}", what.join("; "))));
            }
            self.backend.mark(epoch).await.map(drop)
        };
        self.fit.get_or_try_init(|| examine).await.copied()
    }
}

impl Effects {
    pub(crate) fn new(shared: Arc<Shared>, passfiles: KeyDir, on_phase: PhaseHook) -> Self {
        Self { shared, passfiles, on_phase, connectors: Mutex::default(), ending: Mutex::default() }
    }

    /// Makes a user, records that it is made, and only then opens the password.
    pub(crate) async fn open(&self, order: Committed<OpenDatabaseUser>) -> Result<Secret<String>, Denial> {
        let (credential, resource) = (order.order().credential, order.order().resource);
        let is_dev = self.shared.read().state().domain().is_dev();
        let made = match self.connector(&resource) {
            Ok(managed) => match managed.ready(order.order().epoch, is_dev).await {
                Ok(()) => managed.backend.open(order, &mut Entropy::default()).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                tracing::warn!(%credential, %error, "a credential was not made");
                let why = error.code().as_str().to_owned();
                self.shared.ask(Command::Failed(Failed { credential, why }), None, Vec::new()).await?;
                return Err(Denial::new(
                    Code::BackendUnavailable,
                    "the backend did not make the credential",
                    "have the operator of the resource look at it, then ask again",
                ));
            }
        };
        let outcome = Command::Made(Made { credential, backend_id: made.backend_id });
        let outcome = match self.shared.ask(outcome, None, Vec::new()).await {
            Ok(outcome) => outcome.result.map(|_| outcome.orders),
            Err(denial) => Err(denial),
        };
        let orders = match outcome {
            Ok(orders) => orders,
            // Stale: it was revoked meanwhile, and is being ended. Otherwise nobody else will end what was made.
            Err(denial) if denial.code == Code::Stale => return Err(denial),
            Err(denial) => {
                let why = denial.code.as_str().to_owned();
                self.shared.ask(Command::Failed(Failed { credential, why }), None, Vec::new()).await?;
                return Err(denial);
            }
        };
        for order in orders {
            if let Release::Password(committed) = self.shared.release(order)? {
                return made.sealed.open(&committed).map_err(|error| Denial::new(Code::Bug, error.to_string(), "report this"));
            }
        }
        Err(Denial::new(
            Code::Stale,
            "the credential was revoked before it could be handed over",
            "ask again in a task that runs",
        ))
    }

    /// Ends a user: again and again until the backend has shown that nobody is left and what it left is cleaned up.
    pub(crate) async fn end(self: Arc<Self>, cut: CutDatabaseUser) {
        match self.ending().entry(cut.credential) {
            Entry::Occupied(_) => return,
            Entry::Vacant(place) => place.insert(None),
        };
        loop {
            let proof = match self.connector(&cut.resource) {
                Ok(managed) => managed.backend.end(cut.clone()).await,
                Err(error) => unreachable(cut.credential, &error),
            };
            let pause = proof.next_try.unwrap_or(TRY_AGAIN);
            let closed = proof.access_ended && proof.tidy;
            let said = self.report(&cut, proof).await;
            let pause = match (closed, said) {
                (true, Ok(())) => break,
                (true, Err(())) => TRY_AGAIN,
                (false, _) => pause,
            };
            let next_try = clock::wall().micros().saturating_add(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX));
            self.ending().insert(cut.credential, Some(Time::from_micros(next_try)));
            tokio::time::sleep(pause).await;
            self.ending().insert(cut.credential, None);
        }
        self.ending().remove(&cut.credential);
    }

    /// When the end of a credential is tried again; none while it is being tried, and once it is closed. The log keeps only what changed:
    /// the time that it has may have passed.
    pub(crate) fn next_try(&self, credential: &CredentialId) -> Option<Time> {
        let next_try = self.ending().get(credential).copied().flatten();
        next_try.filter(|at| *at > clock::wall())
    }

    /// Puts what was seen into the log. The log may be away: then the report comes with the next try.
    async fn report(&self, cut: &CutDatabaseUser, proof: ClosureProof) -> Result<(), ()> {
        let point = self.shared.read().state().resources().get(&cut.resource).map(|resource| resource.name.to_string());
        let next_try = proof.next_try.map(|pause| clock::wall().after(Ttl::from_seconds(pause.as_secs().max(1))));
        let mut evidence = proof.evidence;
        evidence.extend(proof.reason);
        let closing = Closing {
            credential: cut.credential,
            point: point.unwrap_or_else(|| cut.resource.to_string()),
            state: proof.state,
            tidy: proof.tidy,
            evidence,
            next_try,
        };
        match self.shared.ask(Command::Closing(closing), None, Vec::new()).await {
            Ok(outcome) if outcome.result.is_ok() => Ok(()),
            _ => Err(()),
        }
    }

    /// The connector of a resource as it is set now.
    fn connector(&self, id: &ResourceId) -> Result<Arc<Managed>, ConnectError> {
        let resource = self.shared.read().state().resources().get(id).cloned();
        let resource = resource.ok_or_else(|| ConnectError::Settings(format!("resource `{id}` is gone")))?;
        if let Some((version, connector)) = self.connectors().get(id)
            && *version == resource.version
        {
            return Ok(Arc::clone(connector));
        }
        let name = format!("{}.pass", resource.name);
        let passfile = self.passfiles.read_text(&name).map_err(|error| ConnectError::Settings(error.to_string()))?;
        let address = Address::parse(&resource.postgres.address)?;
        let login = Login::from_passfile(&passfile, &address)?;
        let mut settings = PostgresSettings::of(&resource.postgres, self.shared.genesis, login)?;
        settings.on_phase = self.on_phase.clone();
        let connector = Arc::new(Managed { backend: Postgres::new(settings)?, fit: OnceCell::new() });
        self.connectors().insert(*id, (resource.version, Arc::clone(&connector)));
        Ok(connector)
    }

    fn connectors(&self) -> MutexGuard<'_, BTreeMap<ResourceId, (u64, Arc<Managed>)>> {
        self.connectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ending(&self) -> MutexGuard<'_, BTreeMap<CredentialId, Option<Time>>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known where there is no way to the backend at all.
fn unreachable(credential: CredentialId, error: &ConnectError) -> ClosureProof {
    ClosureProof {
        credential,
        state: Closure::Unknown,
        access_ended: false,
        tidy: false,
        rounds: 0,
        evidence: Vec::new(),
        reason: Some(error.to_string()),
        next_try: Some(TRY_AGAIN),
    }
}
