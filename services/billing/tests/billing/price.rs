//! Quotes and invoices: to the fen, over all of a pupil's sections.

use proto::billing::v1 as pb;
use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::invoice::State;
use proto::billing::v1::tariff::Basis;

use crate::waiver::grant;
use crate::world::{World, each, jinhua, reason, zhuzhou};

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

/// The amounts a sentence names, in fen, in order; what it rests on left out.
fn amounts(sentence: &pb::Sentence) -> Vec<i64> {
    let said = sentence.text_zh.split("。依据").next().unwrap();
    let words = said.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let amount = |word: &str| {
        let (yuan, fen) = word.split_once('.')?;
        Some(yuan.parse::<i64>().ok()? * 100 + fen.parse::<i64>().ok()?)
    };
    words.filter_map(amount).collect()
}

/// Adds up what a quote says in words and holds it against its numbers: price − cuts = sum; sum − earlier bills = amount;
/// amount − waiver = what is left. Gives the waiver.
fn add_up(quote: &pb::Quote) -> i64 {
    let all = &quote.explanation;
    let of =
        |word: &str| all.iter().filter(|one| one.text_zh.contains(word)).map(amounts).collect::<Vec<_>>();
    let before = *amounts(&all[0]).last().unwrap();
    let cut: i64 = of("本应").iter().map(|cut| cut[0] - cut.last().unwrap()).sum();
    assert_eq!(before - cut, quote.term_total_fen, "{all:#?}");
    assert_eq!(of("应收"), [vec![quote.term_total_fen]], "{all:#?}");
    let earlier = match of("此前的账单").as_slice() {
        [] => 0,
        [said] => {
            assert_eq!(said.get(1).copied().unwrap_or_default(), quote.amount_fen, "{all:#?}");
            said[0]
        }
        more => panic!("{more:?}"),
    };
    assert_eq!((quote.term_total_fen - earlier).max(0), quote.amount_fen, "{all:#?}");
    let waived = of("减免免去");
    let let_off = waived.iter().map(|said| said[0]).sum();
    if let [said] = waived.as_slice() {
        assert_eq!(said[0] + said[1], quote.amount_fen, "{all:#?}");
    }
    assert!(all.iter().all(|one| !one.text_en.is_empty()), "{all:#?}");
    let_off
}

