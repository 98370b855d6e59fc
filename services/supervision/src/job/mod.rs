//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`follow_enrollment`] | turns what only the bureau can decide into tickets |
//! | [`follow_identity`] | keeps the schools that identity tells of |

pub mod follow_enrollment;
pub mod follow_identity;
