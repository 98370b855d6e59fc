use policy::explain::{self, Line, Question, answer, explain};
use policy::fee::{self, Basis as Per, LessonDay, Offering, Tariff};
use policy::vocabulary::{DayPart, Stage};
use policy::{Basis, Policy, Standing, waiver};
use shared::value::Fen;

use crate::support::{day, fen, made_of, region, supplemented};

fn asked(policy: &Policy, word: &str) -> Vec<Line> {
    answer(policy, &Question::parse(word).expect("a question"))
}

/// The Chinese sentences without what they rest on.
fn said(lines: &[Line]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.text.zh.split("。依据：").next()).collect()
}

#[test]
fn a_stated_key_is_explained_with_document_line_and_words() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let explanation = explain(&zhuzhou, "parent_fee_cap_fen_per_day").expect("a known key");

    assert_eq!(
        explanation.text.zh,
        "每天收费上限：≤ 10.00 元/天：《义务教育课后服务创新举措和典型经验清单》第74行“每天不超过 10 元”"
    );
    assert_eq!(
        explanation.text.en,
        "most a day: ≤ 10.00 yuan a day: 《义务教育课后服务创新举措和典型经验清单》 line 74: “每天不超过 10 元”"
    );
}

#[test]
fn a_supplemented_key_is_explained_with_the_decision() {
    let demo = region("hunan_zhuzhou", Some("zhuzhou_demo"));
    let explanation = explain(&demo, "refund_rule").expect("a known key");
    assert_eq!(
        explanation.text.zh,
        "退费规则：退还未上课时费用：演示区教育局（虚构）《演示用：课后服务补充规定（二）》（2026-08-20）"
    );
    let clause = explanation.clause.expect("a clause");
    assert!(
        matches!(clause.basis, Basis::Decision(decision) if decision.file == "supplements/zhuzhou_demo.toml")
    );
}

#[test]
fn a_silent_key_is_explained_as_silent() {
    let explanation = explain(&region("hunan_zhuzhou", None), "refund_rule").expect("a known key");
    assert_eq!(explanation.clause, None);
    assert_eq!(explanation.text.zh, "退费规则：湖南省株洲市的文件没有规定，须由教育局书面决定后补充");
}

#[test]
fn every_key_can_be_explained_and_no_other() {
    let zhuzhou = region("hunan_zhuzhou", None);
    for key in Policy::keys() {
        let text = explain(&zhuzhou, key.name).expect("a known key").text;
        assert!(!text.zh.is_empty() && !text.en.is_empty());
    }
    assert_eq!(explain(&zhuzhou, "parent_fee"), None);
}

#[test]
fn a_question_is_read_back_from_its_word() {
    let words = ["fee", "end_time", "approval", "waivers", "silent", "inherited", "all", "refund_rule"];
    for word in words {
        assert_eq!(Question::parse(word).expect("a question").word(), word);
    }
    assert_eq!(Question::parse("fee.refund_rule"), Some(Question::Key("refund_rule".to_owned())));
    assert_eq!(Question::parse("waiver.waivers"), Some(Question::Key("waivers".to_owned())));
    for nothing in ["", "fees", "time.refund_rule", "fee.", "fee.refund_rule.x"] {
        assert_eq!(Question::parse(nothing), None, "{nothing}");
    }
}

#[test]
fn c01_what_parents_pay_is_told_so_that_a_parent_understands() {
    let zhuzhou = asked(&region("hunan_zhuzhou", None), "fee");
    assert_eq!(
        said(&zhuzhou),
        [
            "家长交费，价格由学校在上限之内确定",
            "每课时最多 5.00 元",
            "每天最多 10.00 元，一个学生的全部课程合在一起算",
            "退费规则：湖南省株洲市的文件没有规定，须由教育局书面决定后补充",
            "收款账户：湖南省株洲市的文件没有规定，须由教育局书面决定后补充",
        ]
    );
    assert!(zhuzhou[2].text.zh.ends_with("第74行“每天不超过 10 元”"), "{:?}", zhuzhou[2]);
    assert_eq!(said(&asked(&region("hebei", None), "fee")), ["家长不用交费，也不会收到任何账单"]);
    assert_eq!(
        said(&asked(&region("beijing", None), "fee")),
        ["北京市的文件没有规定家长是否交费、交多少；教育局书面决定之前不能收费"]
    );
    let anji = asked(&region("zhejiang_anji", None), "fee");
    assert!(
        anji.iter().any(
            |line| line.text.zh.contains("各时段的上限不相加") && line.text.zh.contains("原文有两种读法")
        )
    );
    let jiaojiang = asked(&region("zhejiang_jiaojiang", None), "fee");
    assert!(said(&jiaojiang).contains(&"以上只适用于小学，其他学段没有规定"));
}

