//! Asking for an identity document, judged.

use super::limits::SVID_TTL_MAX;
use crate::boundary::Missing;
use crate::decision::Asking;
use crate::memo::Remembered;
use crate::refusal::{Record, Refusal};
use crate::view::View;
use std::collections::BTreeSet;
use writ_credential::x509::VerifiedCsr;
use writ_ledger::Actor;
use writ_ledger::body::{Asked, Evaluation};
use writ_types::{Code, CredentialKind, Denial, IdentityId, SpiffeId, Time};

/// Issue an X.509-SVID to a workload that was attested.
#[derive(Debug, Clone)]
pub struct IssueSvid {
    /// Whom it is to name.
    pub identity: IdentityId,
    /// The request, proven.
    pub csr: VerifiedCsr,
    /// What attestation showed.
    pub attested: BTreeSet<String>,
}

/// A document that gates and policy allow.
#[derive(Debug)]
pub(crate) struct SvidAllowed {
    pub(crate) identity: IdentityId,
    pub(crate) spiffe_id: SpiffeId,
    pub(crate) actor: Actor,
    pub(crate) csr: VerifiedCsr,
    pub(crate) attested: BTreeSet<String>,
    pub(crate) expires: Time,
    pub(crate) allowed: Allowed,
}

/// On which decision it rests.
#[derive(Debug)]
pub(crate) enum Allowed {
    /// One made earlier, on the same grounds. It takes no clock, so asking again would give the same.
    Before(Remembered),
    /// One made now.
    Now(Vec<Evaluation>),
}

impl IssueSvid {
    pub(crate) fn prepare(self, view: View<'_>, remembered: Option<Remembered>) -> Result<SvidAllowed, Refusal> {
        let Some(identity) = view.state.identities.get(&self.identity) else {
            return Err(Denial::new(
                Code::NotFound,
                format!("identity `{}` is unknown", self.identity),
                "file it with `writ apply`",
            )
            .into());
        };
        let actor = crate::actor::attested(self.identity, identity.actor_kind);
        let mut asking = Asking::new(view);
        match judge(view, &self, remembered, &mut asking) {
            Ok((expires, remembered)) => Ok(SvidAllowed {
                identity: self.identity,
                spiffe_id: identity.spiffe_id.clone(),
                actor,
                csr: self.csr,
                attested: self.attested,
                expires,
                allowed: remembered.map_or_else(|| Allowed::Now(asking.into_evaluations()), Allowed::Before),
            }),
            Err(denial) => {
                let on = vec![self.identity.to_string()];
                Err(Record { actor, command: "svid", on, evaluations: asking.into_evaluations() }.refuse(denial))
            }
        }
    }
}

/// The gates run each time; policy is asked again only when something that it read has moved.
fn judge(
    view: View<'_>,
    command: &IssueSvid,
    remembered: Option<Remembered>,
    asking: &mut Asking<'_>,
) -> Result<(Time, Option<Remembered>), Denial> {
    let state = view.state;
    let gone = || Denial::new(Code::NotFound, "the identity or its charter is gone", "file it with `writ apply`");
    let identity = state.identities.get(&command.identity).ok_or_else(gone)?;
    if !identity.selectors.is_subset(&command.attested) {
        return Err(Denial::new(
            Code::Unauthenticated,
            "attestation does not show what this identity asks for",
            "run it as its selectors say",
        ));
    }
    let for_what = format!("a document for identity `{}`", identity.name);
    state.boundaries.chartered(&state.people, &identity.boundary).map_err(|missing| Missing::denial(&missing, &for_what))?;
    let terms = state.boundaries.identity(&identity.boundary).ok_or_else(gone)?;
    if !terms.kinds.contains(&CredentialKind::X509Svid) {
        let denial =
            Denial::new(Code::Unchartered, "the charter does not name the kind `x509-svid`", "have the identity owner sign it");
        return Err(denial.missing(["credential kind `x509-svid`"]));
    }
    let remembered = remembered.filter(|remembered| remembered.grounds == state.grounds);
    if remembered.is_none() && asking.ask(Asked::Identify { identity: command.identity }).is_none() {
        return Err(Denial::new(
            Code::PolicyDenied,
            format!("policy denies this identity its documents: {}", asking.last_policies()),
            "look at it with `writ why`",
        ));
    }
    let ttl = terms.ttl_max.min(SVID_TTL_MAX);
    let authority = state.domain.authority().map(|authority| authority.expires);
    let expires = authority.map_or(view.now.after(ttl), |end| view.now.after(ttl).min(end));
    Ok((expires, remembered))
}
