//! Connections that have not shown a certificate yet: a few, and always room for the next. Who holds places without proving
//! anything loses the oldest of them to whoever comes.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;

/// All of them at once.
pub(super) const UNPROVEN_MAX: usize = 512;
/// Of those, one source's at once.
pub(super) const OF_ONE_SOURCE_MAX: usize = 256;

/// The connections in their handshake, by source, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unproven(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_source: BTreeMap<IpAddr, VecDeque<(u64, AbortHandle)>>,
}

/// Names one connection in its handshake.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(IpAddr, u64);

impl Unproven {
    /// A place for a connection from `address`, whose work `begin` begins. Where there are too many, the oldest ends: of the same
    /// source, or of the source that has most.
    pub(super) fn enter(&self, address: IpAddr, begin: impl FnOnce(Place) -> AbortHandle) {
        let source = source(address);
        let mut waiting = self.locked();
        while waiting.of(&source) >= OF_ONE_SOURCE_MAX {
            waiting.end_oldest(source);
        }
        while waiting.all() >= UNPROVEN_MAX {
            let most = waiting.by_source.iter().max_by_key(|(_, places)| places.len()).map(|(source, _)| *source);
            waiting.end_oldest(most.unwrap_or(source));
        }
        let place = Place(source, waiting.next);
        waiting.next += 1;
        waiting.by_source.entry(source).or_default().push_back((place.1, begin(place)));
    }

    /// The connection has proven who it is, or has ended.
    pub(super) fn leave(&self, Place(source, number): Place) {
        let mut waiting = self.locked();
        if let Some(places) = waiting.by_source.get_mut(&source) {
            places.retain(|(each, _)| *each != number);
            if places.is_empty() {
                waiting.by_source.remove(&source);
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn all(&self) -> usize {
        self.by_source.values().map(VecDeque::len).sum()
    }

    fn of(&self, source: &IpAddr) -> usize {
        self.by_source.get(source).map_or(0, VecDeque::len)
    }

    fn end_oldest(&mut self, source: IpAddr) {
        let Some(places) = self.by_source.get_mut(&source) else { return };
        if let Some((_, oldest)) = places.pop_front() {
            oldest.abort();
        }
        if places.is_empty() {
            self.by_source.remove(&source);
        }
    }
}

/// Whom an address stands for: in IPv6 a network of 64 bits, which is what one host is given.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::task::JoinHandle;

    fn silent(unproven: &Arc<Unproven>, address: &str) -> JoinHandle<()> {
        let mut held = None;
        unproven.enter(address.parse().unwrap(), |_| {
            let silent = tokio::spawn(std::future::pending::<()>());
            held.insert(silent).abort_handle()
        });
        held.unwrap()
    }

    async fn ended(silent: &mut [JoinHandle<()>]) -> usize {
        // Whoever was aborted ends as soon as it is looked at.
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        silent.iter().filter(|each| each.is_finished()).count()
    }

    #[tokio::test]
    async fn the_oldest_of_a_source_makes_room_and_another_source_is_not_touched() {
        let unproven = Arc::new(Unproven::default());
        let mut other = vec![silent(&unproven, "192.0.2.2")];
        let mut crowd: Vec<_> = (0..OF_ONE_SOURCE_MAX + 3).map(|_| silent(&unproven, "192.0.2.1")).collect();
        assert_eq!((ended(&mut crowd).await, ended(&mut other).await), (3, 0));
        assert!(crowd[0].is_finished() && crowd[2].is_finished() && !crowd[3].is_finished());
    }

    #[tokio::test]
    async fn of_many_sources_the_one_that_has_most_makes_room() {
        let unproven = Arc::new(Unproven::default());
        let mut few: Vec<_> = (0..10).map(|n| silent(&unproven, &format!("198.51.100.{n}"))).collect();
        // One host of IPv6 has many addresses.
        let mut crowd: Vec<_> = (0..1_000).map(|n| silent(&unproven, &format!("2001:db8::{n:x}"))).collect();
        let mut second: Vec<_> = (0..1_000).map(|_| silent(&unproven, "192.0.2.1")).collect();
        assert_eq!(ended(&mut few).await, 0);
        let live = 2_000 - ended(&mut crowd).await - ended(&mut second).await;
        assert_eq!(live, UNPROVEN_MAX - 10);
        let all = unproven.locked().all();
        assert_eq!(all, UNPROVEN_MAX);
    }

    #[tokio::test]
    async fn who_has_proven_itself_holds_no_place_here() {
        let unproven = Unproven::default();
        let place = std::cell::Cell::new(None);
        unproven.enter("192.0.2.1".parse().unwrap(), |mine| {
            place.set(Some(mine));
            tokio::spawn(std::future::pending::<()>()).abort_handle()
        });
        assert_eq!(unproven.locked().all(), 1);
        unproven.leave(place.get().unwrap());
        assert!(unproven.locked().by_source.is_empty());
    }
}
