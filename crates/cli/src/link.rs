//! The way to the server: its socket, the session, and the check that its log is the one seen before.

use crate::failure::Failure;
use crate::head::Head;
use crate::memory::{Memory, Session};
use crate::people::People;
use crate::signer::Signer;
use crate::system::{OsRandom, now};
use clap::Args;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{OnceCell, RefCell};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use writ_types::{Digest, PartyId};
use writ_wire::api::{Estate, Status};
use writ_wire::client::{Caller, ClientError, exchange, over};

/// A socket that does not take the connection by then is not served.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Where the server is and whose session is used. Without them, those of the last `writ login`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reach {
    /// The server's directory; its socket is `DIR/admin.sock`
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The server's socket
    #[arg(long, value_name = "PATH", conflicts_with = "dir")]
    pub(crate) socket: Option<PathBuf>,
    /// The file that keeps the session
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
}

/// Which key signs. Without it, the one of the session, or the first in `~/.ssh`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Keyed {
    /// The key to sign with: a private key file, or a public one whose private half `ssh-agent` holds
    #[arg(long = "key", alias = "as-key", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// A connection to one server.
pub(crate) struct Link {
    runtime: Runtime,
    socket: PathBuf,
    session: Option<Session>,
    memory: Memory,
    random: RefCell<OsRandom>,
    status: Status,
    head: Head,
    estate: OnceCell<Estate>,
}

/// Who signs.
pub(crate) struct Me {
    pub(crate) party: PartyId,
    pub(crate) signer: Signer,
}

impl Link {
    /// Reaches the server and checks its log's head against the last one seen.
    pub(crate) fn open(reach: &Reach) -> Result<Self, Failure> {
        Self::open_pinned(reach, None)
    }

