//! A directory as `writ init` leaves it, a server over it, and people and programs that ask.

use crate::described;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use writ_ledger::body::{ChangeContent, Founder, GenesisContent, IdentityItem, Item, PolicyText, Root, TextOfPolicy};
use writ_ledger::{Blob, Lane, Log, LogSigner, SignedAct, Staged};
use writ_policy::PolicySource;
use writ_server::{Config, PhaseHook, ServeError, serve};
use writ_sim::{Cast, Estate, Person, Seeded, Signing};
use writ_store::{KeyDir, Options, SqliteStore};
use writ_types::{
    ActKind, ActorKind, ChangeId, Digest, IdentityId, Name, OwnerRole, Random as _, SpiffeId, TextValue as _, Tier, Time,
};

pub(crate) const ORIGIN: &str = "prod.example/writ";
pub(crate) const LOG_KEY: &str = "log.key";

/// The wall clock, which the server reads too.
#[expect(clippy::disallowed_methods, reason = "signatures expire by the server's clock")]
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap())
}

/// Everything that the servers of this process said to their operators.
static SAID: LazyLock<Said> = LazyLock::new(|| {
    let said = Said::default();
    let writer = said.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    said
});

#[derive(Debug, Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    pub(crate) fn all() -> String {
        String::from_utf8_lossy(&SAID.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A trust domain's directory and, while it runs, its server.
pub(crate) struct World {
    dir: TempDir,
    random: Mutex<Seeded>,
    /// What was filed, as it is signed.
    filed: Mutex<BTreeMap<ChangeId, Value>>,
    running: Option<Running>,
    pub(crate) api: Option<SocketAddr>,
}

/// A server, and how to stop it.
struct Running {
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

/// An answer, whatever it is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The code of a refusal, which says itself whole: a problem with a next step, on one line each.
    pub(crate) fn refused(&self) -> String {
        let problem = self.json();
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json", "{problem}");
        described::fits("Problem", &problem);
        for text in [&problem["title"], &problem["detail"], &problem["help"]] {
            let text = text.as_str().unwrap();
            assert!(!text.is_empty() && text.len() < 1_000 && !text.chars().any(char::is_control), "{problem}");
        }
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// One request. What it lacks is not sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    pub(crate) fn post(path: impl Into<String>, key: &str, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap();
        let (key, kind) = (Some(key.to_owned()), Some("application/json"));
        Self { method: Method::POST, path: path.into(), key, kind, body, token: None }
    }

    pub(crate) fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Sends it over a stream of its own.
    pub(crate) async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) -> Result<Answer, String> {
        let (path, method) = (self.path.clone(), self.method.clone());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder().method(self.method).uri(self.path).header("host", "writ");
        for (name, value) in [(CONTENT_TYPE.as_str(), self.kind), ("idempotency-key", self.key.as_deref())] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(token) = self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(self.body))).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        driver.abort();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        // Whatever is answered is what the API's description says.
        if answer.status == StatusCode::OK {
            described::answer(&method, &path, &answer);
        }
        Ok(answer)
    }
}

