//! Consents. A consent that has not ended is the binding of a guardian to a pupil.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{self, District, Id, Moment};
use uuid::Uuid;

use super::entity::consent::{ActiveModel, Column, Entity};

/// A consent that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The row.
    pub id: Uuid,
    /// The pupil's district.
    pub district_id: Id<District>,
    /// Who agreed.
    pub guardian_id: Id<value::Guardian>,
    /// For whom.
    pub pupil_id: Id<value::Pupil>,
    /// To which version of the terms.
    pub version: String,
    /// SHA-256 of the text.
    pub text_digest: Vec<u8>,
    /// When.
    pub given_at: Moment,
}

/// Why a consent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The guardian withdrew it.
    Withdrawal,
    /// The guardian agreed to newer terms.
    Renewal,
}

/// Keeps a consent.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, consent: &Consent) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(consent.id),
        district_id: Set(consent.district_id.uuid()),
        guardian_id: Set(consent.guardian_id.uuid()),
        pupil_id: Set(consent.pupil_id.uuid()),
        version: Set(consent.version.clone()),
        text_digest: Set(consent.text_digest.clone()),
        given_at: Set(consent.given_at),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The consent of a guardian for a pupil that has not ended.
///
/// # Errors
/// When the database refuses.
pub async fn find_live(
    conn: &impl ConnectionTrait,
    guardian_id: Id<value::Guardian>,
    pupil_id: Id<value::Pupil>,
) -> Result<Option<Consent>, Error> {
    let row = Entity::find()
        .filter(Column::GuardianId.eq(guardian_id.uuid()))
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .filter(Column::EndedAt.is_null())
        .one(conn)
        .await?;
    Ok(row.map(|row| Consent {
        id: row.id,
        district_id: Id::new(row.district_id),
        guardian_id,
        pupil_id,
        version: row.version,
        text_digest: row.text_digest,
        given_at: row.given_at,
    }))
}

/// Says whether a guardian was ever bound to a pupil.
///
/// # Errors
/// When the database refuses.
pub async fn was_ever(
    conn: &impl ConnectionTrait,
    guardian_id: Id<value::Guardian>,
    pupil_id: Id<value::Pupil>,
) -> Result<bool, Error> {
    let row = Entity::find()
        .filter(Column::GuardianId.eq(guardian_id.uuid()))
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .one(conn)
        .await?;
    Ok(row.is_some())
}

/// The pupils a guardian is bound to, oldest binding first.
///
/// # Errors
/// When the database refuses.
pub async fn pupils_of(
    conn: &impl ConnectionTrait,
    guardian_id: Id<value::Guardian>,
) -> Result<Vec<Id<value::Pupil>>, Error> {
    let rows = Entity::find()
        .filter(Column::GuardianId.eq(guardian_id.uuid()))
        .filter(Column::EndedAt.is_null())
        .order_by_asc(Column::Id)
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| Id::new(row.pupil_id)).collect())
}

/// Ends a consent.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &Tx, id: Uuid, by: EndedBy, now: Moment) -> Result<(), Error> {
    let by = match by {
        EndedBy::Withdrawal => "withdrawal",
        EndedBy::Renewal => "renewal",
    };
    let row = ActiveModel {
        id: Set(id),
        ended_at: Set(Some(now)),
        ended_by: Set(Some(by.to_owned())),
        ..Default::default()
    };
    Entity::update(row).exec(tx).await?;
    Ok(())
}
