//! Measures the PostgreSQL connector beside the raw statements, in one run; prints one JSON line.
//!
//! `cargo run --release -p writ-connect --example bench_postgres [CONNECTION_STRING]`: the string is a superuser's, to a
//! cluster that may be thrown away afterwards; without one, a private cluster is started, with fsync on.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark that can't go on says so by failing")]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../dev/cluster.rs"]
mod cluster;
#[path = "../dev/commit.rs"]
mod commit;

use commit::{OsRandom, commit, commit_all};
use serde_json::json;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use writ_connect::postgres::{InstallPlan, Login, Postgres, PostgresSettings, install_sql, verifier};
use writ_connect::{Connector as _, Phase, PhaseHook};
use writ_ledger::body::PostgresTerms;
use writ_types::{
    CredentialId, CutDatabaseUser, Digest, OpenDatabaseUser, Random as _, ReleasePassword, ResourceId, Secret, SqlName, TaskId,
    TextValue as _, Time,
};

const DATABASE: &str = "writ_bench";
const GROUP: &str = "writ_bench_group";
const CONNECTOR_PASSWORD: &str = "only-for-the-benchmark";
const ROUNDS: usize = 200;
const BURST: usize = 4_000;
const CONCURRENT: usize = 8;

fn name(text: &str) -> SqlName {
    SqlName::parse(text).expect("a name")
}

fn iterations(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("some")
}

#[tokio::main]
async fn main() {
    let (config, _cluster) = match std::env::args().nth(1) {
        Some(text) => (text.parse::<Config>().expect("a connection string"), None),
        None => {
            let cluster = cluster::Cluster::start(&[]);
            let mut config = Config::new();
            config.host_path(cluster.socket()).port(cluster.port()).user("postgres").dbname("postgres");
            (config, Some(cluster))
        }
    };
    let bench = Bench::install(config).await;
    let slow = bench.one_at_a_time(4_096).await;
    let fast = bench.one_at_a_time(1).await;
    let (writ_per_second, raw_per_second) = bench.burst().await;
    let alone = bench.endings(1).await;
    let together = bench.endings(CONCURRENT).await;
    let of = |row: &serde_json::Value, name: &str| row.get(name).cloned().unwrap_or_default();
    let within = |value: &serde_json::Value, most: f64| value.as_f64().is_some_and(|value| value <= most);
    let rows = json!([
        {"measure": "PostgreSQL task user, 4,096 iterations, over raw CREATE ROLE and GRANT", "value": of(&slow, "p50_ms"), "unit": "ms p50",
         "raw_limit": of(&slow, "raw_p50_ms"), "ratio": of(&slow, "ratio"), "budget": "ratio <= 1.2", "met": within(&of(&slow, "ratio"), 1.2)},
        {"measure": "PostgreSQL task user, one iteration, one at a time", "value": of(&fast, "p50_ms"), "unit": "ms p50",
         "raw_limit": of(&fast, "raw_p50_ms"), "ratio": of(&fast, "ratio"), "budget": null, "met": null},
        {"measure": format!("PostgreSQL task users, one iteration, {CONCURRENT} at a time"), "value": writ_per_second.round(), "unit": "1/s",
         "raw_limit": raw_per_second.round(), "ratio": round(writ_per_second / raw_per_second), "peer": "OpenBao: 158-221/s",
         "budget": ">= 2,000/s", "met": writ_per_second >= 2_000.0},
        {"measure": "PostgreSQL block to none left, one at a time", "value": of(&alone, "p50_ms"), "unit": "ms p50", "raw_limit": null, "ratio": null,
         "peer": "OpenBao: 15 ms, and sessions live on", "budget": "<= 10 ms", "met": within(&of(&alone, "p50_ms"), 10.0), "p99_ms": of(&alone, "p99_ms")},
        {"measure": format!("PostgreSQL block to none left, {CONCURRENT} at a time"), "value": of(&together, "p50_ms"), "unit": "ms p50",
         "raw_limit": null, "ratio": null, "budget": null, "met": null, "p99_ms": of(&together, "p99_ms")},
    ]);
    println!("{rows}");
}

struct Bench {
    config: Config,
    connector: Arc<Postgres>,
}

