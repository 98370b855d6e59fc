//! Takes what an identity device saw: each event exactly once, in a transaction of its own.

use proto::enrollment::v1::record_device_events_request::DeviceEvent;
use proto::enrollment::v1::record_device_events_request::device_event::Direction as DirectionMessage;
use proto::enrollment::v1::record_device_events_response::Outcome as OutcomeMessage;
use proto::enrollment::v1::record_device_events_response::outcome::Kind;
use proto::enrollment::v1::{self as message, RecordDeviceEventsRequest, RecordDeviceEventsResponse};
use shared::db::Tx;
use shared::value::{Moment, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::record_roll::take_in;
use super::report_leave::lessons_of;
use super::{DayRpc, convert, parse, sight};
use crate::domain::day::aside::{AsideMark, Said, State};
use crate::domain::day::collector;
use crate::domain::day::custody::{self, Custody, Holder, Way};
use crate::domain::day::device::{self, Device, Direction, Going};
use crate::domain::day::lesson::Key;
use crate::domain::day::local;
use crate::domain::day::register::{self, AsideReason, Mark, Outcome, Source, Stamp, Standing};
use crate::domain::pupil::Pupil;
use crate::{custody as change, store};

/// The most events in one call.
const EVENT_COUNT: usize = 100;

struct Parsed {
    device_key: String,
    events: Vec<Event>,
}

/// One person, seen once.
struct Event {
    id: String,
    token: String,
    direction: Direction,
    sequence: i64,
    event_at: Moment,
    sent_at: Moment,
}

/// Takes events.
pub async fn record_device_events(
    rpc: &DayRpc,
    request: RecordDeviceEventsRequest,
) -> Result<RecordDeviceEventsResponse, Status> {
    let parsed = parse(&request)?;
    let device = store::day::device::find_by_key(rpc.db.read(), &parsed.device_key).await?;
    let device = device.filter(|device| device.revoked_at.is_none());
    let device = device.ok_or_else(|| status::unauthenticated("DEVICE_KEY_INVALID"))?;
    let mut outcomes = Vec::with_capacity(parsed.events.len());
    for event in &parsed.events {
        let (kind, reason) = db::retry(|| take(rpc, &device, event)).await?;
        outcomes.push(OutcomeMessage {
            event_id: event.id.clone(),
            kind: kind.into(),
            reason: reason.map_or(message::aside_mark::Reason::Unspecified, convert::aside_reason).into(),
        });
    }
    Ok(RecordDeviceEventsResponse { outcomes })
}

fn parse(request: &RecordDeviceEventsRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let device_key = violations.text("device_key", &request.device_key, 1, 128);
    let sent_at = parse::moment(&mut violations, "send_time", request.send_time.as_ref());
    let has_some = (1..=EVENT_COUNT).contains(&request.events.len());
    violations.check("events", has_some, "must be 1 to 100 events");
    let mut events = Vec::with_capacity(request.events.len());
    for (index, event) in request.events.iter().enumerate().take(EVENT_COUNT) {
        events.extend(parse_event(&mut violations, index, event, sent_at));
    }
    match device_key {
        Some(device_key) if violations.is_empty() => Ok(Parsed { device_key, events }),
        _ => Err(status::invalid(&violations)),
    }
}

fn parse_event(
    violations: &mut Violations,
    index: usize,
    event: &DeviceEvent,
    sent_at: Option<Moment>,
) -> Option<Event> {
    let at = |field: &str| format!("events[{index}].{field}");
    let id = violations.text(&at("id"), &event.id, 1, 64);
    let token = violations.text(&at("person_token"), &event.person_token, 1, 128);
    let direction = match event.direction() {
        DirectionMessage::Unspecified => Err("must be in or out"),
        DirectionMessage::In => Ok(Direction::In),
        DirectionMessage::Out => Ok(Direction::Out),
    };
    let direction = violations.field(&at("direction"), direction);
    violations.check(&at("sequence"), event.sequence >= 0, "must be 0 or more");
    let event_at = parse::moment(violations, &at("event_time"), event.event_time.as_ref());
    Some(Event {
        id: id?,
        token: token?,
        direction: direction?,
        sequence: event.sequence,
        event_at: event_at?,
        sent_at: sent_at?,
    })
}

async fn take(rpc: &DayRpc, device: &Device, event: &Event) -> Result<(Kind, Option<AsideReason>), Status> {
    let tx = rpc.db.begin().await?;
    let now = rpc.clock.now();
    if !store::day::device::take_event(&tx, device, &event.id, now).await? {
        return Ok((Kind::RecordedBefore, None));
    }
    let stamp = Stamp::of(device.id, event.sequence, event.event_at, event.sent_at, now);
    let seen = Seen { device, stamp, direction: event.direction, now };
    let (district_id, school_id) = (device.district_id, device.school_id);
    let known = store::day::device::find_person(&tx, district_id, school_id, &event.token).await?;
    let pupil = match known {
        Some(id) => store::pupil::find(&tx, id).await?.filter(|pupil| pupil.is_of(school_id)),
        None => None,
    };
    let reason = match (&pupil, event.direction) {
        (None, _) => {
            seen.set_aside(&tx, AsideReason::PersonUnknown, None, None).await?;
            Some(AsideReason::PersonUnknown)
        }
        (Some(pupil), Direction::In) => come(rpc, &tx, &seen, pupil).await?,
        (Some(pupil), Direction::Out) => go(rpc, &tx, &seen, pupil).await?,
    };
    tx.commit().await?;
    Ok(match reason {
        None => (Kind::Recorded, None),
        Some(reason) => (Kind::SetAside, Some(reason)),
    })
}

/// What a device saw, with its clock put right.
struct Seen<'a> {
    device: &'a Device,
    stamp: Stamp,
    direction: Direction,
    now: Moment,
}

