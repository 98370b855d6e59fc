//! Who sees which round.

use shared::caller::{GuardianPermit, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Pupil as PupilKind, Round as RoundKind};
use tonic::Status;

use super::RoundRpc;
use crate::domain::round::Round;
use crate::domain::term::Term;
use crate::store;

/// Who runs a round.
pub const OFFICE: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// Who begins another act of a draw, and calls a round off.
pub const PRINCIPAL: &[Role] = &[Role::Principal];

/// Who may see the lists of a draw.
pub const AUDITORS: &[Role] = &[Role::TeachingOffice, Role::Principal, Role::BureauOfficer, Role::Inspector];

/// A round that is there.
pub async fn round(rpc: &RoundRpc, id: Id<RoundKind>) -> Result<Round, Status> {
    let found = store::round::find(rpc.db.read(), id).await?;
    found.ok_or_else(|| status::not_found("round", id))
}

/// A round within the reach of staff, with its term.
pub async fn reached(
    rpc: &RoundRpc,
    permit: &StaffPermit,
    id: Id<RoundKind>,
) -> Result<(Round, Term), Status> {
    let round = round(rpc, id).await?;
    let term = store::term::find(rpc.db.read(), round.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("round", id))?;
    permit.reach(&NodePath::new(term.path.clone()), "round", id)?;
    Ok((round, term))
}

/// A round of the district of a guardian's own pupil.
pub async fn of_pupil(
    rpc: &RoundRpc,
    permit: &GuardianPermit,
    id: Id<RoundKind>,
    pupil_id: Id<PupilKind>,
) -> Result<Round, Status> {
    let district_id = permit.pupil(pupil_id)?.path.district();
    let round = round(rpc, id).await?;
    if Some(round.district_id) == district_id { Ok(round) } else { Err(status::not_found("round", id)) }
}
