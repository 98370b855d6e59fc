//! Periods of insurance.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, School};

use crate::domain::day::cover::{Cover, Kind};
use crate::store::entity::cover;

/// Lists the covers of a school, latest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Vec<Cover>, Error> {
    let rows = cover::Entity::find()
        .filter(cover::Column::DistrictId.eq(district_id.uuid()))
        .filter(cover::Column::SchoolId.eq(school_id.uuid()))
        .order_by_desc(cover::Column::FirstDay)
        .order_by_desc(cover::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a new cover.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, cover: &Cover, by: &str, now: Moment) -> Result<(), Error> {
    let row = cover::ActiveModel {
        district_id: Set(cover.district_id.uuid()),
        id: Set(cover.id.uuid()),
        school_id: Set(cover.school_id.uuid()),
        kind: Set(match cover.kind {
            Kind::SchoolLiability => "school_liability",
            Kind::PupilAccident => "pupil_accident",
        }
        .to_owned()),
        insurer: Set(cover.insurer.clone()),
        policy_number: Set(cover.policy_number.clone()),
        first_day: Set(cover.first_day),
        last_day: Set(cover.last_day),
        created_by: Set(by.to_owned()),
        created_at: Set(now),
    };
    cover::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn read(row: cover::Model) -> Result<Cover, Error> {
    let kind = match row.kind.as_str() {
        "school_liability" => Kind::SchoolLiability,
        "pupil_accident" => Kind::PupilAccident,
        _ => return Err(Error::inconsistent("cover", row.id, "its kind is unknown")),
    };
    Ok(Cover {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        kind,
        insurer: row.insurer,
        policy_number: row.policy_number,
        first_day: row.first_day,
        last_day: row.last_day,
    })
}
