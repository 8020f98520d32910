//! From a directory to a running server, and down again.

use crate::clock;
use crate::counted;
use crate::effects::Effects;
use crate::http::{self, App};
use crate::shared::Shared;
use crate::tls::Terms;
use crate::upstream::Local;
use crate::writing;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use writ_agent::AgentError;
use writ_connect::PhaseHook;
use writ_credential::x509::{Serial, parse_ca};
use writ_issue::{AuthorityError, AuthorityPlan, X509Authority};
use writ_ledger::LogSigner;
use writ_plane::{Command, Index, NewAuthority, Open, OpenError, Recover, Writer, unfinished};
use writ_store::{DirError, KeyDir, KeyError, Options, SqliteStore};
use writ_types::{Denial, ParseError, Random as _, Time, Ttl};

/// The name of the log key's file.
pub(crate) const LOG_KEY: &str = "log.key";
/// The authority's certificate lives this long.
const AUTHORITY_TTL: Ttl = Ttl::from_seconds(365 * 86_400);
/// Submissions that wait for the writer at once.
const QUEUE_MAX: usize = 16_384;
/// The time in which the writer's thread ends once nobody can ask any more.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Files that the process may have open: all listeners' connections, and room for the store and the backends.
const FILES_WANTED: u64 = 8_192;
/// How often SQLite's write-ahead log is looked at.
const WAL_EVERY: Duration = Duration::from_millis(500);

