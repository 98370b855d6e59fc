//! Documents that prove a hardship.

pub use shared::value::ContentType;

/// The most documents of one pupil that no waiver uses yet.
pub const MAX_UNUSED_COUNT: u64 = 10;
