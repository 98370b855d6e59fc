//! `OpenTerm`.

use proto::catalog::v1::{OpenTermRequest, OpenTermResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{Id, School};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::{Catalog, SCHOOL_STAFF, error, event};
use crate::domain::term::{self, Calendar, Term};
use crate::store;

struct Command {
    request_id: Uuid,
    school_id: Id<School>,
    name: String,
    calendar: Calendar,
}

/// Opens a term of a school.
pub async fn open_term(
    catalog: &Catalog,
    caller: &Caller,
    request: OpenTermRequest,
) -> Result<OpenTermResponse, Status> {
    let permit = caller.staff(SCHOOL_STAFF)?;
    let command = parse(&request)?;
    let content = OpenTermRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "OpenTerm", command.request_id, &content);

    let tx = catalog.db.begin().await?;
    let claim = match request::claim(&tx, &key, catalog.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let school_id = command.school_id;
    let school =
        store::node::lock_school(&tx, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    permit.reach(&convert::school_path(&school.path), "school", school_id)?;
    let others = store::term::of_school(&tx, &school.path).await?;
    let now = catalog.clock.now();
    let policy = school
        .ruled_by
        .on(&catalog.packs.packs(), command.calendar.first_day())
        .map_err(|cause| error::silent(&cause))?;
    term::open(&school, &command.calendar, &others, &policy)?;
    let term = Term {
        id: random::id(now),
        path: school.path,
        stage: school.stage,
        name: command.name,
        calendar: command.calendar,
        policy_version: policy.pin(),
        menu_version: 0,
    };
    store::term::insert(&tx, &term, now).await?;
    event::term_opened(&tx, &term, now).await?;
    let answer = OpenTermResponse { term: Some(convert::term(&term)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

fn parse(request: &OpenTermRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let school_id = fields.id("school_id", &request.school_id);
    let name = fields.text("name", &request.name, 1, 64);
    let first_day = fields.day("first_day", &request.first_day);
    let last_day = fields.day("last_day", &request.last_day);
    let off_days: Vec<_> = request
        .off_days
        .iter()
        .enumerate()
        .filter_map(|(index, day)| fields.day(&format!("off_days[{index}]"), day))
        .collect();
    let calendar = first_day.zip(last_day).and_then(|(first_day, last_day)| {
        let calendar = Calendar::new(first_day, last_day, off_days);
        let field = match calendar {
            Err(term::CalendarFault::OffDayOutside(_)) => "off_days",
            _ => "last_day",
        };
        fields.rule(field, calendar)
    });
    let command = request_id.zip(school_id).zip(name.zip(calendar));
    fields.finish(command.map(|((request_id, school_id), (name, calendar))| Command {
        request_id,
        school_id,
        name,
        calendar,
    }))
}
