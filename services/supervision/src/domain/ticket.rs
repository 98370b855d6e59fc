//! A ticket's life: submitted, accepted, assigned, answered, rated.
//!
//! | from ↓ command → | accept    | assign     | send_back | reply   | rate solved | rate unsolved |
//! |------------------|-----------|------------|-----------|---------|-------------|---------------|
//! | Submitted        | Accepted  | refused    | refused   | refused | refused     | refused       |
//! | Accepted         | no change | Assigned   | refused   | refused | refused     | refused       |
//! | Assigned         | no change | refused ¹  | Returned  | Replied | refused     | refused       |
//! | Returned         | no change | Assigned   | no change | refused | refused     | refused       |
//! | Replied          | no change | refused    | refused   | refused | Closed      | Assigned ²    |
//! | Closed           | no change | refused    | refused   | refused | no change   | refused       |
//!
//! ¹ to the same handler: no change.  ² to the handler who answered.
//! Once assigned, a ticket always names its handler: who answers, who sent it back, or who answered last.
//! A limit is a moment: at it, it has passed. What is done late is done, and the ticket says so ever after.

use shared::value::{Guardian, Id, Moment, Node};

use super::school::SchoolPath;

/// A role that may answer a ticket, at the node of the tree where it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerRole {
    /// The school's head.
    Principal,
    /// The school's teaching office.
    TeachingOffice,
    /// The school's moral-education office.
    MoralEducation,
    /// The school's finance.
    SchoolFinance,
    /// The town or street education office.
    TownOffice,
    /// An officer of the bureau.
    BureauOfficer,
    /// An inspector of the bureau.
    Inspector,
}

impl HandlerRole {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Principal,
        Self::TeachingOffice,
        Self::MoralEducation,
        Self::SchoolFinance,
        Self::TownOffice,
        Self::BureauOfficer,
        Self::Inspector,
    ];

    /// As it is written in contracts and rows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::TeachingOffice => "teaching_office",
            Self::MoralEducation => "moral_education",
            Self::SchoolFinance => "school_finance",
            Self::TownOffice => "town_office",
            Self::BureauOfficer => "bureau_officer",
            Self::Inspector => "inspector",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The node at which the role answers for a school.
    #[must_use]
    pub fn node_of(self, school: &SchoolPath) -> Id<Node> {
        match self {
            Self::Principal | Self::TeachingOffice | Self::MoralEducation | Self::SchoolFinance => {
                Id::new(school.school_id.uuid())
            }
            Self::TownOffice => school.town_id,
            Self::BureauOfficer | Self::Inspector => Id::new(school.district_id.uuid()),
        }
    }
}

/// Who answers a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The role.
    pub role: HandlerRole,
    /// Where it is held.
    pub node_id: Id<Node>,
}

/// Who complains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complainant {
    /// A guardian, known to the bureau by nothing but the link.
    Guardian(Id<Guardian>),
    /// Nobody we know: found again by number and receipt code.
    Anonymous,
}

/// What a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 投诉.
    Complaint,
    /// 意见建议.
    Suggestion,
}

/// What a ticket is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// 收费.
    Fees,
    /// 安全.
    Safety,
    /// 教学.
    Teaching,
    /// 第三方机构.
    Provider,
    /// 强制参加.
    ForcedParticipation,
    /// Anything else.
    Other,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Received.
    Submitted,
    /// Accepted by the bureau.
    Accepted,
    /// With a handler.
    Assigned {
        /// Who answers.
        handler: Handler,
    },
    /// Sent back by a handler; to be assigned again.
    Returned {
        /// Who sent it back.
        handler: Handler,
    },
    /// Answered.
    Replied {
        /// Who answered.
        handler: Handler,
    },
    /// Ended.
    Closed {
        /// Who answered.
        handler: Handler,
    },
}

