//! What the build makes of `proto/`.

/// `hopscope.v1`: how the nodes of a run call a service.
#[allow(missing_docs, unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated")]
pub(super) mod node {
    tonic::include_proto!("hopscope.v1");
}

/// `helloworld`: the greeter of gRPC's introductions.
#[allow(missing_docs, unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated")]
pub(super) mod greeter {
    tonic::include_proto!("helloworld");
}

/// Both, with their comments, as reflection hands them out.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