impl Seen<'_> {
    fn recorder(&self) -> String {
        format!("device:{}", self.device.id)
    }

    fn standing(&self) -> Standing {
        match self.direction {
            Direction::In => Standing::Present,
            Direction::Out => Standing::LeftEarly,
        }
    }

    async fn set_aside(
        &self,
        tx: &Tx,
        reason: AsideReason,
        pupil: Option<&Pupil>,
        lesson: Option<Key>,
    ) -> Result<(), Status> {
        let aside = AsideMark {
            id: random::id(self.now),
            district_id: self.device.district_id,
            school_id: self.device.school_id,
            path: self.device.path.clone(),
            reason,
            day: local::day(self.stamp.taken_at),
            lesson,
            pupil_id: pupil.map(|pupil| pupil.id),
            said: Said {
                mark_id: random::id(self.now),
                standing: self.standing(),
                source: Source::Device(self.stamp),
                recorder: self.recorder(),
            },
            state: State::Waiting,
            created_at: self.now,
        };
        Ok(store::day::aside::insert_all(tx, &[aside]).await?)
    }
}

/// A pupil came: marked in the lesson that runs or comes next, by the rules of a mark made by hand.
async fn come(rpc: &DayRpc, tx: &Tx, seen: &Seen<'_>, pupil: &Pupil) -> Result<Option<AsideReason>, Status> {
    let at = seen.stamp.taken_at;
    let lessons = lessons_of(rpc, tx, pupil, local::day(at)).await?;
    let Some(lesson) = device::lesson_for(&lessons, at) else {
        seen.set_aside(tx, AsideReason::NoLesson, Some(pupil), None).await?;
        return Ok(Some(AsideReason::NoLesson));
    };
    let section = store::section::find(tx, lesson.key.section_id).await?;
    let section = section.ok_or_else(|| status::not_found("section", lesson.key.section_id))?;
    let lesson = sight::lock(rpc, tx, &section, lesson.key).await?;
    let mark = Mark {
        id: random::id(seen.now),
        lesson_id: lesson.id,
        pupil_id: pupil.id,
        standing: seen.standing(),
        source: Source::Device(seen.stamp),
        recorder: seen.recorder(),
        created_at: seen.now,
    };
    match register::record(&lesson, &mark, None, |_| true, seen.now) {
        Outcome::Kept | Outcome::KeptBefore => {
            store::day::mark::insert_all(tx, &lesson, std::slice::from_ref(&mark)).await?;
            let recorder = seen.recorder();
            take_in(tx, &lesson, Holder::Nobody, std::iter::once(&mark), &recorder, seen.now).await?;
            Ok(None)
        }
        Outcome::SetAside(reason) => {
            seen.set_aside(tx, reason, Some(pupil), Some(lesson.key)).await?;
            Ok(Some(reason))
        }
    }
}

/// A pupil went: checked out only if they may go alone.
async fn go(rpc: &DayRpc, tx: &Tx, seen: &Seen<'_>, pupil: &Pupil) -> Result<Option<AsideReason>, Status> {
    let pupil = store::pupil::lock(tx, &[pupil.id]).await?.pop().unwrap_or_else(|| pupil.clone());
    let day = local::day(seen.stamp.taken_at);
    let before = store::day::custody::find_all(tx, pupil.district_id, [pupil.id], day).await?.pop();
    let all = store::day::collector::list(tx, &rpc.vault, pupil.district_id, pupil.id).await?;
    let guardians = store::pupil::guardians(tx, pupil.district_id, pupil.id).await?;
    let consent = collector::consent_to_go_alone(&all, &guardians);
    match (device::going(before.as_ref(), consent.is_some()), &before, consent) {
        (Going::Alone, Some(before), Some(consent)) => {
            alone(tx, seen, &pupil, before, Way::Alone(consent)).await?;
            Ok(None)
        }
        (Going::WithoutAdult | Going::Alone, _, _) => {
            seen.set_aside(tx, AsideReason::WentWithoutAdult, Some(&pupil), None).await?;
            Ok(Some(AsideReason::WentWithoutAdult))
        }
        (Going::Known, _, _) => Ok(None),
    }
}

async fn alone(tx: &Tx, seen: &Seen<'_>, pupil: &Pupil, before: &Custody, way: Way) -> Result<(), Status> {
    let recorder = seen.recorder();
    let record = change::Record {
        recorder: &recorder,
        note: "",
        at: seen.stamp.taken_at.max(before.since),
        now: seen.now,
    };
    if let Ok(Some(next)) = custody::check_out(Some(before), way) {
        change::step(tx, pupil, before.day, Some(before), next, before.due_at, &record).await?;
    }
    Ok(())
}
