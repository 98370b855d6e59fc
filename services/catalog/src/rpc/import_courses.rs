//! `ImportCourses`.

use std::collections::BTreeSet;

use proto::catalog::v1::{ImportCoursesRequest, ImportCoursesResponse};
use proto::identity::v1::import_file::Format as FormatMessage;
use proto::identity::v1::{ImportFile, RowError as RowMessage};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::{internal, invalid, not_found};
use shared::table::{Format, Limits, Table, TableError, narrow, whole};
use shared::value::{self, Id, Moment, Violations};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF, error};
use crate::domain::course::{Course, State};
use crate::domain::import::{self, PlannedCourse, Reason, Refusal, Row, RowError};
use crate::domain::provider::CreditCode;
use crate::domain::section::{self, Section, Timetable};
use crate::domain::term::Term;
use crate::store;
use crate::store::section::Which;

struct Command {
    request_id: Uuid,
    term_id: Id<value::Term>,
    file: ImportFile,
    format: Format,
}

/// Brings a table of courses and sections of a school, all or none.
pub async fn import_courses(
    catalog: &Catalog,
    caller: &Caller,
    request: ImportCoursesRequest,
) -> Result<ImportCoursesResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let content = ImportCoursesRequest { request_id: String::new(), ..request.clone() };
    let command = parse(request)?;
    let key = RequestKey::new(&caller.key(), "ImportCourses", command.request_id, &content);
    let rows = match read(command.format, command.file.content, catalog.clock.now()).await? {
        Ok(rows) => rows,
        Err(errors) => return Ok(refused(errors)),
    };

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term_id = command.term_id;
    let missing = || not_found("term", term_id);
    let found = store::term::find(&tx, term_id).await?.ok_or_else(missing)?;
    permit.reach(&convert::school_path(&found.path), "term", term_id)?;
    // The school first: two imports into two of its terms must not both make the same course.
    store::node::lock_school(&tx, found.path.school_id).await?.ok_or_else(missing)?;
    let term = store::term::lock(&tx, term_id).await?.ok_or_else(missing)?;
    let slots = store::slot::of_term(&tx, &term).await?;
    let sections = store::section::of_term(&tx, &term, &slots, Which::Live).await?;
    let courses = store::course::live_of_school(&tx, &term.path).await?;
    let codes: BTreeSet<CreditCode> =
        rows.iter().filter_map(|row| CreditCode::parse(&row.provider).ok()).collect();
    let providers = store::provider::by_code(&tx, &codes).await?;
    let now = catalog.clock.now();
    let policy = catalog.policy_of(&term)?;
    let school = import::School {
        policy: &policy,
        term: &term,
        slots: &slots,
        timetable: Timetable::of(&sections),
        courses: &courses,
        providers: &providers,
        today: convert::local_day(now),
    };
    // Nothing was changed: the request id stays free for the table as mended.
    let plan = match import::plan(&rows, school) {
        Ok(plan) => plan,
        Err(Refusal::Rows(errors)) => return Ok(refused(errors.iter().map(row_error).collect())),
        Err(Refusal::Silent(cause)) => return Err(error::silent(&cause)),
    };
    let (courses, sections) = make(plan, &term, now);
    let new: Vec<Course> =
        courses.iter().filter(|(_, is_new)| *is_new).map(|(course, _)| course.clone()).collect();
    store::course::insert(&tx, &new, now).await?;
    store::section::insert(&tx, &sections, now).await?;
    let answer = ImportCoursesResponse {
        courses: courses.iter().map(|(course, _)| convert::course(course)).collect(),
        sections: sections.iter().map(convert::section).collect(),
        errors: Vec::new(),
    };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: ImportCoursesRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let term_id = fields.id("term_id", &request.term_id);
    let file = fields.rule("file", request.file.ok_or("must be there"));
    let format = file.as_ref().and_then(|file| {
        let format = match file.format() {
            FormatMessage::Xlsx => Ok(Format::Xlsx),
            FormatMessage::Csv => Ok(Format::Csv),
            FormatMessage::Unspecified => Err("must be XLSX or CSV"),
        };
        fields.rule("file.format", format)
    });
    let command = request_id.zip(term_id).zip(file.zip(format));
    fields.finish(command.map(|((request_id, term_id), (file, format))| Command {
        request_id,
        term_id,
        file,
        format,
    }))
}

