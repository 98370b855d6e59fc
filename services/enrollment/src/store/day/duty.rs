//! Duties.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Duty as DutyKind, Id, Moment, School};
use uuid::Uuid;

use crate::domain::day::duty::{Duty, Post};
use crate::store::entity::duty;
use crate::store::{from_json, to_json};

const TABLE: &str = "duty";

/// Finds a duty.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<DutyKind>) -> Result<Option<Duty>, Error> {
    let row = duty::Entity::find().filter(duty::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Locks a duty.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<DutyKind>) -> Result<Option<Duty>, Error> {
    let row = duty::Entity::find().filter(duty::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Locks the duties of a school for one post that hold on `day`, by id: whoever ends one of them waits for the others who do.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock_post(
    tx: &Tx,
    district_id: Id<District>,
    school_id: Id<School>,
    post: Post,
    day: NaiveDate,
) -> Result<Vec<Duty>, Error> {
    let (text, place_id) = post_text(post);
    let mut query = duty::Entity::find()
        .filter(duty::Column::DistrictId.eq(district_id.uuid()))
        .filter(duty::Column::SchoolId.eq(school_id.uuid()))
        .filter(duty::Column::Post.eq(text))
        .filter(duty::Column::FirstDay.lte(day))
        .filter(duty::Column::LastDay.gte(day));
    if let Some(place_id) = place_id {
        query = query.filter(duty::Column::PlaceId.eq(place_id));
    }
    let rows = query.order_by_asc(duty::Column::Id).lock_exclusive().all(tx).await?;
    rows.into_iter().map(read).collect()
}

/// Lists the duties of a school that hold on some day from one to another: leaders, then sections, then rooms; in each in the order
/// of naming.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<Vec<Duty>, Error> {
    let rows = duty::Entity::find()
        .filter(duty::Column::DistrictId.eq(district_id.uuid()))
        .filter(duty::Column::SchoolId.eq(school_id.uuid()))
        .filter(duty::Column::FirstDay.lte(last_day))
        .filter(duty::Column::LastDay.gte(first_day))
        .order_by_asc(duty::Column::Id)
        .all(db)
        .await?;
    let mut duties = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // One ended before it began holds on no day.
    duties.retain(|duty| duty.first_day <= duty.last_day);
    duties.sort_by_key(|duty| (duty.post, duty.id));
    Ok(duties)
}

/// Keeps a new duty.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, duty: &Duty, by: &str, now: Moment) -> Result<(), Error> {
    let (post, place_id) = post_text(duty.post);
    let row = duty::ActiveModel {
        district_id: Set(duty.district_id.uuid()),
        id: Set(duty.id.uuid()),
        school_id: Set(duty.school_id.uuid()),
        path: Set(to_json(&duty.path, TABLE, duty.id)?),
        post: Set(post.to_owned()),
        place_id: Set(place_id),
        staff_id: Set(duty.staff_id.uuid()),
        staff_name: Set(duty.staff_name.clone()),
        first_day: Set(duty.first_day),
        last_day: Set(duty.last_day),
        created_at: Set(now),
        created_by: Set(by.to_owned()),
    };
    duty::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps the last day of a locked duty.
///
/// # Errors
/// When the database refuses.
pub async fn save_last_day(tx: &Tx, duty: &Duty) -> Result<(), Error> {
    let row = duty::ActiveModel {
        district_id: Set(duty.district_id.uuid()),
        id: Set(duty.id.uuid()),
        last_day: Set(duty.last_day),
        ..Default::default()
    };
    duty::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn post_text(post: Post) -> (&'static str, Option<Uuid>) {
    match post {
        Post::Leader => ("leader", None),
        Post::Section(section_id) => ("section", Some(section_id.uuid())),
        Post::Room(room_id) => ("room", Some(room_id.uuid())),
    }
}

fn read(row: duty::Model) -> Result<Duty, Error> {
    let post = match (row.post.as_str(), row.place_id) {
        ("leader", None) => Post::Leader,
        ("section", Some(id)) => Post::Section(Id::new(id)),
        ("room", Some(id)) => Post::Room(Id::new(id)),
        _ => return Err(Error::inconsistent(TABLE, row.id, "its post is unknown")),
    };
    Ok(Duty {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        post,
        staff_id: Id::new(row.staff_id),
        staff_name: row.staff_name,
        first_day: row.first_day,
        last_day: row.last_day,
    })
}
