//! Every key a pack can express, as one typed value per pack.
//!
//! A key is written once, in the table below: its type, how far a pack below or a supplement may narrow it, what people
//! call it, and its unit.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use shared::value::Fen;

use crate::layer::Layer;
use crate::value::{Clause, Key, Say, Silent, Source, Standing, Step, Value};
use crate::vocabulary::{
    BasisPoints, ChargeType, ChoiceMode, ContentKind, DayPart, Deadline, DisbursementAccount,
    DisclosureFrequency, ElasticDismissal, EndBasis, FeeMode, HeadCount, HomeworkPosition, Hotline, Item,
    LedgerPeriod, MatchBase, MonthDay, OfficeHours, PartialRate, PayeeAccount, Phase, ProrationRule,
    RefundRule, Report, Rollout, Rounding, ScopedGrant, SlotCapCombination, SlotOffsets, StaffPayBasis,
    Stage, StartAfter, Step as EnrollmentStep, Strictness, Target, Waiver, WaiverLevel, WaiverRounding,
    WeeklyComponent, WhitelistScope, YearlySum,
};

/// How far what stands below may depart from what stands above.
pub(crate) enum Narrowing<T> {
    /// Only where this says yes, above first.
    Within(fn(&T, &T) -> bool),
    /// A pack below may say its own; a supplement may not.
    Local,
}

fn at_most<T: PartialOrd>(above: &T, own: &T) -> bool {
    own <= above
}

fn at_least<T: PartialOrd>(above: &T, own: &T) -> bool {
    own >= above
}

#[expect(clippy::ptr_arg, reason = "the table holds pointers to functions over the key's own type")]
fn includes<T: PartialEq>(above: &Vec<T>, own: &Vec<T>) -> bool {
    above.iter().all(|item| own.contains(item))
}

#[expect(clippy::ptr_arg, reason = "the table holds pointers to functions over the key's own type")]
fn among<T: PartialEq>(above: &Vec<T>, own: &Vec<T>) -> bool {
    own.iter().all(|item| above.contains(item))
}

#[expect(clippy::ptr_arg, reason = "the table holds pointers to functions over the key's own type")]
fn each_at_most(above: &Vec<Fen>, own: &Vec<Fen>) -> bool {
    above.len() == own.len() && own.iter().zip(above).all(|(own, above)| own <= above)
}

#[expect(clippy::ptr_arg, reason = "the table holds pointers to functions over the key's own type")]
fn waives_no_less(above: &Vec<Waiver>, own: &Vec<Waiver>) -> bool {
    above.iter().all(|waiver| {
        own.iter().any(|own| {
            let as_far = match (waiver.level, own.level) {
                (_, WaiverLevel::Full) => true,
                (WaiverLevel::Full, WaiverLevel::Partial) => false,
                (WaiverLevel::Partial, WaiverLevel::Partial) => own.rate_bp >= waiver.rate_bp,
            };
            own.category == waiver.category && own.basis == waiver.basis && as_far
        })
    })
}

macro_rules! narrowing {
    (local) => {
        Narrowing::Local
    };
    (($within:path)) => {
        Narrowing::Within($within)
    };
    ($within:path) => {
        Narrowing::Within($within)
    };
}

