//! Sends a notice.

use std::collections::BTreeSet;

use proto::enrollment::v1::{SendNoticeRequest, SendNoticeResponse};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Notice as NoticeKind, School, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::{NoticeRpc, SENDERS, error};
use crate::domain::day::local;
use crate::domain::notice::{self, Audience, Notice};
use crate::rpc::day::parse::optional_id;
use crate::rpc::ruling;
use crate::store;

/// The longest title, in characters.
const TITLE_LENGTH: usize = 60;

/// The longest text, in characters.
const BODY_LENGTH: usize = 4_000;

/// The most classes addressed one by one.
const CLASS_COUNT: usize = 200;

/// The most keys a disclosure names.
const KEY_COUNT: usize = 40;

struct Parsed {
    request_id: Uuid,
    school_id: Id<School>,
    title: String,
    body: String,
    audience: Audience,
    disclosure_keys: Vec<String>,
    corrects: Option<Id<NoticeKind>>,
}

/// Sends a notice.
pub async fn send_notice(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: SendNoticeRequest,
) -> Result<SendNoticeResponse, Status> {
    let permit = caller.staff(SENDERS)?;
    let parsed = parse(&request)?;
    let path = school(&permit, &parsed)?;
    let content = SendNoticeRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SendNotice", parsed.request_id, &content);
    db::retry(|| send(rpc, &permit, &key, &parsed, &path)).await
}

fn parse(request: &SendNoticeRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse());
    let title = violations.text("title", &request.title, 1, TITLE_LENGTH);
    let body = violations.text("body", &request.body, 1, BODY_LENGTH);
    let audience = audience(&mut violations, request);
    let is_few = request.disclosure_keys.len() <= KEY_COUNT;
    violations.check("disclosure_keys", is_few, "must be at most 40");
    let keys = request.disclosure_keys.iter().take(KEY_COUNT).enumerate();
    let keys: BTreeSet<_> =
        keys.filter_map(|(at, key)| violations.text(&format!("disclosure_keys[{at}]"), key, 1, 64)).collect();
    let corrects = optional_id(&mut violations, "corrects_id", &request.corrects_id);
    match (request_id, school_id, title, body, corrects) {
        (Some(request_id), Some(school_id), Some(title), Some(body), Some(corrects))
            if violations.is_empty() =>
        {
            let disclosure_keys = keys.into_iter().collect();
            Ok(Parsed { request_id, school_id, title, body, audience, disclosure_keys, corrects })
        }
        _ => Err(status::invalid(&violations)),
    }
}

fn audience(violations: &mut Violations, request: &SendNoticeRequest) -> Audience {
    let is_grade = request.grades.iter().all(|grade| (1..=9).contains(grade));
    violations.check("grades", is_grade, "must be 1 to 9");
    let grades: BTreeSet<_> = request.grades.iter().copied().collect();
    violations.check("grades", grades.len() == request.grades.len(), "must be there once each");
    violations.check("class_ids", request.class_ids.len() <= CLASS_COUNT, "must be at most 200");
    let ids = request.class_ids.iter().take(CLASS_COUNT).enumerate();
    let classes: BTreeSet<Uuid> =
        ids.filter_map(|(at, id)| violations.field(&format!("class_ids[{at}]"), id.parse())).collect();
    let is_one = request.grades.is_empty() || request.class_ids.is_empty();
    violations.check("class_ids", is_one, "must be empty with grades");
    match (grades.is_empty(), classes.is_empty()) {
        (true, true) => Audience::School,
        (false, _) => Audience::Grades(grades),
        (true, false) => Audience::Classes(classes),
    }
}

/// The path of the school, as far as the caller may address the audience.
fn school(permit: &StaffPermit, parsed: &Parsed) -> Result<Vec<Uuid>, Status> {
    let grants = permit.grants().iter().filter(|grant| grant.path.school() == Some(parsed.school_id));
    let path = grants.clone().next().map(|grant| grant.path.nodes().iter().take(3).copied().collect());
    let path: Vec<Uuid> = path.ok_or_else(|| status::not_found("school", parsed.school_id))?;
    if grants.clone().any(|grant| grant.role != Role::ClassTeacher) {
        return Ok(path);
    }
    let own: BTreeSet<_> = grants.filter_map(|grant| grant.path.class().map(Id::uuid)).collect();
    match &parsed.audience {
        Audience::Classes(classes) if classes.is_subset(&own) => Ok(path),
        Audience::School | Audience::Grades(_) | Audience::Classes(_) => {
            Err(status::denied("ROLE_NOT_ALLOWED"))
        }
    }
}

async fn send(
    rpc: &NoticeRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    path: &[Uuid],
) -> Result<SendNoticeResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("school", parsed.school_id);
    let district_id = NodePath::new(path.to_vec()).district().ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let term = store::term::find_ruling(&tx, district_id, parsed.school_id, local::day(now)).await?;
    let term = term.ok_or_else(|| status::refused("NO_TERM", &[]))?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    notice::check_disclosure(&policy, &parsed.disclosure_keys).map_err(|refusal| error::notice(&refusal))?;
    if let Some(id) = parsed.corrects {
        let wrong = store::notice::find(&tx, id).await?.filter(|wrong| wrong.school_id == parsed.school_id);
        wrong.ok_or_else(|| error::unknown(id))?;
    }
    let pupils = store::notice::pupils_of_school(&tx, district_id, parsed.school_id).await?;
    let addressed: Vec<_> =
        pupils.iter().filter(|pupil| parsed.audience.has(pupil)).map(|pupil| pupil.id).collect();
    if addressed.is_empty() {
        return Err(error::notice(&notice::Error::AudienceEmpty));
    }
    let sent = Notice {
        id: random::id(now),
        district_id,
        school_id: parsed.school_id,
        path: path.to_vec(),
        term_id: term.id,
        title: parsed.title.clone(),
        body: parsed.body.clone(),
        audience: parsed.audience.clone(),
        disclosure_keys: parsed.disclosure_keys.clone(),
        corrects: parsed.corrects,
        sender_id: Some(permit.id()),
        sent_at: now,
    };
    store::notice::insert(&tx, &sent, &addressed).await?;
    let response = SendNoticeResponse {
        notice: Some(convert::notice(&sent, None, Reader::Staff)),
        expected_count: i32::try_from(addressed.len()).unwrap_or(i32::MAX),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
