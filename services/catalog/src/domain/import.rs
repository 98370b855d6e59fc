//! A table of courses and sections of a school, read cell by cell: what it would make, or everything that is wrong in it.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{NaiveDate, Weekday};
use policy::course::CourseRefusal;
use policy::vocabulary::ContentKind;
use policy::{Policy, Silent};
use shared::value::{self, Id};

use super::course::{self, Content, Course, Origin};
use super::provider::{CreditCode, Listing, Standing, eligible};
use super::section::{self, Arrangement, Timetable};
use super::slot::{Kind, Slot};
use super::term::Term;

/// The columns of the table, by their headers. All must be there; their order is free.
pub const COLUMNS: [&str; 10] =
    [TITLE, CATEGORY, CONTENT_KIND, DESCRIPTION, GRADES, CAPACITY, SLOTS, ROOM, INSTRUCTOR, PROVIDER];

/// 2 to 40 characters.
pub const TITLE: &str = "课程名称";
/// 1 to 20 characters.
pub const CATEGORY: &str = "类别";
/// One of 基本托管, 素质拓展, 学科辅导, 学科拓展, 学科类应试课程, 讲授新课, 集体补课, 刷题备考.
pub const CONTENT_KIND: &str = "内容性质";
/// Up to 2,000 characters.
pub const DESCRIPTION: &str = "课程简介";
/// Grades and spans of grades: `1-3`, `1,2`.
pub const GRADES: &str = "年级";
/// 1 to 500.
pub const CAPACITY: &str = "容量";
/// One to ten of `周一 下午`, separated by `;`; `周一 下午2` is the second afternoon slot of that day.
pub const SLOTS: &str = "时段";
/// Up to 40 characters; may be empty.
pub const ROOM: &str = "教室";
/// Up to 40 characters; may be empty.
pub const INSTRUCTOR: &str = "教师";
/// A provider's credit code; empty for the school's own.
pub const PROVIDER: &str = "机构";

/// One row of the table, with the id its section would get. Codes and numbers are in plain characters already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row as the person sees it in the file.
    pub number: u32,
    /// The id of the section it would make.
    pub section_id: Id<value::Section>,
    /// [`TITLE`].
    pub title: String,
    /// [`CATEGORY`].
    pub category: String,
    /// [`CONTENT_KIND`].
    pub content_kind: String,
    /// [`DESCRIPTION`].
    pub description: String,
    /// [`GRADES`].
    pub grades: String,
    /// [`CAPACITY`].
    pub capacity: String,
    /// [`SLOTS`].
    pub slots: String,
    /// [`ROOM`].
    pub room: String,
    /// [`INSTRUCTOR`].
    pub instructor_name: String,
    /// [`PROVIDER`].
    pub provider: String,
}

/// What the table meets at the school.
#[derive(Debug)]
pub struct School<'a> {
    /// The policy of the term.
    pub policy: &'a Policy,
    /// The term the sections are for.
    pub term: &'a Term,
    /// Its slots.
    pub slots: &'a [Slot],
    /// What is booked in it.
    pub timetable: Timetable,
    /// The school's courses.
    pub courses: &'a [Course],
    /// The providers that rows may name.
    pub providers: &'a HashMap<CreditCode, (Id<value::Provider>, Vec<Listing>)>,
    /// The day it is.
    pub today: NaiveDate,
}

/// What a table makes: courses in the order first named, sections in row order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The courses.
    pub courses: Vec<PlannedCourse>,
    /// The sections.
    pub sections: Vec<PlannedSection>,
}

/// A course a table names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedCourse {
    /// The school has it already, with the same content.
    Present(Course),
    /// It is to be submitted.
    New {
        /// Whose it is.
        origin: Origin,
        /// What it is about.
        content: Content,
        /// Words a person should look at.
        flagged_words: Vec<String>,
    },
}

/// A section a table makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSection {
    /// Its id.
    pub id: Id<value::Section>,
    /// Its course's place in [`Plan::courses`].
    pub course: usize,
    /// How it is arranged.
    pub arrangement: Arrangement,
}

/// A cell that kept the table from being taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The row as the person sees it.
    pub row: u32,
    /// The column's header; empty when the whole row is meant.
    pub column: &'static str,
    /// What is wrong.
    pub reason: Reason,
    /// The offending text; empty for people's names.
    pub value: String,
}

/// What may be wrong with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The text is not what the column holds.
    ValueInvalid,
    /// The term has no such slot, or several without saying which.
    SlotUnknown,
    /// An earlier row says the same.
    RowDuplicate,
    /// The room has another section at that time.
    RoomTaken,
    /// The instructor has another section at that time.
    InstructorTaken,
    /// Nobody may teach this here.
    ContentBanned,
    /// Third parties do not teach here.
    ThirdPartyExcluded,
    /// A third party may not give this course.
    ThirdPartySubjectExam,
    /// The provider is not known, or on no list.
    ProviderNotListed,
    /// The provider is only on lists that serve other schools.
    ProviderListedElsewhere,
    /// The provider is suspended.
    ProviderSuspended,
}

