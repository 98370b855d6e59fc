//! Courses with a price of their own, and the ceiling over all of them in a term.

use proto::billing::v1 as pb;
use proto::billing::v1::invoice::State;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;
use shared::status::violations_of;
use shared::testing::told;
use uuid::Uuid;

use crate::cost_sheet::approve_sheet;
use crate::world::{World, each, fact, jinhua, reason};

fn price(world: &World, section: Uuid, amount_fen: i64) -> pb::PublishSectionPriceRequest {
    pb::PublishSectionPriceRequest {
        request_id: world.request_id(),
        section_id: section.to_string(),
        amount_fen,
        approval_document: String::new(),
    }
}

/// A section with a price of its own.
async fn course(world: &World, weekday: i32, amount_fen: i64) -> Uuid {
    let section = world.section(&[(weekday, 16, 1)]).await;
    world.heard().await;
    approve_sheet(world, Some(section)).await;
    world
        .prices(1, Role::SchoolFinance)
        .publish_section_price(price(world, section, amount_fen))
        .await
        .unwrap();
    section
}

#[tokio::test]
async fn c58_two_courses_of_350_and_250_yuan_are_the_ceiling_of_600_and_one_fen_more_is_refused() {
    for world in each("anhui_hefei", Some("hefei_test")).await {
        let one = course(&world, 1, 35_000).await;
        let other = course(&world, 2, 25_000).await;
        let dear = course(&world, 3, 25_001).await;
        let family = world.family().await;
        world.heard().await;

        let quote = world.quote(family, &[one, other]).await.unwrap();
        assert_eq!((quote.amount_fen, quote.term_total_fen), (60_000, 60_000));
        let said: Vec<_> = quote.explanation.iter().map(|one| one.text_zh.as_str()).collect();
        assert!(said.iter().filter(|said| said.contains("按学期收费")).count() == 2, "{said:?}");
        assert!(said.last().unwrap().contains("应收 600.00 元"), "{said:?}");
        let refused = world.quote(family, &[one, dear]).await.unwrap_err();
        assert_eq!(reason(&refused), "CEILING_EXCEEDED");
        assert_eq!(fact(&refused, "key"), "personalised_course_parent_cap_fen_per_term");
        assert_eq!(fact(&refused, "limit_fen"), "60000");

        let first = world.hold(family, one).await;
        assert_eq!(world.invoice(first).await.amount_fen, 35_000);
        world.pay_and_settle(first).await;
        // At the charge billing judges again: what is above the ceiling asks for nothing, and its hold ends.
        let above = world.hold(family, dear).await;
        assert_eq!(
            (world.invoice(above).await.state(), world.invoice(above).await.amount_fen),
            (State::Open, 0)
        );
        assert!(world.pay(above).await.is_err());
        let second = world.hold(family, other).await;
        assert_eq!(world.invoice(second).await.amount_fen, 25_000);
        world.pay_and_settle(second).await;

        // Given back before its first lesson, its own price goes back.
        world.withdraw(first).await;
        crate::refund::arrived(&world, family, 1).await;
        assert_eq!(world.refunds(family).await[0].amount_fen, 35_000);
        world.sound().await;
    }
}

#[tokio::test]
async fn c58_a_third_course_of_100_yuan_and_a_fen_after_200_yuan_is_refused() {
    for world in each("jiangsu", Some("jiangsu_test")).await {
        let mut sections = Vec::new();
        for (weekday, amount) in [(1, 10_000), (2, 10_000), (3, 10_001), (4, 10_000)] {
            sections.push(course(&world, weekday, amount).await);
        }
        let family = world.family().await;
        world.heard().await;

        let refused = world.quote(family, &sections[..3]).await.unwrap_err();
        assert_eq!(
            (reason(&refused), fact(&refused, "limit_fen")),
            ("CEILING_EXCEEDED".to_owned(), "30000".to_owned())
        );
        let fits = [sections[0], sections[1], sections[3]];
        assert_eq!(world.quote(family, &fits).await.unwrap().amount_fen, 30_000);
    }
}

#[tokio::test]
async fn c58_a_price_above_the_ceiling_without_a_cost_sheet_or_where_the_region_knows_none_is_not_published()
{
    for world in each("anhui_hefei", Some("hefei_test")).await {
        let section = world.section(&[(1, 16, 1)]).await;
        world.heard().await;
        let mut client = world.prices(1, Role::Principal);
        let without = client.publish_section_price(price(&world, section, 60_000)).await.unwrap_err();
        assert_eq!(reason(&without), "COST_SHEET_REQUIRED");
        // A sheet of the school is none of the course.
        approve_sheet(&world, None).await;
        let without = client.publish_section_price(price(&world, section, 60_000)).await.unwrap_err();
        assert_eq!(reason(&without), "COST_SHEET_REQUIRED");
        approve_sheet(&world, Some(section)).await;
        let above = client.publish_section_price(price(&world, section, 60_001)).await.unwrap_err();
        assert_eq!(reason(&above), "CEILING_EXCEEDED");

        let request = price(&world, section, 60_000);
        let first = client.publish_section_price(request.clone()).await.unwrap().into_inner();
        assert_eq!(client.publish_section_price(request).await.unwrap().into_inner(), first);
        let again = client.publish_section_price(price(&world, section, 60_000)).await.unwrap_err();
        assert_eq!(reason(&again), "SECTION_PRICE_ALREADY_PUBLISHED");
        let request = pb::GetTariffRequest { term_id: world.term.to_string() };
        let shown = world.anonymous().get_tariff(request).await.unwrap().into_inner();
        assert_eq!(shown.section_prices, [first.section_price.unwrap()]);
        assert!(shown.tariff.is_none() && shown.clauses.len() == 1, "{shown:?}");
        let events = told::<pb::Event>(&world.db).await;
        let Some((name, subject, event)) = events.last() else { panic!("nothing told") };
        assert_eq!((name.as_str(), *subject), ("section_priced", section));
        let Some(pb::event::Kind::SectionPriced(priced)) = &event.kind else { panic!("{event:?}") };
        assert_eq!((priced.price_fen, priced.ceiling_fen), (60_000, 60_000));

        let wrong = pb::PublishSectionPriceRequest {
            approval_document: "长".repeat(65),
            ..pb::PublishSectionPriceRequest::default()
        };
        let refused = client.publish_section_price(wrong).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["request_id", "section_id", "amount_fen", "approval_document"]);
    }
    for world in jinhua().await {
        // An average limits nobody, and nothing is said of single courses.
        let section = world.section(&[(1, 16, 1)]).await;
        world.heard().await;
        let refused = world
            .prices(1, Role::Principal)
            .publish_section_price(price(&world, section, 100))
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "POLICY_SILENT");
    }
}

#[tokio::test]
async fn c58_a_section_that_families_were_billed_for_gets_no_price_of_its_own() {
    for world in each("jiangsu", Some("jiangsu_test")).await {
        let one = world.section(&[(1, 16, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::Term, 20_000).await;
        world.hold(family, one).await;

        let mut client = world.prices(1, Role::Principal);
        let refused = client.publish_section_price(price(&world, one, 100)).await.unwrap_err();

        assert_eq!(reason(&refused), "SECTION_BILLED_ALREADY");
        // Beside the fee standard the ceiling is over both.
        let own = course(&world, 2, 10_000).await;
        let dear = course(&world, 3, 10_001).await;
        world.heard().await;
        assert_eq!(world.quote(family, &[own]).await.unwrap().term_total_fen, 30_000);
        assert_eq!(reason(&world.quote(family, &[dear]).await.unwrap_err()), "CEILING_EXCEEDED");
    }
}
