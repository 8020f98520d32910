//! The gate between a durable entry and its effect: still live? A revocation one entry later wins (law 1).

use super::Writer;
use crate::credential::CredentialPhase;
use crate::state::State;
use writ_ledger::{Committed, LogStore};
use writ_types::{
    Code, CredentialId, CutDatabaseUser, Denial, OpenDatabaseUser, Order, ReleasePassword, SignX509, SpiffeId, Time,
};

/// An order that may be carried out now.
#[derive(Debug)]
pub enum Release {
    /// Sign a certificate.
    Sign(Committed<SignX509>),
    /// Make a database user.
    Open(Committed<OpenDatabaseUser>),
    /// Hand over a password.
    Password(Committed<ReleasePassword>),
    /// End a database user.
    Cut(CutDatabaseUser),
}

impl<S: LogStore> Writer<S> {
    /// Lets an order through if what it creates is still to live at `now`.
    ///
    /// # Errors
    /// When it was revoked, killed or timed out since. Cuts always pass.
    pub fn release(&self, order: Committed<Order>, now: Time) -> Result<Release, Denial> {
        // A wall clock that was set back revives nothing.
        let now = now.max(self.state.last_at());
        let dead = || Denial::new(Code::Stale, "it was ended before it could be handed over", "ask again in a task that runs");
        let live = match order.order() {
            Order::SignX509(sign) => names_live(&self.state, &sign.spiffe_id),
            Order::OpenDatabaseUser(open) => is_live(&self.state, &open.credential, CredentialPhase::Granted, now),
            Order::ReleasePassword(release) => is_live(&self.state, &release.credential, CredentialPhase::Made, now),
            Order::CutDatabaseUser(_) => true,
        };
        if !live {
            return Err(dead());
        }
        split(order).ok_or_else(dead)
    }
}

/// Each kind of order by itself.
fn split(order: Committed<Order>) -> Option<Release> {
    let order = match order.narrow::<SignX509>() {
        Ok(sign) => return Some(Release::Sign(sign)),
        Err(order) => order,
    };
    let order = match order.narrow::<OpenDatabaseUser>() {
        Ok(open) => return Some(Release::Open(open)),
        Err(order) => order,
    };
    let order = match order.narrow::<ReleasePassword>() {
        Ok(password) => return Some(Release::Password(password)),
        Err(order) => order,
    };
    match order.into_order() {
        Order::CutDatabaseUser(cut) => Some(Release::Cut(cut)),
        _ => None,
    }
}

fn is_live(state: &State, id: &CredentialId, phase: CredentialPhase, now: Time) -> bool {
    let Some(credential) = state.credentials.get(id) else { return false };
    let task = state.tasks.get(&credential.task);
    credential.phase == phase && credential.expires > now && task.is_some_and(|task| task.live_until(now).is_some())
}

/// The server's own name, or that of an identity whose people still answer.
fn names_live(state: &State, spiffe_id: &SpiffeId) -> bool {
    let identity = state.identities.with_spiffe_id(spiffe_id).and_then(|id| state.identities.get(&id));
    match identity {
        Some(identity) => state.boundaries.chartered(&state.people, &identity.boundary).is_ok(),
        None => spiffe_id.path() == "/writ/server",
    }
}
