//! Domain values of the school day as messages.

use std::collections::HashMap;

use proto::enrollment::v1 as message;
use shared::value::{Guardian, Id};
use uuid::Uuid;

use crate::domain::day::aside::{self, AsideMark};
use crate::domain::day::collector::{self, Collector, Relation};
use crate::domain::day::cover::{self, Cover};
use crate::domain::day::custody::Holder;
use crate::domain::day::device::Device;
use crate::domain::day::dismissal::{self, Batch, ExtendedCare};
use crate::domain::day::duty::{Duty, Post};
use crate::domain::day::leave::Leave;
use crate::domain::day::lesson::Lesson;
use crate::domain::day::local;
use crate::domain::day::question::{self, Question};
use crate::domain::day::register::{AsideReason, Mark, Source, Standing, Tally};
use crate::event::{tally, timestamp};

/// How a pupil stands; unspecified when nobody has marked them.
pub fn standing(standing: Option<Standing>) -> message::mark::State {
    use message::mark::State;
    match standing {
        None => State::Unspecified,
        Some(Standing::Present) => State::Present,
        Some(Standing::Absent) => State::Absent,
        Some(Standing::Late) => State::Late,
        Some(Standing::Leave) => State::Leave,
        Some(Standing::LeftEarly) => State::LeftEarly,
    }
}

/// A lesson with what readers need beside it.
pub fn lesson(
    lesson: &Lesson,
    section_title: &str,
    sum: Tally,
    warnings: &[message::lesson::Warning],
    now: shared::value::Moment,
) -> message::Lesson {
    message::Lesson {
        section_id: lesson.key.section_id.to_string(),
        day: lesson.key.day.to_string(),
        slot_id: lesson.key.slot_id.to_string(),
        section_title: section_title.to_owned(),
        start_time: Some(timestamp(lesson.starts_at)),
        end_time: Some(timestamp(lesson.ends_at)),
        close_time: Some(timestamp(lesson.closes_at)),
        closed: lesson.is_closed(now),
        tally: Some(tally(sum)),
        warnings: warnings.iter().map(|warning| i32::from(*warning)).collect(),
    }
}

/// A mark. `counts` says whether it is the one that does.
pub fn mark(mark: &Mark, counts: bool) -> message::Mark {
    let (source, reason) = match &mark.source {
        Source::Roll(_) => (message::mark::Source::Roll, String::new()),
        Source::Device(_) => (message::mark::Source::Device, String::new()),
        Source::Correction { reason } => (message::mark::Source::Correction, reason.clone()),
    };
    let stamp = mark.stamp();
    message::Mark {
        id: mark.id.to_string(),
        pupil_id: mark.pupil_id.to_string(),
        state: standing(Some(mark.standing)).into(),
        source: source.into(),
        device_id: stamp.map(|stamp| stamp.device_id.to_string()).unwrap_or_default(),
        sequence: stamp.map_or(0, |stamp| stamp.sequence),
        device_time: Some(timestamp(stamp.map_or(mark.created_at, |stamp| stamp.device_at))),
        take_time: Some(timestamp(mark.taken_at())),
        create_time: Some(timestamp(mark.created_at)),
        recorder: mark.recorder.clone(),
        reason,
        counts,
    }
}

/// Why a mark waits.
pub fn aside_reason(reason: AsideReason) -> message::aside_mark::Reason {
    use message::aside_mark::Reason;
    match reason {
        AsideReason::NotOnRegister => Reason::NotOnRegister,
        AsideReason::RegisterClosed => Reason::RegisterClosed,
        AsideReason::IdReused => Reason::IdReused,
        AsideReason::PersonUnknown => Reason::PersonUnknown,
        AsideReason::NoLesson => Reason::NoLesson,
        AsideReason::WentWithoutAdult => Reason::WentWithoutAdult,
    }
}

