//! Enrollments, and the slots their seats take.

use std::collections::{HashMap, HashSet};

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbBackend, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement, TryIntoModel as _,
};
use serde::{Deserialize, Serialize};
use shared::db::{Error, Kind, Tx};
use shared::value::{
    District, Enrollment as EnrollmentKind, Guardian, Id, Moment, Page, Pupil, School, Section, Term,
};
use uuid::Uuid;

use super::entity::{enrollment, enrollment_slot, section};
use super::many::joined;
use super::{from_json, to_json};
use crate::domain::enrollment::{Change, Enrollment, Fee, Release, ReleaseReason, State, Step, Steps, Terms};
use crate::domain::round::Waits;
use crate::domain::section::Slot;

const TABLE: &str = "enrollment";

/// The most values one statement may bind on both databases, with room to spare (SQLite takes 32,766).
const MAX_BINDS: usize = 30_000;

/// How many columns a row of `enrollment` binds.
const COLUMNS: usize = 27;

/// A step as its JSON column keeps it.
#[derive(Serialize, Deserialize)]
struct StepJson {
    key: String,
    name_zh: String,
    role: String,
    approved_at: Option<Moment>,
}

/// Finds an enrollment.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<EnrollmentKind>) -> Result<Option<Enrollment>, Error> {
    let row = enrollment::Entity::find().filter(enrollment::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds enrollments, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: &[Id<EnrollmentKind>],
) -> Result<Vec<Enrollment>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids.iter().map(|id| id.uuid());
    let rows = enrollment::Entity::find().filter(enrollment::Column::Id.is_in(ids)).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Locks an enrollment. Its section is locked before: see the lock order.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<EnrollmentKind>) -> Result<Option<Enrollment>, Error> {
    let row = enrollment::Entity::find()
        .filter(enrollment::Column::Id.eq(id.uuid()))
        .lock_exclusive()
        .one(tx)
        .await?;
    row.map(read).transpose()
}

/// Locks the live enrollments of a section, by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock_live_of_section(
    tx: &Tx,
    district_id: Id<District>,
    section_id: Id<Section>,
) -> Result<Vec<Enrollment>, Error> {
    let rows = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.eq(section_id.uuid()))
        .filter(enrollment::Column::State.ne("released"))
        .order_by_asc(enrollment::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists the live enrollments of sections, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_live(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    sections: &[Id<Section>],
) -> Result<Vec<Enrollment>, Error> {
    let rows = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.is_in(sections.iter().map(|id| id.uuid())))
        .filter(enrollment::Column::State.ne("released"))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Makes PostgreSQL plan this transaction's statements by their indexes.
///
/// A table that was empty when a plan was made is scanned whole by that plan, ever slower while it fills: at the opening of a
/// round, the worst of moments.
///
/// # Errors
/// When the database refuses.
pub async fn plan_for_growth(tx: &Tx) -> Result<(), Error> {
    match tx.kind() {
        Kind::Postgres => {
            tx.execute_unprepared("set local enable_seqscan = off; set local enable_mergejoin = off").await?;
        }
        Kind::Sqlite => {}
    }
    Ok(())
}

/// Finds the live enrollments of pupils, and whatever these requests got, live or not; in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_for(
    db: &impl ConnectionTrait,
    districts: &HashSet<Id<District>>,
    pupils: &[Id<Pupil>],
    requests: &[(Id<Guardian>, Uuid)],
) -> Result<Vec<Enrollment>, Error> {
    let rows = match db.get_database_backend() {
        DbBackend::Postgres => {
            let guardians = joined(requests.iter().map(|(guardian, _)| guardian.uuid()));
            let values = [
                joined(districts.iter().map(|id| id.uuid())).into(),
                joined(pupils.iter().map(|id| id.uuid())).into(),
                guardians.into(),
                joined(requests.iter().map(|(_, request)| *request)).into(),
            ];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, FIND_FOR, values);
            enrollment::Entity::find().from_raw_sql(statement).all(db).await?
        }
        _ => found_one_by_one(db, districts, pupils, requests).await?,
    };
    let rows: HashMap<Uuid, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    rows.into_values().map(read).collect()
}

