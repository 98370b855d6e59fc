//! Lists waivers: a guardian's own pupils', or those the caller may decide.

use proto::billing::v1::{ListWaiversRequest, ListWaiversResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Page, Pupil, Violations};
use tonic::Status;
use uuid::Uuid;

use super::convert;
use super::decide_waiver::{BUREAU_ROLES, SCHOOL_ROLES};
use crate::domain::term::local_day;
use crate::store;
use crate::store::invoice::NewestKey;
use crate::store::waiver::Scope;
use crate::till::Till;

pub async fn list_waivers(
    till: &Till,
    caller: &Caller,
    request: ListWaiversRequest,
) -> Result<ListWaiversResponse, Status> {
    let (scope, page) = match caller {
        Caller::Guardian(_) => {
            let permit = caller.guardian()?;
            let (pupil_id, page) = parse(&request)?;
            let Some(pupil_id) = pupil_id else {
                let mut violations = Violations::default();
                violations.note("pupil_id", "must be given");
                return Err(status::invalid(&violations));
            };
            permit.pupil(pupil_id)?;
            (Scope::Pupil(pupil_id), page)
        }
        Caller::Staff(_) | Caller::Service(_) | Caller::Anonymous => {
            let permit = caller.staff(&[SCHOOL_ROLES, BUREAU_ROLES].concat())?;
            let (pupil_id, page) = parse(&request)?;
            let school_paths = paths(&permit, SCHOOL_ROLES);
            let bureau_paths = paths(&permit, BUREAU_ROLES);
            (Scope::Deciding { school_paths, bureau_paths, pupil_id }, page)
        }
    };
    let mut waivers = store::waiver::list(till.db.read(), &scope, &page).await?;
    let next_page_token =
        convert::cut(&mut waivers, page.size, |waiver| (waiver.created_at, waiver.id.uuid()));
    let today = local_day(till.clock.now());
    let waivers = waivers.iter().map(|waiver| convert::waiver(waiver, today)).collect();
    Ok(ListWaiversResponse { waivers, next_page_token })
}

fn parse(request: &ListWaiversRequest) -> Result<(Option<Id<Pupil>>, Page<NewestKey>), Status> {
    let mut violations = Violations::default();
    let pupil_id = match request.pupil_id.as_str() {
        "" => None,
        text => convert::id(&mut violations, "pupil_id", text),
    };
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    convert::read(&violations, page.map(|page| (pupil_id, page)))
}

/// Where the caller has one of the roles.
fn paths(permit: &StaffPermit, roles: &[Role]) -> Vec<Vec<Uuid>> {
    let grants = permit.grants().iter().filter(|grant| roles.contains(&grant.role));
    grants.map(|grant| grant.path.nodes().to_vec()).collect()
}
