//! How long an SVID takes to a workload: 200 rounds each of "the identity is applied while the workload waits" and of "what a
//! long-lived stream has is replaced". The upstream signs at once and writes no log: what is measured is the agent. Prints one JSON line.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, dead_code, reason = "a measuring program")]

#[path = "../tests/workload_api/world.rs"]
mod world;

use spiffe::WorkloadApiClient;
use std::time::Duration;
use tokio::time::Instant;
use tokio_stream::StreamExt;
use world::{World, own_uid};
use writ_agent::Limits;
use writ_types::{Code, Denial};

const ROUNDS: usize = 200;

#[tokio::main]
async fn main() {
    let world = World::new(Limits { svids_burst_per_uid: 10_000, pending: Duration::from_secs(60), ..Limits::default() });
    world.estates.change(|estate| estate.pending = Some(Denial::new(Code::Unchartered, "the charter is not signed", "sign it")));
    let mut applied = Vec::new();
    for _ in 0..ROUNDS {
        let client = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
        let waiting = tokio::spawn(async move {
            client.fetch_x509_svid().await.unwrap();
            Instant::now()
        });
        while world.estates.changes.receiver_count() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let from = Instant::now();
        world.estates.register("/bench/workload", &own_uid());
        applied.push(waiting.await.unwrap().duration_since(from));
        world.estates.change(|estate| estate.identities.clear());
        while world.estates.changes.receiver_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    world.estates.register("/bench/workload", &own_uid());
    let client = WorkloadApiClient::connect_to(world.endpoint()).await.unwrap();
    let mut stream = Box::pin(client.stream_x509_contexts().await.unwrap());
    stream.next().await.unwrap().unwrap();
    let mut replaced = Vec::new();
    for _ in 0..ROUNDS {
        let from = Instant::now();
        world.estates.change(|estate| estate.identities.iter_mut().for_each(|(to, _)| to.generation += 1));
        stream.next().await.unwrap().unwrap();
        replaced.push(from.elapsed());
    }
    let (applied, replaced) = (quantiles(applied), quantiles(replaced));
    println!(
        r#"{{"rounds":{ROUNDS},"applied_to_svid_ms_p50":{:.3},"applied_to_svid_ms_p99":{:.3},"replaced_ms_p50":{:.3},"replaced_ms_p99":{:.3}}}"#,
        applied.0, applied.1, replaced.0, replaced.1
    );
}

/// The median and the 99th percentile, in milliseconds.
fn quantiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    (times[times.len() / 2].as_secs_f64() * 1_000.0, times[times.len() * 99 / 100].as_secs_f64() * 1_000.0)
}