#[tokio::test]
async fn c55_c56_why_it_is_this_price_adds_up_over_a_first_and_a_second_choice() {
    for world in zhuzhou().await {
        let one = world.section(&[(1, 15, 1), (1, 16, 1), (1, 17, 1), (2, 15, 1)]).await;
        let other = world.section(&[(2, 16, 2), (3, 15, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;

        let both = world.quote(family, &[one, other]).await.unwrap();
        // September 2026: Mondays 7, 14, 21, 28 and Tuesdays 1, 8, 15, 22, 29 are cut.
        assert_eq!(both.explanation.iter().filter(|one| one.text_zh.contains("本应")).count(), 9);
        assert_eq!(add_up(&both), 0);
        assert!(both.explanation[0].source.contains(":74"), "{:?}", both.explanation[0]);

        world.hold(family, one).await;
        let second = world.quote(family, &[other]).await.unwrap();
        assert_eq!((second.term_total_fen, add_up(&second)), (both.term_total_fen, 0));
        assert!(second.amount_fen > 0 && second.amount_fen < both.amount_fen);
        let again = world.quote(family, &[one]).await.unwrap();
        assert_eq!((again.amount_fen, add_up(&again)), (0, 0));
    }
}

#[tokio::test]
async fn c55_a_fee_for_the_term_is_explained_and_a_second_section_adds_nothing() {
    for world in jinhua().await {
        let one = world.section(&[(1, 15, 2)]).await;
        let other = world.section(&[(2, 15, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::Term, 50_000).await;

        let first = world.quote(family, &[one, other]).await.unwrap();
        assert_eq!((first.amount_fen, add_up(&first)), (50_000, 0));

        world.hold(family, one).await;
        let second = world.quote(family, &[other]).await.unwrap();
        assert_eq!((second.amount_fen, add_up(&second)), (0, 0));
        assert!(second.explanation.last().unwrap().text_zh.contains("不再增加"), "{:?}", second.explanation);
    }
}

/// A term of three months by the month: 15 September to 10 November.
async fn autumn(world: &mut World) {
    let pin = crate::world::pin("by_month", None);
    world.term = shared::random::uuid(Default::default());
    world.open_term_of(world.term, &pin, "2026-09-15", "2026-11-10", &[]).await;
}

#[tokio::test]
async fn c55_a_month_costs_120_yuan_whatever_is_chosen_in_it_and_a_month_without_a_lesson_nothing() {
    for mut world in each("by_month", None).await {
        autumn(&mut world).await;
        let tuesdays = world.section(&[(2, 15, 1)]).await;
        let daily = world.section(&[(1, 16, 2), (3, 16, 2)]).await;
        let family = world.family().await;
        world.publish(Basis::Month, 12_000).await;

        let quote = world.quote(family, &[tuesdays, daily]).await.unwrap();
        assert_eq!((quote.amount_fen, add_up(&quote)), (36_000, 0));
        assert!(quote.week.is_empty() && quote.week_total_fen == 0);
        assert!(quote.explanation[0].text_zh.contains("3 个月"), "{:?}", quote.explanation[0]);

        let first = world.hold(family, tuesdays).await;
        world.pay_and_settle(first).await;
        let second = world.hold(family, daily).await;
        assert_eq!(world.invoice(second).await.amount_fen, 0);
        let again = world.quote(family, &[daily]).await.unwrap();
        assert_eq!((again.amount_fen, add_up(&again)), (0, 0));

        // Given back in October: September and October have had lessons, November goes back.
        world.withdraw(second).await;
        world.clock.set(shared::testing::moment("2026-10-10T12:00:00+08:00"));
        assert_eq!(world.refund_quote(first).await.unwrap(), 12_000);
        world.withdraw(first).await;
        crate::refund::arrived(&world, family, 1).await;
        assert_eq!(world.refunds(family).await[0].amount_fen, 12_000);
        world.sound().await;
    }
}

#[tokio::test]
async fn c55_c56_a_day_costs_its_price_once_and_never_more_than_its_class_hours_may() {
    for world in zhuzhou().await {
        // Two class hours on Mondays over two sections; one on Tuesdays.
        let one = world.section(&[(1, 15, 1), (2, 15, 1)]).await;
        let other = world.section(&[(1, 16, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::Day, 800).await;

        let quote = world.quote(family, &[one, other]).await.unwrap();

        let week: Vec<_> = quote.week.iter().map(|day| (day.before_cap_fen, day.charged_fen)).collect();
        assert_eq!(week, [(800, 800), (800, 500)]);
        assert_eq!(add_up(&quote), 0);
        let first = world.hold(family, one).await;
        let second = world.hold(family, other).await;
        let sum = world.invoice(first).await.amount_fen + world.invoice(second).await.amount_fen;
        assert_eq!(sum, quote.amount_fen);
        world.sound().await;
    }
}

#[tokio::test]
async fn c62_a_waiver_in_force_is_told_to_the_child_s_own_family_beside_a_price_that_stays_what_it_is() {
    for world in zhuzhou().await {
        let one = world.section(&[(1, 15, 3)]).await;
        let other = world.section(&[(2, 15, 1)]).await;
        let (family, neighbour) = (world.family().await, world.family().await);
        world.publish(Basis::ClassHour, 500).await;
        grant(&world, family).await;

        let waived = world.quote(family, &[one, other]).await.unwrap();
        let plain = world.quote(neighbour, &[one, other]).await.unwrap();

        assert_eq!((waived.amount_fen, plain.amount_fen), (6_500, 6_500));
        assert_eq!((add_up(&waived), add_up(&plain)), (6_500, 0));
        let said = &waived.explanation.last().unwrap().text_zh;
        assert!(said.contains("还需支付 0.00 元"), "{said}");
        assert_eq!(waived.explanation[..plain.explanation.len()], plain.explanation);
    }
}

#[tokio::test]
async fn c59_where_the_service_is_free_the_quote_says_so_in_words() {
    for world in each("hebei_shahe", Some("shahe_demo")).await {
        let section = world.section(&[(1, 15, 1)]).await;
        let family = world.family().await;
        world.heard().await;

        let quote = world.quote(family, &[section]).await.unwrap();

        assert!(quote.free_of_charge && quote.amount_fen == 0);
        let [sentence] = quote.explanation.as_slice() else { panic!("{:?}", quote.explanation) };
        assert!(sentence.text_zh.contains("不用交费") && !sentence.source.is_empty(), "{sentence:?}");
    }
}

#[tokio::test]
async fn c58_a_choice_above_the_ceiling_of_the_term_is_refused_and_a_seat_held_for_it_is_never_billed() {
    for world in each("capped_term", None).await {
        // Four Mondays and five Tuesdays of September: 20 and 25 class hours × 5 yuan.
        let one = world.section(&[(1, 15, 2)]).await;
        let other = world.section(&[(2, 15, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        assert_eq!(world.quote(family, &[one]).await.unwrap().amount_fen, 4_000);

        let refused = world.quote(family, &[one, other]).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), crate::world::fact(&refused, "limit_fen").as_str()),
            ("CEILING_EXCEEDED", "6000")
        );

        let first = world.hold(family, one).await;
        let second = world.hold(family, other).await;
        assert_eq!(world.invoice(second).await.amount_fen, 0);
        assert_eq!(world.invoice(second).await.state(), State::Open);
        assert!(world.pay(second).await.is_err());
        // The feed goes on: others are billed, and what may be paid is paid.
        world.pay_and_settle(first).await;
        let neighbour = world.family().await;
        let third = world.hold(neighbour, other).await;
        assert_eq!(world.invoice(third).await.amount_fen, 2_500);
        world.sound().await;
    }
}
