//! Enrols the pupils of a table in a school's classes.

use std::collections::HashMap;

use proto::identity::v1::{ImportPupilsRequest, ImportPupilsResponse};
use shared::caller::{Caller, Role};
use shared::db::Tx;
use shared::random;
use shared::status;
use shared::table::{Row, Table, narrow};
use shared::value::{self, Id, Violations};
use tonic::Status;

use super::answer::{self, Asked, Outcome};
use super::table::{self, Cells, plain};
use super::{Given, convert};
use crate::domain::fault::{Fault, Reason};
use crate::domain::node::{Kind, Node};
use crate::domain::person::{Name, Phone, PupilCode};
use crate::domain::pupil::{self, Change, Draft, State, column};
use crate::event::{self, Told};
use crate::store;
use crate::store::audit::Action;

/// What separates two numbers in a cell.
const SEPARATORS: [char; 4] = [';', ',', '/', '、'];

/// See the contract.
///
/// # Errors
/// See the contract.
pub async fn import_pupils(
    given: &Given,
    caller: &Caller,
    request: &ImportPupilsRequest,
) -> Result<ImportPupilsResponse, Status> {
    let permit = caller.staff(&[Role::Principal, Role::TeachingOffice, Role::MoralEducation])?;
    let mut violations = Violations::default();
    let request_id = answer::parse_id(&mut violations, &request.request_id);
    let school_id = violations.field("school_id", request.school_id.parse::<Id<value::Node>>());
    let format = table::format(&mut violations, request.file.as_ref());
    let (Some(request_id), Some(school_id), Some(format)) = (request_id, school_id, format) else {
        return Err(status::invalid(&violations));
    };
    let content = ImportPupilsRequest { request_id: String::new(), ..request.clone() };
    let asked = Asked::new(&given.vault, caller, "ImportPupils", request_id, &content);
    // Whoever may not know of the school learns nothing from how its file is read.
    let school = store::node::find(given.db.read(), school_id).await.map_err(Status::from)?;
    let school = school
        .filter(|node| node.kind == Kind::School)
        .ok_or_else(|| status::not_found("school", school_id))?;
    permit.reach(&convert::node_path(&school.path), "school", school_id)?;
    let drafts = match table::read(format, request.file.as_ref(), column::ALL).await? {
        Ok(table) => parse(&table),
        Err(faults) => Err(faults),
    };

    let tx = given.db.begin().await?;
    let claim = match asked.claim(&tx, &given.vault, given.clock.now()).await? {
        Outcome::First(claim) => claim,
        Outcome::Again(answer) => return Ok(answer),
    };
    store::node::lock(&tx, school_id).await?;
    let changes = match drafts {
        Ok(drafts) => compare(given, &tx, &school, drafts).await?,
        Err(faults) => Err(faults),
    };
    let response = match changes {
        Ok((changes, classes)) => {
            save(given, &tx, &caller.key(), &school, &classes, &changes).await?;
            let enrolled = changes.iter().filter(|change| change.is_new).count();
            let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
            ImportPupilsResponse {
                enrolled_count: count(enrolled),
                changed_count: count(changes.len() - enrolled),
                errors: Vec::new(),
            }
        }
        Err(faults) => ImportPupilsResponse {
            enrolled_count: 0,
            changed_count: 0,
            errors: faults.iter().map(convert::fault).collect(),
        },
    };
    claim.answer(&tx, &given.vault, &response).await?;
    tx.commit().await?;
    Ok(response)
}

async fn compare(
    given: &Given,
    tx: &Tx,
    school: &Node,
    drafts: Vec<Draft>,
) -> Result<Result<(Vec<Change>, Vec<Node>), Vec<Fault>>, Status> {
    let classes = store::node::classes(tx, school.id).await?;
    let known = store::pupil::of_school(tx, &given.vault, school.id).await?;
    let now = given.clock.now();
    let changes = pupil::compare(drafts, &classes, &known, || random::id(now));
    Ok(changes.map(|changes| (changes, classes)))
}

