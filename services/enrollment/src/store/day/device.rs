//! Identity devices. Of a key and of a token only a digest is kept: a key is 256 random bits, and a token is looked for only together with
//! its school.

use aws_lc_rs::digest::{SHA256, digest};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    TryInsertResult,
};
use shared::db::{Error, Tx};
use shared::value::{Device as DeviceKind, District, Id, Moment, Pupil, School};

use crate::domain::day::device::Device;
use crate::store::entity::{device, device_event, person_link};
use crate::store::{from_json, to_json};

const TABLE: &str = "device";

/// Finds the device with a key.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find_by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<Device>, Error> {
    let row = device::Entity::find().filter(device::Column::KeyDigest.eq(digest_key(key))).one(db).await?;
    row.map(read).transpose()
}

/// Locks a device.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<DeviceKind>) -> Result<Option<Device>, Error> {
    let row =
        device::Entity::find().filter(device::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Lists the devices of a school, oldest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Vec<Device>, Error> {
    let rows = device::Entity::find()
        .filter(device::Column::DistrictId.eq(district_id.uuid()))
        .filter(device::Column::SchoolId.eq(school_id.uuid()))
        .order_by_asc(device::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a new device, with the digest of its key.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, device: &Device, key: &str) -> Result<(), Error> {
    let row = device::ActiveModel {
        district_id: Set(device.district_id.uuid()),
        id: Set(device.id.uuid()),
        school_id: Set(device.school_id.uuid()),
        path: Set(to_json(&device.path, TABLE, device.id)?),
        name: Set(device.name.clone()),
        key_digest: Set(digest_key(key)),
        created_at: Set(device.created_at),
        revoked_at: Set(device.revoked_at),
    };
    device::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps that a locked device's key was revoked.
///
/// # Errors
/// When the database refuses.
pub async fn save_revoked(tx: &Tx, device: &Device, at: Moment) -> Result<(), Error> {
    let row = device::ActiveModel {
        district_id: Set(device.district_id.uuid()),
        id: Set(device.id.uuid()),
        revoked_at: Set(Some(at)),
        ..Default::default()
    };
    device::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Takes an event of a device; says whether this is the first time.
///
/// # Errors
/// When the database refuses.
pub async fn take_event(tx: &Tx, device: &Device, event_id: &str, now: Moment) -> Result<bool, Error> {
    let row = device_event::ActiveModel {
        district_id: Set(device.district_id.uuid()),
        device_id: Set(device.id.uuid()),
        event_id: Set(event_id.to_owned()),
        created_at: Set(now),
    };
    let key =
        [device_event::Column::DistrictId, device_event::Column::DeviceId, device_event::Column::EventId];
    let inserted =
        device_event::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// Finds whom a school's devices mean by a token.
///
/// # Errors
/// When the database refuses.
pub async fn find_person(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    token: &str,
) -> Result<Option<Id<Pupil>>, Error> {
    let key = (district_id.uuid(), school_id.uuid(), digest_token(school_id, token));
    Ok(person_link::Entity::find_by_id(key).one(db).await?.map(|row| Id::new(row.pupil_id)))
}

/// Keeps whom a school's devices mean by a token, in place of whom they meant.
///
/// # Errors
/// When the database refuses.
pub async fn save_person(
    tx: &Tx,
    district_id: Id<District>,
    school_id: Id<School>,
    token: &str,
    pupil_id: Id<Pupil>,
    by: &str,
    now: Moment,
) -> Result<(), Error> {
    let row = person_link::ActiveModel {
        district_id: Set(district_id.uuid()),
        school_id: Set(school_id.uuid()),
        token_digest: Set(digest_token(school_id, token)),
        pupil_id: Set(pupil_id.uuid()),
        created_by: Set(by.to_owned()),
        created_at: Set(now),
    };
    let key =
        [person_link::Column::DistrictId, person_link::Column::SchoolId, person_link::Column::TokenDigest];
    let on_known = OnConflict::columns(key)
        .update_columns([
            person_link::Column::PupilId,
            person_link::Column::CreatedBy,
            person_link::Column::CreatedAt,
        ])
        .to_owned();
    person_link::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Forgets whom a school's devices mean by a token.
///
/// # Errors
/// When the database refuses.
pub async fn forget_person(
    tx: &Tx,
    district_id: Id<District>,
    school_id: Id<School>,
    token: &str,
) -> Result<(), Error> {
    let key = (district_id.uuid(), school_id.uuid(), digest_token(school_id, token));
    person_link::Entity::delete_by_id(key).exec(tx).await?;
    Ok(())
}

fn digest_key(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}

fn digest_token(school_id: Id<School>, token: &str) -> Vec<u8> {
    digest(&SHA256, &[school_id.uuid().as_bytes().as_slice(), token.as_bytes()].concat()).as_ref().to_vec()
}

fn read(row: device::Model) -> Result<Device, Error> {
    Ok(Device {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        name: row.name,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    })
}
