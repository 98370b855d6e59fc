//! Which policy rules at a school.

use std::sync::Arc;

use policy::{Live, Policy, Silent};
use shared::caller::{NodePath, StaffPermit};
use shared::db::{Db, Tx};
use shared::status;
use shared::value::{District, Id, Moment, School};
use tonic::Status;

use super::error::silent;
use crate::domain::day::local;
use crate::domain::term::Term;
use crate::store;

/// The policy of the school's running term, else of its last one.
pub async fn policy_of(
    packs: &Live,
    tx: &Tx,
    district_id: Id<District>,
    school_id: Id<School>,
    now: Moment,
) -> Result<Arc<Policy>, Status> {
    let term = store::term::find_ruling(tx, district_id, school_id, local::day(now)).await?;
    policy_in(packs, &term.ok_or_else(|| status::refused("NO_TERM", &[]))?)
}

/// The policy a term is ruled by.
pub fn policy_in(packs: &Live, term: &Term) -> Result<Arc<Policy>, Status> {
    packs
        .pinned(&term.policy_version)
        .ok_or_else(|| silent(&Silent { pack_id: term.policy_version.clone(), key: Silent::POLICY_VERSION }))
}

/// The path of a school the caller works at, or reaches from above.
///
/// From above it is known by its terms: a school that has none has nothing to speak of.
pub async fn school_path(db: &Db, permit: &StaffPermit, school_id: Id<School>) -> Result<NodePath, Status> {
    let works_there = permit.grants().iter().find(|grant| grant.path.school() == Some(school_id));
    if let Some(grant) = works_there {
        return Ok(NodePath::new(grant.path.nodes().iter().take(3).copied().collect()));
    }
    let path = store::term::path_of_school(db.read(), school_id).await?;
    let path = path.map(NodePath::new).filter(|path| permit.reaches(path));
    path.ok_or_else(|| status::not_found("school", school_id))
}
