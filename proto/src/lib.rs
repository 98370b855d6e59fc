//! Kehou's contracts: one module per package, `proto::kehou::<service>::v1`, and the descriptors for reflection.
//!
//! The `.proto` files below `kehou/` are the documentation: every element says its unit, range, default and refusals.

// Generated code is not written by us.
#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
#![allow(clippy::allow_attributes_without_reason, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/_includes.rs"));

pub use kehou::{billing, catalog, enrollment, feed, identity, supervision};

/// The encoded descriptor set of every package, with comments: what reflection offers and the tidy test reads.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
