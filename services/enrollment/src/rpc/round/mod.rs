//! Drawn rounds: `kehou.enrollment.v1.RoundService`. One file per changing method; the reads share one. Opening and listing rounds is
//! with the others, in the folder above.
//!
//! | file | knows |
//! |---|---|
//! | `sight` | who sees which round |
//! | `parse` | fields that many messages share |
//! | `convert` | domain values as messages |
//! | `error` | every refusal of a rule as a status |

mod cancel_round;
mod clear_wishes;
pub(super) mod convert;
mod draw_round;
mod enter_values;
pub(super) mod error;
mod extend_round;
pub(super) mod parse;
mod read;
mod rehearse_round;
mod repeat_draw;
mod round_service;
mod set_wishes;
mod sight;

use std::sync::Arc;

use policy::Live;
use shared::clock::SharedClock;
use shared::db::Db;

use crate::hint::Hints;
use crate::store::vault::Vault;

/// `kehou.enrollment.v1.RoundService`, with everything its methods need.
#[derive(Clone)]
pub struct RoundRpc {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy.
    pub packs: Arc<Live>,
    /// Seals and opens the salts of draws.
    pub vault: Vault,
    /// Which sections are known to be full.
    pub hints: Arc<Hints>,
}