/// What can be done with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It came in.
    Submitted,
    /// The bureau took it on.
    Accepted,
    /// It went to a handler.
    Assigned,
    /// The handler sent it back.
    Returned,
    /// The handler answered.
    Replied,
    /// The complainant judged the answer.
    Rated,
    /// It went back to the handler who answered.
    Reopened,
    /// It ended.
    Closed,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Submitted,
        Self::Accepted,
        Self::Assigned,
        Self::Returned,
        Self::Replied,
        Self::Rated,
        Self::Reopened,
        Self::Closed,
    ];

    /// As it is written in contracts and rows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Assigned => "assigned",
            Self::Returned => "returned",
            Self::Replied => "replied",
            Self::Rated => "rated",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// Whether a ticket on which this was done last may be in `state`.
    #[must_use]
    pub const fn leaves(self, state: &State) -> bool {
        match self {
            Self::Submitted => matches!(state, State::Submitted),
            Self::Accepted => matches!(state, State::Accepted),
            Self::Assigned | Self::Reopened => matches!(state, State::Assigned { .. }),
            Self::Returned => matches!(state, State::Returned { .. }),
            Self::Replied => matches!(state, State::Replied { .. }),
            // A judgement is never the last thing done: it reopens or closes.
            Self::Rated => false,
            Self::Closed => matches!(state, State::Closed { .. }),
        }
    }
}

/// A complainant's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Whether the matter is solved.
    pub solved: bool,
    /// 1 (worst) to 5 (best).
    pub stars: i32,
}

/// The moments a ticket is measured by. None where the district has set no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// When it must be accepted.
    pub accept_due_at: Option<Moment>,
    /// When it must be answered; known once it is accepted.
    pub reply_due_at: Option<Moment>,
    /// Whether a step was done late.
    pub was_late: bool,
}

/// A ticket, as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The school it is about.
    pub school: SchoolPath,
    /// Who complains.
    pub complainant: Complainant,
    /// Where it stands.
    pub state: State,
    /// What it is measured by.
    pub limits: Limits,
    /// The last judgement's stars, 1 to 5; none before the first.
    pub stars: Option<i32>,
    /// How often it was reopened.
    pub reopened_count: i32,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The state does not allow it.
    #[error("the ticket is {state}")]
    WrongState {
        /// The state's word.
        state: &'static str,
    },
    /// The role does not answer for the school at that node.
    #[error("the role does not answer for the school at that node")]
    HandlerMisplaced,
    /// The guardian has submitted enough for a day.
    #[error("the guardian has submitted {limit_count} tickets today")]
    TooMany {
        /// How many a guardian may submit in a day.
        limit_count: u64,
    },
}

/// How many tickets a guardian may submit in a day.
const PER_DAY_COUNT: u64 = 10;

impl State {
    /// As it is written in rows and facts.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Assigned { .. } => "assigned",
            Self::Returned { .. } => "returned",
            Self::Replied { .. } => "replied",
            Self::Closed { .. } => "closed",
        }
    }

    const fn refused(&self) -> Error {
        Error::WrongState { state: self.word() }
    }
}

impl Ticket {
    /// Says whether a limit has passed, or had when a step was done.
    #[must_use]
    pub fn is_late(&self, now: Moment) -> bool {
        let passed = |due: Option<Moment>| due.is_some_and(|due| now >= due);
        let open = match self.state {
            State::Submitted => passed(self.limits.accept_due_at),
            State::Accepted | State::Assigned { .. } | State::Returned { .. } => {
                passed(self.limits.reply_due_at)
            }
            State::Replied { .. } | State::Closed { .. } => false,
        };
        self.limits.was_late || open
    }

    /// Who handles it, or did last. None before it is assigned.
    #[must_use]
    pub const fn handler(&self) -> Option<Handler> {
        match self.state {
            State::Submitted | State::Accepted => None,
            State::Assigned { handler }
            | State::Returned { handler }
            | State::Replied { handler }
            | State::Closed { handler } => Some(handler),
        }
    }

    /// The ticket in its next state, late for ever when it is late now.
    fn then(self, state: State, now: Moment) -> Self {
        let limits = Limits { was_late: self.is_late(now), ..self.limits };
        Self { state, limits, ..self }
    }
}

/// Insists that a guardian who submitted `today_count` tickets today may submit another.
///
/// # Errors
/// [`Error::TooMany`].
pub const fn submit(today_count: u64) -> Result<(), Error> {
    if today_count < PER_DAY_COUNT { Ok(()) } else { Err(Error::TooMany { limit_count: PER_DAY_COUNT }) }
}

/// Accepts a ticket; from now on the answer is due at `reply_due_at`. None when nothing changes.
#[must_use]
pub fn accept(ticket: Ticket, reply_due_at: Option<Moment>, now: Moment) -> Option<Ticket> {
    match ticket.state {
        State::Submitted => {
            let mut next = ticket.then(State::Accepted, now);
            next.limits.reply_due_at = reply_due_at;
            Some(next)
        }
        State::Accepted
        | State::Assigned { .. }
        | State::Returned { .. }
        | State::Replied { .. }
        | State::Closed { .. } => None,
    }
}

