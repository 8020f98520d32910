//! A socket that tells who sent the bytes.
//!
//! Who connected and who writes can differ: a connection survives `execve`, and is shared with children and with whomever it was passed
//! to. The kernel stamps each message on a Unix socket with its sender's number (`SO_PASSCRED`); a number other than the peer's ends the stream.

use nix::cmsg_space;
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

/// Has the kernel stamp every byte with its sender. On a listener, before the first connection: connections inherit it.
///
/// # Errors
/// When the kernel refuses the option.
pub fn mark_senders(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(&socket.as_fd(), PassCred, &true)?)
}

/// A Unix stream whose bytes all come from one process.
#[derive(Debug)]
pub struct PeerStream {
    inner: UnixStream,
    pid: u32,
}

impl PeerStream {
    /// A stream that accepts bytes from the process with the number `pid` only. Its socket, or the listener that it came
    /// from, has been through [`mark_senders`].
    pub const fn new(inner: UnixStream, pid: u32) -> Self {
        Self { inner, pid }
    }

    fn receive(&self, out: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut control = cmsg_space!(UnixCredentials);
        let mut target = [IoSliceMut::new(out.initialize_unfilled())];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<()>(self.inner.as_raw_fd(), &mut target, Some(&mut control), flags)?;
        let read = message.bytes;
        // Descriptors that a caller sends along find no room and are closed by the kernel: that is a truncated message, and an error.
        let sender = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
            _ => None,
        });
        if read > 0 && sender.and_then(|pid| u32::try_from(pid).ok()) != Some(self.pid) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "bytes from a process that did not open the connection"));
        }
        out.advance(read);
        Ok(())
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.inner.poll_read_ready(cx))?;
            match self.inner.try_io(Interest::READABLE, || self.receive(out)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
