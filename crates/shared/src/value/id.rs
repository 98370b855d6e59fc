//! Ids that cannot be mixed up.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What an id names. The name appears in logs and errors.
pub trait Kind {
    /// The thing's name, as the glossary has it.
    const NAME: &'static str;
}

/// The id of one `K`: a UUID, version 7 when we made it. Order is order of making.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// The text is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct IdError;

impl<K> Id<K> {
    /// Takes a UUID that is known to name a `K`.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// Gives the UUID.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", K::NAME, self.0)
    }
}
impl<K> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::from_str(text).map(Self::new).map_err(|_| IdError)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::new)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl Kind for $name {
            const NAME: &'static str = $text;
        }
    )*};
}

// One list for all services: an id crosses service borders, and one word means one thing everywhere.
kinds! {
    /// A district: one education bureau and everything below it.
    District = "district",
    /// Any node of the tree district → town → school → class.
    Node = "node",
    /// A school.
    School = "school",
    /// A class of pupils who share a homeroom.
    Class = "class",
    /// A pupil.
    Pupil = "pupil",
    /// A guardian of pupils.
    Guardian = "guardian",
    /// A member of staff of a school, a bureau or a provider.
    Staff = "staff",
    /// A sign-in that has not ended.
    Session = "session",
    /// A term of one school.
    Term = "term",
    /// A weekly period of a term.
    Slot = "slot",
    /// A course.
    Course = "course",
    /// A course given to one group in given slots of one term.
    Section = "section",
    /// A third-party institution.
    Provider = "provider",
    /// An opening of the menu for choice.
    Round = "round",
    /// A pupil's place in, or on the way to, a section.
    Enrollment = "enrollment",
    /// A version of the agreement of a term.
    Agreement = "agreement",
    /// A guardian's signature under one.
    Signature = "signature",
    /// A lesson offered for trial.
    Trial = "trial",
    /// A pupil's place in one.
    Booking = "booking",
    /// What a family owes for one enrollment.
    Invoice = "invoice",
    /// One attempt to pay an invoice.
    Payment = "payment",
    /// Money on its way back.
    Refund = "refund",
    /// A pupil's place in a priority group.
    Priority = "priority",
    /// A notice to guardians.
    Notice = "notice",
    /// A survey of what families need.
    Survey = "survey",
    /// A hardship waiver of one pupil.
    Waiver = "waiver",
    /// A document that proves a hardship.
    Evidence = "evidence",
    /// A school's fee standard for a term.
    Tariff = "tariff",
    /// The price of a section that has one of its own.
    SectionPrice = "section_price",
    /// A school's calculation of what the service or a course costs.
    CostSheet = "cost_sheet",
    /// A record of public money or spending.
    FundEntry = "fund_entry",
    /// One balanced entry of the ledger.
    Journal = "journal",
    /// A difference between a bill and our books.
    Case = "case",
    /// A correction of the ledger.
    Correction = "correction",
    /// A complaint or suggestion.
    Ticket = "ticket",
    /// One meeting of a section on one day.
    Lesson = "lesson",
    /// What was said of a pupil in a lesson.
    Mark = "mark",
    /// A mark that waits for a person.
    AsideMark = "aside_mark",
    /// A pupil excused from lessons beforehand.
    Leave = "leave",
    /// Who of the staff answers for what.
    Duty = "duty",
    /// A waiting room.
    Room = "room",
    /// Whoever may take a pupil home.
    Collector = "collector",
    /// A school's batch of dismissal.
    Batch = "batch",
    /// A request for extended care.
    ExtendedCare = "extended_care",
    /// Something that makes or sends marks: an app, or an identity device of a school.
    Device = "device",
    /// A pupil's question, asked and answered alone.
    Question = "question",
    /// A period of insurance.
    Cover = "cover",
}
