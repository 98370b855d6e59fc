//! Lessons, registers, marks and duties, as they are read.

use std::collections::{BTreeMap, HashMap};

use proto::enrollment::v1::get_roll_response::{Line as LineMessage, TrialPupil};
use proto::enrollment::v1::{
    GetRollRequest, GetRollResponse, ListAsideMarksRequest, ListAsideMarksResponse, ListDutiesRequest,
    ListDutiesResponse, ListLessonsRequest, ListLessonsResponse, ListMarksRequest, ListMarksResponse,
};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{Id, Page, PageToken, Pupil, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::sight::{self, OFFICE, STAFF};
use super::{DayRpc, convert, parse};
use crate::domain::day::dismissal;
use crate::domain::day::lesson::{self, Key, Lesson};
use crate::domain::day::local;
use crate::domain::day::register::{self, Tally};
use crate::register::Registers;
use crate::rpc::names;
use crate::store;

/// Who reads everything that was said of a pupil.
const MARK_READERS: &[Role] = &[Role::ClassTeacher, Role::TeachingOffice, Role::Principal];

/// Lists who answers for what on a day.
pub async fn list_duties(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListDutiesRequest,
) -> Result<ListDutiesResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let day = parse::day(&mut violations, "day", &request.day);
    let (Some(school_id), Some(day)) = (school_id, day) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let duties = sight::duties(rpc, sight::district(&path, school_id)?, school_id, day).await?;
    Ok(ListDutiesResponse { duties: duties.iter().map(convert::duty).collect() })
}

/// Lists the lessons of a school on a day.
pub async fn list_lessons(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListLessonsRequest,
) -> Result<ListLessonsResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let day = parse::day(&mut violations, "day", &request.day);
    let (Some(school_id), Some(day)) = (school_id, day) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let duties = sight::duties(rpc, district_id, school_id, day).await?;
    let sections = store::section::list_of_school(rpc.db.read(), district_id, school_id).await?;
    let views: HashMap<_, _> = sections
        .iter()
        .filter_map(|section| Some((section.id, (section, sight::view(&permit, section, day, &duties)?))))
        .collect();

    let of = store::day::lesson::Of::School(district_id, school_id);
    let laid_out = store::day::lesson::list(rpc.db.read(), of, day, day).await?;
    let mut lessons: BTreeMap<_, _> = laid_out.into_iter().map(|lesson| (lesson.key, lesson)).collect();
    let terms = store::term::list_on(rpc.db.read(), district_id, school_id, day).await?;
    let now = rpc.clock.now();
    for (section, _) in views.values() {
        let Some(term) = terms.iter().find(|term| term.id == section.term_id) else { continue };
        for slot in section.slots.iter().filter(|slot| slot.weekday == local::weekday(day)) {
            let id = shared::random::id(now);
            if let Ok(planned) = lesson::plan(id, section, term, day, slot.id, rpc.close_minute) {
                lessons.entry(planned.key).or_insert(planned);
            }
        }
    }
    let lessons: Vec<Lesson> =
        lessons.into_values().filter(|lesson| views.contains_key(&lesson.key.section_id)).collect();
    let registers = Registers::read(rpc.db.read(), &lessons).await?;
    let covers = store::day::cover::list(rpc.db.read(), district_id, school_id).await?;
    let mut messages = Vec::with_capacity(lessons.len());
    for lesson in &lessons {
        let Some((section, view)) = views.get(&lesson.key.section_id) else { continue };
        let lines = registers.lines(lesson);
        let shown = sight::shown(rpc, view, lines.iter().map(|line| line.pupil_id)).await?;
        let sum = Tally::of(lines.iter().filter(|line| shown.contains(&line.pupil_id)));
        let warnings = sight::warnings_with(lesson, &duties, &covers);
        messages.push(convert::lesson(lesson, &section.title, sum, &warnings, now));
    }
    let start = |lesson: &proto::enrollment::v1::Lesson| {
        (lesson.start_time.map(|time| (time.seconds, time.nanos)), lesson.section_title.clone())
    };
    messages.sort_by_key(start);
    Ok(ListLessonsResponse { lessons: messages })
}

