//! What crosses a socket: HTTP shapes, protobuf, the client.

mod pb;
pub mod workload;
