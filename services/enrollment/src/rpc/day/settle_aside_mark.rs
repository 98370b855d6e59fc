//! Settles a mark that waits: takes it up as a correction, or dismisses it.

use proto::enrollment::v1::{SettleAsideMarkRequest, SettleAsideMarkResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{AsideMark as AsideMarkKind, Id, Moment, Pupil, Section, Slot, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::correct_mark::REASON_LENGTH;
use super::sight::{self, OFFICE};
use super::{DayRpc, convert, error, parse};
use crate::domain::day::aside::{self, AsideMark, Settlement};
use crate::domain::day::lesson::Key;
use crate::domain::day::register::{Mark, Source};
use crate::store;

struct Parsed {
    request_id: Uuid,
    id: Id<AsideMarkKind>,
    taken_up: bool,
    pupil_id: Option<Id<Pupil>>,
    section_id: Option<Id<Section>>,
    slot_id: Option<Id<Slot>>,
    reason: String,
}

/// Settles a mark.
pub async fn settle_aside_mark(
    rpc: &DayRpc,
    caller: &Caller,
    request: SettleAsideMarkRequest,
) -> Result<SettleAsideMarkResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = SettleAsideMarkRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "SettleAsideMark", parsed.request_id, &content);
    db::retry(|| settle(rpc, &permit, &key, &parsed, &by)).await
}

fn parse(request: &SettleAsideMarkRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let id = violations.field("aside_mark_id", request.aside_mark_id.parse());
    let pupil_id = parse::optional_id(&mut violations, "pupil_id", &request.pupil_id);
    let section_id = parse::optional_id(&mut violations, "section_id", &request.section_id);
    let slot_id = parse::optional_id(&mut violations, "slot_id", &request.slot_id);
    let reason = violations.text("reason", &request.reason, 0, REASON_LENGTH);
    match (request_id, id, pupil_id, section_id, slot_id, reason) {
        (Some(request_id), Some(id), Some(pupil_id), Some(section_id), Some(slot_id), Some(reason)) => {
            if reason.is_empty() {
                return Err(status::refused("REASON_REQUIRED", &[]));
            }
            Ok(Parsed { request_id, id, taken_up: request.taken_up, pupil_id, section_id, slot_id, reason })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn settle(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<SettleAsideMarkResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("aside_mark", parsed.id);
    let found = store::day::aside::find(&tx, parsed.id).await?.ok_or_else(unknown)?;
    permit.reach(&NodePath::new(found.path.clone()), "aside_mark", parsed.id)?;
    let now = rpc.clock.now();
    let settlement = Settlement { settler: by.to_owned(), note: parsed.reason.clone(), settled_at: now };
    // The lesson's lock first: see the lock order.
    let into = if parsed.taken_up { Some(lesson_of(rpc, &tx, permit, parsed, &found).await?) } else { None };
    let locked = store::day::aside::lock(&tx, parsed.id).await?.ok_or_else(unknown)?;
    let next = aside::settle(&locked, parsed.taken_up, settlement).map_err(error::settled)?;
    if let Some(next) = &next {
        if let Some(lesson) = &into {
            let mark = correction(parsed, &locked, lesson.id, by, now)?;
            check_pupil(rpc, &mark, &locked).await?;
            store::day::mark::insert_all(&tx, lesson, std::slice::from_ref(&mark)).await?;
        }
        store::day::aside::save_state(&tx, &locked, next).await?;
    }
    let settled = AsideMark { state: next.unwrap_or_else(|| locked.state.clone()), ..locked };
    let response = SettleAsideMarkResponse { mark: Some(convert::aside_mark(&settled)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The lesson into whose register it is written: the mark's own, or the one the caller names.
async fn lesson_of(
    rpc: &DayRpc,
    tx: &Tx,
    permit: &StaffPermit,
    parsed: &Parsed,
    found: &AsideMark,
) -> Result<crate::domain::day::lesson::Lesson, Status> {
    let section_id = parsed.section_id.or(found.lesson.map(|lesson| lesson.section_id));
    let slot_id = parsed.slot_id.or(found.lesson.map(|lesson| lesson.slot_id));
    let (Some(section_id), Some(slot_id)) = (section_id, slot_id) else {
        return Err(status::refused("NO_LESSON", &[]));
    };
    let key = Key { section_id, day: found.day, slot_id };
    let (section, _, _) = sight::section(rpc, permit, key).await?;
    sight::lock(rpc, tx, &section, key).await
}

fn correction(
    parsed: &Parsed,
    found: &AsideMark,
    lesson_id: Id<shared::value::Lesson>,
    by: &str,
    now: Moment,
) -> Result<Mark, Status> {
    let pupil_id = parsed.pupil_id.or(found.pupil_id);
    let pupil_id = pupil_id.ok_or_else(|| status::not_found("pupil", ""))?;
    Ok(Mark {
        id: random::id(now),
        lesson_id,
        pupil_id,
        standing: found.said.standing,
        source: Source::Correction { reason: parsed.reason.clone() },
        recorder: by.to_owned(),
        created_at: now,
    })
}

/// Whoever is written into a register is a pupil of the school, on the register before or not.
async fn check_pupil(rpc: &DayRpc, mark: &Mark, found: &AsideMark) -> Result<(), Status> {
    match store::pupil::find(rpc.db.read(), mark.pupil_id).await? {
        Some(pupil) if pupil.school_id == found.school_id => Ok(()),
        Some(_) | None => Err(status::not_found("pupil", mark.pupil_id)),
    }
}