/// Why a table was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Cells are wrong: all of them, by row.
    Rows(Vec<RowError>),
    /// The policy is silent on what every table needs.
    Silent(Silent),
}

/// Reads a table.
///
/// Rows with the same course, whole content and provider, are sections of one course; a course the school has already, and has not
/// rejected, is taken as it stands.
///
/// # Errors
/// [`Refusal`]; nothing of the table may be taken then.
pub fn plan(rows: &[Row], mut school: School<'_>) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    let mut courses: HashMap<(Origin, Content), usize> = HashMap::new();
    for row in rows {
        if !seen.insert(content_of(row)) {
            errors.push(row.error("", Reason::RowDuplicate, ""));
            continue;
        }
        let Some((origin, content, arrangement)) = read(row, &school, &mut errors) else { continue };
        let key = (origin, content);
        let course = match courses.get(&key) {
            Some(course) => *course,
            None => {
                let found = errors.len();
                let planned = plan_course(row, &key, &school, &mut errors)?;
                if errors.len() > found {
                    continue;
                }
                plan.courses.push(planned);
                courses.insert(key, plan.courses.len() - 1);
                plan.courses.len() - 1
            }
        };
        match school.timetable.has_room_for(&arrangement) {
            Ok(()) => school.timetable.book(row.section_id, &arrangement),
            Err(section::Error::InstructorTaken { .. }) => {
                errors.push(row.error(INSTRUCTOR, Reason::InstructorTaken, ""));
            }
            Err(_) => errors.push(row.error(ROOM, Reason::RoomTaken, &row.room)),
        }
        plan.sections.push(PlannedSection { id: row.section_id, course, arrangement });
    }
    if errors.is_empty() { Ok(plan) } else { Err(Refusal::Rows(errors)) }
}

impl Row {
    fn error(&self, column: &'static str, reason: Reason, value: &str) -> RowError {
        RowError { row: self.number, column, reason, value: value.to_owned() }
    }
}

/// All a row says, without its number and id.
fn content_of(row: &Row) -> [&str; 10] {
    let Row {
        title,
        category,
        content_kind,
        description,
        grades,
        capacity,
        slots,
        room,
        instructor_name,
        provider,
        ..
    } = row;
    [title, category, content_kind, description, grades, capacity, slots, room, instructor_name, provider]
        .map(String::as_str)
}

/// Reads the cells of a row, noting every one that is wrong.
fn read(
    row: &Row,
    school: &School<'_>,
    errors: &mut Vec<RowError>,
) -> Option<(Origin, Content, Arrangement)> {
    let before = errors.len();
    let mut text = |column, text: &str, min: usize, max: usize, shown: &str| {
        if !(min..=max).contains(&text.chars().count()) {
            errors.push(row.error(column, Reason::ValueInvalid, shown));
        }
    };
    text(TITLE, &row.title, 2, 40, &row.title);
    text(CATEGORY, &row.category, 1, 20, &row.category);
    text(DESCRIPTION, &row.description, 0, 2_000, &row.description);
    text(ROOM, &row.room, 0, 40, &row.room);
    text(INSTRUCTOR, &row.instructor_name, 0, 40, "");
    let mut note = |column, reason, value: &str| errors.push(row.error(column, reason, value));

    let kind = content_kind(&row.content_kind);
    if kind.is_none() || (kind == Some(ContentKind::SubjectTutoring) && !row.provider.is_empty()) {
        note(CONTENT_KIND, Reason::ValueInvalid, &row.content_kind);
    }
    let (first, last) = section::grades_of(school.term.stage);
    let grades =
        grades(&row.grades).filter(|grades| grades.iter().all(|grade| (first..=last).contains(grade)));
    if grades.is_none() {
        note(GRADES, Reason::ValueInvalid, &row.grades);
    }
    let capacity_count = row.capacity.parse().ok().filter(|count| (1..=500).contains(count));
    if capacity_count.is_none() {
        note(CAPACITY, Reason::ValueInvalid, &row.capacity);
    }
    let slots = slots(&row.slots, school.slots);
    if let Err(reason) = &slots {
        note(SLOTS, *reason, &row.slots);
    }
    let origin = origin(&row.provider, school);
    if let Err(reason) = &origin {
        note(PROVIDER, *reason, &row.provider);
    }
    if errors.len() > before {
        return None;
    }
    let content = Content {
        title: row.title.clone(),
        description: row.description.clone(),
        kind: kind?,
        category: row.category.clone(),
    };
    let arrangement = Arrangement {
        capacity_count: capacity_count?,
        grades: grades?,
        slots: slots.ok()?,
        room: row.room.clone(),
        instructor_name: row.instructor_name.clone(),
    };
    Some((origin.ok()?, content, arrangement))
}

