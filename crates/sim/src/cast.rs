//! Who plays: the people and the agents, with keys that are made once.

use crate::{Holder, Person, Seeded};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use writ_credential::x509::VerifiedCsr;
use writ_ledger::LogSigner;
use writ_types::{IdentityId, TextValue as _, Time, TrustDomain, Ttl};

/// The people and the agents.
#[derive(Debug)]
pub struct Cast {
    people: BTreeMap<&'static str, Person>,
    agents: Vec<Agent>,
    /// The log's verifier key.
    pub log_key: String,
    /// The trust domain.
    pub trust_domain: TrustDomain,
    /// The X.509 authority's certificate, DER.
    pub authority: Vec<u8>,
}

/// A program with a key.
#[derive(Debug)]
pub struct Agent {
    /// The identity that it runs as.
    pub identity: IdentityId,
    /// Its name.
    pub name: &'static str,
    /// What attestation shows of it.
    pub selector: &'static str,
    /// Its request.
    pub csr: VerifiedCsr,
}

/// When the world begins.
pub(crate) const BEGIN: Time = Time::from_seconds(1_795_341_600);
pub(crate) const ORIGIN: &str = "writ.example/prod";

/// Alice and Bob found the trust domain; the others are enrolled.
pub(crate) const PEOPLE: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "mallory"];

static CAST: LazyLock<Cast> = LazyLock::new(Cast::new);

impl Cast {
    /// The one cast of all worlds.
    pub fn get() -> &'static Self {
        &CAST
    }

    fn new() -> Self {
        let mut random = Seeded::new(0);
        let people = PEOPLE.iter().map(|handle| (*handle, Person::new(handle, &mut random))).collect();
        let trust_domain = TrustDomain::parse("prod.example").unwrap();
        let agent = |name, selector, random: &mut Seeded| Agent {
            identity: IdentityId::mint(random),
            name,
            selector,
            csr: Holder::new().csr(),
        };
        let agents = vec![
            agent("invoicer", "unix:uid:1001", &mut random),
            agent("reporter", "unix:uid:1002", &mut random),
            agent("judge", "unix:uid:1003", &mut random),
        ];
        let signer = LogSigner::mint(ORIGIN, &mut random).unwrap();
        let log_key = LogSigner::parse(&signer).unwrap().key().to_string();
        let life = Ttl::from_seconds(90 * 86_400);
        let authority = Holder::new().authority(&trust_domain, BEGIN, life);
        Self { people, agents, log_key, trust_domain, authority }
    }

    /// The person with this handle.
    ///
    /// # Panics
    /// When nobody has it.
    pub fn person(&self, handle: &str) -> &Person {
        self.people.get(handle).unwrap()
    }

    /// Everybody.
    pub fn people(&self) -> impl Iterator<Item = (&'static str, &Person)> {
        self.people.iter().map(|(handle, person)| (*handle, person))
    }

    /// The agent with this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn agent(&self, name: &str) -> &Agent {
        self.agents.iter().find(|agent| agent.name == name).unwrap()
    }

    /// All agents.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }
}
