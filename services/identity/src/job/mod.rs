//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`follow_enrollment`] | hears of the school day, and writes down whom to tell |
//! | [`send_messages`] | sends what is due by WeChat, at a pace |
//! | [`purge`] | forgets what has had its time: first credentials, ended sessions, old failures, old answers |

pub mod follow_enrollment;
pub mod purge;
pub mod send_messages;
