//! Opens a question of one pupil.

use proto::enrollment::v1::{OpenQuestionRequest, OpenQuestionResponse};
use shared::caller::{Caller, StaffPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil as PupilKind, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, STAFF};
use super::{DayRpc, convert};
use crate::domain::day::duty::Post;
use crate::domain::day::local;
use crate::domain::day::question::{Question, State};
use crate::domain::pupil::Pupil;
use crate::store;

struct Parsed {
    pupil_id: Id<PupilKind>,
    subject: String,
    topic: String,
}

/// Opens a question.
pub async fn open_question(
    rpc: &DayRpc,
    caller: &Caller,
    request: OpenQuestionRequest,
) -> Result<OpenQuestionResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let subject = violations.text("subject", &request.subject, 1, 20);
    let topic = violations.text("topic", &request.topic, 1, 100);
    let (Some(request_id), Some(pupil_id), Some(subject), Some(topic)) =
        (request_id, pupil_id, subject, topic)
    else {
        return Err(status::invalid(&violations));
    };
    let by = caller.key();
    let content = OpenQuestionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "OpenQuestion", request_id, &content);
    let parsed = Parsed { pupil_id, subject, topic };
    db::retry(|| open(rpc, &permit, &key, &parsed, &by)).await
}

async fn open(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<OpenQuestionResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("pupil", parsed.pupil_id);
    let pupil = store::pupil::find(&tx, parsed.pupil_id).await?.ok_or_else(unknown)?;
    if !may_help(rpc, &tx, permit, &pupil).await? {
        return Err(unknown());
    }
    let now = rpc.clock.now();
    let question = Question {
        id: random::id(now),
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        class_id: pupil.path.get(3).copied().ok_or_else(unknown)?,
        pupil_id: pupil.id,
        subject: parsed.subject.clone(),
        topic: parsed.topic.clone(),
        opener: by.to_owned(),
        created_at: now,
        state: State::Open,
    };
    store::day::question::insert(&tx, &question).await?;
    let response = OpenQuestionResponse { question: Some(convert::question(&question)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Whether the caller helps a pupil today: answers for them, holds them, or is named for a section they sit in.
pub async fn may_help(rpc: &DayRpc, tx: &Tx, permit: &StaffPermit, pupil: &Pupil) -> Result<bool, Status> {
    let today = local::day(rpc.clock.now());
    let duties = store::day::duty::list(tx, pupil.district_id, pupil.school_id, today, today).await?;
    if sight::answers_for(permit, pupil, &duties, today) {
        return Ok(true);
    }
    let custody = store::day::custody::find_all(tx, pupil.district_id, [pupil.id], today).await?.pop();
    if custody.is_some_and(|custody| sight::holds(permit, &custody.state, &duties, today)) {
        return Ok(true);
    }
    let seats = store::enrollment::find_for(tx, &[pupil.district_id].into(), &[pupil.id], &[]).await?;
    let mut seats = seats.iter().filter(|seat| seat.state.is_counted());
    Ok(seats
        .any(|seat| duties.iter().any(|duty| duty.names(permit.id(), Post::Section(seat.section_id), today))))
}
