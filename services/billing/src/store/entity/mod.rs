//! Rows as they are stored. No behaviour.

pub mod enrolled;
pub mod enrollment;
pub mod evidence;
pub mod evidence_reading;
pub mod fund_entry;
pub mod invoice;
pub mod journal;
pub mod node;
pub mod notification;
pub mod participation;
pub mod payment;
pub mod posting;
pub mod pupil;
pub mod refund;
pub mod section;
pub mod tariff;
pub mod term;
pub mod waiver;
