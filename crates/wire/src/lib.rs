//! What crosses a socket: HTTP shapes, protobuf, the client.
