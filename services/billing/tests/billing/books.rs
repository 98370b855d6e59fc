//! The books: the chain and its anchor, closed months, corrections, statements.

use std::path::Path;
use std::process::Command;

use billing::anchor;
use chrono::TimeDelta;
use proto::billing::v1 as pb;
use proto::billing::v1::ledger_service_client::LedgerServiceClient;
use proto::billing::v1::reconciliation_service_client::ReconciliationServiceClient;
use proto::billing::v1::tariff::Basis;
use serde_json::json;
use shared::caller::Role;
use shared::client::Link;
use shared::db::Kind;
use shared::table::{Format, Limits, Table};
use tonic::Status;

use crate::world::{Seat, World, at, reason, zhuzhou};

fn books(world: &World, number: u128) -> LedgerServiceClient<Link> {
    LedgerServiceClient::new(world.staff_link(number, Role::BureauFinance))
}

/// A family that has paid 40 yuan and one that has paid and left.
async fn trade(world: &World) -> (Seat, Seat) {
    let section = world.section(&[(1, 15, 3)]).await;
    world.publish(Basis::ClassHour, 500).await;
    let staying = world.hold(world.family().await, section).await;
    world.pay_and_settle(staying).await;
    let leaving = world.hold(world.family().await, section).await;
    world.pay_and_settle(leaving).await;
    world.withdraw(leaving).await;
    world
        .until("the refund", || async {
            world.number("select count(*) from refund where state = 'succeeded'").await == Some(1)
        })
        .await;
    (staying, leaving)
}

async fn sealed(world: &World) {
    world
        .until("the entries to be sealed", || async {
            world.count("journal_unsealed").await == 0 && world.count("journal").await > 0
        })
        .await;
}

async fn verified(world: &World) -> pb::VerifyLedgerResponse {
    let request = pb::VerifyLedgerRequest { district_id: world.district.to_string() };
    books(world, 6).verify_ledger(request).await.unwrap().into_inner()
}

/// Waits until the newest head is anchored.
async fn anchored(world: &World) {
    sealed(world).await;
    world
        .until("the head to be anchored", || async {
            let last = anchor::read(&world.anchor_file()).await.unwrap().last().copied();
            let count = world.count("journal_seal").await;
            last.is_some_and(|one| one.position == count)
        })
        .await;
}

#[tokio::test]
async fn c79_every_entry_is_sealed_anchored_and_an_independent_verifier_gives_the_same_hash() {
    for world in zhuzhou().await {
        trade(&world).await;
        anchored(&world).await;

        let found = verified(&world).await;

        assert!(found.is_true, "{found:?}");
        assert_eq!(found.sealed_count, world.count("journal").await);
        assert!(found.anchor_count >= 1);
        let mut export = String::new();
        let none = billing::verify(&world.db, world.district, &[], |link| {
            export.push_str(&billing::export_line(link));
            export.push('\n');
        });
        assert_eq!(none.await.unwrap().first_difference, None);
        let file = world.anchor_file().with_extension("jsonl");
        std::fs::write(&file, &export).unwrap();
        let said = verify_in_python(&file, &world.anchor_file());
        assert_eq!(said, (true, format!("{} {} {}\n", world.district, found.sealed_count, found.head_hash)));
        std::fs::write(&file, export.replacen("\"debit_fen\":4000", "\"debit_fen\":4001", 1)).unwrap();
        assert!(!verify_in_python(&file, &world.anchor_file()).0);
        world.sound().await;
    }
}

fn verify_in_python(export: &Path, anchors: &Path) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/ledger/verify.py");
    let done = Command::new("python3").arg("-B").arg(script).arg(export).arg(anchors).output().unwrap();
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}

#[tokio::test]
async fn c79_whoever_changes_an_entry_is_found_and_named_even_if_the_chain_is_forged_to_fit() {
    for world in zhuzhou().await {
        trade(&world).await;
        anchored(&world).await;
        let anchors = anchor::read(&world.anchor_file()).await.unwrap();
        for table in ["posting", "journal_seal"] {
            match world.db.kind() {
                Kind::Postgres => {
                    world.execute(&format!("drop trigger {table}_append_only on {table}")).await;
                }
                Kind::Sqlite => {
                    world.execute(&format!("drop trigger {table}_no_update")).await;
                    world.execute(&format!("drop trigger {table}_no_delete")).await;
                }
            }
        }
        let third = "(select journal_id from journal_seal where position = 3)";
        world
            .execute(&format!(
                "update posting set debit_fen = debit_fen + 1 where debit_fen > 0 and journal_id = {third}"
            ))
            .await;
        world
            .execute(&format!(
                "update posting set credit_fen = credit_fen + 1 where credit_fen > 0 and journal_id = {third}"
            ))
            .await;

        let found = verified(&world).await;

        assert_eq!((found.is_true, found.first_position), (false, 3), "{found:?}");
        assert!(!found.first_journal_id.is_empty());
        // Now the chain is made to fit, head and all: only what was anchored outside still tells.
        world.execute("delete from journal_seal").await;
        world.execute("delete from ledger_head").await;
        world
            .execute(
                "insert into journal_unsealed (journal_id, district_id) select id, district_id from journal",
            )
            .await;
        sealed(&world).await;
        let inside = billing::verify(&world.db, world.district, &[], |_| ()).await.unwrap();
        assert_eq!(inside.first_difference, None);
        let outside = billing::verify(&world.db, world.district, &anchors, |_| ()).await.unwrap();
        assert!(outside.first_difference.is_some(), "{anchors:?}");
        let checked = billing::check_chain(&world.db, &anchors).await.unwrap();
        assert_eq!(checked.broken.len(), 1);
    }
}

