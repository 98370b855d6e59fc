//! The one table of sentences: a reason and its facts become words for people.
//!
//! `{name}` is replaced by the fact of that name in the sentence's language (`clause_zh`, `clause_en`), or by the fact of that
//! name, which may be a word for programs; a part in `[…]` is left out when a fact it names is missing. Moments are said in the
//! time of Shanghai, where everybody is.
//!
//! Every reason a contract documents or a service refuses with has a line here; tests read both and hold it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use chrono::{DateTime, FixedOffset};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use http::request::Parts;

/// The languages people are answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese as written in mainland China; the default.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The language wished for most of those we speak (RFC 9110, 12.5.4); the first of equals.
    #[must_use]
    pub fn asked(headers: &HeaderMap) -> Self {
        let asked = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let mut best = (0, Self::Chinese);
        for one in asked {
            let mut parts = one.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh") => Self::Chinese,
                Some("en") => Self::English,
                _ => continue,
            };
            let wish = parts.find_map(|parameter| parameter.strip_prefix("q="));
            let wish = wish.map_or(1000, thousandths);
            if wish > best.0 {
                best = (wish, language);
            }
        }
        best.1
    }

    /// The tag of `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// A weight between 0 and 1 with at most three decimals, in thousandths; 0 for anything else.
fn thousandths(weight: &str) -> u16 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    match (whole, format!("{decimals:0<3}").parse::<u16>()) {
        ("1", Ok(0)) => 1000,
        ("0", Ok(thousandths)) if thousandths < 1000 => thousandths,
        _ => 0,
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::asked(&parts.headers))
    }
}

/// The sentence for a reason; for one without a line, that something went wrong.
#[must_use]
pub fn of(reason: &str, language: Language, facts: &BTreeMap<String, String>) -> String {
    let line = SENTENCES.iter().find(|(known, _, _)| *known == reason);
    let (_, chinese, english) = line.unwrap_or(&UNKNOWN);
    let template = match language {
        Language::Chinese => chinese,
        Language::English => english,
    };
    fill(template, &Facts { language, facts })
}

/// Facts, as a language says them.
struct Facts<'a> {
    language: Language,
    facts: &'a BTreeMap<String, String>,
}

impl Facts<'_> {
    fn say(&self, name: &str) -> Option<String> {
        let own = match self.language {
            Language::Chinese => format!("{name}_zh"),
            Language::English => format!("{name}_en"),
        };
        let fact = self.facts.get(&own).or_else(|| self.facts.get(name))?;
        Some(match DateTime::parse_from_rfc3339(fact) {
            Ok(moment) => self.say_moment(moment),
            Err(_) => fact.clone(),
        })
    }

    /// A moment in the time of Shanghai, eight hours ahead of UTC all year.
    fn say_moment(&self, moment: DateTime<FixedOffset>) -> String {
        let Some(shanghai) = FixedOffset::east_opt(8 * 3600) else {
            return moment.to_rfc3339();
        };
        let format = match self.language {
            Language::Chinese => "%-m月%-d日 %H:%M",
            Language::English => "%-d %b %H:%M (China time)",
        };
        moment.with_timezone(&shanghai).format(format).to_string()
    }
}

/// Whether a reason has a sentence of its own.
#[must_use]
pub fn is_known(reason: &str) -> bool {
    SENTENCES.iter().any(|(known, _, _)| *known == reason)
}