#[test]
fn c01_when_service_ends_is_told_as_hard_as_it_binds() {
    let first = |pack_id: &str| said(&asked(&region(pack_id, None), "end_time"))[0].to_owned();
    assert_eq!(first("beijing"), "原则上不早于 17:30 结束；学校要提前，须写明理由");
    assert_eq!(first("hebei_shijiazhuang"), "不得早于 18:00 结束");
    assert_eq!(first("hebei_shahe"), "不得晚于 18:00 结束");
    assert_eq!(first("jiangsu_nanjing"), "以 18:00 结束为目标，不作硬性要求");
    assert_eq!(first("zhejiang_jinhua"), "服务结束不早于当地下班时间");
    assert_eq!(first("hunan_zhuzhou"), "湖南省株洲市的文件没有规定服务几点结束，由学校安排");
}

#[test]
fn c61_what_a_price_needs_is_told() {
    let xx = asked(&region("xx_district", None), "approval");
    assert_eq!(
        said(&xx)[2..4],
        ["家长分担多少还没有核定，核定之前不能收费", "收费标准须经核定，没有核定文件不能收费"]
    );
    let anji = asked(&region("zhejiang_anji", None), "approval");
    assert!(said(&anji).contains(&"收费标准须有成本核算"));
    assert!(said(&anji).contains(&"浙江省湖州市安吉县的文件没有要求收费标准先经核定"));
}

#[test]
fn c36_who_approves_an_application_is_told_step_by_step() {
    let jinhua = asked(&region("zhejiang_jinhua", None), "approval");
    assert_eq!(
        said(&jinhua)[0],
        "报名依次经过：家长申请（家长） → 班级初审（班主任） → 学校核准（校长） → 统筹安排（教学部门）"
    );
    let shahe = asked(&region("hebei_shahe", None), "approval");
    assert_eq!(shahe[0].standing, Standing::Stated);
    assert!(said(&shahe)[0].ends_with("成立课后辅导小组（教学部门）"));
    assert_eq!(said(&shahe)[1], "服务之前须签订协议");
    let zhuzhou = asked(&region("hunan_zhuzhou", None), "approval");
    assert_eq!((zhuzhou[0].key, zhuzhou[0].standing), ("enrollment_steps", Standing::Silent));
}

#[test]
fn c62_who_need_not_pay_is_told_category_by_category() {
    let jingyan = asked(&region("sichuan_jingyan", None), "waivers");
    assert!(said(&jingyan).iter().any(|line| line.ends_with("全免")));
    assert!(said(&jingyan).iter().any(|line| line.ends_with("减免，减多少没有规定")));
    assert!(
        jingyan.iter().any(|line| line.key == "partial_waiver_rates" && line.standing == Standing::Silent)
    );
    let silent = asked(&region("zhejiang_anji", None), "waivers");
    assert!(said(&silent)[0].ends_with("没有规定不等于没有减免"));
}

#[test]
fn all_silent_and_inherited_lines_stand_where_they_say() {
    let shahe = region("hebei_shahe", Some("shahe_demo"));
    let (silent, inherited, all) =
        (asked(&shahe, "silent"), asked(&shahe, "inherited"), asked(&shahe, "all"));
    assert!(silent.iter().all(|line| line.standing == Standing::Silent && line.clause.is_none()));
    assert!(inherited.iter().all(|line| line.standing == Standing::Inherited));
    assert!(
        inherited
            .iter()
            .any(|line| line.key == "agreement_required" && line.text.zh.contains("承继自河北省"))
    );
    let keys: Vec<&str> = all.iter().map(|line| line.key).collect();
    assert_eq!(keys, Policy::keys().iter().map(|key| key.name).collect::<Vec<_>>());
    assert_eq!(asked(&shahe, "refund_rule").len(), 1);
    assert_eq!(answer(&shahe, &Question::Key("nothing".to_owned())), []);
}

fn tariff(basis: Per, amount: i64) -> Tariff {
    Tariff {
        stage: Stage::Primary,
        basis,
        amount: fen(amount),
        slot_kind: DayPart::Afternoon,
        offering: Offering::Service,
        approval_document: None,
    }
}

