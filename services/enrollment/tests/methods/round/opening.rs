//! OpenRound of drawn rounds; ExtendRound, CancelRound.

use proto::enrollment::v1::{
    OpenRoundRequest, SeatReserve, SectionRule, Siblings, Tier, round, round_change,
};
use shared::caller::Role;
use shared::status::violations_of;

use super::stage::{Stage, beacon, on, opening};
use crate::support::{FREE, Menu, on_each, reason};

#[tokio::test]
async fn a_drawn_round_shows_what_it_is_drawn_by() {
    on_each(|world| async move {
        let care = Menu { basic_care: true, ..on(1, 9) };
        let stage = Stage::open(
            world,
            FREE,
            &[on(1, 2), Menu { start_time: "16:30", end_time: "17:30", ..on(1, 2) }, on(2, 2), care],
            0,
        )
        .await;

        let round = stage.round().await;

        let settings = round.draw.clone().unwrap();
        assert_eq!((round.mode(), round.state()), (round::Mode::Ranked, round::State::Opened));
        assert_eq!((settings.siblings(), settings.sources.clone()), (Siblings::Apart, vec![beacon()]));
        let slots: Vec<_> =
            settings.slots.iter().map(|slot| (slot.code.as_str(), slot.section_ids.len())).collect();
        assert_eq!(slots, [("周一 16:00-17:30", 2), ("周二 16:00-17:00", 1)]);
        assert_eq!(settings.sections.len(), 3);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn settings_that_break_a_rule_are_refused_by_field() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let section_id = world.section(term_id, on(1, 5)).await;
        let ask = opening(&world, term_id);
        let mut weak = beacon();
        weak.bits = 127;
        let rule = SectionRule {
            section_id: section_id.to_string(),
            tiers: vec![Tier { groups: vec!["left_behind".to_owned()] }],
            reserves: vec![SeatReserve { group: "left_behind".to_owned(), seat_count: 6 }],
        };
        let bad_group = SectionRule {
            tiers: vec![Tier { groups: vec!["留守".to_owned()] }],
            reserves: vec![],
            ..rule.clone()
        };
        let unknown = SectionRule { section_id: term_id.to_string(), tiers: vec![], reserves: vec![] };
        let first_come = OpenRoundRequest { mode: round::Mode::FirstCome.into(), ..ask.clone() };
        let table = [
            (OpenRoundRequest { sources: vec![weak], ..ask.clone() }, "sources"),
            (OpenRoundRequest { sources: vec![], ..ask.clone() }, "sources"),
            (OpenRoundRequest { sections: vec![rule], ..ask.clone() }, "sections[0].reserves"),
            (OpenRoundRequest { sections: vec![bad_group], ..ask.clone() }, "sections[0].tiers[0].groups[0]"),
            (OpenRoundRequest { sections: vec![unknown], ..ask.clone() }, "sections[0].section_id"),
            (first_come, "sources"),
        ];
        for (request, field) in table {
            let request = OpenRoundRequest { request_id: world.request_id(), ..request };
            let refused = world.staff(Role::Principal).open_round(request).await.unwrap_err();
            let fields: Vec<_> = violations_of(&refused).list().iter().map(|v| v.field.clone()).collect();
            assert_eq!(fields, [field], "{refused:?}");
        }
        let ids = OpenRoundRequest { round_id: world.request_id(), ..ask };
        let opened = world.staff(Role::Principal).open_round(ids.clone()).await.unwrap().into_inner();
        assert_eq!(opened.round.unwrap().id, ids.round_id);
        let again = OpenRoundRequest { request_id: world.request_id(), ..ids };
        let refused = world.staff(Role::Principal).open_round(again).await.unwrap_err();
        assert_eq!(reason(&refused), "ROUND_ID_USED");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_round_is_extended_with_a_reason_that_families_read() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2)], 1).await;
        let mut office = stage.as_staff(Role::TeachingOffice);

        let longer = stage.extending(5);
        let extended = office.extend_round(longer.clone()).await.unwrap().into_inner();
        let again = office.extend_round(longer).await.unwrap().into_inner();
        let refused = office.extend_round(stage.extending(5)).await.unwrap_err();

        assert_eq!(extended, again);
        assert_eq!(reason(&refused), "NOT_LATER");
        let round = stage.round().await;
        assert_eq!(Some(round.clone()), extended.round);
        assert_eq!(round.changes.len(), 1);
        assert_eq!(
            (round.changes[0].kind(), round.changes[0].reason.as_str()),
            (round_change::Kind::Extended, "系统繁忙")
        );
        // The old moment does not close it.
        stage.world.clock.set(stage.closes_at);
        stage.wish(0, &[&[0]]).await;
        assert_eq!(stage.told().await, ["round_extended"]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_round_called_off_gives_back_what_it_had_promised() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2)], 2).await;
        stage.wish(0, &[&[0]]).await;
        stage.close().await;
        let mut principal = stage.as_staff(Role::Principal);

        let refused =
            stage.as_staff(Role::TeachingOffice).cancel_round(stage.cancelling()).await.unwrap_err();
        let cancelled = principal.cancel_round(stage.cancelling()).await.unwrap().into_inner();
        let again = principal.cancel_round(stage.cancelling()).await.unwrap().into_inner();

        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        assert_eq!(cancelled, again);
        assert_eq!(cancelled.round.unwrap().state(), round::State::Cancelled);
        let refused = principal.draw_round(stage.drawing()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROUND_CANCELLED");
        assert_eq!(stage.told().await, ["lists_closed", "round_cancelled"]);
        stage.world.open_round(stage.term_id).await;
        stage.world.apply(&stage.families[1], stage.sections[0]).await;
        stage.world.end().await;
    })
    .await;
}
