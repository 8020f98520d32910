//! A workload's own side: its document from the Workload API, kept fresh, and TLS with it to the server.

use crate::tls::client_config;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::{Code, Status, Streaming};
use writ_credential::x509::{parse_ca, parse_certificate};
use writ_types::{Secret, SpiffeId, TextValue as _, Time};
use writ_wire::workload::{X509svid, X509svidRequest, X509svidResponse, connect};

/// The time in which the socket answers with the first document. The agent holds a caller whose identity waits for signatures up to 5 s.
const FIRST_WITHIN: Duration = Duration::from_secs(20);
/// How often an agent that can't answer is asked, and the first pause between two tries, which doubles.
const TRIES_MAX: u32 = 5;
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// The time in which the server takes a connection, and again that in which the handshake is done.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The pause before a lost stream is opened again; it doubles, up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// The SPIFFE path of the server's own certificate.
const SERVER_PATH: &str = "/writ/server";

/// What a workload was handed.
#[expect(missing_debug_implementations, reason = "it holds a private key")]
pub struct HeldSvid {
    /// Whom it names.
    pub spiffe_id: SpiffeId,
    /// The identity's name; empty where the agent sent none.
    pub hint: String,
    /// The certificates, DER, the workload's own first.
    pub chain: Vec<Vec<u8>>,
    /// The private key, PKCS#8 DER.
    pub pkcs8: Secret<Vec<u8>>,
    /// The trust domain's authorities, DER.
    pub bundle: Vec<Vec<u8>>,
    /// When the document ends.
    pub expires: Time,
}

/// Why there is no document, or no connection with it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nobody serves the Workload API there.
    #[error("can't reach the Workload API at `{}`: {why}", socket.display())]
    NoAgent {
        /// The socket.
        socket: PathBuf,
        /// Why not.
        why: String,
    },
    /// The caller has no identity, or people must act first. The text says what is missing and who can supply it.
    #[error("{0}")]
    Denied(String),
    /// The agent can't answer now.
    #[error("the Workload API can't answer now: {0}")]
    Unavailable(String),
    /// The agent's answer is not what the standard says.
    #[error("the Workload API's answer can't be used: {0}")]
    Answer(String),
    /// The server can't be reached over TLS, or is somebody else.
    #[error("can't reach the server at `{address}`: {why}")]
    Server {
        /// Where.
        address: String,
        /// Why not.
        why: String,
    },
}

/// Attests this process once and returns its document, the first where it has several (SPIFFE_Workload_API.md section 5.2.1).
///
/// # Errors
/// When the agent can't be reached, refuses, or answers with something else.
pub async fn fetch(socket: &Path) -> Result<HeldSvid, SourceError> {
    first(socket).await.map(|(_, held)| held)
}

/// A document that is replaced before it ends, for as long as this value lives.
#[expect(missing_debug_implementations, reason = "it holds a private key")]
pub struct Source {
    current: watch::Receiver<Arc<HeldSvid>>,
    follower: JoinHandle<()>,
}

impl Source {
    /// Attests this process and follows its stream.
    ///
    /// # Errors
    /// As [`fetch`].
    pub async fn watch(socket: &Path) -> Result<Self, SourceError> {
        let (stream, held) = first(socket).await?;
        let (sender, current) = watch::channel(Arc::new(held));
        let follower = tokio::spawn(follow(socket.to_owned(), stream, sender));
        Ok(Self { current, follower })
    }

