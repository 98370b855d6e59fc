//! How long whoever is offered a seat from the line has to take it.
//!
//! | the district says | a seat from the line waits |
//! |---|---|
//! | `waitlist_offer_minutes` | so long for each stage still open: signature, approval, payment |
//! | nothing of it | as long as any seat of the round |
//! | `waitlist_quiet_from`, `waitlist_quiet_to` | and on to the end of the night where it would have ended within one |
//! | nothing of it | until then, by night too: nobody makes up hours for a district |
//!
//! A night moves an end later, never earlier. A time that ends when the night begins has been awake all along, and stays.

use chrono::{Days, TimeDelta, Timelike as _};
use policy::Policy;
use shared::value::Moment;

use super::day::local;
use super::enrollment::{Change, Enrollment, Event, State};

/// What the policy of a term says about offers. Fixed while the term lasts, as the policy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Seconds for each stage still open, 60 or more; none where nobody says it.
    pub offer_seconds: Option<i32>,
    /// The night in which no such time ends; none where nobody says it.
    pub night: Option<Night>,
}

/// A stretch of every day, school's local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// When it begins: minutes after midnight, 0 to 1,439.
    pub from_minute: i32,
    /// When it ends: minutes after midnight, 0 to 1,439; below `from_minute`, on the next day. Never the same.
    pub to_minute: i32,
}

impl Rule {
    /// Reads it from the policy a term is pinned to.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let enroll = &policy.enroll;
        let minute = |time: &chrono::NaiveTime| {
            i32::try_from(time.num_seconds_from_midnight() / 60).unwrap_or_default()
        };
        let night = enroll.waitlist_quiet_from.get().zip(enroll.waitlist_quiet_to.get());
        Self {
            // A pack cannot hold more than a week of them.
            offer_seconds: enroll
                .waitlist_offer_minutes
                .get()
                .and_then(|minutes| i32::try_from(minutes.saturating_mul(60)).ok()),
            night: night
                .map(|(from, to)| Night { from_minute: minute(from), to_minute: minute(to) })
                .filter(|night| night.from_minute != night.to_minute),
        }
    }

    /// Gives the keys nobody has decided, in the order of the policy: what an opener of a round should know of.
    #[must_use]
    pub fn silent_keys(policy: &Policy) -> Vec<&'static str> {
        let enroll = &policy.enroll;
        let silences = [
            enroll.waitlist_offer_minutes.get().is_none().then(|| enroll.waitlist_offer_minutes.silence()),
            enroll.waitlist_quiet_from.get().is_none().then(|| enroll.waitlist_quiet_from.silence()),
            enroll.waitlist_quiet_to.get().is_none().then(|| enroll.waitlist_quiet_to.silence()),
        ];
        silences.into_iter().flatten().map(|silent| silent.key).collect()
    }

    /// When a wait begun at `now` is over, which would else be over at `plain`.
    #[must_use]
    pub fn expires_at(&self, now: Moment, plain: Moment) -> Moment {
        let expires_at =
            self.offer_seconds.map_or(plain, |seconds| now + TimeDelta::seconds(i64::from(seconds)));
        self.night.map_or(expires_at, |night| night.awake(expires_at))
    }

    /// Gives a change that makes a seat from the line wait, with the end of that wait as this rule has it. Any other change is
    /// given as it is.
    #[must_use]
    pub fn grant(&self, enrollment: &Enrollment, change: Change, now: Moment) -> Change {
        let (state, event) = match (&enrollment.state, &change.state) {
            (State::Waitlisted { .. }, State::AwaitingAgreement { expires_at }) => {
                let expires_at = self.expires_at(now, *expires_at);
                let event = Event::AgreementAwaited { expires_at, from_waitlist: true };
                (State::AwaitingAgreement { expires_at }, event)
            }
            (State::Waitlisted { .. } | State::AwaitingAgreement { .. }, State::InReview { expires_at }) => {
                let expires_at = self.expires_at(now, *expires_at);
                (State::InReview { expires_at }, Event::ReviewBegun { expires_at, from_waitlist: true })
            }
            (
                State::Waitlisted { .. } | State::AwaitingAgreement { .. } | State::InReview { .. },
                State::Held { expires_at },
            ) => {
                let expires_at = self.expires_at(now, *expires_at);
                (State::Held { expires_at }, Event::SeatHeld { expires_at, from_waitlist: true })
            }
            (
                State::Waitlisted { .. }
                | State::AwaitingAgreement { .. }
                | State::InReview { .. }
                | State::Held { .. }
                | State::Releasing { .. }
                | State::Confirmed
                | State::Released { .. },
                _,
            ) => return change,
        };
        Change { state, event: Some(event), ..change }
    }
}

