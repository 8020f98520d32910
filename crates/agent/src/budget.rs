//! Token buckets: what a caller can cause is bounded before anything is planned or logged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A bucket for each payer: full at first, refilled one by one.
#[derive(Debug)]
pub struct Budget<K> {
    burst: u32,
    interval: Duration,
    /// When each payer's bucket is full again. Who is not here has a full one.
    full_at: Mutex<BTreeMap<K, Instant>>,
}

impl<K: Ord> Budget<K> {
    /// `burst` at once, and one more each `interval`.
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, full_at: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one, if there is one.
    pub fn take(&self, payer: K) -> bool {
        let now = Instant::now();
        let mut full_at = self.full_at(now);
        let at = self.after_one_more(&full_at, &payer, now);
        if let Some(at) = at {
            full_at.insert(payer, at);
        }
        at.is_some()
    }

    /// True if there is one to take.
    pub fn has_one(&self, payer: &K) -> bool {
        let now = Instant::now();
        self.after_one_more(&self.full_at(now), payer, now).is_some()
    }

    /// Gives one back that was taken for nothing.
    pub fn give_back(&self, payer: &K) {
        if let Some(at) = self.full_at(Instant::now()).get_mut(payer) {
            *at = at.checked_sub(self.interval).unwrap_or(*at);
        }
    }

    /// When the bucket would be full again if one more were taken; none if it holds none.
    fn after_one_more(&self, full_at: &BTreeMap<K, Instant>, payer: &K, now: Instant) -> Option<Instant> {
        let at = full_at.get(payer).copied().unwrap_or(now) + self.interval;
        (at.duration_since(now) <= self.interval.saturating_mul(self.burst)).then_some(at)
    }

    fn full_at(&self, now: Instant) -> MutexGuard<'_, BTreeMap<K, Instant>> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.retain(|_, at| *at > now);
        full_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_payer_is_bounded_and_another_is_not_touched() {
        let budget = Budget::new(3, Duration::from_secs(1));
        assert_eq!((0..10).filter(|_| budget.take(1)).count(), 3);
        assert!(budget.take(2) && !budget.has_one(&1) && budget.has_one(&2));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((0..10).filter(|_| budget.take(1)).count(), 2);
        budget.give_back(&1);
        budget.give_back(&7);
        assert_eq!((0..10).filter(|_| budget.take(1)).count(), 1);
    }
}
