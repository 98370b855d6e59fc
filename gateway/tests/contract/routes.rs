//! Each route: what the service received and what the caller got, as a snapshot a route.
//!
//! Paths and queries are filled from the description, answers from the contracts, so that a route states only its body and
//! the fields that are left out on purpose. A route or a field that is missing from either side fails.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use http::StatusCode;
use prost::Message as _;
use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::{ApplyResponse, ApplyStreamRequest, ApplyStreamResponse};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::fake::{Call, Fake, Gateway, ID, KEY, Raw};
use crate::{assert_same_as_file, message};

/// What a route is sent, besides what the description says of its path and query.
enum Sent {
    Nothing,
    Json(Value),
    File(&'static str),
}

/// A route under test.
struct Case {
    operation: &'static str,
    /// The method it calls.
    calls: &'static str,
    sent: Sent,
    /// Fields of the request that this route never sets.
    unset: &'static [&'static str],
    /// Fields of the response that this route does not show.
    hidden: &'static [&'static str],
}

fn case(operation: &'static str, calls: &'static str, sent: Sent) -> Case {
    Case { operation, calls, sent, unset: &[], hidden: &[] }
}

impl Case {
    fn unset(self, unset: &'static [&'static str]) -> Self {
        Self { unset, ..self }
    }

    fn hidden(self, hidden: &'static [&'static str]) -> Self {
        Self { hidden, ..self }
    }
}