#[tokio::test]
async fn c79_many_payments_at_once_are_each_sealed_once_in_one_chain_without_a_gap() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(Basis::ClassHour, 500).await;
        let mut seats = Vec::new();
        for _ in 0..12 {
            seats.push(world.hold(world.family().await, section).await);
        }
        for at_once in seats.chunks(3) {
            futures::future::join_all(at_once.iter().map(|seat| world.pay_and_settle(*seat))).await;
        }
        // Two sealers beside the service's own.
        let (one, two) = tokio::join!(
            billing::store::chain::seal_all(&world.db),
            billing::store::chain::seal_all(&world.db)
        );
        one.unwrap();
        two.unwrap();

        sealed(&world).await;

        assert_eq!(world.count("journal_seal").await, world.count("journal").await);
        assert_eq!(
            world.number("select max(position) from journal_seal").await,
            Some(world.count("journal").await)
        );
        assert!(verified(&world).await.is_true);
    }
}

fn close(world: &World, month: &str) -> pb::ClosePeriodRequest {
    pb::ClosePeriodRequest {
        request_id: world.request_id(),
        district_id: world.district.to_string(),
        month: month.to_owned(),
    }
}

fn state(answer: Result<tonic::Response<pb::ClosePeriodResponse>, Status>) -> pb::period::State {
    answer.unwrap().into_inner().period.unwrap().state()
}

#[tokio::test]
async fn c79_two_people_close_a_month_and_nothing_is_dated_into_it_afterwards() {
    for world in zhuzhou().await {
        let (staying, _) = trade(&world).await;
        let early = books(&world, 6).close_period(close(&world, "2026-08")).await.unwrap_err();
        assert_eq!(reason(&early), "PERIOD_NOT_OVER");
        world.clock.set(at("2026-09-01T11:00:00+08:00"));
        sealed(&world).await;

        assert_eq!(
            state(books(&world, 6).close_period(close(&world, "2026-08")).await),
            pb::period::State::Proposed
        );
        assert_eq!(
            state(books(&world, 6).close_period(close(&world, "2026-08")).await),
            pb::period::State::Proposed
        );
        assert_eq!(
            state(books(&world, 7).close_period(close(&world, "2026-08")).await),
            pb::period::State::Closed
        );

        let count = "select count(*) from journal where created_at < '2026-08-31T16:00:00+00:00'";
        let before = world.number(count).await;
        // A clock that is behind: what happens now would fall into August.
        world.clock.set(at("2026-08-31T12:00:00+08:00"));
        world.withdraw(staying).await;
        world
            .until("the second refund", || async {
                world.number("select count(*) from refund where state = 'succeeded'").await == Some(2)
            })
            .await;
        sealed(&world).await;
        assert_eq!(world.number(count).await, before);
        let released = "select count(*) from journal where kind = 'released' and created_at >= '2026-08-31T16:00:00+00:00'";
        assert_eq!(world.number(released).await, Some(1));
        // And the database itself refuses.
        let copy = "insert into journal (id, district_id, school_id, source_id, kind, number, created_at) \
                    select source_id, district_id, school_id, id, kind, number, min(created_at) from journal \
                    group by id, source_id, district_id, school_id, kind, number limit 1";
        assert!(world.try_execute(copy).await.unwrap_err().to_string().contains("the period is closed"));
        world.clock.set(at("2026-09-02T12:00:00+08:00"));
        let request = pb::ListPeriodsRequest { district_id: world.district.to_string() };
        let periods = books(&world, 6).list_periods(request).await.unwrap().into_inner().periods;
        assert_eq!(periods.len(), 1);
        assert_eq!(Some(periods[0].journal_count), before);
        world.sound().await;
    }
}

