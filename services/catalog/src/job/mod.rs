//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`follow_identity`] | keeps the schools, towns and districts that identity tells of |

pub mod follow_identity;