fn cases() -> Vec<Case> {
    use Sent::{File, Json, Nothing};
    let course = json!({ "title": "剪纸", "description": "从折到剪", "content_kind": "enrichment", "category": "艺术" });
    let mut provider_course = course.clone();
    provider_course["school_id"] = json!(ID);
    vec![
        // who is who
        case("sign_in_guardian", "identity/SignInGuardian", Json(json!({ "wechat_code": "code" }))),
        case(
            "sign_in_staff",
            "identity/SignInStaff",
            Json(json!({ "login_name": "zhang", "password": "long enough", "totp_code": "123456" })),
        ),
        case("sign_out", "identity/EndSession", Nothing),
        case("verify_phone", "identity/VerifyPhone", Json(json!({ "phone_code": "code" }))),
        case(
            "change_password",
            "identity/ChangePassword",
            Json(json!({ "old_password": "the old one", "new_password": "the new one" })),
        ),
        case("consent_terms", "identity/GetConsentTerms", Nothing),
        case("my_pupils", "identity/ListMyPupils", Nothing),
        case(
            "bind_pupil",
            "identity/BindPupil",
            Json(json!({ "school_id": ID, "pupil_code": "G4403", "consent_version": "2026-09" })),
        ),
        case("withdraw_consent", "identity/WithdrawConsent", Nothing),
        case("list_nodes", "identity/ListNodes", Nothing),
        case("get_node", "identity/GetNode", Nothing),
        case("list_pupils", "identity/ListPupils", Nothing),
        case("import_nodes", "identity/ImportNodes", File("nodes.xlsx")),
        case("import_pupils", "identity/ImportPupils", File("pupils.csv")),
        case("import_staff", "identity/ImportStaff", File("STAFF.CSV")),
        // the catalog
        case(
            "open_term",
            "catalog/OpenTerm",
            Json(json!({
                "name": "2026 秋", "first_day": "2026-09-01", "last_day": "2027-01-15", "off_days": ["2026-10-01"]
            })),
        ),
        case("list_terms", "catalog/ListTerms", Nothing),
        case(
            "add_slots",
            "catalog/AddSlots",
            Json(json!({
                "slots": [{
                    "weekday": 1, "kind": "afternoon", "start_time": "16:00", "end_time": "17:30", "class_hour_count": 2
                }],
                "justification": "校车时间"
            })),
        )
        .hidden(&["slots.term_id"]),
        case("list_slots", "catalog/ListSlots", Nothing).hidden(&["slots.term_id"]),
        case("create_course", "catalog/CreateCourse", Json(course)),
        case("list_courses", "catalog/ListCourses", Nothing),
        case("import_courses", "catalog/ImportCourses", File("courses.xlsx")).hidden(&[
            "sections.path",
            "sections.slots.term_id",
        ]),
        case("submit_course", "catalog/SubmitCourse", Json(provider_course)),
        // A provider's own at all schools: that is what no school means.
        case("list_provider_courses", "catalog/ListCourses", Nothing).unset(&["school_id"]),
        case(
            "review_course",
            "catalog/ReviewCourse",
            Json(json!({ "decision": "approve", "reason": "内容合规" })),
        ),
        case(
            "approve_course",
            "catalog/ApproveCourse",
            Json(json!({ "decision": "reject", "reason": "与现有课程重复" })),
        ),
        case(
            "arrange_section",
            "catalog/ArrangeSection",
            Json(json!({
                "term_id": ID, "capacity_count": 30, "grades": [1, 2], "slot_ids": [ID], "room": "美术室",
                "instructor_name": "李老师"
            })),
        )
        .hidden(&["section.path", "section.slots.term_id"]),
        case("publish_sections", "catalog/PublishSections", Json(json!({ "section_ids": [ID] }))),
        case("cancel_section", "catalog/CancelSection", Json(json!({ "reason": "教师请假" })))
            .hidden(&["section.path", "section.slots.term_id"]),
        case("get_menu", "catalog/GetMenu", Nothing).hidden(&["sections.path", "sections.slots.term_id"]),
        case(
            "register_provider",
            "catalog/RegisterProvider",
            Json(json!({ "name": "少年宫", "credit_code": "91440300MA5EXAMPLE" })),
        ),
        case("list_providers", "catalog/ListProviders", Nothing),
        case(
            "list_on_whitelist",
            "catalog/ListOnWhitelist",
            Json(json!({ "node_id": ID, "first_day": "2026-09-01", "last_day": "2027-08-31" })),
        ),
        case(
            "suspend_provider",
            "catalog/SuspendProvider",
            Json(json!({ "node_id": ID, "reason": "投诉属实" })),
        ),
        // seats
        case(
            "open_round",
            "enrollment/OpenRound",
            Json(json!({
                "mode": "ranked", "open_time": "2026-09-01T08:00:00+08:00", "close_time": "2026-09-05T20:00:00+08:00",
                "review_seconds": 3600, "payment_seconds": 900, "round_id": ID, "siblings": "together", "tie_seconds": 60,
                "sources": [{ "name": "公证摇号", "what": "9 月 6 日 10 时", "bits": 128, "decimal_digit_count": 40 }],
                "sections": [{
                    "section_id": ID, "tiers": [{ "groups": ["left_behind"] }],
                    "reserves": [{ "group": "disabled", "seat_count": 2 }]
                }]
            })),
        )
        .unset(&["sources.hex_digit_count", "sources.contribution_seal"])
        .hidden(&["round.path"]),
        case("list_rounds", "enrollment/ListRounds", Nothing).hidden(&["rounds.path"]),
        case("list_seats", "enrollment/ListSeats", Nothing),
        case(
            "apply",
            "enrollment/Apply",
            Json(json!({ "pupil_id": ID, "section_id": ID, "join_waitlist": true })),
        )
        .hidden(&["enrollment.pupil_path"]),
        case(
            "apply_basket",
            "enrollment/ApplyBasket",
            Json(json!({ "pupil_id": ID, "section_ids": [ID, ID], "join_waitlist": true })),
        )
        .hidden(&["places.enrollment.pupil_path"]),
        case("get_enrollment", "enrollment/GetEnrollment", Nothing).hidden(&["enrollment.pupil_path"]),
        case("withdraw", "enrollment/Withdraw", Nothing).hidden(&["enrollment.pupil_path"]),
        case(
            "decide_step",
            "enrollment/DecideStep",
            Json(json!({ "approved": true, "reason": "同意" })),
        )
        .hidden(&["enrollment.pupil_path"]),
        case("list_pupil_enrollments", "enrollment/ListPupilEnrollments", Nothing).hidden(&["enrollments.pupil_path"]),
        case("list_reviews", "enrollment/ListReviews", Nothing).hidden(&["enrollments.pupil_path"]),
        case("list_roster", "enrollment/ListRoster", Nothing),
        case("change_seat", "enrollment/ChangeSeat", Json(json!({ "to_section_id": ID, "from_day": "2026-10-01" })))
            .hidden(&["enrollment.pupil_path", "given_up.pupil_path"]),
        // trials
        case(
            "offer_trial",
            "trial/OfferTrial",
            Json(json!({ "day": "2026-09-07", "slot_id": ID, "place_count": 10 })),
        ),
        case("list_trials", "trial/ListTrials", Nothing),
        case("book_trial", "trial/BookTrial", Json(json!({ "pupil_id": ID }))),
        case("cancel_trial", "trial/CancelTrial", Nothing),
        case("list_bookings", "trial/ListBookings", Nothing),
        // rounds that are drawn
        case(
            "set_wishes",
            "round/SetWishes",
            Json(json!({
                "lists": [{ "ranked_section_ids": [ID], "any_of_section_ids": [ID], "stand_in_line": false }],
                "together": true
            })),
        ),
        case("get_wishes", "round/GetWishes", Nothing),
        case("clear_wishes", "round/ClearWishes", Nothing),
        case("enter_draw_values", "round/EnterValues", Json(json!({ "values": ["0123456789"] }))),
        case("draw_round", "round/DrawRound", Nothing),
        case("get_draw", "round/GetDraw", Nothing),
        case("get_draw_bundle", "round/GetDrawBundle", Nothing),
        case("get_draw_receipt", "round/GetDrawReceipt", Nothing),
        case(
            "repeat_draw",
            "round/RepeatDraw",
            Json(json!({
                "reason": "公证处未开门",
                "sources": [{ "name": "公证摇号", "what": "9 月 7 日 10 时", "bits": 128, "hex_digit_count": 64 }]
            })),
        )
        .unset(&["sources.decimal_digit_count", "sources.contribution_seal"]),
        case("rehearse_round", "round/RehearseRound", Nothing),
        case(
            "extend_round",
            "round/ExtendRound",
            Json(json!({ "close_time": "2026-09-06T20:00:00+08:00", "reason": "系统繁忙" })),
        )
        .hidden(&["round.path"]),
        case("cancel_round", "round/CancelRound", Json(json!({ "reason": "课程调整" }))).hidden(&["round.path"]),
        // agreements
        case(
            "publish_agreement",
            "agreement/PublishAgreement",
            Json(json!({ "title": "自愿服务协议书", "body": "一、自愿参加。" })),
        ),
        case("get_agreement", "agreement/GetAgreement", Nothing),
        case(
            "sign_agreement",
            "agreement/SignAgreement",
            Json(json!({ "term_id": ID, "digest": "0".repeat(64), "consent_words": "本人自愿签订" })),
        )
        .hidden(&["enrollments.pupil_path"]),
        case("list_signatures", "agreement/ListSignatures", Nothing),
        // the school day
        case(
            "assign_duty",
            "day/AssignDuty",
            Json(json!({
                "post": "section", "place_id": ID, "staff_id": ID, "staff_name": "李老师", "first_day": "2026-09-07",
                "last_day": "2027-01-22"
            })),
        ),
        case("end_duty", "day/EndDuty", Nothing),
        case("list_duties", "day/ListDuties", Nothing),
        case("list_lessons", "day/ListLessons", Nothing),
        case("get_roll", "day/GetRoll", Nothing),
        case(
            "record_roll",
            "day/RecordRoll",
            Json(json!({
                "device_id": ID, "send_time": "2026-09-07T17:40:00+08:00",
                "marks": [{
                    "id": ID, "pupil_id": ID, "state": "left_early", "sequence": 7,
                    "device_time": "2026-09-07T16:05:00+08:00"
                }]
            })),
        ),
        case(
            "correct_mark",
            "day/CorrectMark",
            Json(json!({ "pupil_id": ID, "state": "late", "reason": "家长来电" })),
        ),
        case("list_marks", "day/ListMarks", Nothing),
        case("list_aside_marks", "day/ListAsideMarks", Nothing),
        case(
            "settle_aside_mark",
            "day/SettleAsideMark",
            Json(json!({ "taken_up": true, "pupil_id": ID, "section_id": ID, "slot_id": ID, "reason": "试听" })),
        ),
        case("get_school_month", "day/GetMonth", Nothing).unset(&["section_id"]),
        case("get_section_month", "day/GetMonth", Nothing).unset(&["school_id"]),
        case("report_leave", "day/ReportLeave", Json(json!({ "day": "2026-09-07", "section_id": ID }))),
        case("cancel_leave", "day/CancelLeave", Nothing),
        case("hand_over", "day/HandOver", Json(json!({ "pupil_ids": [ID], "duty_id": ID }))),
        // Each way has fields of its own; which belong to it the service judges.
        case(
            "check_out",
            "day/CheckOut",
            Json(json!({
                "way": "collector", "guardian_id": ID, "collector_id": ID, "code": "042917", "reason": "误点"
            })),
        ),
        case("list_open_pupils", "day/ListOpenPupils", Nothing),
        case(
            "add_collector",
            "day/AddCollector",
            Json(json!({
                "kind": "one_time", "name": "王奶奶", "phone": "13800138000", "relation": "grandparent",
                "day": "2026-09-07"
            })),
        ),
        case("list_collectors", "day/ListCollectors", Nothing),
        case("decide_collector", "day/DecideCollector", Json(json!({ "decision": "forbid" }))),
        case("set_dismissal", "day/SetDismissal", Json(json!({ "time": "17:20", "batch_id": ID }))),
        case("list_dismissals", "day/ListDismissals", Nothing),
        case("add_batch", "day/AddBatch", Json(json!({ "name": "第一批", "time": "17:20" }))),
        case("list_batches", "day/ListBatches", Nothing),
        case("assign_batch", "day/AssignBatch", Json(json!({ "weekday": 1, "pupil_ids": [ID] }))),
        case(
            "ask_extended_care",
            "day/AskExtendedCare",
            Json(json!({ "day": "2026-09-07", "until": "18:30" })),
        ),
        case("cancel_extended_care", "day/CancelExtendedCare", Nothing),
        case("list_extended_care", "day/ListExtendedCare", Nothing),
        case(
            "open_room",
            "day/OpenRoom",
            Json(json!({
                "name": "一号等候室", "staff_id": ID, "staff_name": "赵师傅", "first_day": "2026-09-07",
                "last_day": "2027-01-22"
            })),
        ),
        case("list_rooms", "day/ListRooms", Nothing),
        case("list_pupil_moments", "day/ListPupilMoments", Nothing),
        case("open_question", "day/OpenQuestion", Json(json!({ "subject": "数学", "topic": "通分" }))),
        case("close_question", "day/CloseQuestion", Json(json!({ "outcome": "已会" }))),
        case("list_questions", "day/ListQuestions", Nothing),
        case("list_pupil_questions", "day/ListPupilQuestions", Nothing),
        case(
            "record_cover",
            "day/RecordCover",
            Json(json!({
                "kind": "pupil_accident", "insurer": "人保财险", "policy_number": "PZ-1", "first_day": "2026-09-01",
                "last_day": "2027-08-31"
            })),
        ),
        case("list_covers", "day/ListCovers", Nothing),
        case("add_device", "day/AddDevice", Json(json!({ "name": "东门" }))),
        case("list_devices", "day/ListDevices", Nothing),
        case("revoke_device", "day/RevokeDevice", Nothing),
        case("link_person", "day/LinkPerson", Json(json!({ "person_token": "face-7", "pupil_id": ID }))),
        case(
            "record_device_events",
            "day/RecordDeviceEvents",
            Json(json!({
                "device_key": "the key", "send_time": "2026-09-07T16:10:00+08:00",
                "events": [{
                    "id": "e-1", "person_token": "face-7", "direction": "out", "sequence": 7,
                    "event_time": "2026-09-07T16:05:00+08:00"
                }]
            })),
        ),
        // priority
        case("upload_priority_evidence", "priority/UploadEvidence", File("证明.jpg")),
        case("get_priority_evidence", "priority/GetEvidence", Nothing).hidden(&["content_type"]),
        case(
            "claim_priority",
            "priority/ClaimPriority",
            Json(json!({ "group_key": "left_behind", "evidence_ids": [ID] })),
        ),
        case(
            "record_priority",
            "priority/RecordPriority",
            Json(json!({
                "group_key": "other", "other_name": "单亲家庭", "reason": "花名册第 12 号", "valid_from": "2026-09-01",
                "valid_to": "2027-01-31"
            })),
        ),
        // A refusal has no days and an approval no reason; which belong to it the service judges.
        case(
            "decide_priority",
            "priority/DecidePriority",
            Json(json!({
                "approved": true, "valid_from": "2026-09-01", "valid_to": "2027-01-31", "reason": "属实"
            })),
        ),
        case(
            "appeal_priority",
            "priority/AppealPriority",
            Json(json!({ "reason": "已换发新证", "evidence_ids": [ID] })),
        ),
        case("end_priority", "priority/EndPriority", Json(json!({ "reason": "父母已返乡" }))),
        case("list_pupil_priorities", "priority/ListPupilPriorities", Nothing),
        case("list_priorities", "priority/ListPriorities", Nothing),
        // notices
        case(
            "send_notice",
            "notice/SendNotice",
            Json(json!({
                "title": "致家长的一封信", "body": "各位家长：", "grades": [3], "class_ids": [ID],
                "disclosure_keys": ["items"], "corrects_id": ID
            })),
        ),
        case("acknowledge_notice", "notice/AcknowledgeNotice", Nothing),
        case("list_pupil_notices", "notice/ListPupilNotices", Nothing),
        case("list_notices", "notice/ListNotices", Nothing),
        case("get_notice_reach", "notice/GetReach", Nothing),
        case("list_notice_unreached", "notice/ListUnreached", Nothing),
        // messages
        case("list_message_templates", "message/ListTemplates", Nothing),
        case(
            "accept_message_templates",
            "message/AcceptTemplates",
            Json(json!({ "template_ids": ["tmpl-left"] })),
        ),
        // surveys
        case(
            "open_survey",
            "survey/OpenSurvey",
            Json(json!({
                "term_id": ID, "title": "课后服务需求摸排", "naming": "anonymous",
                "questions": [{ "title": "几点离校？", "kind": "number", "options": ["一"], "least": 16, "most": 18 }],
                "close_time": "2026-09-20T20:00:00+08:00"
            })),
        ),
        case("close_survey", "survey/CloseSurvey", Nothing),
        case(
            "answer_survey",
            "survey/AnswerSurvey",
            Json(json!({ "answers": [{ "question": 1, "options": [1, 2], "number": 17, "text": "五点半" }] })),
        ),
        case("list_pupil_surveys", "survey/ListPupilSurveys", Nothing),
        case("list_surveys", "survey/ListSurveys", Nothing),
        case("get_survey_results", "survey/GetSurveyResults", Nothing),
        case("list_survey_answers", "survey/ListSurveyAnswers", Nothing),
        // money
        case(
            "publish_tariff",
            "billing/PublishTariff",
            Json(json!({
                "basis": "term", "amount_fen": 60000, "approval_document": "发改〔2026〕1 号",
                "end_slots": [{ "end_time": "17:30", "amount_fen": 5000 }],
                "sharing_plan": { "government_fen": 1, "school_fen": 2, "parents_fen": 60000 }
            })),
        ),
        case(
            "publish_section_price",
            "price/PublishSectionPrice",
            Json(json!({ "amount_fen": 35000, "approval_document": "发改〔2026〕1 号" })),
        ),
        case(
            "submit_cost_sheet",
            "price/SubmitCostSheet",
            Json(json!({
                "section_id": ID, "items": [{ "name": "教师课时补助", "amount_fen": 900000 }], "pupil_count": 40
            })),
        ),
        case("list_cost_sheets", "price/ListCostSheets", Nothing),
        case(
            "decide_cost_sheet",
            "price/DecideCostSheet",
            Json(json!({ "approved": true, "reason": "属实" })),
        ),
        case("get_tariff", "billing/GetTariff", Nothing),
        case("get_quote", "billing/GetQuote", Json(json!({ "pupil_id": ID, "section_ids": [ID] }))),
        case("get_invoice", "billing/GetInvoice", Nothing),
        case("list_invoices", "billing/ListInvoices", Nothing),
        case("pay", "billing/Pay", Nothing),
        case("sync_payment", "billing/SyncPayment", Nothing),
        case("get_refund_quote", "billing/GetRefundQuote", Nothing),
        case("list_refunds", "billing/ListRefunds", Nothing),
        case("upload_evidence", "billing/UploadEvidence", File("证明.jpg")),
        // A document is no JSON and its kind a header; `body` holds both.
        case("get_evidence", "billing/GetEvidence", Nothing).hidden(&["content_type"]),
        case(
            "apply_for_waiver",
            "billing/ApplyForWaiver",
            Json(json!({ "category": "difficult_family", "evidence_ids": [ID] })),
        ),
        case("list_waivers", "billing/ListWaivers", Nothing),
        case(
            "decide_waiver",
            "billing/DecideWaiver",
            Json(json!({ "approved": true, "reason": "属实", "last_day": "2027-01-15" })),
        ),
        case("get_trial_balance", "billing/GetTrialBalance", Nothing),
        // the books
        case("reconcile_day", "reconciliation/ReconcileDay", Nothing),
        case("list_reconciliations", "reconciliation/ListReconciliations", Nothing),
        case("list_cases", "reconciliation/ListCases", Nothing),
        case("take_case", "reconciliation/TakeCase", Nothing),
        case("resolve_case", "reconciliation/ResolveCase", Json(json!({ "note": "已与微信核对" }))),
        case("verify_ledger", "ledger/VerifyLedger", Nothing),
        case("close_period", "ledger/ClosePeriod", Nothing),
        case("list_periods", "ledger/ListPeriods", Nothing),
        case(
            "propose_correction",
            "ledger/ProposeCorrection",
            Json(json!({
                "journal_id": ID, "debit_account": "wechat_clearing", "credit_account": "surplus",
                "amount_fen": 100, "reason": "款项待查", "case_id": ID,
            })),
        ),
        case("decide_correction", "ledger/DecideCorrection", Json(json!({ "approved": true }))),
        case("list_corrections", "ledger/ListCorrections", Nothing),
        case("get_school_statement", "ledger/GetSchoolStatement", Nothing),
        // A file is no JSON and its kind a header.
        case("export_school_statement", "ledger/ExportSchoolStatement", Nothing).hidden(&["content_type"]),
        case("get_family_statement", "ledger/GetFamilyStatement", Nothing),
        // public money, pay and spending
        case("get_fund_rules", "fund/GetFundRules", Nothing),
        case("quote_grant", "fund/QuoteGrant", Nothing),
        case(
            "propose_grant",
            "fund/ProposeGrant",
            Json(json!({
                "kind": "shortfall", "scope": "subei", "year": 2026, "given_fen": 700, "document": "核算〔2026〕1 号"
            })),
        ),
        case(
            "propose_spending",
            "fund/ProposeSpending",
            Json(json!({
                "purpose": "consumables", "payee": "某商店", "day": "2026-09-07", "amount_fen": 100, "document": "凭证 1"
            })),
        ),
        case(
            "propose_pay_sheet",
            "fund/ProposePaySheet",
            Json(json!({
                "month": "2026-09",
                "lines": [{
                    "payee": "T01", "staffing": "external", "class_hour_count": 4, "rate_fen": 100, "amount_fen": 400
                }],
                "is_last": true, "performance_total_fen": 900, "guidance_fen": 1000
            })),
        ),
        case("get_disclosure", "fund/GetDisclosure", Nothing),
        case("list_fund_entries", "fund/ListFundEntries", Nothing),
        case("decide_fund_entry", "fund/DecideFundEntry", Json(json!({ "approved": true, "reason": "x" }))),
        case("receive_grant", "fund/ReceiveGrant", Json(json!({ "receipt_document": "回单 1" }))),
        case("reverse_fund_entry", "fund/ReverseFundEntry", Json(json!({ "reason": "重复" }))),
        // complaints
        case(
            "submit_ticket",
            "supervision/SubmitTicket",
            Json(json!({
                "school_id": ID, "kind": "complaint", "subject": "forced_participation", "text": "学校要求全员参加。",
                "anonymous": true, "contact": "家长群"
            })),
        ),
        case("list_tickets", "supervision/ListTickets", Nothing),
        case(
            "find_ticket",
            "supervision/GetTicket",
            Json(json!({ "number": "T2026-1", "receipt_code": "ABCD" })),
        ),
        case(
            "rate_ticket",
            "supervision/RateTicket",
            Json(json!({
                "number": "T2026-1", "receipt_code": "ABCD", "solved": true, "rating": 5, "comment": "解决了"
            })),
        ),
        case("accept_ticket", "supervision/AcceptTicket", Nothing),
        case(
            "assign_ticket",
            "supervision/AssignTicket",
            Json(json!({ "handler_role": "principal", "handler_node_id": ID, "note": "请核实" })),
        ),
        case(
            "return_ticket",
            "supervision/ReturnTicket",
            Json(json!({ "reason": "不属于本校" })),
        ),
        case(
            "reply_ticket",
            "supervision/ReplyTicket",
            Json(json!({ "text": "已经更正，感谢反映。" })),
        ),
        case("explain_policy", "supervision/ExplainPolicy", Nothing),
    ]
}

