//! X.509-SVIDs a second on one core: the whole path, through a log on disk, beside what its two signatures cost alone.
//!
//! Both are measured in turns, so that a noisy machine slows both.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};
use writ_credential::x509::{P256Key, Serial, SvidPlan, assemble, csr_info, verify_csr};
use writ_issue::{AuthorityPlan, X509Authority};
use writ_ledger::body::{Body, SvidRow, SvidsIssued};
use writ_ledger::{Actor, Entry, Kind, Lane, Log, LogSigner, Salt, Staged};
use writ_store::{Options, SqliteStore};
use writ_types::{ActorKind, Digest, EventId, IdentityId, Random, SignX509, SpiffeId, TextValue, Time, TrustDomain, Ttl, Via};

const NOW: Time = Time::from_seconds(1_795_341_600);
/// Rows of one entry, and entries of one append: what a busy writer puts into one group commit.
const ROWS: usize = 100;
const ENTRIES: usize = 5;
const ROUNDS: usize = 15;

struct System;

impl Random for System {
    fn fill(&mut self, out: &mut [u8]) {
        // Random bytes can't run out here; zeros would only repeat a serial number in a bench.
        let _ = aws_lc_rs::rand::fill(out);
    }
}

struct Bench {
    authority: X509Authority,
    log: Log<SqliteStore>,
    workload: EcdsaKeyPair,
    spiffe_id: SpiffeId,
    csr: Vec<u8>,
}

#[expect(clippy::print_stdout, reason = "a bench prints its row")]
fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let mut bench = Bench::new(dir.path())?;
    let (mut raw, mut path) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(timed(|| bench.raw())?);
        path.push(timed(|| bench.path())?);
    }
    let (raw, path) = (per_second(&mut raw), per_second(&mut path));
    let ratio = path / raw;
    let row = json!({
        "measure": "X.509-SVID: request verified, laid out, logged, signed, per core", "value": path.round(), "unit": "1/s",
        "raw_limit": raw.round(), "ratio": (ratio * 1000.0).round() / 1000.0,
        "budget": "ratio >= 0.7 of verify + sign", "met": ratio >= 0.7,
    });
    println!("{row}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// By the median round.
fn per_second(rounds: &mut [Duration]) -> f64 {
    rounds.sort_unstable();
    let median = rounds.get(rounds.len() / 2).map_or(f64::INFINITY, Duration::as_secs_f64);
    u32::try_from(ROWS * ENTRIES).map_or(f64::NAN, f64::from) / median
}

impl Bench {
    fn new(dir: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let mut log = Log::open(SqliteStore::create(dir, Options::default())?, |_, _| {})?;
        let signer = LogSigner::parse(&LogSigner::mint("writ.example/bench", &mut System)?)?;
        let content = json!({"origin": "writ.example/bench", "log_key": signer.key().to_string()});
        let genesis = entry("log.genesis", json!({"v": 1, "content": content}))?;
        for committed in log.append(Lane::Grant, vec![Staged { entry: genesis, blobs: vec![], order: () }])? {
            let () = committed.into_order();
        }
        let authority = X509Authority::generate(&AuthorityPlan {
            trust_domain: TrustDomain::parse("prod.example")?,
            serial: Serial::from_random(System.bits_128()),
            not_before: NOW,
            not_after: NOW.after(Ttl::from_seconds(86_400)),
        })?;
        let workload = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let info = csr_info(&P256Key::from_point(workload.public_key().as_ref()).ok_or("no key")?);
        let csr = assemble(&info, workload.sign(&SystemRandom::new(), &info)?.as_ref());
        let spiffe_id = SpiffeId::parse("spiffe://prod.example/billing/invoicer")?;
        Ok(Self { authority, log, workload, spiffe_id, csr })
    }

    /// Only the two operations on the curve; the key is parsed each time, as each request brings another.
    fn raw(&self) -> Result<(), Box<dyn Error>> {
        let random = SystemRandom::new();
        let message = self.csr.as_slice();
        let signature = self.workload.sign(&random, message)?;
        for _ in 0..ROWS * ENTRIES {
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.workload.public_key().as_ref())?;
            key.verify_sig(message, signature.as_ref())?;
            let _ = std::hint::black_box(self.workload.sign(&random, message)?);
        }
        Ok(())
    }

    fn path(&mut self) -> Result<(), Box<dyn Error>> {
        let batch: Result<Vec<_>, _> = (0..ENTRIES).map(|_| self.plan()).collect();
        for committed in self.log.append(Lane::Grant, batch?)? {
            let issued = self.authority.sign_all(committed)?;
            let _ = std::hint::black_box(issued);
        }
        Ok(())
    }

    /// One entry of rows, with its orders.
    fn plan(&self) -> Result<Staged<Vec<SignX509>>, Box<dyn Error>> {
        let (mut rows, mut order) = (Vec::new(), Vec::new());
        for _ in 0..ROWS {
            let csr = verify_csr(&self.csr)?;
            let (serial, expires) = (Serial::from_random(System.bits_128()), NOW.after(Ttl::from_seconds(3600)));
            let plan = SvidPlan {
                serial: serial.clone(),
                spiffe_id: &self.spiffe_id,
                csr: &csr,
                not_before: NOW,
                not_after: expires,
                issuer: self.authority.ca(),
            };
            let tbs = plan.tbs()?;
            let (tbs_digest, spiffe_id) = (Digest::of(&tbs), self.spiffe_id.clone());
            rows.push(SvidRow {
                identity: IdentityId::mint(&mut System),
                spiffe_id: spiffe_id.clone(),
                serial: serial.to_string(),
                key: csr.thumbprint(),
                tbs: tbs_digest,
                expires,
                attested: vec!["unix:uid:1001".to_owned()],
            });
            order.push(SignX509 { tbs, tbs_digest, spiffe_id, expires });
        }
        let body = Body::from(SvidsIssued { rows });
        Ok(Staged { entry: entry(body.kind(), body.encode()?)?, blobs: vec![], order })
    }
}

fn entry(kind: &str, body: serde_json::Value) -> Result<Entry, Box<dyn Error>> {
    Ok(Entry {
        v: 1,
        kind: Kind::parse(kind)?,
        at: NOW,
        id: EventId::mint(&mut System),
        salt: Salt::mint(&mut System),
        epoch: 1,
        actor: Actor { id: "server".to_owned(), kind: ActorKind::System, via: Via::Timer },
        on: vec![],
        cause: vec![],
        decision: None,
        policy_set: None,
        body,
        acts: vec![],
        blobs: vec![],
    })
}
