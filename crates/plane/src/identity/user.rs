//! Which identities one process could be taken for: by the user that they ask for.

use std::collections::{BTreeMap, BTreeSet};
use writ_types::{Selector, TextValue as _};

/// Things by the user that they ask for, or by none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ByUid<T>(BTreeMap<Option<u32>, BTreeSet<T>>);

impl<T> Default for ByUid<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// The user that selectors ask for.
pub(crate) fn uid<'a>(selectors: impl IntoIterator<Item = &'a String>) -> Option<u32> {
    let of = |text: &String| match Selector::parse(text) {
        Ok(Selector::Uid(uid)) => Some(uid),
        _ => None,
    };
    selectors.into_iter().filter_map(of).min()
}

impl<T: Ord> ByUid<T> {
    pub(crate) fn insert(&mut self, uid: Option<u32>, it: T) {
        self.0.entry(uid).or_default().insert(it);
    }

    pub(crate) fn remove(&mut self, uid: Option<u32>, it: &T) {
        if let Some(same) = self.0.get_mut(&uid) {
            same.remove(it);
            if same.is_empty() {
                self.0.remove(&uid);
            }
        }
    }

    /// What a process of this user could be taken for; all, where no user is asked for.
    pub(crate) fn sharing(&self, uid: Option<u32>) -> impl Iterator<Item = &T> {
        let all = uid.is_none().then(|| self.0.values()).into_iter().flatten();
        let some = uid.map(|uid| [self.0.get(&Some(uid)), self.0.get(&None)]).into_iter().flatten().flatten();
        all.chain(some).flatten()
    }
}
