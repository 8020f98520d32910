//! Generated protobuf code, one file a proto file. Each file's head says how it is made again.

#[rustfmt::skip]
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, unreachable_pub, reason = "generated code")]
pub(crate) mod workloadapi;