/// Gives a lesson's register.
pub async fn get_roll(
    rpc: &DayRpc,
    caller: &Caller,
    request: &GetRollRequest,
) -> Result<GetRollResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let key = parse::lesson(&mut violations, &request.section_id, &request.day, &request.slot_id);
    let key = key.ok_or_else(|| status::invalid(&violations))?;
    let seen = sight::lesson(rpc, &permit, key).await?;
    let registers = Registers::read(rpc.db.read(), std::slice::from_ref(&seen.lesson)).await?;
    let mut lines = registers.lines(&seen.lesson);
    let shown = sight::shown(rpc, &seen.view, lines.iter().map(|line| line.pupil_id)).await?;
    lines.retain(|line| shown.contains(&line.pupil_id));

    let trying = trying(rpc, &seen).await?;
    let ids = lines.iter().map(|line| line.pupil_id).chain(trying.iter().copied());
    let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
    let named = names::ask(&rpc.identity, &ids).await?;
    let named: HashMap<_, _> = named.into_iter().map(|pupil| (pupil.id.clone(), pupil)).collect();
    let leaving = leaving(rpc, &seen.lesson, &lines).await?;
    let render = |line: &register::Line| {
        let id = line.pupil_id.to_string();
        let pupil = named.get(&id).cloned().unwrap_or_default();
        let (dismissal, extended_until) = leaving.get(&line.pupil_id).copied().unwrap_or_default();
        LineMessage {
            pupil_id: id,
            pupil_name: pupil.name,
            class_name: pupil.class_name,
            grade: pupil.grade,
            state: convert::standing(line.standing).into(),
            disputed: line.disputed,
            dismissal: dismissal.map(local::time_text).unwrap_or_default(),
            extended_until: extended_until.map(local::time_text).unwrap_or_default(),
        }
    };
    let mut messages: Vec<_> = lines.iter().map(render).collect();
    messages.sort_by(|one, other| {
        let by = |line: &LineMessage| {
            (line.grade, line.class_name.clone(), line.pupil_name.clone(), line.pupil_id.clone())
        };
        by(one).cmp(&by(other))
    });
    let warnings = sight::warnings(rpc, &seen.lesson, &seen.duties).await?;
    let sum = Tally::of(&lines);
    let lesson = convert::lesson(&seen.lesson, &seen.section.title, sum, &warnings, rpc.clock.now());
    let trial_pupil = |id: &Id<Pupil>| {
        let pupil = named.get(&id.to_string()).cloned().unwrap_or_default();
        TrialPupil {
            pupil_id: id.to_string(),
            pupil_name: pupil.name,
            class_name: pupil.class_name,
            grade: pupil.grade,
        }
    };
    let mut trial_pupils: Vec<_> = trying.iter().map(trial_pupil).collect();
    trial_pupils
        .sort_by_key(|one| (one.grade, one.class_name.clone(), one.pupil_name.clone(), one.pupil_id.clone()));
    Ok(GetRollResponse { lesson: Some(lesson), lines: messages, trial_pupils })
}

/// Who tries the lesson, as far as the caller sees them.
async fn trying(rpc: &DayRpc, seen: &sight::Seen) -> Result<Vec<Id<Pupil>>, Status> {
    let Key { section_id, day, slot_id } = seen.lesson.key;
    let trial = store::trial::find_of_lesson(rpc.db.read(), section_id, day, slot_id).await?;
    let Some(trial) = trial else { return Ok(Vec::new()) };
    let booked = store::trial::list_booked(rpc.db.read(), trial.id).await?;
    let shown = sight::shown(rpc, &seen.view, booked.iter().map(|booking| booking.pupil_id)).await?;
    Ok(shown.into_iter().collect())
}

/// When each pupil leaves on a lesson's day, and until when they stay after the service's end, in minutes after midnight; each only where
/// somebody has said so.
async fn leaving(
    rpc: &DayRpc,
    lesson: &Lesson,
    lines: &[register::Line],
) -> Result<HashMap<Id<Pupil>, (Option<i32>, Option<i32>)>, Status> {
    let ids = || lines.iter().map(|line| line.pupil_id);
    let db = rpc.db.read();
    let said = store::day::dismissal::list_choices(db, lesson.district_id, ids()).await?;
    let mut choices: HashMap<_, Vec<_>> = HashMap::new();
    for (pupil_id, weekday, choice) in said {
        if weekday == local::weekday(lesson.key.day) {
            choices.entry(pupil_id).or_default().push(choice);
        }
    }
    let mut leaving: HashMap<_, (Option<i32>, Option<i32>)> = HashMap::new();
    for (pupil_id, choices) in choices {
        leaving.entry(pupil_id).or_default().0 =
            dismissal::counting(&choices).and_then(|choice| choice.minute);
    }
    for care in store::day::dismissal::standing_care(db, lesson.district_id, ids(), lesson.key.day).await? {
        leaving.entry(care.pupil_id).or_default().1 = Some(care.until_minute);
    }
    Ok(leaving)
}

/// Lists everything that was said of one pupil in one lesson.
pub async fn list_marks(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListMarksRequest,
) -> Result<ListMarksResponse, Status> {
    let permit = caller.staff(MARK_READERS)?;
    let mut violations = Violations::default();
    let key = parse::lesson(&mut violations, &request.section_id, &request.day, &request.slot_id);
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let (Some(key), Some(pupil_id)) = (key, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    let seen = sight::lesson(rpc, &permit, key).await?;
    if sight::shown(rpc, &seen.view, [pupil_id]).await?.is_empty() {
        return Err(status::not_found("pupil", pupil_id));
    }
    let registers = Registers::read(rpc.db.read(), std::slice::from_ref(&seen.lesson)).await?;
    let of_pupil = registers.marks(&seen.lesson).iter().filter(|mark| mark.pupil_id == pupil_id);
    let ordered = register::in_order(of_pupil);
    let leaves = registers.leaves().iter();
    let leaves = leaves.filter(|leave| leave.pupil_id == pupil_id && leave.is_about(&seen.lesson));
    Ok(ListMarksResponse {
        marks: ordered.iter().enumerate().map(|(at, mark)| convert::mark(mark, at == 0)).collect(),
        leaves: leaves.map(convert::leave).collect(),
    })
}

/// Lists the marks of a school that wait for a person.
pub async fn list_aside_marks(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListAsideMarksRequest,
) -> Result<ListAsideMarksResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(school_id), Some(page)) = (school_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let found = store::day::aside::list_waiting(rpc.db.read(), district_id, school_id, &page).await?;
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == page.size);
    let last = found.last().filter(|_| is_full);
    Ok(ListAsideMarksResponse {
        next_page_token: last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default(),
        marks: found.iter().map(convert::aside_mark).collect(),
    })
}
