//! How many SVIDs one user may have made: what a caller can cause is bounded before anything is planned or logged.

use crate::Limits;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A bucket a user: full at first, refilled one by one.
#[derive(Debug)]
pub(crate) struct Budget {
    burst: u32,
    interval: Duration,
    /// When each user's bucket is full again. Who is not here has a full one.
    full_at: Mutex<BTreeMap<u32, Instant>>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { burst: limits.svids_burst_per_uid, interval: limits.svid_interval_per_uid, full_at: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&self, uid: u32) -> bool {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.retain(|_, at| *at > now);
        let at = full_at.get(&uid).copied().unwrap_or(now) + self.interval;
        let enough = at.duration_since(now) <= self.interval.saturating_mul(self.burst);
        if enough {
            full_at.insert(uid, at);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_is_bounded_and_another_is_not_touched() {
        let limits = Limits { svids_burst_per_uid: 3, svid_interval_per_uid: Duration::from_secs(1), ..Limits::default() };
        let budget = Budget::new(&limits);
        assert_eq!((0..10).filter(|_| budget.take(1)).count(), 3);
        assert!(budget.take(2));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((0..10).filter(|_| budget.take(1)).count(), 2);
    }
}
