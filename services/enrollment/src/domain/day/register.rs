//! Which of all that was said of a pupil counts, what becomes of a new mark, and the sums.
//!
//! Several devices may mark the same lesson without knowing of each other and send what they have hours later, in any order, more than
//! once. The register is a function of the *set* of marks, so whoever comes first makes no difference. Of a pupil's marks counts
//!
//! 1. a correction before anything else; of several the one that was written last;
//! 2. of one device, the mark with the highest sequence: a clock that was set back does not bring an older mark to the top;
//! 3. between devices, the mark made later. A device's clock is put right by how far it was off when it sent the mark, and along the
//!    device's own sequence this time never runs backwards: else 2 and 3 could contradict each other in a circle;
//! 4. at the same time, that of the higher device id: any rule would do that is the same everywhere.
//!
//! A guardian's leave counts until somebody marks the pupil. Where the last words of two devices differ, the line is disputed: time
//! has decided, and a person should look.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::value::{Device, Id, Lesson as LessonKind, Mark as MarkKind, Moment, Pupil};

use super::leave::Leave;
use super::lesson::Lesson;

/// How a pupil stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Here.
    Present,
    /// Not here, and nobody said so beforehand.
    Absent,
    /// Came after the start.
    Late,
    /// Excused.
    Leave,
    /// Was here and went before the end.
    LeftEarly,
}

impl Standing {
    /// Says whether the pupil came at all.
    #[must_use]
    pub const fn was_here(self) -> bool {
        match self {
            Self::Present | Self::Late | Self::LeftEarly => true,
            Self::Absent | Self::Leave => false,
        }
    }
}

/// Something that was said of a pupil in a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The mark, as it was named where it was made.
    pub id: Id<MarkKind>,
    /// The lesson.
    pub lesson_id: Id<LessonKind>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// How the pupil stands.
    pub standing: Standing,
    /// Who said it.
    pub source: Source,
    /// Whoever wrote it: `staff:<id>`, `device:<id>`.
    pub recorder: String,
    /// When it arrived.
    pub created_at: Moment,
}

/// Who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A person with a device.
    Roll(Stamp),
    /// An identity device.
    Device(Stamp),
    /// The school's office, afterwards.
    Correction {
        /// Why.
        reason: String,
    },
}

/// When and where a mark was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The device.
    pub device_id: Id<Device>,
    /// The device's own count.
    pub sequence: i64,
    /// As the device's clock had it.
    pub device_at: Moment,
    /// With the clock put right.
    pub taken_at: Moment,
}

impl Stamp {
    /// Puts a device's clock right: `sent_at` is what it showed when the mark arrived at `now`. Nothing was made after it arrived.
    #[must_use]
    pub fn of(device_id: Id<Device>, sequence: i64, device_at: Moment, sent_at: Moment, now: Moment) -> Self {
        let taken_at = device_at.checked_add_signed(now - sent_at).unwrap_or(now).min(now);
        Self { device_id, sequence, device_at, taken_at }
    }
}

impl Mark {
    /// Where and when it was made; none for a correction.
    #[must_use]
    pub const fn stamp(&self) -> Option<&Stamp> {
        match &self.source {
            Source::Roll(stamp) | Source::Device(stamp) => Some(stamp),
            Source::Correction { .. } => None,
        }
    }

    /// When what it says was seen; for a correction, when it was written.
    #[must_use]
    pub fn taken_at(&self) -> Moment {
        self.stamp().map_or(self.created_at, |stamp| stamp.taken_at)
    }

    /// Says whether both are the same mark, sent twice: how far the clock was off may have been measured differently.
    #[must_use]
    pub fn is_repeat_of(&self, other: &Self) -> bool {
        let made = |mark: &Self| mark.stamp().map(|stamp| (stamp.device_id, stamp.sequence, stamp.device_at));
        self.id == other.id
            && self.lesson_id == other.lesson_id
            && self.pupil_id == other.pupil_id
            && self.standing == other.standing
            && made(self) == made(other)
    }
}

/// Puts the marks of **one pupil in one lesson** in the order in which they supersede each other: the first counts.
#[must_use]
pub fn in_order<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> Vec<&'a Mark> {
    let mut marks: Vec<_> = marks.into_iter().collect();
    // Along each device's sequence, the latest time so far.
    marks.sort_by_key(|mark| mark.stamp().map(|stamp| (stamp.device_id, stamp.sequence, mark.id)));
    let mut latest: HashMap<Id<Device>, Moment> = HashMap::new();
    let mut ranked: Vec<_> = marks
        .into_iter()
        .map(|mark| {
            let rank = match mark.stamp() {
                None => Rank::Correction(mark.created_at, mark.id),
                Some(stamp) => {
                    let at = latest.entry(stamp.device_id).or_insert(stamp.taken_at);
                    *at = stamp.taken_at.max(*at);
                    Rank::Made(*at, stamp.device_id, stamp.sequence, mark.id)
                }
            };
            (rank, mark)
        })
        .collect();
    ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
    ranked.into_iter().map(|(_, mark)| mark).collect()
}

