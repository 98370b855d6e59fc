//! What every Kehou service needs and none of them owns.
//!
//! | module | knows |
//! |---|---|
//! | [`caller`] | who calls, and the permits a method takes |
//! | [`status`] | refusals as gRPC carries them |
//! | [`value`] | money, ids, pages, and reading messages with all their errors at once |

pub mod caller;
pub mod status;
pub mod value;
