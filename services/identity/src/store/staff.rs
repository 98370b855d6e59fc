//! Staff, what they were granted, and what they sign in with.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::random;
use shared::value::{self, Id, Moment};
use uuid::Uuid;

use super::entity::{staff, staff_grant};
use super::vault::Vault;
use crate::domain::person::Name;
use crate::domain::staff::{Change, Grant, Level, Member, Place, level};

const TABLE: &str = "staff";

/// What a member signs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Argon2id of the password, in the PHC string format.
    pub password_hash: String,
    /// Whether the password is the first one, which nobody chose.
    pub is_first_password: bool,
    /// The secret of the one-time codes, base32.
    pub totp_secret: String,
    /// The step of the last code used.
    pub totp_last_step: i64,
}

/// An account to be, with its first credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Which.
    pub id: Id<value::Staff>,
    /// The name to sign in with.
    pub login_name: String,
    /// The person's name.
    pub name: Name,
    /// Argon2id of the first password.
    pub password_hash: String,
    /// The secret of the one-time codes, base32.
    pub totp_secret: String,
}

/// Adds accounts. Their grants are added by [`grant_all`].
///
/// # Errors
/// When the database refuses; `staff_login_name_key` when another transaction took a name meanwhile.
pub async fn insert_all(tx: &Tx, vault: &Vault, members: &[NewMember], now: Moment) -> Result<(), Error> {
    for members in members.chunks(super::ROWS) {
        let mut rows = Vec::with_capacity(members.len());
        for member in members {
            rows.push(staff::ActiveModel {
                id: Set(member.id.uuid()),
                login_name: Set(member.login_name.clone()),
                name_sealed: Set(vault.seal(TABLE, "name", member.id, member.name.as_str())?),
                password_hash: Set(member.password_hash.clone()),
                password_changed_at: Set(None),
                totp_sealed: Set(vault.seal(TABLE, "totp", member.id, &member.totp_secret)?),
                totp_last_step: Set(0),
                created_at: Set(now),
            });
        }
        staff::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Grants what is new in each change.
///
/// # Errors
/// When the database refuses.
pub async fn grant_all(tx: &Tx, changes: &[Change], now: Moment) -> Result<(), Error> {
    let mut rows = Vec::new();
    for change in changes {
        for grant in &change.granted {
            let (district_id, path) = match &grant.place {
                Place::Node(path) => {
                    (path.first().map(|id| id.uuid()), path.iter().map(|id| id.uuid()).collect())
                }
                Place::Provider(id) => (None, vec![id.uuid()]),
                Place::Platform => (None, Vec::new()),
            };
            let place_id = path.last().copied().unwrap_or_else(Uuid::nil);
            let path = serde_json::to_value(&path)
                .map_err(|error| Error::inconsistent("staff_grant", place_id, error))?;
            rows.push(staff_grant::ActiveModel {
                id: Set(random::uuid(now)),
                staff_id: Set(change.member.id.uuid()),
                district_id: Set(district_id),
                role: Set(grant.role.clone()),
                place_id: Set(place_id),
                path: Set(path),
                created_at: Set(now),
            });
        }
    }
    for rows in rows.chunks(super::ROWS) {
        staff_grant::Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The members with any of these login names, by login name.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn with_login_names(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    login_names: &[String],
) -> Result<HashMap<String, Member>, Error> {
    let mut found = HashMap::new();
    for login_names in login_names.chunks(super::ROWS) {
        let rows =
            staff::Entity::find().filter(staff::Column::LoginName.is_in(login_names)).all(conn).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut grants = grants_of(conn, &ids).await?;
        for row in rows {
            let grants = grants.remove(&row.id).unwrap_or_default();
            found.insert(row.login_name.clone(), read(vault, &row, grants)?);
        }
    }
    Ok(found)
}

/// The member with a login name, with the credentials.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find_by_login_name(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    login_name: &str,
) -> Result<Option<(Member, Credentials)>, Error> {
    let row = staff::Entity::find().filter(staff::Column::LoginName.eq(login_name)).one(conn).await?;
    match row {
        Some(row) => Ok(Some(with_credentials(conn, vault, row).await?)),
        None => Ok(None),
    }
}

/// A member, with the credentials.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    id: Id<value::Staff>,
) -> Result<Option<(Member, Credentials)>, Error> {
    match staff::Entity::find_by_id(id.uuid()).one(conn).await? {
        Some(row) => Ok(Some(with_credentials(conn, vault, row).await?)),
        None => Ok(None),
    }
}

/// A member, with the credentials, so that nobody else changes them.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn lock(
    tx: &Tx,
    vault: &Vault,
    id: Id<value::Staff>,
) -> Result<Option<(Member, Credentials)>, Error> {
    match staff::Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await? {
        Some(row) => Ok(Some(with_credentials(tx, vault, row).await?)),
        None => Ok(None),
    }
}

/// What a member was granted, oldest first; none when there is no such member.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn grants(conn: &impl ConnectionTrait, id: Id<value::Staff>) -> Result<Vec<Grant>, Error> {
    Ok(grants_of(conn, &[id.uuid()]).await?.remove(&id.uuid()).unwrap_or_default())
}

