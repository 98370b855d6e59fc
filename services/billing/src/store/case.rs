//! Differences found in bills, before people.

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Case as CaseKind, District, Fen, Id, Moment, Page};
use uuid::Uuid;

use super::entity::reconciliation_case::{ActiveModel, Column, Entity, Model};
use super::entity::{payment, refund};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::case::State;
use crate::domain::reconciliation::{Difference, Kind};

/// The states in which a person is still to act.
const WAITING: [&str; 2] = ["open", "taken"];

/// A difference before people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which one.
    pub id: Id<CaseKind>,
    /// Whose bureau looks into it.
    pub district_id: Id<District>,
    /// Whose bill.
    pub payee_mchid: String,
    /// The bill's Beijing day.
    pub day: NaiveDate,
    /// What is different.
    pub difference: Difference,
    /// Where it stands.
    pub state: State,
    /// When it was found.
    pub created_at: Moment,
}

/// Adds a case unless it is there: a difference of a day is one case for ever. Says whether it was added.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, case: &Case) -> Result<bool, Error> {
    let once = [Column::PayeeMchid, Column::Day, Column::Kind, Column::Subject, Column::DistrictId];
    let keep = OnConflict::columns(once).do_nothing().to_owned();
    let done = Entity::insert(row(case)).on_conflict(keep).try_insert().exec_without_returning(tx).await?;
    Ok(matches!(done, sea_orm::TryInsertResult::Inserted(count) if count > 0))
}

/// Saves a case that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, case: &Case) -> Result<(), Error> {
    Entity::update(row(case)).exec(tx).await?;
    Ok(())
}

/// Finds a case.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<CaseKind>) -> Result<Option<Case>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(case).transpose()
}

/// Locks a case.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<CaseKind>) -> Result<Option<Case>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(case).transpose()
}

/// Lists a district's cases, newest first, only those that wait for a person when `is_waiting`; one more than asked for when there is a next
/// page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    is_waiting: bool,
    page: &Page<NewestKey>,
) -> Result<Vec<Case>, Error> {
    let mut query = Entity::find().filter(Column::DistrictId.eq(district_id.uuid()));
    if is_waiting {
        query = query.filter(Column::State.is_in(WAITING));
    }
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1);
    query.all(db).await?.into_iter().map(case).collect()
}

/// How many cases of bills up to a day wait for a person: of one district, or of all.
///
/// # Errors
/// When the database refuses.
pub async fn waiting_count(
    db: &impl ConnectionTrait,
    district_id: Option<Id<District>>,
    until: Option<NaiveDate>,
) -> Result<u64, Error> {
    let mut query = Entity::find().filter(Column::State.is_in(WAITING));
    if let Some(district_id) = district_id {
        query = query.filter(Column::DistrictId.eq(district_id.uuid()));
    }
    if let Some(until) = until {
        query = query.filter(Column::Day.lte(until));
    }
    Ok(query.count(db).await?)
}

/// Whose bureau looks into each difference: the district of its payment or refund; where there is none of ours, the district of the
/// merchant's first payment, since a merchant serves one district or is looked after by one.
///
/// # Errors
/// When the database refuses.
pub async fn districts(
    db: &impl ConnectionTrait,
    payee_mchid: &str,
    differences: &[Difference],
) -> Result<Vec<Id<District>>, Error> {
    let payments: Vec<Uuid> = differences.iter().filter_map(|one| one.payment_id).map(Id::uuid).collect();
    let refunds: Vec<Uuid> = differences.iter().filter_map(|one| one.refund_id).map(Id::uuid).collect();
    let mut known: HashMap<Uuid, Uuid> = HashMap::new();
    for ids in payments.chunks(500) {
        let query = payment::Entity::find()
            .select_only()
            .columns([payment::Column::Id, payment::Column::DistrictId])
            .filter(payment::Column::Id.is_in(ids.to_vec()));
        known.extend(query.into_tuple::<(Uuid, Uuid)>().all(db).await?);
    }
    for ids in refunds.chunks(500) {
        let query = refund::Entity::find()
            .select_only()
            .columns([refund::Column::Id, refund::Column::DistrictId])
            .filter(refund::Column::Id.is_in(ids.to_vec()));
        known.extend(query.into_tuple::<(Uuid, Uuid)>().all(db).await?);
    }
    let first = payment::Entity::find()
        .filter(payment::Column::PayeeMchid.eq(payee_mchid))
        .order_by_asc(payment::Column::CreatedAt)
        .one(db)
        .await?;
    let fallback = first.map(|row| row.district_id).unwrap_or_default();
    let district = |one: &Difference| {
        let ids = [one.payment_id.map(Id::uuid), one.refund_id.map(Id::uuid)];
        ids.into_iter().flatten().find_map(|id| known.get(&id).copied()).unwrap_or(fallback)
    };
    Ok(differences.iter().map(district).map(Id::new).collect())
}

fn row(case: &Case) -> ActiveModel {
    let (state, taken_by, note, resolved_at) = match &case.state {
        State::Explained => ("explained", None, "", None),
        State::Repaired => ("repaired", None, "", None),
        State::Open => ("open", None, "", None),
        State::Taken { by } => ("taken", Some(*by), "", None),
        State::Resolved { by, note, at } => ("resolved", Some(*by), note.as_str(), Some(*at)),
    };
    let one = &case.difference;
    ActiveModel {
        id: Set(case.id.uuid()),
        district_id: Set(case.district_id.uuid()),
        payee_mchid: Set(case.payee_mchid.clone()),
        day: Set(case.day),
        kind: Set(one.kind.word().to_owned()),
        subject: Set(one.subject.clone()),
        payment_id: Set(one.payment_id.map(Id::uuid)),
        refund_id: Set(one.refund_id.map(Id::uuid)),
        ours_fen: Set(one.ours.map(Fen::get)),
        theirs_fen: Set(one.theirs.map(Fen::get)),
        state: Set(state.to_owned()),
        taken_by: Set(taken_by.map(Id::uuid)),
        note: Set(note.to_owned()),
        resolved_at: Set(resolved_at),
        created_at: Set(case.created_at),
    }
}

fn case(row: Model) -> Result<Case, Error> {
    let id = row.id;
    let taken_by = || code::given("reconciliation_case", id, "taken_by", row.taken_by).map(Id::new);
    let state = match row.state.as_str() {
        "explained" => State::Explained,
        "repaired" => State::Repaired,
        "open" => State::Open,
        "taken" => State::Taken { by: taken_by()? },
        "resolved" => State::Resolved {
            by: taken_by()?,
            note: row.note,
            at: code::given("reconciliation_case", id, "resolved_at", row.resolved_at)?,
        },
        other => return Err(Error::inconsistent("reconciliation_case", id, format!("state is {other:?}"))),
    };
    Ok(Case {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        payee_mchid: row.payee_mchid,
        day: row.day,
        difference: Difference {
            kind: code::word("reconciliation_case", id, "kind", &row.kind, Kind::from_word)?,
            subject: row.subject,
            payment_id: row.payment_id.map(Id::new),
            refund_id: row.refund_id.map(Id::new),
            ours: code::fen(row.ours_fen),
            theirs: code::fen(row.theirs_fen),
        },
        state,
        created_at: row.created_at,
    })
}
