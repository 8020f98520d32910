//! Taking a signature out, for `ssh-keygen -Y verify` to judge.

use crate::PublicKey;
use writ_types::{ActKind, PartyId};

/// One line of an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS): `key` may sign these acts for
/// `principal`. Ends with a newline.
///
/// An empty list of acts allows none: OpenSSH would take a line without namespaces for all of them, so a namespace
/// that nothing uses is written.
pub fn allowed_signers_line(principal: &PartyId, acts: &[ActKind], key: &PublicKey) -> String {
    let mut namespaces: Vec<_> = acts.iter().map(|act| act.namespace()).collect();
    if namespaces.is_empty() {
        namespaces.push("writ.none".to_owned());
    }
    format!("{principal} namespaces=\"{}\" {key}\n", namespaces.join(","))
}
