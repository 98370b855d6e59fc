//! Where pupils are on a day, and the links that led there.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, Pupil, School};
use uuid::Uuid;

use crate::domain::day::custody::{Custody, Holder, State, Way};
use crate::domain::day::duty::Post;
use crate::store::entity::{custody, custody_link};
use crate::store::{from_json, to_json};

const TABLE: &str = "custody";

/// A link of a chain, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's id.
    pub id: Uuid,
    /// Its place in the chain, from 1.
    pub number: i32,
    /// Where it begins; none for the first.
    pub from: Option<State>,
    /// Where it ends.
    pub to: State,
    /// When it happened.
    pub at: Moment,
    /// When it was recorded.
    pub created_at: Moment,
    /// Who recorded it.
    pub recorder: String,
    /// Why the pupil was never here; empty otherwise.
    pub note: String,
}

/// Finds where pupils of one district are on a day; those who have not come are left out. The pupils are locked before: see the lock
/// order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupils: impl IntoIterator<Item = Id<Pupil>>,
    day: NaiveDate,
) -> Result<Vec<Custody>, Error> {
    let rows = custody::Entity::find()
        .filter(custody::Column::DistrictId.eq(district_id.uuid()))
        .filter(custody::Column::PupilId.is_in(pupils.into_iter().map(Id::uuid)))
        .filter(custody::Column::Day.eq(day))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists the pupils of a school who are held on a day: by when their service ends, then by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_held(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    day: NaiveDate,
) -> Result<Vec<Custody>, Error> {
    let rows = custody::Entity::find()
        .filter(custody::Column::DistrictId.eq(district_id.uuid()))
        .filter(custody::Column::SchoolId.eq(school_id.uuid()))
        .filter(custody::Column::Day.eq(day))
        .filter(custody::Column::State.eq("held"))
        .order_by_asc(custody::Column::DueAt)
        .order_by_asc(custody::Column::PupilId)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists pupils who are held though their service ended by `before`, and of whom nobody was alerted; longest over first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_overdue(
    db: &impl ConnectionTrait,
    before: Moment,
    limit: u64,
) -> Result<Vec<Custody>, Error> {
    let rows = custody::Entity::find()
        .filter(custody::Column::State.eq("held"))
        .filter(custody::Column::AlertedAt.is_null())
        .filter(custody::Column::DueAt.lte(before))
        .order_by_asc(custody::Column::DueAt)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Lists a pupil's links, latest recorded first, before `before` (a moment and an id), at most `limit`, each with its day.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_links(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    before: Option<(Moment, Uuid)>,
    limit: u64,
) -> Result<Vec<(NaiveDate, Link)>, Error> {
    let mut query = custody_link::Entity::find()
        .filter(custody_link::Column::DistrictId.eq(district_id.uuid()))
        .filter(custody_link::Column::PupilId.eq(pupil_id.uuid()));
    if let Some((at, id)) = before {
        let earlier = custody_link::Column::CreatedAt.lt(at);
        let same = custody_link::Column::CreatedAt.eq(at).and(custody_link::Column::Id.lt(id));
        query = query.filter(earlier.or(same));
    }
    let rows = query
        .order_by_desc(custody_link::Column::CreatedAt)
        .order_by_desc(custody_link::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok((row.day, read_link(row)?))).collect()
}

/// Keeps a link and where it ends. The pupil is locked.
///
/// # Errors
/// When the database refuses: no two links follow the same one.
pub async fn save(tx: &Tx, custody: &Custody, link: &Link) -> Result<(), Error> {
    let to = Columns::of(&link.to);
    let from = link.from.as_ref().map(Columns::of);
    let row = custody_link::ActiveModel {
        district_id: Set(custody.district_id.uuid()),
        id: Set(link.id),
        pupil_id: Set(custody.pupil_id.uuid()),
        day: Set(custody.day),
        number: Set(link.number),
        from_state: Set(from.as_ref().map(|from| from.state.to_owned())),
        from_post: Set(from.as_ref().and_then(|from| from.post.clone())),
        from_place_id: Set(from.as_ref().and_then(|from| from.place_id)),
        from_staff_id: Set(from.as_ref().and_then(|from| from.staff_id)),
        from_way: Set(from.as_ref().and_then(|from| from.way.clone())),
        from_taker_id: Set(from.as_ref().and_then(|from| from.taker_id)),
        state: Set(to.state.to_owned()),
        post: Set(to.post.clone()),
        place_id: Set(to.place_id),
        staff_id: Set(to.staff_id),
        way: Set(to.way.clone()),
        taker_id: Set(to.taker_id),
        at: Set(link.at),
        recorder: Set(link.recorder.clone()),
        note: Set(link.note.clone()),
        created_at: Set(link.created_at),
    };
    custody_link::Entity::insert(row).exec_without_returning(tx).await?;
    let row = custody::ActiveModel {
        district_id: Set(custody.district_id.uuid()),
        pupil_id: Set(custody.pupil_id.uuid()),
        day: Set(custody.day),
        school_id: Set(custody.school_id.uuid()),
        pupil_path: Set(to_json(&custody.pupil_path, TABLE, custody.pupil_id)?),
        state: Set(to.state.to_owned()),
        post: Set(to.post),
        place_id: Set(to.place_id),
        staff_id: Set(to.staff_id),
        way: Set(to.way),
        taker_id: Set(to.taker_id),
        since: Set(custody.since),
        link_count: Set(custody.link_count),
        due_at: Set(custody.due_at),
        alerted_at: Set(custody.alerted_at),
    };
    let key = [custody::Column::DistrictId, custody::Column::PupilId, custody::Column::Day];
    let on_known = OnConflict::columns(key)
        .update_columns([
            custody::Column::State,
            custody::Column::Post,
            custody::Column::PlaceId,
            custody::Column::StaffId,
            custody::Column::Way,
            custody::Column::TakerId,
            custody::Column::Since,
            custody::Column::LinkCount,
            custody::Column::DueAt,
            custody::Column::AlertedAt,
        ])
        .to_owned();
    custody::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps when a pupil's service ends, and whether the leader was alerted. The pupil is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save_due(tx: &Tx, custody: &Custody) -> Result<(), Error> {
    let row = custody::ActiveModel {
        district_id: Set(custody.district_id.uuid()),
        pupil_id: Set(custody.pupil_id.uuid()),
        day: Set(custody.day),
        due_at: Set(custody.due_at),
        alerted_at: Set(custody.alerted_at),
        ..Default::default()
    };
    custody::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// A state as the columns of both tables have it.
struct Columns {
    state: &'static str,
    post: Option<String>,
    place_id: Option<Uuid>,
    staff_id: Option<Uuid>,
    way: Option<String>,
    taker_id: Option<Uuid>,
}

impl Columns {
    fn of(state: &State) -> Self {
        let held =
            Self { state: "held", post: None, place_id: None, staff_id: None, way: None, taker_id: None };
        let gone = |way: &str, taker_id| Self {
            state: "gone",
            way: Some(way.to_owned()),
            taker_id,
            ..Self::of(&State::Held(Holder::Nobody))
        };
        match state {
            State::Held(Holder::Nobody) => held,
            State::Held(Holder::Staff { staff_id, post }) => {
                let (post, place_id) = match post {
                    Post::Leader => ("leader", None),
                    Post::Section(id) => ("section", Some(id.uuid())),
                    Post::Room(id) => ("room", Some(id.uuid())),
                };
                Self { post: Some(post.to_owned()), place_id, staff_id: Some(staff_id.uuid()), ..held }
            }
            State::Gone(Way::Guardian(id)) => gone("guardian", Some(id.uuid())),
            State::Gone(Way::Collector(id)) => gone("collector", Some(id.uuid())),
            State::Gone(Way::Alone(id)) => gone("alone", Some(id.uuid())),
            State::Gone(Way::NotHere) => gone("not_here", None),
        }
    }

    fn read(
        state: &str,
        (post, place_id, staff_id): (Option<&str>, Option<Uuid>, Option<Uuid>),
        (way, taker_id): (Option<&str>, Option<Uuid>),
    ) -> Option<State> {
        let post = match (post, place_id) {
            (None, None) => None,
            (Some("leader"), None) => Some(Post::Leader),
            (Some("section"), Some(id)) => Some(Post::Section(Id::new(id))),
            (Some("room"), Some(id)) => Some(Post::Room(Id::new(id))),
            _ => return None,
        };
        Some(match (state, post, staff_id, way, taker_id) {
            ("held", None, None, None, None) => State::Held(Holder::Nobody),
            ("held", Some(post), Some(staff_id), None, None) => {
                State::Held(Holder::Staff { staff_id: Id::new(staff_id), post })
            }
            ("gone", None, None, Some("guardian"), Some(id)) => State::Gone(Way::Guardian(Id::new(id))),
            ("gone", None, None, Some("collector"), Some(id)) => State::Gone(Way::Collector(Id::new(id))),
            ("gone", None, None, Some("alone"), Some(id)) => State::Gone(Way::Alone(Id::new(id))),
            ("gone", None, None, Some("not_here"), None) => State::Gone(Way::NotHere),
            _ => return None,
        })
    }
}

fn read(row: custody::Model) -> Result<Custody, Error> {
    let state = Columns::read(
        &row.state,
        (row.post.as_deref(), row.place_id, row.staff_id),
        (row.way.as_deref(), row.taker_id),
    );
    let broken = || Error::inconsistent(TABLE, row.pupil_id, "its state is unknown");
    Ok(Custody {
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        pupil_path: from_json(row.pupil_path, TABLE, row.pupil_id)?,
        pupil_id: Id::new(row.pupil_id),
        day: row.day,
        state: state.ok_or_else(broken)?,
        since: row.since,
        link_count: row.link_count,
        due_at: row.due_at,
        alerted_at: row.alerted_at,
    })
}

fn read_link(row: custody_link::Model) -> Result<Link, Error> {
    let broken = || Error::inconsistent("custody_link", row.id, "its state is unknown");
    let to = Columns::read(
        &row.state,
        (row.post.as_deref(), row.place_id, row.staff_id),
        (row.way.as_deref(), row.taker_id),
    );
    let from = match row.from_state.as_deref() {
        None => None,
        Some(state) => {
            let from = Columns::read(
                state,
                (row.from_post.as_deref(), row.from_place_id, row.from_staff_id),
                (row.from_way.as_deref(), row.from_taker_id),
            );
            Some(from.ok_or_else(broken)?)
        }
    };
    Ok(Link {
        id: row.id,
        number: row.number,
        from,
        to: to.ok_or_else(broken)?,
        at: row.at,
        created_at: row.created_at,
        recorder: row.recorder,
        note: row.note,
    })
}