/// Assigns a ticket to a handler. None when nothing changes.
///
/// # Errors
/// [`Error::WrongState`]; [`Error::HandlerMisplaced`] when the role does not answer for the school at that node.
pub fn assign(ticket: Ticket, handler: Handler, now: Moment) -> Result<Option<Ticket>, Error> {
    if handler.role.node_of(&ticket.school) != handler.node_id {
        return Err(Error::HandlerMisplaced);
    }
    match ticket.state {
        State::Accepted | State::Returned { .. } => Ok(Some(ticket.then(State::Assigned { handler }, now))),
        State::Assigned { handler: current } if current == handler => Ok(None),
        State::Submitted | State::Assigned { .. } | State::Replied { .. } | State::Closed { .. } => {
            Err(ticket.state.refused())
        }
    }
}

/// Sends a ticket back to be assigned again. None when nothing changes.
///
/// # Errors
/// [`Error::WrongState`].
pub fn send_back(ticket: Ticket, now: Moment) -> Result<Option<Ticket>, Error> {
    match ticket.state {
        State::Assigned { handler } => Ok(Some(ticket.then(State::Returned { handler }, now))),
        State::Returned { .. } => Ok(None),
        State::Submitted | State::Accepted | State::Replied { .. } | State::Closed { .. } => {
            Err(ticket.state.refused())
        }
    }
}

/// Answers a ticket.
///
/// # Errors
/// [`Error::WrongState`].
pub fn reply(ticket: Ticket, now: Moment) -> Result<Ticket, Error> {
    match ticket.state {
        State::Assigned { handler } => Ok(ticket.then(State::Replied { handler }, now)),
        State::Submitted
        | State::Accepted
        | State::Returned { .. }
        | State::Replied { .. }
        | State::Closed { .. } => Err(ticket.state.refused()),
    }
}

