//! Courses, and the decisions taken on them.

use policy::vocabulary::ContentKind;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, Id, Moment, Page, Provider, Staff};
use uuid::Uuid;

use super::entity::{course, course_decision};
use super::{from_json, to_json};
use crate::domain::course::{Content, Course, Origin, State, Verdict};
use crate::domain::node::SchoolPath;

/// Twelve values a row: far below both databases' limits on bound values.
const ROWS: usize = 500;

/// Writes new courses.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, courses: &[Course], now: Moment) -> Result<(), Error> {
    for courses in courses.chunks(ROWS) {
        let rows = courses.iter().map(|course| row(course, now)).collect::<Result<Vec<_>, _>>()?;
        course::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Finds a course.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find(db: &impl ConnectionTrait, id: Id<value::Course>) -> Result<Option<Course>, Error> {
    let row = course::Entity::find().filter(course::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds a course and locks it.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock(tx: &Tx, id: Id<value::Course>) -> Result<Option<Course>, Error> {
    let row =
        course::Entity::find().filter(course::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Which courses are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this school only.
    pub school: Option<SchoolPath>,
    /// Of these providers only.
    pub providers: Option<Vec<Id<Provider>>>,
    /// In the state with this word only.
    pub state: Option<&'static str>,
}

/// A page of courses, newest first; at most one more than the page's size, which says that there is a next one.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    page: &Page<Uuid>,
) -> Result<Vec<Course>, Error> {
    let mut wanted = Condition::all();
    if let Some(path) = &filter.school {
        wanted = wanted
            .add(course::Column::DistrictId.eq(path.district_id.uuid()))
            .add(course::Column::SchoolId.eq(path.school_id.uuid()));
    }
    if let Some(providers) = &filter.providers {
        wanted = wanted.add(course::Column::ProviderId.is_in(providers.iter().map(|id| id.uuid())));
    }
    if let Some(state) = filter.state {
        wanted = wanted.add(course::Column::State.eq(state));
    }
    if let Some(after) = page.after {
        wanted = wanted.add(course::Column::Id.lt(after));
    }
    let select = course::Entity::find().filter(wanted).order_by_desc(course::Column::Id).limit(page.size + 1);
    select.all(db).await?.into_iter().map(read).collect()
}

/// All courses of a school that were not rejected, oldest first.
///
/// # Errors
/// When the database refuses or a row is broken.
pub async fn live_of_school(db: &impl ConnectionTrait, path: &SchoolPath) -> Result<Vec<Course>, Error> {
    let rows = course::Entity::find()
        .filter(course::Column::DistrictId.eq(path.district_id.uuid()))
        .filter(course::Column::SchoolId.eq(path.school_id.uuid()))
        .filter(course::Column::State.ne("rejected"))
        .order_by_asc(course::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Which decision was taken on a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bureau's.
    Review,
    /// The school's.
    Approval,
}

/// A decision taken on a course.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// Its id.
    pub id: Uuid,
    /// Which it is.
    pub step: Step,
    /// What was decided, with its reason.
    pub verdict: Verdict<'a>,
    /// By whom.
    pub decided_by: Id<Staff>,
}

/// Saves what was decided on a locked course: where it stands now, and the decision itself.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, course: &Course, decision: Decision<'_>, now: Moment) -> Result<(), Error> {
    let rejection_reason = match &course.state {
        State::Rejected { reason } => Some(reason.clone()),
        State::Submitted | State::Reviewed | State::Approved => None,
    };
    course::Entity::update_many()
        .col_expr(course::Column::State, Expr::value(word(&course.state)))
        .col_expr(course::Column::RejectionReason, Expr::value(rejection_reason))
        .filter(course::Column::DistrictId.eq(course.path.district_id.uuid()))
        .filter(course::Column::Id.eq(course.id.uuid()))
        .exec(tx)
        .await?;
    let (verdict, reason) = match decision.verdict {
        Verdict::Approve(reason) => ("approved", reason),
        Verdict::Reject(reason) => ("rejected", reason),
    };
    let step = match decision.step {
        Step::Review => "review",
        Step::Approval => "approval",
    };
    let row = course_decision::ActiveModel {
        district_id: Set(course.path.district_id.uuid()),
        id: Set(decision.id),
        course_id: Set(course.id.uuid()),
        step: Set(step.to_owned()),
        verdict: Set(verdict.to_owned()),
        reason: Set(reason.to_owned()),
        decided_by: Set(decision.decided_by.uuid()),
        decided_at: Set(now),
    };
    course_decision::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The word a state has in its column.
#[must_use]
pub const fn word(state: &State) -> &'static str {
    match state {
        State::Submitted => "submitted",
        State::Reviewed => "reviewed",
        State::Approved => "approved",
        State::Rejected { .. } => "rejected",
    }
}

fn row(course: &Course, now: Moment) -> Result<course::ActiveModel, Error> {
    let rejection_reason = match &course.state {
        State::Rejected { reason } => Some(reason.clone()),
        State::Submitted | State::Reviewed | State::Approved => None,
    };
    Ok(course::ActiveModel {
        district_id: Set(course.path.district_id.uuid()),
        id: Set(course.id.uuid()),
        town_id: Set(course.path.town_id.uuid()),
        school_id: Set(course.path.school_id.uuid()),
        provider_id: Set(course.origin.provider_id().map(Id::uuid)),
        title: Set(course.content.title.clone()),
        description: Set(course.content.description.clone()),
        content_kind: Set(course.content.kind.word().to_owned()),
        category: Set(course.content.category.clone()),
        flagged_words: Set(to_json("course", course.id, &course.flagged_words)?),
        state: Set(word(&course.state).to_owned()),
        rejection_reason: Set(rejection_reason),
        created_at: Set(now),
    })
}

/// Reads a row.
///
/// # Errors
/// When it is broken.
pub(super) fn read(row: course::Model) -> Result<Course, Error> {
    let broken = |why| Error::inconsistent("course", row.id, why);
    let state = match (row.state.as_str(), row.rejection_reason) {
        ("submitted", None) => State::Submitted,
        ("reviewed", None) => State::Reviewed,
        ("approved", None) => State::Approved,
        ("rejected", Some(reason)) => State::Rejected { reason },
        _ => return Err(broken("state and reason do not go together")),
    };
    Ok(Course {
        id: Id::new(row.id),
        path: SchoolPath {
            district_id: Id::new(row.district_id),
            town_id: Id::new(row.town_id),
            school_id: Id::new(row.school_id),
        },
        origin: row.provider_id.map_or(Origin::School, |id| Origin::Provider(Id::new(id))),
        content: Content {
            kind: ContentKind::from_word(&row.content_kind).ok_or_else(|| broken("no such content kind"))?,
            title: row.title,
            description: row.description,
            category: row.category,
        },
        flagged_words: from_json("course", row.id, row.flagged_words)?,
        state,
    })
}
