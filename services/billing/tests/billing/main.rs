//! The service over real gRPC, a real database and the WeChat sandbox: one file per theme.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authorization;
mod bill_days;
mod books;
mod close_invoice;
mod cost_sheet;
mod fund;
mod ledger;
mod lives;
mod notification;
mod pay;
mod price;
mod reconciliation;
mod refund;
mod section_price;
mod sharing;
mod slot_price;
mod tariff;
mod waiver;
mod world;