/// The words that queries take; everything else in a query is an id, a number, a yes or a text.
const STATES: [(&str, &str); 3] =
    [("list_courses", "approved"), ("list_provider_courses", "approved"), ("list_tickets", "replied")];

/// An operation as the description has it.
struct Operation {
    method: String,
    /// The path with its query, filled.
    path: String,
    is_write: bool,
    is_public: bool,
}

fn operations() -> BTreeMap<String, Operation> {
    let document = serde_json::to_value(gateway::openapi()).unwrap();
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let mut path = path.clone();
            let mut query = Vec::new();
            for parameter in &parameters {
                let field = parameter["name"].as_str().unwrap();
                match parameter["in"].as_str().unwrap() {
                    "path" if field == "step_key" => path = path.replace("{step_key}", "class_pre_review"),
                    "path" if field == "day" => path = path.replace("{day}", "2026-09-07"),
                    "path" if field == "month" => path = path.replace("{month}", "2026-09"),
                    "path" if field == "weekday" => path = path.replace("{weekday}", "1"),
                    "path" => path = path.replace(&format!("{{{field}}}"), ID),
                    "query" => query.push(format!("{field}={}", asked(&name, field))),
                    _ => {}
                }
            }
            if !query.is_empty() {
                path = format!("{path}?{}", query.join("&"));
            }
            let has_key = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            let security = operation["security"].as_array();
            let operation = Operation {
                method: method.to_uppercase(),
                path,
                is_write: has_key,
                is_public: security.is_none_or(|security| security.contains(&json!({}))),
            };
            assert!(found.insert(name, operation).is_none());
        }
    }
    found
}