fn content_kind(text: &str) -> Option<ContentKind> {
    match text {
        "基本托管" => Some(ContentKind::BasicCare),
        "素质拓展" => Some(ContentKind::Enrichment),
        "学科辅导" | "学科拓展" => Some(ContentKind::SubjectTutoring),
        "学科类应试课程" | "学科类应试" => Some(ContentKind::SubjectExam),
        "讲授新课" => Some(ContentKind::NewLesson),
        "集体补课" => Some(ContentKind::CollectiveMakeUp),
        "刷题备考" => Some(ContentKind::ExamDrilling),
        _ => None,
    }
}

/// Reads `1-3`, `1,2`, `1、2`, `1-2,4`; none when it is something else, or empty.
fn grades(text: &str) -> Option<BTreeSet<u32>> {
    let mut grades = BTreeSet::new();
    for part in text.split([',', '、', ';']).map(str::trim) {
        let (first, last) = part.split_once(['-', '~', '—', '–']).unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if !(1..=9).contains(&first) || !(first..=9).contains(&last) {
            return None;
        }
        grades.extend(first..=last);
    }
    Some(grades)
}

fn slots(text: &str, of_term: &[Slot]) -> Result<Vec<Slot>, Reason> {
    let mut found: Vec<Slot> = Vec::new();
    for name in text.split(';').map(str::trim).filter(|name| !name.is_empty()) {
        let slot = slot(name, of_term)?;
        if found.iter().any(|other| other.period.overlaps(&slot.period)) {
            return Err(Reason::ValueInvalid);
        }
        found.push(slot);
    }
    if !(1..=10).contains(&found.len()) {
        return Err(Reason::ValueInvalid);
    }
    found.sort_by_key(|slot| slot.period.order());
    Ok(found)
}

/// Finds the slot that `周一 下午` or `周一 下午2` names.
fn slot(name: &str, of_term: &[Slot]) -> Result<Slot, Reason> {
    let rest = name.strip_prefix("星期").or_else(|| name.strip_prefix('周')).ok_or(Reason::ValueInvalid)?;
    let mut characters = rest.chars();
    let weekday = characters.next().and_then(weekday).ok_or(Reason::ValueInvalid)?;
    let part = characters.as_str().trim();
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let place = part.get(word.len()..).unwrap_or_default();
    let kind = kind(word.trim()).ok_or(Reason::ValueInvalid)?;
    let mut slots: Vec<&Slot> =
        of_term.iter().filter(|slot| slot.period.weekday == weekday && slot.period.kind == kind).collect();
    slots.sort_by_key(|slot| slot.period.order());
    let place = match (place, slots.len()) {
        ("", 1) => 1,
        ("", _) => return Err(Reason::SlotUnknown),
        (place, _) => place.parse::<usize>().map_err(|_| Reason::ValueInvalid)?,
    };
    let index = place.checked_sub(1).ok_or(Reason::SlotUnknown)?;
    slots.get(index).map(|slot| **slot).ok_or(Reason::SlotUnknown)
}

const fn weekday(character: char) -> Option<Weekday> {
    match character {
        '一' | '1' => Some(Weekday::Mon),
        '二' | '2' => Some(Weekday::Tue),
        '三' | '3' => Some(Weekday::Wed),
        '四' | '4' => Some(Weekday::Thu),
        '五' | '5' => Some(Weekday::Fri),
        '六' | '6' => Some(Weekday::Sat),
        '日' | '天' | '7' => Some(Weekday::Sun),
        _ => None,
    }
}

fn kind(word: &str) -> Option<Kind> {
    match word {
        "早到校" | "早到校看管" => Some(Kind::EarlyArrival),
        "午间" | "中午" => Some(Kind::Noon),
        "下午" => Some(Kind::Afternoon),
        "延时" | "延时托管" => Some(Kind::Extended),
        "晚自习" => Some(Kind::EveningStudy),
        _ => None,
    }
}

fn origin(code: &str, school: &School<'_>) -> Result<Origin, Reason> {
    if code.is_empty() {
        return Ok(Origin::School);
    }
    let code = CreditCode::parse(code).map_err(|_| Reason::ValueInvalid)?;
    let (provider_id, listings) = school.providers.get(&code).ok_or(Reason::ProviderNotListed)?;
    match eligible(school.policy, &school.term.path, listings, school.today) {
        Ok(()) => Ok(Origin::Provider(*provider_id)),
        Err(cause) => Err(match cause.standing {
            Standing::NotListed => Reason::ProviderNotListed,
            Standing::ListedElsewhere => Reason::ProviderListedElsewhere,
            Standing::Suspended => Reason::ProviderSuspended,
        }),
    }
}

