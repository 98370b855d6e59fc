//! Questions of single pupils.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, Page, Pupil, Question as QuestionKind, School};
use uuid::Uuid;

use crate::domain::day::question::{Question, State};
use crate::store::entity::question;

/// Finds a question.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &impl ConnectionTrait, id: Id<QuestionKind>) -> Result<Option<Question>, Error> {
    let row = question::Entity::find().filter(question::Column::Id.eq(id.uuid())).one(db).await?;
    Ok(row.map(read))
}

/// Locks a question.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &Tx, id: Id<QuestionKind>) -> Result<Option<Question>, Error> {
    let row =
        question::Entity::find().filter(question::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    Ok(row.map(read))
}

/// Lists the questions of a school opened from one moment, inclusive, to another, exclusive, newest first. `classes` are the classes
/// wanted; none for the whole school.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    (from, to): (Moment, Moment),
    classes: Option<&[Uuid]>,
) -> Result<Vec<Question>, Error> {
    let mut query = question::Entity::find()
        .filter(question::Column::DistrictId.eq(district_id.uuid()))
        .filter(question::Column::SchoolId.eq(school_id.uuid()))
        .filter(question::Column::CreatedAt.gte(from))
        .filter(question::Column::CreatedAt.lt(to));
    if let Some(classes) = classes {
        query = query.filter(question::Column::ClassId.is_in(classes.iter().copied()));
    }
    let rows = query.order_by_desc(question::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Lists a pupil's questions, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    page: &Page<Uuid>,
) -> Result<Vec<Question>, Error> {
    let mut query = question::Entity::find()
        .filter(question::Column::DistrictId.eq(district_id.uuid()))
        .filter(question::Column::PupilId.eq(pupil_id.uuid()));
    if let Some(after) = page.after {
        query = query.filter(question::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(question::Column::Id).limit(page.size).all(db).await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Keeps a new question.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, question: &Question) -> Result<(), Error> {
    let (closed_at, closer, outcome) = state_columns(&question.state);
    let row = question::ActiveModel {
        district_id: Set(question.district_id.uuid()),
        id: Set(question.id.uuid()),
        school_id: Set(question.school_id.uuid()),
        class_id: Set(question.class_id),
        pupil_id: Set(question.pupil_id.uuid()),
        subject: Set(question.subject.clone()),
        topic: Set(question.topic.clone()),
        opener: Set(question.opener.clone()),
        created_at: Set(question.created_at),
        closed_at: Set(closed_at),
        closer: Set(closer),
        outcome: Set(outcome),
    };
    question::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps that a locked question was closed.
///
/// # Errors
/// When the database refuses.
pub async fn save_state(tx: &Tx, question: &Question, state: &State) -> Result<(), Error> {
    let (closed_at, closer, outcome) = state_columns(state);
    let row = question::ActiveModel {
        district_id: Set(question.district_id.uuid()),
        id: Set(question.id.uuid()),
        closed_at: Set(closed_at),
        closer: Set(closer),
        outcome: Set(outcome),
        ..Default::default()
    };
    question::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn state_columns(state: &State) -> (Option<Moment>, String, String) {
    match state {
        State::Open => (None, String::new(), String::new()),
        State::Closed { at, closer, outcome } => (Some(*at), closer.clone(), outcome.clone()),
    }
}

fn read(row: question::Model) -> Question {
    Question {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        class_id: row.class_id,
        pupil_id: Id::new(row.pupil_id),
        subject: row.subject,
        topic: row.topic,
        opener: row.opener,
        created_at: row.created_at,
        state: match row.closed_at {
            None => State::Open,
            Some(at) => State::Closed { at, closer: row.closer, outcome: row.outcome },
        },
    }
}