/// Connects a superuser, or somebody else, to the benchmark's database.
async fn client(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

impl Bench {
    async fn install(mut config: Config) -> Self {
        let boss = client(&config).await;
        for sql in [format!("CREATE DATABASE {DATABASE}"), format!("CREATE ROLE {GROUP}")] {
            boss.batch_execute(&sql).await.expect("a cluster that may be thrown away");
        }
        config.dbname(DATABASE);
        let boss = client(&config).await;
        let password = Secret::new(CONNECTOR_PASSWORD.to_owned());
        let plan = InstallPlan {
            installation: Digest::of(b"bench"),
            prefix: name("writ_t_"),
            groups: [name(GROUP)].into(),
            databases: vec![name(DATABASE)],
            users_max: 20_000,
            ttl_seconds_max: 86_400,
            connections_max: 20,
            connector_verifier: Some(verifier(&password, [7; 16], NonZeroU32::MIN)),
        };
        for script in install_sql(&plan).expect("a plan") {
            boss.batch_execute(&script.sql).await.expect("the functions");
        }
        boss.batch_execute("CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n").await.expect("a table");
        boss.batch_execute(&format!("GRANT SELECT ON public.t TO {GROUP}")).await.expect("a grant");
        let connector = Arc::new(Postgres::new(settings(&config)).expect("a connector"));
        connector.mark(1).await.expect("a mark");
        Self { config, connector }
    }

    /// A user made by Writ and by the raw statements in turn, so that both see the same machine.
    async fn one_at_a_time(&self, count: u32) -> serde_json::Value {
        let raw = client(&self.config).await;
        let (mut ours, mut theirs, mut precomputed) = (Vec::new(), Vec::new(), Vec::new());
        let known = verifier(&Secret::new("x".to_owned()), [0; 16], iterations(count));
        for _ in 0..ROUNDS {
            let order = commit(order(count));
            let start = Instant::now();
            self.connector.open(order, &mut OsRandom).await.expect("a user");
            ours.push(start.elapsed());
            // Whoever makes a role raw has a new password to make a verifier of, too.
            let start = Instant::now();
            raw.batch_execute(&raw_sql(&fresh_verifier(count))).await.expect("a role");
            theirs.push(start.elapsed());
            let start = Instant::now();
            raw.batch_execute(&raw_sql(&known)).await.expect("a role");
            precomputed.push(start.elapsed());
        }
        let (ours, theirs, precomputed) = (Times::of(ours), Times::of(theirs), Times::of(precomputed));
        json!({"p50_ms": ours.p50, "p99_ms": ours.p99, "raw_p50_ms": theirs.p50, "ratio": round(ours.p50 / theirs.p50),
               "raw_precomputed_p50_ms": precomputed.p50, "ratio_precomputed": round(ours.p50 / precomputed.p50), "rounds": ROUNDS})
    }

    /// Users made per second at several at a time, by Writ and raw.
    async fn burst(&self) -> (f64, f64) {
        let orders = commit_all((0..BURST).map(|_| order(1)).collect());
        let orders = Arc::new(Mutex::new(orders));
        let start = Instant::now();
        let workers: Vec<_> = (0..CONCURRENT)
            .map(|_| {
                let (orders, connector) = (Arc::clone(&orders), Arc::clone(&self.connector));
                tokio::spawn(async move {
                    loop {
                        let Some(order) = orders.lock().expect("orders").pop() else { return };
                        connector.open(order, &mut OsRandom).await.expect("a user");
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.expect("a worker");
        }
        let ours = per_second(BURST, start.elapsed());
        let mut clients = Vec::new();
        for _ in 0..CONCURRENT {
            clients.push(client(&self.config).await);
        }
        let start = Instant::now();
        let workers: Vec<_> = clients
            .into_iter()
            .map(|raw| {
                tokio::spawn(async move {
                    for _ in 0..BURST / CONCURRENT {
                        raw.batch_execute(&raw_sql(&fresh_verifier(1))).await.expect("a role");
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.expect("a worker");
        }
        (ours, per_second(BURST, start.elapsed()))
    }

    /// From the block to the moment at which nothing is left, with a live session each that holds a cursor as its group.
    async fn endings(&self, concurrent: usize) -> serde_json::Value {
        let workers: Vec<_> = (0..concurrent)
            .map(|_| {
                let config = self.config.clone();
                tokio::spawn(async move {
                    let reached = Arc::new(Mutex::new(BTreeMap::new()));
                    let seen = Arc::clone(&reached);
                    let on_phase = PhaseHook::new(move |phase| {
                        seen.lock().expect("phases").entry(phase).or_insert_with(Instant::now);
                    });
                    let connector = Postgres::new(PostgresSettings { on_phase, ..settings(&config) }).expect("a connector");
                    let mut times = Vec::new();
                    for _ in 0..ROUNDS / concurrent {
                        let (cut, held) = live(&connector, &config).await;
                        reached.lock().expect("phases").clear();
                        let proof = connector.end(cut).await;
                        let end = Instant::now();
                        assert!(proof.access_ended && proof.tidy, "{proof:#?}");
                        assert!(held.batch_execute("FETCH 1 FROM c").await.is_err(), "the session lives on");
                        let at = |phase| *reached.lock().expect("phases").get(&phase).expect("a phase");
                        times.push((at(Phase::CleanUp) - at(Phase::BlockNew), end - at(Phase::BlockNew)));
                    }
                    times
                })
            })
            .collect();
        let (mut none, mut dropped) = (Vec::new(), Vec::new());
        for worker in workers {
            let (mut nones, mut drops) = worker.await.expect("a worker").into_iter().unzip();
            none.append(&mut nones);
            dropped.append(&mut drops);
        }
        let (none, dropped) = (Times::of(none), Times::of(dropped));
        json!({"concurrent": concurrent, "p50_ms": none.p50, "p99_ms": none.p99,
               "until_dropped_p50_ms": dropped.p50, "until_dropped_p99_ms": dropped.p99, "rounds": ROUNDS})
    }
}

/// The connector's settings for the cluster of a superuser's connection string.
fn settings(config: &Config) -> PostgresSettings {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(directory)) => directory.display().to_string(),
        None => panic!("the connection string names no host"),
    };
    let terms = PostgresTerms {
        address: format!("{host}:{port}"),
        ca: None,
        databases: vec![name(DATABASE)],
        replicas: Vec::new(),
        actions: BTreeMap::new(),
        scram_iterations: 1,
    };
    let login = Login::new(name("writ_connector"), Secret::new(CONNECTOR_PASSWORD.to_owned()));
    PostgresSettings::of(&terms, Digest::of(b"bench"), login).expect("settings")
}

/// A user with a session that acts as its group and holds a cursor.
async fn live(connector: &Postgres, config: &Config) -> (CutDatabaseUser, Client) {
    let order = order(1);
    let cut = CutDatabaseUser {
        credential: order.credential,
        resource: order.resource,
        user: order.user.clone(),
        databases: order.databases.clone(),
        epoch: order.epoch,
    };
    let made = connector.open(commit(order), &mut OsRandom).await.expect("a user");
    let password = made.sealed.open(&commit(ReleasePassword { credential: cut.credential })).expect("its password");
    let mut own = config.clone();
    own.user(cut.user.as_str()).password(password.expose());
    let held = client(&own).await;
    held.batch_execute(&format!("SET ROLE {GROUP}; BEGIN; DECLARE c CURSOR FOR SELECT * FROM public.t; FETCH 1 FROM c"))
        .await
        .expect("it works before");
    (cut, held)
}

fn order(scram_iterations: u32) -> OpenDatabaseUser {
    let mut random = OsRandom;
    OpenDatabaseUser {
        credential: CredentialId::mint(&mut random),
        task: TaskId::mint(&mut random),
        resource: ResourceId::mint(&mut random),
        user: name(&fresh_name("writ_t_")),
        groups: vec![name(GROUP)],
        databases: vec![name(DATABASE)],
        expires: tomorrow(),
        epoch: 1,
        scram_iterations,
    }
}

fn fresh_name(prefix: &str) -> String {
    format!("{prefix}{:032x}", u128::from_be_bytes(OsRandom.bits_128()))
}

#[expect(clippy::disallowed_methods, reason = "the backend compares with the real clock")]
fn tomorrow() -> Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Time::from_seconds(now.as_secs() + 3_600)
}

fn fresh_verifier(count: u32) -> String {
    verifier(&Secret::new(fresh_name("")), OsRandom.bits_128(), iterations(count))
}

/// What one makes without Writ: one round trip, one transaction.
fn raw_sql(verifier: &str) -> String {
    let role = fresh_name("raw_");
    format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 8 PASSWORD '{verifier}' VALID UNTIL '2099-01-01'; GRANT {GROUP} TO {role};"
    )
}

struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at =
            |percent: usize| times.get(times.len() * percent / 100).map_or(f64::NAN, |time| round(time.as_secs_f64() * 1_000.0));
        Self { p50: at(50), p99: at(99) }
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
