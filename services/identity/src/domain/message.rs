//! Messages to guardians by WeChat: what is told, in which words, and what becomes of one.
//!
//! | from ↓ outcome → | sent | no acceptance, unknown, refused | for now not | too late |
//! |------------------|------|---------------------------------|-------------|----------|
//! | Pending          | Sent | Dropped                         | Pending, later | Dropped |
//!
//! What is told late misleads: a message that could not be sent within [`KEPT`] is dropped.

use chrono::TimeDelta;
use shared::value::{self, Id, Moment};
use uuid::Uuid;

use super::person::Name;

/// How long after it happened something is still told.
pub const KEPT: TimeDelta = TimeDelta::minutes(30);

/// How long whoever took a message to send it has it alone.
pub const TAKEN: TimeDelta = TimeDelta::seconds(30);

/// The longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// How many acceptances of a template are counted at a time.
pub const ACCEPTED_COUNT: i32 = 20;

/// A message to one guardian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message.
    pub id: Uuid,
    /// What it tells of: one event, and each guardian hears of it once.
    pub event_id: Uuid,
    /// To whom.
    pub guardian_id: Id<value::Guardian>,
    /// Of whom.
    pub pupil_id: Id<value::Pupil>,
    /// What is told.
    pub news: News,
    /// When it happened.
    pub happened_at: Moment,
    /// How often it was tried.
    pub attempt_count: i32,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The pupil arrived.
    CheckedIn,
    /// The pupil left.
    CheckedOut(Way),
    /// The pupil is still there after the service has ended.
    Overdue,
}

/// How a pupil left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With a guardian.
    Guardian,
    /// With somebody a guardian named.
    Collector,
    /// Alone.
    Alone,
    /// A person found that the pupil was not there.
    NotHere,
}

impl News {
    /// Everything that is ever told.
    pub const ALL: [Self; 6] = [
        Self::CheckedIn,
        Self::CheckedOut(Way::Guardian),
        Self::CheckedOut(Way::Collector),
        Self::CheckedOut(Way::Alone),
        Self::CheckedOut(Way::NotHere),
        Self::Overdue,
    ];

    /// As rows have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckedIn => "checked_in",
            Self::CheckedOut(Way::Guardian) => "left_with_guardian",
            Self::CheckedOut(Way::Collector) => "left_with_collector",
            Self::CheckedOut(Way::Alone) => "left_alone",
            Self::CheckedOut(Way::NotHere) => "not_here",
            Self::Overdue => "overdue",
        }
    }

    /// What a guardian reads: at most 20 characters, as WeChat allows.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::CheckedIn => "已到校参加课后服务",
            Self::CheckedOut(Way::Guardian) => "已由监护人接走",
            Self::CheckedOut(Way::Collector) => "已由您授权的人接走",
            Self::CheckedOut(Way::Alone) => "已按约定自行离校",
            Self::CheckedOut(Way::NotHere) => "老师登记为不在校，请联系学校",
            Self::Overdue => "课后服务已结束，请尽快来接",
        }
    }
}

/// How a pupil is named in a message: the family knows who it is, and nobody else should.
#[must_use]
pub fn pupil_name(name: &Name) -> String {
    let first: String = name.as_str().chars().take(1).collect();
    format!("{first}同学")
}

/// What came of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// WeChat took it.
    Sent,
    /// It will never be taken.
    Never(Unsent),
    /// Not now.
    Later,
}

/// Why a message is not sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The guardian has no acceptance left.
    NotSubscribed,
    /// WeChat does not know the guardian, or bars them.
    Unreachable,
    /// WeChat refuses what it says.
    Refused,
    /// It would come too late.
    Stale,
    /// The guardian's consent for the pupil has ended, or the pupil has.
    Withdrawn,
}

impl Unsent {
    /// As rows have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSubscribed => "not_subscribed",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It was sent.
    Sent,
    /// It is not sent.
    Dropped(Unsent),
    /// It is tried again from then on.
    Pending {
        /// When.
        next_at: Moment,
    },
}

/// Decides what becomes of a message after a try.
#[must_use]
pub fn after(message: &Message, outcome: Outcome, now: Moment) -> Next {
    match outcome {
        Outcome::Sent => Next::Sent,
        Outcome::Never(why) => Next::Dropped(why),
        Outcome::Later => {
            let doubled = 1_i64 << message.attempt_count.clamp(0, 9);
            let next_at = now + TimeDelta::seconds(doubled).min(LONGEST_PAUSE);
            if is_stale(message.happened_at, next_at) {
                Next::Dropped(Unsent::Stale)
            } else {
                Next::Pending { next_at }
            }
        }
    }
}

/// Whether something that happened then is told too late now.
#[must_use]
pub fn is_stale(happened_at: Moment, now: Moment) -> bool {
    now - happened_at > KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attempt_count: i32) -> Message {
        Message {
            id: Uuid::nil(),
            event_id: Uuid::nil(),
            guardian_id: Id::new(Uuid::nil()),
            pupil_id: Id::new(Uuid::nil()),
            news: News::CheckedIn,
            happened_at: Moment::default(),
            attempt_count,
        }
    }

    #[test]
    fn each_outcome_has_its_next() {
        let then = Moment::default();
        let in_time = then + KEPT - TimeDelta::seconds(2);
        assert_eq!(after(&message(1), Outcome::Sent, in_time), Next::Sent);
        for why in [Unsent::NotSubscribed, Unsent::Unreachable, Unsent::Refused, Unsent::Withdrawn] {
            assert_eq!(after(&message(1), Outcome::Never(why), in_time), Next::Dropped(why));
        }
        let later = Next::Pending { next_at: in_time + TimeDelta::seconds(2) };
        assert_eq!(after(&message(1), Outcome::Later, in_time), later);
        assert_eq!(after(&message(2), Outcome::Later, in_time), Next::Dropped(Unsent::Stale));
        let longest = Next::Pending { next_at: then + LONGEST_PAUSE };
        assert_eq!(after(&message(40), Outcome::Later, then), longest);
    }

    #[test]
    fn c48_a_message_says_no_full_name_and_fits_what_wechat_takes() {
        let named = pupil_name(&Name::parse("王小明").unwrap());
        assert_eq!(named, "王同学");
        for news in News::ALL {
            assert!(wechat::mini::Field::new("thing1", news.words()).check().is_ok(), "{news:?}");
        }
        assert!(wechat::mini::Field::new("thing1", &named).check().is_ok());
    }
}
