//! Documents that prove a hardship, sealed, and the record of who read them.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use shared::db::Tx;
use shared::value::{District, Evidence as EvidenceKind, Guardian, Id, Moment, Pupil, Waiver};
use uuid::Uuid;

use super::entity::{evidence, evidence_reading};
use super::{Error, code};
use crate::domain::evidence::ContentType;

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which document.
    pub id: Id<EvidenceKind>,
    /// The district.
    pub district_id: Id<District>,
    /// Whose hardship it proves.
    pub pupil_id: Id<Pupil>,
    /// Who brought it.
    pub guardian_id: Id<Guardian>,
    /// What it is.
    pub content_type: ContentType,
    /// The document, sealed.
    pub content_sealed: Vec<u8>,
    /// The waiver it is used for, if any.
    pub waiver_id: Option<Id<Waiver>>,
    /// When it was brought.
    pub created_at: Moment,
}

/// Keeps a document.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, evidence: Evidence) -> Result<(), Error> {
    let row = evidence::ActiveModel {
        id: Set(evidence.id.uuid()),
        district_id: Set(evidence.district_id.uuid()),
        pupil_id: Set(evidence.pupil_id.uuid()),
        guardian_id: Set(evidence.guardian_id.uuid()),
        content_type: Set(evidence.content_type.as_str().to_owned()),
        content_sealed: Set(evidence.content_sealed),
        waiver_id: Set(evidence.waiver_id.map(Id::uuid)),
        created_at: Set(evidence.created_at),
    };
    evidence::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a document.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<EvidenceKind>) -> Result<Option<Evidence>, Error> {
    let found = evidence::Entity::find().filter(evidence::Column::Id.eq(id.uuid())).one(db).await?;
    let Some(row) = found else { return Ok(None) };
    let kind = |word: &str| ContentType::ALL.into_iter().find(|kind| kind.as_str() == word);
    Ok(Some(Evidence {
        id,
        district_id: Id::new(row.district_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        content_type: code::word("evidence", id, "content_type", &row.content_type, kind)?,
        content_sealed: row.content_sealed,
        waiver_id: row.waiver_id.map(Id::new),
        created_at: row.created_at,
    }))
}

/// How many documents of a pupil no waiver uses. The pupil is locked.
///
/// # Errors
/// When the database refuses.
pub async fn unused_count(tx: &Tx, pupil_id: Id<Pupil>) -> Result<u64, Error> {
    let query = evidence::Entity::find()
        .filter(evidence::Column::PupilId.eq(pupil_id.uuid()))
        .filter(evidence::Column::WaiverId.is_null());
    Ok(query.count(tx).await?)
}

/// Uses a pupil's unused documents for a waiver; gives how many of them could be. The pupil is locked.
///
/// # Errors
/// When the database refuses.
pub async fn use_for(
    tx: &Tx,
    pupil_id: Id<Pupil>,
    ids: &[Id<EvidenceKind>],
    waiver_id: Id<Waiver>,
) -> Result<u64, Error> {
    let used = evidence::Entity::update_many()
        .set(evidence::ActiveModel { waiver_id: Set(Some(waiver_id.uuid())), ..Default::default() })
        .filter(evidence::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .filter(evidence::Column::PupilId.eq(pupil_id.uuid()))
        .filter(evidence::Column::WaiverId.is_null())
        .exec(tx)
        .await?;
    Ok(used.rows_affected)
}

/// Records that somebody reads a document. `reader` is the caller's key.
///
/// # Errors
/// When the database refuses.
pub async fn record_reading(
    tx: &Tx,
    id: Uuid,
    evidence: &Evidence,
    reader: &str,
    now: Moment,
) -> Result<(), Error> {
    let row = evidence_reading::ActiveModel {
        id: Set(id),
        district_id: Set(evidence.district_id.uuid()),
        evidence_id: Set(evidence.id.uuid()),
        reader: Set(reader.to_owned()),
        created_at: Set(now),
    };
    evidence_reading::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Who has read a document, in the order of reading.
///
/// # Errors
/// When the database refuses.
pub async fn readers(db: &impl ConnectionTrait, id: Id<EvidenceKind>) -> Result<Vec<String>, Error> {
    let query = evidence_reading::Entity::find().filter(evidence_reading::Column::EvidenceId.eq(id.uuid()));
    let mut rows = query.all(db).await?;
    rows.sort_by_key(|row| (row.created_at, row.id));
    Ok(rows.into_iter().map(|row| row.reader).collect())
}