/// Says whether anybody holds a role.
///
/// # Errors
/// When the database refuses.
pub async fn holds_anybody(conn: &impl ConnectionTrait, role: &str) -> Result<bool, Error> {
    Ok(staff_grant::Entity::find().filter(staff_grant::Column::Role.eq(role)).one(conn).await?.is_some())
}

/// Uses up the one-time codes up to `step`.
///
/// # Errors
/// When the database refuses.
pub async fn save_step(tx: &Tx, id: Id<value::Staff>, step: i64) -> Result<(), Error> {
    let row = staff::ActiveModel { id: Set(id.uuid()), totp_last_step: Set(step), ..Default::default() };
    staff::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps a better hash of the first password.
///
/// # Errors
/// When the database refuses.
pub async fn save_first_hash(tx: &Tx, id: Id<value::Staff>, password_hash: &str) -> Result<(), Error> {
    let row = staff::ActiveModel {
        id: Set(id.uuid()),
        password_hash: Set(password_hash.to_owned()),
        ..Default::default()
    };
    staff::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps the hash of a password that the member chose.
///
/// # Errors
/// When the database refuses.
pub async fn save_password(
    tx: &Tx,
    id: Id<value::Staff>,
    password_hash: &str,
    now: Moment,
) -> Result<(), Error> {
    let row = staff::ActiveModel {
        id: Set(id.uuid()),
        password_hash: Set(password_hash.to_owned()),
        password_changed_at: Set(Some(now)),
        ..Default::default()
    };
    staff::Entity::update(row).exec(tx).await?;
    Ok(())
}

async fn grants_of(conn: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Grant>>, Error> {
    let rows = staff_grant::Entity::find()
        .filter(staff_grant::Column::StaffId.is_in(ids.iter().copied()))
        .order_by_asc(staff_grant::Column::Id)
        .all(conn)
        .await?;
    let mut grants: HashMap<Uuid, Vec<Grant>> = HashMap::new();
    for row in rows {
        let wrong = |why: &str| Error::inconsistent("staff_grant", row.id, why);
        let path: Vec<Uuid> = serde_json::from_value(row.path.clone()).map_err(|_| wrong("path"))?;
        let place = match (level(&row.role), path.as_slice()) {
            (Some(Level::Node(kind)), path) if path.len() == kind.depth() => {
                Place::Node(path.iter().copied().map(Id::new).collect())
            }
            (Some(Level::Provider), [id]) => Place::Provider(Id::new(*id)),
            (Some(Level::Platform), []) => Place::Platform,
            _ => return Err(wrong("role and path do not go together")),
        };
        grants.entry(row.staff_id).or_default().push(Grant { role: row.role, place });
    }
    Ok(grants)
}

async fn with_credentials(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    row: staff::Model,
) -> Result<(Member, Credentials), Error> {
    let grants = grants_of(conn, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    let member = read(vault, &row, grants)?;
    let credentials = Credentials {
        totp_secret: vault.open(TABLE, "totp", row.id, &row.totp_sealed)?,
        is_first_password: row.password_changed_at.is_none(),
        password_hash: row.password_hash,
        totp_last_step: row.totp_last_step,
    };
    Ok((member, credentials))
}

fn read(vault: &Vault, row: &staff::Model, grants: Vec<Grant>) -> Result<Member, Error> {
    let name = vault.open(TABLE, "name", row.id, &row.name_sealed)?;
    Ok(Member {
        id: Id::new(row.id),
        login_name: row.login_name.clone(),
        name: Name::parse(&name).map_err(|_| Error::inconsistent(TABLE, row.id, "name"))?,
        grants,
    })
}
