//! Says, after the fact and with a reason, how a pupil stood.

use proto::enrollment::v1::{CorrectMarkRequest, CorrectMarkResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::sight::{self, OFFICE};
use super::{DayRpc, convert, error, parse};
use crate::domain::day::lesson::{self, Key};
use crate::domain::day::register::{Mark, Source, Standing};
use crate::register::Registers;
use crate::store;

/// The longest reason, in characters.
pub const REASON_LENGTH: usize = 200;

struct Parsed {
    request_id: Uuid,
    key: Key,
    pupil_id: Id<Pupil>,
    standing: Standing,
    reason: String,
}

/// Corrects a register.
pub async fn correct_mark(
    rpc: &DayRpc,
    caller: &Caller,
    request: CorrectMarkRequest,
) -> Result<CorrectMarkResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = CorrectMarkRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "CorrectMark", parsed.request_id, &content);
    db::retry(|| correct(rpc, &permit, &key, &parsed, &by)).await
}

fn parse(request: &CorrectMarkRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let key = parse::lesson(&mut violations, &request.section_id, &request.day, &request.slot_id);
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let standing = parse::standing(request.state);
    let standing = violations.field("state", standing.ok_or("must say how the pupil stood"));
    let reason = violations.text("reason", &request.reason, 0, REASON_LENGTH);
    match (request_id, key, pupil_id, standing, reason) {
        (Some(request_id), Some(key), Some(pupil_id), Some(standing), Some(reason)) => {
            if reason.is_empty() {
                return Err(status::refused("REASON_REQUIRED", &[]));
            }
            Ok(Parsed { request_id, key, pupil_id, standing, reason })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn correct(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<CorrectMarkResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (section, _, duties) = sight::section(rpc, permit, parsed.key).await?;
    permit.reach(&NodePath::new(section.path.clone()), "section", section.id)?;
    let lesson = sight::lock(rpc, &tx, &section, parsed.key).await?;
    let now = rpc.clock.now();
    lesson::begun(&lesson, now).map_err(|error| error::lesson(&error))?;
    let mut registers = Registers::read(&tx, std::slice::from_ref(&lesson)).await?;
    if !registers.lines(&lesson).iter().any(|line| line.pupil_id == parsed.pupil_id) {
        return Err(status::refused("PUPIL_NOT_ON_REGISTER", &[("pupil_id", parsed.pupil_id.to_string())]));
    }
    let mark = Mark {
        id: random::id(now),
        lesson_id: lesson.id,
        pupil_id: parsed.pupil_id,
        standing: parsed.standing,
        source: Source::Correction { reason: parsed.reason.clone() },
        recorder: by.to_owned(),
        created_at: now,
    };
    store::day::mark::insert_all(&tx, &lesson, std::slice::from_ref(&mark)).await?;
    registers.add([mark.clone()]);
    let warnings = sight::warnings(rpc, &lesson, &duties).await?;
    let sum = registers.tally(&lesson);
    let response = CorrectMarkResponse {
        mark: Some(convert::mark(&mark, true)),
        lesson: Some(convert::lesson(&lesson, &section.title, sum, &warnings, now)),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
