//! Approves or declines the next open step of an enrollment.

use proto::enrollment::v1::{DecideStepRequest, DecideStepResponse};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Enrollment as EnrollmentKind, Id, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, convert, error};
use crate::domain::enrollment::{self, Enrollment};
use crate::{change, store};

/// Who may hold a step.
const ROLES: &[Role] = &[Role::ClassTeacher, Role::MoralEducation, Role::TeachingOffice, Role::Principal];

/// The longest reason, in characters.
const REASON_LENGTH: usize = 400;

struct Parsed {
    request_id: Uuid,
    enrollment_id: Id<EnrollmentKind>,
    step_key: String,
    decision: Decision,
}

enum Decision {
    Approve,
    Decline { reason: String },
}

/// Decides a step.
pub async fn decide_step(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: DecideStepRequest,
) -> Result<DecideStepResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let parsed = parse(&request)?;
    let key = RequestKey::new(
        &caller.key(),
        "DecideStep",
        parsed.request_id,
        &DecideStepRequest { request_id: String::new(), ..request },
    );
    let response = db::retry(|| decide(rpc, &permit, &key, &parsed)).await?;
    Ok(response)
}

fn parse(request: &DecideStepRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let enrollment_id = violations.field("enrollment_id", request.enrollment_id.parse());
    let step_key = violations.text("step_key", &request.step_key, 1, 64);
    let reason = violations.text("reason", &request.reason, 0, REASON_LENGTH);
    match (request_id, enrollment_id, step_key, reason) {
        (Some(request_id), Some(enrollment_id), Some(step_key), Some(reason)) => {
            let decision = match (request.approved, reason.is_empty()) {
                (true, _) => Decision::Approve,
                (false, false) => Decision::Decline { reason },
                (false, true) => return Err(status::refused("REASON_REQUIRED", &[])),
            };
            Ok(Parsed { request_id, enrollment_id, step_key, decision })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn decide(
    rpc: &EnrollmentRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
) -> Result<DecideStepResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let locked = change::lock(&tx, parsed.enrollment_id).await?;
    let locked = locked.ok_or_else(|| error::no_enrollment(parsed.enrollment_id))?;
    check_role(permit, &locked.enrollment, &parsed.step_key)?;
    let now = tx.now(rpc.clock.as_ref()).await?;
    let decided = match &parsed.decision {
        Decision::Approve => enrollment::approve_step(&locked.enrollment, &parsed.step_key, now),
        Decision::Decline { reason } => {
            enrollment::decline(&locked.enrollment, &parsed.step_key, reason, now)
        }
    };
    let change = decided.map_err(|refusal| error::enrollment(&refusal, &locked.enrollment))?;
    let mut sections = [locked.section];
    let changed = change::make(&tx, &mut sections, vec![(locked.enrollment, change)], now).await?;
    let [section] = &sections;
    let positions = store::enrollment::positions(&tx, &changed).await?;
    let enrollment = changed.first().map(|changed| {
        let position = positions.get(&changed.id).copied().unwrap_or(0);
        convert::enrollment(changed, &section.title, position, convert::Reader::Staff)
    });
    let response = DecideStepResponse { enrollment };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget([section.id]);
    Ok(response)
}

/// Whoever does not reach the pupil does not learn of the enrollment; whoever does and has another role is told so.
fn check_role(permit: &StaffPermit, enrollment: &Enrollment, step_key: &str) -> Result<(), Status> {
    let path = NodePath::new(enrollment.pupil_path.clone());
    permit.reach(&path, "enrollment", enrollment.id)?;
    let step = enrollment.steps.list().iter().find(|step| step.key == step_key);
    let step = step.ok_or_else(|| error::enrollment(&enrollment::Error::StepUnknown, enrollment))?;
    let is_theirs = step.role.parse().is_ok_and(|role| permit.holds(role, &path));
    if is_theirs { Ok(()) } else { Err(status::denied("ROLE_NOT_ALLOWED")) }
}
