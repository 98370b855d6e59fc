//! Quotes and invoices: to the fen, over all of a pupil's sections.

use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::invoice::State;
use proto::billing::v1::tariff::Basis;

use crate::world::{jinhua, reason, zhuzhou};

#[tokio::test]
async fn c56_a_day_of_three_class_hours_is_cut_to_the_days_ceiling() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 1), (1, 16, 1), (1, 17, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;

        let quote = world.quote(family, &[section]).await.unwrap();

        let day = &quote.week[0];
        assert_eq!((day.class_hour_count, day.before_cap_fen, day.charged_fen), (3, 1_500, 1_000));
        assert_eq!(day.date, "2026-09-07");
        assert_eq!(quote.week_total_fen, 1_000);
        assert_eq!(quote.amount_fen, 4_000);
        assert!(quote.clauses.iter().any(|clause| clause.key == "parent_fee_cap_fen_per_day"));
    }
}

#[tokio::test]
async fn c56_a_week_of_1_2_3_2_1_class_hours_costs_40_yuan_over_two_sections() {
    for world in zhuzhou().await {
        let one = world.section(&[(1, 15, 1), (2, 15, 2), (3, 15, 1)]).await;
        let other = world.section(&[(3, 16, 2), (4, 15, 2), (5, 15, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;

        let quote = world.quote(family, &[one, other]).await.unwrap();

        let charged: Vec<_> = quote.week.iter().map(|day| day.charged_fen).collect();
        assert_eq!(charged, [500, 1_000, 1_000, 1_000, 500]);
        assert_eq!(quote.week_total_fen, 4_000);
        // What each adds comes to the same: Wednesday's ceiling is over both.
        let first = world.hold(family, one).await;
        let second = world.hold(family, other).await;
        let sum = world.invoice(first).await.amount_fen + world.invoice(second).await.amount_fen;
        assert_eq!(sum, quote.term_total_fen);
        assert_eq!(world.quote(family, &[one, other]).await.unwrap().amount_fen, 0);
        world.sound().await;
    }
}

#[tokio::test]
async fn c55_a_term_fee_is_charged_once_for_two_sections() {
    for world in jinhua().await {
        let one = world.section(&[(1, 15, 2)]).await;
        let other = world.section(&[(2, 15, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::Term, 50_000).await;
        assert_eq!(world.quote(family, &[one, other]).await.unwrap().amount_fen, 50_000);

        let first = world.hold(family, one).await;
        let second = world.hold(family, other).await;
        assert_eq!(world.invoice(first).await.amount_fen, 50_000);
        assert_eq!(world.invoice(second).await.amount_fen, 0);
        assert_eq!(reason(&world.pay(second).await.unwrap_err()), "NOTHING_TO_PAY");

        world.pay_and_settle(first).await;

        assert_eq!(world.invoice(second).await.state(), State::Settled);
        assert_eq!(world.told(second).await, ["invoice_settled"]);
        assert_eq!(world.orders().await.len(), 1);
        world.sound().await;
    }
}

#[tokio::test]
async fn a_place_is_not_kept_by_letting_the_one_that_is_paid_for_expire() {
    for world in jinhua().await {
        let one = world.section(&[(1, 15, 2)]).await;
        let other = world.section(&[(2, 15, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::Term, 50_000).await;
        let first = world.hold(family, one).await;
        let second = world.hold(family, other).await;
        assert_eq!(world.invoice(second).await.state(), State::Open);

        assert_eq!(world.close(first).await.unwrap(), Outcome::Closed);

        let invoice = world.invoice(second).await;
        assert_eq!((invoice.state(), invoice.amount_fen), (State::Open, 50_000));
        world.pay_and_settle(second).await;
        world.sound().await;
    }
}

#[tokio::test]
async fn days_off_and_the_terms_ends_are_not_charged() {
    for world in zhuzhou().await {
        let family = world.family().await;
        let pin = crate::world::PACKS.policy("hunan_zhuzhou", Some("zhuzhou_demo")).unwrap().pin();
        let mut other = world;
        other.term = shared::random::uuid(Default::default());
        other.open_term_of(other.term, &pin, "2026-10-01", "2026-10-31", &["2026-10-05"]).await;
        let section = other.section(&[(1, 15, 1)]).await;
        other.publish(Basis::ClassHour, 500).await;

        // Mondays of October 2026: 5 (off), 12, 19, 26.
        assert_eq!(other.quote(family, &[section]).await.unwrap().term_total_fen, 1_500);
    }
}

#[tokio::test]
async fn a_seat_held_before_there_is_a_price_is_priced_when_there_is() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 1)]).await;
        let family = world.family().await;
        let seat = world.hold(family, section).await;
        assert_eq!(reason(&world.pay(seat).await.unwrap_err()), "TARIFF_NOT_PUBLISHED");
        assert_eq!(reason(&world.quote(family, &[section]).await.unwrap_err()), "TARIFF_NOT_PUBLISHED");

        world.publish(Basis::ClassHour, 500).await;

        assert_eq!(world.invoice(seat).await.amount_fen, 2_000);
        world.pay_and_settle(seat).await;
        world.sound().await;
    }
}

#[tokio::test]
async fn a_quote_of_what_is_not_known_or_of_two_terms_is_refused() {
    for world in zhuzhou().await {
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        let unknown = shared::random::uuid(Default::default());
        assert_eq!(reason(&world.quote(family, &[unknown]).await.unwrap_err()), "SECTION_NOT_FOUND");
        assert_eq!(reason(&world.quote(family, &[]).await.unwrap_err()), "INVALID_FIELDS");

        let stranger = world.family().await;
        let section = world.section(&[(1, 15, 1)]).await;
        world.heard().await;
        let request = proto::billing::v1::GetQuoteRequest {
            pupil_id: stranger.pupil.to_string(),
            section_ids: vec![section.to_string()],
        };
        let refused = world.guardian(family).get_quote(request).await.unwrap_err();
        assert_eq!(reason(&refused), "PUPIL_NOT_FOUND");
    }
}
