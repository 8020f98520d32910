//! Many seeds, for as long as it takes: `soak [SEEDS [STEPS [FIRST]]]`.
#![expect(clippy::print_stdout, reason = "it says what it found")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use writ_sim::{Point, simulate};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let seeds = arguments.next().unwrap_or(1_000);
    let steps = arguments.next().and_then(|steps| usize::try_from(steps).ok()).unwrap_or(300);
    let first = arguments.next().unwrap_or(0);
    let mut died: BTreeMap<Point, u64> = BTreeMap::new();
    let (mut entries, mut failures) = (0, 0_u64);
    for seed in first..first.saturating_add(seeds) {
        match simulate(seed, steps) {
            Ok(report) => {
                entries += report.entries;
                for (point, count) in report.died {
                    *died.entry(point).or_default() += count;
                }
            }
            Err(failure) => {
                println!("{failure}");
                failures += 1;
            }
        }
    }
    println!("{seeds} seeds, {steps} steps each, {entries} entries, {failures} failures");
    println!("crash points: {} reached, {} exist; {died:?}", died.len(), Point::ALL.len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
