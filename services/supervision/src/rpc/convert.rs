//! Messages ↔ domain values.

use std::fmt::Display;

use policy::{Basis, Binding, Clause};
use prost_types::Timestamp;
use proto::supervision::v1::ticket as message;
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Guardian, Id, Kind as IdKind, Moment, Violations};
use tonic::Status;
use uuid::Uuid;

use crate::domain::school::SchoolPath;
use crate::domain::ticket::{Complainant, Handler, HandlerRole, Kind, State, Subject, Ticket};
use crate::store::ticket::{Entry, Sheet};

/// What a complainant is called among those who did something.
pub const COMPLAINANT: &str = crate::writing::COMPLAINANT;

/// What an anonymous complainant is known by: as little as any caller without a token.
pub fn nobody() -> String {
    Caller::Anonymous.key()
}

/// Reads the fields of a message, noting every one that breaks a rule.
#[derive(Default)]
pub struct Fields(Violations);

impl Fields {
    /// An id.
    pub fn id<K: IdKind>(&mut self, field: &str, text: &str) -> Option<Id<K>> {
        self.0.field(field, text.parse())
    }

    /// A UUID that names no one kind of thing.
    pub fn uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        self.0.field(field, text.parse::<Uuid>().map_err(|_| "must be a UUID"))
    }

    /// Text of `min` to `max` characters, trimmed.
    pub fn text(&mut self, field: &str, text: &str, min: usize, max: usize) -> Option<String> {
        self.0.text(field, text, min, max)
    }

    /// A ticket's number. What cannot be one names no ticket: only its length is a matter of form.
    pub fn number(&mut self, text: &str) -> Option<String> {
        self.text("number", text, 1, 32)
    }

    /// A receipt code; none when the caller gives none.
    pub fn receipt_code(&mut self, text: &str) -> Option<Option<String>> {
        self.text("receipt_code", text, 0, 64).map(|code| Some(code).filter(|code| !code.is_empty()))
    }

    /// What a rule already turned into a value or an error.
    pub fn rule<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        self.0.field(field, result)
    }

    /// The value read, when nothing was noted on the way.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with every violation.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(status::invalid(&self.0)),
        }
    }
}

/// What a ticket is.
pub fn kind(kind: i32) -> Result<Kind, &'static str> {
    match message::Kind::try_from(kind) {
        Ok(message::Kind::Complaint) => Ok(Kind::Complaint),
        Ok(message::Kind::Suggestion) => Ok(Kind::Suggestion),
        Ok(message::Kind::Unspecified) | Err(_) => Err("must be one of the kinds"),
    }
}

/// What a ticket is about.
pub fn subject(subject: i32) -> Result<Subject, &'static str> {
    match message::Subject::try_from(subject) {
        Ok(message::Subject::Fees) => Ok(Subject::Fees),
        Ok(message::Subject::Safety) => Ok(Subject::Safety),
        Ok(message::Subject::Teaching) => Ok(Subject::Teaching),
        Ok(message::Subject::Provider) => Ok(Subject::Provider),
        Ok(message::Subject::ForcedParticipation) => Ok(Subject::ForcedParticipation),
        Ok(message::Subject::Other) => Ok(Subject::Other),
        Ok(message::Subject::Unspecified) | Err(_) => Err("must be one of the subjects"),
    }
}

/// The word of a state in rows; none for all states.
pub fn state_word(state: i32) -> Result<Option<&'static str>, &'static str> {
    match message::State::try_from(state) {
        Ok(message::State::Unspecified) => Ok(None),
        Ok(message::State::Submitted) => Ok(Some("submitted")),
        Ok(message::State::Accepted) => Ok(Some("accepted")),
        Ok(message::State::Assigned) => Ok(Some("assigned")),
        Ok(message::State::Returned) => Ok(Some("returned")),
        Ok(message::State::Replied) => Ok(Some("replied")),
        Ok(message::State::Closed) => Ok(Some("closed")),
        Err(_) => Err("must be one of the states"),
    }
}

/// The guardian who calls; none for anybody else.
pub const fn guardian(caller: &Caller) -> Option<Id<Guardian>> {
    match caller {
        Caller::Guardian(guardian) => Some(guardian.id),
        Caller::Anonymous | Caller::Staff(_) | Caller::Service(_) => None,
    }
}

/// A school's place in the tree.
pub fn school_path(path: &SchoolPath) -> NodePath {
    NodePath::new(vec![path.district_id.uuid(), path.town_id.uuid(), path.school_id.uuid()])
}

