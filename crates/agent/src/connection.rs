//! One connection: the caller's bytes, with the challenge put in and its answer taken out.

use crate::caller::{Answered, Caller};
use crate::frames::{FirstFrame, Inbound, PING_BYTES, ping};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tonic::transport::server::Connected;
use writ_attest::PeerStream;

/// What is read at once while the answer has not come: the bound of what waits here.
const CHUNK_BYTES: usize = 4096;

/// A connection whose caller is pinned and challenged. It ends if the answer doesn't come in time.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: PeerStream,
    caller: Arc<Caller>,
    answered: Answered,
    inbound: Inbound,
    /// Bytes that passed and have not been read yet.
    passed: Vec<u8>,
    first: FirstFrame,
    /// What of the challenge has not been sent yet.
    challenge: Vec<u8>,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    /// `nonce` is the challenge that `caller`'s peer was given.
    pub(crate) fn new(stream: PeerStream, caller: Arc<Caller>, answered: Answered, nonce: [u8; 8], handshake: Duration) -> Self {
        Self {
            stream,
            caller,
            answered,
            inbound: Inbound::new(nonce),
            passed: Vec::new(),
            first: FirstFrame::new(),
            challenge: ping(nonce),
            deadline: Box::pin(tokio::time::sleep(handshake)),
        }
    }

    /// Sends what of the challenge is left, once the first frame is out.
    fn poll_challenge(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.first.left() == 0 && !self.challenge.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.challenge))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.challenge.drain(..sent.min(PING_BYTES));
        }
        Poll::Ready(Ok(()))
    }

    /// Reads until something passes, the stream ends, or the time for the answer is over.
    fn poll_inbound(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.passed.is_empty() {
            if self.deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the caller did not answer in time")));
            }
            let mut chunk = [0; CHUNK_BYTES];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.inbound.pass(chunk.filled(), &mut self.passed);
            if self.inbound.answered() {
                self.answered.came();
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.inbound.answered() {
            ready!(self.poll_inbound(cx))?;
        }
        if self.passed.is_empty() {
            if !self.inbound.answered() {
                // The end of the stream.
                return Poll::Ready(Ok(()));
            }
            return Pin::new(&mut self.stream).poll_read(cx, out);
        }
        let now = self.passed.len().min(out.remaining());
        out.put_slice(self.passed.get(..now).unwrap_or_default());
        self.passed.drain(..now);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_challenge(cx))?;
        let first = self.first.left();
        if first == 0 {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        let part = bytes.get(..first.min(bytes.len())).unwrap_or_default();
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        self.first.sent(part.get(..sent).unwrap_or_default());
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_challenge(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Caller>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Arc::clone(&self.caller)
    }
}
