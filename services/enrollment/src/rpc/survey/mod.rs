//! Surveys of what families need: `kehou.enrollment.v1.SurveyService`. One file per changing method; the reads share two.

mod answer_survey;
mod close_survey;
mod convert;
mod error;
mod open_survey;
mod parse;
mod read;
mod results;
mod survey_service;

use std::sync::Arc;

use policy::Live;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::{NodePath, Role, StaffPermit};
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;
use uuid::Uuid;

use crate::store::vault::Vault;

/// The school's office.
const OFFICE: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// Who opens surveys and sees what they add up to: the office, and those above it.
const ASKERS: &[Role] = &[Role::TeachingOffice, Role::Principal, Role::TownOffice, Role::BureauOfficer];

/// `kehou.enrollment.v1.SurveyService`, with everything its methods need.
#[derive(Clone)]
pub struct SurveyRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Seals and opens answers.
    pub vault: Vault,
    /// Identity.
    pub identity: IdentityServiceClient<Link>,
}

/// The place of the caller's own node: a school, a town or a district.
fn own_node(permit: &StaffPermit, node_id: Uuid) -> Option<NodePath> {
    let own = permit.grants().iter().map(|grant| &grant.path);
    own.filter(|path| path.node() == Some(node_id)).find(|path| path.nodes().len() <= 3).cloned()
}
