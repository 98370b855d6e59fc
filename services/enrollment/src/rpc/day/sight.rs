//! Who sees which lessons, and whom in them.
//!
//! | caller | lessons | pupils |
//! |---|---|---|
//! | `teaching_office`, `principal` reaching the school | all | all |
//! | whoever is named for the section on the day | those | all |
//! | `class_teacher` of a class of the school | all | the class's |

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;
use proto::enrollment::v1 as message;
use shared::caller::{NodePath, Role, StaffPermit};
use shared::db::Tx;
use shared::value::{District, Id, Pupil as PupilKind, School};
use shared::{random, status};
use tonic::Status;
use uuid::Uuid;

use super::{DayRpc, error};
use crate::domain::day::cover::{self, Cover};
use crate::domain::day::custody::{Holder, State};
use crate::domain::day::duty::{Duty, Post};
use crate::domain::day::lesson::{self, Key, Lesson};
use crate::domain::pupil::Pupil;
use crate::domain::section::Section;
use crate::rpc::ruling;
use crate::store;

/// Who calls the roll and sees registers.
pub const STAFF: &[Role] = &[Role::ClassTeacher, Role::Instructor, Role::TeachingOffice, Role::Principal];

/// The school's office: who corrects, names and settles.
pub const OFFICE: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// Whom of a lesson the caller sees and may mark.
#[derive(Clone, Debug)]
pub enum View {
    /// Everybody.
    Everybody,
    /// The pupils of these classes.
    Classes(HashSet<Uuid>),
}

impl View {
    /// Says whether the pupil is among them.
    pub fn shows(&self, pupil: &Pupil) -> bool {
        match self {
            Self::Everybody => true,
            Self::Classes(classes) => pupil.path.get(3).is_some_and(|class| classes.contains(class)),
        }
    }
}

/// What the caller sees of a section's lesson on a day. None: the caller may not know of it.
pub fn view(permit: &StaffPermit, section: &Section, day: NaiveDate, duties: &[Duty]) -> Option<View> {
    let path = NodePath::new(section.path.clone());
    let is_office = OFFICE.iter().any(|role| permit.holds(*role, &path));
    let post = Post::Section(section.id);
    if is_office || duties.iter().any(|duty| duty.names(permit.id(), post, day)) {
        return Some(View::Everybody);
    }
    let classes: HashSet<_> = permit
        .grants()
        .iter()
        .filter(|grant| grant.role == Role::ClassTeacher && path.reaches(&grant.path))
        .filter_map(|grant| grant.path.class().map(Id::uuid))
        .collect();
    (!classes.is_empty()).then_some(View::Classes(classes))
}

/// The pupils among `pupils` that a view shows.
pub async fn shown(
    rpc: &DayRpc,
    view: &View,
    pupils: impl IntoIterator<Item = Id<PupilKind>>,
) -> Result<BTreeSet<Id<PupilKind>>, Status> {
    match view {
        View::Everybody => Ok(pupils.into_iter().collect()),
        View::Classes(_) => {
            let pupils = store::pupil::find_all(rpc.db.read(), pupils).await?;
            Ok(pupils.iter().filter(|pupil| view.shows(pupil)).map(|pupil| pupil.id).collect())
        }
    }
}

/// A section and one of its lessons, as the caller sees it.
pub struct Seen {
    /// The section.
    pub section: Section,
    /// The lesson.
    pub lesson: Lesson,
    /// Whom of it.
    pub view: View,
    /// Who answers for what that day.
    pub duties: Vec<Duty>,
}

/// Finds the section of a lesson, as far as the caller may know of it.
pub async fn section(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: Key,
) -> Result<(Section, View, Vec<Duty>), Status> {
    let unknown = || status::not_found("section", key.section_id);
    let section = store::section::find(rpc.db.read(), key.section_id).await?.ok_or_else(unknown)?;
    let duties = duties(rpc, section.district_id, section.school_id, key.day).await?;
    let view = view(permit, &section, key.day, &duties).ok_or_else(unknown)?;
    Ok((section, view, duties))
}

