//! Waiting rooms (学生等候室): for pupils who come early or are collected late. There is none without somebody on duty.

use chrono::NaiveDate;
use shared::value::{District, Id, Room as RoomKind, School};

use super::duty::{Duty, Post};

/// A waiting room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The room.
    pub id: Id<RoomKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// Its name.
    pub name: String,
}

/// Pupils would be left in a room with nobody on duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pupil_count} pupils would be alone")]
pub struct Unattended {
    /// How many pupils are in it.
    pub pupil_count: usize,
}

/// Says that `ended` may be ended today: it is no room's, nobody is in the room, or somebody else of `duties` is on duty in it.
///
/// # Errors
/// [`Unattended`].
pub fn may_end(
    ended: &Duty,
    duties: &[Duty],
    today: NaiveDate,
    pupil_count: usize,
) -> Result<(), Unattended> {
    let is_attended = || {
        duties.iter().any(|other| other.id != ended.id && other.post == ended.post && other.holds_on(today))
    };
    match ended.post {
        Post::Leader | Post::Section(_) => Ok(()),
        Post::Room(_) if pupil_count == 0 || !ended.holds_on(today) || is_attended() => Ok(()),
        Post::Room(_) => Err(Unattended { pupil_count }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::day::duty::tests::duty;
    use crate::domain::day::lesson::tests::on;

    #[test]
    fn the_last_on_duty_stays_while_a_pupil_is_in_the_room() {
        let post = Post::Room(Id::new(Uuid::from_u128(9)));
        let today = on("2026-09-07");
        let guard = duty(post, "2026-09-01", "2026-09-30");
        let second = Duty { id: Id::new(Uuid::from_u128(2)), ..guard.clone() };
        let tomorrow = Duty { first_day: on("2026-09-08"), ..second.clone() };
        let elsewhere = Duty { post: Post::Room(Id::new(Uuid::from_u128(8))), ..second.clone() };
        let refused = Err(Unattended { pupil_count: 3 });
        let table = [
            (guard.clone(), vec![guard.clone(), second], 3, Ok(())),
            (guard.clone(), vec![guard.clone()], 0, Ok(())),
            (guard.clone(), vec![guard.clone()], 3, refused),
            (guard.clone(), vec![guard.clone(), tomorrow.clone(), elsewhere], 3, refused),
            (tomorrow.clone(), vec![tomorrow], 3, Ok(())),
            (Duty { post: Post::Leader, ..guard.clone() }, vec![], 3, Ok(())),
        ];
        for (ended, duties, pupil_count, expected) in table {
            assert_eq!(may_end(&ended, &duties, today, pupil_count), expected, "{ended:?}");
        }
    }
}
