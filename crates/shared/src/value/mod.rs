//! Values without behaviour beyond their own arithmetic. The only part of `shared` that `domain` may see.

mod document;
mod fen;
mod id;
mod page;
mod violations;

pub use document::{ContentType, DOCUMENT_BYTES, DocumentError};
pub use fen::{Fen, FenError};
pub use id::{
    Agreement, AsideMark, Batch, Booking, Case, Class, Collector, Correction, CostSheet, Course, Cover,
    Device, District, Duty, Enrollment, Evidence, ExtendedCare, FundEntry, Guardian, Id, IdError, Invoice,
    Journal, Kind, Leave, Lesson, Mark, Node, Notice, Payment, Priority, Provider, Pupil, Question, Refund,
    Room, Round, School, Section, SectionPrice, Session, Signature, Slot, Staff, Survey, Tariff, Term,
    Ticket, Trial, Waiver,
};
pub use page::{Page, PageToken, PageTokenError};
pub use violations::{Violation, Violations};

/// A moment, to the microsecond, in UTC: what both databases keep.
pub type Moment = chrono::DateTime<chrono::Utc>;
