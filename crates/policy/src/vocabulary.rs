//! The words and records a pack's keys are made of.
//!
//! Words that code decides on are enums; words that only a region knows (who is waived, what a hotline is called) are
//! data: a `key` for programs and a `name_zh` for people.

use std::cmp::Ordering;

use chrono::{Datelike, NaiveDate, NaiveTime};
use serde::Serialize;
use shared::value::{Fen, FenError};

use crate::problem::Rule;
use crate::read::{Fields, Node, Readable, Scribe, whole};
use crate::value::{Phrase, Say};

/// An enum whose words stand in files, with what people call them.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal;)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$word_doc])* $variant,)+ }

        impl $name {
            /// Every word, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Gives the word as it stands in files.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Finds the word, or nothing.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }

        impl Say for $name {
            fn say(&self) -> Phrase {
                match self { $(Self::$variant => Phrase::new($zh, $en),)+ }
            }
        }

        impl Readable for $name {
            fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
                let word = String::read(node, scribe)?;
                let known = Self::from_word(&word);
                if known.is_none() {
                    let allowed = [$($word),+].join(", ");
                    scribe.problem(node.at, Rule::NotAllowed { allowed, found: word });
                }
                known
            }
        }
    )+};
}

words! {
    /// A stage of compulsory education.
    Stage {
        /// Primary school.
        Primary = "primary", "小学", "primary";
        /// Junior secondary school.
        Junior = "junior", "初中", "junior secondary";
    }

    /// A part of the day.
    DayPart {
        /// Care of pupils who come early (早到校看管).
        EarlyArrival = "early_arrival", "早到校看管", "early arrival";
        /// Breakfast.
        Breakfast = "breakfast", "早餐", "breakfast";
        /// Lunch.
        Lunch = "lunch", "午餐", "lunch";
        /// Noon rest (午休).
        NoonRest = "noon_rest", "午休", "noon rest";
        /// From lunch to the first afternoon lesson, as service.
        NoonSlot = "noon_slot", "午间时段", "noon slot";
        /// After the last lesson.
        Afternoon = "afternoon", "下午放学后", "afternoon";
        /// After the normal service (延时托管).
        Extended = "extended", "延时托管", "extended care";
        /// Evening study (晚自习).
        EveningStudy = "evening_study", "晚自习", "evening study";
    }

    /// After what service may start.
    StartAfter {
        /// The curriculum and the teaching plan of the day.
        CurriculumCompleted = "curriculum_completed", "完成国家规定课程和学校教学计划之后", "the teaching plan of the day";
        /// Dismissal from school.
        SchoolDismissal = "school_dismissal", "放学后", "dismissal";
        /// Lunch.
        Lunch = "lunch", "午饭后", "lunch";
    }

    /// How hard an earliest end binds. Greater is harder.
    Strictness {
        /// As a rule (原则上): deviation with a recorded reason.
        Principle = "principle", "原则上", "in principle";
        /// Without exception (不得).
        Mandatory = "mandatory", "不得", "mandatory";
    }

    /// What the earliest end is measured by.
    EndBasis {
        /// A time on the clock: `end_not_before`.
        Clock = "clock", "钟点", "the clock";
        /// When offices close: `local_office_closing`, which the district states.
        LocalOfficeClosing = "local_office_closing", "当地机关、企事业单位下班时间", "local office closing";
    }

    /// Where homework is done.
    HomeworkPosition {
        /// In the first class hour.
        FirstClassHour = "first_class_hour", "第1个课时", "first class hour";
        /// In the first slot.
        FirstSlot = "first_slot", "第一时段", "first slot";
        /// In time set aside for it.
        Dedicated = "dedicated", "专门时间", "dedicated time";
        /// In the first segment.
        InSegment1 = "in_segment_1", "第一段", "first segment";
    }

    /// What a course teaches, as its submitter declares and a reviewer confirms.
    ContentKind {
        /// Basic care with homework guidance (基本托管).
        BasicCare = "basic_care", "基本托管", "basic care";
        /// Interest, arts, sports, science, labour, reading (素质拓展).
        Enrichment = "enrichment", "素质拓展", "enrichment";
        /// A subject tutored or extended (学科辅导、学科拓展).
        SubjectTutoring = "subject_tutoring", "学科辅导", "subject tutoring";
        /// Exam-type subject course (学科类应试课程).
        SubjectExam = "subject_exam", "学科类应试课程", "exam-type subject course";
        /// New lessons of the curriculum (讲授新课).
        NewLesson = "new_lesson", "讲授新课", "new lessons";
        /// Collective make-up classes (集体补课).
        CollectiveMakeUp = "collective_make_up", "集体补课", "collective make-up classes";
        /// Drilling and exam preparation (刷题备考).
        ExamDrilling = "exam_drilling", "刷题备考", "exam drilling";
    }

    /// Whose schools a whitelist serves.
    WhitelistScope {
        /// One town's or street's.
        TownStreet = "town_street", "镇（街道）", "town or street";
        /// The whole district's.
        District = "district", "全区", "district";
    }

    /// What parents pay by.
    FeeMode {
        /// Nothing at all; no order exists, not even of 0 fen.
        Free = "free", "免费", "free";
        /// The stated amount.
        Exact = "exact", "按标准收取", "the stated fee";
        /// At most the stated amount.
        Ceiling = "ceiling", "不超过上限", "at most the ceiling";
        /// The stated amount on average over all pupils.
        Average = "average", "生均标准", "an average per pupil";
        /// Not yet decided; nothing may be charged.
        AwaitingApproval = "awaiting_approval", "待核定", "awaiting approval";
    }

    /// How the ceilings of two end slots combine for one pupil.
    SlotCapCombination {
        /// The slot the pupil stays to decides alone.
        ByEndSlot = "by_end_slot", "按最后时段", "by the end slot";
        /// Both ceilings add up.
        Sum = "sum", "两时段相加", "both added";
    }

    /// What kind of money parents pay.
    ChargeType {
        /// For the service (服务性收费).
        ServiceCharge = "service_charge", "服务性收费", "service charge";
        /// Passed on to somebody else (代收费).
        PassThrough = "pass_through", "代收费", "pass-through charge";
    }

    /// What is paid back when a paid seat is given up.
    RefundRule {
        /// Everything before the first lesson, nothing after it.
        FullBeforeFirstLesson = "full_before_first_lesson", "首次课前全额退", "all before the first lesson, nothing after";
        /// Everything before the first lesson, after it what was paid for lessons not yet held.
        UnusedLessons = "unused_lessons", "退还未上课时费用", "what was paid for lessons not yet held";
    }

    /// What becomes of the money when a family changes a paid seat for another.
    ChangeRule {
        /// The paid seat is given back as by a withdrawal, and the other one is charged as a new one.
        AsWithdrawal = "as_withdrawal", "原课程按退出处理，新课程另行收费", "the old one as withdrawn, the new one charged anew";
        /// The old one is had and charged to the end of a calendar month, the other one from the first day of the next on.
        FromNextMonth = "from_next_month", "自次月起变更，当月按原课程收费", "from the first day of a later month; until then the old one is charged";
    }

    /// What a monthly fee costs in a month that is not full.
    ProrationRule {
        /// Every calendar month with a lesson costs the whole amount.
        WholeMonth = "whole_month", "有课的自然月按整月收取", "each calendar month with a lesson in full";
    }

    /// Where parents' money goes. Never a provider.
    PayeeAccount {
        /// The school's.
        School = "school", "学校账户", "the school";
        /// The treasury's.
        Treasury = "treasury", "财政账户", "the treasury";
        /// The public operator group's.
        OperatorGroup = "operator_group", "教育集团账户", "the operator group";
        /// A supervised platform's.
        SupervisedPlatform = "supervised_platform", "资金监管平台", "a supervised platform";
    }

    /// Where government money for private schools goes.
    DisbursementAccount {
        /// A supervised account.
        SupervisedAccount = "supervised_account", "监管账户", "a supervised account";
    }

    /// How far a waiver goes.
    WaiverLevel {
        /// A part; which one is the rate's to say.
        Partial = "partial", "减免", "in part";
        /// All of it.
        Full = "full", "全免", "in full";
    }

    /// Whom a waiver category is about.
    WaiverBasis {
        /// The pupil.
        Pupil = "pupil", "学生", "the pupil";
        /// The school; all its pupils are waived.
        School = "school", "学校", "the school";
    }

    /// Which way a partial waiver that is not whole fen is rounded.
    WaiverRounding {
        /// The family pays the fraction less.
        FamilyPaysLess = "family_pays_less", "向下取整，家庭少付", "down: the family pays less";
        /// The family pays the fraction more.
        FamilyPaysMore = "family_pays_more", "向上取整，家庭多付", "up: the family pays more";
    }

    /// Which way a fraction of a fen of a subsidy goes.
    Rounding {
        /// It is dropped.
        Down = "down", "舍去不足一分的部分", "down";
        /// It becomes a whole fen.
        Up = "up", "不足一分进为一分", "up";
    }

    /// What staff pay is counted by.
    StaffPayBasis {
        /// Class hours given.
        ClassHour = "class_hour", "按课时数", "class hours";
        /// The workload as it is assessed.
        Workload = "workload", "按工作量考评", "assessed workload";
    }

    /// Which heads government money counts.
    HeadCount {
        /// Those who take part.
        Participants = "participants", "实际参与学生", "participants";
        /// Those enrolled at the school.
        Enrolled = "enrolled", "在校生", "enrolled pupils";
        /// A share of those enrolled.
        EnrolledShare = "enrolled_share", "在校生的一定比例", "a share of enrolled pupils";
    }

    /// What a matching subsidy is a share of.
    MatchBase {
        /// What parents paid.
        ParentPayments = "parent_payments", "家长缴费", "what parents paid";
        /// What the district or county gave.
        DistrictMoney = "district_money", "区县财政经费", "what the district gave";
    }

    /// Who takes a step of an application.
    StepRole {
        /// The parent.
        Guardian = "guardian", "家长", "guardian";
        /// The homeroom teacher.
        ClassTeacher = "class_teacher", "班主任", "class teacher";
        /// The moral-education office.
        MoralEducation = "moral_education", "德育部门", "moral-education office";
        /// The teaching office.
        TeachingOffice = "teaching_office", "教学部门", "teaching office";
        /// The principal.
        Principal = "principal", "校长", "principal";
    }

    /// How a family may choose.
    ChoiceMode {
        /// From a menu.
        Menu = "menu", "菜单式", "menu";
        /// After a trial.
        Trial = "trial", "体验式", "trial";
        /// In an app.
        App = "app", "APP", "app";
        /// By booking freely.
        FlexibleBooking = "flexible_booking", "弹性预约", "flexible booking";
    }

    /// Whether pupils may leave at different times.
    ElasticDismissal {
        /// Being explored.
        Planned = "planned", "探索中", "planned";
        /// Done.
        Yes = "yes", "实行", "yes";
    }

    /// How often a ledger is closed.
    LedgerPeriod {
        /// Every day.
        Day = "day", "日登记", "daily";
        /// Every month.
        Month = "month", "月统计", "monthly";
    }

    /// How often disclosure is due.
    DisclosureFrequency {
        /// Each term.
        Term = "term", "每学期", "each term";
        /// Each month.
        Month = "month", "每月", "each month";
        /// Each year.
        Year = "year", "每年", "each year";
    }
}

