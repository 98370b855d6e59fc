//! `AddSlots`, `ListSlots`.

use proto::catalog::v1::slot::Kind::{Afternoon, EarlyArrival, EveningStudy, Extended, Noon};
use proto::catalog::v1::{AddSlotsRequest, ListSlotsRequest, NewSlot, Slot, Term};
use tonic::Code;

use crate::world::*;

async fn listed(world: &World, term: &Term) -> Vec<Slot> {
    let request = ListSlotsRequest { term_id: term.id.clone() };
    world.anyone().list_slots(request).await.unwrap().into_inner().slots
}

#[tokio::test]
async fn slots_are_added_all_or_none_and_listed_by_weekday_and_start() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let good = [
            slot(2, Afternoon, "16:00", "17:00"),
            slot(1, Afternoon, "17:00", "18:00"),
            slot(1, Afternoon, "16:00", "17:00"),
        ];
        let request = add_slots(&term, &good, "");

        let added = world.principal().add_slots(request.clone()).await.unwrap().into_inner();
        let again = world.principal().add_slots(request).await.unwrap().into_inner();

        assert_eq!(again, added);
        let starts = |slots: &[Slot]| {
            slots.iter().map(|slot| (slot.weekday, slot.start_time.clone())).collect::<Vec<_>>()
        };
        let at = |weekday, start: &str| (weekday, start.to_owned());
        assert_eq!(starts(&added.slots), [at(2, "16:00"), at(1, "17:00"), at(1, "16:00")]);
        assert_eq!(starts(&listed(&world, &term).await), [at(1, "16:00"), at(1, "17:00"), at(2, "16:00")]);
        assert!(added.flags.is_empty());

        // One that is there already keeps the new one out, too.
        let half_new = [slot(3, Afternoon, "16:00", "17:00"), slot(1, Afternoon, "16:00", "17:00")];
        let refused = world.principal().add_slots(add_slots(&term, &half_new, "")).await.unwrap_err();
        assert_eq!(fact(&refused, "slot_index"), "1");
        assert_eq!(rule::<()>(Err(refused)), "SLOT_DUPLICATE");
        assert_eq!(listed(&world, &term).await.len(), 3);
        world.end().await;
    }
}

#[tokio::test]
async fn the_same_slots_sent_at_once_are_added_once() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        for weekday in 1..=5 {
            let tasks: Vec<_> = (0..12)
                .map(|_| {
                    let mut principal = world.principal();
                    let request = add_slots(&term, &[slot(weekday, Afternoon, "16:00", "17:00")], "");
                    tokio::spawn(async move { principal.add_slots(request).await })
                })
                .collect();
            let mut added = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(_) => added += 1,
                    Err(status) => assert_eq!(rule::<()>(Err(status)), "SLOT_DUPLICATE"),
                }
            }
            assert_eq!(added, 1);
        }
        assert_eq!(listed(&world, &term).await.len(), 5);
        world.end().await;
    }
}