/// The handlers a caller is: one for each grant of a role that answers tickets.
pub fn handlers(permit: &StaffPermit) -> impl Iterator<Item = Handler> {
    permit.grants().iter().filter_map(|grant| {
        let role = HandlerRole::from_word(grant.role.as_str())?;
        Some(Handler { role, node_id: Id::new(grant.path.node()?) })
    })
}

/// As whom a caller answers a ticket: the role held at the very node. None when it is not theirs to answer.
pub fn handler_of(permit: &StaffPermit, ticket: &Ticket) -> Option<Handler> {
    ticket.handler().filter(|handler| handlers(permit).any(|own| own == *handler))
}

/// Which role of the bureau somebody acts in towards a school they reach.
pub fn bureau_role(permit: &StaffPermit, school: &NodePath) -> &'static str {
    let role =
        if permit.holds(Role::HotlineOperator, school) { Role::HotlineOperator } else { Role::BureauOfficer };
    role.as_str()
}

/// A ticket, without what people wrote.
pub fn ticket(
    sheet: &Sheet,
    ticket: &Ticket,
    entries: &[Entry],
    now: Moment,
) -> proto::supervision::v1::Ticket {
    proto::supervision::v1::Ticket {
        id: sheet.id.to_string(),
        number: sheet.number.clone(),
        path: school_path(&ticket.school).nodes().iter().map(Uuid::to_string).collect(),
        kind: kind_message(sheet.kind).into(),
        subject: subject_message(sheet.subject).into(),
        state: state_message(&ticket.state).into(),
        section: sheet.section.clone().unwrap_or_default(),
        text: String::new(),
        anonymous: ticket.complainant == Complainant::Anonymous,
        accept_due_time: ticket.limits.accept_due_at.map(timestamp),
        reply_due_time: ticket.limits.reply_due_at.map(timestamp),
        late: ticket.is_late(now),
        handler_role: ticket.handler().map(|handler| handler.role.word().to_owned()).unwrap_or_default(),
        rating: ticket.stars.unwrap_or_default(),
        entries: entries.iter().map(entry).collect(),
        create_time: Some(timestamp(sheet.created_at)),
        reopened_count: ticket.reopened_count,
    }
}

fn entry(entry: &Entry) -> message::Entry {
    message::Entry {
        action: entry.action.word().to_owned(),
        actor_role: entry.actor_role.clone(),
        text: String::new(),
        create_time: Some(timestamp(entry.created_at)),
    }
}

const fn kind_message(kind: Kind) -> message::Kind {
    match kind {
        Kind::Complaint => message::Kind::Complaint,
        Kind::Suggestion => message::Kind::Suggestion,
    }
}

const fn subject_message(subject: Subject) -> message::Subject {
    match subject {
        Subject::Fees => message::Subject::Fees,
        Subject::Safety => message::Subject::Safety,
        Subject::Teaching => message::Subject::Teaching,
        Subject::Provider => message::Subject::Provider,
        Subject::ForcedParticipation => message::Subject::ForcedParticipation,
        Subject::Other => message::Subject::Other,
    }
}

const fn state_message(state: &State) -> message::State {
    match state {
        State::Submitted => message::State::Submitted,
        State::Accepted => message::State::Accepted,
        State::Assigned { .. } => message::State::Assigned,
        State::Returned { .. } => message::State::Returned,
        State::Replied { .. } => message::State::Replied,
        State::Closed { .. } => message::State::Closed,
    }
}

fn timestamp(moment: Moment) -> Timestamp {
    // Below a second there are fewer nanoseconds than an i32 holds.
    let nanos = i32::try_from(moment.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: moment.timestamp(), nanos }
}

/// Where a clause is written: document and line, or decision, number and date.
pub fn source(clause: &Clause) -> String {
    match &clause.basis {
        Basis::Document(source) => format!("{}:{}", source.file, source.line),
        Basis::Decision(decision) => {
            format!("{} {} {}", decision.decided_by, decision.document, decision.dated)
        }
    }
}

/// How a value binds, as packs write it.
pub const fn binding(binding: Binding) -> &'static str {
    match binding {
        Binding::Exact => "exact",
        Binding::Ceiling => "ceiling",
        Binding::Floor => "floor",
        Binding::Average => "average",
        Binding::Principle => "principle",
        Binding::Target => "target",
    }
}
