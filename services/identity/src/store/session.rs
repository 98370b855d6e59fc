//! Sessions, known by the digest of their token.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment};

use super::entity::session::{ActiveModel, Column, Entity};

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A guardian's.
    Guardian(Id<value::Guardian>),
    /// A member of staff's.
    Staff(Id<value::Staff>),
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: Id<value::Session>,
    /// Whose.
    pub holder: Holder,
    /// SHA-256 of the token.
    pub token_digest: Vec<u8>,
    /// When it began.
    pub created_at: Moment,
    /// When it ends if it is not used.
    pub expires_at: Moment,
}

/// Begins a session.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, session: &Session) -> Result<(), Error> {
    let (guardian_id, staff_id) = match session.holder {
        Holder::Guardian(id) => (Some(id.uuid()), None),
        Holder::Staff(id) => (None, Some(id.uuid())),
    };
    let row = ActiveModel {
        id: Set(session.id.uuid()),
        token_digest: Set(session.token_digest.clone()),
        guardian_id: Set(guardian_id),
        staff_id: Set(staff_id),
        created_at: Set(session.created_at),
        expires_at: Set(session.expires_at),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The session whose token has this digest.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find(conn: &impl ConnectionTrait, token_digest: &[u8]) -> Result<Option<Session>, Error> {
    let Some(row) = Entity::find().filter(Column::TokenDigest.eq(token_digest)).one(conn).await? else {
        return Ok(None);
    };
    let holder = match (row.guardian_id, row.staff_id) {
        (Some(id), None) => Holder::Guardian(Id::new(id)),
        (None, Some(id)) => Holder::Staff(Id::new(id)),
        (Some(_), Some(_)) | (None, None) => return Err(Error::inconsistent("session", row.id, "holder")),
    };
    Ok(Some(Session {
        id: Id::new(row.id),
        holder,
        token_digest: row.token_digest,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }))
}

/// Moves the end of a session. One that was ended meanwhile stays ended.
///
/// # Errors
/// When the database refuses.
pub async fn extend(tx: &Tx, id: Id<value::Session>, expires_at: Moment) -> Result<(), Error> {
    let row = ActiveModel { expires_at: Set(expires_at), ..Default::default() };
    Entity::update_many().set(row).filter(Column::Id.eq(id.uuid())).exec(tx).await?;
    Ok(())
}

/// Ends the session whose token has this digest, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &Tx, token_digest: &[u8]) -> Result<(), Error> {
    Entity::delete_many().filter(Column::TokenDigest.eq(token_digest)).exec(tx).await?;
    Ok(())
}

/// Ends all sessions of a member of staff but the one whose token has the digest `but`.
///
/// # Errors
/// When the database refuses.
pub async fn end_others(tx: &Tx, staff_id: Id<value::Staff>, but: Option<&[u8]>) -> Result<(), Error> {
    let mut query = Entity::delete_many().filter(Column::StaffId.eq(staff_id.uuid()));
    if let Some(but) = but {
        query = query.filter(Column::TokenDigest.ne(but));
    }
    query.exec(tx).await?;
    Ok(())
}

/// Forgets the sessions that have ended; gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn purge(tx: &Tx, now: Moment) -> Result<u64, Error> {
    let purged = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(tx).await?;
    Ok(purged.rows_affected)
}
