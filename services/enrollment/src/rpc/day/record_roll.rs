//! Takes marks made on one device.

use std::collections::{BTreeSet, HashMap};

use proto::enrollment::v1::record_roll_response::{self, Outcome as OutcomeMessage};
use proto::enrollment::v1::{self as message, RecordRollRequest, RecordRollResponse};
use shared::caller::{Caller, StaffPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Device, Id, Mark as MarkKind, Moment, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::sight::{self, STAFF, View};
use super::{DayRpc, convert, error, parse};
use crate::custody;
use crate::domain::day::aside::{AsideMark, Said, State};
use crate::domain::day::custody::Holder;
use crate::domain::day::duty::Post;
use crate::domain::day::lesson::{self, Key, Lesson};
use crate::domain::day::register::{self, AsideReason, Mark, Outcome, Source, Stamp, Standing};
use crate::domain::section::Section;
use crate::register::Registers;
use crate::store;

/// The most marks in one call.
const MARK_COUNT: usize = 500;

struct Parsed {
    request_id: Uuid,
    key: Key,
    device_id: Id<Device>,
    sent_at: Moment,
    marks: Vec<NewMark>,
}

struct NewMark {
    id: Id<MarkKind>,
    pupil_id: Id<Pupil>,
    standing: Standing,
    sequence: i64,
    device_at: Moment,
}

/// Takes marks.
pub async fn record_roll(
    rpc: &DayRpc,
    caller: &Caller,
    request: RecordRollRequest,
) -> Result<RecordRollResponse, Status> {
    let permit = caller.staff(STAFF)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = RecordRollRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "RecordRoll", parsed.request_id, &content);
    db::retry(|| record(rpc, &permit, &key, &parsed, &by)).await
}

