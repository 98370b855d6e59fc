//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`purge`] | forgets what has had its time: first credentials, ended sessions, old failures, old answers |

pub mod purge;
