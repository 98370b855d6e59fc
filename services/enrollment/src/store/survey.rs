//! Surveys, and what they were answered. Answers are sealed.

use std::collections::BTreeSet;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Moment, Page, Pupil, School, Survey as SurveyKind};
use uuid::Uuid;

use super::entity::{pupil, survey, survey_answer, term};
use super::vault::Vault;
use super::{from_json, to_json};
use crate::domain::survey::{Answers, Naming, Survey};

const TABLE: &str = "survey";
const ANSWER: &str = "survey_answer";

/// How many answers are read at once.
const PAGE: u64 = 1_000;

/// What was answered for a pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The pupil's school when it was answered.
    pub school_id: Id<School>,
    /// What.
    pub answers: Answers,
    /// When, last.
    pub answered_at: Moment,
}

/// Finds a survey.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<SurveyKind>) -> Result<Option<Survey>, Error> {
    let row = survey::Entity::find().filter(survey::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Locks a survey: whoever answers waits for whoever closes it.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<SurveyKind>) -> Result<Option<Survey>, Error> {
    let row =
        survey::Entity::find().filter(survey::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Locks a survey against being closed, and not against others who answer.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock_shared(tx: &Tx, id: Id<SurveyKind>) -> Result<Option<Survey>, Error> {
    let row = survey::Entity::find().filter(survey::Column::Id.eq(id.uuid())).lock_shared().one(tx).await?;
    row.map(read).transpose()
}

/// Lists the surveys that ask any of `nodes`, newest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    nodes: &[Uuid],
    page: &Page<Uuid>,
) -> Result<Vec<Survey>, Error> {
    let mut query = survey::Entity::find()
        .filter(survey::Column::DistrictId.eq(district_id.uuid()))
        .filter(survey::Column::NodeId.is_in(nodes.iter().copied()));
    if let Some(after) = page.after {
        query = query.filter(survey::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(survey::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Says whether families of a school are asked for a term: by a survey for the term, or by one from above that is open on a moment
/// in it.
///
/// # Errors
/// When the database refuses.
pub async fn has_asked(
    db: &impl ConnectionTrait,
    term: &crate::domain::term::Term,
    from: Moment,
) -> Result<bool, Error> {
    let above = term.path.iter().take(2).copied();
    let from_above =
        Condition::all().add(survey::Column::NodeId.is_in(above)).add(survey::Column::CloseAt.gte(from));
    let asked = Condition::any().add(survey::Column::TermId.eq(term.id.uuid())).add(from_above);
    let count = survey::Entity::find()
        .filter(survey::Column::DistrictId.eq(term.district_id.uuid()))
        .filter(asked)
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Keeps a new survey.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, survey: &Survey) -> Result<(), Error> {
    let node_id = survey.path.last().copied();
    let row = survey::ActiveModel {
        district_id: Set(survey.district_id.uuid()),
        id: Set(survey.id.uuid()),
        node_id: Set(node_id.ok_or_else(|| Error::inconsistent(TABLE, survey.id, "it asks nobody"))?),
        path: Set(to_json(&survey.path, TABLE, survey.id)?),
        term_id: Set(survey.term_id.map(Id::uuid)),
        title: Set(survey.title.clone()),
        naming: Set(match survey.naming {
            Naming::Anonymous => "anonymous",
            Naming::Named => "named",
        }
        .to_owned()),
        questions: Set(to_json(&survey.questions, TABLE, survey.id)?),
        close_at: Set(survey.close_at),
        opener: Set(survey.opener.clone()),
        created_at: Set(survey.created_at),
    };
    survey::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps when a locked survey closes.
///
/// # Errors
/// When the database refuses.
pub async fn save_close(tx: &Tx, survey: &Survey, close_at: Moment) -> Result<(), Error> {
    let row = survey::ActiveModel {
        district_id: Set(survey.district_id.uuid()),
        id: Set(survey.id.uuid()),
        close_at: Set(close_at),
        ..Default::default()
    };
    survey::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Keeps what families answered, each in place of what they answered before.
///
/// # Errors
/// When the database refuses.
pub async fn save_answers(
    tx: &Tx,
    vault: &Vault,
    survey: &Survey,
    answered: &[Answered],
) -> Result<(), Error> {
    let page = usize::try_from(PAGE).unwrap_or(1);
    for answered in answered.chunks(page) {
        let rows: Vec<_> =
            answered.iter().map(|answered| row(vault, survey, answered)).collect::<Result<_, _>>()?;
        let key = [
            survey_answer::Column::DistrictId,
            survey_answer::Column::SurveyId,
            survey_answer::Column::PupilId,
        ];
        let on_known = OnConflict::columns(key)
            .update_columns([
                survey_answer::Column::SchoolId,
                survey_answer::Column::Answers,
                survey_answer::Column::AnsweredAt,
            ])
            .to_owned();
        survey_answer::Entity::insert_many(rows).on_conflict(on_known).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn row(vault: &Vault, survey: &Survey, answered: &Answered) -> Result<survey_answer::ActiveModel, Error> {
    let context = context(survey.id, answered.pupil_id);
    let text = serde_json::to_string(&answered.answers);
    let text = text.map_err(|error| Error::inconsistent(ANSWER, &context, error))?;
    Ok(survey_answer::ActiveModel {
        district_id: Set(survey.district_id.uuid()),
        survey_id: Set(survey.id.uuid()),
        pupil_id: Set(answered.pupil_id.uuid()),
        school_id: Set(answered.school_id.uuid()),
        answers: Set(vault.seal(ANSWER, "answers", &context, &text)?),
        answered_at: Set(answered.answered_at),
    })
}

/// Finds what was answered to a survey for a pupil.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find_answer(
    db: &impl ConnectionTrait,
    vault: &Vault,
    survey: &Survey,
    pupil_id: Id<Pupil>,
) -> Result<Option<Answered>, Error> {
    let key = (survey.district_id.uuid(), survey.id.uuid(), pupil_id.uuid());
    let row = survey_answer::Entity::find_by_id(key).one(db).await?;
    row.map(|row| read_answer(row, vault)).transpose()
}

/// Lists what was answered to a survey, by pupil, some at a time: those after a pupil, in order. `school_id` is the only school wanted.
/// An empty list is the end.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_answers(
    db: &impl ConnectionTrait,
    vault: &Vault,
    survey: &Survey,
    school_id: Option<Id<School>>,
    after: Option<Id<Pupil>>,
) -> Result<Vec<Answered>, Error> {
    let mut query = survey_answer::Entity::find()
        .filter(survey_answer::Column::DistrictId.eq(survey.district_id.uuid()))
        .filter(survey_answer::Column::SurveyId.eq(survey.id.uuid()));
    if let Some(school_id) = school_id {
        query = query.filter(survey_answer::Column::SchoolId.eq(school_id.uuid()));
    }
    if let Some(after) = after {
        query = query.filter(survey_answer::Column::PupilId.gt(after.uuid()));
    }
    let rows = query.order_by_asc(survey_answer::Column::PupilId).limit(PAGE).all(db).await?;
    rows.into_iter().map(|row| read_answer(row, vault)).collect()
}

/// How many pupils of a district, or of these schools of it alone, have not left.
///
/// # Errors
/// When the database refuses.
pub async fn asked_count(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    schools: Option<&BTreeSet<Id<School>>>,
) -> Result<u64, Error> {
    let mut query = pupil::Entity::find()
        .filter(pupil::Column::DistrictId.eq(district_id.uuid()))
        .filter(pupil::Column::State.eq("enrolled"));
    if let Some(schools) = schools {
        query = query.filter(pupil::Column::SchoolId.is_in(schools.iter().map(|id| id.uuid())));
    }
    Ok(query.count(db).await?)
}

/// The schools of a town, as far as they have terms.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn schools_of_town(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    town_id: Uuid,
) -> Result<BTreeSet<Id<School>>, Error> {
    let rows: Vec<(Uuid, serde_json::Value)> = term::Entity::find()
        .select_only()
        .column(term::Column::SchoolId)
        .column(term::Column::Path)
        .filter(term::Column::DistrictId.eq(district_id.uuid()))
        .into_tuple()
        .all(db)
        .await?;
    let mut schools = BTreeSet::new();
    for (school_id, path) in rows {
        let path: Vec<Uuid> = from_json(path, "term", school_id)?;
        if path.get(1) == Some(&town_id) {
            schools.insert(Id::new(school_id));
        }
    }
    Ok(schools)
}

fn context(survey_id: impl std::fmt::Display, pupil_id: impl std::fmt::Display) -> String {
    format!("{survey_id}/{pupil_id}")
}

fn read_answer(row: survey_answer::Model, vault: &Vault) -> Result<Answered, Error> {
    let context = context(row.survey_id, row.pupil_id);
    let text = vault.open(ANSWER, "answers", &context, &row.answers)?;
    Ok(Answered {
        pupil_id: Id::new(row.pupil_id),
        school_id: Id::new(row.school_id),
        answers: serde_json::from_str(&text).map_err(|error| Error::inconsistent(ANSWER, &context, error))?,
        answered_at: row.answered_at,
    })
}

fn read(row: survey::Model) -> Result<Survey, Error> {
    Ok(Survey {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        path: from_json(row.path, TABLE, row.id)?,
        term_id: row.term_id.map(Id::new),
        title: row.title,
        naming: match row.naming.as_str() {
            "anonymous" => Naming::Anonymous,
            "named" => Naming::Named,
            _ => return Err(Error::inconsistent(TABLE, row.id, "its naming is unknown")),
        },
        questions: from_json(row.questions, TABLE, row.id)?,
        close_at: row.close_at,
        opener: row.opener,
        created_at: row.created_at,
    })
}