/// Judges a course at the row that names it first.
fn plan_course(
    row: &Row,
    (origin, content): &(Origin, Content),
    school: &School<'_>,
    errors: &mut Vec<RowError>,
) -> Result<PlannedCourse, Refusal> {
    let flagged_words = match course::submit(school.policy, *origin, content) {
        Ok(flagged_words) => flagged_words,
        Err(refusal) => {
            let (column, reason, value) = match refusal {
                course::Error::Refused(CourseRefusal::Silent(silent)) => return Err(Refusal::Silent(silent)),
                course::Error::Refused(CourseRefusal::ThirdPartyBanned { .. }) => {
                    (CONTENT_KIND, Reason::ThirdPartySubjectExam, &row.content_kind)
                }
                course::Error::Refused(CourseRefusal::ReadsLikeExamCourse { .. }) => {
                    (TITLE, Reason::ThirdPartySubjectExam, &row.title)
                }
                course::Error::Refused(
                    CourseRefusal::ThirdPartyExcluded { .. } | CourseRefusal::NotInThisPhase { .. },
                ) => (PROVIDER, Reason::ThirdPartyExcluded, &row.provider),
                course::Error::Refused(CourseRefusal::ContentBanned { .. })
                | course::Error::TutoringNotAllowed { .. }
                | course::Error::NotSubmitted
                | course::Error::NotReviewed
                | course::Error::NotEligible { .. }
                | course::Error::ReasonRequired { .. } => {
                    (CONTENT_KIND, Reason::ContentBanned, &row.content_kind)
                }
            };
            errors.push(row.error(column, reason, value));
            Vec::new()
        }
    };
    let is_live = |course: &&Course| !matches!(course.state, course::State::Rejected { .. });
    let mut live = school.courses.iter().filter(is_live);
    Ok(match live.find(|course| course.origin == *origin && course.content == *content) {
        Some(present) => PlannedCourse::Present(present.clone()),
        None => PlannedCourse::New { origin: *origin, content: content.clone(), flagged_words },
    })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;
    use uuid::Uuid;

    use super::super::slot::Period;
    use super::*;

    fn term_slot(id: u128, weekday: Weekday, hour: u32) -> Slot {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let (starts_at, ends_at) = (time(hour), time(hour + 1));
        let period = Period { weekday, kind: Kind::Afternoon, starts_at, ends_at, class_hour_count: 1 };
        Slot { id: Id::new(Uuid::from_u128(id)), term_id: Id::new(Uuid::from_u128(99)), period }
    }

    #[test]
    fn grades_are_spans_and_lists() {
        let table: [(&str, Option<&[u32]>); 9] = [
            ("1-3", Some(&[1, 2, 3])),
            ("1,2", Some(&[1, 2])),
            ("2、1、5-6", Some(&[1, 2, 5, 6])),
            ("9", Some(&[9])),
            ("", None),
            ("3-1", None),
            ("0-2", None),
            ("10", None),
            ("一", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|grades| grades.iter().copied().collect::<BTreeSet<u32>>());
            assert_eq!(grades(text), expected, "{text}");
        }
    }

    #[test]
    fn a_slot_is_named_by_day_and_part_and_by_its_place_when_there_are_several() {
        let of_term =
            [term_slot(3, Weekday::Tue, 17), term_slot(2, Weekday::Tue, 16), term_slot(1, Weekday::Mon, 16)];
        let ids = |text| {
            slots(text, &of_term).map(|slots| slots.iter().map(|slot| slot.id.uuid().as_u128()).collect())
        };
        let table: [(&str, Result<Vec<u128>, Reason>); 12] = [
            ("周一 下午", Ok(vec![1])),
            ("星期一下午", Ok(vec![1])),
            ("周二 下午1", Ok(vec![2])),
            ("周二 下午2; 周一 下午;", Ok(vec![1, 3])),
            ("周二 下午", Err(Reason::SlotUnknown)),
            ("周二 下午3", Err(Reason::SlotUnknown)),
            ("周二 下午0", Err(Reason::SlotUnknown)),
            ("周三 下午", Err(Reason::SlotUnknown)),
            ("周一 午间", Err(Reason::SlotUnknown)),
            ("周一 夜里", Err(Reason::ValueInvalid)),
            ("下午", Err(Reason::ValueInvalid)),
            ("周一 下午;周一 下午", Err(Reason::ValueInvalid)),
        ];
        for (text, expected) in table {
            assert_eq!(ids(text), expected, "{text}");
        }
    }
}
