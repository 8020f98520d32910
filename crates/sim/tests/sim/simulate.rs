//! Random schedules, seed by seed.

use std::collections::BTreeMap;
use writ_sim::{Failure, Point, Report, simulate};

/// What CI plays; `cargo xtask soak simulator` plays thousands. Cedar takes a millisecond a decision in a debug build.
const SEEDS: u64 = 12;
const STEPS: usize = 200;

fn play(first: u64, stride: usize) -> Result<Vec<Report>, Failure> {
    (first..SEEDS).step_by(stride).map(|seed| simulate(seed, STEPS)).collect()
}

/// R53, R62, R72, R88, R91, R100, R101, R107, R108, R113: under every fault, with a crash between every two steps, the laws
/// hold after each step, the live state is the fold of the log, and at the end nothing is left.
#[test]
fn the_laws_hold_through_every_crash() {
    let played = std::thread::scope(|scope| {
        let halves = [0, 1].map(|first| scope.spawn(move || play(first, 2)));
        halves.map(|half| half.join().unwrap())
    });
    let reports: Vec<Report> = played.into_iter().flat_map(|half| half.unwrap_or_else(|failure| panic!("{failure}"))).collect();
    let mut died: BTreeMap<Point, u64> = BTreeMap::new();
    for (point, count) in reports.iter().flat_map(|report| &report.died) {
        *died.entry(*point).or_default() += count;
    }
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let (tasks, credentials) = (sum(|report| report.work.0 as u64), sum(|report| report.work.1 as u64));
    let hostile = sum(|report| report.hostile);
    println!("crash points: {} reached, {} exist; {died:?}", died.len(), Point::ALL.len());
    println!("{tasks} tasks started, {credentials} credentials made, {hostile} hostile commands refused");
    let missed: Vec<&Point> = Point::ALL.iter().filter(|point| !died.contains_key(point)).collect();
    assert!(missed.is_empty(), "the process never died at {missed:?}");
    assert!(tasks > SEEDS && credentials > SEEDS / 2 && hostile > SEEDS * 5);
}

/// The same seed plays the same schedule: a failure can be looked at again.
#[test]
fn a_seed_repeats_its_schedule() {
    let (once, again) = (simulate(3, 60).unwrap(), simulate(3, 60).unwrap());
    assert_eq!((once.died, once.entries, once.work, once.hostile), (again.died, again.entries, again.work, again.hostile));
}
