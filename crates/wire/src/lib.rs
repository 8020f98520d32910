//! What crosses a socket: HTTP shapes, protobuf, the client.

pub mod api;
pub mod client;
mod pb;
pub mod workload;
