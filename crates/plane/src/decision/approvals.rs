//! Which approvals would make a request allowed.

use super::ask::request;
use super::facts;
use crate::view::View;
use std::collections::BTreeSet;
use writ_ledger::body::Asked;
use writ_policy::{Needed, Request, approvals_needed};
use writ_types::PartyId;

/// The approvals that these questions need, from among these people.
pub(crate) fn approvals(view: View<'_>, reaches: &[Asked], candidates: &BTreeSet<PartyId>) -> Needed {
    let requests: Vec<_> = reaches
        .iter()
        .filter_map(|asked| match request(view.state, asked) {
            Ok(Request::Reach(reach)) => Some(reach),
            _ => None,
        })
        .collect();
    let people: Vec<_> = candidates.iter().filter_map(|id| facts::person(view.state, id).ok()).collect();
    // A question that can't be asked has been denied before; what remains must not look like all of it.
    if requests.len() < reaches.len() { Needed::AnyOf(Vec::new()) } else { approvals_needed(view.policy, &requests, &people) }
}