/// How a server runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that `writ init` made.
    pub dir: PathBuf,
    /// The admin socket; by default `admin.sock` in the directory.
    pub admin_socket: Option<PathBuf>,
    /// The Workload API's socket; by default `workload.sock` in the directory.
    pub workload_socket: Option<PathBuf>,
    /// Where the API is reached by certificate; none: not at all.
    pub api: Option<SocketAddr>,
    /// True if a development domain is served.
    pub dev: bool,
    /// For crash tests: called before each phase of an effect.
    pub on_phase: PhaseHook,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The directory can't be used.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The log can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A key file can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log's key can't be read.
    #[error("the log's key: {0}")]
    LogKey(#[from] ParseError),
    /// The key file is not the key that the genesis names.
    #[error("the log's key file is not the key that the genesis names")]
    OtherLogKey,
    /// The X.509 authority can't be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The authority in the log and its key file don't belong together.
    #[error("the X.509 authority's key file is missing or is not the authority's: bring it back from a backup")]
    OtherAuthority,
    /// The core refuses to start.
    #[error("{0}")]
    Denied(Denial),
    /// The Workload API can't be served.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A socket can't be made.
    #[error("`{what}`: {source}")]
    Listen {
        /// Where.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A thread of the server has ended before its work was done.
    #[error("a thread of the server has ended early: report this")]
    Ended,
    /// A development domain.
    #[error("the log is of a development domain: only `writ dev` and `--dev` serve it")]
    Dev,
}

impl From<Denial> for ServeError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Serves the directory until `stop` resolves. `ready` is called once everything listens.
///
/// # Errors
/// When something of the directory does not hold. Nothing is repaired.
pub async fn serve(config: Config, ready: impl FnOnce(), stop: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
    let Opened { shared, cuts, threads, wal } = open(&config)?;
    shared.ask(Command::Recover(Recover), None, Vec::new()).await?.result?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    shared.ask(Command::Open(Open { version }), None, Vec::new()).await?.result?;
    enthrone(&shared).await?;

    let passfiles = KeyDir::open(&config.dir.join("connect"))?;
    let effects = Arc::new(Effects::new(Arc::clone(&shared), passfiles, config.on_phase.clone()));
    let ending = tokio::spawn(end_all(Arc::clone(&shared), Arc::clone(&effects), cuts));

    let admin_socket = config.admin_socket.clone().unwrap_or_else(|| config.dir.join("admin.sock"));
    let admin = listen_unix(&admin_socket)?;
    let workload = writ_agent::bind(&config.workload_socket.clone().unwrap_or_else(|| config.dir.join("workload.sock")))?;
    let mut tasks = vec![ending, tokio::spawn(counted::keep_logging(Arc::clone(&shared)))];
    let mut api = None;
    if let Some(address) = config.api {
        let failed = |source| ServeError::Listen { what: address.to_string(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?.to_string();
        let terms = Terms::new(&shared).await?;
        let app = App::new(Arc::clone(&shared), Arc::clone(&effects), Some(address.clone()));
        tasks.push(tokio::spawn(Arc::clone(&terms).renew(Arc::clone(&shared))));
        tasks.push(tokio::spawn(http::tls(listener, app, terms)));
        api = Some(address);
    }
    tasks.push(tokio::spawn(http::admin(admin, App::new(Arc::clone(&shared), effects, api))));
    let trust_domain = shared.authority.ca().trust_domain().clone();
    let upstream = Arc::new(Local::new(Arc::clone(&shared), trust_domain));
    ready();
    let served = writ_agent::serve(workload, upstream, writ_agent::Limits::default(), stop).await;
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        // Each was aborted: that it was is no news.
        drop(task.await);
    }
    counted::log(&shared).await;
    drop(std::fs::remove_file(admin_socket));
    drop((shared, wal));
    // The writer finishes what it has taken up; then the directory is free for the next process.
    let ended = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
    drop(tokio::time::timeout(STOP_WITHIN, ended).await);
    Ok(served?)
}

/// An opened directory, and what works on it.
struct Opened {
    shared: Arc<Shared>,
    cuts: mpsc::UnboundedReceiver<writ_types::CutDatabaseUser>,
    threads: Vec<JoinHandle<()>>,
    /// Dropping it ends the thread that tends the write-ahead log.
    wal: std::sync::mpsc::Sender<()>,
}

/// Opens the directory: lock, verify, fold. The writer's thread runs from here on, and what was unfinished is ended.
fn open(config: &Config) -> Result<Opened, ServeError> {
    // Nothing in the directory is for others, whatever the caller's mask is; sockets are opened up one by one.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    lift_file_limit();
    outlive_file_size_limit()?;
    let store = SqliteStore::open(&config.dir, Options::default())?;
    let wal = store.wal_checkpointer().map_err(|error| ServeError::Open(OpenError::Store(error)))?;
    let writer = Writer::open(store)?;
    if writer.state().domain().is_dev() != config.dev {
        return Err(ServeError::Dev);
    }
    let keys = KeyDir::open(&config.dir.join("keys"))?;
    let signer = LogSigner::parse(&keys.read_text(LOG_KEY)?)?;
    if writer.log().key() != Some(signer.key()) {
        return Err(ServeError::OtherLogKey);
    }
    let authority = authority(&keys, &writer)?;
    let mut index = Index::default();
    for place in 0..writer.log().size() {
        index.add(place, &writer.log().entry(place).map_err(OpenError::Log)?);
    }
    let genesis = writer.log().genesis().ok_or(OpenError::NoGenesis)?;
    let (queue, asked) = sync_channel(QUEUE_MAX);
    let (cut, cuts) = mpsc::unbounded_channel();
    for order in unfinished(writer.state()) {
        drop(cut.send(order));
    }
    let shared = Arc::new(Shared::new(writer, index, queue, authority, genesis));
    let writing = Arc::downgrade(&shared);
    let (tended, running) = std::sync::mpsc::channel();
    let threads = vec![
        spawn_thread("writer", move || writing::run(&writing, &asked, &signer, &cut))?,
        spawn_thread("wal", move || tend(wal, &running))?,
    ];
    Ok(Opened { shared, cuts, threads, wal: tended })
}

/// The listeners take more connections than the 1,024 files that a process usually may open; the store and the backends would
/// be left without one, and endings with them.
fn lift_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES_WANTED, |most| most.min(FILES_WANTED));
    if limit.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })
    {
        tracing::warn!(%error, "the process can't open more files");
    }
}

