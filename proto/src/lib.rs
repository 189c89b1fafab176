//! The wire: messages, clients and servers generated from `usher/v1/*.proto`, and the descriptors for reflection.
//!
//! It holds no logic. What a field means, its unit and its limit stand in the `.proto` files.

/// Usher's API, version 1.
#[expect(clippy::allow_attributes, clippy::too_many_lines, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("usher.v1");
}

/// The encoded `FileDescriptorSet` of [`v1`], with comments and the methods' HTTP paths (`google.api.http`).
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/usher.v1.bin"));