/// One line a key: `name: Type, narrowing, 名称, name, 单位, unit;`.
macro_rules! keys {
    ($($(#[$group_doc:meta])* $group:ident: $struct:ident {
        $($(#[$doc:meta])* $key:ident: $type:ty, $narrowing:tt, $zh:literal, $en:literal, $unit_zh:literal, $unit_en:literal;)+
    })+) => {
        $(
            $(#[$group_doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $struct { $($(#[$doc])* pub $key: Value<$type>,)+ }

            mod $group {
                use super::Key;
                $(
                    #[expect(non_upper_case_globals, reason = "a key is named as files name it")]
                    pub(super) static $key: Key = Key {
                        group: stringify!($group),
                        name: stringify!($key),
                        zh: $zh,
                        en: $en,
                        unit_zh: $unit_zh,
                        unit_en: $unit_en,
                    };
                )+
            }
        )+

        /// What one region, with or without a district's supplement, rules. Immutable; every key is there.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Policy {
            pub(crate) identity: Identity,
            $($(#[$group_doc])* pub $group: $struct,)+
        }

        impl Policy {
            /// Every key of the schema, in its order.
            #[must_use]
            pub fn keys() -> Vec<&'static Key> {
                vec![$($(&$group::$key,)+)+]
            }

            /// A policy in which nothing is said.
            pub(crate) fn blank(identity: Identity) -> Self {
                let pack_id: Arc<str> = Arc::from(identity.pack_id.as_str());
                Self {
                    $($group: $struct { $($key: Value::silent(Arc::clone(&pack_id), &$group::$key),)+ },)+
                    identity,
                }
            }

            /// The policy a pack below starts from: all that is known here, as inherited.
            pub(crate) fn handed_down(&self, identity: Identity) -> Self {
                let pack_id: Arc<str> = Arc::from(identity.pack_id.as_str());
                let inferred = match &identity.parent_ground {
                    Some(ParentGround::Inferred(why)) => Some(why.as_str()),
                    Some(ParentGround::Document(_)) => None,
                    None => self.identity.inferred.as_deref(),
                };
                let step = Step { from_zh: &self.identity.name_zh, inferred };
                Self {
                    $($group: $struct {
                        $($key: self.$group.$key.handed_down(Arc::clone(&pack_id), &step),)+
                    },)+
                    identity,
                }
            }

            /// Lays what one file says over this.
            pub(crate) fn lay(&mut self, layer: &mut Layer<'_, '_>) {
                $(
                    layer.enter(stringify!($group));
                    $(layer.lay(&mut self.$group.$key, &narrowing!($narrowing));)+
                    layer.leave();
                )+
            }

            /// Gives the clause a key rests on; [`Silent`] when nobody says it; nothing when there is no such key.
            #[must_use]
            pub fn clause(&self, key: &str) -> Option<Result<Clause, Silent>> {
                $($(if key == stringify!($key) {
                    let value = &self.$group.$key;
                    return Some(value.clause().ok_or_else(|| value.silence()));
                })+)+
                None
            }

            /// Gives a key as it is held here; nothing when the schema has no such key.
            #[must_use]
            pub fn entry(&self, key: &str) -> Option<Entry> {
                $($(if key == stringify!($key) {
                    return Some(Entry::of(&self.$group.$key));
                })+)+
                None
            }

            /// Gives every key with where it stands and the clause it rests on, in the order of the schema.
            #[must_use]
            pub fn entries(&self) -> Vec<Entry> {
                vec![$($(Entry::of(&self.$group.$key),)+)+]
            }

            /// Gives the keys on which another policy says something else, in the order of the schema.
            pub(crate) fn keys_unlike(&self, other: &Self) -> Vec<&'static Key> {
                let mut keys: Vec<&'static Key> = Vec::new();
                $($(if self.$group.$key.says_otherwise(&other.$group.$key) {
                    keys.push(&$group::$key);
                })+)+
                keys
            }
        }
    };
}

/// A key of the schema as one policy holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: &'static Key,
    /// Where its value stands.
    pub standing: Standing,
    /// The clause it rests on; nothing when silent.
    pub clause: Option<Clause>,
}

impl Entry {
    pub(crate) fn of<T: Say>(value: &Value<T>) -> Self {
        Self { key: value.key, standing: value.standing(), clause: value.clause() }
    }
}

/// Why a pack stands below its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentGround {
    /// No document says so; this is why it is read so.
    Inferred(String),
    /// A document says so.
    Document(Source),
}

/// Which policy this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub pack_id: String,
    pub name_zh: String,
    pub parent_pack: Option<String>,
    pub parent_ground: Option<ParentGround>,
    /// Why what is said here holds below where no other ground is given.
    pub inferred: Option<String>,
    pub version: String,
    pub supplement: Option<SupplementIdentity>,
    pub effective_from: Option<NaiveDate>,
    pub effective_to: Option<NaiveDate>,
}

/// Which supplement is laid over the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SupplementIdentity {
    pub name: String,
    pub version: String,
    pub is_demonstration: bool,
}

impl Policy {
    /// The pack's id, such as the file's name without `.toml`.
    #[must_use]
    pub fn pack_id(&self) -> &str {
        &self.identity.pack_id
    }

