//! Priority groups: `kehou.enrollment.v1.PriorityService`. One file per changing method; the lists share one.
//!
//! What was said of a family goes to the family and to those who decide, and nowhere else: no event tells of it, and the answers kept
//! for repeats name only an id.

mod appeal_priority;
mod claim_priority;
mod convert;
mod decide_priority;
mod end_priority;
mod error;
mod get_evidence;
mod parse;
mod priority_service;
mod read;
mod record_priority;
mod upload_evidence;

use std::sync::Arc;

use policy::Live;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::Role;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;

use crate::store::vault::Vault;

/// Who decides for the school. No document names anybody: those who answer for its teaching.
pub const DECIDERS: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// `kehou.enrollment.v1.PriorityService`, with everything its methods need.
#[derive(Clone)]
pub struct PriorityRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Seals and opens what is said of families.
    pub vault: Vault,
    /// Identity.
    pub identity: IdentityServiceClient<Link>,
}
