//! Says when a pupil leaves on a weekday.

use proto::enrollment::v1::{SetDismissalRequest, SetDismissalResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Batch as BatchKind, Id, Pupil, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::{DayRpc, convert, error};
use crate::domain::day::dismissal::{self, Choice, Source};
use crate::domain::day::local;
use crate::store::day::dismissal::NewChoice;
use crate::{custody, store};

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<Pupil>,
    weekday: i32,
    leaving: Leaving,
}

/// When, as the guardian says.
enum Leaving {
    AtEnd,
    At(i32),
    With(Id<BatchKind>),
}

/// Says when a pupil leaves.
pub async fn set_dismissal(
    rpc: &DayRpc,
    caller: &Caller,
    request: SetDismissalRequest,
) -> Result<SetDismissalResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    permit.pupil(parsed.pupil_id)?;
    let by = caller.key();
    let content = SetDismissalRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "SetDismissal", parsed.request_id, &content);
    db::retry(|| set(rpc, &key, &parsed, &by)).await
}

fn parse(request: &SetDismissalRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    violations.check("weekday", (1..=7).contains(&request.weekday), "must be 1 to 7");
    let leaving = match (request.time.as_str(), request.batch_id.as_str()) {
        ("", "") => Some(Leaving::AtEnd),
        ("", batch_id) => violations.field("batch_id", batch_id.parse()).map(Leaving::With),
        (time, batch_id) => {
            violations.check("batch_id", batch_id.is_empty(), "must be empty beside a time of one's own");
            violations.field("time", local::time(time).ok_or("must be HH:MM")).map(Leaving::At)
        }
    };
    match (request_id, pupil_id, leaving) {
        (Some(request_id), Some(pupil_id), Some(leaving)) if violations.is_empty() => {
            Ok(Parsed { request_id, pupil_id, weekday: request.weekday, leaving })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn set(
    rpc: &DayRpc,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<SetDismissalResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let (minute, batch_id) = match parsed.leaving {
        Leaving::AtEnd => (None, None),
        Leaving::At(minute) => (Some(minute), None),
        Leaving::With(id) => {
            let batch = store::day::dismissal::find_batch(&tx, id).await?;
            let batch = batch.filter(|batch| batch.school_id == pupil.school_id);
            let batch = batch.ok_or_else(|| status::not_found("batch", id))?;
            (Some(batch.minute), Some(id))
        }
    };
    let ends = custody::weekly_ends(&tx, std::slice::from_ref(&pupil), None).await?;
    let end_minute = ends.get(&(pupil.id, parsed.weekday)).copied();
    dismissal::choose(minute, end_minute).map_err(|refusal| error::dismissal(&refusal))?;
    let choice = Choice { source: Source::Guardian, minute, created_at: rpc.clock.now() };
    let new = NewChoice { pupil_id: pupil.id, weekday: parsed.weekday, choice, batch_id };
    store::day::dismissal::insert_choices(&tx, pupil.district_id, &[new], by).await?;
    let shown = convert::dismissal(parsed.weekday, end_minute.unwrap_or_default(), Some(&choice));
    let response = SetDismissalResponse { dismissal: Some(shown) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