fn fill(template: &str, facts: &Facts<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('[') {
        out.push_str(before);
        let Some((optional, after)) = tail.split_once(']') else {
            break;
        };
        out.push_str(&replace(optional, facts).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text with its facts; none when one is missing.
fn replace(text: &str, facts: &Facts<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}')?;
        out.push_str(before);
        out.push_str(&facts.say(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

const UNKNOWN: (&str, &str, &str) = ("", "操作没有成功。", "This did not work.");

/// Reason, Chinese, English; by area.
const SENTENCES: &[(&str, &str, &str)] = &[
    // the edge
    ("INTERNAL", "系统出了问题，我们已经记录。", "Something went wrong on our side; it has been recorded."),
    ("NOT_FOUND", "没有找到。", "Not found."),
    ("METHOD_NOT_ALLOWED", "不支持这种请求方式。", "This method is not supported here."),
    ("JSON_REQUIRED", "请求内容应为 JSON。", "The body must be JSON."),
    ("MULTIPART_REQUIRED", "请以表单方式上传文件。", "Upload the file as a multipart form."),
    ("BODY_TOO_LARGE", "内容太大。", "The body is too large."),
    (
        "MESSAGE_TOO_LARGE",
        "内容太大[，最多 {limit_bytes} 字节]。",
        "The content is too large[; at most {limit_bytes} bytes].",
    ),
    ("IDEMPOTENCY_KEY_REQUIRED", "缺少 Idempotency-Key 请求头。", "The header Idempotency-Key is missing."),
    ("INVALID_FIELDS", "有内容填写不正确，请检查标出的各项。", "Some fields are not right; see the list."),
    ("SESSION_REQUIRED", "请先登录。", "Please sign in first."),
    ("SESSION_ENDED", "登录已失效，请重新登录。", "Your session has ended; please sign in again."),
    ("TOKEN_INVALID", "登录已失效，请重新登录。", "Your session has ended; please sign in again."),
    ("TOKEN_EXPIRED", "登录已失效，请重新登录。", "Your session has ended; please sign in again."),
    ("TOO_MANY_REQUESTS", "操作太频繁，请稍后再试。", "Too many requests; please wait a moment."),
    ("OVERLOADED", "现在人多，请稍后再试。", "Many people are here right now; please try again in a moment."),
    (
        "SERVICE_UNAVAILABLE",
        "服务暂时不可用，请稍后再试。",
        "The service is not available at the moment; please try again.",
    ),
    (
        "DATABASE_UNAVAILABLE",
        "服务暂时不可用，请稍后再试。",
        "The service is not available at the moment; please try again.",
    ),
    ("DATABASE_CONFLICT", "数据刚被更新，请重试。", "It changed meanwhile; please try again."),
    ("CHANGED_MEANWHILE", "数据刚被更新，请重试。", "It changed meanwhile; please try again."),
    (
        "DEADLINE_EXCEEDED",
        "处理超时，请查看结果后再决定是否重试。",
        "No answer in time; look at the result before trying again.",
    ),
    ("REQUEST_ID_REUSED", "这个请求编号已用于另一项内容。", "This request id was used for something else."),
    ("SERVICE_ONLY", "只供系统内部使用。", "For the platform's own services only."),
    ("GUARDIAN_ONLY", "只有家长可以操作。", "Only guardians may do this."),
    ("STAFF_ONLY", "只有工作人员可以操作。", "Only staff may do this."),
    ("ROLE_NOT_ALLOWED", "您的角色不能进行此操作。", "Your role does not allow this."),
    ("OUT_OF_REACH", "不在您的管理范围内。", "This lies outside what you look after."),
    ("REASON_REQUIRED", "请填写理由。", "A reason is required."),
    (
        "POLICY_SILENT",
        "政策文件没有规定[“{key}”]这一项，需要区县教育局作出书面决定后才能办理。[您的申请（{withdrawal_ask_time}）已转报教育局。]",
        "The policy documents do not settle this[: {key}]; the district bureau has to decide it in writing first.\
         [ The bureau has your request of {withdrawal_ask_time}.]",
    ),
    ("BAD_REQUEST", "请求有误，请检查后再试。", "The request is not right; please check it."),
    ("TOKEN_MISSING", "请先登录。", "Please sign in first."),
    ("STOPPING", "服务正在更新，请稍后再试。", "The service is being updated; please try again in a moment."),
    (
        "IDENTITY_UNAVAILABLE",
        "服务暂时不可用，请稍后再试。",
        "The service is not available at the moment; please try again.",
    ),
    (
        "BILLING_UNAVAILABLE",
        "缴费服务暂时不可用，请稍后再试。",
        "The payment service is not available at the moment; please try again.",
    ),
    (
        "NOT_HEARD_YET",
        "资料正在同步，请稍后再试。",
        "The data is just being brought up to date; please try again in a moment.",
    ),
    ("POLICY_VERSION_NOT_FOUND", "没有保存这一版政策。", "That version of the policy is not kept."),
    (
        "POLICY_VERSION_UNKNOWN",
        "政策文件正在更新，请稍后再试。",
        "The policy documents are being updated; please try again in a moment.",
    ),
    // who is who
    ("NODE_NOT_FOUND", "没有找到这个组织。", "No such organisation."),
    ("SCHOOL_NOT_FOUND", "没有找到这所学校。", "No such school."),
    ("DISTRICT_NOT_FOUND", "没有找到这个区县。", "No such district."),
    (
        "PUPIL_NOT_FOUND",
        "没有找到这名学生，请核对学校、学籍号和手机号。",
        "No such pupil; please check school, pupil code and phone number.",
    ),
    ("GUARDIAN_NOT_FOUND", "没有找到这位家长。", "No such guardian."),
    ("STAFF_NOT_FOUND", "没有找到这位工作人员。", "No such member of staff."),
    (
        "WECHAT_CODE_INVALID",
        "微信登录凭证已失效，请重试。",
        "The WeChat code is no longer valid; please try again.",
    ),
    ("WECHAT_USER_BLOCKED", "微信限制了这个账号登录。", "WeChat has blocked this account from signing in."),
    (
        "WECHAT_UNAVAILABLE",
        "微信暂时没有响应，请稍后再试。",
        "WeChat does not answer at the moment; please try again.",
    ),
    ("WECHAT_RATE_LIMITED", "操作太频繁，请一分钟后再试。", "Too many tries; please wait a minute."),
    ("PHONE_UNSUPPORTED", "只支持中国大陆手机号。", "Only phone numbers of mainland China are supported."),
    ("PHONE_NOT_VERIFIED", "请先验证手机号。", "Please verify your phone number first."),
    (
        "CONSENT_REQUIRED",
        "请先阅读并同意儿童个人信息保护规则。",
        "Please read and agree to the terms on children's data first.",
    ),
    (
        "CONSENT_OUTDATED",
        "规则已更新，请重新阅读并同意。",
        "The terms have changed; please read and agree again.",
    ),
    (
        "BINDING_ATTEMPTS_EXCEEDED",
        "尝试次数过多，请一小时后再试，或联系班主任。",
        "Too many tries; please wait an hour or ask the class teacher.",
    ),
    ("CREDENTIALS_INVALID", "账号、密码或动态口令不正确。", "Name, password or one-time code is wrong."),
    ("SIGN_IN_LOCKED", "尝试次数过多，请 15 分钟后再试。", "Too many tries; please wait 15 minutes."),
    // files
    ("COLUMN_MISSING", "缺少这一列。", "This column is missing."),
    ("VALUE_INVALID", "这一格的内容不正确。", "This cell's value is not right."),
    ("CODE_DUPLICATE", "代码重复。", "This code appears twice."),
    ("PARENT_UNKNOWN", "没有找到上级组织。", "The organisation above is unknown."),
    ("KIND_MISPLACED", "这种组织不能放在这里。", "This kind of organisation does not belong here."),
    ("NODE_DIFFERS", "同一代码已有不同内容。", "The code exists with other content."),
    ("PACK_UNKNOWN", "没有这个政策包或补充规定。", "No such policy pack or supplement."),
    (
        "SUPPLEMENT_MISPLACED",
        "这份补充规定不属于此处适用的政策包。",
        "The supplement does not belong to the policy pack that holds here.",
    ),
    ("PUPIL_CODE_DUPLICATE", "学籍号重复。", "This pupil code appears twice."),
    ("CLASS_UNKNOWN", "没有找到这个班级。", "No such class."),
    ("GRADE_DIFFERS", "年级与班级不一致。", "The grade is not the class's."),
    ("PHONE_INVALID", "手机号不正确。", "The phone number is not right."),
    ("ROLE_UNKNOWN", "没有这个角色。", "No such role."),
    ("NODE_UNKNOWN", "没有找到这个组织代码。", "No such organisation code."),
    ("ROLE_MISPLACED", "这个角色不能授予这一级组织。", "The role cannot be granted at this level."),
    ("SLOT_UNKNOWN", "没有找到这个时段。", "No such slot."),
    ("ROW_DUPLICATE", "这一行重复。", "This row appears twice."),
    // the catalog
    ("TERM_NOT_FOUND", "没有找到这个学期。", "No such term."),
    ("TERM_OVERLAPS", "与已有学期的日期重叠。", "The dates overlap another term."),
    ("SLOT_NOT_FOUND", "没有找到这个时段。", "No such slot."),
    (
        "SLOT_OUT_OF_SCOPE",
        "这一时间段不属于本地课后服务范围[：{clause}]。",
        "This part of the day is not after-school service here[: {clause}].",
    ),
    (
        "SLOT_TOO_EARLY",
        "开始时间早于规定[：{clause}]。",
        "It starts earlier than the rule allows[: {clause}].",
    ),
    (
        "SLOT_ENDS_TOO_EARLY",
        "结束时间早于规定[：{clause}]。",
        "It ends earlier than the rule allows[: {clause}].",
    ),
    (
        "SLOT_ENDS_TOO_LATE",
        "结束时间晚于规定[：{clause}]。",
        "It ends later than the rule allows[: {clause}].",
    ),
    (
        "SLOT_COUNT_EXCEEDED",
        "时段数超过规定[：{clause}]。",
        "There are more slots than the rule allows[: {clause}].",
    ),
    ("SLOT_DUPLICATE", "时段重复。", "The slot exists already."),
    (
        "JUSTIFICATION_REQUIRED",
        "偏离原则性规定须写明理由[：{clause}]。",
        "Leaving a rule of principle needs a recorded reason[: {clause}].",
    ),
    (
        "DAY_TOO_SHORT",
        "当天的服务时间少于规定[：{clause}]。",
        "The day's service is shorter than the rule asks[: {clause}].",
    ),
    (
        "WEEK_INCOMPLETE",
        "每周的服务天数少于规定[：{clause}]。",
        "There are fewer days of service in a week than the rule asks[: {clause}].",
    ),
    (
        "NOT_IN_THIS_PHASE",
        "现阶段[（{phase}）]不开设这类课程[：{clause}]。",
        "Such courses are not offered in the present phase[ ({phase})][: {clause}].",
    ),
    ("COURSE_NOT_FOUND", "没有找到这门课程。", "No such course."),
    ("COURSE_NOT_SUBMITTED", "课程不在待审核状态。", "The course is not waiting for review."),
    ("COURSE_NOT_REVIEWED", "课程尚未通过教育局审核。", "The course has not been reviewed yet."),
    ("COURSE_NOT_APPROVED", "课程尚未获学校批准。", "The course has not been approved by the school."),
    (
        "CONTENT_BANNED",
        "课后服务不得讲授新课、集体补课或刷题备考[：{clause}]。",
        "New lessons, collective make-up and drilling are banned[: {clause}].",
    ),
    (
        "THIRD_PARTY_SUBJECT_EXAM",
        "第三方机构不得提供学科类应试课程[：{clause}]。",
        "Third parties may not offer exam-type subject courses[: {clause}].",
    ),
    ("PROVIDER_NOT_FOUND", "没有找到这家机构。", "No such provider."),
    ("PROVIDER_EXISTS", "这家机构已登记。", "The provider is registered already."),
    ("PROVIDER_NOT_LISTED", "这家机构不在白名单内。", "The provider is not on the whitelist."),
    (
        "PROVIDER_LISTED_ELSEWHERE",
        "这家机构只在其他镇街或区县的白名单内。",
        "The provider is listed elsewhere only.",
    ),
    ("PROVIDER_SUSPENDED", "这家机构已被暂停。", "The provider is suspended."),
    (
        "WHITELIST_SCOPE",
        "本地白名单由另一级教育部门管理[：{clause}]。",
        "The whitelist is kept at another level here[: {clause}].",
    ),
    ("SECTION_NOT_FOUND", "没有找到这个班次。", "No such section."),
    ("SLOT_OF_OTHER_TERM", "时段不属于这个学期。", "The slot belongs to another term."),
    ("SLOTS_OVERLAP", "所选时段互相重叠。", "The slots overlap."),
    ("ROOM_TAKEN", "教室在该时段已被占用。", "The room is taken at that time."),
    ("INSTRUCTOR_TAKEN", "教师在该时段已有安排。", "The instructor is taken at that time."),
    ("REQUIRED_ITEM_MISSING", "缺少必选项目[：{clause}]。", "A required item is missing[: {clause}]."),
    (
        "THIRD_PARTY_ONLY",
        "不得将课后服务完全交给第三方机构[：{clause}]。",
        "The service may not be handed over to third parties entirely[: {clause}].",
    ),
    ("LISTING_NOT_FOUND", "这家机构不在该白名单内。", "The provider is not on this whitelist."),
    (
        "STAGE_NOT_OPEN",
        "本地这一学段的课后服务尚未开放[：{clause}]。",
        "The service is not open here yet for this stage[: {clause}].",
    ),
    ("SECTION_CANCELLED", "这个班次已取消。", "The section is cancelled."),
    (
        "GRADE_OF_OTHER_STAGE",
        "年级不属于这所学校的学段。",
        "The grade does not belong to the school's stage.",
    ),
    (
        "THIRD_PARTY_EXCLUDED",
        "本地现阶段不引入第三方机构开设这类课程[：{clause}]。",
        "Third parties may not offer such courses here at present[: {clause}].",
    ),
    // seats
    ("ROUND_NOT_FOUND", "没有找到这轮选课。", "No such round."),
    ("ROUND_OVERLAPS", "与另一轮选课时间重叠。", "The round overlaps another."),
    ("MENU_EMPTY", "课程菜单还是空的。", "The menu is empty."),
    (
        "ROUND_NOT_OPEN",
        "选课还没有开始[，{open_time} 开始]。",
        "The round is not open yet[; it opens at {open_time}].",
    ),
    ("ROUND_CLOSED", "选课已经结束[（{close_time}）]。", "The round is closed[; it ended at {close_time}]."),
    ("ROUND_ID_USED", "这个轮次编号已被使用。", "There is a round of this id already."),
    (
        "WISHES_ONLY",
        "这轮选课按志愿抽签，请填写志愿。",
        "Seats are drawn in this round; please hand in wishes instead.",
    ),
    (
        "LEFT_OVER_ONLY",
        "这门课程在志愿截止后才发布，不参加本次抽签，将与抽签后的余位一起报名[，{open_time} 开始]。",
        "This course was published after the lists closed; its seats are given with those the draw leaves over[, from {open_time}].",
    ),
    (
        "APPLICATIONS_COLLECTED",
        "开放之初的报名先登记、再统一排序，不比快慢，请选择同意候补后报名[；{tie_end_time} 后按先后顺序]。",
        "The first applications are collected and put in order by lot; apply with a place in line[; from {tie_end_time} on they go by arrival].",
    ),
    (
        "APPLICATIONS_ONLY",
        "这轮选课先到先得，请直接报名。",
        "Seats are not drawn in this round; please apply directly.",
    ),
    (
        "LISTS_NOT_CLOSED",
        "志愿填报还没有截止[，{close_time} 截止]。",
        "The lists are not closed yet[; they close at {close_time}].",
    ),
    ("ROUND_DRAWN", "这轮选课已经抽签。", "The round has been drawn."),
    ("ROUND_CANCELLED", "这轮选课已取消[：{round_reason}]。", "The round was called off[: {round_reason}]."),
    (
        "NOT_LATER",
        "新的截止时间应晚于原来的[（{close_time}）]。",
        "The round must close later than it does[: {close_time}].",
    ),
    (
        "BASIC_CARE_NOT_DRAWN",
        "基本托管不抽签，人人都有位置，请直接报名。",
        "Basic care is not drawn; there is a place for everybody, please apply directly.",
    ),
    ("SECTION_NOT_IN_ROUND", "这个班次不在本轮抽签范围内。", "The section is not drawn in this round."),
    ("VALUES_NOT_ENTERED", "抽签号码还没有录入。", "The values of the sources have not been entered."),
    ("DRAW_NOT_FOUND", "没有找到这次抽签。", "No such draw."),
    ("SECTION_NOT_PUBLISHED", "这个班次不在课程菜单上。", "The section is not on the menu."),
    (
        "GRADE_NOT_ADMITTED",
        "这个班次不招收该学生所在的年级[，面向 {grades} 年级]。",
        "The section does not take the pupil's grade[; it is for grades {grades}].",
    ),
    ("ALREADY_ENROLLED", "已经选过这个班次。", "You have chosen this section already."),
    (
        "SLOT_TAKEN",
        "与已选的课程时间冲突[：“{section_title}”]。",
        "It clashes with a course chosen before[: “{section_title}”].",
    ),
    ("ENROLLMENT_NOT_CONFIRMED", "名额还没有确认，暂时不能约定以后换课。", "The seat is not confirmed yet."),
    (
        "CHANGE_PLANNED",
        "这个名额已经约定换课[：自 {from_day} 起]。",
        "The seat is to be changed already[: from {from_day} on].",
    ),
    (
        "CHANGE_DAY_NOT_ALLOWED",
        "不能从这一天起换课[，最早 {earliest_day}][：{clause}]。",
        "No change takes effect on that day[; the earliest is {earliest_day}][: {clause}].",
    ),
    (
        "CHANGE_DAY_REQUIRED",
        "已缴费的名额只能从以后的某一天起换课[，最早 {earliest_day}][：{clause}]。",
        "A paid seat is changed from a later day on[; the earliest is {earliest_day}][: {clause}].",
    ),
    (
        "SECTION_FULL",
        "名额已满[：共 {capacity_count} 个名额，已占 {taken_count} 个，{waitlisted_count} 人在候补]。",
        "The section is full[: {capacity_count} seats, {taken_count} taken, {waitlisted_count} waiting].",
    ),
    (
        "BASKET_REFUSED",
        "这一组课程没有选上[：其中 {failed_count} 门选不了]，一个名额也没有占用。",
        "These courses were not taken[: {failed_count} of them cannot be had]; no seat is held.",
    ),
    (
        "PARTS_CLASH",
        "与一同选择的课程[“{section_title}”]时间冲突。",
        "It clashes with another course of the same choice[: “{section_title}”].",
    ),
    ("NOT_OF_THIS_SCHOOL", "只能选择本校的课程。", "Only courses of the pupil's own school can be chosen."),
    (
        "QUEUE_FULL",
        "现在人多[，前面还有 {waiting_count} 人]，请稍后再试。",
        "Many people are here right now[, {waiting_count} before you]; please try again in a moment.",
    ),
    (
        "TOO_MANY_WAITING",
        "您已有申请正在处理[（最多同时 {limit_count} 份）]，请等有了结果再提交。",
        "Your earlier applications are still being decided[ (at most {limit_count} at once)]; please wait for their outcome.",
    ),
    ("ENROLLMENT_NOT_FOUND", "没有找到这条选课记录。", "No such enrollment."),
    ("STEP_UNKNOWN", "没有这个审批步骤。", "No such step of approval."),
    (
        "STEP_OUT_OF_ORDER",
        "请先完成上一步[（{next_step}）]。",
        "The step before comes first[ ({next_step})].",
    ),
    ("ENROLLMENT_NOT_IN_REVIEW", "这条记录不在审批中。", "The enrollment is not in review."),
    (
        "ENROLLMENT_CHANGED",
        "这条选课记录刚刚有变化，请刷新后再试。",
        "The enrollment has just changed; please look again and retry.",
    ),
    (
        "ENROLLMENT_GIVEN_BACK",
        "这个名额已经退出，不能再换。",
        "The place is given back already; there is nothing to change.",
    ),
    // trials
    ("TRIAL_NOT_FOUND", "没有找到这次体验课。", "No such trial."),
    ("BOOKING_NOT_FOUND", "没有找到这次预约。", "No such booking."),
    ("TRIAL_OFFERED", "这节课已经开放体验。", "This lesson is offered for trial already."),
    ("TRIAL_PAST", "这节体验课已经开始[（{start_time}）]。", "The lesson has begun[ ({start_time})]."),
    (
        "TRIAL_FULL",
        "体验名额已满[：共 {place_count} 个]。",
        "Every place of the trial is booked[: {place_count} places].",
    ),
    (
        "TRIAL_CLASHES",
        "与已预约的体验课时间冲突[：“{section_title}”]。",
        "It clashes with a trial booked before[: “{section_title}”].",
    ),
    // agreements
    ("AGREEMENT_NOT_REQUIRED", "本地政策不要求签订协议。", "The policy of the region asks for no agreement."),
    (
        "AGREEMENT_NOT_PUBLISHED",
        "学校还没有发布本学期的服务协议。",
        "The school has not published this term's agreement yet.",
    ),
    (
        "AGREEMENT_CHANGED",
        "协议已更新[到第 {version_number} 版]，请阅读新版后再签。",
        "The agreement has changed[; version {version_number} is in force]; please read it and sign again.",
    ),
    ("AGREEMENT_NOT_FOUND", "没有找到这一版协议。", "No such version of the agreement."),
    // priority
    (
        "GROUP_NOT_LISTED",
        "本地的优先保障对象里没有这一类[；只有：{groups}][（{clause}）]。",
        "This is not among the priority groups here[; they are: {groups}][ ({clause})].",
    ),
    ("PRIORITY_NOT_FOUND", "没有找到这份优先保障申请。", "No such priority."),
    ("PRIORITY_PENDING", "这一类已有一份申请正在办理。", "A claim of this group is pending already."),
    ("PRIORITY_DECIDED", "这份申请已经有结果。", "The claim is decided already."),
    (
        "PRIORITY_NOT_REFUSED",
        "这份申请没有被退回，或者申诉已有结果。",
        "The claim is not refused, or the appeal is decided.",
    ),
    (
        "PRIORITY_NOT_APPROVED",
        "这份申请没有通过，无需终止。",
        "The claim was not approved; there is nothing to end.",
    ),
    ("NOTICE_NOT_FOUND", "没有找到这份通知。", "No such notice."),
    ("AUDIENCE_EMPTY", "通知的范围内没有学生。", "No pupil belongs to the audience of the notice."),
    (
        "DISCLOSURE_UNKNOWN",
        "本地的公示内容里没有这一项[：{keys}]。",
        "The policy here knows no such disclosure[: {keys}].",
    ),
    (
        "DISCLOSURE_INCOMPLETE",
        "公示内容不全[，还缺：{missing}][（{clause}）]。",
        "The disclosure is not whole[; missing: {missing}][ ({clause})].",
    ),
    ("SURVEY_NOT_FOUND", "没有找到这份问卷。", "No such survey."),
    (
        "SURVEY_CLOSED",
        "问卷已经截止[，截止时间 {close_time}]。",
        "The survey is closed[; it closed at {close_time}].",
    ),
    (
        "SURVEY_ANONYMOUS",
        "这份问卷不记名，看不到每个家庭的回答。",
        "The survey is anonymous; single answers are shown to nobody.",
    ),
    ("NO_TERM", "这所学校还没有开设学期。", "The school has no term yet."),
    // the school day
    ("NO_LESSON", "这个班次当时不上课。", "The section does not meet then."),
    ("LESSON_TO_COME", "这节课还没到日子[（{day}）]。", "The lesson's day is still to come[ ({day})]."),
    (
        "LEAVE_TOO_LATE",
        "课程已经开始，不能再请假。",
        "The lesson has begun; it is too late to excuse the pupil.",
    ),
    ("LEAVE_NOT_FOUND", "没有找到这条请假记录。", "No such leave."),
    ("DUTY_NOT_FOUND", "没有找到这项值班安排。", "No such duty."),
    ("ROOM_NOT_FOUND", "没有找到这间等候室。", "No such waiting room."),
    (
        "ROOM_WITHOUT_DUTY",
        "等候室没有值班人员，不能留学生[：现有 {pupil_count} 名学生]。",
        "A waiting room needs somebody on duty[; {pupil_count} pupils are in it].",
    ),
    ("PUPIL_NOT_ON_REGISTER", "这名学生不在点名册上。", "The pupil is not on the register."),
    ("DUTY_NOT_TODAY", "这项值班安排今天不生效。", "The duty does not hold today."),
    (
        "PUPIL_NOT_HELD",
        "这名学生现在不由您看护，或者已经离校。",
        "The pupil is not in your care now, or has left.",
    ),
    ("QUESTION_NOT_FOUND", "没有找到这条答疑记录。", "No such question."),
    ("DEVICE_NOT_FOUND", "没有找到这台设备。", "No such device."),
    ("DEVICE_KEY_INVALID", "设备密钥无效或已停用。", "The device's key is not valid, or was revoked."),
    ("COLLECTOR_NOT_FOUND", "没有找到这位接送人。", "No such collector."),
    (
        "COLLECTOR_FORBIDDEN",
        "学生的一位监护人不允许此人接走学生。",
        "One of the pupil's guardians has forbidden this person to collect the pupil.",
    ),
    ("COLLECTOR_REMOVED", "这项接送授权已撤销。", "This leave to collect was taken back."),
    (
        "COLLECTOR_NOT_TODAY",
        "这次授权只在指定日期有效[（{day}）]。",
        "This leave is for another day[ ({day})].",
    ),
    ("COLLECTOR_USED", "这次授权已经使用过。", "This leave was for once, and was used."),
    ("CODE_WRONG", "接送码不正确。", "The code is wrong."),
    (
        "CODE_LOCKED",
        "接送码错误次数过多，请联系家长重新授权。",
        "Too many wrong codes; please ask the family for a new one.",
    ),
    (
        "ALONE_NOT_ALLOWED",
        "没有监护人的长期同意，学生不能独自离校。",
        "Without a guardian's standing consent the pupil may not go alone.",
    ),
    ("BATCH_NOT_FOUND", "没有找到这个放学批次。", "No such batch."),
    (
        "AFTER_SERVICE_END",
        "晚于服务结束时间[（{end_time}）]，如需延时请申请延时托管。",
        "That is after the service ends[ ({end_time})]; to stay longer, ask for extended care.",
    ),
    (
        "BEFORE_SERVICE_END",
        "延时托管应晚于服务结束时间[（{end_time}）]。",
        "Extended care begins after the service ends[ ({end_time})].",
    ),
    ("TIME_PAST", "这个时间已经过去。", "That time is over."),
    (
        "FORCED_LEAVE",
        "不得强制学生在服务结束前离校[：{time} 早于 {end_time}][：{clause}]。",
        "Pupils may not be forced out before the service ends[: {time} is before {end_time}][: {clause}].",
    ),
    ("EXTENDED_CARE_NOT_FOUND", "没有找到这条延时托管申请。", "No such request for extended care."),
    ("ASIDE_MARK_NOT_FOUND", "没有找到这条待处理的记录。", "No such mark that waits."),
    ("ASIDE_MARK_SETTLED", "这条记录已经处理过了。", "The mark was settled otherwise before."),
    // money
    (
        "FREE_OF_CHARGE",
        "本地课后服务免费，不得向家长收费[：{clause}]。",
        "The service is free here; parents must not be charged[: {clause}].",
    ),
    ("CEILING_EXCEEDED", "超过收费上限[：{clause}]。", "It exceeds the ceiling[: {clause}]."),
    (
        "APPROVAL_REQUIRED",
        "收费标准须经批准，请填写批准文号。",
        "The fee standard needs an approval document.",
    ),
    (
        "SHARING_PLAN_REQUIRED",
        "须先填写政府、学校、家长的分担办法[：{clause}]。",
        "How government, school and parents share has to be on record first[: {clause}].",
    ),
    (
        "COST_SHEET_REQUIRED",
        "收费须以成本核算为依据，请先提交成本核算表并经批准[：{clause}]。",
        "The price rests on a cost sheet: one has to be approved first[: {clause}].",
    ),
    ("COST_SHEET_PENDING", "已有一份成本核算表在等待审批。", "Another cost sheet waits for a decision."),
    ("COST_SHEET_DECIDED", "这份成本核算表已经审批。", "The cost sheet was decided before."),
    ("COST_SHEET_NOT_FOUND", "没有找到这份成本核算表。", "No such cost sheet."),
    (
        "END_SLOT_UNPRICED",
        "学校没有公布留到这个时间的收费标准[（{end_time} 下课）]。",
        "The school has published no price for staying that long[ (until {end_time})].",
    ),
    (
        "SECTION_PRICE_ALREADY_PUBLISHED",
        "这门课程的收费标准已公布。",
        "The course's price is published already.",
    ),
    (
        "SECTION_BILLED_ALREADY",
        "已有家庭按本学期收费标准选了这门课程，不能再单独定价。",
        "Families were billed for this course by the term's fee standard; it gets no price of its own.",
    ),
    (
        "TERM_CEILING_REACHED",
        "加上这门课程，本学期的课程费用合计会超过上限[：{clause}]。",
        "With this course, all courses of the term would cost more than they may[: {clause}].",
    ),
    (
        "SHARE_UNDECIDED",
        "家长分担多少还没有核定，核定之前不能收费[：{clause}]。",
        "What parents pay has not been decided; nothing may be charged until it is[: {clause}].",
    ),
    ("TARIFF_ALREADY_PUBLISHED", "本学期的收费标准已公布。", "The term's fee standard is published already."),
    ("TARIFF_NOT_PUBLISHED", "本学期的收费标准还没有公布。", "The term's fee standard is not published yet."),
    ("TARIFF_NOT_FOUND", "本学期的收费标准还没有公布。", "The term's fee standard is not published yet."),
    ("INVOICE_NOT_FOUND", "没有需要支付的费用。", "There is nothing to pay."),
    ("INVOICE_SETTLED", "费用已结清。", "It is settled already."),
    ("INVOICE_CLOSED", "账单已关闭。", "The invoice is closed."),
    (
        "HOLD_TOO_SHORT",
        "名额保留时间所剩无几[（至 {due_time}）]，已不能开始支付。",
        "The seat is held only a moment longer[, until {due_time}]; a payment can no longer begin.",
    ),
    ("ORDER_UNKNOWN", "订单尚未登记。", "The order is not known yet."),
    ("NOTIFICATION_FORGED", "通知的签名无效。", "The notification's signature is not valid."),
    ("EVIDENCE_NOT_FOUND", "没有找到这份材料。", "No such document."),
    ("EVIDENCE_TOO_MANY", "材料太多，最多 10 份。", "Too many documents; at most 10."),
    ("EVIDENCE_REQUIRED", "请上传证明材料。", "Please add a document."),
    (
        "CATEGORY_NOT_LISTED",
        "本地政策没有这一减免类别[；可选：{categories}]。",
        "The policy here does not name this category[; it names {categories}].",
    ),
    ("WAIVER_NOT_FOUND", "没有找到这份减免申请。", "No such waiver."),
    ("WAIVER_PENDING", "已有一份申请正在办理。", "An application is pending already."),
    ("WAIVER_DECIDED", "这份申请已经有结果。", "The application is decided already."),
    ("SECOND_PERSON_REQUIRED", "须由另一位工作人员复核。", "A second person has to decide."),
    ("NOTHING_TO_PAY", "没有需要支付的费用。", "There is nothing to pay."),
    (
        "FEE_NOT_AS_STATED",
        "收费标准与政策规定的金额不一致[：{clause}]。",
        "The fee is not the one the policy states[: {clause}].",
    ),
    (
        "BILL_NOT_READY",
        "微信的对账单还没有生成，请在上午十点以后再试。",
        "WeChat has not made the bill yet; please try again after ten.",
    ),
    (
        "BILL_UNREADABLE",
        "微信的对账单不完整或无法识别，已停止对账，请稍后再试。",
        "WeChat's bill is not whole or cannot be read; please try again later.",
    ),
    (
        "BILL_CHANGED",
        "微信给出的[ {day} 的]对账单与此前留存的不一致，请人工核查。",
        "WeChat's bill[ of {day}] is not the one that was kept before; a person has to look into it.",
    ),
    ("CASE_NOT_FOUND", "没有找到这笔对账差异。", "No such difference."),
    ("CASE_TAKEN", "这笔差异已由另一位工作人员受理。", "Another person has taken this difference."),
    ("CASE_NOT_TAKEN", "请先受理这笔差异。", "Please take the difference first."),
    ("CASE_RESOLVED", "这笔差异已经处理完毕。", "The difference is resolved already."),
    (
        "PERIOD_NOT_OVER",
        "这个月还不能结账[，{open_time} 起可以结账]。",
        "The month cannot be closed yet[, but from {open_time}].",
    ),
    ("PERIOD_CLOSED", "[{month} ]以后的月份已经结账。", "A month after[ {month}] is closed already."),
    (
        "PERIOD_HAS_CASES",
        "还有[ {waiting_count} 笔]对账差异待处理，不能结账。",
        "Differences[, {waiting_count} of them,] wait for a person; the month cannot be closed.",
    ),
    (
        "LEDGER_NOT_SEALED",
        "本月的账目正在封存，请稍后再试。",
        "Entries of the month are being sealed; please try again in a moment.",
    ),
    ("JOURNAL_NOT_FOUND", "没有找到这笔分录。", "No such entry."),
    ("CORRECTION_NOT_FOUND", "没有找到这份更正。", "No such correction."),
    ("CORRECTION_DECIDED", "这份更正已经有结果。", "The correction is decided already."),
    (
        "CORRECTION_EXISTS",
        "这笔分录或差异已有更正。",
        "There is a correction for this entry or difference already.",
    ),
    (
        "CORRECTION_NOT_REVERSIBLE",
        "更正分录不能冲销，请另作更正。",
        "A correction is not reversed; please make another one.",
    ),
    ("NOTIFICATION_UNREADABLE", "通知暂时无法读取。", "The notification cannot be read at the moment."),
    // public money, pay and spending
    ("FUND_ENTRY_NOT_FOUND", "没有找到这条经费记录。", "No such record."),
    ("FUND_ENTRY_DECIDED", "这条经费记录已经有结果。", "The record is decided already."),
    (
        "GRANT_NOT_OF_THIS_REGION",
        "本地没有这项补助[：{clause}]。",
        "There is no such grant here[: {clause}].",
    ),
    (
        "SCOPE_NOT_LISTED",
        "本区县不在这项补助的范围内[，所属范围：{scopes}]。",
        "The district is in no such part of the region[; it is in: {scopes}].",
    ),
    ("GRANT_PROPOSED", "这项补助已经申报。", "The grant has been proposed already."),
    ("NOTHING_TO_GRANT", "按规定计算，补助金额为零。", "By the rule there is nothing to give."),
    (
        "PURPOSE_NOT_ALLOWED",
        "经费不能用于这个用途[，可用于：{purposes}][（{clause}）]。",
        "The money is not for this purpose[; it is for: {purposes}][ ({clause})].",
    ),
    (
        "RATE_REQUIRED",
        "请填写每课时的标准[，最高 {limit} 元][（{clause}）]。",
        "A rate for the class hour is needed[, at most {limit} yuan][ ({clause})].",
    ),
    (
        "GUIDANCE_REQUIRED",
        "请填写绩效工资总量和指导线[（{clause}）]。",
        "The performance total and its guidance line are needed[ ({clause})].",
    ),
    (
        "PAY_OUT_NOT_THE_SHARE",
        "发放金额与规定的比例不符[：应发 {due} 元，计划发放 {planned} 元][（{clause}）]。",
        "What is paid out is not the stated share[: due {due} yuan, planned {planned} yuan][ ({clause})].",
    ),
    // complaints
    (
        "TICKET_NOT_FOUND",
        "没有找到这张工单，请核对编号和查询码。",
        "No such ticket; please check number and receipt code.",
    ),
    (
        "TICKET_TOO_MANY",
        "今天提交的投诉太多，请明天再来，紧急情况请打热线。",
        "Too many tickets today; in urgent cases please call the hotline.",
    ),
    ("TICKET_STATE", "工单现在的状态不能这样处理。", "The ticket's state does not allow this."),
    ("HANDLER_MISPLACED", "不能交给这个部门办理。", "This cannot be handled there."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use prost::Message as _;

    use super::*;

    /// Words in back quotes that are written like a reason, from the comments of every method of every contract.
    fn documented() -> BTreeSet<String> {
        let set = prost_types::FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
        let files = set.file.iter().filter(|file| file.package().starts_with("kehou."));
        let comments = files.flat_map(|file| file.source_code_info.iter().flat_map(|info| &info.location));
        comments
            .flat_map(|at| {
                at.leading_comments().split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
            })
            .filter(|word| {
                word.len() > 3
                    && word.contains('_')
                    && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            })
            .collect()
    }

    /// Words in comments that are values of an enum or flags, not refusals.
    const NOT_REFUSALS: [&str; 1] = ["END_BEFORE_PRINCIPLE"];

    /// Every source file of a folder and those below it.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }

    /// What stands in quotes right behind `call(`, in the code before its tests.
    fn given_to<'a>(code: &'a str, call: &str) -> Vec<&'a str> {
        let is_whole = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let call = format!("{call}(");
        let calls = code.match_indices(&call).filter(|(at, _)| is_whole(&code[..*at]));
        calls
            .filter_map(|(at, _)| {
                let argument = code[at + call.len()..].trim_start().strip_prefix('"')?;
                argument.split_once('"').map(|(text, _)| text)
            })
            .collect()
    }

    /// The reasons that services and what they share refuse with, as their sources have them.
    fn spoken() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        sources(&root.join("crates/shared/src"), &mut files);
        for service in std::fs::read_dir(root.join("services")).unwrap() {
            sources(&service.unwrap().path().join("src"), &mut files);
        }
        let mut reasons = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for call in
                ["refused", "denied", "unauthenticated", "unavailable", "exhausted", "aborted", "by_clause"]
            {
                reasons.extend(given_to(code, call).into_iter().map(str::to_owned));
            }
            // What the transport's own statuses say is no reason.
            reasons.retain(|reason| reason.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
            let kinds = given_to(code, "not_found");
            reasons.extend(kinds.iter().map(|kind| format!("{}_NOT_FOUND", kind.to_uppercase())));
        }
        reasons
    }

    #[test]
    fn every_reason_a_service_refuses_with_has_a_sentence_in_both_languages() {
        let spoken = spoken();
        assert!(spoken.len() > 40, "read only {} reasons", spoken.len());
        assert!(spoken.contains("TOKEN_MISSING") && spoken.contains("PUPIL_NOT_FOUND"), "{spoken:?}");

        let without: Vec<_> = spoken.iter().filter(|reason| !is_known(reason)).collect();
        assert!(without.is_empty(), "no sentence for {without:?}");
    }

    #[test]
    fn a_sentence_without_any_fact_is_whole() {
        for (reason, _, _) in SENTENCES {
            for language in [Language::Chinese, Language::English] {
                let said = of(reason, language, &BTreeMap::new());
                assert!(
                    !said.contains(['{', '}', '[', ']']) && said.ends_with(['。', '.']),
                    "{reason}: {said}"
                );
            }
        }
    }

    #[test]
    fn a_clause_is_said_in_the_caller_s_language() {
        let facts = BTreeMap::from([
            ("clause_zh".to_owned(), "每天不超过 10 元".to_owned()),
            ("clause_en".to_owned(), "at most 10 yuan a day".to_owned()),
        ]);

        let chinese = of("CEILING_EXCEEDED", Language::Chinese, &facts);
        let english = of("CEILING_EXCEEDED", Language::English, &facts);

        assert_eq!(chinese, "超过收费上限：每天不超过 10 元。");
        assert_eq!(english, "It exceeds the ceiling: at most 10 yuan a day.");
    }

    #[test]
    fn a_key_of_policy_is_said_by_its_name_and_not_as_programs_know_it() {
        let facts = [("key", "refund_rule"), ("key_zh", "退费规则"), ("key_en", "refund rule")];
        let facts = facts.map(|(name, fact)| (name.to_owned(), fact.to_owned())).into();

        let chinese = of("POLICY_SILENT", Language::Chinese, &facts);
        let english = of("POLICY_SILENT", Language::English, &facts);

        assert_eq!(chinese, "政策文件没有规定“退费规则”这一项，需要区县教育局作出书面决定后才能办理。");
        assert_eq!(
            english,
            "The policy documents do not settle this: refund rule; the district bureau has to decide it in writing first."
        );
    }

    #[test]
    fn a_moment_is_said_in_the_time_of_shanghai() {
        let facts = BTreeMap::from([("open_time".to_owned(), "2026-08-31T23:30:00Z".to_owned())]);

        let chinese = of("ROUND_NOT_OPEN", Language::Chinese, &facts);
        let english = of("ROUND_NOT_OPEN", Language::English, &facts);

        assert_eq!(chinese, "选课还没有开始，9月1日 07:30 开始。");
        assert_eq!(english, "The round is not open yet; it opens at 1 Sep 07:30 (China time).");
    }

    #[test]
    fn every_documented_reason_has_a_sentence_in_both_languages() {
        let documented = documented();
        assert!(documented.len() > 60, "read only {} reasons", documented.len());

        let without: Vec<_> = documented
            .iter()
            .filter(|reason| !is_known(reason) && !NOT_REFUSALS.contains(&reason.as_str()))
            .collect();
        assert!(without.is_empty(), "no sentence for {without:?}");
    }

    #[test]
    fn facts_fill_a_sentence() {
        let facts = BTreeMap::from([
            ("capacity_count".to_owned(), "30".to_owned()),
            ("taken_count".to_owned(), "30".to_owned()),
            ("waitlisted_count".to_owned(), "7".to_owned()),
        ]);
        assert_eq!(
            of("SECTION_FULL", Language::Chinese, &facts),
            "名额已满：共 30 个名额，已占 30 个，7 人在候补。"
        );
    }

    #[test]
    fn a_part_without_its_fact_is_left_out() {
        assert_eq!(of("ROUND_CLOSED", Language::English, &BTreeMap::new()), "The round is closed.");
    }

    #[test]
    fn chinese_is_spoken_unless_english_is_wished_for_more() {
        for (asked, language) in [
            ("", Language::Chinese),
            ("en-GB,zh;q=0.5", Language::English),
            ("fr, zh-CN", Language::Chinese),
            ("de", Language::Chinese),
            ("en;q=0.4, zh;q=0.9", Language::Chinese),
            ("zh;q=0.4, en-US;q=0.95", Language::English),
            ("en;q=0", Language::Chinese),
            ("enx", Language::Chinese),
            ("en;q=x", Language::Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, asked.parse().unwrap());
            assert_eq!(Language::asked(&headers), language, "{asked}");
        }
    }

    #[test]
    fn no_reason_has_two_sentences() {
        let reasons: BTreeSet<_> = SENTENCES.iter().map(|(reason, _, _)| reason).collect();
        assert_eq!(reasons.len(), SENTENCES.len());
    }
}
