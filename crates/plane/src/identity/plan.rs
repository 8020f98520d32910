//! Entries of an identity document.

use super::command::{Allowed, SvidAllowed};
use crate::answer::Answer;
use crate::decision::record;
use crate::domain::{backdated, lay_out};
use crate::memo::Remembered;
use crate::plan::{Draft, Plan};
use crate::view::View;
use writ_credential::x509::{CaFacts, Serial};
use writ_ledger::body::{SvidRow, SvidsIssued};
use writ_types::{Denial, Order, Random, SignX509};

impl SvidAllowed {
    /// The answer, and the decision that later documents may rest on.
    pub(crate) fn plan(
        self,
        view: View<'_>,
        issuer: &CaFacts,
        plan: &mut Plan,
        random: &mut dyn Random,
    ) -> Result<(Answer, Remembered), Denial> {
        let serial = Serial::from_random(random.bits_128());
        let (tbs, digest, serial) = lay_out(issuer, &self.spiffe_id, &self.csr, backdated(view.now), self.expires, serial)?;
        let on = vec![self.identity.to_string(), self.spiffe_id.to_string(), serial.clone()];
        let remembered = match self.allowed {
            Allowed::Before(remembered) => remembered,
            Allowed::Now(evaluations) => {
                let on = vec![self.identity.to_string()];
                let (decision, index) = record(plan, self.actor.clone(), "svid", on, evaluations, None, random);
                Remembered { grounds: view.state.grounds, decision, index }
            }
        };
        let version = view.state.identities.get(&self.identity).map(|identity| identity.version);
        let row = SvidRow {
            identity: self.identity,
            spiffe_id: self.spiffe_id.clone(),
            serial: serial.clone(),
            key: self.csr.thumbprint(),
            tbs: digest,
            expires: self.expires,
            attested: self.attested.into_iter().collect(),
        };
        let order = Order::SignX509(SignX509 { tbs, tbs_digest: digest, spiffe_id: self.spiffe_id, expires: self.expires });
        let draft = Draft::new(self.actor, SvidsIssued { rows: vec![row] }).on(on).cause([remembered.index]).cause(version);
        plan.push(draft.decision(Some(remembered.decision)).order(order));
        Ok((Answer::Certificate { serial, expires: self.expires }, remembered))
    }
}