/// Finds a lesson for reading: as it was laid out, or as it will be.
pub async fn lesson(rpc: &DayRpc, permit: &StaffPermit, key: Key) -> Result<Seen, Status> {
    let (section, view, duties) = section(rpc, permit, key).await?;
    let lesson = match store::day::lesson::find(rpc.db.read(), key).await? {
        Some(lesson) => lesson,
        None => plan(rpc, &section, key).await?,
    };
    Ok(Seen { section, lesson, view, duties })
}

/// Locks a lesson for writing into its register; lays it out if nobody has.
pub async fn lock(rpc: &DayRpc, tx: &Tx, section: &Section, key: Key) -> Result<Lesson, Status> {
    if let Some(lesson) = store::day::lesson::lock(tx, key).await? {
        return Ok(lesson);
    }
    let planned = plan(rpc, section, key).await?;
    store::day::lesson::insert_all(tx, std::slice::from_ref(&planned)).await?;
    let laid_out = store::day::lesson::lock(tx, key).await?;
    laid_out.ok_or_else(|| {
        status::internal(&shared::db::Error::inconsistent("lesson", planned.id, "it vanished"))
    })
}

async fn plan(rpc: &DayRpc, section: &Section, key: Key) -> Result<Lesson, Status> {
    let term = store::term::find(rpc.db.read(), section.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("section", key.section_id))?;
    let id = random::id(rpc.clock.now());
    lesson::plan(id, section, &term, key.day, key.slot_id, rpc.close_minute)
        .map_err(|error| error::lesson(&error))
}

/// Who answers for what at a school on a day.
pub async fn duties(
    rpc: &DayRpc,
    district_id: Id<District>,
    school_id: Id<School>,
    day: NaiveDate,
) -> Result<Vec<Duty>, Status> {
    Ok(store::day::duty::list(rpc.db.read(), district_id, school_id, day, day).await?)
}

/// What a person should know of a lesson beforehand.
pub async fn warnings(
    rpc: &DayRpc,
    lesson: &Lesson,
    duties: &[Duty],
) -> Result<Vec<message::lesson::Warning>, Status> {
    let covers = store::day::cover::list(rpc.db.read(), lesson.district_id, lesson.school_id).await?;
    Ok(warnings_with(lesson, duties, &covers))
}

/// What a person should know of a lesson beforehand, where the school's covers have been read.
pub fn warnings_with(lesson: &Lesson, duties: &[Duty], covers: &[Cover]) -> Vec<message::lesson::Warning> {
    use message::lesson::Warning;
    let mut warnings = Vec::new();
    if !cover::is_insured(covers, lesson.key.day) {
        warnings.push(Warning::NotInsured);
    }
    let post = Post::Section(lesson.key.section_id);
    if !duties.iter().any(|duty| duty.post == post && duty.holds_on(lesson.key.day)) {
        warnings.push(Warning::NobodyNamed);
    }
    warnings
}

/// Whether the caller answers for a pupil on a day beside whoever holds them: the day's leader, the class teacher, the office.
pub fn answers_for(permit: &StaffPermit, pupil: &Pupil, duties: &[Duty], day: NaiveDate) -> bool {
    let path = NodePath::new(pupil.path.clone());
    let is_office = OFFICE.iter().any(|role| permit.holds(*role, &path));
    let is_class_teacher = permit.holds(Role::ClassTeacher, &path);
    is_office || is_class_teacher || duties.iter().any(|duty| duty.names(permit.id(), Post::Leader, day))
}

/// Whether the caller holds a pupil: as the one who took them, or on duty in the room they are in.
pub fn holds(permit: &StaffPermit, state: &State, duties: &[Duty], day: NaiveDate) -> bool {
    match state {
        State::Held(Holder::Staff { staff_id, .. }) if *staff_id == permit.id() => true,
        State::Held(Holder::Staff { post: post @ Post::Room(_), .. }) => {
            duties.iter().any(|duty| duty.names(permit.id(), *post, day))
        }
        State::Held(_) | State::Gone(_) => false,
    }
}

/// The path of a school the caller works at, or reaches from above.
pub async fn school(rpc: &DayRpc, permit: &StaffPermit, school_id: Id<School>) -> Result<NodePath, Status> {
    ruling::school_path(&rpc.db, permit, school_id).await
}

/// The district a path begins with.
pub fn district(path: &NodePath, school_id: Id<School>) -> Result<Id<District>, Status> {
    path.district().ok_or_else(|| status::not_found("school", school_id))
}
