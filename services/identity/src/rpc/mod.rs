//! Transport: messages in, messages out. One file per changing method; [`read`] has the others.
//!
//! | file | knows |
//! |---|---|
//! | [`identity_service`] | the generated trait: one line per method |
//! | [`convert`] | proto ↔ domain |
//! | [`error`] | every refusal as a status |
//! | [`answer`] | first answers, sealed |
//! | [`table`] | files people bring, as rows |

pub mod answer;
pub mod bind_pupil;
pub mod change_password;
pub mod convert;
pub mod end_session;
pub mod error;
pub mod exchange_session;
mod identity_service;
pub mod import_nodes;
pub mod import_pupils;
pub mod import_staff;
pub mod message_service;
pub mod read;
pub mod sign_in_guardian;
pub mod sign_in_staff;
pub mod table;
pub mod verify_phone;
pub mod withdraw_consent;

use std::sync::Arc;

use policy::Live;
use shared::caller::Signer;
use shared::clock::SharedClock;
use shared::db::Db;
use wechat::mini::MiniProgram;

use crate::config::Sessions;
use crate::secret::Hasher;
use crate::store::vault::Vault;

/// What methods work with.
pub struct Given {
    /// How long sign-ins last.
    pub sessions: Sessions,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: SharedClock,
    /// Seals and finds personal fields.
    pub vault: Vault,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Signs caller tokens.
    pub signer: Arc<Signer>,
    /// The mini-program.
    pub wechat: MiniProgram,
    /// Every region's policy, as its files have it now.
    pub packs: Arc<Live>,
}

/// `kehou.identity.v1.IdentityService`.
#[derive(Clone)]
pub struct IdentityServer(Arc<Given>);

impl IdentityServer {
    /// A server with what it is given.
    #[must_use]
    pub fn new(given: Given) -> Self {
        Self(Arc::new(given))
    }
}