/// Rates an answer: solved closes the ticket, unsolved gives it back to its handler with the answer due at `reply_due_at`.
/// None when nothing changes.
///
/// # Errors
/// [`Error::WrongState`].
pub fn rate(
    ticket: Ticket,
    rating: Rating,
    reply_due_at: Option<Moment>,
    now: Moment,
) -> Result<Option<Ticket>, Error> {
    match (ticket.state, rating.solved) {
        (State::Replied { handler }, true) => {
            Ok(Some(Ticket { stars: Some(rating.stars), ..ticket.then(State::Closed { handler }, now) }))
        }
        (State::Replied { handler }, false) => {
            let mut next = ticket.then(State::Assigned { handler }, now);
            next.limits.reply_due_at = reply_due_at;
            next.stars = Some(rating.stars);
            next.reopened_count += 1;
            Ok(Some(next))
        }
        (State::Closed { .. }, true) => Ok(None),
        (State::Submitted | State::Accepted | State::Assigned { .. } | State::Returned { .. }, _)
        | (State::Closed { .. }, false) => Err(ticket.state.refused()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    const SCHOOL: SchoolPath = SchoolPath {
        district_id: Id::new(Uuid::from_u128(1)),
        town_id: Id::new(Uuid::from_u128(2)),
        school_id: Id::new(Uuid::from_u128(3)),
    };
    const HANDLER: Handler = Handler { role: HandlerRole::Principal, node_id: Id::new(Uuid::from_u128(3)) };

    fn now() -> Moment {
        "2026-11-23T01:00:00Z".parse().unwrap()
    }

    fn ticket(state: State) -> Ticket {
        Ticket {
            school: SCHOOL,
            complainant: Complainant::Anonymous,
            state,
            limits: Limits::default(),
            stars: None,
            reopened_count: 0,
        }
    }

    /// What a command makes of a state: its word, `same` or `refused`.
    fn outcome(state: State, command: &str) -> &'static str {
        let ticket = ticket(state);
        let solved = |solved| Rating { solved, stars: 3 };
        let next = match command {
            "accept" => Ok(accept(ticket, None, now())),
            "assign" => assign(
                ticket,
                Handler { role: HandlerRole::TownOffice, node_id: Id::new(Uuid::from_u128(2)) },
                now(),
            ),
            "send_back" => send_back(ticket, now()),
            "reply" => reply(ticket, now()).map(Some),
            "solved" => rate(ticket, solved(true), None, now()),
            _ => rate(ticket, solved(false), None, now()),
        };
        match next {
            Ok(Some(next)) => next.state.word(),
            Ok(None) => "same",
            Err(_) => "refused",
        }
    }

    #[test]
    fn every_cell_of_the_table_holds() {
        let commands = ["accept", "assign", "send_back", "reply", "solved", "unsolved"];
        for (state, row) in [
            (State::Submitted, ["accepted", "refused", "refused", "refused", "refused", "refused"]),
            (State::Accepted, ["same", "assigned", "refused", "refused", "refused", "refused"]),
            (
                State::Assigned { handler: HANDLER },
                ["same", "refused", "returned", "replied", "refused", "refused"],
            ),
            (
                State::Returned { handler: HANDLER },
                ["same", "assigned", "same", "refused", "refused", "refused"],
            ),
            (
                State::Replied { handler: HANDLER },
                ["same", "refused", "refused", "refused", "closed", "assigned"],
            ),
            (
                State::Closed { handler: HANDLER },
                ["same", "refused", "refused", "refused", "same", "refused"],
            ),
        ] {
            for (command, expected) in commands.iter().zip(row) {
                assert_eq!(outcome(state, command), expected, "{command} of {}", state.word());
            }
        }
    }

    #[test]
    fn the_tenth_ticket_of_a_day_is_taken_and_the_eleventh_is_not() {
        assert_eq!(submit(9), Ok(()));
        assert_eq!(submit(10), Err(Error::TooMany { limit_count: 10 }));
    }

    #[test]
    fn every_action_but_a_judgement_leaves_one_state() {
        let states = [
            State::Submitted,
            State::Accepted,
            State::Assigned { handler: HANDLER },
            State::Returned { handler: HANDLER },
            State::Replied { handler: HANDLER },
            State::Closed { handler: HANDLER },
        ];
        for action in Action::ALL {
            let left = states.iter().filter(|state| action.leaves(state)).count();
            assert_eq!(left, usize::from(action != Action::Rated), "{action:?}");
            assert_eq!(Action::from_word(action.word()), Some(action));
        }
    }

    #[test]
    fn assigning_to_the_same_handler_again_changes_nothing() {
        assert_eq!(assign(ticket(State::Assigned { handler: HANDLER }), HANDLER, now()), Ok(None));
    }

    #[test]
    fn a_handler_stands_where_the_role_answers_for_the_school() {
        for role in HandlerRole::ALL {
            let right = Handler { role, node_id: role.node_of(&SCHOOL) };
            assert!(assign(ticket(State::Accepted), right, now()).is_ok());
            let wrong = Handler { role, node_id: Id::new(Uuid::from_u128(9)) };
            assert_eq!(assign(ticket(State::Accepted), wrong, now()), Err(Error::HandlerMisplaced));
            assert_eq!(HandlerRole::from_word(role.word()), Some(role));
        }
        assert_eq!(HandlerRole::from_word("provider"), None);
    }

    #[test]
    fn at_its_limit_a_ticket_is_late_and_stays_so() {
        let mut submitted = ticket(State::Submitted);
        submitted.limits.accept_due_at = Some(now());
        assert!(!submitted.is_late(now() - TimeDelta::microseconds(1)));
        assert!(submitted.is_late(now()));

        let accepted = accept(submitted, None, now()).unwrap();
        assert!(accepted.is_late(now()), "what was accepted late stays late");
        let in_time = accept(submitted, None, now() - TimeDelta::microseconds(1)).unwrap();
        assert!(!in_time.is_late(now() + TimeDelta::days(9)), "no limit, never late");
    }

    #[test]
    fn an_unsolved_ticket_goes_back_to_its_handler_with_a_new_limit() {
        let due = now() + TimeDelta::days(3);
        let rated = rate(
            ticket(State::Replied { handler: HANDLER }),
            Rating { solved: false, stars: 1 },
            Some(due),
            now(),
        );
        let rated = rated.unwrap().unwrap();
        assert_eq!(rated.state, State::Assigned { handler: HANDLER });
        assert_eq!((rated.limits.reply_due_at, rated.stars, rated.reopened_count), (Some(due), Some(1), 1));
    }
}
