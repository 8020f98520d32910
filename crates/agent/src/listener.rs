//! The socket: who may connect, how often, and what becomes of a connection.

use crate::Limits;
use crate::budget::Budget;
use crate::caller::{Caller, blocking};
use crate::connection::Connection;
use crate::frames::go_away;
use crate::service::{WorkloadApi, require_metadata};
use crate::stream::Surroundings;
use crate::upstream::Upstream;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use writ_attest::{Peer, PeerStream, mark_senders};
use writ_wire::workload::SpiffeWorkloadApiServer;

/// How long a server that stops waits for its connections.
const STOP: Duration = Duration::from_secs(5);
/// How long a refused connection is kept, so that its client reads why.
const REFUSED: Duration = Duration::from_secs(1);
/// Refusals that are spelled out at once; more are closed without a word.
const REFUSALS: usize = 64;
/// Executables that are hashed at once: each is a disk and a core.
const LOOKS: usize = 4;

/// Why the Workload API is not served. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The socket can't be made.
    #[error("the workload socket `{path}` can't be made: {source}")]
    Socket {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others could put their own socket in its place.
    #[error("the directory of the workload socket `{0}` can be written by others; it must be yours or root's, mode 0755 or less")]
    Directory(PathBuf),
    /// Somebody answers there, or it is no socket.
    #[error("`{0}` is taken; stop the other server, or choose another path")]
    Taken(PathBuf),
    /// The transport failed.
    #[error("the workload socket failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Makes the socket at `path`, which every user of the machine may connect to. A socket that nobody serves any more is replaced.
///
/// # Errors
/// When the directory is not safe, the path is taken, or the system refuses.
pub fn bind(path: &Path) -> Result<UnixListener, AgentError> {
    let failed = |source| AgentError::Socket { path: path.to_owned(), source };
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = std::fs::metadata(directory).map_err(failed)?;
    if owner.mode() & 0o022 != 0 || ![0, rustix::process::geteuid().as_raw()].contains(&owner.uid()) {
        return Err(AgentError::Directory(path.to_owned()));
    }
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() || std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(AgentError::Taken(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Before anybody can connect, so that no byte comes in without its sender: the mode below lets others in.
    mark_senders(&listener).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;
    Ok(listener)
}

/// Serves the Workload API on a socket from [`bind`], until `stop` resolves.
///
/// # Errors
/// When the transport fails. A connection that fails is that connection's end only.
pub async fn serve<U: Upstream>(
    listener: UnixListener,
    upstream: Arc<U>,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), AgentError> {
    let limits = Arc::new(limits);
    let (stopped, stopping) = watch::channel(false);
    let budget = Arc::new(Budget::new(limits.svids_burst_per_uid, limits.svid_interval_per_uid));
    let around = Surroundings { upstream, limits: Arc::clone(&limits), stopping: stopping.clone() };
    let service =
        SpiffeWorkloadApiServer::new(WorkloadApi::new(around, budget)).max_decoding_message_size(limits.message_bytes_max);
    let (accepted, connections) = mpsc::channel(16);
    let door = Door::new(Arc::clone(&limits), accepted);
    let mut until = stopping.clone();
    let serving = Server::builder()
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_max_header_list_size(limits.header_bytes_max)
        .http2_keepalive_interval(Some(limits.keep_alive))
        .http2_keepalive_timeout(Some(limits.handshake))
        .add_service(InterceptedService::new(service, require_metadata))
        .serve_with_incoming_shutdown(ReceiverStream::new(connections), async move {
            let _ = until.wait_for(|stop| *stop).await;
        });
    tokio::pin!(serving);
    tokio::select! {
        result = &mut serving => return Ok(result?),
        () = door.keep(listener) => {}
        () = stop => {}
    }
    stopped.send_replace(true);
    // What has not ended by then is dropped.
    timeout(STOP, serving).await.unwrap_or(Ok(())).map_err(AgentError::from)
}

/// Who is let in.
struct Door {
    limits: Arc<Limits>,
    accepted: mpsc::Sender<io::Result<Connection>>,
    places: Arc<Semaphore>,
    users: BTreeMap<u32, Arc<Semaphore>>,
    looks: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
}

impl Door {
    fn new(limits: Arc<Limits>, accepted: mpsc::Sender<io::Result<Connection>>) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        let (looks, refusals) = (Arc::new(Semaphore::new(LOOKS)), Arc::new(Semaphore::new(REFUSALS)));
        Self { limits, accepted, places, users: BTreeMap::new(), looks, refusals }
    }

    /// Accepts for ever.
    async fn keep(mut self, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => self.admit(socket),
                Err(error) => {
                    // Out of descriptors, most likely: they come back when connections end.
                    tracing::warn!(%error, "a connection to the workload socket could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn admit(&mut self, socket: UnixStream) {
        let peer = match Peer::of(&socket) {
            Ok(peer) => peer,
            Err(error) => return self.refuse(socket, error.to_string()),
        };
        match self.place(peer.claimed_uid()) {
            Some(places) => {
                let (limits, looks, accepted) = (Arc::clone(&self.limits), Arc::clone(&self.looks), self.accepted.clone());
                tokio::spawn(async move {
                    // A look that hangs, or a queue that is full, costs the caller its connection and nobody else anything.
                    let _ = timeout(limits.handshake, enter(socket, peer, places, &limits, looks, accepted)).await;
                });
            }
            None => {
                self.refuse(socket, format!("too many connections of user `{}`; close some, or share one", peer.claimed_uid()))
            }
        }
    }

    /// A place among all, and among the user's own.
    fn place(&mut self, uid: u32) -> Option<[OwnedSemaphorePermit; 2]> {
        let most = self.limits.connections_per_uid;
        self.users.retain(|_, places| places.available_permits() < most);
        let user = self.users.entry(uid).or_insert_with(|| Arc::new(Semaphore::new(most)));
        let own = Arc::clone(user).try_acquire_owned().ok()?;
        Some([own, Arc::clone(&self.places).try_acquire_owned().ok()?])
    }

    /// Tells a client why it is not served, in its own protocol, and closes.
    fn refuse(&self, mut socket: UnixStream, why: String) {
        tracing::debug!(%why, "a connection to the workload socket was refused");
        let Ok(place) = Arc::clone(&self.refusals).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _ = timeout(REFUSED, async {
                socket.write_all(&go_away(&why)).await?;
                socket.shutdown().await?;
                // Closing with bytes unread would take the answer from the client.
                while socket.read(&mut [0; 512]).await? > 0 {}
                io::Result::Ok(())
            })
            .await;
            drop(place);
        });
    }
}

/// Looks at who connected, and hands the connection on with its challenge.
async fn enter(
    socket: UnixStream,
    peer: Peer,
    places: [OwnedSemaphorePermit; 2],
    limits: &Limits,
    looks: Arc<Semaphore>,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    let mut nonce = [0; 8];
    let Ok(look) = looks.acquire_owned().await else { return };
    if aws_lc_rs::rand::fill(&mut nonce).is_err() {
        return;
    }
    // The place for looks is kept until the look has ended, also if nobody waits for it any more.
    let looked = blocking(move || {
        let result = peer.challenge(nonce).map(|_| peer);
        drop(look);
        result
    });
    match looked.await {
        Ok(peer) => {
            let stream = PeerStream::new(socket, peer.pid());
            let (caller, answered) = Caller::new(peer, nonce, limits.handshake, places);
            let connection = Connection::new(stream, Arc::new(caller), answered, nonce, limits.handshake);
            // Nobody takes it when the server has stopped.
            let _ = accepted.send(Ok(connection)).await;
        }
        Err(error) => tracing::debug!(%error, "a caller of the workload socket was not attested"),
    }
}
