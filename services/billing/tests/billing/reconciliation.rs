//! Days compared: fetched from WeChat's sandbox, kept once, and the differences before people.

use chrono::TimeDelta;
use proto::billing::v1 as pb;
use proto::billing::v1::reconciliation_service_client::ReconciliationServiceClient;
use proto::billing::v1::tariff::Basis;
use serde_json::json;
use shared::caller::Role;
use shared::client::Link;
use wechat::sandbox::{FaultKind, FaultTarget};

use crate::world::{Seat, World, reason, zhuzhou};

/// The day the worlds begin on.
const DAY: &str = "2026-08-30";

fn bureau(world: &World, number: u128) -> ReconciliationServiceClient<Link> {
    ReconciliationServiceClient::new(world.staff_link(number, Role::BureauFinance))
}

/// Two families that have paid, and the numbers of their orders.
async fn two_paid(world: &World) -> (Vec<Seat>, Vec<String>) {
    let section = world.section(&[(1, 15, 3)]).await;
    world.publish(Basis::ClassHour, 500).await;
    let (mut seats, mut orders) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let seat = world.hold(world.family().await, section).await;
        orders.push(world.pay_and_settle(seat).await);
        seats.push(seat);
    }
    (seats, orders)
}

async fn plant(world: &World, kind: &str, order: &str) {
    let change = json!({ "date": DAY, "out_trade_no": order, "kind": kind });
    assert_eq!(world.wechat("bill-changes", Some(change)).await.0, 200);
}

/// Lets it be 10:00 of the next day, and waits until the job has compared the day.
async fn next_morning(world: &World) {
    world.clock.advance(TimeDelta::hours(25) + TimeDelta::minutes(1));
    world
        .until("the day to be compared", || async {
            world.number("select count(*) from reconciliation").await == Some(1)
        })
        .await;
}

async fn cases(world: &World) -> Vec<pb::Case> {
    let request = pb::ListCasesRequest { district_id: world.district.to_string(), ..Default::default() };
    bureau(world, 6).list_cases(request).await.unwrap().into_inner().cases
}

async fn days(world: &World) -> Vec<(String, i32, i32)> {
    let request =
        pb::ListReconciliationsRequest { district_id: world.district.to_string(), ..Default::default() };
    let answer = bureau(world, 6).list_reconciliations(request).await.unwrap().into_inner();
    answer.reconciliations.into_iter().map(|one| (one.day, one.line_count, one.matched_count)).collect()
}

#[tokio::test]
async fn c79_yesterdays_bills_are_compared_after_ten_and_a_clean_day_raises_nothing() {
    for world in zhuzhou().await {
        let (seats, _) = two_paid(&world).await;
        world.withdraw(seats[0]).await;
        world
            .until("the refund", || async {
                world.number("select count(*) from refund where state = 'succeeded'").await == Some(1)
            })
            .await;

        next_morning(&world).await;

        assert_eq!(days(&world).await, [(DAY.to_owned(), 3, 3)]);
        assert_eq!(cases(&world).await, []);
        assert_eq!(world.count("bill").await, 2);
        assert_eq!(world.count("bill_line").await, 6);
        // No payer stands in what is kept.
        let payers = world
            .number("select count(*) from bill_line where business_no like 'o%' or out_trade_no like 'o%'");
        assert_eq!(payers.await, Some(0));
        world.sound().await;
    }
}

#[tokio::test]
async fn c79_each_planted_difference_becomes_a_case_once_and_two_people_do_not_take_it() {
    for (plan, kind) in [
        ("leave_out", pb::case::Kind::MissingThere),
        ("double", pb::case::Kind::DuplicateLine),
        ("amount", pb::case::Kind::Amount),
        ("revoke", pb::case::Kind::Status),
        ("stranger", pb::case::Kind::ForeignMerchant),
        ("invent", pb::case::Kind::MissingHere),
    ] {
        let world = World::new(kind_of(plan), "hunan_zhuzhou", Some("zhuzhou_demo")).await;
        let (_, orders) = two_paid(&world).await;
        let order = if plan == "invent" { "STRANGE0001" } else { orders[0].as_str() };
        plant(&world, plan, order).await;

        next_morning(&world).await;

        let found = cases(&world).await;
        let seen: Vec<_> = found.iter().map(|one| (one.kind(), one.subject.as_str(), one.state())).collect();
        assert_eq!(seen, [(kind, order, pb::case::State::Open)], "{plan}");
        let again = pb::ReconcileDayRequest { district_id: world.district.to_string(), day: DAY.to_owned() };
        let answer = bureau(&world, 6).reconcile_day(again).await.unwrap().into_inner();
        assert_eq!((answer.reconciliations.len(), answer.waiting_count), (1, 1), "{plan}");
        assert_eq!(cases(&world).await, found, "the same file again changes nothing: {plan}");
        assert_eq!(world.count("bill").await, 2, "{plan}");

        let take = |request_id: String| pb::TakeCaseRequest { request_id, case_id: found[0].id.clone() };
        let resolve = |note: &str| pb::ResolveCaseRequest {
            request_id: world.request_id(),
            case_id: found[0].id.clone(),
            note: note.to_owned(),
        };
        let early = bureau(&world, 6).resolve_case(resolve("x")).await.unwrap_err();
        assert_eq!(reason(&early), "CASE_NOT_TAKEN");
        let request_id = world.request_id();
        for _ in 0..2 {
            let taken = bureau(&world, 6).take_case(take(request_id.clone())).await.unwrap().into_inner();
            assert_eq!(taken.case.unwrap().state(), pb::case::State::Taken);
        }
        let other = bureau(&world, 7).take_case(take(world.request_id())).await.unwrap_err();
        assert_eq!(reason(&other), "CASE_TAKEN");
        let empty = bureau(&world, 6).resolve_case(resolve(" ")).await.unwrap_err();
        assert!(format!("{empty:?}").contains("note"), "{empty:?}");
        let resolved = bureau(&world, 6).resolve_case(resolve("已与微信核对")).await.unwrap().into_inner();
        let case = resolved.case.unwrap();
        assert_eq!((case.state(), case.note.as_str()), (pb::case::State::Resolved, "已与微信核对"));
        let late = bureau(&world, 7).take_case(take(world.request_id())).await.unwrap_err();
        assert_eq!(reason(&late), "CASE_RESOLVED");
        world.sound().await;
    }
}

