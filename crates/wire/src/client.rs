//! The API's client: one request a connection, over a unix socket or over any stream that its caller has secured.

use crate::api::{BODY_BYTES_MAX, IDEMPOTENCY_KEY, Problem};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use writ_types::{Denial, Secret};

/// A request that is not answered by then has failed.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The largest answer that is read, in bytes: an entry bundle is at most 16 MiB.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server can't be reached.
    #[error("can't reach the server: {0}")]
    Unreachable(String),
    /// The server refuses.
    #[error("{0}")]
    Denied(Box<Denial>),
    /// The server's answer can't be read.
    #[error("the server's answer can't be read: {0}")]
    Answer(String),
}

/// What a request carries besides its path.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "it holds the session's token")]
pub struct Caller {
    /// A session's token.
    pub token: Option<Secret<String>>,
}

/// Sends one request over a unix socket.
///
/// # Errors
/// When the server can't be reached, refuses, or answers with something else.
pub async fn over_unix<T: DeserializeOwned>(
    socket: &Path,
    caller: &Caller,
    method: Method,
    path: &str,
    body: Option<&(impl Serialize + Sync)>,
    key: Option<&str>,
) -> Result<T, ClientError> {
    let stream = UnixStream::connect(socket).await.map_err(|error| unreachable(&format!("`{}`: {error}", socket.display())))?;
    over(stream, caller, method, path, body, key).await
}

/// Sends one request over a stream.
///
/// # Errors
/// As [`over_unix`].
pub async fn over<T: DeserializeOwned, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    caller: &Caller,
    method: Method,
    path: &str,
    body: Option<&(impl Serialize + Sync)>,
    key: Option<&str>,
) -> Result<T, ClientError> {
    let bytes = tokio::time::timeout(ANSWER_WITHIN, exchange(stream, caller, method, path, body, key))
        .await
        .map_err(|_| unreachable("no answer within a minute"))??;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()))
}

/// Sends one request and returns the answer's bytes, for what is not JSON.
///
/// # Errors
/// As [`over_unix`].
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    caller: &Caller,
    method: Method,
    path: &str,
    body: Option<&(impl Serialize + Sync)>,
    key: Option<&str>,
) -> Result<Bytes, ClientError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error.to_string()))?;
    let driver = tokio::spawn(connection);
    let body =
        body.map(serde_json::to_vec).transpose().map_err(|error| ClientError::Answer(error.to_string()))?.unwrap_or_default();
    if body.len() > BODY_BYTES_MAX {
        return Err(ClientError::Answer(format!("the request has {} bytes; at most {BODY_BYTES_MAX} are read", body.len())));
    }
    let mut request = Request::builder().method(method).uri(path).header(HOST, "writ").header(CONTENT_TYPE, "application/json");
    if let Some(token) = &caller.token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| ClientError::Answer(error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(|error| unreachable(&error.to_string()))?;
    let status = answer.status();
    let bytes = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| ClientError::Answer(error.to_string()))?;
    driver.abort();
    let bytes = bytes.to_bytes();
    if status == StatusCode::OK { Ok(bytes) } else { Err(denied(status, &bytes)) }
}

fn denied(status: StatusCode, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => ClientError::Denied(Box::new(problem.into())),
        Err(_) => ClientError::Answer(format!("status {status}")),
    }
}

fn unreachable(why: &str) -> ClientError {
    ClientError::Unreachable(why.to_owned())
}