/// The live enrollments of pupils (`$2`) of districts (`$1`), and those of guardians and requests (`$3`, `$4`, pairwise). Each pair
/// is looked up in its index by itself: over two lists PostgreSQL would try every guardian with every request.
const FIND_FOR: &str = "\
    select e.* from unnest(cast(string_to_array($2, ',') as uuid[])) as p (pupil_id) \
    cross join lateral (select * from enrollment l where l.district_id = any(cast(string_to_array($1, ',') as uuid[])) \
    and l.pupil_id = p.pupil_id and l.state <> 'released' offset 0) as e \
    union all \
    select e.* from unnest(cast(string_to_array($3, ',') as uuid[]), cast(string_to_array($4, ',') as uuid[])) \
    as r (guardian_id, request_id) \
    cross join lateral (select * from enrollment l where l.district_id = any(cast(string_to_array($1, ',') as uuid[])) \
    and l.guardian_id = r.guardian_id and l.request_id = r.request_id offset 0) as e";

/// As [`find_for`], on SQLite.
async fn found_one_by_one(
    db: &impl ConnectionTrait,
    districts: &HashSet<Id<District>>,
    pupils: &[Id<Pupil>],
    requests: &[(Id<Guardian>, Uuid)],
) -> Result<Vec<enrollment::Model>, Error> {
    let of_districts = enrollment::Column::DistrictId.is_in(districts.iter().map(|id| id.uuid()));
    let mut rows = enrollment::Entity::find()
        .filter(of_districts.clone())
        .filter(enrollment::Column::PupilId.is_in(pupils.iter().map(|id| id.uuid())))
        .filter(enrollment::Column::State.ne("released"))
        .all(db)
        .await?;
    if !requests.is_empty() {
        let guardians = requests.iter().map(|(guardian, _)| guardian.uuid());
        let asked = enrollment::Entity::find()
            .filter(of_districts)
            .filter(enrollment::Column::GuardianId.is_in(guardians))
            .filter(enrollment::Column::RequestId.is_in(requests.iter().map(|(_, request)| *request)))
            .all(db)
            .await?;
        rows.extend(asked);
    }
    Ok(rows)
}

/// Lists those in line for a section, next first, after the number `after` and at most `limit`.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_line(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    section_id: Id<Section>,
    after: i64,
    limit: u64,
) -> Result<Vec<Enrollment>, Error> {
    let rows = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.eq(section_id.uuid()))
        .filter(enrollment::Column::State.eq("waitlisted"))
        .filter(enrollment::Column::WaitlistNumber.gt(after))
        .order_by_asc(enrollment::Column::WaitlistNumber)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Gives the place in line of each enrollment that stands in one, 1 is next.
///
/// # Errors
/// When the database refuses.
pub async fn positions(
    db: &impl ConnectionTrait,
    enrollments: &[Enrollment],
) -> Result<HashMap<Id<EnrollmentKind>, i32>, Error> {
    let mut positions = HashMap::new();
    for enrollment in enrollments {
        let State::Waitlisted { number } = enrollment.state else {
            continue;
        };
        let before = enrollment::Entity::find()
            .filter(enrollment::Column::DistrictId.eq(enrollment.district_id.uuid()))
            .filter(enrollment::Column::SectionId.eq(enrollment.section_id.uuid()))
            .filter(enrollment::Column::State.eq("waitlisted"))
            .filter(enrollment::Column::WaitlistNumber.lt(number))
            .count(db)
            .await?;
        let position = i32::try_from(before + 1)
            .map_err(|_| Error::inconsistent(TABLE, enrollment.id, "its line has no end"))?;
        positions.insert(enrollment.id, position);
    }
    Ok(positions)
}