fn asked(operation: &str, field: &str) -> &'static str {
    match field {
        "state" => STATES.iter().find(|(name, _)| *name == operation).map_or("", |(_, state)| state),
        "page_size" => "20",
        "version_number" => "2",
        "page_token" => "next",
        "late_only" | "open_only" | "awaiting_only" | "pending_only" | "waiting_only" => "true",
        "first_day" | "last_day" => "2026-09-07",
        "from_month" | "to_month" => "2026-09",
        "format" => "xlsx",
        "section" => "primary",
        "question" => "fee",
        "key" => "refund_rule",
        "policy_version" => "pack@1",
        "act" => "2",
        "basis" => "last_term",
        "kind" => "shortfall",
        "year" => "2026",
        "given_fen" => "700",
        _ => ID,
    }
}

fn full_name(method: &str) -> String {
    let (service, name) = method.split_once('/').unwrap();
    crate::fake::full_name(service, name)
}

/// Applications come over the stream; the fake answers each with the filled response.
fn answer_applications(fake: &Fake, received: std::sync::Arc<std::sync::Mutex<Vec<ApplyStreamRequest>>>) {
    let (_, output) = message::method("kehou.enrollment.v1.EnrollmentService/Apply");
    let answer = ApplyResponse::decode(message::filled(&output).encode_to_vec().as_slice()).unwrap();
    fake.on_stream("enrollment", "ApplyStream", move |requests| {
        let answer = answer.clone();
        let received = received.clone();
        requests
            .map(move |request| {
                let request = ApplyStreamRequest::decode(request?.as_slice()).unwrap();
                let tag = request.tag;
                received.lock().unwrap().push(request);
                let outcome = Some(Outcome::Response(answer.clone()));
                Ok(ApplyStreamResponse { tag, outcome }.encode_to_vec())
            })
            .boxed()
    });
}

