//! The ledger's chain: sealing what is committed, and reading it again.
//!
//! An entry is written without a place, so that a rush of payments waits for nothing. Whoever holds the head of a district gives places to
//! what is committed: an entry that commits late comes later in the chain and is never passed over.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, JoinType, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Db, Tx};
use uuid::Uuid;

use super::Error;
use super::entity::{journal, journal_seal, journal_unsealed, ledger_head, posting};
use crate::domain::chain::{Anchor, Hash, Journal, Posting, hash};

/// The most entries sealed in one transaction, or read at once.
const BATCH: u64 = 500;

/// Notes that an entry waits for its place.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &Tx, journal_id: Uuid, district_id: Uuid) -> Result<(), Error> {
    let row = journal_unsealed::ActiveModel { journal_id: Set(journal_id), district_id: Set(district_id) };
    journal_unsealed::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Locks the head of a district's chain, which stands for its books; made when there is none.
///
/// # Errors
/// When the database refuses.
pub async fn lock_head(tx: &Tx, district_id: Uuid) -> Result<(), Error> {
    make_head(tx, district_id).await?;
    ledger_head::Entity::find_by_id(district_id).lock_exclusive().one(tx).await?;
    Ok(())
}

async fn make_head(tx: &Tx, district_id: Uuid) -> Result<(), Error> {
    let first = ledger_head::ActiveModel {
        district_id: Set(district_id),
        position: Set(0),
        hash: Set(Hash::START.bytes().to_vec()),
    };
    let keep = OnConflict::column(ledger_head::Column::DistrictId).do_nothing().to_owned();
    ledger_head::Entity::insert(first).on_conflict(keep).try_insert().exec_without_returning(tx).await?;
    Ok(())
}

/// How many entries wait for their place: of one district, or of all.
///
/// # Errors
/// When the database refuses.
pub async fn unsealed_count(db: &impl ConnectionTrait, district_id: Option<Uuid>) -> Result<u64, Error> {
    let mut query = journal_unsealed::Entity::find();
    if let Some(district_id) = district_id {
        query = query.filter(journal_unsealed::Column::DistrictId.eq(district_id));
    }
    Ok(query.count(db).await?)
}

/// The districts in which entries wait.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(db: &impl ConnectionTrait) -> Result<Vec<Uuid>, Error> {
    let query = journal_unsealed::Entity::find()
        .select_only()
        .column(journal_unsealed::Column::DistrictId)
        .distinct()
        .order_by_asc(journal_unsealed::Column::DistrictId);
    Ok(query.into_tuple().all(db).await?)
}

/// Seals what waits in a district, at most [`BATCH`]. Says whether there was anything; another replica at it counts as nothing.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn seal(db: &Db, district_id: Uuid) -> Result<bool, Error> {
    let tx = db.begin().await?;
    make_head(&tx, district_id).await?;
    let head = ledger_head::Entity::find_by_id(district_id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&tx)
        .await?;
    let Some(head) = head else { return Ok(false) };
    let (mut position, mut previous) = (head.position, read_hash(district_id, &head.hash)?);

    let of_journal: sea_orm::RelationDef = journal::Entity::belongs_to(journal_unsealed::Entity)
        .from(journal::Column::Id)
        .to(journal_unsealed::Column::JournalId)
        .into();
    let rows = journal::Entity::find()
        .join(JoinType::InnerJoin, of_journal)
        .filter(journal_unsealed::Column::DistrictId.eq(district_id))
        .order_by_asc(journal::Column::CreatedAt)
        .order_by_asc(journal::Column::Id)
        .limit(BATCH)
        .all(&tx)
        .await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut seals = Vec::with_capacity(rows.len());
    for entry in with_lines(&tx, rows).await? {
        position += 1;
        previous = hash(&previous, position, &entry);
        seals.push(journal_seal::ActiveModel {
            district_id: Set(district_id),
            position: Set(position),
            journal_id: Set(entry.id),
            hash: Set(previous.bytes().to_vec()),
        });
    }
    journal_seal::Entity::insert_many(seals).exec_without_returning(&tx).await?;
    journal_unsealed::Entity::delete_many()
        .filter(journal_unsealed::Column::DistrictId.eq(district_id))
        .filter(journal_unsealed::Column::JournalId.is_in(ids))
        .exec(&tx)
        .await?;
    let head = ledger_head::ActiveModel {
        district_id: Set(district_id),
        position: Set(position),
        hash: Set(previous.bytes().to_vec()),
    };
    ledger_head::Entity::update(head).exec(&tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Seals everything that waits.
///
/// # Errors
/// As [`seal`].
pub async fn seal_all(db: &Db) -> Result<bool, Error> {
    let mut sealed = false;
    for district_id in waiting(db.read()).await? {
        while seal(db, district_id).await? {
            sealed = true;
        }
    }
    Ok(sealed)
}

/// The head of every district's chain.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn heads(db: &impl ConnectionTrait) -> Result<Vec<Anchor>, Error> {
    let rows = ledger_head::Entity::find().order_by_asc(ledger_head::Column::DistrictId).all(db).await?;
    let head = |row: ledger_head::Model| {
        let hash = read_hash(row.district_id, &row.hash)?;
        Ok(Anchor { district_id: row.district_id, position: row.position, hash })
    };
    rows.into_iter().map(head).collect()
}

