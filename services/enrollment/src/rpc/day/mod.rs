//! The school day: `kehou.enrollment.v1.DayService`. One file per changing method; the reads of one noun share one.
//!
//! | file | knows |
//! |---|---|
//! | `sight` | who sees which lessons, and whom in them |
//! | `parse` | fields that many messages share |
//! | `convert` | domain values as messages |
//! | `error` | every refusal of a rule as a status |

mod add_batch;
mod add_collector;
mod add_device;
mod ask_extended_care;
mod assign_batch;
mod assign_duty;
mod cancel_extended_care;
mod cancel_leave;
mod check_out;
mod close_question;
mod collectors;
mod convert;
mod correct_mark;
mod custody;
mod day_service;
mod decide_collector;
mod devices;
mod dismissals;
mod end_duty;
mod error;
mod hand_over;
mod link_person;
mod moments;
mod month;
mod open_question;
mod open_room;
pub mod parse;
mod questions;
mod read;
mod record_cover;
mod record_device_events;
mod record_roll;
mod report_leave;
mod revoke_device;
mod rooms;
mod set_dismissal;
mod settle_aside_mark;
mod sight;

use std::sync::Arc;

use policy::Live;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;

use crate::store::vault::Vault;

/// `kehou.enrollment.v1.DayService`, with everything its methods need.
#[derive(Clone)]
pub struct DayRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Seals and opens personal fields.
    pub vault: Vault,
    /// Identity.
    pub identity: IdentityServiceClient<Link>,
    /// When registers close, in minutes after midnight.
    pub close_minute: i32,
}
