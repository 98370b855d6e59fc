//! Waiting rooms.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, Room as RoomKind, School};

use crate::domain::day::room::Room;
use crate::store::entity::room;

/// Finds a room.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &impl ConnectionTrait, id: Id<RoomKind>) -> Result<Option<Room>, Error> {
    let row = room::Entity::find().filter(room::Column::Id.eq(id.uuid())).one(db).await?;
    Ok(row.map(read))
}

/// Lists the rooms of a school, by name, then id.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Vec<Room>, Error> {
    let rows = room::Entity::find()
        .filter(room::Column::DistrictId.eq(district_id.uuid()))
        .filter(room::Column::SchoolId.eq(school_id.uuid()))
        .order_by_asc(room::Column::Name)
        .order_by_asc(room::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Keeps a new room.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, room: &Room, now: Moment) -> Result<(), Error> {
    let row = room::ActiveModel {
        district_id: Set(room.district_id.uuid()),
        id: Set(room.id.uuid()),
        school_id: Set(room.school_id.uuid()),
        name: Set(room.name.clone()),
        created_at: Set(now),
    };
    room::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn read(row: room::Model) -> Room {
    Room {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        name: row.name,
    }
}
