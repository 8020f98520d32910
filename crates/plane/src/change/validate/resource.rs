//! Resources.

use super::Check;
use writ_ledger::body::ResourceItem;

/// Standbys of one resource at most.
const REPLICAS_MAX: usize = 16;
/// Bytes of certificates at most.
const CA_BYTES_MAX: usize = 16 * 1024;
/// Groups that PostgreSQL makes, and those of the connector's own functions: nobody becomes a member by a task.
const RESERVED: [&str; 2] = ["pg_", "writ"];

impl<'a> Check<'a> {
    pub(super) fn resource(&mut self, item: &'a ResourceItem) {
        self.has_boundary(&item.boundary, &format!("resource `{}`", item.name));
        let here = *self.here.resources.entry(&item.name).or_insert(item.resource);
        if self.state.resources.named(&item.name).is_some_and(|id| id != item.resource) || here != item.resource {
            self.say(format!("the name of resource `{}` is another's", item.name));
        }
        let terms = &item.postgres;
        if terms.databases.is_empty() || terms.actions.is_empty() || terms.actions.values().any(Vec::is_empty) {
            self.say(format!("resource `{}` needs databases, and a group for each action", item.name));
        }
        for group in terms.actions.values().flatten() {
            if RESERVED.iter().any(|reserved| group.as_str().starts_with(reserved)) {
                self.say(format!(
                    "group `{group}` of resource `{}` is PostgreSQL's or the connector's own: name one of yours",
                    item.name
                ));
            }
        }
        if terms.replicas.len() > REPLICAS_MAX {
            self.say(format!("resource `{}` has at most {REPLICAS_MAX} replicas", item.name));
        }
        let far = std::iter::once(&terms.address).chain(&terms.replicas).find(|address| !address.is_local());
        if let Some(far) = far.filter(|_| terms.ca.is_none()) {
            self.say(format!("`{far}` of resource `{}` is on another machine: the resource needs its `ca`", item.name));
        }
        if terms.ca.as_ref().is_some_and(|pem| pem.len() > CA_BYTES_MAX || !pem.contains("-----BEGIN CERTIFICATE-----")) {
            self.say(format!("the `ca` of resource `{}` is certificates, PEM, of at most {CA_BYTES_MAX} bytes", item.name));
        }
        if !(1..=1_000_000).contains(&terms.scram_iterations) {
            self.say(format!("the SCRAM iterations of resource `{}` are 1 to 1,000,000", item.name));
        }
    }
}
