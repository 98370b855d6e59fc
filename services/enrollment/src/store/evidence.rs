//! Documents that prove a priority, sealed, and the record of who read them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{
    ContentType, District, Evidence as EvidenceKind, Guardian, Id, Moment, Priority as PriorityKind, Pupil,
};

use super::entity::{evidence, evidence_reading};
use super::vault::Vault;

const TABLE: &str = "evidence";

/// What is known of a document without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which document.
    pub id: Id<EvidenceKind>,
    /// The district.
    pub district_id: Id<District>,
    /// Whose place it proves.
    pub pupil_id: Id<Pupil>,
    /// Who brought it.
    pub guardian_id: Id<Guardian>,
    /// What it is.
    pub content_type: ContentType,
    /// The priority it is used for, if any.
    pub priority_id: Option<Id<PriorityKind>>,
    /// When it was brought.
    pub created_at: Moment,
}

/// Keeps a document.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, vault: &Vault, evidence: &Evidence, content: &[u8]) -> Result<(), Error> {
    let row = evidence::ActiveModel {
        district_id: Set(evidence.district_id.uuid()),
        id: Set(evidence.id.uuid()),
        pupil_id: Set(evidence.pupil_id.uuid()),
        guardian_id: Set(evidence.guardian_id.uuid()),
        content_type: Set(evidence.content_type.as_str().to_owned()),
        content: Set(vault.seal(TABLE, "content", evidence.id, &STANDARD.encode(content))?),
        priority_id: Set(evidence.priority_id.map(Id::uuid)),
        created_at: Set(evidence.created_at),
    };
    evidence::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a document, with its content opened.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn open(
    db: &impl ConnectionTrait,
    vault: &Vault,
    id: Id<EvidenceKind>,
) -> Result<Option<(Evidence, Vec<u8>)>, Error> {
    let found = evidence::Entity::find().filter(evidence::Column::Id.eq(id.uuid())).one(db).await?;
    let Some(row) = found else { return Ok(None) };
    let text = vault.open(TABLE, "content", id, &row.content)?;
    let content = STANDARD.decode(text).map_err(|error| Error::inconsistent(TABLE, id, error))?;
    let kind = ContentType::ALL.into_iter().find(|kind| kind.as_str() == row.content_type);
    let evidence = Evidence {
        id,
        district_id: Id::new(row.district_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        content_type: kind.ok_or_else(|| Error::inconsistent(TABLE, id, "its kind is unknown"))?,
        priority_id: row.priority_id.map(Id::new),
        created_at: row.created_at,
    };
    Ok(Some((evidence, content)))
}

/// How many documents of a locked pupil no claim uses.
///
/// # Errors
/// When the database refuses.
pub async fn unused_count(tx: &Tx, district_id: Id<District>, pupil_id: Id<Pupil>) -> Result<u64, Error> {
    let query = evidence::Entity::find()
        .filter(evidence::Column::DistrictId.eq(district_id.uuid()))
        .filter(evidence::Column::PupilId.eq(pupil_id.uuid()))
        .filter(evidence::Column::PriorityId.is_null());
    Ok(query.count(tx).await?)
}

/// Uses a locked pupil's unused documents, brought by this guardian, for a priority; gives how many of them could be.
///
/// # Errors
/// When the database refuses.
pub async fn use_for(
    tx: &Tx,
    (district_id, pupil_id, guardian_id): (Id<District>, Id<Pupil>, Id<Guardian>),
    ids: &[Id<EvidenceKind>],
    priority_id: Id<PriorityKind>,
) -> Result<u64, Error> {
    let used = evidence::Entity::update_many()
        .set(evidence::ActiveModel { priority_id: Set(Some(priority_id.uuid())), ..Default::default() })
        .filter(evidence::Column::DistrictId.eq(district_id.uuid()))
        .filter(evidence::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .filter(evidence::Column::PupilId.eq(pupil_id.uuid()))
        .filter(evidence::Column::GuardianId.eq(guardian_id.uuid()))
        .filter(evidence::Column::PriorityId.is_null())
        .exec(tx)
        .await?;
    Ok(used.rows_affected)
}

/// Records that somebody reads a document. `reader` is the caller's key.
///
/// # Errors
/// When the database refuses: what is not recorded is not read.
pub async fn record_reading(tx: &Tx, evidence: &Evidence, reader: &str, now: Moment) -> Result<(), Error> {
    let row = evidence_reading::ActiveModel {
        district_id: Set(evidence.district_id.uuid()),
        id: Set(shared::random::uuid(now)),
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
