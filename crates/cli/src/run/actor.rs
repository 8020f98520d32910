//! The actor's way to the server: attested over the Workload API, then the API over TLS with its own document.

use crate::failure::{Exit, Failure};
use crate::system::OsRandom;
use clap::Args;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;
use writ_agent::{Source, SourceError};
use writ_types::{SpiffeId, TaskId};
use writ_wire::api::TaskView;
use writ_wire::client::{Caller, ClientError, over};

/// Where the standard says that the Workload API is (SPIFFE_Workload_Endpoint.md section 4).
pub(crate) const SOCKET_VARIABLE: &str = "SPIFFE_ENDPOINT_SOCKET";
/// Where the server's API is, for what `writ run` starts.
pub(crate) const API_VARIABLE: &str = "WRIT_API";
/// Where it is if nobody says otherwise.
const API_DEFAULT: &str = "127.0.0.1:8443";
/// What must not be lost, such as the end of a task, is tried this often while the server is away.
const TRIES: u32 = 8;
/// How long the server is asked to wait for a task to change before it answers; it waits no longer for anybody.
const WAIT_SECONDS: u64 = 30;
/// The pause between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Where the actor attests and asks
#[derive(Debug, Clone, Args)]
pub(crate) struct Way {
    /// The Workload API's socket; by default what `SPIFFE_ENDPOINT_SOCKET` names
    #[arg(long, value_name = "PATH")]
    workload_socket: Option<PathBuf>,
    /// The server's API for actors; by default what `WRIT_API` names, or 127.0.0.1:8443
    #[arg(long, value_name = "HOST:PORT")]
    api: Option<String>,
}

impl Way {
    fn socket(&self) -> Result<PathBuf, Failure> {
        if let Some(socket) = &self.workload_socket {
            return Ok(socket.clone());
        }
        let named = std::env::var(SOCKET_VARIABLE).unwrap_or_default();
        // SPIFFE_Workload_Endpoint.md section 4: `unix:` and an absolute path, with or without an empty authority.
        let path = named.strip_prefix("unix://").or_else(|| named.strip_prefix("unix:")).filter(|path| path.starts_with('/'));
        path.map(PathBuf::from).ok_or_else(|| {
            Failure::usage(
                "no Workload API is named",
                format!("add `--workload-socket PATH`, or set `{SOCKET_VARIABLE}` to `unix:///PATH`"),
            )
        })
    }

    fn api(&self) -> String {
        let named = self.api.clone().or_else(|| std::env::var(API_VARIABLE).ok());
        named.filter(|api| !api.is_empty()).unwrap_or_else(|| API_DEFAULT.to_owned())
    }
}

/// An attested actor. Its document is replaced before it ends, for as long as this value lives.
pub(crate) struct Actor {
    source: Source,
    pub(crate) socket: PathBuf,
    pub(crate) api: String,
    random: RefCell<OsRandom>,
}

impl Actor {
    /// Has this process attested.
    pub(crate) async fn attest(way: &Way) -> Result<Self, Failure> {
        let (socket, api) = (way.socket()?, way.api());
        let socket = std::path::absolute(&socket).unwrap_or(socket);
        let source = Source::watch(&socket).await.map_err(failure)?;
        Ok(Self { source, socket, api, random: RefCell::new(OsRandom::new()?) })
    }

    /// The document as it is now.
    pub(crate) fn svid(&self) -> std::sync::Arc<writ_agent::HeldSvid> {
        self.source.svid()
    }

    pub(crate) fn spiffe_id(&self) -> SpiffeId {
        self.source.svid().spiffe_id.clone()
    }

    /// The identity's name, or its SPIFFE ID where the agent sent none.
    pub(crate) fn name(&self) -> String {
        let svid = self.source.svid();
        if svid.hint.is_empty() { svid.spiffe_id.to_string() } else { svid.hint.clone() }
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, None::<&()>, None).await
    }

    /// The task as it is now; or, where it is known up to an entry, as soon as it has changed, or has not for a while.
    pub(crate) async fn look(&self, task: TaskId, since: Option<u64>) -> Result<TaskView, ClientError> {
        let wait = since.map(|since| format!("?since={since}&wait={WAIT_SECONDS}")).unwrap_or_default();
        self.get(&format!("/v1/tasks/{task}{wait}")).await
    }

    /// Does something, once.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<T, ClientError> {
        let key = self.random.borrow_mut().token();
        self.send(Method::POST, path, Some(body), Some(&key)).await
    }

    /// Does something once that must not be lost: a server that is away, as while it restarts, is asked again with the same key.
    pub(crate) async fn insist<T: DeserializeOwned>(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<T, ClientError> {
        let key = self.random.borrow_mut().token();
        for _ in 1..TRIES {
            match self.send(Method::POST, path, Some(body), Some(&key)).await {
                Err(ClientError::Unreachable(_)) => sleep(TRY_AGAIN).await,
                answer => return answer,
            }
        }
        self.send(Method::POST, path, Some(body), Some(&key)).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
        key: Option<&str>,
    ) -> Result<T, ClientError> {
        let stream = self.source.svid().connect(&self.api).await;
        let stream = stream.map_err(|error| ClientError::Unreachable(error.to_string()))?;
        over(stream, &Caller::default(), method, path, body, key).await
    }
}

/// Why there is no document.
fn failure(error: SourceError) -> Failure {
    let text = error.to_string();
    match error {
        // The text says what is missing, who can supply it, and the next step.
        SourceError::Denied(_) => Failure::new(Exit::Denied, text, ""),
        SourceError::NoAgent { .. } => Failure::new(
            Exit::Unreachable,
            text,
            "start the server with `writ serve --dir DIR`, or name its Workload API's socket",
        ),
        SourceError::Unavailable(_) => Failure::new(Exit::Unreachable, text, "try again in a moment; the server's log says why"),
        SourceError::Answer(_) => Failure::failed(text, "check that a Workload API is served at that socket"),
        SourceError::Server { .. } => Failure::new(Exit::Unreachable, text, "name the server's address with `--api`"),
    }
}