/// Each database sees half of the plans.
fn kind_of(plan: &str) -> shared::db::Kind {
    if plan.len().is_multiple_of(2) { shared::db::Kind::Postgres } else { shared::db::Kind::Sqlite }
}

#[tokio::test]
async fn c79_a_payment_nobody_told_us_of_is_settled_from_the_bill_by_the_one_way_there_is() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(Basis::ClassHour, 500).await;
        let seat = world.hold(world.family().await, section).await;
        let order = world.pay(seat).await.unwrap().out_trade_no;
        world.close(seat).await.unwrap();
        // The money was on its way when the order closed, and the word of it never came.
        world.fault(FaultTarget::Notify, FaultKind::Lose, 1_000).await;
        assert_eq!(world.wechat(&format!("late-success/{order}"), Some(json!({}))).await.0, 200);

        next_morning(&world).await;

        let found = cases(&world).await;
        let seen: Vec<_> = found.iter().map(|one| (one.kind(), one.subject.as_str(), one.state())).collect();
        assert_eq!(seen, [(pb::case::Kind::MissingHere, order.as_str(), pb::case::State::Repaired)]);
        assert_eq!(days(&world).await, [(DAY.to_owned(), 1, 1)]);
        let paid = "select count(*) from payment where state in ('succeeded', 'surplus')";
        assert_eq!(world.number(paid).await, Some(1));
        world.sound().await;
    }
}

#[tokio::test]
async fn c79_a_bill_that_was_altered_or_cut_is_not_taken_and_another_one_of_the_same_day_is_refused() {
    for world in zhuzhou().await {
        let (_, orders) = two_paid(&world).await;
        // The job's own try meets the first of them.
        world.fault(FaultTarget::Bill, FaultKind::Alter, 1).await;
        world.clock.advance(TimeDelta::hours(25) + TimeDelta::minutes(1));
        world.until("the altered bill to be met", || async { world.fired().await == 1 }).await;
        world.fault(FaultTarget::Bill, FaultKind::Truncate, 1).await;
        let day = |day: &str| pb::ReconcileDayRequest {
            district_id: world.district.to_string(),
            day: day.to_owned(),
        };

        let cut = bureau(&world, 6).reconcile_day(day(DAY)).await.unwrap_err();
        assert_eq!(reason(&cut), "BILL_UNREADABLE");
        assert_eq!((world.count("bill").await, world.count("reconciliation").await), (0, 0));

        let taken = bureau(&world, 6).reconcile_day(day(DAY)).await.unwrap().into_inner();
        assert_eq!(taken.reconciliations[0].matched_count, 2);
        plant(&world, "leave_out", &orders[0]).await;
        let other = bureau(&world, 6).reconcile_day(day(DAY)).await.unwrap_err();
        assert_eq!(reason(&other), "BILL_CHANGED");
        assert_eq!(cases(&world).await, []);

        let today = bureau(&world, 6).reconcile_day(day("2026-08-31")).await.unwrap_err();
        assert!(format!("{today:?}").contains("day"), "{today:?}");
        let nonsense = pb::ReconcileDayRequest { district_id: "x".to_owned(), day: "y".to_owned() };
        let nonsense = bureau(&world, 6).reconcile_day(nonsense).await.unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&nonsense).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["district_id", "day"]);
    }
}

#[tokio::test]
async fn c79_kept_bills_cannot_be_changed_and_another_district_sees_nothing() {
    for world in zhuzhou().await {
        two_paid(&world).await;
        next_morning(&world).await;

        for change in ["update bill set sha1 = 'x'", "delete from bill_line", "delete from bill"] {
            assert!(world.try_execute(change).await.is_err(), "{change} on {}", world.db.kind());
        }
        let other = pb::ListCasesRequest { district_id: world.request_id(), ..Default::default() };
        let refused = bureau(&world, 6).list_cases(other).await.unwrap_err();
        assert_eq!(reason(&refused), "DISTRICT_NOT_FOUND");
    }
}
