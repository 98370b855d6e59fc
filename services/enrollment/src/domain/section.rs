//! A section as this service needs it: its seats, whom it is for, and when it meets.

use shared::value::{District, Id, Provider, School, Section as SectionKind, Slot as SlotKind, Term};
use uuid::Uuid;

use super::round::Course;

/// A section that is, or was, on the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The section.
    pub id: Id<SectionKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school that gives it.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The term it is given in.
    pub term_id: Id<Term>,
    /// The course's title.
    pub title: String,
    /// Who gives it, when not the school itself.
    pub provider_id: Option<Id<Provider>>,
    /// The grades it is for, ascending, each 1 to 9.
    pub grades: Vec<i32>,
    /// Its weekly slots, by weekday and start.
    pub slots: Vec<Slot>,
    /// How full it is.
    pub seats: Seats,
    /// Whether it is extended care (延时托管) at every hour it meets: no region gives that a price.
    pub extended_care: bool,
    /// Whether it came too late for the lists of its term's draw: its seats are given with those left over.
    pub left_over: bool,
    /// Where it stands.
    pub state: State,
}

impl Section {
    /// How its seats are given while its term's seats are drawn.
    #[must_use]
    pub const fn course(&self) -> Course {
        match (self.seats.basic_care, self.left_over) {
            (true, _) => Course::Always,
            (false, true) => Course::LeftOver,
            (false, false) => Course::Drawn,
        }
    }
}

/// Where a section stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// On the menu.
    Published,
    /// Cancelled; holds the words for the families.
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// How full a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seats {
    /// How many seats there are, 1 to 500.
    pub capacity_count: i32,
    /// How many are taken: in review, held, being given back, confirmed.
    pub taken_count: i32,
    /// How many wait in line.
    pub waitlisted_count: i32,
    /// The last number given in line; 0 when none was. Numbers start at 1 and are given once.
    pub last_waitlist_number: i64,
    /// How many seats are promised to a draw: from the closing of its lists until it is held nobody else gets them.
    pub promised_count: i32,
    /// Whether it is basic care, which is never refused for capacity: beyond its capacity it overflows, and the school must
    /// open another class.
    pub basic_care: bool,
}

impl Seats {
    /// Says whether one more pupil can be seated.
    #[must_use]
    pub const fn has_free(&self) -> bool {
        self.basic_care || self.free_count() > 0
    }

    /// How many seats are neither taken nor promised.
    #[must_use]
    pub const fn free_count(&self) -> i32 {
        self.capacity_count - self.taken_count - self.promised_count
    }

    /// How many more are seated than there are seats. 0 but for basic care.
    #[must_use]
    pub fn overflow_count(&self) -> i32 {
        (self.taken_count - self.capacity_count).max(0)
    }
}

/// A weekly period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: i32,
    /// When it starts: minutes after midnight, school's local time.
    pub start_minute: i32,
    /// When it ends, later the same day; at this minute it is over.
    pub end_minute: i32,
    /// The slot.
    pub id: Id<SlotKind>,
}

impl Slot {
    /// Says whether nobody can be in both. One that starts when the other ends does not clash.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        self.id == other.id
            || (self.weekday == other.weekday
                && self.start_minute < other.end_minute
                && other.start_minute < self.end_minute)
    }
}

/// Gives the first of `wanted` that clashes with one of `taken`.
#[must_use]
pub fn first_clash<'slot>(wanted: &'slot [Slot], taken: &[Slot]) -> Option<&'slot Slot> {
    wanted.iter().find(|wanted| taken.iter().any(|taken| wanted.clashes(taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(id: u128, weekday: i32, start_minute: i32, end_minute: i32) -> Slot {
        Slot { weekday, start_minute, end_minute, id: Id::new(Uuid::from_u128(id)) }
    }

    #[test]
    fn c41_slots_clash_when_they_share_a_minute_of_a_weekday() {
        let table = [
            (slot(1, 1, 960, 1020), slot(2, 1, 1019, 1080), true),
            (slot(1, 1, 960, 1020), slot(2, 1, 1020, 1080), false),
            (slot(1, 1, 960, 1020), slot(2, 2, 960, 1020), false),
            (slot(1, 1, 960, 1080), slot(2, 1, 1000, 1010), true),
            (slot(1, 1, 960, 1020), slot(1, 2, 0, 10), true),
        ];
        for (one, other, clash) in table {
            assert_eq!(one.clashes(&other), clash, "{one:?} {other:?}");
            assert_eq!(other.clashes(&one), clash, "{other:?} {one:?}");
        }
    }

    #[test]
    fn c40_basic_care_always_has_a_free_seat_and_counts_what_is_above() {
        let full = Seats {
            capacity_count: 30,
            taken_count: 30,
            waitlisted_count: 0,
            last_waitlist_number: 0,
            promised_count: 0,
            basic_care: false,
        };
        assert!(!full.has_free());
        assert!(Seats { taken_count: 29, ..full }.has_free());
        assert!(!Seats { taken_count: 29, promised_count: 1, ..full }.has_free(), "it is promised to a draw");
        let care = Seats { basic_care: true, taken_count: 31, ..full };
        assert!(care.has_free());
        assert_eq!(care.overflow_count(), 1);
        assert_eq!(full.overflow_count(), 0);
    }
}
