//! Pupils, with their sealed fields.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment, Page};

use super::entity::pupil::{ActiveModel, Column, Entity, Model};
use super::vault::Vault;
use crate::domain::node::{Kind, Node};
use crate::domain::person::{Name, Phone, PupilCode};
use crate::domain::pupil::{Pupil, State};

const TABLE: &str = "pupil";

/// Saves pupils, new ones and known ones, whole.
///
/// # Errors
/// When the database refuses.
pub async fn save_all(tx: &Tx, vault: &Vault, pupils: &[Pupil], now: Moment) -> Result<(), Error> {
    let changed = [
        Column::TownId,
        Column::SchoolId,
        Column::ClassId,
        Column::CodeIndex,
        Column::CodeSealed,
        Column::NameSealed,
        Column::PhonesSealed,
        Column::State,
        Column::UpdatedAt,
    ];
    for pupils in pupils.chunks(super::ROWS) {
        let rows = pupils.iter().map(|pupil| write(vault, pupil, now)).collect::<Result<Vec<_>, _>>()?;
        Entity::insert_many(rows)
            .on_conflict(OnConflict::column(Column::Id).update_columns(changed).to_owned())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// All pupils of a school, by code.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_school(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    school_id: Id<value::Node>,
) -> Result<HashMap<PupilCode, Pupil>, Error> {
    let rows = Entity::find().filter(Column::SchoolId.eq(school_id.uuid())).all(conn).await?;
    let pupils = rows.into_iter().map(|row| read(vault, row).map(|pupil| (pupil.code.clone(), pupil)));
    pupils.collect()
}

/// The pupil of a school with a code.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find_by_code(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    school_id: Id<value::Node>,
    code: &PupilCode,
) -> Result<Option<Pupil>, Error> {
    let row = Entity::find()
        .filter(Column::SchoolId.eq(school_id.uuid()))
        .filter(Column::CodeIndex.eq(code_index(vault, school_id, code)))
        .one(conn)
        .await?;
    row.map(|row| read(vault, row)).transpose()
}

/// The pupils with these ids, by id.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn with_ids(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    ids: &[Id<value::Pupil>],
) -> Result<HashMap<Id<value::Pupil>, Pupil>, Error> {
    let rows = Entity::find().filter(Column::Id.is_in(ids.iter().map(|id| id.uuid()))).all(conn).await?;
    rows.into_iter().map(|row| read(vault, row).map(|pupil| (pupil.id, pupil))).collect()
}

/// The pupils of a school or class, by class and id. The page's key is both. No pupils stand at other nodes.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    node: &Node,
    page: &Page<(Id<value::Node>, Id<value::Pupil>)>,
) -> Result<Vec<Pupil>, Error> {
    let place = match node.kind {
        Kind::School => Column::SchoolId,
        Kind::Class => Column::ClassId,
        Kind::District | Kind::Town => return Ok(Vec::new()),
    };
    let mut query = Entity::find().filter(place.eq(node.id.uuid()));
    if let Some((class_id, id)) = page.after {
        let later_in_class =
            Condition::all().add(Column::ClassId.eq(class_id.uuid())).add(Column::Id.gt(id.uuid()));
        query = query.filter(Condition::any().add(Column::ClassId.gt(class_id.uuid())).add(later_in_class));
    }
    let query = query.order_by_asc(Column::ClassId).order_by_asc(Column::Id).limit(page.size);
    query.all(conn).await?.into_iter().map(|row| read(vault, row)).collect()
}

fn code_index(vault: &Vault, school_id: Id<value::Node>, code: &PupilCode) -> Vec<u8> {
    vault.index(&format!("pupil.code:{school_id}"), code.as_str())
}

fn write(vault: &Vault, pupil: &Pupil, now: Moment) -> Result<ActiveModel, Error> {
    let [district_id, town_id, school_id, class_id] = pupil.path[..] else {
        return Err(Error::inconsistent(TABLE, pupil.id, "a pupil stands in a class"));
    };
    let phones = pupil.phones.iter().map(Phone::as_str).collect::<Vec<_>>().join(";");
    Ok(ActiveModel {
        id: Set(pupil.id.uuid()),
        district_id: Set(district_id.uuid()),
        town_id: Set(town_id.uuid()),
        school_id: Set(school_id.uuid()),
        class_id: Set(class_id.uuid()),
        code_index: Set(code_index(vault, school_id, &pupil.code)),
        code_sealed: Set(vault.seal(TABLE, "code", pupil.id, pupil.code.as_str())?),
        name_sealed: Set(vault.seal(TABLE, "name", pupil.id, pupil.name.as_str())?),
        phones_sealed: Set(vault.seal(TABLE, "phones", pupil.id, &phones)?),
        state: Set(pupil.state.as_str().to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
    })
}

fn read(vault: &Vault, row: Model) -> Result<Pupil, Error> {
    let wrong = |why: &str| Error::inconsistent(TABLE, row.id, why);
    let code = vault.open(TABLE, "code", row.id, &row.code_sealed)?;
    let name = vault.open(TABLE, "name", row.id, &row.name_sealed)?;
    let phones = vault.open(TABLE, "phones", row.id, &row.phones_sealed)?;
    let phones =
        phones.split(';').map(Phone::parse).collect::<Result<_, _>>().map_err(|_| wrong("phones"))?;
    Ok(Pupil {
        id: Id::new(row.id),
        path: [row.district_id, row.town_id, row.school_id, row.class_id].map(Id::new).to_vec(),
        code: PupilCode::parse(&code).map_err(|_| wrong("code"))?,
        name: Name::parse(&name).map_err(|_| wrong("name"))?,
        phones,
        state: *State::ALL.iter().find(|state| state.as_str() == row.state).ok_or_else(|| wrong("state"))?,
    })
}
