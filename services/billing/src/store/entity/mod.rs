//! Rows as they are stored. No behaviour.

pub mod bill;
pub mod bill_line;
pub mod correction;
pub mod enrollment;
pub mod evidence;
pub mod evidence_reading;
pub mod invoice;
pub mod journal;
pub mod journal_seal;
pub mod journal_unsealed;
pub mod ledger_head;
pub mod node;
pub mod notification;
pub mod payment;
pub mod period;
pub mod posting;
pub mod pupil;
pub mod reconciliation;
pub mod reconciliation_case;
pub mod refund;
pub mod section;
pub mod tariff;
pub mod term;
pub mod waiver;