impl FeeMode {
    fn width(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Exact => 1,
            Self::Average | Self::Ceiling => 2,
            Self::AwaitingApproval => 3,
        }
    }

    /// Whether a parent mode leaves room for this one: free leaves none, what awaits approval leaves all.
    pub(crate) fn fits_in(above: &Self, own: &Self) -> bool {
        above == own || own.width() < above.width()
    }
}

/// A share in hundredths of a percent, 0 to 10,000; for a cap on a total, to 100,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BasisPoints(u32);

impl BasisPoints {
    /// All of it.
    pub const WHOLE: Self = Self(10_000);

    /// Takes hundredths of a percent.
    #[must_use]
    pub const fn new(basis_points: u32) -> Self {
        Self(basis_points)
    }

    /// Gives hundredths of a percent.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Takes this share of an amount of 0 fen or more: the whole fen, and whether nothing was left over.
    pub(crate) fn of(self, amount: Fen) -> Result<(Fen, bool), FenError> {
        let whole = i128::from(Self::WHOLE.0);
        let product = i128::from(amount.get()) * i128::from(self.0);
        let part = i64::try_from(product / whole).map_err(|_| FenError)?;
        Ok((Fen::new(part), product % whole == 0))
    }
}

impl Readable for BasisPoints {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let number = whole(node, 100_000, "hundredths of a percent, such as 3000 for 30%", scribe)?;
        u32::try_from(number).ok().map(Self)
    }
}

