//! What may be taught, and by whom.
//!
//! Rules come from packs and judge what a course *declares*. Beside them stands a word screen over titles and
//! descriptions. The screen is no rule of any region: it cannot know what is taught. It flags for a person to look, and
//! refuses one thing only, a third party's course that names an exam subject together with exam sprint words.

use chrono::NaiveDate;

use crate::policy::Policy;
use crate::supervise::{Missing, missing};
use crate::value::{Clause, Silent};
use crate::vocabulary::{ContentKind, MonthDay, Phase, WeeklyComponent};

/// What is known of a course before it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourseFacts<'a> {
    /// Whether a third party gives it.
    pub third_party: bool,
    /// What it declares to teach.
    pub content_kind: ContentKind,
    /// Its title.
    pub title: &'a str,
    /// Its description.
    pub description: &'a str,
}

/// What the words of a course hint at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hint {
    /// A grade, such as 初三.
    Grade,
    /// A subject that is examined, such as 数学.
    ExamSubject,
    /// Exam sprint, such as 冲刺.
    Sprint,
    /// Drilling and exam preparation, such as 刷题.
    Drilling,
    /// New lessons, such as 预习新课.
    NewLesson,
    /// Make-up classes, such as 补课.
    MakeUp,
}

/// A word of the screen that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The word.
    pub word: &'static str,
    /// What it hints at.
    pub hint: Hint,
}

/// Why a course may not be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CourseRefusal {
    /// Nobody may teach this in the service.
    #[error("{kind:?} is banned")]
    ContentBanned {
        /// What it declares.
        kind: ContentKind,
        /// What says so.
        clause: Box<Clause>,
    },
    /// A third party may not teach this.
    #[error("{kind:?} is banned for third parties")]
    ThirdPartyBanned {
        /// What it declares.
        kind: ContentKind,
        /// What says so.
        clause: Box<Clause>,
    },
    /// A third party's words name an exam subject together with exam sprint words, whatever it declares.
    #[error("a third party's course reads like an exam course")]
    ReadsLikeExamCourse {
        /// The words found.
        found: Vec<Match>,
        /// What bans exam courses.
        clause: Box<Clause>,
    },
    /// Third parties do not teach here at all.
    #[error("third parties do not teach here")]
    ThirdPartyExcluded {
        /// What says so.
        clause: Box<Clause>,
    },
    /// The phase of the year does not have such courses.
    #[error("this phase has no such courses")]
    NotInThisPhase {
        /// The phase.
        phase: String,
        /// What says so.
        clause: Box<Clause>,
    },
    /// No document and no supplement says what is banned.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Judges a course, whoever gives it.
///
/// Gives the words of the screen that a person should look at.
///
/// # Errors
/// [`CourseRefusal`], the first that applies: content nobody may teach, third parties at all, content third parties may
/// not teach, a third party's words.
pub fn third_party_check(policy: &Policy, course: &CourseFacts<'_>) -> Result<Vec<Match>, CourseRefusal> {
    let kind = course.content_kind;
    let (banned, clause) = policy.course.banned_content_kinds.demand()?;
    if banned.contains(&kind) {
        return Err(CourseRefusal::ContentBanned { kind, clause: Box::new(clause) });
    }
    let found = screen(course.title, course.description);
    if !course.third_party {
        return Ok(found);
    }
    if let Some((false, clause)) = policy.provider.third_party_course_allowed.known() {
        return Err(CourseRefusal::ThirdPartyExcluded { clause: Box::new(clause) });
    }
    let (banned, clause) = policy.provider.third_party_banned_course_classes.demand()?;
    let clause = Box::new(clause);
    if banned.contains(&kind) {
        return Err(CourseRefusal::ThirdPartyBanned { kind, clause });
    }
    let hints = |hint| found.iter().any(|found| found.hint == hint);
    let is_exam_course = hints(Hint::ExamSubject) && (hints(Hint::Sprint) || hints(Hint::Drilling));
    if is_exam_course && banned.contains(&ContentKind::SubjectExam) {
        return Err(CourseRefusal::ReadsLikeExamCourse { found, clause });
    }
    Ok(found)
}

