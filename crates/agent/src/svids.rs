//! The stream of a caller's X.509-SVIDs.

use crate::budget::Budget;
use crate::key::WorkloadKey;
use crate::refusal::{denied, is_passing, too_many_svids, too_slow};
use crate::stream::{Profile, State, Surroundings};
use crate::upstream::{Entitled, Entitlement, Svid, Upstream};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Status;
use writ_attest::Attested;
use writ_types::{Denial, IdentityId, Time};
use writ_wire::workload::{X509svid, X509svidResponse};

/// The longest hint that clients must take (SPIFFE_Workload_API.md section 5.2.1).
const HINT_BYTES_MAX: usize = 1024;

/// The SVIDs that one stream holds for its caller.
pub(crate) struct Svids<U> {
    around: Surroundings<U>,
    budget: Arc<Budget<u32>>,
    held: BTreeMap<IdentityId, Held>,
}

/// One SVID and its key.
struct Held {
    generation: u64,
    svid: Svid,
    key: Bytes,
    renew_at: Time,
}

/// Why an identity has no new SVID.
enum Miss {
    /// It may have none.
    Denied(Denial),
    /// It may, but not now.
    Passing(Status),
}

impl<U: Upstream> Svids<U> {
    pub(crate) const fn new(around: Surroundings<U>, budget: Arc<Budget<u32>>) -> Self {
        Self { around, budget, held: BTreeMap::new() }
    }

    /// Has a new key signed for one identity.
    async fn issue(&self, to: &Entitlement, attested: &Attested) -> Result<Held, Miss> {
        if !self.budget.take(attested.uid()) {
            return Err(Miss::Passing(too_many_svids(attested.uid())));
        }
        let key = WorkloadKey::generate().map_err(|_| Miss::Passing(Status::internal("a key could not be made; try again")))?;
        let asked = self.around.upstream.now();
        let svid = match timeout(self.around.limits.upstream, self.around.upstream.issue(to, key.csr, attested)).await {
            Ok(Ok(svid)) => svid,
            Ok(Err(denial)) if is_passing(&denial) => return Err(Miss::Passing(denied(&denial))),
            Ok(Err(denial)) => return Err(Miss::Denied(denial)),
            Err(_) => return Err(Miss::Passing(too_slow())),
        };
        let renew_at = half_life(asked, svid.expires);
        Ok(Held { generation: to.generation, svid, key: key.pkcs8, renew_at })
    }

    /// The message of what is held, in the order of the entitlement.
    fn message(&self, entitled: &Entitled) -> X509svidResponse {
        let bundle = self.around.upstream.bundle().concat();
        let mut hints = BTreeSet::new();
        let svids = entitled.identities.iter().filter_map(|to| {
            let held = self.held.get(&to.identity)?;
            // Section 5.2.1: a hint is unique in a response.
            let unique = to.hint.len() <= HINT_BYTES_MAX && hints.insert(to.hint.clone());
            Some(X509svid {
                spiffe_id: to.spiffe_id.to_string(),
                x509_svid: held.svid.chain.concat(),
                x509_svid_key: held.key.clone(),
                bundle: bundle.clone(),
                hint: if unique { to.hint.clone() } else { String::new() },
            })
        });
        X509svidResponse { svids: svids.collect(), ..X509svidResponse::default() }
    }
}

impl<U: Upstream> Profile for Svids<U> {
    type Message = X509svidResponse;

    async fn state(&mut self, entitled: &Entitled, attested: &Attested) -> State<X509svidResponse> {
        let wanted: BTreeSet<IdentityId> = entitled.identities.iter().map(|to| to.identity).collect();
        self.held.retain(|identity, _| wanted.contains(identity));
        let (mut denial, mut trouble) = (None, None);
        for to in &entitled.identities {
            let now = self.around.upstream.now();
            let good = self.held.get(&to.identity).is_some_and(|held| held.generation == to.generation && now < held.renew_at);
            if good {
                continue;
            }
            match self.issue(to, attested).await {
                Ok(held) => drop(self.held.insert(to.identity, held)),
                Err(Miss::Denied(why)) => {
                    self.held.remove(&to.identity);
                    denial = denial.or(Some(why));
                }
                Err(Miss::Passing(status)) => {
                    // What was issued stands until it ends, unless it is to be replaced.
                    self.held.retain(|identity, held| {
                        *identity != to.identity || held.generation == to.generation && now < held.svid.expires
                    });
                    trouble = trouble.or(Some(status));
                }
            }
        }
        match (self.held.is_empty(), trouble, denial) {
            (false, trouble, _) => State::Full {
                message: self.message(entitled),
                renew_at: self.held.values().map(|held| held.renew_at).min(),
                retry: trouble.is_some(),
            },
            (true, Some(status), _) => State::Trouble(status),
            (true, None, Some(denial)) if denial.code.fault() == writ_types::Fault::People => State::Pending(denial),
            (true, None, Some(denial)) => State::Refused(denied(&denial)),
            (true, None, None) => State::Refused(Status::internal("the caller is entitled to something, and nothing was made")),
        }
    }
}

/// When an SVID that was asked for at `asked` is replaced: around the middle of its life, and up to a tenth of that earlier, so that what
/// was issued together is not replaced together.
fn half_life(asked: Time, expires: Time) -> Time {
    let half = expires.since(asked) / 2;
    let mut bits = [0u8; 2];
    // Without randomness nothing is spread; keys can't be made then either.
    let _ = aws_lc_rs::rand::fill(&mut bits);
    let earlier = half.mul_f64(f64::from(u16::from_be_bytes(bits)) / f64::from(u16::MAX) / 10.0);
    let after: Duration = half.saturating_sub(earlier);
    Time::from_micros(asked.micros().saturating_add(u64::try_from(after.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R51: an SVID is replaced well before its end, and not all at once.
    #[test]
    fn renewal_is_spread_before_the_middle_of_the_life() {
        let times: BTreeSet<Time> = (0..50).map(|_| half_life(Time::from_seconds(1_000), Time::from_seconds(4_600))).collect();
        assert!(times.iter().all(|time| (2_620..=2_800).contains(&time.seconds())), "{times:?}");
        assert!(times.len() > 10);
        assert_eq!(half_life(Time::from_seconds(5), Time::from_seconds(4)), Time::from_seconds(5));
    }
}