/// A mark that waits, or waited.
pub fn aside_mark(one: &AsideMark) -> message::AsideMark {
    let (state, settlement) = match &one.state {
        aside::State::Waiting => (message::aside_mark::State::Waiting, None),
        aside::State::TakenUp(settlement) => (message::aside_mark::State::TakenUp, Some(settlement)),
        aside::State::Dismissed(settlement) => (message::aside_mark::State::Dismissed, Some(settlement)),
    };
    let said = Mark {
        id: one.said.mark_id,
        lesson_id: Id::new(one.id.uuid()),
        pupil_id: one.pupil_id.unwrap_or(Id::new(Uuid::nil())),
        standing: one.said.standing,
        source: one.said.source.clone(),
        recorder: one.said.recorder.clone(),
        created_at: one.created_at,
    };
    let pupil_id = one.pupil_id.map(|id| id.to_string()).unwrap_or_default();
    message::AsideMark {
        id: one.id.to_string(),
        reason: aside_reason(one.reason).into(),
        state: state.into(),
        section_id: one.lesson.map(|lesson| lesson.section_id.to_string()).unwrap_or_default(),
        day: one.day.to_string(),
        slot_id: one.lesson.map(|lesson| lesson.slot_id.to_string()).unwrap_or_default(),
        pupil_id: pupil_id.clone(),
        mark: Some(message::Mark { pupil_id, ..mark(&said, false) }),
        settler: settlement.map(|one| one.settler.clone()).unwrap_or_default(),
        note: settlement.map(|one| one.note.clone()).unwrap_or_default(),
        create_time: Some(timestamp(one.created_at)),
    }
}

/// A leave.
pub fn leave(leave: &Leave) -> message::Leave {
    message::Leave {
        id: leave.id.to_string(),
        pupil_id: leave.pupil_id.to_string(),
        day: leave.day.to_string(),
        section_id: leave.section_id.map(|id| id.to_string()).unwrap_or_default(),
        create_time: Some(timestamp(leave.created_at)),
        cancel_time: leave.cancelled_at.map(timestamp),
    }
}

/// A duty.
pub fn duty(duty: &Duty) -> message::Duty {
    let (post, place_id) = match duty.post {
        Post::Leader => (message::duty::Post::Leader, String::new()),
        Post::Section(id) => (message::duty::Post::Section, id.to_string()),
        Post::Room(id) => (message::duty::Post::Room, id.to_string()),
    };
    message::Duty {
        id: duty.id.to_string(),
        school_id: duty.school_id.to_string(),
        post: post.into(),
        place_id,
        staff_id: duty.staff_id.to_string(),
        staff_name: duty.staff_name.clone(),
        first_day: duty.first_day.to_string(),
        last_day: duty.last_day.to_string(),
    }
}

/// Who answers for a pupil. `places` are the titles of sections and the names of rooms, by id; `duties` those of the day.
pub fn holder(holder: &Holder, places: &HashMap<Uuid, String>, duties: &[Duty]) -> message::Holder {
    let Holder::Staff { staff_id, post } = holder else {
        return message::Holder::default();
    };
    let (kind, place) = match post {
        Post::Leader => (message::duty::Post::Leader, None),
        Post::Section(id) => (message::duty::Post::Section, Some(id.uuid())),
        Post::Room(id) => (message::duty::Post::Room, Some(id.uuid())),
    };
    let named = duties.iter().find(|duty| duty.staff_id == *staff_id);
    message::Holder {
        post: kind.into(),
        place_id: place.map(|id| id.to_string()).unwrap_or_default(),
        place_name: place.and_then(|id| places.get(&id).cloned()).unwrap_or_default(),
        staff_id: staff_id.to_string(),
        staff_name: named.map(|duty| duty.staff_name.clone()).unwrap_or_default(),
    }
}

/// Who reads a collector, and so what is shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectorReader {
    /// A guardian: the code of what they made themselves, numbers with their middle hidden.
    Guardian(Id<Guardian>),
    /// Staff: numbers with their middle hidden.
    Staff,
    /// Staff who may have to call: numbers in full.
    Caller,
}

