//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`follow_identity`] | keeps the schools, towns and districts that identity tells of |
//! | [`forget_requests`] | forgets request ids that are too old to come again |

pub mod follow_identity;
pub mod forget_requests;
