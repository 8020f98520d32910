//! The server as its clients meet it: a real directory, real sockets, real certificates.

mod crowd;
mod described;
mod hostile;
mod log;
mod once;
mod reading;
mod restart;
mod sessions;
mod tls;
mod world;