#[tokio::test]
async fn every_route_hands_every_field_on_and_shows_every_field_it_gets() {
    let fake = Fake::start();
    let applications = std::sync::Arc::default();
    answer_applications(&fake, std::sync::Arc::clone(&applications));
    let limits = gateway::config::Limits { request_burst: 1000, ..gateway::config::Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;
    let operations = operations();
    let mut failures = Vec::new();

    for case in cases() {
        let name = case.operation;
        let Some(operation) = operations.get(name) else {
            failures.push(format!("{name} is not in the description"));
            continue;
        };
        let method = full_name(case.calls);
        let (input, output) = message::method(&method);
        let mut response = message::filled(&output);
        if ["get_evidence", "get_priority_evidence", "export_school_statement"].contains(&name) {
            response.set_field_by_name("content_type", prost_reflect::Value::String("image/png".to_owned()));
        }
        let bytes = response.encode_to_vec();
        let (service, rpc) = case.calls.split_once('/').unwrap();
        fake.on_call(service, rpc, move |_| {
            let bytes = bytes.clone();
            async move { Ok(Raw(bytes)) }
        });
        fake.take_calls();

        let mut request = gateway.plain(&operation.method, &operation.path);
        if !operation.is_public || operation.is_write {
            // Public ones are proven to need none; a public write may still be someone's.
            request = request.bearer_auth(format!("session of {name}"));
        }
        if operation.is_write {
            request = request.header("idempotency-key", KEY);
        }
        let request = match &case.sent {
            Sent::Nothing => request,
            Sent::Json(body) => request.json(body),
            Sent::File(file) => {
                let part = Part::bytes(b"the file".to_vec()).file_name(*file);
                request.multipart(Form::new().part("file", part))
            }
        };
        let answer = request.send().await.unwrap();

        let code = answer.status();
        let is_json = answer
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("application/json"));
        let body = answer.bytes().await.unwrap();
        let answer = if is_json {
            serde_json::from_slice(&body).unwrap()
        } else {
            json!(String::from_utf8_lossy(&body))
        };
        if !code.is_success() {
            failures.push(format!("{name}: {code} {answer}"));
            continue;
        }
        let received = match name {
            "apply" => {
                let application: ApplyStreamRequest = applications_taken(&applications);
                assert_eq!(application.caller_token, "caller of session of apply");
                application.request.unwrap().encode_to_vec()
            }
            _ => {
                let calls = fake.take_calls();
                let call = only(name, &method, calls);
                let expected = match name {
                    _ if operation.is_public && !operation.is_write => String::new(),
                    // Ended in the gateway's own name.
                    "sign_out" => call.header("authorization").to_owned(),
                    _ => format!("Bearer caller of session of {name}"),
                };
                assert_eq!(call.header("authorization"), expected, "{name}: in whose name");
                call.message
            }
        };
        let (received, shown) = message::read(&input, &received);
        let unset = message::unset(&received);
        if unset != case.unset {
            failures.push(format!("{name}: the request leaves out {unset:?}, not {:?}", case.unset));
        }
        if operation.is_write {
            assert_eq!(shown["request_id"], KEY, "{name}");
        }
        let hidden = message::not_shown(&response, &answer);
        if hidden != case.hidden {
            failures.push(format!("{name}: the answer does not show {hidden:?}, not {:?}", case.hidden));
        }
        let sent = match &case.sent {
            Sent::Nothing => Value::Null,
            Sent::Json(body) => body.clone(),
            Sent::File(file) => json!({ "file": file }),
        };
        let snapshot = json!({
            "request": format!("{} {}", operation.method, operation.path),
            "body": sent,
            "calls": method,
            "with": shown,
            "status": code.as_u16(),
            "answer": answer,
        });
        assert_same_as_file(&format!("tests/snapshots/{name}.json"), &snapshot);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn applications_taken(
    applications: &std::sync::Arc<std::sync::Mutex<Vec<ApplyStreamRequest>>>,
) -> ApplyStreamRequest {
    let mut applications = applications.lock().unwrap();
    assert_eq!(applications.len(), 1);
    applications.remove(0)
}

fn only(name: &str, method: &str, mut calls: Vec<Call>) -> Call {
    assert_eq!(calls.len(), 1, "{name} calls once");
    let call = calls.remove(0);
    assert_eq!(call.method, method, "{name}");
    call
}

#[test]
fn every_route_of_the_description_is_tested() {
    let described: BTreeSet<_> = operations().into_keys().collect();
    let tested: BTreeSet<_> = cases().iter().map(|case| case.operation.to_owned()).collect();

    assert_eq!(described, tested);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    let kept: BTreeSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, tested.iter().map(|name| format!("{name}.json")).collect());
}

/// Methods for services, the gateway itself or WeChat; no route of the description calls them.
const NOT_FOR_PEOPLE: [&str; 7] = [
    "kehou.billing.v1.BillingService/CloseInvoice",
    "kehou.billing.v1.BillingService/ReceiveNotification",
    "kehou.catalog.v1.CatalogService/GetSection",
    "kehou.feed.v1.FeedService/Tail",
    "kehou.identity.v1.IdentityService/BatchGetPupils",
    "kehou.identity.v1.IdentityService/ExchangeSession",
    "kehou.identity.v1.IdentityService/GetPayer",
];

#[test]
fn every_method_for_people_has_a_route() {
    let called: BTreeSet<_> = cases().iter().map(|case| full_name(case.calls)).collect();

    let without: Vec<_> = message::methods()
        .into_iter()
        .filter(|method| !called.contains(method) && !NOT_FOR_PEOPLE.contains(&method.as_str()))
        .collect();

    assert!(without.is_empty(), "no route calls {without:?}");
}

#[tokio::test]
async fn a_route_that_is_not_public_refuses_those_who_are_not_signed_in() {
    let fake = Fake::start();
    let limits = gateway::config::Limits { request_burst: 1000, ..gateway::config::Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;

    for (name, operation) in operations().iter().filter(|(_, operation)| !operation.is_public) {
        let answer = gateway.plain(&operation.method, &operation.path).send().await.unwrap();

        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{name}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "SESSION_REQUIRED", "{name}");
    }
    assert!(fake.take_calls().is_empty());
}

#[tokio::test]
async fn a_write_without_a_key_or_with_a_broken_one_reaches_no_service() {
    let fake = Fake::start();
    let limits = gateway::config::Limits { request_burst: 1000, ..gateway::config::Limits::default() };
    let gateway = Gateway::with(&fake, limits).await;

    for (name, operation) in operations().iter().filter(|(_, operation)| operation.is_write) {
        let ask = || gateway.plain(&operation.method, &operation.path).bearer_auth("session");

        let missing: Value = ask().send().await.unwrap().json().await.unwrap();
        let broken = ask().header("idempotency-key", "once").send().await.unwrap();

        assert_eq!(missing["reason"], "IDEMPOTENCY_KEY_REQUIRED", "{name}");
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST, "{name}");
        let broken: Value = broken.json().await.unwrap();
        assert_eq!(broken["errors"][0]["field"], "Idempotency-Key", "{name}");
    }
    assert!(fake.take_calls().is_empty());
}