fn parse(request: &RecordRollRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let key = parse::lesson(&mut violations, &request.section_id, &request.day, &request.slot_id);
    let device_id = violations.field("device_id", request.device_id.parse());
    let sent_at = parse::moment(&mut violations, "send_time", request.send_time.as_ref());
    let has_some = (1..=MARK_COUNT).contains(&request.marks.len());
    violations.check("marks", has_some, "must be 1 to 500 marks");
    let mut seen = BTreeSet::new();
    let mut marks = Vec::with_capacity(request.marks.len());
    for (index, mark) in request.marks.iter().enumerate().take(MARK_COUNT) {
        let at = |field: &str| format!("marks[{index}].{field}");
        let id = violations.field(&at("id"), mark.id.parse::<Id<MarkKind>>());
        if let Some(id) = id {
            violations.check(&at("id"), seen.insert(id), "must be another than those before it");
        }
        let pupil_id = violations.field(&at("pupil_id"), mark.pupil_id.parse());
        let standing = parse::standing(mark.state).filter(|standing| *standing != Standing::Leave);
        let standing = standing.ok_or("must be present, absent, late or left early");
        let standing = violations.field(&at("state"), standing);
        violations.check(&at("sequence"), mark.sequence >= 1, "must be 1 or more");
        let device_at = parse::moment(&mut violations, &at("device_time"), mark.device_time.as_ref());
        if let (Some(id), Some(pupil_id), Some(standing), Some(device_at)) =
            (id, pupil_id, standing, device_at)
        {
            marks.push(NewMark { id, pupil_id, standing, sequence: mark.sequence, device_at });
        }
    }
    match (request_id, key, device_id, sent_at) {
        (Some(request_id), Some(key), Some(device_id), Some(sent_at)) if violations.is_empty() => {
            Ok(Parsed { request_id, key, device_id, sent_at, marks })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn record(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<RecordRollResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (section, view, duties) = sight::section(rpc, permit, parsed.key).await?;
    let lesson = sight::lock(rpc, &tx, &section, parsed.key).await?;
    let now = rpc.clock.now();
    lesson::begun(&lesson, now).map_err(|error| error::lesson(&error))?;
    let mut registers = Registers::read(&tx, std::slice::from_ref(&lesson)).await?;
    let may_mark = markable(rpc, &view, &registers, &lesson).await?;
    let ids = || parsed.marks.iter().map(|mark| mark.id);
    let known = store::day::mark::find_all(&tx, lesson.district_id, ids()).await?;
    let mut known: HashMap<_, _> = known.into_iter().map(|mark| (mark.id, mark)).collect();
    let mut waiting = store::day::aside::find_of_marks(&tx, lesson.district_id, ids()).await?;

    let mut outcomes = Vec::with_capacity(parsed.marks.len());
    let (mut kept, mut aside) = (Vec::new(), Vec::new());
    for new in &parsed.marks {
        let mark = mark(new, parsed, &lesson, by, now);
        let is_theirs = |pupil_id| may_mark.contains(&pupil_id);
        let outcome = register::record(&lesson, &mark, known.get(&mark.id), is_theirs, now);
        match outcome {
            Outcome::Kept => {
                known.insert(mark.id, mark.clone());
                kept.push(mark.clone());
            }
            Outcome::KeptBefore => {}
            Outcome::SetAside(reason) => {
                let set_aside = set_aside(&mark, reason, &section, &lesson, now);
                if !waiting.iter().any(|other| is_same(other, &set_aside)) {
                    waiting.push(set_aside.clone());
                    aside.push(set_aside);
                }
            }
        }
        outcomes.push((mark, outcome));
    }
    store::day::mark::insert_all(&tx, &lesson, &kept).await?;
    store::day::aside::insert_all(&tx, &aside).await?;
    registers.add(kept.clone());

    let lines = registers.lines(&lesson);
    let counting: BTreeSet<_> = lines.iter().filter_map(|line| line.mark_id).collect();
    let holder = Holder::Staff { staff_id: permit.id(), post: Post::Section(section.id) };
    take_in(&tx, &lesson, holder, kept.iter().filter(|mark| counting.contains(&mark.id)), by, now).await?;
    let warnings = sight::warnings(rpc, &lesson, &duties).await?;
    let sum = register::Tally::of(&lines);
    let response = RecordRollResponse {
        outcomes: outcomes.iter().map(|(mark, outcome)| render(mark, *outcome, &counting)).collect(),
        lesson: Some(convert::lesson(&lesson, &section.title, sum, &warnings, now)),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// Whoever is here by the marks that count is in the care of whoever called the roll.
pub async fn take_in(
    tx: &Tx,
    lesson: &Lesson,
    holder: Holder,
    marks: impl Iterator<Item = &Mark>,
    recorder: &str,
    now: Moment,
) -> Result<(), Status> {
    let is_here = |mark: &&Mark| match mark.standing {
        Standing::Present | Standing::Late => true,
        // Who left early is checked out by whoever let them go.
        Standing::LeftEarly | Standing::Absent | Standing::Leave => false,
    };
    let seen: HashMap<_, _> = marks.filter(is_here).map(|mark| (mark.pupil_id, mark.taken_at())).collect();
    if seen.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = seen.keys().copied().collect();
    let pupils = store::pupil::lock(tx, &ids).await?;
    let record = custody::Record { recorder, note: "", at: now, now };
    custody::arrive(tx, &pupils, lesson.key.day, holder, &seen, &record).await?;
    Ok(())
}

/// Whom the caller may mark: those on the register the caller sees.
async fn markable(
    rpc: &DayRpc,
    view: &View,
    registers: &Registers,
    lesson: &Lesson,
) -> Result<BTreeSet<Id<Pupil>>, Status> {
    sight::shown(rpc, view, registers.lines(lesson).iter().map(|line| line.pupil_id)).await
}

fn mark(new: &NewMark, parsed: &Parsed, lesson: &Lesson, by: &str, now: Moment) -> Mark {
    let stamp = Stamp::of(parsed.device_id, new.sequence, new.device_at, parsed.sent_at, now);
    Mark {
        id: new.id,
        lesson_id: lesson.id,
        pupil_id: new.pupil_id,
        standing: new.standing,
        source: Source::Roll(stamp),
        recorder: by.to_owned(),
        created_at: now,
    }
}

fn set_aside(mark: &Mark, reason: AsideReason, section: &Section, lesson: &Lesson, now: Moment) -> AsideMark {
    AsideMark {
        id: random::id(now),
        district_id: lesson.district_id,
        school_id: lesson.school_id,
        path: section.path.clone(),
        reason,
        day: lesson.key.day,
        lesson: Some(lesson.key),
        pupil_id: Some(mark.pupil_id),
        said: Said {
            mark_id: mark.id,
            standing: mark.standing,
            source: mark.source.clone(),
            recorder: mark.recorder.clone(),
        },
        state: State::Waiting,
        created_at: now,
    }
}

/// Whether a mark that is sent again waits already, or was settled.
fn is_same(one: &AsideMark, other: &AsideMark) -> bool {
    let made = |mark: &AsideMark| match &mark.said.source {
        Source::Roll(stamp) | Source::Device(stamp) => {
            Some((stamp.device_id, stamp.sequence, stamp.device_at))
        }
        Source::Correction { .. } => None,
    };
    one.said.mark_id == other.said.mark_id
        && one.lesson == other.lesson
        && one.pupil_id == other.pupil_id
        && one.said.standing == other.said.standing
        && made(one) == made(other)
}

fn render(mark: &Mark, outcome: Outcome, counting: &BTreeSet<Id<MarkKind>>) -> OutcomeMessage {
    use record_roll_response::outcome::Kind;
    let (kind, reason) = match outcome {
        Outcome::Kept => (Kind::Kept, message::aside_mark::Reason::Unspecified),
        Outcome::KeptBefore => (Kind::KeptBefore, message::aside_mark::Reason::Unspecified),
        Outcome::SetAside(reason) => (Kind::SetAside, convert::aside_reason(reason)),
    };
    OutcomeMessage {
        mark_id: mark.id.to_string(),
        pupil_id: mark.pupil_id.to_string(),
        kind: kind.into(),
        reason: reason.into(),
        counts: kind != Kind::SetAside && counting.contains(&mark.id),
    }
}
