//! A guardian, known by a WeChat identity.

use std::fmt;

use shared::value::{self, Id, Moment};

use super::person::Phone;

/// A guardian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// Which.
    pub id: Id<value::Guardian>,
    /// Who it is for WeChat.
    pub identity: WechatIdentity,
    /// The number that WeChat has verified, once it was taken.
    pub phone: Option<Phone>,
    /// When the guardian was first seen.
    pub created_at: Moment,
}

/// Who somebody is for one mini-program of WeChat's.
#[derive(Clone, PartialEq, Eq)]
pub struct WechatIdentity {
    /// The mini-program.
    pub appid: String,
    /// The person in it.
    pub openid: String,
}

impl fmt::Debug for WechatIdentity {
    /// Shows the mini-program only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatIdentity").field("appid", &self.appid).finish_non_exhaustive()
    }
}
