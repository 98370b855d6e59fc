//! Lists who may take a pupil home, and who may not.

use proto::enrollment::v1::{ListCollectorsRequest, ListCollectorsResponse};
use shared::caller::{Caller, GuardianPermit, StaffPermit};
use shared::status;
use shared::value::{Guardian, Id, Pupil as PupilKind, Violations};
use tonic::Status;

use super::DayRpc;
use super::convert::{self, CollectorReader};
use super::sight::{self, STAFF};
use crate::domain::day::collector::{Collector, Kind, State};
use crate::domain::day::local;
use crate::store;

/// Who asks.
enum Asking {
    Guardian(GuardianPermit),
    Staff(StaffPermit),
}

/// Lists collectors.
pub async fn list_collectors(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListCollectorsRequest,
) -> Result<ListCollectorsResponse, Status> {
    let asking = match caller {
        Caller::Guardian(_) => Asking::Guardian(caller.guardian()?),
        Caller::Staff(_) | Caller::Service(_) | Caller::Anonymous => Asking::Staff(caller.staff(STAFF)?),
    };
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<PupilKind>>());
    let pupil_id = pupil_id.ok_or_else(|| status::invalid(&violations))?;
    match asking {
        Asking::Guardian(permit) => for_guardian(rpc, &permit, pupil_id).await,
        Asking::Staff(permit) => for_staff(rpc, &permit, &caller.key(), pupil_id).await,
    }
}

async fn for_guardian(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    pupil_id: Id<PupilKind>,
) -> Result<ListCollectorsResponse, Status> {
    let pupil = permit.pupil(pupil_id)?;
    let district_id = pupil.path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let all = store::day::collector::list(rpc.db.read(), &rpc.vault, district_id, pupil_id).await?;
    let reader = CollectorReader::Guardian(permit.id());
    Ok(ListCollectorsResponse {
        collectors: all.iter().map(|one| convert::collector(one, reader)).collect(),
        guardian_ids: Vec::new(),
    })
}

async fn for_staff(
    rpc: &DayRpc,
    permit: &StaffPermit,
    actor: &str,
    pupil_id: Id<PupilKind>,
) -> Result<ListCollectorsResponse, Status> {
    let unknown = || status::not_found("pupil", pupil_id);
    let tx = rpc.db.begin().await?;
    let pupil = store::pupil::find(&tx, pupil_id).await?.ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let today = local::day(now);
    let duties = store::day::duty::list(&tx, pupil.district_id, pupil.school_id, today, today).await?;
    let custody = store::day::custody::find_all(&tx, pupil.district_id, [pupil.id], today).await?.pop();
    let holds = custody.is_some_and(|custody| sight::holds(permit, &custody.state, &duties, today));
    let answers = sight::answers_for(permit, &pupil, &duties, today);
    if !holds && !answers {
        return Err(unknown());
    }
    let all = store::day::collector::list(&tx, &rpc.vault, pupil.district_id, pupil.id).await?;
    let guardians = store::pupil::guardians(&tx, pupil.district_id, pupil.id).await?;
    let shown: Vec<_> = all.iter().filter(|one| matters(one, &guardians, today)).collect();
    let reader = if answers { CollectorReader::Caller } else { CollectorReader::Staff };
    let numbers = shown.iter().filter(|one| one.person().is_some()).count();
    if answers && numbers > 0 {
        store::day::collector::note_shown(&tx, actor, pupil.district_id, pupil.id, numbers, now).await?;
    }
    let response = ListCollectorsResponse {
        collectors: shown.into_iter().map(|one| convert::collector(one, reader)).collect(),
        guardian_ids: guardians.iter().map(ToString::to_string).collect(),
    };
    tx.commit().await?;
    Ok(response)
}

/// Whether staff have to know of it today: what holds, and what is forbidden.
fn matters(collector: &Collector, guardians: &[Id<Guardian>], today: chrono::NaiveDate) -> bool {
    let is_today = match &collector.kind {
        Kind::Standing(_) | Kind::Alone => true,
        Kind::OneTime { day, .. } => *day == today,
    };
    match collector.state {
        State::Allowed => is_today && guardians.contains(&collector.guardian_id),
        State::Forbidden { .. } => true,
        State::Removed | State::Used => false,
    }
}
