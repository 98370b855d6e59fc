//! `ExplainPolicy`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policy::Live;
use proto::identity::v1::Stage;
use proto::supervision::v1::explain_policy_request::Question;
use proto::supervision::v1::policy_line::Standing;
use proto::supervision::v1::{ExplainPolicyRequest, ExplainPolicyResponse, PolicyLine};
use shared::db::Kind as Engine;
use shared::status::{reason_of, violations_of};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::support::{CALENDAR, SILENT, School, WORKING, World, on_each, packs};

fn request(school: &School, question: Question) -> ExplainPolicyRequest {
    ExplainPolicyRequest {
        school_id: school.id.to_string(),
        question: question.into(),
        key: String::new(),
        policy_version: String::new(),
    }
}

async fn ask(world: &World, request: ExplainPolicyRequest) -> Result<ExplainPolicyResponse, Status> {
    world.nobody().explain_policy(request).await.map(tonic::Response::into_inner)
}

fn line<'a>(answer: &'a ExplainPolicyResponse, key: &str) -> &'a PolicyLine {
    answer.lines.iter().find(|line| line.key == key).unwrap_or_else(|| panic!("no line {key}: {answer:#?}"))
}

#[tokio::test]
async fn c01_what_parents_pay_is_told_to_anyone_with_the_line_of_the_document_it_stands_in() {
    on_each(|world| async move {
        let answer = ask(&world, request(&world.school, Question::Fee)).await.unwrap();

        assert_eq!((answer.pack_id.as_str(), answer.name_zh.as_str()), ("hunan_zhuzhou", "湖南省株洲市"));
        let pin = packs().policy(CALENDAR.0, Some(CALENDAR.1)).unwrap().pin();
        assert_eq!(answer.policy_version, pin);
        let fees: Vec<_> = answer
            .stated_fees
            .iter()
            .map(|fee| (fee.basis.as_str(), fee.amount_fen, fee.binding.as_str(), fee.personalised))
            .collect();
        assert_eq!(fees, [("class_hour", 500, "ceiling", false), ("day", 1_000, "ceiling", false)]);
        let day = line(&answer, "parent_fee_cap_fen_per_day");
        assert_eq!(day.standing(), Standing::Stated);
        assert!(day.source.starts_with("004_") && day.source.ends_with(":74"), "{day:?}");
        assert!(day.text_zh.contains("10.00") && day.text_en.contains("10.00"), "{day:?}");
        let refund = line(&answer, "refund_rule");
        assert_eq!(refund.standing(), Standing::Supplemented);
        assert!(refund.source.contains("2026-08-20"), "{refund:?}");
    })
    .await;
}

#[tokio::test]
async fn c01_c02_every_question_has_an_answer_of_its_own_and_silence_and_inheritance_are_said() {
    on_each(|world| async move {
        let silent = world.found_neighbour(Stage::Primary, SILENT).await;
        let free = world.found_neighbour(Stage::Primary, WORKING).await;

        let unsaid = ask(&world, request(&silent, Question::Silent)).await.unwrap();
        assert!(
            unsaid.lines.iter().all(|line| line.standing() == Standing::Silent && line.source.is_empty())
        );
        assert!(line(&unsaid, "refund_rule").text_zh.contains("没有规定"));
        assert!(unsaid.stated_fees.is_empty());
        let inherited = ask(&world, request(&free, Question::Inherited)).await.unwrap();
        assert!(!inherited.lines.is_empty());
        assert!(inherited.lines.iter().all(|line| line.standing() == Standing::Inherited));
        assert!(inherited.lines.iter().all(|line| line.text_zh.contains("承继自")), "{inherited:#?}");
        let fee = ask(&world, request(&free, Question::Fee)).await.unwrap();
        assert!(fee.stated_fees.is_empty() && line(&fee, "parent_fee_mode").text_zh.contains("不用交费"));
        let end = ask(&world, request(&free, Question::EndTime)).await.unwrap();
        assert!(line(&end, "end_not_after").text_zh.contains("18:00"));
        let waivers = ask(&world, request(&world.school, Question::Waivers)).await.unwrap();
        assert!(line(&waivers, "waivers").text_zh.contains("全免"));
        let approval = ask(&world, request(&world.school, Question::Approval)).await.unwrap();
        assert!(!approval.lines.is_empty());

        let all = ask(&world, request(&world.school, Question::Unspecified)).await.unwrap();
        assert_eq!(all.lines.len(), policy::Policy::keys().len());
        assert_eq!(all.stated_fees.len(), 2);
        let one = ExplainPolicyRequest {
            key: "class_hour_minutes".to_owned(),
            ..request(&silent, Question::Unspecified)
        };
        let one = ask(&world, one).await.unwrap();
        assert_eq!(one.lines.len(), 1);
        assert_eq!(line(&one, "class_hour_minutes").standing(), Standing::Silent);
    })
    .await;
}