fn lesson(date: &str, class_hours: u32, already: i64) -> LessonDay {
    LessonDay { date: day(date), class_hours, already_charged: fen(already) }
}

#[test]
fn c56_why_a_week_costs_4000_fen_is_told_with_the_day_that_was_cut() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let tariff = tariff(Per::ClassHour, 500);
    let week = [(7, 1), (8, 2), (9, 3), (10, 2), (11, 1)]
        .map(|(date, hours)| lesson(&format!("2026-09-{date:02}"), hours, 0));
    let charge = fee::charge(&zhuzhou, &tariff, &week).expect("a charge");

    let lines = explain::charge(&zhuzhou, &tariff, &charge, None);

    assert_eq!(
        said(&lines),
        [
            "学校定价每课时 5.00 元，9 课时，共 45.00 元",
            "9月9日有 3 课时，本应 15.00 元，每天最多 10.00 元，只收 10.00 元",
            "应收 40.00 元",
        ]
    );
    assert_eq!(lines[1].key, "parent_fee_cap_fen_per_day");
    let amounts: Vec<_> = lines.iter().map(|line| line.amount.map(Fen::get)).collect();
    assert_eq!(amounts, [Some(4_500), Some(-500), None]);

    let effect = waiver::effect(&zhuzhou, "registered_poor").expect("an effect");
    let waived = waiver::apply(&zhuzhou, charge.total, &effect).expect("a waiver");
    let lines = explain::charge(&zhuzhou, &tariff, &charge, Some(&waived));
    assert_eq!(said(&lines)[2..], ["应收 40.00 元", "减免 40.00 元", "应付 0.00 元"]);
}

#[test]
fn c56_what_other_courses_took_of_a_day_is_told() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let tariff = tariff(Per::ClassHour, 500);
    let charge = fee::charge(&zhuzhou, &tariff, &[lesson("2026-09-07", 2, 700)]).expect("a charge");
    let lines = explain::charge(&zhuzhou, &tariff, &charge, None);
    assert_eq!(
        said(&lines)[1],
        "9月7日有 2 课时，本应 10.00 元，每天最多 10.00 元，其他课程当天已收 7.00 元，只收 3.00 元"
    );
    let by_day = Tariff { basis: Per::Day, amount: fen(1_000), ..tariff };
    let charge = fee::charge(&zhuzhou, &by_day, &[lesson("2026-09-07", 1, 0)]).expect("a charge");
    let lines = explain::charge(&zhuzhou, &by_day, &charge, None);
    assert_eq!(said(&lines)[1], "9月7日有 1 课时，本应 10.00 元，按每课时上限只收 5.00 元");
    assert_eq!(lines[1].key, "parent_fee_cap_fen_per_class_hour");
}

#[test]
fn c76_why_months_cost_what_they_cost_names_the_rule_of_the_district() {
    let keys =
        [("fee.parent_fee_mode", "\"exact\"", "exact"), ("fee.parent_fee_fen_per_month", "12000", "exact")];
    let policy = supplemented(&keys, &[("fee.proration_rule", "\"whole_month\"")]);
    let month = tariff(Per::Month, 12_000);
    let days = [lesson("2026-09-07", 1, 0), lesson("2026-10-08", 1, 0)];
    let charge = fee::charge(&policy, &month, &days).expect("a charge");
    let lines = explain::charge(&policy, &month, &charge, None);
    assert_eq!(said(&lines)[0], "学校定价每月 120.00 元，2 个月，共 240.00 元");
    assert_eq!((lines[1].key, lines[1].standing), ("proration_rule", Standing::Supplemented));
    let nothing = fee::charge(&policy, &month, &[]).expect("a charge");
    assert_eq!(said(&explain::charge(&policy, &month, &nothing, None))[0], "没有课，不收费");
}

#[test]
fn every_region_answers_every_question_in_both_languages() {
    for policy in crate::support::real().current() {
        for word in ["fee", "end_time", "approval", "waivers", "all"] {
            let lines = asked(policy, word);
            assert!(!lines.is_empty(), "{} {word}", policy.pack_id());
            for line in lines {
                assert!(!line.text.zh.is_empty() && !line.text.en.is_empty());
                assert_eq!(line.clause.is_none(), line.standing == Standing::Silent, "{line:?}");
                assert!(line.clause.is_none_or(|clause| clause.key == line.key));
            }
        }
    }
    assert!(!asked(&made_of(&[]), "fee").is_empty());
}
