//! Asks for a pupil to stay after the service's end. Nothing is told of it: nobody who charges is to hear of it.

use proto::enrollment::v1::{AskExtendedCareRequest, AskExtendedCareResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Pupil as PupilKind, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::{DayRpc, convert, error, parse};
use crate::domain::day::custody::{Custody, State};
use crate::domain::day::dismissal::{self, ExtendedCare};
use crate::domain::day::local;
use crate::domain::pupil::Pupil;
use crate::{custody, store};

struct Parsed {
    pupil_id: Id<PupilKind>,
    day: chrono::NaiveDate,
    until_minute: i32,
}

/// Asks for extended care.
pub async fn ask_extended_care(
    rpc: &DayRpc,
    caller: &Caller,
    request: AskExtendedCareRequest,
) -> Result<AskExtendedCareResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let day = parse::day(&mut violations, "day", &request.day);
    let until = violations.field("until", local::time(&request.until).ok_or("must be HH:MM"));
    let (Some(request_id), Some(pupil_id), Some(day), Some(until_minute)) =
        (request_id, pupil_id, day, until)
    else {
        return Err(status::invalid(&violations));
    };
    permit.pupil(pupil_id)?;
    let content = AskExtendedCareRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AskExtendedCare", request_id, &content);
    let parsed = Parsed { pupil_id, day, until_minute };
    db::retry(|| ask(rpc, &permit, &key, &parsed)).await
}

async fn ask(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
) -> Result<AskExtendedCareResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let now = rpc.clock.now();
    let care = ExtendedCare {
        id: random::id(now),
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        pupil_id: pupil.id,
        guardian_id: permit.id(),
        day: parsed.day,
        until_minute: parsed.until_minute,
        created_at: now,
        cancelled_at: None,
    };
    let ends = custody::service_ends(&tx, std::slice::from_ref(&pupil), parsed.day).await?;
    dismissal::extend(&care, ends.get(&pupil.id).copied()).map_err(|refusal| error::dismissal(&refusal))?;
    for standing in
        store::day::dismissal::standing_care(&tx, pupil.district_id, [pupil.id], parsed.day).await?
    {
        store::day::dismissal::cancel_care(&tx, &standing, now).await?;
    }
    store::day::dismissal::insert_care(&tx, &care).await?;
    put_off(&tx, &pupil, parsed.day, now).await?;
    let response = AskExtendedCareResponse { extended_care: Some(convert::extended_care(&care, "")) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Waits for a pupil who is here until the end that holds now; whoever was alerted is alerted anew after that.
pub async fn put_off(tx: &Tx, pupil: &Pupil, day: chrono::NaiveDate, now: Moment) -> Result<(), Status> {
    let held = store::day::custody::find_all(tx, pupil.district_id, [pupil.id], day).await?.pop();
    let Some(held) = held.filter(|custody| matches!(custody.state, State::Held(_))) else {
        return Ok(());
    };
    let due = custody::due(tx, std::slice::from_ref(pupil), day).await?;
    let due_at = due.get(&pupil.id).copied().unwrap_or(held.due_at);
    let alerted_at = held.alerted_at.filter(|_| due_at <= now);
    store::day::custody::save_due(tx, &Custody { due_at, alerted_at, ..held }).await?;
    Ok(())
}
