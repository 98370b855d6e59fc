//! Cost sheets: written by a school, approved by the bureau, and there before a price that rests on one.

use proto::billing::v1 as pb;
use proto::billing::v1::cost_sheet::State;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;
use shared::status::violations_of;
use uuid::Uuid;

use crate::world::{World, each, fact, reason, zhuzhou};

pub fn sheet(world: &World, section: Option<Uuid>) -> pb::SubmitCostSheetRequest {
    let item = |name: &str, amount_fen| pb::cost_sheet::Item { name: name.to_owned(), amount_fen };
    pb::SubmitCostSheetRequest {
        request_id: world.request_id(),
        term_id: world.term.to_string(),
        section_id: section.map(|id| id.to_string()).unwrap_or_default(),
        items: vec![item("教师课时补助", 900_000), item("水电耗材", 100_000)],
        pupil_count: 40,
    }
}

pub fn decision(world: &World, id: &str, reason: &str) -> pb::DecideCostSheetRequest {
    pb::DecideCostSheetRequest {
        request_id: world.request_id(),
        cost_sheet_id: id.to_owned(),
        approved: reason.is_empty(),
        reason: reason.to_owned(),
    }
}

/// A sheet of the school's service, or of a section, submitted and approved.
pub async fn approve_sheet(world: &World, section: Option<Uuid>) {
    let answer = world.prices(1, Role::SchoolFinance).submit_cost_sheet(sheet(world, section)).await.unwrap();
    let id = answer.into_inner().cost_sheet.unwrap().id;
    world.prices(2, Role::BureauFinance).decide_cost_sheet(decision(world, &id, "")).await.unwrap();
}

async fn anji() -> Vec<World> {
    each("zhejiang_anji", Some("anji_test")).await
}

fn price(world: &World) -> pb::PublishTariffRequest {
    let end_slots = vec![pb::EndSlot { end_time: "17:00".to_owned(), amount_fen: 5_000 }];
    pb::PublishTariffRequest { end_slots, ..world.tariff(Basis::SlotMonth, 0) }
}

#[tokio::test]
async fn c78_where_a_price_rests_on_a_cost_sheet_none_is_published_before_one_is_approved() {
    for world in anji().await {
        world.heard().await;
        let mut school = world.staff(1, Role::SchoolFinance);
        let refused = school.publish_tariff(price(&world)).await.unwrap_err();
        assert_eq!(reason(&refused), "COST_SHEET_REQUIRED");
        assert_eq!(fact(&refused, "key"), "cost_accounting_required");
        assert!(fact(&refused, "clause_source").contains(":79"), "{}", fact(&refused, "clause_source"));

        let written = world.prices(1, Role::SchoolFinance).submit_cost_sheet(sheet(&world, None)).await;
        let written = written.unwrap().into_inner().cost_sheet.unwrap();
        assert_eq!((written.total_fen, written.state()), (1_000_000, State::Submitted));
        assert_eq!(reason(&school.publish_tariff(price(&world)).await.unwrap_err()), "COST_SHEET_REQUIRED");

        let mut bureau = world.prices(2, Role::BureauFinance);
        let approved =
            bureau.decide_cost_sheet(decision(&world, &written.id, "")).await.unwrap().into_inner();
        assert_eq!(approved.cost_sheet.unwrap().state(), State::Approved);
        school.publish_tariff(price(&world)).await.unwrap();
    }
    for world in zhuzhou().await {
        // Nobody asks for one here.
        world.publish(Basis::ClassHour, 500).await;
    }
}

#[tokio::test]
async fn c78_a_sheet_is_decided_by_another_person_once_and_a_rejected_one_may_be_written_anew() {
    for world in anji().await {
        world.heard().await;
        let mut school = world.prices(1, Role::SchoolFinance);
        let mut bureau = world.prices(2, Role::BureauOfficer);
        let request = sheet(&world, None);
        let first = school.submit_cost_sheet(request.clone()).await.unwrap().into_inner();
        assert_eq!(school.submit_cost_sheet(request).await.unwrap().into_inner(), first);
        let id = first.cost_sheet.unwrap().id;
        let second = school.submit_cost_sheet(sheet(&world, None)).await.unwrap_err();
        assert_eq!(reason(&second), "COST_SHEET_PENDING");

        let own = world.prices(1, Role::BureauFinance).decide_cost_sheet(decision(&world, &id, "")).await;
        assert_eq!(reason(&own.unwrap_err()), "SECOND_PERSON_REQUIRED");
        let silent = pb::DecideCostSheetRequest { approved: false, ..decision(&world, &id, "") };
        assert_eq!(reason(&bureau.decide_cost_sheet(silent).await.unwrap_err()), "REASON_REQUIRED");
        bureau.decide_cost_sheet(decision(&world, &id, "缺少明细")).await.unwrap();
        let other_way = bureau.decide_cost_sheet(decision(&world, &id, "")).await.unwrap_err();
        assert_eq!(reason(&other_way), "COST_SHEET_DECIDED");
        world.clock.advance(chrono::TimeDelta::seconds(1));
        approve_sheet(&world, None).await;

        let request = pb::ListCostSheetsRequest { term_id: world.term.to_string(), ..Default::default() };
        let listed = school.list_cost_sheets(request).await.unwrap().into_inner().cost_sheets;
        assert_eq!(
            listed.iter().map(pb::CostSheet::state).collect::<Vec<_>>(),
            [State::Approved, State::Rejected]
        );
        assert_eq!(listed[1].rejection_reason, "缺少明细");
    }
}

#[tokio::test]
async fn c78_a_sheet_that_is_none_names_every_field() {
    for world in anji().await {
        world.heard().await;
        let item = pb::cost_sheet::Item { name: String::new(), amount_fen: 0 };
        let wrong = pb::SubmitCostSheetRequest {
            request_id: "x".to_owned(),
            term_id: "y".to_owned(),
            section_id: "z".to_owned(),
            items: vec![item],
            pupil_count: 0,
        };
        let refused = world.prices(1, Role::SchoolFinance).submit_cost_sheet(wrong).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(
            fields,
            ["request_id", "term_id", "section_id", "items[0].name", "items[0].amount_fen", "pupil_count"]
        );
        let elsewhere = sheet(&world, Some(Uuid::from_u128(9)));
        let refused = world.prices(1, Role::SchoolFinance).submit_cost_sheet(elsewhere).await.unwrap_err();
        assert_eq!(reason(&refused), "SECTION_NOT_FOUND");
    }
}