/// A collector.
pub fn collector(one: &Collector, reader: CollectorReader) -> message::Collector {
    let person = one.person();
    let (kind, day, code) = match &one.kind {
        collector::Kind::Standing(_) => (message::collector::Kind::Standing, String::new(), ""),
        collector::Kind::OneTime { day, code, .. } => {
            (message::collector::Kind::OneTime, day.to_string(), code.as_str())
        }
        collector::Kind::Alone => (message::collector::Kind::Alone, String::new(), ""),
    };
    let phone = person.map(|person| match reader {
        CollectorReader::Caller => person.phone.as_str().to_owned(),
        CollectorReader::Guardian(_) | CollectorReader::Staff => person.phone.masked(),
    });
    let relation = person.map(|person| match person.relation {
        Relation::Parent => message::collector::Relation::Parent,
        Relation::Grandparent => message::collector::Relation::Grandparent,
        Relation::Relative => message::collector::Relation::Relative,
        Relation::Carer => message::collector::Relation::Carer,
        Relation::Other => message::collector::Relation::Other,
    });
    let state = match one.state {
        collector::State::Allowed => message::collector::State::Allowed,
        collector::State::Forbidden { .. } => message::collector::State::Forbidden,
        collector::State::Removed => message::collector::State::Removed,
        collector::State::Used => message::collector::State::Used,
    };
    message::Collector {
        id: one.id.to_string(),
        pupil_id: one.pupil_id.to_string(),
        kind: kind.into(),
        name: person.map(|person| person.name.clone()).unwrap_or_default(),
        phone: phone.unwrap_or_default(),
        relation: relation.unwrap_or_default().into(),
        day,
        code: match reader {
            CollectorReader::Guardian(guardian_id) if guardian_id == one.guardian_id => code.to_owned(),
            CollectorReader::Guardian(_) | CollectorReader::Staff | CollectorReader::Caller => String::new(),
        },
        state: state.into(),
    }
}

/// A batch.
pub fn batch(batch: &Batch) -> message::Batch {
    message::Batch {
        id: batch.id.to_string(),
        term_id: batch.term_id.to_string(),
        name: batch.name.clone(),
        time: local::time_text(batch.minute),
    }
}

/// When a pupil leaves on a weekday on which the service ends at `end_minute`.
pub fn dismissal(weekday: i32, end_minute: i32, counting: Option<&dismissal::Choice>) -> message::Dismissal {
    use message::dismissal::Source;
    message::Dismissal {
        weekday,
        time: counting.and_then(|choice| choice.minute).map(local::time_text).unwrap_or_default(),
        end_time_of_day: local::time_text(end_minute),
        source: match counting.map(|choice| choice.source) {
            None => Source::Unspecified,
            Some(dismissal::Source::Guardian) => Source::Guardian,
            Some(dismissal::Source::School) => Source::School,
        }
        .into(),
    }
}

/// A request for extended care. `pupil_name` is empty for guardians.
pub fn extended_care(care: &ExtendedCare, pupil_name: &str) -> message::ExtendedCare {
    message::ExtendedCare {
        id: care.id.to_string(),
        pupil_id: care.pupil_id.to_string(),
        pupil_name: pupil_name.to_owned(),
        day: care.day.to_string(),
        until: local::time_text(care.until_minute),
        create_time: Some(timestamp(care.created_at)),
        cancel_time: care.cancelled_at.map(timestamp),
    }
}

/// A question.
pub fn question(question: &Question) -> message::Question {
    let (closed_at, closer, outcome) = match &question.state {
        question::State::Open => (None, "", ""),
        question::State::Closed { at, closer, outcome } => (Some(*at), closer.as_str(), outcome.as_str()),
    };
    message::Question {
        id: question.id.to_string(),
        pupil_id: question.pupil_id.to_string(),
        subject: question.subject.clone(),
        topic: question.topic.clone(),
        create_time: Some(timestamp(question.created_at)),
        opener: question.opener.clone(),
        close_time: closed_at.map(timestamp),
        closer: closer.to_owned(),
        outcome: outcome.to_owned(),
        same_day: question.is_same_day(),
    }
}

/// A cover.
pub fn cover(cover: &Cover) -> message::Cover {
    message::Cover {
        id: cover.id.to_string(),
        school_id: cover.school_id.to_string(),
        kind: match cover.kind {
            cover::Kind::SchoolLiability => message::cover::Kind::SchoolLiability,
            cover::Kind::PupilAccident => message::cover::Kind::PupilAccident,
        }
        .into(),
        insurer: cover.insurer.clone(),
        policy_number: cover.policy_number.clone(),
        first_day: cover.first_day.to_string(),
        last_day: cover.last_day.to_string(),
    }
}

/// A device.
pub fn device(device: &Device) -> message::Device {
    message::Device {
        id: device.id.to_string(),
        school_id: device.school_id.to_string(),
        name: device.name.clone(),
        create_time: Some(timestamp(device.created_at)),
        revoke_time: device.revoked_at.map(timestamp),
    }
}
