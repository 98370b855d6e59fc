//! Names somebody who may take a pupil home, or lets the pupil go alone.

use proto::enrollment::v1::{self as message, AddCollectorRequest, AddCollectorResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, CollectorReader};
use super::{DayRpc, error, parse};
use crate::domain::day::collector::{self, Collector, Kind, Person, Phone, Relation, State};
use crate::domain::day::local;
use crate::store;

/// Digits of a code.
const CODE_DIGITS: u32 = 6;

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<Pupil>,
    kind: NewKind,
}

enum NewKind {
    Standing(Person),
    OneTime(Person, chrono::NaiveDate),
    Alone,
}

/// Names a collector.
pub async fn add_collector(
    rpc: &DayRpc,
    caller: &Caller,
    request: AddCollectorRequest,
) -> Result<AddCollectorResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request, local::day(rpc.clock.now()))?;
    permit.pupil(parsed.pupil_id)?;
    // Of what tells who it is only as much goes into the fingerprint as tells a repeat from a slip.
    let first = request.name.chars().take(1).collect();
    let last = request.phone.chars().rev().take(2).collect();
    let content = AddCollectorRequest { request_id: String::new(), name: first, phone: last, ..request };
    let key = RequestKey::new(&caller.key(), "AddCollector", parsed.request_id, &content);
    db::retry(|| add(rpc, &permit, &key, &parsed)).await
}

fn parse(request: &AddCollectorRequest, today: chrono::NaiveDate) -> Result<Parsed, Status> {
    use message::collector::Kind as KindMessage;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let kind = match request.kind() {
        KindMessage::Unspecified => {
            violations.note("kind", "must be standing, one_time or alone");
            None
        }
        KindMessage::Standing => {
            violations.check("day", request.day.is_empty(), "must be empty for a standing leave");
            person(&mut violations, request).map(NewKind::Standing)
        }
        KindMessage::OneTime => {
            let person = person(&mut violations, request);
            let day = parse::day(&mut violations, "day", &request.day);
            if let Some(day) = day {
                violations.check("day", today <= day, "must be today or later");
            }
            person.zip(day).map(|(person, day)| NewKind::OneTime(person, day))
        }
        KindMessage::Alone => {
            let texts = [("name", &request.name), ("phone", &request.phone), ("day", &request.day)];
            for (field, text) in texts {
                violations.check(field, text.is_empty(), "must be empty when the pupil goes alone");
            }
            violations.check("relation", request.relation == 0, "must be empty when the pupil goes alone");
            Some(NewKind::Alone)
        }
    };
    match (request_id, pupil_id, kind) {
        (Some(request_id), Some(pupil_id), Some(kind)) if violations.is_empty() => {
            Ok(Parsed { request_id, pupil_id, kind })
        }
        _ => Err(status::invalid(&violations)),
    }
}

fn person(violations: &mut Violations, request: &AddCollectorRequest) -> Option<Person> {
    use message::collector::Relation as Message;
    let name = violations.text("name", &request.name, 1, 40);
    let phone = Phone::parse(&request.phone).ok_or("must be a mobile number of 11 digits");
    let phone = violations.field("phone", phone);
    let relation = match Message::try_from(request.relation) {
        Ok(Message::Parent) => Ok(Relation::Parent),
        Ok(Message::Grandparent) => Ok(Relation::Grandparent),
        Ok(Message::Relative) => Ok(Relation::Relative),
        Ok(Message::Carer) => Ok(Relation::Carer),
        Ok(Message::Other) => Ok(Relation::Other),
        Ok(Message::Unspecified) | Err(_) => Err("must say how the person stands to the pupil"),
    };
    let relation = violations.field("relation", relation);
    Some(Person { name: name?, phone: phone?, relation: relation? })
}

async fn add(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
) -> Result<AddCollectorResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return again(rpc, permit, answer).await,
    };
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let others = store::day::collector::list(&tx, &rpc.vault, pupil.district_id, pupil.id).await?;
    let now = rpc.clock.now();
    let kind = match &parsed.kind {
        NewKind::Standing(person) => Kind::Standing(person.clone()),
        NewKind::OneTime(person, day) => Kind::OneTime {
            person: person.clone(),
            day: *day,
            code: random::code(CODE_DIGITS),
            wrong_code_count: 0,
        },
        NewKind::Alone => Kind::Alone,
    };
    let collector = Collector {
        id: random::id(now),
        district_id: pupil.district_id,
        pupil_id: pupil.id,
        guardian_id: permit.id(),
        kind,
        state: State::Allowed,
        created_at: now,
    };
    collector::add(&collector, &others).map_err(|refusal| error::collector(&refusal))?;
    store::day::collector::insert(&tx, &rpc.vault, &collector).await?;
    // The answer that is kept names no person: a repeat reads the row.
    let kept = message::Collector { id: collector.id.to_string(), ..Default::default() };
    claim.answer(&tx, &AddCollectorResponse { collector: Some(kept) }).await?;
    tx.commit().await?;
    let shown = convert::collector(&collector, CollectorReader::Guardian(permit.id()));
    Ok(AddCollectorResponse { collector: Some(shown) })
}

async fn again(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    answer: AddCollectorResponse,
) -> Result<AddCollectorResponse, Status> {
    let id = answer.collector.unwrap_or_default().id;
    let unknown = || status::not_found("collector", &id);
    let known = id.parse().map_err(|_| unknown())?;
    let collector = store::day::collector::find(rpc.db.read(), &rpc.vault, known).await?;
    let collector = collector.ok_or_else(unknown)?;
    let shown = convert::collector(&collector, CollectorReader::Guardian(permit.id()));
    Ok(AddCollectorResponse { collector: Some(shown) })
}
