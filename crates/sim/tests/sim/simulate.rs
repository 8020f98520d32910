//! Random schedules, seed by seed.

use std::collections::BTreeSet;
use writ_sim::{Failure, Point, Report, simulate, survive};

/// What CI plays; `cargo xtask soak simulator` plays thousands. Cedar takes a millisecond a decision in a debug build.
const SEEDS: u64 = 6;
const STEPS: usize = 120;

/// R100, R101, R107, R108, R113: the process dies between every two steps, at each place once; the next one undoes what was
/// left, nothing is revived, and everything is closed in the end.
#[test]
fn it_dies_at_every_crash_point_and_converges() {
    let mut reached = BTreeSet::new();
    for point in Point::ALL {
        let report = survive(*point).unwrap_or_else(|failure| panic!("{point:?}: {failure}"));
        reached.extend(report.died.into_keys());
        assert!(report.work.1 > 0, "{point:?}: no credential was made after it");
    }
    println!("crash points: {} reached, {} exist", reached.len(), Point::ALL.len());
    assert_eq!(reached, Point::ALL.iter().copied().collect());
}

fn play(first: u64, stride: usize) -> Result<Vec<Report>, Failure> {
    (first..SEEDS).step_by(stride).map(|seed| simulate(seed, STEPS)).collect()
}

/// R53, R62, R72, R88, R91, R100, R101, R107, R108, R113: under every fault and against hostile callers the laws hold after
/// each step, the live state is the fold of the log, and at the end nothing is left.
#[test]
fn the_laws_hold_through_random_schedules() {
    let played = std::thread::scope(|scope| {
        let halves = [0, 1].map(|first| scope.spawn(move || play(first, 2)));
        halves.map(|half| half.join().unwrap())
    });
    let reports: Vec<Report> = played.into_iter().flat_map(|half| half.unwrap_or_else(|failure| panic!("{failure}"))).collect();
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let (tasks, credentials) = (sum(|report| report.work.0 as u64), sum(|report| report.work.1 as u64));
    let (hostile, died) = (sum(|report| report.hostile), sum(|report| report.died.values().sum()));
    println!("{tasks} tasks started, {credentials} credentials made, {hostile} hostile commands refused, {died} crashes");
    assert!(tasks > SEEDS && credentials > 0 && hostile > SEEDS * 5 && died > SEEDS);
}

/// The same seed plays the same schedule: a failure can be looked at again.
#[test]
fn a_seed_repeats_its_schedule() {
    let (once, again) = (simulate(3, 40).unwrap(), simulate(3, 40).unwrap());
    assert_eq!((once.died, once.entries, once.work, once.hostile), (again.died, again.entries, again.work, again.hostile));
}
