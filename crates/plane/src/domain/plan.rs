//! Entries of the server's own beginnings.

use super::command::{AuthorityReady, Open, ServerCertificateReady, lay_out};
use crate::answer::Answer;
use crate::identity::SVID_BACKDATE;
use crate::plan::{Draft, Plan};
use crate::view::View;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use writ_credential::x509::{CaFacts, Serial};
use writ_ledger::body::{AuthorityChanged, AuthorityRole, LogState, ServerStarted};
use writ_types::{Denial, Digest, Order, Random, SignX509, Time};

impl Open {
    /// The start, and the digest of the state that it found, for whoever folds the log again.
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let digest = view.state.digest();
        let base = plan.push(Draft::new(crate::actor::system(), LogState { digest }));
        plan.push(Draft::new(crate::actor::system(), ServerStarted { version: self.version, size: base }));
        Answer::Done
    }
}

impl AuthorityReady {
    pub(crate) fn plan(self, plan: &mut Plan) -> Answer {
        let facts = self.facts;
        let serial = facts.serial().to_string();
        let body = AuthorityChanged {
            role: AuthorityRole::X509Authority,
            spiffe_id: None,
            serial: serial.clone(),
            key: facts.key().thumbprint(),
            tbs: Digest::of(facts.der()),
            certificate: Some(STANDARD.encode(facts.der())),
            expires: facts.not_after(),
        };
        plan.push(Draft::new(crate::actor::system(), body).on([serial]));
        Answer::Done
    }
}

impl ServerCertificateReady {
    pub(crate) fn plan(
        self,
        view: View<'_>,
        issuer: &CaFacts,
        plan: &mut Plan,
        random: &mut dyn Random,
    ) -> Result<Answer, Denial> {
        let serial = Serial::from_random(random.bits_128());
        let before = backdated(view.now);
        let (tbs, digest, serial) = lay_out(issuer, &self.spiffe_id, &self.csr, before, self.expires, serial)?;
        let body = AuthorityChanged {
            role: AuthorityRole::Server,
            spiffe_id: Some(self.spiffe_id.clone()),
            serial: serial.clone(),
            key: self.csr.thumbprint(),
            tbs: digest,
            certificate: None,
            expires: self.expires,
        };
        let order =
            Order::SignX509(SignX509 { tbs, tbs_digest: digest, spiffe_id: self.spiffe_id.clone(), expires: self.expires });
        plan.push(Draft::new(crate::actor::system(), body).on([serial.clone(), self.spiffe_id.to_string()]).order(order));
        Ok(Answer::Certificate { serial, expires: self.expires })
    }
}

/// A little before `now`.
pub(crate) fn backdated(now: Time) -> Time {
    Time::from_micros(now.micros().saturating_sub(SVID_BACKDATE.seconds().saturating_mul(1_000_000)))
}
