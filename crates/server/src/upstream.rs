//! The server as the Workload API sees it.

use crate::clock;
use crate::shared::Shared;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;
use writ_agent::{Entitled, Entitlement, Svid, Upstream};
use writ_attest::Attested;
use writ_credential::x509::verify_csr;
use writ_ledger::body::Item;
use writ_plane::{Command, IssueSvid, Missing, Release, State, Who, in_force_with, needs};
use writ_policy::PolicySet;
use writ_types::{Code, Denial, Time, TrustDomain};

/// The writer behind the Workload API.
pub(crate) struct Local {
    shared: Arc<Shared>,
    trust_domain: TrustDomain,
}

impl Local {
    pub(crate) const fn new(shared: Arc<Shared>, trust_domain: TrustDomain) -> Self {
        Self { shared, trust_domain }
    }
}

fn selectors(attested: &Attested) -> BTreeSet<String> {
    attested.selectors().iter().map(ToString::to_string).collect()
}

impl Upstream for Local {
    fn trust_domain(&self) -> TrustDomain {
        self.trust_domain.clone()
    }

    async fn entitled(&self, attested: &Attested) -> Result<Entitled, Denial> {
        let shown = selectors(attested);
        let writer = self.shared.told()?;
        let state = writer.state();
        let mut entitled = Entitled::default();
        for (id, identity) in state.identities().matching(&shown) {
            match state.boundaries().chartered(state.people(), &identity.boundary) {
                Ok(_) => entitled.identities.push(Entitlement {
                    identity: *id,
                    spiffe_id: identity.spiffe_id.clone(),
                    hint: identity.name.to_string(),
                    generation: identity.version,
                }),
                Err(missing) => {
                    let denial = Missing::denial(&missing, &format!("a document for identity `{}`", identity.name));
                    entitled.pending.get_or_insert(denial);
                }
            }
        }
        entitled.pending = entitled.pending.or_else(|| filed(state, writer.policy(), &shown));
        if entitled.identities.is_empty() && entitled.pending.is_none() {
            self.shared.counted.add(Code::Unauthenticated);
        }
        Ok(entitled)
    }

    async fn issue(&self, to: &Entitlement, csr: Vec<u8>, attested: &Attested) -> Result<Svid, Denial> {
        let csr = verify_csr(&csr)
            .map_err(|error| Denial::new(Code::Malformed, error.to_string(), "send a PKCS#10 request with a P-256 key"))?;
        let command = IssueSvid { identity: to.identity, csr, attested: selectors(attested) };
        let outcome = self.shared.ask(Command::IssueSvid(command), None, Vec::new()).await?;
        outcome.result?;
        let order = outcome.orders.into_iter().next().ok_or_else(lost)?;
        let Release::Sign(committed) = self.shared.release(order)? else { return Err(lost()) };
        let issued =
            self.shared.authority.sign(committed).map_err(|error| Denial::new(Code::Bug, error.to_string(), "report this"))?;
        Ok(Svid { chain: vec![issued.der().to_vec()], expires: issued.expires() })
    }

    fn bundle(&self) -> Vec<Vec<u8>> {
        // It was durable before anything listened, and is the only one for as long as this process runs.
        vec![self.shared.authority.ca().der().to_vec()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn now(&self) -> Time {
        clock::wall()
    }
}

fn lost() -> Denial {
    Denial::new(Code::Bug, "the order of a certificate is lost", "report this")
}

/// Where an identity with these selectors is filed and waits for signatures: who must sign what.
fn filed(state: &State, policy: &PolicySet, shown: &BTreeSet<String>) -> Option<Denial> {
    for (id, change) in state.changes().iter() {
        let waits = change.content.items.iter().any(|item| match item {
            Item::Identity(identity) => !identity.retired && identity.selectors.iter().all(|selector| shown.contains(selector)),
            _ => false,
        });
        if !waits {
            continue;
        }
        let mut missing = BTreeSet::new();
        let mut who = BTreeSet::new();
        for part in change.parts().into_iter().filter(|part| !change.done.contains(part)) {
            for need in needs(state, policy, change, part, clock::now(state)) {
                if in_force_with(change, &need) {
                    continue;
                }
                missing.insert(need.reason.clone());
                if let Who::Some { of, .. } = &need.who {
                    who.extend(of.iter().map(ToString::to_string));
                }
            }
        }
        let help = format!("have them run `writ sign {id}`");
        return Some(
            Denial::new(Code::Unchartered, "the identity is filed and waits for signatures", help).missing(missing).who_can(who),
        );
    }
    None
}