/// Reads the file, where blocking is allowed; the inner error is what is wrong with its header or its cells.
async fn read(
    format: Format,
    content: Vec<u8>,
    now: Moment,
) -> Result<Result<Vec<Row>, Vec<RowMessage>>, Status> {
    let read = move || Table::read(format, &content, Limits::default()).map(|table| rows(&table, now));
    match tokio::task::spawn_blocking(read).await.map_err(|error| internal(&error))? {
        Ok(rows) => Ok(rows),
        Err(TableError::ColumnRepeated(column)) => Ok(Err(vec![header_error(&column, "VALUE_INVALID")])),
        Err(error) => {
            let mut violations = Violations::default();
            violations.note("file.content", error.to_string());
            Err(invalid(&violations))
        }
    }
}

fn rows(table: &Table, now: Moment) -> Result<Vec<Row>, Vec<RowMessage>> {
    let missing =
        table.missing(&import::COLUMNS).into_iter().map(|column| header_error(column, "COLUMN_MISSING"));
    let mut errors: Vec<RowMessage> = missing.collect();
    errors.extend(table.bad_cells().iter().map(|cell| RowMessage {
        row: number(cell.row_number),
        column: cell.column.clone(),
        reason: "VALUE_INVALID".to_owned(),
        value: cut(&cell.text),
    }));
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut ids: Vec<Id<value::Section>> = table.rows().map(|_| random::id(now)).collect();
    // In row order, so that sections are read back as they were written.
    ids.sort_unstable();
    let rows = table.rows().zip(ids).map(|(row, section_id)| {
        let text = |column| row.cell(column).to_owned();
        let plain = |column| narrow(row.cell(column)).trim().to_owned();
        Row {
            number: row.number(),
            section_id,
            title: text(import::TITLE),
            category: text(import::CATEGORY),
            content_kind: plain(import::CONTENT_KIND),
            description: text(import::DESCRIPTION),
            grades: plain(import::GRADES),
            capacity: whole(&plain(import::CAPACITY)).into_owned(),
            slots: plain(import::SLOTS),
            room: text(import::ROOM),
            instructor_name: text(import::INSTRUCTOR),
            provider: plain(import::PROVIDER),
        }
    });
    Ok(rows.collect())
}

/// Gives ids to what is new: courses in the order first named, each with whether it is new, and their sections in row order.
fn make(plan: import::Plan, term: &Term, now: Moment) -> (Vec<(Course, bool)>, Vec<Section>) {
    let mut ids: Vec<Id<value::Course>> = plan.courses.iter().map(|_| random::id(now)).collect();
    ids.sort_unstable();
    let courses: Vec<(Course, bool)> = plan
        .courses
        .into_iter()
        .zip(ids)
        .map(|(course, id)| match course {
            PlannedCourse::Present(course) => (course, false),
            PlannedCourse::New { origin, content, flagged_words } => {
                let course =
                    Course { id, path: term.path, origin, content, flagged_words, state: State::Submitted };
                (course, true)
            }
        })
        .collect();
    let sections = plan.sections.into_iter().filter_map(|planned| {
        let (course, _) = courses.get(planned.course)?;
        Some(Section {
            id: planned.id,
            term_id: term.id,
            course: course.clone(),
            arrangement: planned.arrangement,
            state: section::State::Arranged,
        })
    });
    let sections = sections.collect();
    (courses, sections)
}

fn refused(errors: Vec<RowMessage>) -> ImportCoursesResponse {
    ImportCoursesResponse { courses: Vec::new(), sections: Vec::new(), errors }
}

fn header_error(column: &str, reason: &str) -> RowMessage {
    RowMessage { row: 1, column: column.to_owned(), reason: reason.to_owned(), value: String::new() }
}

fn row_error(error: &RowError) -> RowMessage {
    let reason = match error.reason {
        Reason::ValueInvalid => "VALUE_INVALID",
        Reason::SlotUnknown => "SLOT_UNKNOWN",
        Reason::RowDuplicate => "ROW_DUPLICATE",
        Reason::RoomTaken => "ROOM_TAKEN",
        Reason::InstructorTaken => "INSTRUCTOR_TAKEN",
        Reason::ContentBanned => "CONTENT_BANNED",
        Reason::ThirdPartyExcluded => "THIRD_PARTY_EXCLUDED",
        Reason::ThirdPartySubjectExam => "THIRD_PARTY_SUBJECT_EXAM",
        Reason::ProviderNotListed => "PROVIDER_NOT_LISTED",
        Reason::ProviderListedElsewhere => "PROVIDER_LISTED_ELSEWHERE",
        Reason::ProviderSuspended => "PROVIDER_SUSPENDED",
    };
    RowMessage {
        row: number(error.row),
        column: error.column.to_owned(),
        reason: reason.to_owned(),
        value: cut(&error.value),
    }
}

fn number(row: u32) -> i32 {
    i32::try_from(row).unwrap_or(i32::MAX)
}

/// The first 64 characters.
fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}
