//! The whole way: wishes, closed lists, values, the draw, receipts, and what became of everybody.

use std::collections::BTreeMap;

use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::wish_result::Outcome;
use proto::enrollment::v1::{
    GetDrawBundleRequest, GetDrawReceiptRequest, OpenRoundRequest, RehearseRoundRequest, SeedSource,
    Siblings, rehearse_round_request, round, seed_source,
};
use shared::caller::Role;
use shared::status::violations_of;
use tonic::Code;

use super::stage::{DIGITS, Stage, beacon, on, opening};
use crate::support::{FREE, Menu, REVIEWED, on_each, reason};

#[tokio::test]
async fn c39_a_round_is_drawn_from_wishes_to_seats_and_anybody_can_repeat_it() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2), on(1, 2), on(2, 3)], 6).await;
        for at in 0..6 {
            stage.wish(at, &[&[0, 1], &[2]]).await;
        }

        let committed = stage.close().await;
        // Before the seed exists every family can see that it is on the lists.
        assert_eq!((committed.pupil_count, committed.values.len()), (6, 0));
        stage.assert_receipts(1).await;
        let pending = stage.receipt(0, 0).await.1.results;
        assert!(pending.iter().all(|result| result.outcome() == Outcome::Pending));
        let drawn = stage.enter_and_draw().await;

        assert_eq!(drawn.root, committed.root);
        stage.assert_receipts(1).await;
        let bundle = stage.assert_true(1).await;
        assert_eq!(bundle.values, [DIGITS.replace(' ', "")]);
        let mut seats = BTreeMap::new();
        for at in 0..6 {
            let results = stage.receipt(at, 1).await.1.results;
            let rows: BTreeMap<_, _> =
                stage.enrollments(at).await.into_iter().map(|one| (one.section_id.clone(), one)).collect();
            for result in results {
                let row = rows.get(&result.section_id);
                match result.outcome() {
                    Outcome::Admitted => {
                        let row = row.unwrap();
                        assert_eq!(row.state(), State::Confirmed);
                        assert_eq!(stage.world.told(&row.id).await, ["seat_confirmed"]);
                        *seats.entry(result.section_id).or_insert(0) += 1;
                    }
                    Outcome::Refused => {
                        assert_eq!(row.unwrap().state(), State::Waitlisted);
                        let own = format!("您的号 {}", result.number);
                        assert!(result.sentence_zh.ends_with(&own), "{}", result.sentence_zh);
                        assert!(result.sentence_en.ends_with(&format!("yours {}", result.number)));
                    }
                    Outcome::NotNeeded => assert!(row.is_none()),
                    other => panic!("{other:?}"),
                }
            }
        }
        let full: BTreeMap<_, _> = stage.sections.iter().map(ToString::to_string).zip([2, 2, 3]).collect();
        assert_eq!(seats, full);
        // The line of the dearest is in the order of the draw.
        let code = stage.sections[0].to_string();
        let first = bundle.terms.sections.iter().position(|section| section.code == code).unwrap();
        let line: Vec<_> = bundle.outcome.sections[first].waitlist.iter().map(|one| one.number).collect();
        let mut waiting = Vec::new();
        for at in 0..6 {
            let first = stage.sections[0].to_string();
            let row = stage.enrollments(at).await.into_iter().find(|one| one.section_id == first);
            let number = stage.receipt(at, 1).await.1.results[0].number;
            waiting.extend(
                row.filter(|row| row.state() == State::Waitlisted).map(|row| (row.waitlist_position, number)),
            );
        }
        waiting.sort_unstable();
        assert_eq!(
            waiting.iter().map(|(_, number)| u32::try_from(*number).unwrap()).collect::<Vec<_>>(),
            line
        );
        assert_eq!(stage.told().await, ["lists_closed", "round_drawn"]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_seat_of_a_draw_takes_the_same_steps_as_any_other() {
    on_each(|world| async move {
        let stage = Stage::open(world, REVIEWED, &[on(1, 1)], 1).await;
        stage.wish(0, &[&[0]]).await;

        stage.draw_all().await;

        assert_eq!(stage.enrollments(0).await[0].state(), State::InReview);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn values_are_checked_against_their_sources_and_stay_on_record() {
    on_each(|world| async move {
        let round_id = world.request_id();
        let value = draw::Hash::new([7; 32]);
        let sealed = draw::seed::seal(&round_id, 1, "家长代表", &value);
        let contribution = SeedSource {
            name: "家长代表".to_owned(),
            what: "家长委员会主任密封的 32 字节".to_owned(),
            bits: 256,
            kind: Some(seed_source::Kind::ContributionSeal(sealed.to_string())),
        };
        let with_both = |request: OpenRoundRequest| OpenRoundRequest {
            round_id: round_id.clone(),
            sources: vec![beacon(), contribution.clone()],
            ..request
        };
        let stage = Stage::open_as(world, FREE, &[on(1, 1)], 1, with_both).await;
        stage.wish(0, &[&[0]]).await;
        let mut office = stage.as_staff(Role::TeachingOffice);
        let refused = office.enter_values(stage.entering(&[DIGITS, "7"])).await.unwrap_err();
        assert_eq!(reason(&refused), "LISTS_NOT_CLOSED");
        stage.close().await;
        assert_eq!(reason(&office.draw_round(stage.drawing()).await.unwrap_err()), "VALUES_NOT_ENTERED");

        let other = draw::Hash::new([8; 32]).to_string();
        for (values, field) in [
            (vec![DIGITS], "values"),
            (vec!["123", &other], "values[0]"),
            (vec![DIGITS, &other], "values[1]"),
        ] {
            let refused = office.enter_values(stage.entering(&values)).await.unwrap_err();
            let fields: Vec<_> = violations_of(&refused).list().iter().map(|v| v.field.clone()).collect();
            assert_eq!(fields, [field]);
        }
        let slip = DIGITS.replace('9', "8");
        office.enter_values(stage.entering(&[&slip, &value.to_string()])).await.unwrap();
        let request = stage.entering(&[DIGITS, &value.to_string()]);
        let entered = office.enter_values(request.clone()).await.unwrap().into_inner();
        assert_eq!(office.enter_values(request).await.unwrap().into_inner(), entered);
        let drawn = office.draw_round(stage.drawing()).await.unwrap().into_inner().draw.unwrap();

        assert_eq!(drawn.values.len(), 2, "everybody sees that they were corrected");
        let bundle = stage.assert_true(1).await;
        assert_eq!(bundle.values, [DIGITS.replace(' ', ""), value.to_string()]);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn only_those_who_may_see_the_lists_or_the_child_get_bundle_and_receipt() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 1)], 2).await;
        stage.wish(0, &[&[0]]).await;
        let bundle = GetDrawBundleRequest { round_id: stage.round_id.clone(), act: 0 };
        let receipt =
            GetDrawReceiptRequest { round_id: stage.round_id.clone(), act: 0, pupil_id: stage.pupil(0) };
        let early = stage.as_staff(Role::Principal).get_draw_bundle(bundle.clone()).await.unwrap_err();
        assert_eq!(reason(&early), "DRAW_NOT_FOUND");
        assert_eq!(
            reason(&stage.parent(0).get_draw_receipt(receipt.clone()).await.unwrap_err()),
            "DRAW_NOT_FOUND"
        );
        stage.draw_all().await;

        let refused = stage.parent(1).get_draw_receipt(receipt).await.unwrap_err();
        assert_eq!(reason(&refused), "PUPIL_NOT_FOUND");
        let own =
            GetDrawReceiptRequest { round_id: stage.round_id.clone(), act: 0, pupil_id: stage.pupil(1) };
        assert_eq!(reason(&stage.parent(1).get_draw_receipt(own).await.unwrap_err()), "DRAW_NOT_FOUND");
        let refused = stage.as_staff(Role::ClassTeacher).get_draw_bundle(bundle.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let refused = stage.parent(0).get_draw_bundle(bundle.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        // Nothing in what others read names a child.
        let text = stage.bundle(0).await;
        assert!(!text.contains(&stage.pupil(0)));
        assert!(!format!("{:?}", stage.draw(0).await).contains(&stage.pupil(0)));
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c41_a_seat_taken_elsewhere_before_the_draw_is_kept_and_the_one_drawn_goes_to_the_line() {
    on_each(|world| async move {
        let care = Menu { basic_care: true, start_time: "16:30", end_time: "17:30", ..on(1, 30) };
        let stage = Stage::open(world, FREE, &[on(1, 1), care], 2).await;
        stage.wish(0, &[&[0]]).await;
        stage.wish(1, &[&[0]]).await;
        stage.close().await;
        let left_over = OpenRoundRequest {
            mode: round::Mode::FirstCome.into(),
            sources: Vec::new(),
            ..opening(&stage.world, stage.term_id)
        };
        stage.world.staff(Role::Principal).open_round(left_over).await.unwrap();
        for family in &stage.families {
            stage.world.apply(family, stage.sections[1]).await;
        }

        stage.enter_and_draw().await;

        let mut unseated = 0;
        for at in 0..2 {
            let first = &stage.receipt(at, 1).await.1.results[0];
            unseated += u32::from(first.outcome() == Outcome::Unseated);
            let seated: Vec<_> = stage
                .enrollments(at)
                .await
                .into_iter()
                .filter(|one| one.state() == State::Confirmed)
                .collect();
            assert_eq!(seated.len(), 1);
            assert_eq!(seated[0].section_id, stage.sections[1].to_string());
        }
        assert_eq!(unseated, 1);
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn siblings_who_say_so_stand_next_to_each_other() {
    on_each(|world| async move {
        let together =
            |request: OpenRoundRequest| OpenRoundRequest { siblings: Siblings::Together.into(), ..request };
        let mut stage = Stage::open_as(world, FREE, &[on(1, 3)], 8, together).await;
        let guardian_id = stage.families[0].guardian_id;
        stage.families[7].guardian_id = guardian_id;
        for at in 0..8 {
            let mut request = stage.wishing(at, &[&[0]]);
            request.together = at % 7 == 0;
            stage.parent(at).set_wishes(request).await.unwrap();
        }

        stage.draw_all().await;

        let number = async |at| stage.receipt(at, 1).await.1.results[0].number;
        assert_eq!((number(0).await - number(7).await).abs(), 1);
        stage.assert_true(1).await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_rehearsal_tells_the_chances_and_changes_nothing() {
    on_each(|world| async move {
        let stage = Stage::open(world, FREE, &[on(1, 2), on(2, 5)], 4).await;
        for at in 0..4 {
            stage.wish(at, &[&[0], &[1]]).await;
        }

        let request = RehearseRoundRequest { round_id: stage.round_id.clone(), basis: 0 };
        let mut office = stage.as_staff(Role::TeachingOffice);
        let rehearsal = office.rehearse_round(request.clone()).await.unwrap().into_inner();
        let last_term =
            RehearseRoundRequest { basis: rehearse_round_request::Basis::LastTerm.into(), ..request };
        let empty = office.rehearse_round(last_term).await.unwrap().into_inner();

        let of = |at: usize| {
            let id = stage.sections[at].to_string();
            let one = rehearsal.sections.iter().find(|one| one.section_id == id).unwrap();
            (one.seat_count, one.wished_count, one.first_count, one.chance_permille)
        };
        assert_eq!((rehearsal.pupil_count, of(0), of(1)), (4, (2, 4, 4, 500), (5, 4, 4, 1000)));
        assert_eq!(empty.pupil_count, 0);
        assert!(stage.told().await.is_empty());
        assert!(stage.enrollments(0).await.is_empty());
        stage.world.end().await;
    })
    .await;
}
