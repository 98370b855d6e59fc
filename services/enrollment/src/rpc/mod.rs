//! Messages in, messages out. One file per changing method; the reads share a few. The school day and drawn rounds have services and
//! folders of their own.

mod agreement_service;
mod agreements;
pub mod apply;
mod change_later;
mod change_seat;
mod convert;
pub mod day;
mod decide_step;
mod enrollment_service;
mod error;
mod line;
mod names;
pub mod notice;
mod open_round;
pub mod priority;
mod publish_agreement;
mod read;
mod roster;
pub mod round;
mod ruling;
mod sign_agreement;
pub mod survey;
pub mod trial;
mod withdraw;

use std::sync::Arc;

use policy::Live;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::Verifier;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;

use crate::hint::Hints;

/// `kehou.enrollment.v1.EnrollmentService`, with everything its methods need.
#[derive(Clone)]
pub struct EnrollmentRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy, as its files have it now.
    pub packs: Arc<Live>,
    /// Whom to believe, for the tokens inside a stream.
    pub verifier: Arc<Verifier>,
    /// Billing.
    pub billing: BillingServiceClient<Link>,
    /// Identity.
    pub identity: IdentityServiceClient<Link>,
    /// Which sections are known to be full.
    pub hints: Arc<Hints>,
    /// Where applications wait for their group.
    pub queue: apply::Queue,
}