impl Say for BasisPoints {
    fn say(&self) -> Phrase {
        let text = match self.0 % 100 {
            0 => format!("{}%", self.0 / 100),
            hundredths => format!("{}.{hundredths:02}%", self.0 / 100),
        };
        Phrase::new(text.clone(), text)
    }
}

/// A day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MonthDay {
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl From<NaiveDate> for MonthDay {
    fn from(date: NaiveDate) -> Self {
        Self { month: date.month(), day: date.day() }
    }
}

impl Readable for MonthDay {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let text = String::read(node, scribe)?;
        // 2024 is a leap year, so that 02-29 is a day.
        let date = match text.len() {
            5 => NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d").ok(),
            _ => None,
        };
        if date.is_none() {
            let expected = "a day of the year such as \"10-01\"";
            scribe.problem(node.at, Rule::WrongType { expected, found: format!("the text \"{text}\"") });
        }
        date.map(Self::from)
    }
}

impl Say for MonthDay {
    fn say(&self) -> Phrase {
        Phrase::new(format!("{}月{}日", self.month, self.day), format!("{:02}-{:02}", self.month, self.day))
    }
}

/// A span of time a ticket must be answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// So many hours in which the office is open (`office_hours`).
    WorkingHours(u32),
    /// So many hours on the clock.
    CalendarHours(u32),
}

