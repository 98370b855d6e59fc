//! Gives the registers of a month: by day, by pupil, and their sum. Made at the moment of asking, kept nowhere.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proto::enrollment::v1::get_month_response::{Day, Pupil as PupilMessage};
use proto::enrollment::v1::{GetMonthRequest, GetMonthResponse};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Pupil, School, Section as SectionKind, Violations};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{DayRpc, parse};
use crate::domain::day::duty::Post;
use crate::domain::day::local;
use crate::domain::day::register::Tally;
use crate::domain::section::Section;
use crate::event;
use crate::register::Registers;
use crate::store;
use crate::store::day::lesson::Of;

/// Who may ask, each for what they reach.
const READERS: &[Role] = &[
    Role::Instructor,
    Role::TeachingOffice,
    Role::Principal,
    Role::MoralEducation,
    Role::TownOffice,
    Role::BureauOfficer,
    Role::Inspector,
    Role::Provider,
];

/// Who sees sums of whole schools.
const OVERSEERS: &[Role] = &[
    Role::TeachingOffice,
    Role::Principal,
    Role::MoralEducation,
    Role::TownOffice,
    Role::BureauOfficer,
    Role::Inspector,
];

/// What is asked for.
enum Asked {
    School(Id<School>),
    Section(Id<SectionKind>),
}

/// Gives a month.
pub async fn get_month(
    rpc: &DayRpc,
    caller: &Caller,
    request: &GetMonthRequest,
) -> Result<GetMonthResponse, Status> {
    let permit = caller.staff(READERS)?;
    let (asked, first_day, last_day) = parse(request)?;
    let (of, shows_pupils) = match asked {
        Asked::School(school_id) => (school(rpc, &permit, school_id).await?, false),
        Asked::Section(section_id) => section(rpc, &permit, section_id, first_day, last_day).await?,
    };
    let lessons = store::day::lesson::list(rpc.db.read(), of, first_day, last_day).await?;
    let registers = Registers::read(rpc.db.read(), &lessons).await?;
    let now = rpc.clock.now();
    let mut days: BTreeMap<NaiveDate, (i32, i32, Tally)> = BTreeMap::new();
    let mut pupils: BTreeMap<Id<Pupil>, Tally> = BTreeMap::new();
    for lesson in &lessons {
        let lines = registers.lines(lesson);
        let (lesson_count, closed_count, sum) = days.entry(lesson.key.day).or_default();
        *lesson_count += 1;
        *closed_count += i32::from(lesson.is_closed(now));
        *sum += Tally::of(&lines);
        for line in lines.iter().filter(|_| shows_pupils) {
            *pupils.entry(line.pupil_id).or_default() += Tally::of([line]);
        }
    }
    let sum: Tally = days.values().map(|(_, _, sum)| *sum).sum();
    let day = |(day, (lesson_count, closed_count, sum)): (NaiveDate, (i32, i32, Tally))| Day {
        day: day.to_string(),
        lesson_count,
        closed_count,
        tally: Some(event::tally(sum)),
    };
    let pupil = |(id, sum): (Id<Pupil>, Tally)| PupilMessage {
        pupil_id: id.to_string(),
        tally: Some(event::tally(sum)),
    };
    Ok(GetMonthResponse {
        days: days.into_iter().map(day).collect(),
        tally: Some(event::tally(sum)),
        pupils: pupils.into_iter().map(pupil).collect(),
    })
}

fn parse(request: &GetMonthRequest) -> Result<(Asked, NaiveDate, NaiveDate), Status> {
    let mut violations = Violations::default();
    let school_id = parse::optional_id(&mut violations, "school_id", &request.school_id);
    let section_id = parse::optional_id(&mut violations, "section_id", &request.section_id);
    let month = local::month(&request.month).ok_or("must be a month, YYYY-MM");
    let month = violations.field("month", month);
    let asked = match (school_id, section_id) {
        (Some(Some(school_id)), Some(None)) => Some(Asked::School(school_id)),
        (Some(None), Some(Some(section_id))) => Some(Asked::Section(section_id)),
        (Some(_), Some(_)) => {
            violations.note("section_id", "either this or school_id must be given");
            None
        }
        _ => None,
    };
    match (asked, month) {
        (Some(asked), Some((first_day, last_day))) => Ok((asked, first_day, last_day)),
        _ => Err(status::invalid(&violations)),
    }
}

async fn school(rpc: &DayRpc, permit: &StaffPermit, school_id: Id<School>) -> Result<Of, Status> {
    let path = sight::school(rpc, permit, school_id).await?;
    let is_overseer = OVERSEERS.iter().any(|role| permit.holds(*role, &path));
    if !is_overseer {
        return Err(status::not_found("school", school_id));
    }
    Ok(Of::School(sight::district(&path, school_id)?, school_id))
}

/// Gives with it whether the caller sees the pupils too.
async fn section(
    rpc: &DayRpc,
    permit: &StaffPermit,
    section_id: Id<SectionKind>,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<(Of, bool), Status> {
    let unknown = || status::not_found("section", section_id);
    let section = store::section::find(rpc.db.read(), section_id).await?.ok_or_else(unknown)?;
    let path = NodePath::new(section.path.clone());
    let of = Of::Section(section.district_id, section.id);
    if OVERSEERS.iter().any(|role| permit.holds(*role, &path)) {
        let is_office = OFFICE.iter().any(|role| permit.holds(*role, &path));
        return Ok((of, is_office));
    }
    let gives_it = section.provider_id.is_some_and(|provider| permit.providers().any(|own| own == provider));
    if gives_it || is_named(rpc, permit, &section, first_day, last_day).await? {
        return Ok((of, false));
    }
    Err(unknown())
}

/// Whether the caller was named for the section on some day of the month.
async fn is_named(
    rpc: &DayRpc,
    permit: &StaffPermit,
    section: &Section,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<bool, Status> {
    let duties =
        store::day::duty::list(rpc.db.read(), section.district_id, section.school_id, first_day, last_day)
            .await?;
    let post = Post::Section(section.id);
    Ok(duties.iter().any(|duty| duty.post == post && duty.staff_id == permit.id()))
}