impl World {
    /// Just founded by Alice and Bob; no server yet.
    pub(crate) fn founded() -> Self {
        LazyLock::force(&SAID);
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            random: Mutex::new(Seeded::new(11)),
            filed: Mutex::default(),
            running: None,
            api: None,
        };
        let secret = LogSigner::mint(ORIGIN, &mut *world.random.lock().unwrap()).unwrap();
        let keys = KeyDir::open(&world.dir().join("keys")).unwrap();
        keys.create(LOG_KEY, secret.expose().as_bytes()).unwrap();
        let content = genesis(LogSigner::parse(&secret).unwrap().key().to_string());
        let acts = ["alice", "bob"].map(|handle| world.act(handle, ActKind::Genesis, ORIGIN, &content)).to_vec();
        let entries = writ_plane::found(content, acts, now(), &mut *world.random.lock().unwrap()).unwrap();
        let names: Vec<Blob> = Cast::get().people().map(|(_, person)| person.name.clone()).collect();
        let staged = entries.into_iter().map(|entry| {
            let blobs = names.iter().filter(|blob| entry.blobs.contains(&blob.name())).cloned().collect();
            Staged { entry, blobs, order: () }
        });
        let store = SqliteStore::create(world.dir(), Options { reserve_bytes: 64 << 10, pages_max: None }).unwrap();
        let mut log = Log::open(store, |_, _| {}).unwrap();
        drop(log.append(Lane::Grant, staged.collect()).unwrap());
        world
    }

    /// Founded, and served.
    pub(crate) async fn served() -> Self {
        let mut world = Self::founded();
        world.start().await.unwrap();
        world
    }

    /// Served, with everybody enrolled and the estate in force; this very process is the identity `tester`.
    pub(crate) async fn staffed() -> Self {
        let world = Self::served().await;
        let people = world.file("alice", Estate::people()).await;
        for handle in ["bob", "carol", "dave", "erin", "frank", "gina"] {
            world.sign(handle, people).await;
        }
        let mut estate = Estate::new();
        estate.boundary.charter.platform.as_mut().unwrap().selectors = vec!["unix:uid:0-4294967294".to_owned()];
        let mut items = estate.items();
        items.push(Item::Identity(tester()));
        let estate = world.file("alice", items).await;
        for handle in ["bob", "carol", "dave", "erin", "frank"] {
            world.sign(handle, estate).await;
        }
        assert_eq!(world.get(&world.login("alice").await, "/v1/changes").await.ok(), json!([]));
        world
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir().join("admin.sock")
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            dir: self.dir().to_owned(),
            admin_socket: None,
            workload_socket: None,
            api: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            dev: false,
            on_phase: PhaseHook::default(),
        }
    }

    /// Starts a server; returns once it listens.
    pub(crate) async fn start(&mut self) -> Result<(), ServeError> {
        let (ready, listens) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let ready = move || ready.send(()).unwrap();
        let config = self.config();
        let served = tokio::spawn(async move { serve(config, ready, async { drop(stopped.await) }).await });
        if listens.await.is_err() {
            return served.await.unwrap();
        }
        self.running = Some(Running { stop, served });
        let status = self.get("", "/v1/status").await.ok();
        self.api = Some(status["api"].as_str().unwrap().parse().unwrap());
        Ok(())
    }

    /// Stops the server; returns once the directory is free.
    pub(crate) async fn stop(&mut self) {
        let Running { stop, served } = self.running.take().unwrap();
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
    }

    pub(crate) async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).await.unwrap()
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        ask.over(self.connect().await).await.unwrap()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        let ask = Ask::get(path);
        self.ask(if token.is_empty() { ask } else { ask.by(token) }).await
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        let key = self.token();
        self.ask(Ask::post(path, &key, body)).await
    }

    /// A request over TLS.
    pub(crate) async fn tls(&self, config: ClientConfig, ask: Ask) -> Result<Answer, String> {
        let stream = TcpStream::connect(self.api.unwrap()).await.unwrap();
        let name = tokio_rustls::rustls::pki_types::ServerName::try_from("writ").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
        ask.over(stream).await
    }

    /// Random text.
    pub(crate) fn token(&self) -> String {
        self.random.lock().unwrap().bits_128().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A person's signature, in all roles.
    pub(crate) fn act<T: Serialize>(&self, handle: &str, act: ActKind, id: &str, content: &T) -> SignedAct {
        let mut random = self.random.lock().unwrap();
        person(handle).sign(act, id, content, OwnerRole::ALL, &mut Signing { origin: ORIGIN, now: now(), random: &mut random })
    }

    /// An answer to a new challenge.
    pub(crate) async fn answer(&self, handle: &str) -> Value {
        let challenge = self.post("/v1/login/challenge", &json!({})).await.ok()["challenge"].as_str().unwrap().to_owned();
        let act = self.act(handle, ActKind::Login, &challenge, &json!({"challenge": challenge}));
        json!({"challenge": challenge, "act": act, "ttl": "1h"})
    }

    /// A session's token.
    pub(crate) async fn login(&self, handle: &str) -> String {
        let login = self.answer(handle).await;
        self.post("/v1/login", &login).await.ok()["token"].as_str().unwrap().to_owned()
    }

    /// Files a change set.
    pub(crate) async fn file(&self, handle: &str, items: Vec<Item>) -> ChangeId {
        let change = ChangeId::mint(&mut *self.random.lock().unwrap());
        let content = ChangeContent { change, filer: person(handle).party, items };
        let act = self.act(handle, ActKind::Change, &change.to_string(), &content);
        let names: Vec<Value> =
            Cast::get().people().map(|(_, person)| serde_json::from_slice(person.name.bytes()).unwrap()).collect();
        self.post("/v1/changes", &json!({"content": content, "act": act, "blobs": names})).await.ok();
        self.filed.lock().unwrap().insert(change, json!(content));
        change
    }

    /// Signs a change set, in all roles.
    pub(crate) async fn sign(&self, handle: &str, change: ChangeId) {
        let path = format!("/v1/changes/{change}");
        let content = self.filed.lock().unwrap().get(&change).cloned().unwrap();
        let act = self.act(handle, ActKind::Change, &change.to_string(), &content);
        self.post(&format!("{path}/sign"), &json!({"act": act})).await.ok();
    }

    /// One number of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = self.get("", "/metrics").await.text();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The body of the last entry of a kind, read past the server, which has stopped.
    pub(crate) fn last(&self, kind: &str) -> Value {
        let store = SqliteStore::open(self.dir(), Options { reserve_bytes: 64 << 10, pages_max: None }).unwrap();
        let mut last = None;
        drop(
            Log::open(store, |_, entry| last = Some(entry.body).filter(|_| entry.kind.as_str() == kind).or(last.take())).unwrap(),
        );
        last.unwrap_or_else(|| panic!("no {kind}"))
    }

    /// The log's size.
    pub(crate) async fn size(&self) -> u64 {
        self.metric("writ_log_entries").await
    }
}