/// Lists a pupil's enrollments, newest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    page: &Page<Uuid>,
) -> Result<Vec<Enrollment>, Error> {
    let mut query = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::PupilId.eq(pupil_id.uuid()));
    if let Some(after) = page.after {
        query = query.filter(enrollment::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(enrollment::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Whose open steps are wanted: those of `role`, in one class or the whole school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The role whose step is next.
    pub role: &'static str,
    /// The class; none for the whole school.
    pub class_id: Option<Uuid>,
}

/// Lists the enrollments of a school whose next step is at one of `desks`, oldest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_reviews(
    db: &impl ConnectionTrait,
    school_id: Id<School>,
    district_id: Id<District>,
    desks: &[Desk],
    page: &Page<Uuid>,
) -> Result<Vec<Enrollment>, Error> {
    let at_desks = desks.iter().fold(Condition::any(), |any, desk| {
        let mut at_desk = Condition::all().add(enrollment::Column::NextStepRole.eq(desk.role));
        if let Some(class_id) = desk.class_id {
            at_desk = at_desk.add(enrollment::Column::ClassId.eq(class_id));
        }
        any.add(at_desk)
    });
    let mut query = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SchoolId.eq(school_id.uuid()))
        .filter(enrollment::Column::State.eq("in_review"))
        .filter(at_desks);
    if let Some(after) = page.after {
        query = query.filter(enrollment::Column::Id.gt(after));
    }
    let rows = query.order_by_asc(enrollment::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Those who are counted: `enrollment::State::is_counted`, as rows have it.
pub fn counted() -> Condition {
    Condition::all()
        .add(enrollment::Column::State.is_in(["in_review", "held", "releasing", "confirmed"]))
        .add(
            Condition::any()
                .add(enrollment::Column::ReleaseReason.is_null())
                .add(enrollment::Column::ReleaseReason.ne("changed")),
        )
}

/// Lists who is counted in a section.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_seated(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    section_id: Id<Section>,
) -> Result<Vec<Enrollment>, Error> {
    let rows = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.eq(section_id.uuid()))
        .filter(counted())
        .order_by_asc(enrollment::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// A pupil who has a place that asks for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// Whether a seat waits for it.
    pub is_awaiting: bool,
}

/// Lists the pupils who have a live place in a term that asks for a signature, by pupil id. `classes` are the classes wanted; none
/// for the whole school.
///
/// # Errors
/// When the database refuses.
pub async fn list_asking(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    term_id: Id<Term>,
    classes: Option<&[Uuid]>,
    awaiting_only: bool,
    page: &Page<Uuid>,
) -> Result<Vec<Asked>, Error> {
    // By its sections: they have an index, and terms have none.
    let sections = Query::select()
        .column(section::Column::Id)
        .from(section::Entity)
        .and_where(section::Column::TermId.eq(term_id.uuid()))
        .to_owned();
    let mut query = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::PupilId)
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.in_subquery(sections))
        .filter(enrollment::Column::AsksAgreement.eq(true));
    query = if awaiting_only {
        query.filter(enrollment::Column::State.eq("awaiting_agreement"))
    } else {
        query.filter(enrollment::Column::State.ne("released"))
    };
    if let Some(classes) = classes {
        query = query.filter(enrollment::Column::ClassId.is_in(classes.iter().copied()));
    }
    if let Some(after) = page.after {
        query = query.filter(enrollment::Column::PupilId.gt(after));
    }
    let pupils: Vec<Uuid> = query
        .group_by(enrollment::Column::PupilId)
        .order_by_asc(enrollment::Column::PupilId)
        .limit(page.size)
        .into_tuple()
        .all(db)
        .await?;
    let awaiting: Vec<Uuid> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::PupilId)
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::TermId.eq(term_id.uuid()))
        .filter(enrollment::Column::PupilId.is_in(pupils.iter().copied()))
        .filter(enrollment::Column::State.eq("awaiting_agreement"))
        .into_tuple()
        .all(db)
        .await?;
    let awaiting: HashSet<_> = awaiting.into_iter().collect();
    let asked = |id| Asked { pupil_id: Id::new(id), is_awaiting: awaiting.contains(&id) };
    Ok(pupils.into_iter().map(asked).collect())
}

/// Gives every pupil who ever applied for a section and got something: whose repeat has an answer of its own.
///
/// # Errors
/// When the database refuses.
pub async fn pupils_ever_in(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    section_id: Id<Section>,
) -> Result<HashSet<Id<Pupil>>, Error> {
    let pupils: Vec<Uuid> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::PupilId)
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::SectionId.eq(section_id.uuid()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(pupils.into_iter().map(Id::new).collect())
}

