//! Ties of rounds for seats left over, and the lines they put in order.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Statement,
};
use serde::Serialize;
use shared::db::{Error, Kind, Tx};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment, Round as RoundKind};
use uuid::Uuid;

use super::entity::{enrollment, round};
use super::to_json;
use crate::domain::enrollment::Enrollment;
use crate::domain::round::Round;
use crate::domain::section::Section;

/// Lists rounds whose ties are over at `now` and not decided, longest due first.
///
/// # Errors
/// When the database refuses.
pub async fn list_due(
    db: &impl ConnectionTrait,
    now: Moment,
    limit: u64,
) -> Result<Vec<Id<RoundKind>>, Error> {
    let ids: Vec<Uuid> = round::Entity::find()
        .select_only()
        .column(round::Column::Id)
        .filter(round::Column::State.eq("opened"))
        .filter(round::Column::TieUntil.lte(now))
        .filter(round::Column::TiesDecided.eq(false))
        .order_by_asc(round::Column::TieUntil)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// Keeps until when a locked round collects applications, and whether they are decided.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, round: &Round) -> Result<(), Error> {
    let Some(ties) = round.ties else { return Ok(()) };
    let row = round::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        id: Set(round.id.uuid()),
        tie_until: Set(Some(ties.until)),
        ties_decided: Set(ties.is_decided),
        ..Default::default()
    };
    round::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Lists those in line for a locked section who came at `from` or after, by their numbers.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_arrivals(tx: &Tx, section: &Section, from: Moment) -> Result<Vec<Enrollment>, Error> {
    let rows = enrollment::Entity::find()
        .filter(enrollment::Column::DistrictId.eq(section.district_id.uuid()))
        .filter(enrollment::Column::SectionId.eq(section.id.uuid()))
        .filter(enrollment::Column::State.eq("waitlisted"))
        .filter(enrollment::Column::CreatedAt.gte(from))
        .order_by_asc(enrollment::Column::WaitlistNumber)
        .all(tx)
        .await?;
    rows.into_iter().map(super::enrollment::read).collect()
}

/// A number in line as the batch statement takes it. Ids without hyphens: both databases read these.
#[derive(Serialize)]
struct NumberJson {
    id: String,
    number: i64,
}

/// Gives those in line for a locked section other numbers, all in two statements: a number is never two's at once.
///
/// # Errors
/// When the database refuses.
pub async fn renumber(
    tx: &Tx,
    section: &Section,
    numbers: &[(Id<EnrollmentKind>, i64)],
) -> Result<(), Error> {
    if numbers.is_empty() {
        return Ok(());
    }
    for sign in [-1, 1] {
        let rows: Vec<_> = numbers
            .iter()
            .map(|(id, number)| NumberJson { id: id.uuid().simple().to_string(), number: sign * number })
            .collect();
        let sql = match tx.kind() {
            Kind::Postgres => {
                "update enrollment set waitlist_number = n.number \
                 from jsonb_to_recordset(cast($1 as text)::jsonb) as n (id uuid, number bigint) \
                 where enrollment.district_id = $2 and enrollment.id = n.id"
            }
            Kind::Sqlite => {
                "update enrollment set waitlist_number = n.value ->> 'number' from json_each($1) as n \
                 where enrollment.district_id = $2 and enrollment.id = unhex(n.value ->> 'id')"
            }
        };
        let json = to_json(&rows, "enrollment", "numbers")?.to_string();
        let values = [json.into(), section.district_id.uuid().into()];
        let updated = tx
            .execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values))
            .await?
            .rows_affected();
        if usize::try_from(updated).ok() != Some(numbers.len()) {
            let why = format!("{updated} of {} numbers were kept", numbers.len());
            return Err(Error::inconsistent("enrollment", section.id, why));
        }
    }
    Ok(())
}