#[tokio::test]
async fn c79_a_month_with_a_difference_that_waits_is_not_closed() {
    for world in zhuzhou().await {
        trade(&world).await;
        let change = json!({ "date": "2026-08-30", "out_trade_no": "STRANGE0001", "kind": "invent" });
        world.wechat("bill-changes", Some(change)).await;
        world.clock.set(at("2026-09-01T11:00:00+08:00"));
        world
            .until("the days to be compared", || async {
                world.number("select count(*) from reconciliation").await == Some(2)
            })
            .await;
        sealed(&world).await;

        let refused = books(&world, 6).close_period(close(&world, "2026-08")).await.unwrap_err();

        assert_eq!(reason(&refused), "PERIOD_HAS_CASES");
        assert_eq!(crate::world::fact(&refused, "waiting_count"), "1");
        let bad = pb::ClosePeriodRequest { month: "2026-8".to_owned(), ..close(&world, "") };
        let bad = books(&world, 6).close_period(bad).await.unwrap_err();
        assert!(format!("{bad:?}").contains("month"), "{bad:?}");
    }
}

#[tokio::test]
async fn c79_a_correction_takes_two_people_and_resolves_the_difference_it_is_for() {
    for world in zhuzhou().await {
        trade(&world).await;
        let change = json!({ "date": "2026-08-30", "out_trade_no": "STRANGE0001", "kind": "invent" });
        world.wechat("bill-changes", Some(change)).await;
        world.clock.advance(TimeDelta::hours(25) + TimeDelta::minutes(1));
        world.until("the difference", || async { world.count("reconciliation_case").await == 1 }).await;
        let finance =
            |number| ReconciliationServiceClient::new(world.staff_link(number, Role::BureauFinance));
        let request = pb::ListCasesRequest { district_id: world.district.to_string(), ..Default::default() };
        let case = finance(6).list_cases(request).await.unwrap().into_inner().cases.remove(0);
        let wish = |case_id: &str, amount_fen| pb::ProposeCorrectionRequest {
            request_id: world.request_id(),
            school_id: world.school.to_string(),
            debit_account: "wechat_clearing".to_owned(),
            credit_account: "surplus".to_owned(),
            amount_fen,
            reason: "微信账单有、系统无的一笔，款项待查".to_owned(),
            case_id: case_id.to_owned(),
            ..Default::default()
        };
        let early = books(&world, 6).propose_correction(wish(&case.id, 100)).await.unwrap_err();
        assert_eq!(reason(&early), "CASE_NOT_TAKEN");
        let take = pb::TakeCaseRequest { request_id: world.request_id(), case_id: case.id.clone() };
        finance(6).take_case(take).await.unwrap();
        let bad =
            pb::ProposeCorrectionRequest { credit_account: "wechat_clearing".to_owned(), ..wish("", 0) };
        let bad = books(&world, 6).propose_correction(bad).await.unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&bad).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["credit_account", "amount_fen"]);

        let proposed = books(&world, 6).propose_correction(wish(&case.id, 100)).await.unwrap().into_inner();
        let id = proposed.correction.unwrap().id;
        let decide = |approved| pb::DecideCorrectionRequest {
            request_id: world.request_id(),
            correction_id: id.clone(),
            approved,
        };
        let alone = books(&world, 6).decide_correction(decide(true)).await.unwrap_err();
        assert_eq!(reason(&alone), "SECOND_PERSON_REQUIRED");
        assert_eq!(world.number("select count(*) from journal where kind = 'corrected'").await, Some(0));
        for _ in 0..2 {
            let booked = books(&world, 7).decide_correction(decide(true)).await.unwrap().into_inner();
            assert_eq!(booked.correction.unwrap().state(), pb::correction::State::Booked);
        }
        let late = books(&world, 8).decide_correction(decide(false)).await.unwrap_err();
        assert_eq!(reason(&late), "CORRECTION_DECIDED");
        assert_eq!(world.number("select count(*) from journal where kind = 'corrected'").await, Some(1));
        assert_eq!(
            world.number("select count(*) from reconciliation_case where state = 'resolved'").await,
            Some(1)
        );
        assert!(billing::check(&world.db).await.unwrap().iter().all(|one| one.broken.is_empty()));
    }
}