    /// As [`Link::open`]; `genesis` is the hash that the log must begin with.
    pub(crate) fn open_pinned(reach: &Reach, genesis: Option<&Digest>) -> Result<Self, Failure> {
        let memory = Memory::open(reach.session.as_deref())?;
        let session = memory.session(now())?;
        let named = reach.socket.clone().or_else(|| reach.dir.as_ref().map(|dir| dir.join("admin.sock")));
        let kept = memory.last_session()?.map(|last| last.socket);
        let Some(socket) = named.or(kept) else {
            return Err(Failure::usage(
                "no server is named and no session is open",
                "add `--dir DIR`, or run `writ login --dir DIR`",
            ));
        };
        let socket = std::path::absolute(&socket).unwrap_or(socket);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::bug)?;
        let nobody = Caller::default();
        let status: Status = runtime.block_on(ask(&socket, &nobody, Method::GET, "/v1/status", None::<&()>, None))?;
        // Without a session: the head, the genesis and the hash tiles are for anybody.
        let read = |path: &str| {
            let bytes = runtime.block_on(fetch(&socket, &nobody, &format!("/v1/log/{path}")));
            bytes.map_err(Failure::from)
        };
        let head = memory.see(&status, genesis, &read)?;
        // A session of another log says nothing here.
        let session = session.filter(|session| session.origin == status.origin && session.socket == socket);
        let random = RefCell::new(OsRandom::new()?);
        Ok(Self { runtime, socket, session, memory, random, status, head, estate: OnceCell::new() })
    }

    pub(crate) const fn status(&self) -> &Status {
        &self.status
    }

    /// The head of the log, whose signature holds.
    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The randomness of this run.
    pub(crate) fn random(&self) -> std::cell::RefMut<'_, OsRandom> {
        self.random.borrow_mut()
    }

    pub(crate) fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Reads something.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(Method::GET, path, None::<&()>, None).map_err(|error| self.named(error))
    }

    /// Reads something that is not JSON.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let bytes = self.runtime.block_on(fetch(&self.socket, &self.caller(), path));
        bytes.map_err(|error| self.named(error))
    }

    /// Reads something that is text.
    pub(crate) fn text(&self, path: &str) -> Result<String, Failure> {
        String::from_utf8(self.bytes(path)?).map_err(Failure::bug)
    }

    fn caller(&self) -> Caller {
        Caller { token: self.session.as_ref().map(Session::token) }
    }

    /// Files something, once.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<T, Failure> {
        let key = self.random().token();
        self.send(Method::POST, path, Some(body), Some(&key)).map_err(|error| self.named(error))
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
        key: Option<&str>,
    ) -> Result<T, ClientError> {
        self.runtime.block_on(ask(&self.socket, &self.caller(), method, path, body, key))
    }

    /// The failure, with people by their names where the session lets us know them.
    fn named(&self, error: ClientError) -> Failure {
        let failure = Failure::from(error);
        if !failure.names_parties() || !self.has_session() {
            return failure;
        }
        match self.send::<Estate>(Method::GET, "/v1/estate/export", None::<&()>, None) {
            Ok(estate) => {
                let people = People::of(&estate);
                failure.spelt(|text| people.spell(text))
            }
            Err(_) => failure,
        }
    }

    /// The estate in force, read once.
    pub(crate) fn estate(&self) -> Result<&Estate, Failure> {
        if let Some(estate) = self.estate.get() {
            return Ok(estate);
        }
        if !self.has_session() {
            return Err(Failure::new(
                crate::failure::Exit::Denied,
                "no session is open with this server",
                "run `writ login --dir DIR --key FILE` first",
            ));
        }
        let estate = self.get("/v1/estate/export")?;
        Ok(self.estate.get_or_init(|| estate))
    }

    /// The key that signs, and whose it is: the key says who.
    pub(crate) fn me(&self, keyed: &Keyed) -> Result<Me, Failure> {
        let signer = self.signer(keyed)?;
        if !self.has_session() {
            // A signature needs no session: ending must not wait for one. The server judges whose key it is.
            let last = self.memory.last_session()?.filter(|last| last.origin == self.status.origin);
            let same = last.filter(|last| Signer::of(&last.key).is_ok_and(|kept| kept.public() == signer.public()));
            if let Some(last) = same {
                return Ok(Me { party: last.party, signer });
            }
        }
        let party = People::of(self.estate()?).holder(signer.public()).ok_or_else(|| {
            let message = format!("key `{}` ({}) is nobody's here", signer.file().display(), signer.public().fingerprint());
            Failure::new(
                crate::failure::Exit::Denied,
                message,
                "sign with an enrolled key, or enrol this one with `writ key enrol`",
            )
        })?;
        Ok(Me { party, signer })
    }

    /// The key that signs.
    pub(crate) fn signer(&self, keyed: &Keyed) -> Result<Signer, Failure> {
        let last = self.memory.last_session()?.filter(|last| last.origin == self.status.origin);
        match keyed.key.clone().or_else(|| last.map(|last| last.key)).or_else(Signer::default_file) {
            Some(file) => Signer::of(&file),
            None => Err(Failure::usage("no key is named", "add `--key FILE`")),
        }
    }
}

/// One request over the server's socket, answered in JSON.
async fn ask<T: DeserializeOwned>(
    socket: &Path,
    caller: &Caller,
    method: Method,
    path: &str,
    body: Option<&(impl Serialize + Sync)>,
    key: Option<&str>,
) -> Result<T, ClientError> {
    over(connect(socket).await?, caller, method, path, body, key).await
}

/// One request over the server's socket, answered in bytes.
async fn fetch(socket: &Path, caller: &Caller, path: &str) -> Result<Vec<u8>, ClientError> {
    exchange(connect(socket).await?, caller, Method::GET, path, None::<&()>, None).await.map(Into::into)
}

/// A connection to the server's socket, if who listens there is who its directory belongs to.
async fn connect(socket: &Path) -> Result<UnixStream, ClientError> {
    let unreachable = |why: String| ClientError::Unreachable(format!("`{}`: {why}", socket.display()));
    let stream = tokio::time::timeout(CONNECT_WITHIN, UnixStream::connect(socket))
        .await
        .map_err(|_| unreachable("nobody takes the connection".to_owned()))?
        .map_err(|error| unreachable(error.to_string()))?;
    // In a directory that others can write, anybody could listen.
    let listens = stream.peer_cred().map_err(|error| unreachable(error.to_string()))?.uid();
    let owner = socket.parent().and_then(|dir| std::fs::metadata(dir).ok()).map(|meta| meta.uid());
    if owner != Some(listens) {
        return Err(unreachable(format!("uid {listens} listens there, to whom its directory does not belong")));
    }
    Ok(stream)
}