    /// What the region is called.
    #[must_use]
    pub fn name_zh(&self) -> &str {
        &self.identity.name_zh
    }

    /// The pack above, or nothing.
    #[must_use]
    pub fn parent_pack(&self) -> Option<&str> {
        self.identity.parent_pack.as_deref()
    }

    /// Why it stands below the pack above; nothing when it names none.
    #[must_use]
    pub fn parent_ground(&self) -> Option<&ParentGround> {
        self.identity.parent_ground.as_ref()
    }

    /// The pack's content and that of all above it as 16 hex digits. Comments and layout do not change it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.identity.version
    }

    /// The supplement's name, or nothing.
    #[must_use]
    pub fn supplement(&self) -> Option<&str> {
        self.identity.supplement.as_ref().map(|supplement| supplement.name.as_str())
    }

    /// Whether the supplement calls itself a demonstration, which no real district may run on.
    #[must_use]
    pub fn is_demonstration(&self) -> bool {
        self.identity.supplement.as_ref().is_some_and(|supplement| supplement.is_demonstration)
    }

    /// The first day it is in force, where the document says so.
    #[must_use]
    pub fn effective_from(&self) -> Option<NaiveDate> {
        self.identity.effective_from
    }

    /// The last day it is in force, where the document says so.
    #[must_use]
    pub fn effective_to(&self) -> Option<NaiveDate> {
        self.identity.effective_to
    }

    /// What a term keeps: `<pack_id>@<version>`, with `+<supplement>@<version>` when there is one.
    #[must_use]
    pub fn pin(&self) -> String {
        let pack = format!("{}@{}", self.identity.pack_id, self.identity.version);
        match &self.identity.supplement {
            Some(supplement) => format!("{pack}+{}@{}", supplement.name, supplement.version),
            None => pack,
        }
    }
}