/// A place of the chain with its entry, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From 1 up.
    pub position: i64,
    /// The entry's id as the chain has it.
    pub journal_id: Uuid,
    /// The hash as it is stored; none when it is no hash.
    pub hash: Option<Hash>,
    /// The entry; none when it is gone.
    pub journal: Option<Journal>,
}

/// Reads links after a position, in order, at most [`BATCH`].
///
/// # Errors
/// When the database refuses.
pub async fn links(db: &impl ConnectionTrait, district_id: Uuid, after: i64) -> Result<Vec<Link>, Error> {
    let seals = journal_seal::Entity::find()
        .filter(journal_seal::Column::DistrictId.eq(district_id))
        .filter(journal_seal::Column::Position.gt(after))
        .order_by_asc(journal_seal::Column::Position)
        .limit(BATCH)
        .all(db)
        .await?;
    let ids: Vec<Uuid> = seals.iter().map(|seal| seal.journal_id).collect();
    let rows = journal::Entity::find()
        .filter(journal::Column::Id.is_in(ids))
        .filter(journal::Column::DistrictId.eq(district_id))
        .all(db)
        .await?;
    let mut entries: HashMap<Uuid, Journal> =
        with_lines(db, rows).await?.into_iter().map(|one| (one.id, one)).collect();
    let link = |seal: journal_seal::Model| Link {
        position: seal.position,
        journal_id: seal.journal_id,
        hash: Hash::from_bytes(&seal.hash),
        journal: entries.remove(&seal.journal_id),
    };
    Ok(seals.into_iter().map(link).collect())
}

/// How many entries a district has, wherever they stand.
///
/// # Errors
/// When the database refuses.
pub async fn journal_count(db: &impl ConnectionTrait, district_id: Uuid) -> Result<u64, Error> {
    Ok(journal::Entity::find().filter(journal::Column::DistrictId.eq(district_id)).count(db).await?)
}

/// Every district that has entries or a chain.
///
/// # Errors
/// When the database refuses.
pub async fn districts(db: &impl ConnectionTrait) -> Result<Vec<Uuid>, Error> {
    let journals = journal::Entity::find().select_only().column(journal::Column::DistrictId).distinct();
    let mut found: Vec<Uuid> = journals.into_tuple().all(db).await?;
    found.extend(heads(db).await?.into_iter().map(|head| head.district_id));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Entries with their lines, in the order of the rows.
async fn with_lines(db: &impl ConnectionTrait, rows: Vec<journal::Model>) -> Result<Vec<Journal>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let postings = posting::Entity::find()
        .filter(posting::Column::JournalId.is_in(ids))
        .order_by_asc(posting::Column::JournalId)
        .order_by_asc(posting::Column::LineNumber)
        .all(db)
        .await?;
    let mut lines: HashMap<Uuid, Vec<Posting>> = HashMap::new();
    for row in postings {
        lines.entry(row.journal_id).or_default().push(Posting {
            number: row.line_number,
            account: row.account,
            debit_fen: row.debit_fen,
            credit_fen: row.credit_fen,
        });
    }
    let entry = |row: journal::Model| Journal {
        lines: lines.remove(&row.id).unwrap_or_default(),
        id: row.id,
        district_id: row.district_id,
        school_id: row.school_id,
        source_id: row.source_id,
        kind: row.kind,
        number: row.number,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(entry).collect())
}

fn read_hash(district_id: Uuid, bytes: &[u8]) -> Result<Hash, Error> {
    Hash::from_bytes(bytes).ok_or_else(|| Error::inconsistent("ledger_head", district_id, "hash is no hash"))
}
