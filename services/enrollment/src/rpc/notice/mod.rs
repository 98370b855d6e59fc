//! Notices: `kehou.enrollment.v1.NoticeService`. One file per changing method; the reads share one.

mod acknowledge_notice;
mod convert;
mod error;
mod notice_service;
mod read;
mod send_notice;

use std::sync::Arc;

use policy::Live;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::Role;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;

/// Who sends notices and sees whom they have reached.
const SENDERS: &[Role] = &[Role::ClassTeacher, Role::TeachingOffice, Role::Principal];

/// Who sees how many they have reached.
const READERS: &[Role] =
    &[Role::ClassTeacher, Role::TeachingOffice, Role::Principal, Role::TownOffice, Role::BureauOfficer];

/// `kehou.enrollment.v1.NoticeService`, with everything its methods need.
#[derive(Clone)]
pub struct NoticeRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Identity.
    pub identity: IdentityServiceClient<Link>,
}