#[tokio::test]
async fn c06_parts_of_the_day_outside_the_service_are_refused_and_unnamed_ones_flagged() {
    for world in worlds("soft_floor", "").await {
        let term = world.term().await;
        for kind in [EarlyArrival, Noon, EveningStudy] {
            let refused =
                world.principal().add_slots(add_slots(&term, &[slot(1, kind, "12:30", "13:30")], "")).await;
            let refused = refused.unwrap_err();
            assert_eq!(fact(&refused, "key"), "excluded_day_parts");
            assert!(fact(&refused, "clause_zh").contains("测试条文"), "{refused:?}");
            assert_eq!(rule::<()>(Err(refused)), "SLOT_OUT_OF_SCOPE", "{kind:?}");
        }
        world.end().await;
    }
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let term = world.term().await;
        world.slots(&term, &[slot(1, Noon, "14:00", "14:40")]).await;
        let early = add_slots(&term, &[slot(1, EarlyArrival, "07:20", "07:50")], "");
        let added = world.principal().add_slots(early).await.unwrap().into_inner();
        assert_eq!(added.flags, ["PART_NOT_NAMED"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c07_an_afternoon_is_split_into_three_at_most() {
    for world in worlds("soft_floor", "").await {
        let term = world.term().await;
        let [one, two, three, four] =
            [("15:30", "16:10"), ("16:10", "16:50"), ("16:50", "17:30"), ("17:30", "18:00")]
                .map(|(start, end)| slot(1, Afternoon, start, end));

        let all = [one.clone(), two.clone(), three.clone(), four.clone()];
        let refused = world.principal().add_slots(add_slots(&term, &all, "")).await.unwrap_err();
        assert_eq!((fact(&refused, "most"), fact(&refused, "found")), ("3".to_owned(), "4".to_owned()));
        assert_eq!(rule::<()>(Err(refused)), "SLOT_COUNT_EXCEEDED");

        world.slots(&term, &[one, two, three]).await;
        assert_eq!(
            rule(world.principal().add_slots(add_slots(&term, &[four], "")).await),
            "SLOT_COUNT_EXCEEDED"
        );
        // Care after the service is not a part of it.
        world.slots(&term, &[slot(1, Extended, "18:00", "19:00")]).await;
        world.end().await;
    }
}

#[tokio::test]
async fn c08_noon_starts_later_in_summer_unless_the_schools_plan_says_otherwise() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let winter = world.term().await;
        let with_summer = world.term_of(OTHER_SCHOOL, OTHER_TOWN, "2026-09-01", "2027-01-15").await;
        let noon = [slot(1, Noon, "13:30", "14:10")];
        let mut other =
            world.staff(shared::caller::Role::TeachingOffice, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);

        let added = world.principal().add_slots(add_slots(&winter, &noon, "")).await.unwrap().into_inner();
        assert!(added.flags.is_empty());
        assert_eq!(
            rule(
                world.principal().add_slots(add_slots(&winter, &[slot(1, Noon, "12:59", "13:30")], "")).await
            ),
            "SLOT_TOO_EARLY"
        );

        let refused = other.add_slots(add_slots(&with_summer, &noon, "")).await.unwrap_err();
        assert_eq!(fact(&refused, "earliest"), "14:00");
        assert_eq!(rule::<()>(Err(refused)), "SLOT_TOO_EARLY");
        let adjusted = other.add_slots(add_slots(&with_summer, &noon, "一校一策：本校午餐早")).await.unwrap();
        assert_eq!(adjusted.into_inner().flags, ["ADJUSTED_BY_PLAN"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c08_without_season_dates_a_noon_start_between_the_two_cannot_be_judged() {
    for world in worlds("hebei_shahe", "").await {
        let term = world.term().await;
        let refused =
            world.principal().add_slots(add_slots(&term, &[slot(1, Noon, "13:30", "14:10")], "")).await;
        let refused = refused.unwrap_err();
        assert_eq!(fact(&refused, "key"), "winter_from");
        assert_eq!(rule::<()>(Err(refused)), "POLICY_SILENT");
        world.slots(&term, &[slot(1, Noon, "14:00", "14:40")]).await;
        world.end().await;
    }
}

#[tokio::test]
async fn c09_an_end_that_holds_as_a_rule_may_be_missed_with_a_reason_on_record() {
    for world in worlds("soft_floor", "").await {
        let term = world.term().await;
        let early = [slot(1, Afternoon, "16:00", "17:29")];

        let refused = world.principal().add_slots(add_slots(&term, &early, "  ")).await.unwrap_err();
        assert_eq!(fact(&refused, "earliest_end"), "17:30");
        assert_eq!(rule::<()>(Err(refused)), "JUSTIFICATION_REQUIRED");

        let accepted = world.principal().add_slots(add_slots(&term, &early, "末班校车17:35")).await.unwrap();
        assert_eq!(accepted.into_inner().flags, ["END_BEFORE_PRINCIPLE", "TEACHING_END_UNKNOWN"]);
        let on_time = add_slots(&term, &[slot(2, Afternoon, "16:00", "17:30")], "");
        assert_eq!(
            world.principal().add_slots(on_time).await.unwrap().into_inner().flags,
            ["TEACHING_END_UNKNOWN"]
        );
        world.end().await;
    }
}

#[tokio::test]
async fn c09_a_hard_end_binds_the_last_slot_of_a_day_and_no_reason_helps() {
    for world in worlds("hard_floor", "").await {
        let term = world.term().await;
        let early = [slot(1, Afternoon, "16:00", "17:50")];
        let refused = world.principal().add_slots(add_slots(&term, &early, "校车")).await;
        assert_eq!(rule(refused), "SLOT_ENDS_TOO_EARLY");

        world
            .slots(&term, &[slot(1, Afternoon, "16:00", "17:00"), slot(1, Afternoon, "17:00", "18:00")])
            .await;
        world.slots(&term, &early).await;
        world.end().await;
    }
}

#[tokio::test]
async fn c09_office_closing_is_the_districts_to_say() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world.term().await;
        let early = add_slots(&term, &[slot(1, Afternoon, "15:40", "16:59")], "");
        let refused = world.principal().add_slots(early).await.unwrap_err();
        assert_eq!(fact(&refused, "earliest_end"), "17:00");
        assert_eq!(rule::<()>(Err(refused)), "SLOT_ENDS_TOO_EARLY");
        world.slots(&term, &[slot(1, Afternoon, "15:40", "17:00")]).await;
        world.end().await;
    }
    for world in worlds("zhejiang_jinhua", "").await {
        let term = world.term().await;
        let refused =
            world.principal().add_slots(add_slots(&term, &[slot(1, Afternoon, "15:40", "19:00")], "")).await;
        let refused = refused.unwrap_err();
        assert_eq!(fact(&refused, "key"), "local_office_closing");
        assert_eq!(rule::<()>(Err(refused)), "POLICY_SILENT");
        world.end().await;
    }
}

#[tokio::test]
async fn c10_a_ceiling_refuses_a_late_end_where_another_region_has_none() {
    let late = [slot(1, Afternoon, "16:00", "18:05")];
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let term = world.term().await;
        let refused = world.principal().add_slots(add_slots(&term, &late, "")).await.unwrap_err();
        assert_eq!(fact(&refused, "latest_end"), "18:00");
        assert_eq!(rule::<()>(Err(refused)), "SLOT_ENDS_TOO_LATE");
        let adjusted =
            world.principal().add_slots(add_slots(&term, &late, "一校一策")).await.unwrap().into_inner();
        assert_eq!(adjusted.flags, ["ADJUSTED_BY_PLAN"]);
        world.end().await;
    }
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let term = world.term().await;
        world.slots(&term, &late).await;
        world.end().await;
    }
}

#[tokio::test]
async fn every_broken_field_of_slots_is_named() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let broken = NewSlot {
            weekday: 8,
            kind: 0,
            start_time: "25:00".to_owned(),
            end_time: "9:00".to_owned(),
            class_hour_count: 9,
        };
        let request = add_slots(&term, &[slot(1, Afternoon, "17:00", "17:00"), broken], "");

        let fields = broken_fields(world.principal().add_slots(request).await);
        let second = ["weekday", "kind", "start_time", "end_time", "class_hour_count"]
            .map(|field| format!("slots[1].{field}"));
        assert_eq!(fields[0], "slots[0].end_time");
        assert_eq!(fields[1..], second);
        assert_eq!(broken_fields(world.principal().add_slots(add_slots(&term, &[], "")).await), ["slots"]);
        let many = vec![slot(1, Afternoon, "16:00", "17:00"); 41];
        assert_eq!(broken_fields(world.principal().add_slots(add_slots(&term, &many, "")).await), ["slots"]);
        world.end().await;
    }
}

#[tokio::test]
async fn another_schools_term_is_not_there() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let other = world.term_of(OTHER_SCHOOL, OTHER_TOWN, "2026-09-01", "2027-01-15").await;
        let request: AddSlotsRequest = add_slots(&other, &[slot(1, Afternoon, "16:00", "17:00")], "");
        let refused = refusal(world.principal().add_slots(request).await);
        assert_eq!(refused, (Code::NotFound, "TERM_NOT_FOUND".to_owned()));
        world.end().await;
    }
}
