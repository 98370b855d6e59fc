//! Lists batches, when pupils leave, and who stays.

use std::collections::HashMap;

use proto::enrollment::v1::{
    ListBatchesRequest, ListBatchesResponse, ListDismissalsRequest, ListDismissalsResponse,
    ListExtendedCareRequest, ListExtendedCareResponse,
};
use shared::caller::{Caller, GuardianPermit, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Pupil as PupilKind, School, Term, Violations};
use tonic::Status;

use super::sight::{self, STAFF};
use super::{DayRpc, convert, parse};
use crate::domain::day::dismissal::{self, Choice};
use crate::rpc::names;
use crate::{custody, store};

/// Staff who read when pupils leave.
const READERS: &[Role] = &[Role::ClassTeacher, Role::TeachingOffice, Role::Principal];

/// Who asks.
enum Asking {
    Guardian(GuardianPermit),
    Staff(StaffPermit),
}

impl Asking {
    fn permitted(caller: &Caller, roles: &[Role]) -> Result<Self, Status> {
        match caller {
            Caller::Guardian(_) => caller.guardian().map(Self::Guardian),
            Caller::Staff(_) | Caller::Service(_) | Caller::Anonymous => caller.staff(roles).map(Self::Staff),
        }
    }
}

/// Lists a term's batches.
pub async fn list_batches(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListBatchesRequest,
) -> Result<ListBatchesResponse, Status> {
    let asking = Asking::permitted(caller, STAFF)?;
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse::<Id<Term>>());
    let term_id = term_id.ok_or_else(|| status::invalid(&violations))?;
    let unknown = || status::not_found("term", term_id);
    let term = store::term::find(rpc.db.read(), term_id).await?.ok_or_else(unknown)?;
    let is_theirs = match &asking {
        Asking::Guardian(permit) => {
            permit.pupils().iter().any(|pupil| pupil.path.school() == Some(term.school_id))
        }
        Asking::Staff(permit) => sight::school(rpc, permit, term.school_id).await.is_ok(),
    };
    if !is_theirs {
        return Err(unknown());
    }
    let batches = store::day::dismissal::list_batches(rpc.db.read(), term.district_id, term_id).await?;
    Ok(ListBatchesResponse { batches: batches.iter().map(convert::batch).collect() })
}

/// Lists when a pupil leaves, by weekday.
pub async fn list_dismissals(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListDismissalsRequest,
) -> Result<ListDismissalsResponse, Status> {
    let asking = Asking::permitted(caller, READERS)?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<PupilKind>>());
    let pupil_id = pupil_id.ok_or_else(|| status::invalid(&violations))?;
    let unknown = || status::not_found("pupil", pupil_id);
    let pupil = store::pupil::find(rpc.db.read(), pupil_id).await?.ok_or_else(unknown)?;
    match &asking {
        Asking::Guardian(permit) => {
            permit.pupil(pupil_id)?;
        }
        Asking::Staff(permit) => {
            permit.reach(&NodePath::new(pupil.path.clone()), "pupil", pupil_id)?;
        }
    }
    let ends = custody::weekly_ends(rpc.db.read(), std::slice::from_ref(&pupil), None).await?;
    let said = store::day::dismissal::list_choices(rpc.db.read(), pupil.district_id, [pupil_id]).await?;
    let mut weekdays: Vec<_> = ends.iter().map(|((_, weekday), end)| (*weekday, *end)).collect();
    weekdays.sort_unstable();
    let dismissals = weekdays.into_iter().map(|(weekday, end_minute)| {
        let choices: Vec<Choice> =
            said.iter().filter(|(_, at, _)| *at == weekday).map(|(_, _, choice)| *choice).collect();
        convert::dismissal(weekday, end_minute, dismissal::counting(&choices))
    });
    Ok(ListDismissalsResponse { dismissals: dismissals.collect() })
}

/// Lists who stays after the service's end on a day.
pub async fn list_extended_care(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListExtendedCareRequest,
) -> Result<ListExtendedCareResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let day = parse::day(&mut violations, "day", &request.day);
    let (Some(school_id), Some(day)) = (school_id, day) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let mut care = store::day::dismissal::list_care(rpc.db.read(), district_id, school_id, day).await?;
    if !permit.reaches(&path) {
        // A class teacher: the pupils of the class.
        let ids = care.iter().map(|care| care.pupil_id);
        let pupils = store::pupil::find_all(rpc.db.read(), ids).await?;
        let reached: Vec<_> = pupils
            .iter()
            .filter(|pupil| permit.reaches(&NodePath::new(pupil.path.clone())))
            .map(|pupil| pupil.id)
            .collect();
        care.retain(|care| reached.contains(&care.pupil_id));
    }
    let ids: Vec<_> = care.iter().map(|care| care.pupil_id.to_string()).collect();
    let named = names::ask(&rpc.identity, &ids).await?;
    let named: HashMap<_, _> = named.into_iter().map(|pupil| (pupil.id, pupil.name)).collect();
    let render = |care: &dismissal::ExtendedCare| {
        let name = named.get(&care.pupil_id.to_string()).map(String::as_str).unwrap_or_default();
        convert::extended_care(care, name)
    };
    Ok(ListExtendedCareResponse { extended_cares: care.iter().map(render).collect() })
}
