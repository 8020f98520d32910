//! Limits on change sets.

use writ_types::Ttl;

/// Change sets that wait at a time: so many that grant something, and as many that only end something.
pub(crate) const OPEN_MAX: usize = 1_000;

/// Change sets of one filer that wait at a time: nobody keeps the others from filing.
pub(crate) const OPEN_OF_FILER_MAX: usize = 100;

/// Items of one change set. An entry holds 64 KiB, which is reached first by ordinary items.
pub(crate) const ITEMS_MAX: usize = 500;

/// A change set that is not signed by then is forgotten.
pub(crate) const LIFE: Ttl = Ttl::from_seconds(30 * 86_400);
