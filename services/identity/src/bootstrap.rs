//! The first platform operator: whoever has the database and its keys makes it, once.

use shared::clock::Clock;
use shared::db::{Db, Error};
use shared::random;
use shared::value::{self, Id};

use crate::domain::person::Name;
use crate::domain::staff::{Change, Grant, Member, Place};
use crate::secret;
use crate::store;
use crate::store::staff::NewMember;
use crate::store::vault::Vault;

/// The first operator's login name.
pub const LOGIN_NAME: &str = "operator";

const ROLE: &str = "platform_operator";

/// What the first operator signs in with. Shown once: nothing readable is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstOperator {
    /// The member.
    pub staff_id: Id<value::Staff>,
    /// [`LOGIN_NAME`].
    pub login_name: &'static str,
    /// The first password, 16 characters.
    pub password: String,
    /// The secret of the one-time codes (RFC 6238: SHA-1, 6 digits, 30 seconds), base32.
    pub totp_secret: String,
}

/// The first operator was not made.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// There is a platform operator, or somebody has the login name.
    #[error("there is a platform operator already")]
    Exists,
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
    /// The password could not be hashed.
    #[error("the first password could not be hashed: {0}")]
    Hash(anyhow::Error),
}

/// Makes the first platform operator and gives its first credentials.
///
/// # Errors
/// [`BootstrapError::Exists`] when anybody is one already.
pub async fn bootstrap(db: &Db, clock: &dyn Clock, vault: &Vault) -> Result<FirstOperator, BootstrapError> {
    let password = secret::first_password();
    let totp_secret = secret::totp_secret();
    let password_hash = secret::hash_first(&password).map_err(BootstrapError::Hash)?;
    let name = Name::parse("平台运维").map_err(|error| BootstrapError::Hash(error.into()))?;

    let tx = db.begin().await?;
    if store::staff::holds_anybody(&tx, ROLE).await? {
        return Err(BootstrapError::Exists);
    }
    let now = clock.now();
    let id = random::id(now);
    let totp = totp_secret.clone();
    let member = NewMember {
        id,
        login_name: LOGIN_NAME.to_owned(),
        name: name.clone(),
        password_hash,
        totp_secret: totp,
    };
    let inserted = store::staff::insert_all(&tx, vault, &[member], now).await;
    // Two at once: the login name lets one of them through.
    if let Err(error) = inserted {
        let taken = error.violated().is_some_and(|constraint| constraint == "staff_login_name_key");
        return Err(if taken { BootstrapError::Exists } else { error.into() });
    }
    let grant = Grant { role: ROLE.to_owned(), place: Place::Platform };
    let member = Member { id, login_name: LOGIN_NAME.to_owned(), name, grants: vec![grant.clone()] };
    store::staff::grant_all(&tx, &[Change { member, is_new: true, granted: vec![grant] }], now).await?;
    tx.commit().await?;
    Ok(FirstOperator { staff_id: id, login_name: LOGIN_NAME, password, totp_secret })
}
