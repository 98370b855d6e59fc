//! The rules: values in, values out, the present moment an argument.
//!
//! | file | knows |
//! |---|---|
//! | [`term`] | terms, sections, and when their lessons are |
//! | [`tariff`] | what a school may charge, and to whose account |
//! | [`section_price`] | what a course with a price of its own costs |
//! | [`cost_sheet`] | what the service or a course costs the school, and who has looked at that |
//! | [`seat_change`] | a seat changed for another from a later day on |
//! | [`pricing`] | what a pupil's sections of a term cost together |
//! | [`explanation`] | why a choice costs what it costs, in sentences |
//! | [`invoice`] | what a family owes for one enrollment |
//! | [`payment`] | one attempt to pay it at WeChat |
//! | [`refund`] | money on its way back |
//! | [`release`] | what goes back when a seat is given back |
//! | [`waiver`] | who need not pay, and who decides that |
//! | [`fund`] | public money, staff pay and spending |
//! | [`evidence`] | documents that prove a hardship |
//! | [`ledger`] | accounts and balanced entries |
//! | [`reconciliation`] | a day's bills held against payments, refunds and the ledger |
//! | [`case`] | a difference before people |
//! | [`chain`] | the ledger as a chain of hashes |
//! | [`period`] | months of the books, and their closing |
//! | [`correction`] | a correction of the ledger, by two people |
//! | [`statement`] | what a school's books say of a month |
//! | [`number`] | order and refund numbers |
//! | [`refusal`] | every no, with its facts |

pub mod case;
pub mod chain;
pub mod correction;
pub mod cost_sheet;
pub mod evidence;
pub mod explanation;
pub mod fund;
pub mod invoice;
pub mod ledger;
pub mod number;
pub mod payment;
pub mod period;
pub mod pricing;
pub mod reconciliation;
pub mod refund;
pub mod refusal;
pub mod release;
pub mod seat_change;
pub mod section_price;
pub mod statement;
pub mod tariff;
pub mod term;
pub mod waiver;
