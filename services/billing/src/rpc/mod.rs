//! Messages in, messages out: parse, call, render.

mod apply_for_waiver;
mod billing_service;
mod close_invoice;
mod convert;
mod cost_sheets;
mod decide_cost_sheet;
mod decide_waiver;
mod error;
pub mod fund;
mod get_evidence;
mod get_quote;
mod get_refund_quote;
mod get_tariff;
mod get_trial_balance;
mod invoices;
mod list_refunds;
mod list_waivers;
mod pay;
mod price_service;
mod publish_section_price;
mod publish_tariff;
mod receive_notification;
mod submit_cost_sheet;
mod sync_payment;
mod upload_evidence;

pub use billing_service::Billing;
pub use price_service::Prices;