pub(crate) fn person(handle: &str) -> &'static Person {
    Cast::get().person(handle)
}

/// The identity of this very process.
pub(crate) fn tester() -> IdentityItem {
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    IdentityItem {
        identity: IdentityId::from_bits([0x7e; 16]),
        name: Name::parse("tester").unwrap(),
        boundary: Name::parse("prod").unwrap(),
        actor_kind: ActorKind::Workload,
        autonomous: false,
        tier: Tier::Standard,
        spiffe_id: SpiffeId::parse("spiffe://prod.example/prod/tester").unwrap(),
        selectors: vec![format!("unix:uid:{uid}")],
        retired: false,
    }
}

fn genesis(log_key: String) -> GenesisContent {
    let (alice, bob) = (person("alice"), person("bob"));
    let founder = |person: &Person| Founder { party: person.party, name: person.name.name(), key: person.key.to_string() };
    let of = |first, second| {
        let roles = [OwnerRole::Control, OwnerRole::Business, OwnerRole::Platform, OwnerRole::Identity, OwnerRole::Security];
        roles.into_iter().zip([first, first, first, second, second]).collect()
    };
    let base = PolicySource::base();
    let policies = base.policies().map(|(id, text)| TextOfPolicy { id: id.to_string(), text: text.to_owned() });
    GenesisContent {
        trust_domain: Cast::get().trust_domain.clone(),
        origin: ORIGIN.to_owned(),
        log_key,
        founders: vec![founder(alice), founder(bob)],
        quorum: 2,
        witnesses: Vec::new(),
        dev: false,
        policy: PolicyText { schema: base.schema().to_owned(), policies: policies.collect() },
        root: Root { owners: of(alice.party, bob.party), backups: of(bob.party, alice.party), duties: Default::default() },
    }
}

/// SHA-256, for tests that follow hashes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::of(bytes)
}