    /// The document as it is now.
    pub fn svid(&self) -> Arc<HeldSvid> {
        Arc::clone(&self.current.borrow())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl HeldSvid {
    /// Connects to the server at `address` (`host:port`). It must show `spiffe://T/writ/server` of the same authority, or nothing is said to it.
    ///
    /// # Errors
    /// When nobody answers there in time, or it is somebody else.
    pub async fn connect(&self, address: &str) -> Result<TlsStream<TcpStream>, SourceError> {
        let failed = |why: String| SourceError::Server { address: address.to_owned(), why };
        let authority = self.bundle.iter().find_map(|der| parse_ca(der).ok());
        let authority = authority.ok_or_else(|| failed("the bundle holds no authority".to_owned()))?;
        let server = self.spiffe_id.trust_domain().member(SERVER_PATH).map_err(|error| failed(error.to_string()))?;
        let config =
            client_config(&self.chain, self.pkcs8.expose(), authority, server).map_err(|error| failed(error.to_string()))?;
        let late = |_| failed("no answer within 5 seconds".to_owned());
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await.map_err(late)?;
        let stream = stream.map_err(|error| failed(error.to_string()))?;
        // One small request and its answer: waiting to fill a packet only costs time.
        stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
        // Whom the server names is judged by its SPIFFE ID; the DNS name says nothing here.
        let name = rustls_pki_types::ServerName::try_from("writ").map_err(|error| failed(error.to_string()))?;
        let stream = timeout(CONNECT_WITHIN, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.map_err(late)?;
        stream.map_err(|error| failed(format!("it is not this trust domain's server: {error}")))
    }
}

async fn first(socket: &Path) -> Result<(Streaming<X509svidResponse>, HeldSvid), SourceError> {
    let socket = std::path::absolute(socket).unwrap_or_else(|_| socket.to_owned());
    let opened = timeout(FIRST_WITHIN, open_again(&socket)).await;
    opened.unwrap_or_else(|_| Err(SourceError::Unavailable("no document within 20 seconds".to_owned())))
}

/// An agent that can't answer now is asked again, each time later (SPIFFE_Workload_Endpoint.md section 6).
async fn open_again(socket: &Path) -> Result<(Streaming<X509svidResponse>, HeldSvid), SourceError> {
    let mut pause = RETRY_FIRST;
    for _ in 1..TRIES_MAX {
        match open(socket).await {
            Err(SourceError::Unavailable(why)) => tracing::debug!(%why, "the Workload API is asked again"),
            settled => return settled,
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
    open(socket).await
}

async fn open(socket: &Path) -> Result<(Streaming<X509svidResponse>, HeldSvid), SourceError> {
    let unreachable = |why: String| SourceError::NoAgent { socket: socket.to_owned(), why };
    let mut client = connect(socket).await.map_err(|error| unreachable(causes(&error)))?;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.map_err(refused)?.into_inner();
    let message = stream.message().await.map_err(refused)?;
    let message = message.ok_or_else(|| SourceError::Unavailable("the stream ended before a document came".to_owned()))?;
    Ok((stream, held(message)?))
}

/// The stream's refusal. PermissionDenied is the standard's word for a caller without identity (SPIFFE_Workload_API.md section 5.2).
fn refused(status: Status) -> SourceError {
    match status.code() {
        Code::PermissionDenied => SourceError::Denied(status.message().to_owned()),
        _ => SourceError::Unavailable(status.message().to_owned()),
    }
}

/// The error with what caused it: the transport's own text says only "transport error".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Takes what the stream pushes. A lost stream is opened again; what is held stands until it ends.
async fn follow(socket: PathBuf, mut stream: Streaming<X509svidResponse>, sender: watch::Sender<Arc<HeldSvid>>) {
    let mut pause = AGAIN.0;
    loop {
        while let Ok(Some(message)) = stream.message().await {
            pause = AGAIN.0;
            match held(message) {
                Ok(held) => drop(sender.send_replace(Arc::new(held))),
                Err(error) => tracing::warn!(%error, "a document was not taken"),
            }
        }
        stream = loop {
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(AGAIN.1);
            match first(&socket).await {
                Ok((stream, held)) => {
                    sender.send_replace(Arc::new(held));
                    break stream;
                }
                Err(error) => tracing::debug!(%error, "no document yet"),
            }
        };
    }
}

fn held(message: X509svidResponse) -> Result<HeldSvid, SourceError> {
    let wrong = |why: &str| SourceError::Answer(why.to_owned());
    let X509svid { spiffe_id, x509_svid, x509_svid_key, bundle, hint } =
        message.svids.into_iter().next().ok_or_else(|| wrong("it holds no document"))?;
    let spiffe_id = SpiffeId::parse(&spiffe_id).map_err(|error| SourceError::Answer(error.to_string()))?;
    let chain = certificates(&x509_svid).ok_or_else(|| wrong("the certificates are not DER"))?;
    let bundle = certificates(&bundle).ok_or_else(|| wrong("the bundle is not DER"))?;
    let leaf = chain.first().ok_or_else(|| wrong("it holds no certificate"))?;
    let facts = parse_certificate(leaf).map_err(|error| SourceError::Answer(error.to_string()))?.facts;
    if facts.spiffe_id != spiffe_id {
        return Err(wrong("its certificate names somebody else"));
    }
    Ok(HeldSvid { spiffe_id, hint, chain, pkcs8: Secret::new(x509_svid_key.to_vec()), bundle, expires: facts.not_after })
}

/// Certificates that stand one after another without anything between them (SPIFFE_Workload_API.md section 5.2.1).
fn certificates(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (one, rest) = bytes.split_at_checked(sequence_len(bytes)?)?;
        out.push(one.to_vec());
        bytes = rest;
    }
    Some(out)
}

/// The length of the SEQUENCE that `bytes` begins with, head included (X.690 section 8.1.3; no certificate has more than 16 MiB).
fn sequence_len(bytes: &[u8]) -> Option<usize> {
    let (&[0x30, first], rest) = bytes.split_first_chunk::<2>()? else { return None };
    if first < 0x80 {
        return Some(usize::from(first) + 2);
    }
    let count = usize::from(first & 0x7f);
    if !(1..=3).contains(&count) {
        return None;
    }
    let length = rest.get(..count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Some(length + 2 + count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn certificates_are_taken_apart_where_they_meet() {
        let short = vec![0x30, 0x02, 1, 2];
        let mut long = vec![0x30, 0x82, 0x01, 0x00];
        long.extend([7; 256]);
        let both = [short.clone(), long.clone()].concat();
        assert_eq!(certificates(&both), Some(vec![short.clone(), long]));
        assert_eq!(certificates(&[]), Some(Vec::new()));
        for broken in [&both[..both.len() - 1], &[0x31, 0x00], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0, 0, 0, 0]] {
            assert_eq!(certificates(broken), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_apart_is_all_that_there_was(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(parts) = certificates(&bytes) {
                prop_assert_eq!(parts.concat(), bytes);
            }
        }
    }
}
