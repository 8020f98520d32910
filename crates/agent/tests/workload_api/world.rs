//! A small upstream with a real authority, and an agent over it on a real socket.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use writ_agent::{AgentError, Entitled, Entitlement, Limits, Svid, Upstream, bind, serve};
use writ_attest::Attested;
use writ_credential::x509::{CaFacts, CaPlan, P256Key, Serial, SvidPlan, assemble, parse_ca, verify_csr};
use writ_types::{Denial, IdentityId, Selector, SpiffeId, TextValue, Time, TrustDomain, Ttl};

/// An authority that signs at once; real documents, no log.
pub(crate) struct Authority {
    pair: EcdsaKeyPair,
    pub(crate) facts: CaFacts,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = P256Key::from_point(pair.public_key().as_ref()).unwrap();
        let plan = CaPlan {
            serial: Serial::from_random(random()),
            trust_domain: &TrustDomain::parse("example.org").unwrap(),
            key: &key,
            not_before: now(),
            not_after: now().after(Ttl::from_seconds(86_400)),
        };
        let tbs = plan.tbs().unwrap();
        let facts = parse_ca(&assemble(&tbs, pair.sign(&SystemRandom::new(), &tbs).unwrap().as_ref())).unwrap();
        Self { pair, facts }
    }

    pub(crate) fn sign(&self, spiffe_id: &SpiffeId, csr: &[u8], expires: Time) -> Vec<u8> {
        let csr = verify_csr(csr).unwrap();
        let (serial, issuer) = (Serial::from_random(random()), &self.facts);
        let tbs = SvidPlan { serial, spiffe_id, csr: &csr, not_before: now(), not_after: expires, issuer }.tbs().unwrap();
        assemble(&tbs, self.pair.sign(&SystemRandom::new(), &tbs).unwrap().as_ref())
    }
}

/// What the upstream knows.
pub(crate) struct Estate {
    pub(crate) authority: Authority,
    pub(crate) identities: Vec<(Entitlement, BTreeSet<Selector>)>,
    pub(crate) pending: Option<Denial>,
    /// What issuing answers instead of an SVID.
    pub(crate) failing: Option<Denial>,
    pub(crate) ttl: Ttl,
}

/// The upstream.
pub(crate) struct Estates {
    pub(crate) estate: Mutex<Estate>,
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) issued: AtomicUsize,
}

impl Estates {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Estate) -> T) -> T {
        let result = change(&mut self.estate.lock().unwrap());
        self.changes.send_modify(|version| *version += 1);
        result
    }

    /// Files an identity for whoever is `selector`.
    pub(crate) fn register(&self, path: &str, selector: &str) -> IdentityId {
        let identity = IdentityId::from_bits(random());
        let spiffe_id = SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap();
        let selectors = [Selector::parse(selector).unwrap()].into();
        let entitlement = Entitlement { identity, spiffe_id, hint: String::new(), generation: 0 };
        self.change(|estate| estate.identities.push((entitlement, selectors)));
        identity
    }
}

impl Upstream for Estates {
    fn trust_domain(&self) -> TrustDomain {
        TrustDomain::parse("example.org").unwrap()
    }

    async fn entitled(&self, attested: &Attested) -> Result<Entitled, Denial> {
        let estate = self.estate.lock().unwrap();
        let mine = estate.identities.iter().filter(|(_, selectors)| attested.matches(selectors));
        Ok(Entitled { identities: mine.map(|(entitlement, _)| entitlement.clone()).collect(), pending: estate.pending.clone() })
    }

    async fn issue(&self, to: &Entitlement, csr: Vec<u8>, _attested: &Attested) -> Result<Svid, Denial> {
        let estate = self.estate.lock().unwrap();
        if let Some(denial) = &estate.failing {
            return Err(denial.clone());
        }
        self.issued.fetch_add(1, Ordering::Relaxed);
        let expires = now().after(estate.ttl);
        Ok(Svid { chain: vec![estate.authority.sign(&to.spiffe_id, &csr, expires)], expires })
    }

    fn bundle(&self) -> Vec<Vec<u8>> {
        vec![self.estate.lock().unwrap().authority.facts.der().to_vec()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn now(&self) -> Time {
        now()
    }
}

/// An agent that serves.
pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) estates: Arc<Estates>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), AgentError>>>,
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        let directory =
            tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711)).tempdir().unwrap();
        let estate = Estate {
            authority: Authority::new(),
            identities: Vec::new(),
            pending: None,
            failing: None,
            ttl: Ttl::from_seconds(3_600),
        };
        let estates =
            Arc::new(Estates { estate: Mutex::new(estate), changes: watch::Sender::new(0), issued: AtomicUsize::new(0) });
        let listener = bind(&directory.path().join("workload.sock")).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, Arc::clone(&estates), limits, async {
            let _ = stopped.await;
        }));
        Self { directory, estates, stop: Some(stop), serving: Some(serving) }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("workload.sock")
    }

    /// The socket as `SPIFFE_ENDPOINT_SOCKET` has it.
    pub(crate) fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub(crate) async fn stop(&mut self) -> Result<(), AgentError> {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap().await.unwrap()
    }
}

/// The selector of this very process's user.
pub(crate) fn own_uid() -> String {
    format!("unix:uid:{}", rustix::process::geteuid().as_raw())
}

pub(crate) fn random() -> [u8; 16] {
    let mut bits = [0; 16];
    aws_lc_rs::rand::fill(&mut bits).unwrap();
    bits
}

#[expect(clippy::disallowed_methods, reason = "the test's clock")]
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap())
}