impl Night {
    /// The moment itself, or the end of the night it falls into.
    fn awake(self, moment: Moment) -> Moment {
        let day = local::day(moment);
        // The night that began the day before may reach into this one.
        let nights = [day.checked_sub_days(Days::new(1)), Some(day)].into_iter().flatten();
        for begun in nights {
            let from = local::moment(begun, self.from_minute);
            let next_day = if self.from_minute < self.to_minute { 0 } else { 24 * 60 };
            let to = local::moment(begun, self.to_minute + next_day);
            if from < moment && moment < to {
                return to;
            }
        }
        moment
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::enrollment::tests::{at, enrollment};
    use crate::domain::enrollment::{Terms, approve_step, promote, sign};

    const NIGHT: Night = Night { from_minute: 22 * 60, to_minute: 7 * 60 };
    const NOON: Night = Night { from_minute: 12 * 60, to_minute: 14 * 60 };

    fn local_moment(text: &str) -> Moment {
        let parsed = chrono::DateTime::parse_from_rfc3339(&format!("{text}+08:00")).unwrap();
        parsed.with_timezone(&chrono::Utc)
    }

    #[test]
    fn an_end_within_the_night_moves_to_its_end_and_no_other_moves() {
        let table = [
            // A night over midnight, from 22:00 to 07:00.
            (NIGHT, "2026-09-01T21:59:59", "2026-09-01T21:59:59"),
            (NIGHT, "2026-09-01T22:00:00", "2026-09-01T22:00:00"),
            (NIGHT, "2026-09-01T22:00:01", "2026-09-02T07:00:00"),
            (NIGHT, "2026-09-01T23:59:59", "2026-09-02T07:00:00"),
            (NIGHT, "2026-09-02T00:00:00", "2026-09-02T07:00:00"),
            (NIGHT, "2026-09-02T06:59:59", "2026-09-02T07:00:00"),
            (NIGHT, "2026-09-02T07:00:00", "2026-09-02T07:00:00"),
            (NIGHT, "2026-09-02T07:00:01", "2026-09-02T07:00:01"),
            (NIGHT, "2026-12-31T23:30:00", "2027-01-01T07:00:00"),
            // One within a day.
            (NOON, "2026-09-01T12:00:00", "2026-09-01T12:00:00"),
            (NOON, "2026-09-01T12:00:01", "2026-09-01T14:00:00"),
            (NOON, "2026-09-01T14:00:00", "2026-09-01T14:00:00"),
            (NOON, "2026-09-01T23:00:00", "2026-09-01T23:00:00"),
            // From midnight, and to midnight.
            (Night { from_minute: 0, to_minute: 360 }, "2026-09-01T00:00:00", "2026-09-01T00:00:00"),
            (Night { from_minute: 0, to_minute: 360 }, "2026-09-01T00:00:01", "2026-09-01T06:00:00"),
            (Night { from_minute: 1_320, to_minute: 0 }, "2026-09-01T23:59:59", "2026-09-02T00:00:00"),
            (Night { from_minute: 1_320, to_minute: 0 }, "2026-09-02T00:00:00", "2026-09-02T00:00:00"),
        ];
        for (night, end, expected) in table {
            let rule = Rule { offer_seconds: None, night: Some(night) };
            let moved = rule.expires_at(local_moment("2026-09-01T00:00:00"), local_moment(end));
            assert_eq!(moved, local_moment(expected), "{end} with {night:?}");
        }
    }

    #[test]
    fn what_nobody_says_stays_as_the_round_has_it() {
        let (now, plain) = (local_moment("2026-09-01T21:50:00"), local_moment("2026-09-01T22:20:00"));
        let table = [
            (None, None, "2026-09-01T22:20:00"),
            (Some(600), None, "2026-09-01T22:00:00"),
            (None, Some(NIGHT), "2026-09-02T07:00:00"),
            (Some(600), Some(NIGHT), "2026-09-01T22:00:00"),
            (Some(7_200), Some(NIGHT), "2026-09-02T07:00:00"),
            (Some(86_400), Some(NOON), "2026-09-02T21:50:00"),
        ];
        for (offer_seconds, night, expected) in table {
            let rule = Rule { offer_seconds, night };
            assert_eq!(rule.expires_at(now, plain), local_moment(expected), "{rule:?}");
        }
    }

    #[test]
    fn each_stage_of_a_seat_from_the_line_has_the_offers_time_and_says_where_it_came_from() {
        let rule = Rule { offer_seconds: Some(300), night: None };
        let waiting = enrollment(State::Waitlisted { number: 1 }, &["review"]);

        let promoted = rule.grant(&waiting, promote(&waiting, true, at(0)).unwrap(), at(0));
        assert_eq!(promoted.state, State::InReview { expires_at: at(300) });
        assert_eq!(promoted.event, Some(Event::ReviewBegun { expires_at: at(300), from_waitlist: true }));

        let review = Enrollment { state: promoted.state, ..waiting.clone() };
        let approved = rule.grant(&review, approve_step(&review, "review", at(200)).unwrap(), at(200));
        assert_eq!(approved.state, State::Held { expires_at: at(500) });
        assert_eq!(approved.event, Some(Event::SeatHeld { expires_at: at(500), from_waitlist: true }));

        let unsigned = Enrollment { terms: Terms { asks_agreement: true, ..waiting.terms }, ..waiting };
        let promoted = rule.grant(&unsigned, promote(&unsigned, false, at(0)).unwrap(), at(0));
        assert_eq!(promoted.state, State::AwaitingAgreement { expires_at: at(300) });
        let awaiting = Enrollment { state: promoted.state, ..unsigned };
        let signed = rule.grant(&awaiting, sign(&awaiting, at(100)), at(100));
        assert_eq!(signed.state, State::InReview { expires_at: at(400) });

        // A step that is not the last begins no wait.
        let two = enrollment(State::InReview { expires_at: at(300) }, &["review", "school_approve"]);
        let first = approve_step(&two, "review", at(200)).unwrap();
        assert_eq!(rule.grant(&two, first.clone(), at(200)), first);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Never earlier, never within the night, never further than the night is long.
        #[test]
        fn a_night_only_ever_gives_time(
            seconds in 0_i64..40_000_000,
            from_minute in 0_i32..1_440,
            length in 1_i32..1_440,
        ) {
            let night = Night { from_minute, to_minute: (from_minute + length) % 1_440 };
            let rule = Rule { offer_seconds: None, night: Some(night) };
            let plain = at(seconds);
            let moved = rule.expires_at(at(0), plain);
            prop_assert!(plain <= moved && moved - plain <= TimeDelta::minutes(i64::from(length)));
            prop_assert_eq!(rule.expires_at(at(0), moved), moved);
        }
    }
}