impl Readable for Deadline {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let mut fields = Fields::of(node, scribe)?;
        let spans = [
            fields.take::<Option<u32>>("working_hours", scribe)?.map(Self::WorkingHours),
            fields.take::<Option<u32>>("calendar_hours", scribe)?.map(Self::CalendarHours),
        ];
        fields.finish(scribe);
        let mut given = spans.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(deadline), None) => Some(deadline),
            _ => {
                let expected = "either { working_hours = … } or { calendar_hours = … }";
                scribe.problem(node.at, Rule::WrongType { expected, found: "another table".to_owned() });
                None
            }
        }
    }
}

impl Say for Deadline {
    fn say(&self) -> Phrase {
        match self {
            Self::WorkingHours(hours) => {
                Phrase::new(format!("{hours}个工作小时"), format!("{hours} working hours"))
            }
            Self::CalendarHours(hours) => Phrase::new(format!("{hours}小时"), format!("{hours} hours")),
        }
    }
}

/// A record of named fields; an `Option` field may be absent.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }

        impl Readable for $name {
            fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
                let mut fields = Fields::of(node, scribe)?;
                $(let $field = fields.take(stringify!($field), scribe);)+
                fields.finish(scribe);
                Some(Self { $($field: $field?,)+ })
            }
        }
    )+};
}

records! {
    /// A thing only the region has a name for.
    Item {
        /// For programs, in snake_case.
        key: String,
        /// For people.
        name_zh: String,
    }

    /// From when a stage, or one grade of it, takes part.
    Rollout {
        /// The stage.
        stage: Stage,
        /// The only grade, 1 to 9; absent for all.
        grade: Option<u32>,
        /// The first day.
        from: NaiveDate,
    }

    /// When slots end, counted from the school's own dismissal.
    SlotOffsets {
        /// Minutes after dismissal, one for each slot in order.
        minutes: Vec<u32>,
        /// Whether the document says "about" (左右).
        approximate: bool,
    }

    /// A part of a week.
    WeeklyComponent {
        /// For programs, in snake_case.
        key: String,
        /// For people.
        name_zh: String,
        /// Sessions in a week.
        count: u32,
    }

    /// A stretch of the school year with its own rules.
    Phase {
        /// For programs, in snake_case.
        key: String,
        /// For people.
        name_zh: String,
        /// The first day, inclusive.
        from: MonthDay,
        /// The last day, inclusive; absent when open.
        to: Option<MonthDay>,
        /// Whether third parties may teach.
        third_party: bool,
        /// Whether feature courses are offered.
        feature_courses: bool,
    }

    /// Who is waived, and how far.
    Waiver {
        /// The region's own category, in snake_case. Categories of two regions are never the same by their name.
        category: String,
        /// What the region calls it.
        name_zh: String,
        /// How far it goes.
        level: WaiverLevel,
        /// Whom it is about.
        basis: WaiverBasis,
        /// The share let off, where the document states it.
        rate_bp: Option<BasisPoints>,
        /// Who pays instead, such as `district`; absent when the document does not say.
        funder: Option<String>,
    }

    /// The share a partial waiver lets off.
    PartialRate {
        /// The category.
        category: String,
        /// The share let off.
        rate_bp: BasisPoints,
    }

    /// A step of an application.
    Step {
        /// For programs, in snake_case.
        key: String,
        /// The region's words.
        name_zh: String,
        /// Who takes it.
        role: StepRole,
    }

    /// A report a school or town owes.
    Report {
        /// For programs, in snake_case.
        key: String,
        /// For people.
        name_zh: String,
        /// The day it is due, where there is one.
        due: Option<MonthDay>,
        /// Whether it must be signed.
        signed: bool,
    }

    /// A section of the bureau that takes complaints.
    Hotline {
        /// For programs, such as `secondary`.
        section: String,
        /// What it is called.
        name_zh: String,
        /// The stages it answers for.
        stages: Vec<Stage>,
        /// Its telephone.
        phone: Option<String>,
        /// Its mail address.
        mail: Option<String>,
    }

    /// A share to be reached.
    Target {
        /// For programs, in snake_case.
        key: String,
        /// For people.
        name_zh: String,
        /// The share.
        at_least_bp: BasisPoints,
        /// What it is a share of, such as schools in the city; absent when the document does not say.
        among_zh: Option<String>,
        /// The day by which it is to be reached.
        by: Option<NaiveDate>,
    }

    /// A stretch of the day in which the office is open.
    OfficeHours {
        /// Opens at.
        from: NaiveTime,
        /// Closes at.
        to: NaiveTime,
    }

    /// Government money given each year as one sum, from the least to the most.
    YearlySum {
        /// The least.
        from_fen: Fen,
        /// The most; the same as the least for one sum.
        to_fen: Fen,
    }
}