/// A file that can't grow is a store that fails, which stops granting; by default the kernel would end the process.
fn outlive_file_size_limit() -> Result<(), ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    // Once it is listened for, the signal ends nothing, whether or not somebody still listens.
    let listening = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    listening.map(drop).map_err(|source| ServeError::Listen { what: "signal XFSZ".to_owned(), source })
}

/// A thread with a name.
pub(crate) fn spawn_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ServeError> {
    let failed = |source| ServeError::Listen { what: format!("thread {name}"), source };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(failed)
}

/// Moves SQLite's write-ahead log into the database, off the append path.
fn tend(mut wal: writ_store::WalCheckpointer, running: &Receiver<()>) {
    while running.recv_timeout(WAL_EVERY) == Err(RecvTimeoutError::Timeout) {
        if wal.is_due()
            && let Err(error) = wal.run()
        {
            tracing::warn!(%error, "the write-ahead log can't be moved");
        }
    }
}

/// The authority that the log names, with its key; or a new one, where the log names none yet. A key file that never came into
/// the log is nobody's.
fn authority(keys: &KeyDir, writer: &Writer<SqliteStore>) -> Result<X509Authority, ServeError> {
    if let Some(known) = writer.state().domain().authority() {
        let ca = parse_ca(&known.certificate).map_err(|_| ServeError::OtherAuthority)?;
        let file = key_file(ca.serial());
        if !keys.has(&file)? {
            return Err(ServeError::OtherAuthority);
        }
        return X509Authority::from_pkcs8(&keys.read(&file)?, &known.certificate).map_err(|_| ServeError::OtherAuthority);
    }
    let domain = writer.state().domain().trust_domain().cloned().ok_or(OpenError::NoGenesis)?;
    let now = clock::wall();
    let plan = AuthorityPlan {
        trust_domain: domain,
        serial: Serial::from_random(crate::entropy::Entropy::default().bits_128()),
        not_before: Time::from_seconds(now.seconds().saturating_sub(60)),
        not_after: now.after(AUTHORITY_TTL),
    };
    let authority = X509Authority::generate(&plan)?;
    keys.create(&key_file(authority.ca().serial()), authority.pkcs8()?.expose())?;
    Ok(authority)
}

fn key_file(serial: &Serial) -> String {
    format!("x509-{serial}.key")
}

/// Puts a new authority into the log before it signs anything.
async fn enthrone(shared: &Arc<Shared>) -> Result<(), ServeError> {
    let known = shared.read().state().domain().authority().map(|authority| authority.certificate.clone());
    let ours = shared.authority.ca().der().to_vec();
    match known {
        Some(known) if parse_ca(&known).is_ok_and(|ca| ca.der() == ours) => Ok(()),
        Some(_) => Err(ServeError::OtherAuthority),
        None => {
            shared.ask(Command::NewAuthority(NewAuthority { certificate: ours }), None, Vec::new()).await?.result?;
            Ok(())
        }
    }
}

/// Ends whatever has to be ended, all at once.
async fn end_all(shared: Arc<Shared>, effects: Arc<Effects>, mut cuts: mpsc::UnboundedReceiver<writ_types::CutDatabaseUser>) {
    let mut ending = JoinSet::new();
    while let Some(cut) = cuts.recv().await {
        ending.spawn(Arc::clone(&effects).end(cut));
        while ending.try_join_next().is_some() {}
    }
    drop(shared);
}

/// The admin socket: everybody on the machine may ask, a key says who answers.
fn listen_unix(path: &Path) -> Result<UnixListener, ServeError> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    let failed = |source| ServeError::Listen { what: path.display().to_string(), source };
    // The directory's lock is ours: a socket that is left there is an earlier process's.
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;
    Ok(listener)
}
