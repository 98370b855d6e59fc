//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`follow_identity`] | keeps the schools that identity tells of |

pub mod follow_identity;