/// Government money for a part of the region only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ScopedGrant {
    /// The part of the region, in snake_case.
    pub scope: String,
    /// What that part is called.
    pub name_zh: String,
    /// Which heads are counted.
    pub head_count: HeadCount,
    /// The share of enrolled pupils counted: there for `enrolled_share` and for nothing else.
    pub share_bp: Option<BasisPoints>,
    /// For a counted pupil and a year.
    pub fen_per_pupil_per_year: Fen,
    /// What was given in one year in all.
    pub fund_fen: Option<Fen>,
    /// That year.
    pub fund_year: Option<u32>,
}

impl Readable for ScopedGrant {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let mut fields = Fields::of(node, scribe)?;
        let scope = fields.take("scope", scribe);
        let name_zh = fields.take("name_zh", scribe);
        let head_count: Option<HeadCount> = fields.take("head_count", scribe);
        let share_bp: Option<Option<BasisPoints>> = fields.take("share_bp", scribe);
        let fen_per_pupil_per_year = fields.take("fen_per_pupil_per_year", scribe);
        let (fund_fen, fund_year) = (fields.take("fund_fen", scribe), fields.take("fund_year", scribe));
        fields.finish(scribe);
        let (head_count, share_bp) = (head_count?, share_bp?);
        if (head_count == HeadCount::EnrolledShare) != share_bp.is_some() {
            let expected = "a grant with share_bp exactly when head_count is enrolled_share";
            scribe.problem(node.at, Rule::WrongType { expected, found: "another grant".to_owned() });
            return None;
        }
        Some(Self {
            scope: scope?,
            name_zh: name_zh?,
            head_count,
            share_bp,
            fen_per_pupil_per_year: fen_per_pupil_per_year?,
            fund_fen: fund_fen?,
            fund_year: fund_year?,
        })
    }
}

impl Say for ScopedGrant {
    fn say(&self) -> Phrase {
        let (heads, amount) = (self.head_count.say(), self.fen_per_pupil_per_year);
        let share = self.share_bp.map(|share| share.say()).unwrap_or_default();
        Phrase::new(
            format!("{}：{}{}，每生每年 {amount} 元", self.name_zh, heads.zh, share.zh),
            format!("{}: {} {}, {amount} yuan a pupil and year", self.name_zh, heads.en, share.en),
        )
    }
}

/// Says a record by its `name_zh`.
macro_rules! said_by_name {
    ($($name:ident),+) => {$(
        impl Say for $name {
            fn say(&self) -> Phrase {
                Phrase::new(self.name_zh.clone(), self.name_zh.clone())
            }
        }
    )+};
}

said_by_name!(Item, Step);