/// Finds the words of the screen in a title and a description, each once, in the order of the screen.
///
/// Blanks and marks between characters are ignored, so that 刷·题 is found too.
#[must_use]
pub fn screen(title: &str, description: &str) -> Vec<Match> {
    let texts =
        [title, description].map(|text| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    let is_found = |word: &str| texts.iter().any(|text| text.contains(word));
    let words = SCREEN.iter().flat_map(|(hint, words)| words.iter().map(|word| Match { word, hint: *hint }));
    words.filter(|known| is_found(known.word)).collect()
}

/// The screen. Words are chosen to be read by a person afterwards; a word here decides nothing by itself.
const SCREEN: &[(Hint, &[&str])] = &[
    (
        Hint::Grade,
        &[
            "一年级",
            "二年级",
            "三年级",
            "四年级",
            "五年级",
            "六年级",
            "七年级",
            "八年级",
            "九年级",
            "初一",
            "初二",
            "初三",
            "小升初",
            "中考",
        ],
    ),
    (
        Hint::ExamSubject,
        &["语文", "数学", "英语", "物理", "化学", "生物", "历史", "地理", "道德与法治", "奥数", "作文"],
    ),
    (Hint::Sprint, &["冲刺", "培优", "提分", "提优", "尖子", "拔高", "押题", "满分", "升学", "衔接班"]),
    (Hint::Drilling, &["刷题", "备考", "期末", "期中", "应试", "真题", "模拟考", "题海", "考点"]),
    (Hint::NewLesson, &["新课", "预习", "超前学"]),
    (Hint::MakeUp, &["补课", "补习", "集体辅导"]),
];

/// Finds the phase a day belongs to; nothing when phases are silent or the day lies in none.
///
/// A phase without a last day runs until the first phase of the next school year begins.
#[must_use]
pub fn phase_on(policy: &Policy, date: NaiveDate) -> Option<&Phase> {
    let day = MonthDay::from(date);
    let phases = policy.phase.phases.get()?;
    let first = phases.first()?.from;
    phases.iter().find(|phase| match phase.to {
        Some(to) if phase.from <= to => phase.from <= day && day <= to,
        Some(to) => phase.from <= day || day <= to,
        None => phase.from <= day || day < first,
    })
}

/// A course outside its phase's list that is accepted and must be on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseFlag {
    /// What the phase is called.
    pub phase: String,
    /// What divides the year.
    pub clause: Clause,
}

/// Judges whether a course may start on a day, where the region divides its year into phases.
///
/// A day in no phase is not judged: the documents leave it open. That a phase names some courses does not say that others
/// are forbidden in it, so that one outside the list is refused only where `phase_gate_enforced` says so, and flagged
/// otherwise.
///
/// # Errors
/// [`CourseRefusal::NotInThisPhase`].
pub fn check_phase(
    policy: &Policy,
    course: &CourseFacts<'_>,
    starts_on: NaiveDate,
) -> Result<Option<PhaseFlag>, CourseRefusal> {
    let (Some(phase), Some(clause)) = (phase_on(policy, starts_on), policy.phase.phases.clause()) else {
        return Ok(None);
    };
    let is_feature = course.content_kind == ContentKind::Enrichment;
    let is_outside = (course.third_party && !phase.third_party) || (is_feature && !phase.feature_courses);
    let phase = phase.name_zh.clone();
    match (is_outside, policy.phase.phase_gate_enforced.get()) {
        (false, _) => Ok(None),
        (true, Some(true)) => Err(CourseRefusal::NotInThisPhase { phase, clause: Box::new(clause) }),
        (true, Some(false) | None) => Ok(Some(PhaseFlag { phase, clause })),
    }
}

/// A part of the week of which there are too few sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingComponent {
    /// The part, with the sessions a week asks for.
    pub component: WeeklyComponent,
    /// Sessions there are.
    pub found: u32,
    /// What asks for them.
    pub clause: Clause,
}

/// Gives the parts of a week of which `given` holds too few sessions, in the order of the document; none where no document
/// says what a week is made of.
///
/// `given` are sessions of one week by the component's key. Entries of one key add up; more than asked for is no fault.
#[must_use]
pub fn check_week_components(policy: &Policy, given: &[(&str, u32)]) -> Vec<MissingComponent> {
    let Some((components, clause)) = policy.course.weekly_components.known() else {
        return Vec::new();
    };
    let found = |key: &str| {
        let own = given.iter().filter(|(given, _)| *given == key);
        own.fold(0, |sum: u32, (_, count)| sum.saturating_add(*count))
    };
    components
        .iter()
        .map(|component| (component, found(&component.key)))
        .filter(|(component, found)| *found < component.count)
        .map(|(component, found)| MissingComponent {
            component: component.clone(),
            found,
            clause: clause.clone(),
        })
        .collect()
}

/// Gives what every menu must offer and this one does not. `given_keys` are those of `required_items` it offers.
///
/// That the menu must offer it does not oblige a pupil to take it.
#[must_use]
pub fn missing_items(policy: &Policy, given_keys: &[&str]) -> Option<Missing> {
    missing(&policy.course.required_items, given_keys)
}