async fn save(
    given: &Given,
    tx: &Tx,
    actor: &str,
    school: &Node,
    classes: &[Node],
    changes: &[Change],
) -> Result<(), Status> {
    let now = given.clock.now();
    let pupils: Vec<_> = changes.iter().map(|change| change.pupil.clone()).collect();
    store::pupil::save_all(tx, &given.vault, &pupils, now).await?;
    let classes: HashMap<_, _> = classes.iter().map(|class| (class.id, class)).collect();
    let told = changes.iter().filter_map(|change| {
        let class = classes.get(change.pupil.path.last()?)?;
        Told::pupil_changed(change, class, school)
    });
    event::tell(tx, &told.collect::<Vec<_>>(), now).await?;
    store::audit::append(tx, actor, Action::ImportPupils, school, changes.len(), now).await?;
    Ok(())
}

/// Reads the cells of every row.
fn parse(table: &Table) -> Result<Vec<Draft>, Vec<Fault>> {
    let mut faults = Vec::new();
    let drafts: Vec<_> = table.rows().filter_map(|row| parse_row(row, &mut faults)).collect();
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

fn parse_row(row: Row<'_>, faults: &mut Vec<Fault>) -> Option<Draft> {
    let mut cells = Cells::new(row, faults);
    let code = PupilCode::parse(&plain(row, column::CODE)).ok();
    let code = cells.take(column::CODE, code, Reason::ValueInvalid, false);
    let name = cells.take(column::NAME, Name::parse(row.cell(column::NAME)).ok(), Reason::ValueInvalid, true);
    let grade = plain(row, column::GRADE).parse::<i32>().ok().filter(|grade| (1..=9).contains(grade));
    let grade = cells.take(column::GRADE, grade, Reason::ValueInvalid, false);
    // A class's name may have full-width brackets; its code is plain.
    let class = Some(row.cell(column::CLASS).to_owned()).filter(|class| !class.is_empty());
    let class = cells.take(column::CLASS, class, Reason::ClassUnknown, false);
    let phones =
        cells.take(column::PHONES, parse_phones(row.cell(column::PHONES)), Reason::PhoneInvalid, true);
    let state = match row.cell(column::STATE) {
        "" => Some(State::Enrolled),
        word => State::ALL.iter().copied().find(|state| state.word() == word),
    };
    let state = cells.take(column::STATE, state, Reason::ValueInvalid, false);
    Some(Draft {
        row: row.number(),
        code: code?,
        name: name?,
        class: class?,
        grade: grade?,
        phones: phones?,
        state: state?,
    })
}

/// One or two numbers; the same twice is one.
fn parse_phones(cell: &str) -> Option<Vec<Phone>> {
    let cell = narrow(cell);
    let mut phones: Vec<Phone> = Vec::new();
    for text in cell.split(SEPARATORS).map(str::trim).filter(|text| !text.is_empty()) {
        let phone = Phone::parse(&shared::table::whole(text)).ok()?;
        if !phones.contains(&phone) {
            phones.push(phone);
        }
    }
    (1..=2).contains(&phones.len()).then_some(phones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_numbers_are_read_however_they_are_written() {
        let table = [
            ("13800138000", 1),
            ("13800138000.0", 1),
            ("1.3800138000E+10", 1),
            ("13800138000;13900139000", 2),
            ("13800138000； 13900139000", 2),
            ("１３８００１３８０００、13900139000;", 2),
            ("13800138000;13800138000", 1),
        ];
        for (cell, count) in table {
            assert_eq!(parse_phones(cell).map(|phones| phones.len()), Some(count), "{cell}");
        }
        for cell in [
            "",
            ";",
            "1.38E+10",
            "1.38001E+10",
            "13800138000;1390013900",
            "13800138000;13900139000;13700137000",
        ] {
            assert_eq!(parse_phones(cell), None, "{cell}");
        }
    }
}