impl Say for Phase {
    fn say(&self) -> Phrase {
        let (from, to) = (self.from.say(), self.to.map(|to| to.say()));
        let (to_zh, to_en) = to.map_or((String::new(), String::new()), |to| (to.zh, to.en));
        let may = |allowed: bool| if allowed { ("可", "") } else { ("不", "no ") };
        let (third_party, feature) = (may(self.third_party), may(self.feature_courses));
        Phrase::new(
            format!(
                "{}（{}起{}{to_zh}，{}引入第三方，{}开特色课程）",
                self.name_zh,
                from.zh,
                if to_zh.is_empty() { "" } else { "至" },
                third_party.0,
                feature.0
            ),
            format!(
                "{} (from {}{}{to_en}, {}third parties, {}feature courses)",
                self.name_zh,
                from.en,
                if to_en.is_empty() { "" } else { " to " },
                third_party.1,
                feature.1
            ),
        )
    }
}

impl Say for Report {
    fn say(&self) -> Phrase {
        let mut said = Phrase::new(self.name_zh.clone(), self.name_zh.clone());
        if let Some(due) = self.due {
            let due = due.say();
            said.zh += &format!("（{}前）", due.zh);
            said.en += &format!(" (by {})", due.en);
        }
        if self.signed {
            said.zh += "（须签字）";
            said.en += " (signed)";
        }
        said
    }
}

impl Say for Rollout {
    fn say(&self) -> Phrase {
        let stage = self.stage.say();
        match self.grade {
            Some(grade) => Phrase::new(
                format!("{}{grade}年级自{}起", stage.zh, self.from),
                format!("{} grade {grade} from {}", stage.en, self.from),
            ),
            None => Phrase::new(
                format!("{}自{}起", stage.zh, self.from),
                format!("{} from {}", stage.en, self.from),
            ),
        }
    }
}

impl Say for SlotOffsets {
    fn say(&self) -> Phrase {
        let minutes = self.minutes.say();
        let about = if self.approximate { ("左右", "about ") } else { ("", "") };
        Phrase::new(
            format!("放学后{}分钟{}", minutes.zh, about.0),
            format!("{}{} minutes after dismissal", about.1, minutes.en),
        )
    }
}

impl Say for WeeklyComponent {
    fn say(&self) -> Phrase {
        Phrase::new(format!("{}{}次", self.name_zh, self.count), format!("{} × {}", self.name_zh, self.count))
    }
}

impl Say for Waiver {
    fn say(&self) -> Phrase {
        let level = self.level.say();
        Phrase::new(format!("{}{}", self.name_zh, level.zh), format!("{} {}", self.name_zh, level.en))
    }
}

impl Say for PartialRate {
    fn say(&self) -> Phrase {
        let rate = self.rate_bp.say();
        Phrase::new(format!("{}减{}", self.category, rate.zh), format!("{} less {}", self.category, rate.en))
    }
}

impl Say for Hotline {
    fn say(&self) -> Phrase {
        let reached = [&self.phone, &self.mail].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let text = format!("{} {reached}", self.name_zh).trim_end().to_owned();
        Phrase::new(text.clone(), text)
    }
}

impl Say for Target {
    fn say(&self) -> Phrase {
        let share = self.at_least_bp.say();
        let mut said =
            Phrase::new(format!("{} {}", self.name_zh, share.zh), format!("{} {}", self.name_zh, share.en));
        if let Some(among) = &self.among_zh {
            said = Phrase::new(format!("{}中{}", among, said.zh), format!("{}: {}", among, said.en));
        }
        if let Some(by) = self.by {
            said = Phrase::new(format!("{by}前{}", said.zh), format!("{} by {by}", said.en));
        }
        said
    }
}

impl Say for OfficeHours {
    fn say(&self) -> Phrase {
        let text = format!("{}-{}", self.from.format("%H:%M"), self.to.format("%H:%M"));
        Phrase::new(text.clone(), text)
    }
}

impl Say for YearlySum {
    fn say(&self) -> Phrase {
        let text = match self.from_fen.cmp(&self.to_fen) {
            Ordering::Equal => self.from_fen.to_string(),
            Ordering::Less | Ordering::Greater => format!("{}-{}", self.from_fen, self.to_fen),
        };
        Phrase::new(text.clone(), text)
    }
}

impl Hotline {
    /// Whether it answers for a stage.
    #[must_use]
    pub fn answers_for(&self, stage: Stage) -> bool {
        self.stages.contains(&stage)
    }
}