/// Lists enrollments whose wait for a signature, review or hold is over at `now`, longest over first.
/// Lists enrollments whose review or hold is over at `now`, longest over first, then oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list_due(
    db: &impl ConnectionTrait,
    now: Moment,
    limit: u64,
) -> Result<Vec<Id<EnrollmentKind>>, Error> {
    let ids: Vec<Uuid> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::Id)
        .filter(enrollment::Column::HoldExpiresAt.lte(now))
        .order_by_asc(enrollment::Column::HoldExpiresAt)
        .order_by_asc(enrollment::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// Lists enrollments being given back about which billing is to be asked at `now`, longest waiting first, then oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list_closing(
    db: &impl ConnectionTrait,
    now: Moment,
    limit: u64,
) -> Result<Vec<Id<EnrollmentKind>>, Error> {
    let ids: Vec<Uuid> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::Id)
        .filter(enrollment::Column::NextCloseAt.lte(now))
        .order_by_asc(enrollment::Column::NextCloseAt)
        .order_by_asc(enrollment::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// Puts off asking billing about an enrollment: `wait` gives the seconds by how often it was asked in vain before.
///
/// # Errors
/// When the database refuses.
pub async fn put_off_closing(
    tx: &Tx,
    id: Id<EnrollmentKind>,
    now: Moment,
    wait: impl Fn(u32) -> chrono::TimeDelta,
) -> Result<(), Error> {
    let of_id = enrollment::Column::Id.eq(id.uuid());
    let Some(row) = enrollment::Entity::find().filter(of_id).lock_exclusive().one(tx).await? else {
        return Ok(());
    };
    if row.next_close_at.is_none() {
        return Ok(());
    }
    let attempts = u32::try_from(row.close_attempt_count).unwrap_or(0);
    let row = enrollment::ActiveModel {
        district_id: Set(row.district_id),
        id: Set(row.id),
        next_close_at: Set(Some(now + wait(attempts))),
        close_attempt_count: Set(row.close_attempt_count.saturating_add(1)),
        ..Default::default()
    };
    enrollment::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps new enrollments, in few statements.
///
/// # Errors
/// When the database refuses: one live enrollment of a pupil in a section, one enrollment a request.
pub async fn insert_all(tx: &Tx, enrollments: &[Enrollment]) -> Result<(), Error> {
    if tx.kind() == Kind::Postgres {
        return insert_as_set(tx, enrollments).await;
    }
    for enrollments in enrollments.chunks(MAX_BINDS / COLUMNS) {
        let rows = enrollments.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        enrollment::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// All rows in one bound value: thousands of placeholders cost PostgreSQL more than the rows.
async fn insert_as_set(tx: &Tx, enrollments: &[Enrollment]) -> Result<(), Error> {
    if enrollments.is_empty() {
        return Ok(());
    }
    let row = |enrollment: &Enrollment| Ok(write(enrollment)?.try_into_model()?);
    let rows = enrollments.iter().map(row).collect::<Result<Vec<enrollment::Model>, Error>>()?;
    let rows = serde_json::to_string(&rows).map_err(|error| Error::inconsistent(TABLE, "new", error))?;
    tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, INSERT_AS_SET, [rows.into()])).await?;
    Ok(())
}

/// Inserts the rows of a JSON list (`$1`).
const INSERT_AS_SET: &str = "\
    insert into enrollment (district_id, id, school_id, class_id, term_id, section_id, pupil_id, pupil_path, guardian_id, \
    request_id, join_waitlist, fee, asks_agreement, review_seconds, payment_seconds, steps, state, waitlist_number, next_step_role, \
    hold_expires_at, release_reason, release_note, was_settled, next_close_at, close_attempt_count, created_at, updated_at) \
    select * from jsonb_to_recordset(cast(cast($1 as text) as jsonb)) as r (district_id uuid, id uuid, school_id uuid, \
    class_id uuid, term_id uuid, section_id uuid, pupil_id uuid, pupil_path jsonb, guardian_id uuid, request_id uuid, \
    join_waitlist boolean, fee text, asks_agreement boolean, review_seconds integer, payment_seconds integer, steps jsonb, state text, \
    waitlist_number bigint, next_step_role text, hold_expires_at timestamptz, release_reason text, release_note text, \
    was_settled boolean, next_close_at timestamptz, close_attempt_count integer, created_at timestamptz, \
    updated_at timestamptz)";

/// Keeps what a command made of an enrollment.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, enrollment: &Enrollment, change: &Change, now: Moment) -> Result<(), Error> {
    let next = Enrollment { steps: change.steps.clone(), state: change.state.clone(), ..enrollment.clone() };
    let stood_in_line = enrollment.state.is_waitlisted();
    let row = enrollment::ActiveModel {
        updated_at: Set(now),
        created_at: NotSet,
        // The number drawn stays when the line is left: the line has no gaps.
        waitlist_number: if stood_in_line || !change.state.is_waitlisted() {
            NotSet
        } else {
            Set(number(&change.state))
        },
        next_close_at: Set(matches!(change.state, State::Releasing { .. }).then_some(now)),
        ..write(&next)?
    };
    enrollment::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Moves the open enrollments of a pupil to another class of the same school.
///
/// # Errors
/// When the database refuses.
pub async fn move_pupil(
    tx: &Tx,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    path: &[Uuid],
) -> Result<(), Error> {
    let class_id = path.get(3).copied().ok_or_else(|| Error::inconsistent("pupil", pupil_id, "no class"))?;
    let row = enrollment::ActiveModel {
        class_id: Set(class_id),
        pupil_path: Set(to_json(&path, TABLE, pupil_id)?),
        ..Default::default()
    };
    enrollment::Entity::update_many()
        .set(row)
        .filter(enrollment::Column::DistrictId.eq(district_id.uuid()))
        .filter(enrollment::Column::PupilId.eq(pupil_id.uuid()))
        .filter(enrollment::Column::State.ne("released"))
        .exec(tx)
        .await?;
    Ok(())
}

/// A seat and when it takes its pupil's time.
#[derive(Clone, Copy, Debug)]
pub struct Seat<'a> {
    /// The enrollment that holds it.
    pub enrollment: &'a Enrollment,
    /// Its section's slots.
    pub slots: &'a [Slot],
}

/// Takes the slots of seats.
///
/// # Errors
/// When the database refuses: nobody sits in two places at one time.
pub async fn take_slots(tx: &Tx, seats: &[Seat<'_>]) -> Result<(), Error> {
    if tx.kind() == Kind::Postgres {
        return take_slots_as_set(tx, seats).await;
    }
    let rows: Vec<_> = seats
        .iter()
        .flat_map(|seat| {
            seat.slots.iter().map(|slot| enrollment_slot::ActiveModel {
                district_id: Set(seat.enrollment.district_id.uuid()),
                pupil_id: Set(seat.enrollment.pupil_id.uuid()),
                term_id: Set(seat.enrollment.term_id.uuid()),
                slot_id: Set(slot.id.uuid()),
                enrollment_id: Set(seat.enrollment.id.uuid()),
            })
        })
        .collect();
    for rows in rows.chunks(MAX_BINDS / 5) {
        enrollment_slot::Entity::insert_many(rows.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}

async fn take_slots_as_set(tx: &Tx, seats: &[Seat<'_>]) -> Result<(), Error> {
    let each = |value: fn(&Enrollment) -> Uuid| {
        joined(seats.iter().flat_map(|seat| seat.slots.iter().map(move |_| value(seat.enrollment))))
    };
    let slots = joined(seats.iter().flat_map(|seat| seat.slots.iter().map(|slot| slot.id.uuid())));
    if slots.is_empty() {
        return Ok(());
    }
    let values = [
        each(|enrollment| enrollment.district_id.uuid()).into(),
        each(|enrollment| enrollment.pupil_id.uuid()).into(),
        each(|enrollment| enrollment.term_id.uuid()).into(),
        slots.into(),
        each(|enrollment| enrollment.id.uuid()).into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, TAKE_SLOTS_AS_SET, values)).await?;
    Ok(())
}

/// Inserts slots: `$1` to `$5` are the columns, in their order.
const TAKE_SLOTS_AS_SET: &str = "\
    insert into enrollment_slot (district_id, pupil_id, term_id, slot_id, enrollment_id) \
    select * from unnest(cast(string_to_array($1, ',') as uuid[]), cast(string_to_array($2, ',') as uuid[]), \
    cast(string_to_array($3, ',') as uuid[]), cast(string_to_array($4, ',') as uuid[]), \
    cast(string_to_array($5, ',') as uuid[]))";

/// Gives back the slots of a seat.
///
/// # Errors
/// When the database refuses.
pub async fn free_slots(tx: &Tx, enrollment: &Enrollment) -> Result<(), Error> {
    enrollment_slot::Entity::delete_many()
        .filter(enrollment_slot::Column::DistrictId.eq(enrollment.district_id.uuid()))
        .filter(enrollment_slot::Column::PupilId.eq(enrollment.pupil_id.uuid()))
        .filter(enrollment_slot::Column::EnrollmentId.eq(enrollment.id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The sections in which a pupil has something, by id.
///
/// # Errors
/// When the database refuses.
pub async fn live_sections_of(
    tx: &Tx,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
) -> Result<Vec<Id<Section>>, Error> {
    let query = Query::select()
        .distinct()
        .column(enrollment::Column::SectionId)
        .from(Alias::new(TABLE))
        .and_where(Expr::col(enrollment::Column::DistrictId).eq(district_id.uuid()))
        .and_where(Expr::col(enrollment::Column::PupilId).eq(pupil_id.uuid()))
        .and_where(Expr::col(enrollment::Column::State).ne("released"))
        .order_by(enrollment::Column::SectionId, sea_orm::Order::Asc)
        .to_owned();
    let rows = tx.query_all(&query).await?;
    let ids = rows.iter().map(|row| row.try_get::<Uuid>("", "section_id").map(Id::new));
    Ok(ids.collect::<Result<_, _>>()?)
}

fn number(state: &State) -> Option<i64> {
    match state {
        State::Waitlisted { number } => Some(*number),
        State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => None,
    }
}

fn write(enrollment: &Enrollment) -> Result<enrollment::ActiveModel, Error> {
    let id = enrollment.id;
    let class_id = enrollment
        .pupil_path
        .get(3)
        .copied()
        .ok_or_else(|| Error::inconsistent(TABLE, id, "its pupil has no class"))?;
    let steps: Vec<_> = enrollment
        .steps
        .list()
        .iter()
        .map(|step| StepJson {
            key: step.key.clone(),
            name_zh: step.name_zh.clone(),
            role: step.role.clone(),
            approved_at: step.approved_at,
        })
        .collect();
    let (state, hold_expires_at, release, was_settled) = match &enrollment.state {
        State::Waitlisted { .. } => ("waitlisted", None, None, false),
        State::AwaitingAgreement { expires_at } => ("awaiting_agreement", Some(*expires_at), None, false),
        State::InReview { expires_at } => ("in_review", Some(*expires_at), None, false),
        State::Held { expires_at } => ("held", Some(*expires_at), None, false),
        State::Releasing { release } => ("releasing", None, Some(release), false),
        State::Confirmed => ("confirmed", None, None, false),
        State::Released { release, was_settled } => ("released", None, Some(release), *was_settled),
    };
    let next_role = enrollment.steps.next().map(|step| step.role.clone());
    Ok(enrollment::ActiveModel {
        district_id: Set(enrollment.district_id.uuid()),
        id: Set(id.uuid()),
        school_id: Set(enrollment.school_id.uuid()),
        class_id: Set(class_id),
        term_id: Set(enrollment.term_id.uuid()),
        section_id: Set(enrollment.section_id.uuid()),
        pupil_id: Set(enrollment.pupil_id.uuid()),
        pupil_path: Set(to_json(&enrollment.pupil_path, TABLE, id)?),
        guardian_id: Set(enrollment.guardian_id.uuid()),
        request_id: Set(enrollment.request_id),
        join_waitlist: Set(enrollment.join_waitlist),
        fee: Set(match enrollment.terms.fee {
            Fee::Free => "free",
            Fee::Charged => "charged",
        }
        .to_owned()),
        review_seconds: Set(enrollment.terms.waits.review_seconds),
        payment_seconds: Set(enrollment.terms.waits.payment_seconds),
        asks_agreement: Set(enrollment.terms.asks_agreement),
        steps: Set(to_json(&steps, TABLE, id)?),
        state: Set(state.to_owned()),
        waitlist_number: Set(number(&enrollment.state)),
        next_step_role: Set(next_role.filter(|_| state == "in_review")),
        hold_expires_at: Set(hold_expires_at),
        release_reason: Set(release.map(|release| reason_text(release.reason).to_owned())),
        release_note: Set(release.map(|release| release.note.clone()).unwrap_or_default()),
        was_settled: Set(was_settled),
        next_close_at: Set(None),
        close_attempt_count: Set(0),
        created_at: Set(enrollment.created_at),
        updated_at: Set(enrollment.created_at),
    })
}

pub(super) fn read(row: enrollment::Model) -> Result<Enrollment, Error> {
    let id = row.id;
    let broken = |why: &str| Error::inconsistent(TABLE, id, why);
    let steps: Vec<StepJson> = from_json(row.steps, TABLE, id)?;
    let steps = steps.into_iter().map(|step| Step {
        key: step.key,
        name_zh: step.name_zh,
        role: step.role,
        approved_at: step.approved_at,
    });
    let hold = || row.hold_expires_at.ok_or_else(|| broken("its hold has no end"));
    let release = || {
        let reason = row.release_reason.as_deref().and_then(reason_of);
        let reason = reason.ok_or_else(|| broken("it is given back without a known reason"))?;
        Ok::<_, Error>(Release { reason, note: row.release_note.clone() })
    };
    let state = match row.state.as_str() {
        "waitlisted" => State::Waitlisted {
            number: row.waitlist_number.ok_or_else(|| broken("in line without a number"))?,
        },
        "awaiting_agreement" => State::AwaitingAgreement { expires_at: hold()? },
        "in_review" => State::InReview { expires_at: hold()? },
        "held" => State::Held { expires_at: hold()? },
        "releasing" => State::Releasing { release: release()? },
        "confirmed" => State::Confirmed,
        "released" => State::Released { release: release()?, was_settled: row.was_settled },
        _ => return Err(broken("its state is unknown")),
    };
    Ok(Enrollment {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        pupil_id: Id::new(row.pupil_id),
        pupil_path: from_json(row.pupil_path, TABLE, id)?,
        section_id: Id::new(row.section_id),
        term_id: Id::new(row.term_id),
        guardian_id: Id::new(row.guardian_id),
        request_id: row.request_id,
        join_waitlist: row.join_waitlist,
        terms: Terms {
            fee: match row.fee.as_str() {
                "free" => Fee::Free,
                "charged" => Fee::Charged,
                _ => return Err(broken("its fee is unknown")),
            },
            waits: Waits { review_seconds: row.review_seconds, payment_seconds: row.payment_seconds },
            asks_agreement: row.asks_agreement,
        },
        created_at: row.created_at,
        steps: Steps::new(steps.collect()).map_err(|error| Error::inconsistent(TABLE, id, error))?,
        state,
    })
}

fn reason_text(reason: ReleaseReason) -> &'static str {
    match reason {
        ReleaseReason::HoldExpired => "hold_expired",
        ReleaseReason::AgreementExpired => "agreement_expired",
        ReleaseReason::ReviewExpired => "review_expired",
        ReleaseReason::Declined => "declined",
        ReleaseReason::Withdrawn => "withdrawn",
        ReleaseReason::Changed => "changed",
        ReleaseReason::SectionCancelled => "section_cancelled",
        ReleaseReason::PupilLeft => "pupil_left",
    }
}

fn reason_of(text: &str) -> Option<ReleaseReason> {
    Some(match text {
        "hold_expired" => ReleaseReason::HoldExpired,
        "agreement_expired" => ReleaseReason::AgreementExpired,
        "review_expired" => ReleaseReason::ReviewExpired,
        "declined" => ReleaseReason::Declined,
        "withdrawn" => ReleaseReason::Withdrawn,
        "changed" => ReleaseReason::Changed,
        "section_cancelled" => ReleaseReason::SectionCancelled,
        "pupil_left" => ReleaseReason::PupilLeft,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::{IdenStatic as _, Iterable as _};

    use super::*;

    #[test]
    fn what_is_inserted_as_a_set_has_every_column() {
        let (columns, rows) = INSERT_AS_SET.split_once("select").unwrap();
        for column in enrollment::Column::iter() {
            let name = column.as_str();
            let named = |text: &str| {
                text.split(|c: char| c != '_' && !c.is_ascii_lowercase()).any(|word| word == name)
            };
            assert!(named(columns) && named(rows), "{name}");
        }
    }
}