keys! {
    /// Whom and what the service covers.
    scope: Scope {
        /// The stages the service is for.
        school_stages: Vec<Stage>, among, "适用学段", "stages", "", "";
        /// Whether boarding schools count towards coverage.
        boarding_schools_in_coverage_target: bool, local, "寄宿制学校计入覆盖率", "boarding schools count towards coverage", "", "";
        /// Whether private schools take part.
        private_schools_included: bool, local, "包含民办学校", "private schools included", "", "";
        /// Day parts the documents name as service. Not exhaustive.
        included_day_parts: Vec<DayPart>, local, "课后服务时段", "day parts of the service", "", "";
        /// Day parts the documents name as not being service.
        excluded_day_parts: Vec<DayPart>, includes, "不属于课后服务的时段", "day parts outside the service", "", "";
        /// From when which stage takes part.
        rollout: Vec<Rollout>, local, "实施起始", "roll-out", "", "";
    }

    /// When service is given, and how much.
    time: Time {
        /// Days of service in a week.
        service_days_per_week: u32, at_least, "每周服务天数", "service days a week", "天", " days";
        /// Whether every workday has service.
        all_workdays: bool, at_least, "所有工作日", "all workdays", "", "";
        /// After what service starts.
        start_after: StartAfter, local, "开始于", "starts after", "", "";
        /// The earliest end of the service.
        end_not_before: NaiveTime, at_least, "服务结束时间不早于", "service ends no earlier than", "", "";
        /// How hard the earliest end binds.
        end_strictness: Strictness, at_least, "结束时间约束", "strictness of the end", "", "";
        /// What the earliest end is measured by.
        end_not_before_basis: EndBasis, local, "结束时间依据", "basis of the end", "", "";
        /// When local offices close; a district's to say.
        local_office_closing: NaiveTime, local, "当地下班时间", "local office closing", "", "";
        /// The latest end of the service.
        end_not_after: NaiveTime, at_most, "服务结束时间不晚于", "service ends no later than", "", "";
        /// The end aimed at; blocks nothing.
        end_target: NaiveTime, local, "目标结束时间", "target end", "", "";
        /// Whether a school's own plan may move these times while keeping the amount of service.
        school_plan_may_adjust_times: bool, at_most, "学校方案可调整时间", "school plan may adjust times", "", "";
        /// Fewest slots of an afternoon.
        slot_count_min: u32, at_least, "时段数下限", "fewest slots", "个", " slots";
        /// Most slots of an afternoon.
        slot_count_max: u32, at_most, "时段数上限", "most slots", "个", " slots";
        /// Slots of staggered dismissal.
        dismissal_slot_count: u32, local, "错时放学时段数", "dismissal slots", "个", " slots";
        /// When slots end, counted from dismissal.
        slot_end_offset_minutes: SlotOffsets, local, "时段结束", "slot ends", "", "";
        /// Earliest start of the noon slot in winter.
        noon_slot_start_not_before_winter: NaiveTime, at_least, "午间开始（冬季）不早于", "noon slot in winter starts no earlier than", "", "";
        /// Earliest start of the noon slot in summer.
        noon_slot_start_not_before_summer: NaiveTime, at_least, "午间开始（夏季）不早于", "noon slot in summer starts no earlier than", "", "";
        /// First day of winter time; a district's to say.
        winter_from: MonthDay, local, "冬季作息起始", "winter from", "", "";
        /// First day of summer time; a district's to say.
        summer_from: MonthDay, local, "夏季作息起始", "summer from", "", "";
        /// Fewest class hours of an afternoon.
        min_class_hours_per_afternoon: u32, at_least, "每个下午课时数下限", "fewest class hours an afternoon", "课时", " class hours";
        /// Most class hours of a day.
        max_class_hours_per_day: u32, at_most, "每日课时数上限", "most class hours a day", "课时", " class hours";
        /// Class hours of a day, exactly.
        class_hours_per_day: u32, local, "每日课时数", "class hours a day", "课时", " class hours";
        /// Fewest minutes of a day over all slots.
        min_minutes_per_day: u32, at_least, "每日服务时长下限", "least service a day", "分钟", " minutes";
        /// Minutes of a class hour; silent in every document, a district's to say. Nothing is converted without it.
        class_hour_minutes: u32, local, "每课时分钟数", "minutes of a class hour", "分钟", " minutes";
        /// Class hours of homework in an afternoon.
        homework_min_class_hours: u32, at_least, "作业课时数下限", "least homework time", "课时", " class hours";
        /// Whether a segment is set aside for homework.
        homework_segment: bool, at_least, "设作业时段", "homework segment", "", "";
        /// Where homework is done.
        homework_position: HomeworkPosition, local, "作业安排", "place of homework", "", "";
        /// Whether extended care must be offered.
        extended_care_required: bool, at_least, "应提供延时托管", "extended care required", "", "";
        /// Whether extended care is offered.
        extended_care_offered: bool, local, "提供延时服务", "extended care offered", "", "";
        /// Whether extended care is paid. There is no tariff for it whatever stands here.
        extended_care_paid: bool, at_most, "延时托管收费", "extended care paid", "", "";
    }

    /// What is taught.
    course: Course {
        /// The region's name for its course model.
        course_model: String, local, "课程模式", "course model", "", "";
        /// The segments of an afternoon, in order.
        segments: Vec<Item>, local, "分段", "segments", "", "";
        /// What every menu must offer.
        required_items: Vec<Item>, includes, "必选项目", "required items", "", "";
        /// What a week is made of.
        weekly_components: Vec<WeeklyComponent>, local, "每周构成", "weekly components", "", "";
        /// The region's course categories.
        categories: Vec<Item>, local, "课程类别", "course categories", "", "";
        /// Whether schools may tutor subjects.
        school_subject_tutoring_allowed: bool, local, "学校可开展学科辅导", "schools may tutor subjects", "", "";
        /// What nobody may teach in the service.
        banned_content_kinds: Vec<ContentKind>, includes, "禁止内容", "banned content", "", "";
    }

    /// Who may teach besides the school.
    provider: Provider {
        /// Whether third parties may teach at all.
        third_party_course_allowed: bool, at_most, "可引入第三方课程", "third-party courses allowed", "", "";
        /// Whether third parties take part as assessors (第三方参与评估). Says nothing on whether they teach.
        third_party_assessor: bool, local, "第三方参与评估", "third parties assess", "", "";
        /// Whether schools buy from a whitelist only.
        whitelist_required: bool, at_least, "实行白名单", "whitelist required", "", "";
        /// Whose schools a listing serves.
        whitelist_scope: WhitelistScope, local, "白名单范围", "whitelist scope", "", "";
        /// What third parties may not teach.
        third_party_banned_course_classes: Vec<ContentKind>, includes, "第三方不得提供", "banned for third parties", "", "";
        /// Whether a school may hand the whole service over.
        third_party_total_outsourcing_allowed: bool, at_most, "可完全交给第三方", "total outsourcing allowed", "", "";
        /// Whether a third party may take parents' money.
        third_party_may_collect: bool, at_most, "第三方可代收费", "third party may collect", "", "";
        /// Whether providers' money runs over a supervised platform.
        provider_fund_supervision: bool, at_least, "第三方资金监管", "provider funds supervised", "", "";
    }

    /// Stretches of the year with their own rules.
    phase: Phases {
        /// The phases, in order.
        phases: Vec<Phase>, local, "实施阶段", "phases", "", "";
        /// Whether courses outside a phase's list are refused rather than flagged.
        phase_gate_enforced: bool, at_least, "阶段限制强制执行", "phases are enforced", "", "";
    }

    /// What parents pay.
    fee: Fee {
        /// What they pay by.
        parent_fee_mode: FeeMode, (FeeMode::fits_in), "家长缴费方式", "fee mode", "", "";
        /// The fee of a term.
        parent_fee_fen_per_term: Fen, local, "收费标准", "fee", " 元/学期", " yuan a term";
        /// Most of a term, over all courses of a pupil.
        parent_fee_cap_fen_per_term: Fen, at_most, "每学期收费上限", "most a term", " 元/学期", " yuan a term";
        /// The average of a term over all pupils.
        parent_fee_avg_fen_per_term: Fen, local, "生均收费标准", "average fee", " 元/学期", " yuan a term";
        /// The fee of a month.
        parent_fee_fen_per_month: Fen, local, "收费标准", "fee", " 元/月", " yuan a month";
        /// Most of a class hour.
        parent_fee_cap_fen_per_class_hour: Fen, at_most, "每课时收费上限", "most a class hour", " 元/课时", " yuan a class hour";
        /// Most of a day, over all courses and slots of a pupil.
        parent_fee_cap_fen_per_day: Fen, at_most, "每天收费上限", "most a day", " 元/天", " yuan a day";
        /// Most of a month, one for each end slot in order.
        slot_fee_cap_fen_per_month: Vec<Fen>, each_at_most, "各时段每月收费上限", "most a month by end slot", " 元/月", " yuan a month";
        /// Most of a term, over all personalised courses of a pupil.
        personalised_course_parent_cap_fen_per_term: Fen, at_most, "个性化课程每学期收费上限", "most a term for personalised courses", " 元/学期", " yuan a term";
        /// How the ceilings of two end slots combine.
        slot_cap_combination: SlotCapCombination, local, "两时段上限关系", "slot ceilings combine", "", "";
        /// The stages the fee is stated for; other stages are silent.
        fee_stage_scope: Vec<Stage>, among, "收费标准适用学段", "stages the fee is for", "", "";
        /// Whether a price needs an approval document.
        price_approval_required: bool, at_least, "收费须经核定", "price approval required", "", "";
        /// Who approves prices.
        price_authority: String, local, "价格核定部门", "price authority", "", "";
        /// Whether a price rests on a cost sheet (成本核算).
        cost_accounting_required: bool, at_least, "收费须有成本核算", "cost sheet required", "", "";
        /// What kinds of charge there are.
        charge_types: Vec<ChargeType>, among, "收费类型", "charge types", "", "";
        /// What is paid back; a district's to say.
        refund_rule: RefundRule, local, "退费规则", "refund rule", "", "";
        /// What a month that is not full costs; a district's to say.
        proration_rule: ProrationRule, local, "不足月计费规则", "proration rule", "", "";
        /// Months of a term; a district's to say.
        term_months: u32, local, "每学期月数", "months of a term", "个月", " months";
        /// Where parents' money goes.
        payee_account: PayeeAccount, local, "收款账户", "payee", "", "";
        /// Where government money for private schools goes.
        gov_disbursement_account_private_schools: DisbursementAccount, local, "民办学校拨款账户", "account for private schools' grants", "", "";
    }

    /// Who need not pay.
    waiver: Waivers {
        /// Who is waived.
        waivers: Vec<Waiver>, waives_no_less, "减免对象", "waivers", "", "";
        /// The shares partial waivers let off, where documents do not say; a district's to say.
        partial_waiver_rates: Vec<PartialRate>, local, "减免比例", "partial waiver rates", "", "";
        /// Which way fractions of a fen go; a district's to say.
        partial_waiver_rounding: WaiverRounding, local, "减免取整", "rounding of partial waivers", "", "";
    }

    /// What government pays.
    gov: Gov {
        /// For a pupil and a year. Never halved to a term.
        gov_fen_per_pupil_per_year: Fen, local, "财政生均经费", "government money", " 元/生·年", " yuan a pupil and year";
        /// At least, for a participant and a term.
        gov_floor_fen_per_participant_per_term: Fen, at_least, "财政保障标准", "least government money", " 元/生·学期", " yuan a participant and term";
        /// Which heads are counted.
        gov_head_count_basis: HeadCount, local, "计数口径", "heads counted", "", "";
        /// The share of enrolled pupils counted.
        enrolled_share_bp: BasisPoints, local, "在校生计入比例", "share of enrolled pupils", "", "";
        /// A subsidy as a share of something.
        gov_match_bp: BasisPoints, local, "奖补比例", "matching subsidy", "", "";
        /// What it is a share of.
        gov_match_base: MatchBase, local, "奖补基数", "base of the match", "", "";
        /// Whether government covers what fees do not.
        gov_shortfall_covered: bool, at_least, "兜底补助", "shortfall covered", "", "";
        /// Whether the subsidy depends on evaluation.
        gov_subsidy_tied_to_evaluation: bool, local, "补助与考评挂钩", "subsidy tied to evaluation", "", "";
        /// One sum a year.
        gov_fixed_fen_per_year: YearlySum, local, "年度专项资金", "yearly fund", " 元/年", " yuan a year";
        /// Whose treasury pays, in the document's words.
        gov_funded_by: String, local, "经费来源", "funded by", "", "";
        /// Government money for parts of the region only.
        gov_scoped_grants: Vec<ScopedGrant>, local, "限定范围的财政补助", "grants for parts of the region", "", "";
        /// Which of those parts the district lies in; a district's to say.
        gov_scopes: Vec<String>, local, "所属补助范围", "parts the district lies in", "", "";
        /// Which way a fraction of a fen of a subsidy goes; a district's to say.
        gov_rounding: Rounding, local, "财政补助取整", "rounding of subsidies", "", "";
    }

    /// What staff are paid.
    staff: Staff {
        /// School staff, for a class hour.
        internal_pay_fen_per_class_hour: Fen, local, "校内教职工补贴", "staff pay", " 元/课时", " yuan a class hour";
        /// What pay is counted by.
        staff_pay_basis: StaffPayBasis, local, "报酬计量依据", "pay is counted by", "", "";
        /// Outside professionals at most, for a class hour.
        external_pay_cap_fen_per_class_hour: Fen, at_most, "外聘人员补贴上限", "most for outside staff", " 元/课时", " yuan a class hour";
        /// The share of fees that goes to staff.
        fees_to_staff_bp: BasisPoints, local, "收费发放给教职工比例", "fees to staff", "", "";
        /// Most the performance-pay total may be, against the local guidance line.
        performance_total_cap_bp_of_guidance: BasisPoints, at_most, "绩效工资总量上限（对指导线）", "most of the performance total against guidance", "", "";
        /// Whether the pay counts within the performance-pay total.
        counts_in_performance_total: bool, local, "纳入绩效工资总量", "counts in the performance total", "", "";
    }

    /// What the money may be used for.
    funds: Funds {
        /// The purposes allowed.
        fund_use_allowed: Vec<Item>, among, "经费用途", "allowed uses", "", "";
        /// Whether the money may serve nothing else (专款专用).
        earmarked: bool, at_least, "专款专用", "earmarked", "", "";
    }

    /// How pupils come in.
    enroll: Enroll {
        /// The steps of an application, in order.
        enrollment_steps: Vec<EnrollmentStep>, local, "报名流程", "enrollment steps", "", "";
        /// Whether parents sign an agreement first.
        agreement_required: bool, at_least, "签订自愿服务协议", "agreement required", "", "";
        /// Who is served first where seats are scarce. Waives nothing.
        priority_groups: Vec<Item>, local, "优先保障对象", "priority groups", "", "";
        /// Whether the list of groups is open (等).
        priority_list_open: bool, local, "优先对象为开放列举", "priority list is open", "", "";
        /// Whether every willing pupil must be taken.
        admit_all_willing: bool, at_least, "应收尽收", "all willing pupils admitted", "", "";
        /// How a family may choose.
        course_choice_modes: Vec<ChoiceMode>, local, "选课方式", "ways to choose", "", "";
        /// Whether parents must be told in writing.
        parent_notice_required: bool, at_least, "告知家长", "parent notice required", "", "";
        /// Whether taking part is voluntary.
        voluntary: bool, at_least, "自愿参加", "voluntary", "", "";
        /// Whether what families need is surveyed first (摸排调查).
        need_survey_required: bool, at_least, "开展需求摸排", "need survey required", "", "";
        /// Minutes whoever is offered a seat from the line has for each stage still open, approval and then payment; a
        /// district's to say.
        waitlist_offer_minutes: u32, local, "候补名额保留时长", "time to take a seat offered from the line", "分钟", " minutes";
        /// When the nightly rest begins in which no such time ends; a district's to say, together with its end.
        waitlist_quiet_from: NaiveTime, local, "候补免打扰开始", "nightly rest of offers begins", "", "";
        /// When that rest ends: a time that would have ended within it ends now. Before its begin, it is the next day's.
        waitlist_quiet_to: NaiveTime, local, "候补免打扰结束", "nightly rest of offers ends", "", "";
    }

    /// How pupils go home.
    dismiss: Dismiss {
        /// Whether pupils may leave at different times.
        elastic_dismissal: ElasticDismissal, local, "弹性离校", "elastic dismissal", "", "";
        /// Whether a pupil who wants to stay may be sent home before the end.
        forced_leave_before_end_allowed: bool, at_most, "可强制提前离校", "forced early leave allowed", "", "";
    }

    /// How it is watched.
    supervise: Supervise {
        /// How often ledgers are closed.
        ledger: Vec<LedgerPeriod>, includes, "工作台账", "ledger", "", "";
        /// What must be public.
        disclosure_fields: Vec<Item>, includes, "公示内容", "disclosure", "", "";
        /// How often.
        disclosure_frequency: DisclosureFrequency, local, "公示频率", "disclosure frequency", "", "";
        /// Special inspections in a term.
        special_inspections_per_term: u32, at_least, "每学期专题督查", "special inspections a term", "次", " times";
        /// What inspections look at.
        inspection_aspects: Vec<Item>, includes, "督导检查方面", "inspection aspects", "", "";
        /// Leaders on patrol each day.
        leader_patrol_per_day: u32, at_least, "每日带班领导", "duty leaders a day", "名", "";
        /// Reports owed.
        reports: Vec<Report>, includes, "信息报送", "reports", "", "";
        /// The parts a school's plan must have.
        plan_parts: Vec<Item>, includes, "方案内容", "parts of the plan", "", "";
        /// The schedules a school's plan must have.
        plan_schedules: Vec<Item>, includes, "实施附表", "schedules of the plan", "", "";
        /// Sections that take complaints.
        hotlines: Vec<Hotline>, local, "监督举报渠道", "hotlines", "", "";
        /// Within what a ticket is accepted or refused; a district's to say.
        ticket_accept_deadline: Deadline, local, "受理时限", "deadline to accept a ticket", "", "";
        /// Within what a ticket is answered; a district's to say.
        ticket_reply_deadline: Deadline, local, "答复时限", "deadline to answer a ticket", "", "";
        /// When the office is open, by which working hours are counted; a district's to say.
        office_hours: Vec<OfficeHours>, local, "办公时间", "office hours", "", "";
        /// Shares to be reached.
        targets: Vec<Target>, local, "目标", "targets", "", "";
        /// Surveys held.
        surveys: Vec<Item>, includes, "满意度测评", "surveys", "", "";
        /// The month in which parents are invited, 1 to 12.
        parent_experience_month: u32, local, "家长体验月", "parents' month", "月", "";
    }
}
