//! Messages in, messages out: parse, call, render.

mod apply_for_waiver;
mod billing_service;
mod close_invoice;
mod close_period;
mod convert;
mod decide_correction;
mod decide_waiver;
mod error;
mod family_statement;
pub mod fund;
mod get_evidence;
mod get_quote;
mod get_refund_quote;
mod get_tariff;
mod get_trial_balance;
mod invoices;
mod ledger_service;
mod list_refunds;
mod list_waivers;
mod pay;
mod propose_correction;
mod publish_tariff;
mod receive_notification;
mod reconciliation;
mod school_statement;
mod sync_payment;
mod upload_evidence;
mod verify_ledger;

pub use billing_service::Billing;
pub use ledger_service::Ledger;
pub use reconciliation::Reconciliation;
