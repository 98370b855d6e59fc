//! Hears of the school day, and writes down whom to tell.

use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{CheckOutWay, Event};
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::random;
use shared::value::{self, Id, Moment};
use tonic::Status;

use crate::config::Messages;
use crate::domain::message::{Message, News, Way, is_stale};
use crate::store;

/// What enrollment tells of pupils, as messages to their guardians.
pub struct FollowEnrollment {
    /// The time.
    pub clock: SharedClock,
    /// The templates.
    pub messages: Messages,
}

#[async_trait::async_trait]
impl Consumer for FollowEnrollment {
    type Event = Event;

    async fn apply(&self, tx: &Tx, told: &Told, event: Event) -> Result<(), Status> {
        let (news, time) = match event.kind {
            Some(Kind::PupilCheckedIn(arrived)) => (News::CheckedIn, arrived.check_in_time),
            Some(Kind::PupilCheckedOut(left)) => {
                let way = match left.way() {
                    CheckOutWay::Guardian => Way::Guardian,
                    CheckOutWay::Collector => Way::Collector,
                    CheckOutWay::Alone => Way::Alone,
                    CheckOutWay::NotHere => Way::NotHere,
                    CheckOutWay::Unspecified => {
                        return Err(Status::invalid_argument("a pupil left, and no way is told"));
                    }
                };
                (News::CheckedOut(way), left.check_out_time)
            }
            Some(Kind::PupilOverdue(overdue)) => (News::Overdue, overdue.due_time),
            // Seats are no matter of these messages.
            Some(_) | None => return Ok(()),
        };
        let Some(template) = self.messages.template(news) else { return Ok(()) };
        let happened_at = time.and_then(moment).unwrap_or(told.happened_at);
        let now = self.clock.now();
        // What a device or a teacher tells of an hour ago is told late enough already.
        if is_stale(told.happened_at, now) {
            return Ok(());
        }
        let unknown = |_| Status::invalid_argument("the pupil's id is no UUID");
        let pupil_id: Id<value::Pupil> = event.pupil_id.parse().map_err(unknown)?;
        let hearers = store::message::hearers(tx, pupil_id, &template.template_id).await?;
        let message = |guardian_id| Message {
            id: random::uuid(now),
            event_id: told.id,
            guardian_id,
            pupil_id,
            news,
            happened_at,
            attempt_count: 0,
        };
        let messages: Vec<_> = hearers.into_iter().map(message).collect();
        store::message::insert(tx, &messages, now).await?;
        Ok(())
    }
}

fn moment(time: prost_types::Timestamp) -> Option<Moment> {
    let nanoseconds = u32::try_from(time.nanos).ok()?;
    chrono::DateTime::from_timestamp(time.seconds, nanoseconds / 1_000 * 1_000)
}
