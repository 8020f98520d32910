//! Random schedules, seed by seed.

use std::collections::BTreeMap;
use writ_sim::{Point, simulate};

const SEEDS: u64 = 40;
const STEPS: usize = 300;

/// R53, R62, R72, R88, R91, R100, R101, R107, R108, R113: under every fault, with a crash between every two steps, the laws
/// hold after each step, the live state is the fold of the log, and at the end nothing is left.
#[test]
fn the_laws_hold_through_every_crash() {
    let mut died: BTreeMap<Point, u64> = BTreeMap::new();
    let (mut tasks, mut credentials, mut hostile) = (0, 0, 0);
    for seed in 0..SEEDS {
        let report = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        for (point, count) in report.died {
            *died.entry(point).or_default() += count;
        }
        (tasks, credentials, hostile) = (tasks + report.work.0, credentials + report.work.1, hostile + report.hostile);
    }
    println!("crash points: {} reached, {} exist; {died:?}", died.len(), Point::ALL.len());
    println!("{tasks} tasks started, {credentials} credentials made, {hostile} hostile commands refused");
    let missed: Vec<&Point> = Point::ALL.iter().filter(|point| !died.contains_key(point)).collect();
    assert!(missed.is_empty(), "the process never died at {missed:?}");
    assert!(tasks > SEEDS as usize && credentials > SEEDS as usize / 2 && hostile > SEEDS);
}
