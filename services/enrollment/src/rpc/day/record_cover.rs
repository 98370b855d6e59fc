//! Records a period in which a school's service is insured.

use proto::enrollment::v1::cover::Kind as KindMessage;
use proto::enrollment::v1::{RecordCoverRequest, RecordCoverResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, School, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{DayRpc, convert, parse, sight};
use crate::domain::day::cover::{Cover, Kind};
use crate::store;

/// Who records covers.
const ROLES: &[Role] = &[Role::TeachingOffice, Role::Principal, Role::SchoolFinance];

struct Parsed {
    request_id: Uuid,
    school_id: Id<School>,
    kind: Kind,
    insurer: String,
    policy_number: String,
    first_day: chrono::NaiveDate,
    last_day: chrono::NaiveDate,
}

/// Records a cover.
pub async fn record_cover(
    rpc: &DayRpc,
    caller: &Caller,
    request: RecordCoverRequest,
) -> Result<RecordCoverResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let parsed = parse(&request)?;
    let path = sight::school(rpc, &permit, parsed.school_id).await?;
    permit.reach(&path, "school", parsed.school_id)?;
    let by = caller.key();
    let content = RecordCoverRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "RecordCover", parsed.request_id, &content);
    db::retry(|| record(rpc, &key, &parsed, &path, &by)).await
}

fn parse(request: &RecordCoverRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse());
    let kind = match request.kind() {
        KindMessage::Unspecified => Err("must be school_liability or pupil_accident"),
        KindMessage::SchoolLiability => Ok(Kind::SchoolLiability),
        KindMessage::PupilAccident => Ok(Kind::PupilAccident),
    };
    let kind = violations.field("kind", kind);
    let insurer = violations.text("insurer", &request.insurer, 1, 40);
    let policy_number = violations.text("policy_number", &request.policy_number, 1, 40);
    let first_day = parse::day(&mut violations, "first_day", &request.first_day);
    let last_day = parse::day(&mut violations, "last_day", &request.last_day);
    if let (Some(first), Some(last)) = (first_day, last_day) {
        violations.check("last_day", first <= last, "must not be before first_day");
    }
    match (request_id, school_id, kind, insurer, policy_number, first_day, last_day) {
        (
            Some(request_id),
            Some(school_id),
            Some(kind),
            Some(insurer),
            Some(policy_number),
            Some(first_day),
            Some(last_day),
        ) if violations.is_empty() => {
            Ok(Parsed { request_id, school_id, kind, insurer, policy_number, first_day, last_day })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn record(
    rpc: &DayRpc,
    key: &RequestKey,
    parsed: &Parsed,
    path: &NodePath,
    by: &str,
) -> Result<RecordCoverResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let now = rpc.clock.now();
    let cover = Cover {
        id: random::id(now),
        district_id: sight::district(path, parsed.school_id)?,
        school_id: parsed.school_id,
        kind: parsed.kind,
        insurer: parsed.insurer.clone(),
        policy_number: parsed.policy_number.clone(),
        first_day: parsed.first_day,
        last_day: parsed.last_day,
    };
    store::day::cover::insert(&tx, &cover, by, now).await?;
    let response = RecordCoverResponse { cover: Some(convert::cover(&cover)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