#[tokio::test]
async fn c03_an_old_term_is_explained_by_the_version_it_is_pinned_to_and_another_regions_is_not_there() {
    on_each(|world| async move {
        let packs = packs();
        let pinned = |pack: &str, supplement: Option<&str>| packs.policy(pack, supplement).unwrap().pin();
        let asked = |policy_version: String| ExplainPolicyRequest {
            policy_version,
            ..request(&world.school, Question::Fee)
        };

        // Without the supplement that holds now.
        let bare = ask(&world, asked(pinned("hunan_zhuzhou", None))).await.unwrap();
        assert_eq!(line(&bare, "refund_rule").standing(), Standing::Silent);
        assert_eq!(bare.policy_version, pinned("hunan_zhuzhou", None));

        let elsewhere = pinned("hebei_shahe", None);
        for unknown in [elsewhere, "hunan_zhuzhou@0000000000000000".to_owned(), "x".to_owned()] {
            let refused = ask(&world, asked(unknown)).await.unwrap_err();
            assert_eq!(refused.code(), Code::NotFound);
            assert_eq!(reason_of(&refused).as_deref(), Some("POLICY_VERSION_NOT_FOUND"));
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_field_and_rule() {
    on_each(|world| async move {
        let good = request(&world.school, Question::Unspecified);
        let key = |key: &str| ExplainPolicyRequest { key: key.to_owned(), ..good.clone() };
        let cases = [
            (ExplainPolicyRequest { question: 99, ..good.clone() }, "question"),
            (ExplainPolicyRequest { question: -1, ..good.clone() }, "question"),
            (key("parent_fee"), "key"),
            (key("退费规则"), "key"),
            (key(&"k".repeat(65)), "key"),
            (ExplainPolicyRequest { question: Question::Fee.into(), ..key("refund_rule") }, "question"),
            (ExplainPolicyRequest { school_id: "x".to_owned(), ..good.clone() }, "school_id"),
            (ExplainPolicyRequest { policy_version: "v".repeat(201), ..good.clone() }, "policy_version"),
        ];
        for (bad, field) in cases {
            let refused = ask(&world, bad).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            let violations = violations_of(&refused);
            let fields: Vec<_> = violations.list().iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, [field], "{violations:?}");
            assert!(!violations.list()[0].rule.is_empty(), "{violations:?}");
        }

        let nowhere = ExplainPolicyRequest { school_id: world.uuid().to_string(), ..good };
        let refused = ask(&world, nowhere).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason_of(&refused).unwrap()),
            (Code::NotFound, "SCHOOL_NOT_FOUND".to_owned())
        );
        let unruled = world.found_neighbour(Stage::Primary, ("nowhere", "")).await;
        let refused = ask(&world, request(&unruled, Question::Fee)).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason_of(&refused).unwrap()),
            (Code::Unavailable, "POLICY_VERSION_UNKNOWN".to_owned())
        );
    })
    .await;
}

/// Lays a pack that says when service ends.
fn lay(folder: &Path, end: &str) {
    let text = format!(
        "pack_id = \"made_up\"\nname_zh = \"某地\"\n\
         [[source_files]]\nfile = \"a.txt\"\ntitle = \"测试文件\"\n\
         [time.end_not_before]\nvalue = \"{end}\"\nbinding = \"floor\"\n\
         source = {{ file = \"a.txt\", line = 1, words = \"测试条文\" }}\n"
    );
    fs::write(folder.join("made_up.toml"), text).unwrap();
}

#[tokio::test]
async fn c01_c03_a_running_service_takes_up_a_changed_pack_and_keeps_the_last_good_one_while_a_file_is_broken()
 {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let folder = tempfile::tempdir().unwrap();
        let common = "pack_id = \"common\"\nname_zh = \"通行\"\ninferred = \"测试\"\n\
                      [[source_files]]\nfile = \"a.txt\"\ntitle = \"测试文件\"\n";
        fs::write(folder.path().join("common.toml"), common).unwrap();
        lay(folder.path(), "17:30");
        let packs = Arc::new(Live::open(folder.path()).unwrap());
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        tokio::spawn(packs.clone().watch(Duration::from_millis(5), stop));
        let world = World::start_under(engine, packs.clone()).await;
        let school = world.found_neighbour(Stage::Primary, ("made_up", "")).await;
        let end = async || {
            let answer = ask(&world, request(&school, Question::EndTime)).await.unwrap();
            (line(&answer, "end_not_before").text_zh.clone(), answer.policy_version)
        };
        let becomes = async |clock: &str| {
            for _ in 0..10_000 {
                if end().await.0.contains(clock) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("{clock} is never told: {:?}", end().await);
        };
        let (said, first) = end().await;
        assert!(said.contains("17:30"), "{said}");

        lay(folder.path(), "25:99");
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(end().await.0.contains("17:30"), "the last good set goes on");
        }
        assert!(packs.refresh().is_err());

        lay(folder.path(), "18:00");
        becomes("18:00").await;
        // What a term was pinned to before is still explained as it was.
        let old =
            ExplainPolicyRequest { policy_version: first.clone(), ..request(&school, Question::EndTime) };
        let old = ask(&world, old).await.unwrap();
        assert!(line(&old, "end_not_before").text_zh.contains("17:30") && old.policy_version == first);
    }
}