/// The order of marks: a greater one counts before a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Made(Moment, Id<Device>, i64, Id<MarkKind>),
    Correction(Moment, Id<MarkKind>),
}

/// One pupil of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// How the pupil stands; none while nobody has marked them.
    pub standing: Option<Standing>,
    /// The mark that counts; none when no mark does.
    pub mark_id: Option<Id<MarkKind>>,
    /// Whether two devices' last words differ and no correction has settled it.
    pub disputed: bool,
}

/// Makes the register of a lesson: its pupils by id, and whoever was marked beside them.
#[must_use]
pub fn register(
    lesson: &Lesson,
    pupils: &BTreeSet<Id<Pupil>>,
    marks: &[Mark],
    leaves: &[Leave],
) -> Vec<Line> {
    let mut of_pupil: BTreeMap<Id<Pupil>, Vec<&Mark>> = pupils.iter().map(|id| (*id, Vec::new())).collect();
    for mark in marks.iter().filter(|mark| mark.lesson_id == lesson.id) {
        of_pupil.entry(mark.pupil_id).or_default().push(mark);
    }
    let line = |(pupil_id, marks): (Id<Pupil>, Vec<&Mark>)| {
        let ordered = in_order(marks);
        let first = ordered.first();
        let is_excused =
            || leaves.iter().any(|leave| leave.pupil_id == pupil_id && leave.excuses_from(lesson));
        let standing = first.map(|mark| mark.standing);
        Line {
            pupil_id,
            standing: standing.or_else(|| is_excused().then_some(Standing::Leave)),
            mark_id: first.map(|mark| mark.id),
            disputed: is_disputed(&ordered),
        }
    };
    of_pupil.into_iter().map(line).collect()
}

/// Whether, with no correction on top, the last words of two devices differ. `ordered` is of one pupil, what counts first.
fn is_disputed(ordered: &[&Mark]) -> bool {
    let mut heard = BTreeSet::new();
    let mut last_words = BTreeSet::new();
    for mark in ordered {
        let Some(stamp) = mark.stamp() else { return false };
        if heard.insert(stamp.device_id) {
            last_words.insert(mark.standing);
        }
    }
    last_words.len() > 1
}

/// How many pupils stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Here.
    pub present_count: i32,
    /// Not here.
    pub absent_count: i32,
    /// Came late.
    pub late_count: i32,
    /// Excused.
    pub leave_count: i32,
    /// Went early.
    pub left_early_count: i32,
    /// Not marked.
    pub unmarked_count: i32,
}

impl Tally {
    /// Counts lines.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut tally = Self::default();
        for line in lines {
            let count = match line.standing {
                Some(Standing::Present) => &mut tally.present_count,
                Some(Standing::Absent) => &mut tally.absent_count,
                Some(Standing::Late) => &mut tally.late_count,
                Some(Standing::Leave) => &mut tally.leave_count,
                Some(Standing::LeftEarly) => &mut tally.left_early_count,
                None => &mut tally.unmarked_count,
            };
            *count += 1;
        }
        tally
    }

    /// Everybody.
    #[must_use]
    pub const fn expected_count(&self) -> i32 {
        self.present_count
            + self.absent_count
            + self.late_count
            + self.leave_count
            + self.left_early_count
            + self.unmarked_count
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.present_count += other.present_count;
        self.absent_count += other.absent_count;
        self.late_count += other.late_count;
        self.leave_count += other.leave_count;
        self.left_early_count += other.left_early_count;
        self.unmarked_count += other.unmarked_count;
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            sum += tally;
            sum
        })
    }
}

/// What becomes of a mark that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is written.
    Kept,
    /// It was written before.
    KeptBefore,
    /// It waits for a person.
    SetAside(AsideReason),
}

/// Why a mark waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AsideReason {
    /// The pupil is not on the register, or not on the recorder's part of it.
    NotOnRegister,
    /// The register was closed when it arrived.
    RegisterClosed,
    /// Its id is that of another mark.
    IdReused,
    /// An identity device saw a person it has no pupil for.
    PersonUnknown,
    /// An identity device saw a pupil who has no lesson then.
    NoLesson,
    /// An identity device saw a pupil go whom nobody took.
    WentWithoutAdult,
}

/// Decides what becomes of a mark. `known` are marks with its id that are written already, of any lesson; `may_mark` says for whom
/// the recorder may.
#[must_use]
pub fn record(
    lesson: &Lesson,
    mark: &Mark,
    known: Option<&Mark>,
    may_mark: impl Fn(Id<Pupil>) -> bool,
    now: Moment,
) -> Outcome {
    match known {
        // First of all: a repeat after the register has closed is still a repeat.
        Some(known) if mark.is_repeat_of(known) => Outcome::KeptBefore,
        Some(_) => Outcome::SetAside(AsideReason::IdReused),
        None if !may_mark(mark.pupil_id) => Outcome::SetAside(AsideReason::NotOnRegister),
        None if lesson.is_closed(now) => Outcome::SetAside(AsideReason::RegisterClosed),
        None => Outcome::Kept,
    }
}
