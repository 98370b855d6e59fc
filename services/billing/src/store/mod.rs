//! Rows: lock, find, list, insert, save.
//!
//! Locks are taken in one order everywhere: the pupil, then the pupil's invoices of the term by id, then payments by id, then
//! refunds. The pupil's row stands for everything of that pupil.

pub mod bill;
pub mod case;
pub mod chain;
pub mod check;
mod code;
pub mod correction;
pub mod cost_sheet;
pub mod enrollment;
mod entity;
pub mod evidence;
pub mod fund;
pub mod heads;
pub mod invoice;
pub mod ledger;
pub mod migration;
pub mod node;
pub mod notification;
pub mod payment;
pub mod period;
pub mod pupil;
pub mod refund;
pub mod seat_change;
pub mod section;
pub mod section_price;
pub mod statement;
pub mod tariff;
pub mod term;
pub mod verify;
pub mod waiver;

pub use shared::db::Error;
