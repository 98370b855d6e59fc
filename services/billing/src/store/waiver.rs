//! Waivers.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Id, Page, Pupil, Waiver as WaiverKind};
use uuid::Uuid;

use super::entity::waiver::{ActiveModel, Column, Entity, Model};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::waiver::{State, Waiver};

/// The constraint that lets a pupil have one application waiting.
pub const ONE_PENDING: &str = "waiver_pending_key";

/// Which waivers are meant.
#[derive(Clone, Debug)]
pub enum Scope {
    /// A pupil's, whatever became of them.
    Pupil(Id<Pupil>),
    /// Those that wait for a decision: the school's below any of the first paths, the bureau's below any of the second.
    Deciding {
        /// Places whose submitted waivers are meant.
        school_paths: Vec<Vec<Uuid>>,
        /// Places whose endorsed waivers are meant.
        bureau_paths: Vec<Vec<Uuid>>,
        /// Only this pupil's, if given.
        pupil_id: Option<Id<Pupil>>,
    },
}

/// Adds a waiver.
///
/// # Errors
/// When the database refuses; [`Error::violated`] says [`ONE_PENDING`] when another waits, on PostgreSQL.
pub async fn insert(tx: &Tx, waiver: &Waiver) -> Result<(), Error> {
    Entity::insert(row(waiver)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a waiver that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, waiver: &Waiver) -> Result<(), Error> {
    Entity::update(row(waiver)).exec(tx).await?;
    Ok(())
}

/// Locks a waiver. Its pupil is locked before.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<WaiverKind>) -> Result<Option<Waiver>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(waiver).transpose()
}

/// Finds a waiver.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<WaiverKind>) -> Result<Option<Waiver>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(waiver).transpose()
}

/// Finds all waivers of a pupil, newest first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_pupil(db: &impl ConnectionTrait, pupil_id: Id<Pupil>) -> Result<Vec<Waiver>, Error> {
    let query = Entity::find()
        .filter(Column::PupilId.eq(pupil_id.uuid()))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    query.all(db).await?.into_iter().map(waiver).collect()
}

/// Lists waivers, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    page: &Page<NewestKey>,
) -> Result<Vec<Waiver>, Error> {
    let mut query = Entity::find();
    match scope {
        Scope::Pupil(pupil_id) => query = query.filter(Column::PupilId.eq(pupil_id.uuid())),
        Scope::Deciding { school_paths, bureau_paths, pupil_id } => {
            let submitted = below(school_paths).add(Column::State.eq("submitted"));
            let endorsed = below(bureau_paths).add(Column::State.eq("endorsed"));
            query = query.filter(Condition::any().add(submitted).add(endorsed));
            if let Some(pupil_id) = pupil_id {
                query = query.filter(Column::PupilId.eq(pupil_id.uuid()));
            }
        }
    }
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1);
    query.all(db).await?.into_iter().map(waiver).collect()
}

/// Rows below any of the paths; none at all when there is no path.
fn below(paths: &[Vec<Uuid>]) -> Condition {
    // A column equals one of no values nowhere.
    let mut any = Condition::any().add(Column::Id.is_in(std::iter::empty::<Uuid>()));
    for path in paths {
        let levels = [Column::DistrictId, Column::TownId, Column::SchoolId, Column::ClassId];
        let all =
            levels.into_iter().zip(path).fold(Condition::all(), |all, (column, id)| all.add(column.eq(*id)));
        any = any.add(all);
    }
    Condition::all().add(any)
}

fn row(waiver: &Waiver) -> ActiveModel {
    let level = |index: usize| waiver.path.get(index).copied().unwrap_or_default();
    let (state, endorsed_by, decided_by, last_day, reason) = match &waiver.state {
        State::Submitted => ("submitted", None, None, None, ""),
        State::Endorsed { by } => ("endorsed", Some(*by), None, None, ""),
        State::Granted { endorsed_by, by, last_day } => {
            ("granted", Some(*endorsed_by), Some(*by), Some(*last_day), "")
        }
        State::Rejected { by, reason } => ("rejected", None, Some(*by), None, reason.as_str()),
    };
    ActiveModel {
        id: Set(waiver.id.uuid()),
        district_id: Set(waiver.district_id.uuid()),
        town_id: Set(level(1)),
        school_id: Set(level(2)),
        class_id: Set(level(3)),
        pupil_id: Set(waiver.pupil_id.uuid()),
        category: Set(waiver.category.clone()),
        state: Set(state.to_owned()),
        endorsed_by: Set(endorsed_by.map(Id::uuid)),
        decided_by: Set(decided_by.map(Id::uuid)),
        last_day: Set(last_day),
        rejection_reason: Set(reason.to_owned()),
        evidence_ids: Set(code::list(&waiver.evidence_ids)),
        created_at: Set(waiver.created_at),
    }
}

fn waiver(row: Model) -> Result<Waiver, Error> {
    let id = row.id;
    let person = |column, value: Option<Uuid>| code::given("waiver", id, column, value).map(Id::new);
    let state = match row.state.as_str() {
        "submitted" => State::Submitted,
        "endorsed" => State::Endorsed { by: person("endorsed_by", row.endorsed_by)? },
        "granted" => State::Granted {
            endorsed_by: person("endorsed_by", row.endorsed_by)?,
            by: person("decided_by", row.decided_by)?,
            last_day: code::given("waiver", id, "last_day", row.last_day)?,
        },
        "rejected" => {
            State::Rejected { by: person("decided_by", row.decided_by)?, reason: row.rejection_reason }
        }
        other => return Err(Error::inconsistent("waiver", id, format!("state is {other:?}"))),
    };
    Ok(Waiver {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        pupil_id: Id::new(row.pupil_id),
        path: vec![row.district_id, row.town_id, row.school_id, row.class_id],
        category: row.category,
        state,
        evidence_ids: code::read_list("waiver", id, "evidence_ids", row.evidence_ids)?,
        created_at: row.created_at,
    })
}
