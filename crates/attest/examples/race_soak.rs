//! 10,000 exec races and, as root, 10,000 races for a process number: prints one JSON line. A wrong attestation ends it with a panic.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, reason = "a measuring program")]

#[path = "../tests/races/driver.rs"]
mod driver;

use driver::{Moment, Role, World, act_if_child};
use writ_attest::Peer;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    act_if_child();
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(10_000);
    let world = World::new(&[]);
    let (mut attested, mut reused, mut wrong) = (0, 0, 0);
    for round in 0..rounds {
        let role = [Role::Exec, Role::AnswerThenExec, Role::LendThenExec, Role::AnswerThenExec][round % 4];
        let moment = if round % 8 == 2 { Moment::AfterExec } else { Moment::AtOnce };
        attested += usize::from(world.exec_race(role, moment).await.is_ok());
    }
    for round in 0..rounds {
        let pin = [Peer::of, Peer::of_by_number][round % 2];
        if let Some(result) = world.reuse_race(pin).await {
            reused += 1;
            wrong += usize::from(result.is_ok());
        }
    }
    println!(r#"{{"exec_races":{rounds},"attested_as_the_caller":{attested},"numbers_reused":{reused},"wrong":{wrong}}}"#);
    assert_eq!(wrong, 0, "a process was attested under another one's number");
}
