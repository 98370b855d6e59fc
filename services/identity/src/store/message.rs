//! Messages that wait, were sent or were dropped; and how many each guardian has accepted.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment};
use uuid::Uuid;

use super::entity::{acceptance, consent, message};
use crate::domain::message::{ACCEPTED_COUNT, Message, News, Next, TAKEN};

const TABLE: &str = "message";

/// How many acceptances a guardian has left, by template; templates never accepted are left out.
///
/// # Errors
/// When the database refuses.
pub async fn accepted(
    conn: &impl ConnectionTrait,
    guardian_id: Id<value::Guardian>,
) -> Result<HashMap<String, i32>, Error> {
    let rows = acceptance::Entity::find()
        .filter(acceptance::Column::GuardianId.eq(guardian_id.uuid()))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.template_id, row.accepted_count)).collect())
}

/// Counts one more acceptance of a template. The guardian is locked.
///
/// # Errors
/// When the database refuses.
pub async fn accept(
    tx: &Tx,
    guardian_id: Id<value::Guardian>,
    template_id: &str,
    now: Moment,
) -> Result<(), Error> {
    let row = acceptance::ActiveModel {
        guardian_id: Set(guardian_id.uuid()),
        template_id: Set(template_id.to_owned()),
        accepted_count: Set(0),
        updated_at: Set(now),
    };
    let key = [acceptance::Column::GuardianId, acceptance::Column::TemplateId];
    acceptance::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    change(tx, guardian_id, template_id, 1, now).await
}

/// Takes what WeChat has used up off what a guardian accepted: one message, or, where none was left, all.
///
/// # Errors
/// When the database refuses.
pub async fn use_up(
    tx: &Tx,
    guardian_id: Id<value::Guardian>,
    template_id: &str,
    all: bool,
    now: Moment,
) -> Result<(), Error> {
    change(tx, guardian_id, template_id, if all { -ACCEPTED_COUNT } else { -1 }, now).await
}

async fn change(
    tx: &Tx,
    guardian_id: Id<value::Guardian>,
    template_id: &str,
    by: i32,
    now: Moment,
) -> Result<(), Error> {
    let key = (guardian_id.uuid(), template_id.to_owned());
    let Some(row) = acceptance::Entity::find_by_id(key).lock_exclusive().one(tx).await? else {
        return Ok(());
    };
    let count = row.accepted_count.saturating_add(by).clamp(0, ACCEPTED_COUNT);
    let row = acceptance::ActiveModel {
        guardian_id: Set(row.guardian_id),
        template_id: Set(row.template_id),
        accepted_count: Set(count),
        updated_at: Set(now),
    };
    acceptance::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// The guardians whose consent for a pupil holds and who have an acceptance of the template left, by id.
///
/// # Errors
/// When the database refuses.
pub async fn hearers(
    conn: &impl ConnectionTrait,
    pupil_id: Id<value::Pupil>,
    template_id: &str,
) -> Result<Vec<Id<value::Guardian>>, Error> {
    let bound: Vec<Uuid> = consent::Entity::find()
        .select_only()
        .column(consent::Column::GuardianId)
        .filter(consent::Column::PupilId.eq(pupil_id.uuid()))
        .filter(consent::Column::EndedAt.is_null())
        .into_tuple()
        .all(conn)
        .await?;
    let rows = acceptance::Entity::find()
        .filter(acceptance::Column::GuardianId.is_in(bound))
        .filter(acceptance::Column::TemplateId.eq(template_id))
        .filter(acceptance::Column::AcceptedCount.gt(0))
        .order_by_asc(acceptance::Column::GuardianId)
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| Id::new(row.guardian_id)).collect())
}

/// Keeps new messages, to be sent from `now` on; those of an event a guardian has heard of are left out.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, messages: &[Message], now: Moment) -> Result<(), Error> {
    for one in messages {
        let row = message::ActiveModel {
            id: Set(one.id),
            event_id: Set(one.event_id),
            guardian_id: Set(one.guardian_id.uuid()),
            pupil_id: Set(one.pupil_id.uuid()),
            news: Set(one.news.as_str().to_owned()),
            happened_at: Set(one.happened_at),
            state: Set("pending".to_owned()),
            attempt_count: Set(one.attempt_count),
            next_at: Set(now),
            dropped_for: Set(String::new()),
        };
        let key = [message::Column::EventId, message::Column::GuardianId];
        message::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Takes the message that has been due for longest, so that nobody else sends it for a while; counts the try.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn take(tx: &Tx, now: Moment) -> Result<Option<Message>, Error> {
    let due = message::Entity::find()
        .filter(message::Column::State.eq("pending"))
        .filter(message::Column::NextAt.lte(now))
        .order_by_asc(message::Column::NextAt)
        .order_by_asc(message::Column::Id)
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(row) = due else { return Ok(None) };
    let taken = read(message::Model { attempt_count: row.attempt_count.saturating_add(1), ..row })?;
    let row = message::ActiveModel {
        id: Set(taken.id),
        attempt_count: Set(taken.attempt_count),
        next_at: Set(now + TAKEN),
        ..Default::default()
    };
    message::Entity::update(row).exec(tx).await?;
    Ok(Some(taken))
}

/// Keeps what became of a message.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, message: &Message, next: Next, now: Moment) -> Result<(), Error> {
    let (state, next_at, dropped_for) = match next {
        Next::Sent => ("sent", now, ""),
        Next::Dropped(why) => ("dropped", now, why.as_str()),
        Next::Pending { next_at } => ("pending", next_at, ""),
    };
    let row = message::ActiveModel {
        id: Set(message.id),
        state: Set(state.to_owned()),
        next_at: Set(next_at),
        dropped_for: Set(dropped_for.to_owned()),
        ..Default::default()
    };
    message::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn read(row: message::Model) -> Result<Message, Error> {
    let news = News::ALL.into_iter().find(|news| news.as_str() == row.news);
    Ok(Message {
        id: row.id,
        event_id: row.event_id,
        guardian_id: Id::new(row.guardian_id),
        pupil_id: Id::new(row.pupil_id),
        news: news.ok_or_else(|| Error::inconsistent(TABLE, row.id, "its news are unknown"))?,
        happened_at: row.happened_at,
        attempt_count: row.attempt_count,
    })
}