#[tokio::test]
async fn c79_an_entry_is_reversed_once_and_a_correction_never() {
    for world in zhuzhou().await {
        trade(&world).await;
        let sql = "select count(*) from journal where kind = 'paid'";
        assert_eq!(world.number(sql).await, Some(2));
        let journal_id = world.id("select id from journal where kind = 'paid' limit 1").await;
        let wish = |journal_id: uuid::Uuid| pb::ProposeCorrectionRequest {
            request_id: world.request_id(),
            school_id: world.school.to_string(),
            journal_id: journal_id.to_string(),
            reason: "记错了".to_owned(),
            ..Default::default()
        };
        let proposed = books(&world, 6).propose_correction(wish(journal_id)).await.unwrap().into_inner();
        let correction_id = proposed.correction.unwrap().id;
        let again = books(&world, 7).propose_correction(wish(journal_id)).await.unwrap_err();
        assert_eq!(reason(&again), "CORRECTION_EXISTS");
        let decide =
            pb::DecideCorrectionRequest { request_id: world.request_id(), correction_id, approved: true };
        books(&world, 7).decide_correction(decide).await.unwrap();

        let reversal = world.id("select id from journal where kind = 'corrected' limit 1").await;
        let refused = books(&world, 6).propose_correction(wish(reversal)).await.unwrap_err();
        assert_eq!(reason(&refused), "CORRECTION_NOT_REVERSIBLE");
        let back = "select cast(sum(p.credit_fen) as bigint) from posting p join journal j on j.id = p.journal_id \
                    where j.kind = 'corrected' and p.account = 'wechat_clearing'";
        assert_eq!(world.number(back).await, Some(4_000));
        let unknown = books(&world, 6).propose_correction(wish(uuid::Uuid::nil())).await.unwrap_err();
        assert_eq!(reason(&unknown), "JOURNAL_NOT_FOUND");
    }
}

#[tokio::test]
async fn c79_a_school_s_statement_adds_up_month_by_month_names_nobody_and_opens_as_a_file() {
    for world in zhuzhou().await {
        trade(&world).await;
        crate::waiver::grant(&world, world.family().await).await;
        let school = |role| LedgerServiceClient::new(world.staff_link(1, role));
        let request = pb::GetSchoolStatementRequest {
            school_id: world.school.to_string(),
            from_month: "2026-07".to_owned(),
            to_month: "2026-08".to_owned(),
        };

        let answer =
            school(Role::SchoolFinance).get_school_statement(request.clone()).await.unwrap().into_inner();

        let months: Vec<_> = answer
            .months
            .iter()
            .map(|one| (one.month.as_str(), one.charged_fen, one.paid_fen, one.refunded_fen, one.held_fen))
            .collect();
        assert_eq!(months, [("2026-07", 0, 0, 0, 0), ("2026-08", 4_000, 8_000, 4_000, 4_000)]);
        for (format, read) in [
            (pb::export_school_statement_request::Format::Xlsx, Format::Xlsx),
            (pb::export_school_statement_request::Format::Csv, Format::Csv),
        ] {
            let wanted = pb::ExportSchoolStatementRequest {
                school_id: world.school.to_string(),
                from_month: "2026-07".to_owned(),
                to_month: "2026-08".to_owned(),
                format: format.into(),
            };
            let file = school(Role::Principal).export_school_statement(wanted).await.unwrap().into_inner();
            let table = Table::read(read, &file.content, Limits::default()).unwrap();
            let row = table.rows().last().unwrap();
            assert_eq!((row.cell("月份"), row.cell("月末结存(分)")), ("2026-08", "4000"), "{format:?}");
        }
        let teacher = school(Role::ClassTeacher).get_school_statement(request.clone()).await.unwrap_err();
        assert_eq!(reason(&teacher), "ROLE_NOT_ALLOWED");
        let backwards = pb::GetSchoolStatementRequest { to_month: "2026-06".to_owned(), ..request.clone() };
        let backwards = school(Role::SchoolFinance).get_school_statement(backwards).await.unwrap_err();
        assert!(format!("{backwards:?}").contains("to_month"), "{backwards:?}");
        let other = pb::GetSchoolStatementRequest { school_id: world.request_id(), ..request };
        let other = school(Role::SchoolFinance).get_school_statement(other).await.unwrap_err();
        assert_eq!(reason(&other), "SCHOOL_NOT_FOUND");
    }
}

#[tokio::test]
async fn c79_a_family_sees_its_own_bills_payments_and_refunds_and_no_other_s() {
    for world in zhuzhou().await {
        let (staying, leaving) = trade(&world).await;
        let own = LedgerServiceClient::new(world.link_of(&world.guardian_caller(leaving.family)));
        let of = |pupil: uuid::Uuid| pb::GetFamilyStatementRequest { pupil_id: pupil.to_string() };

        let answer = own.clone().get_family_statement(of(leaving.family.pupil)).await.unwrap().into_inner();

        let kinds: Vec<_> = answer.lines.iter().map(|line| (line.kind(), line.amount_fen)).collect();
        use pb::get_family_statement_response::line::Kind;
        assert_eq!(kinds, [(Kind::Billed, 4_000), (Kind::Paid, 4_000), (Kind::Refunded, 4_000)]);
        assert_eq!((answer.billed_fen, answer.paid_fen, answer.refunded_fen), (4_000, 4_000, 4_000));
        let other = own.clone().get_family_statement(of(staying.family.pupil)).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
    }
}
