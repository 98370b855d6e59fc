//! `PublishSections`, `GetMenu`.

use proto::catalog::v1::section::State;
use proto::catalog::v1::slot::Kind::{Afternoon, Noon};
use proto::catalog::v1::*;
use shared::testing;
use tonic::Code;

use crate::world::*;

fn monday() -> [NewSlot; 1] {
    [slot(1, Afternoon, "16:00", "17:00")]
}

#[tokio::test]
async fn c18_only_what_is_approved_and_published_is_on_the_menu() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &[slot(2, Afternoon, "16:00", "17:00"), monday()[0].clone()]).await;
        let (one, two) = (
            world.course("乙乙", ContentKind::Enrichment, "艺术").await,
            world.course("甲甲", ContentKind::Enrichment, "艺术").await,
        );
        let tuesday = world.section(&one, &term, &[&slots[0]]).await;
        let later = world.section(&two, &term, &[&slots[1]]).await;
        let earlier = world.section(&one, &term, &[&slots[1]]).await;
        assert_eq!(world.menu(&term).await.version, 0);

        let named = publish(&term, &[&tuesday]);
        let mut principal = world.principal();
        let first = principal.publish_sections(named.clone()).await.unwrap().into_inner().published_count;
        let repeat = principal.publish_sections(named).await.unwrap().into_inner().published_count;
        let again = principal.publish_sections(publish(&term, &[&tuesday])).await.unwrap().into_inner();
        assert_eq!((first, repeat, again.published_count), (1, 1, 0));
        assert_eq!(world.publish_all(&term).await.unwrap(), 2);

        let menu = world.menu(&term).await;
        let mut mondays = [(earlier.title, earlier.id), (later.title, later.id)];
        mondays.sort();
        let [(_, first), (_, second)] = mondays;
        let ids: Vec<_> = menu.sections.iter().map(|section| section.id.clone()).collect();
        assert_eq!(ids, [first, second, tuesday.id]);
        assert!(menu.sections.iter().all(|section| section.state() == State::Published));
        assert_eq!((menu.version, menu.term), (2, Some(term)));
        assert_eq!(world.told().await[1..], ["section_published"; 3]);
        world.end().await;
    }
}

#[tokio::test]
async fn a_publication_tells_each_section_as_it_is_on_the_menu() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let course = world.course("剪纸", ContentKind::BasicCare, "艺术").await;
        world.section(&course, &term, &[&slots[0]]).await;
        world.publish_all(&term).await.unwrap();

        let menu = world.menu(&term).await;
        let told = testing::told::<Event>(&world.db).await;
        let Some((_, subject, Event { kind: Some(event::Kind::SectionPublished(told)) })) = told.last()
        else {
            panic!("{told:?}")
        };
        assert_eq!(told.section.as_ref(), menu.sections.first());
        assert_eq!(subject.to_string(), menu.sections[0].id);
        world.end().await;
    }
}

#[tokio::test]
async fn many_publishing_at_once_change_the_menu_once() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        for round in 1..=3 {
            world.section(&course, &term, &[&slots[0]]).await;
            world.section(&course, &term, &[&slots[0]]).await;
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let mut principal = world.principal();
                    let request = publish(&term, &[]);
                    tokio::spawn(async move { principal.publish_sections(request).await })
                })
                .collect();
            let mut published = Vec::new();
            for task in tasks {
                published.push(task.await.unwrap().unwrap().into_inner().published_count);
            }
            published.sort_unstable();
            assert_eq!(published, [0, 0, 0, 0, 0, 2]);
            assert_eq!(world.menu(&term).await.version, round);
        }
        world.end().await;
    }
}

/// Two hours of care on each day from Tuesday to Friday.
async fn rest_of_the_week(world: &World, term: &Term, care: &Course) -> Vec<Section> {
    let slots: Vec<_> = (2..=5).map(|weekday| slot(weekday, Afternoon, "15:45", "17:45")).collect();
    let mut rest = Vec::new();
    for slot in world.slots(term, &slots).await {
        rest.push(world.section(care, term, &[&slot]).await);
    }
    rest
}

#[tokio::test]
async fn c12_a_menu_of_four_workdays_is_not_published_where_every_workday_has_service() {
    for (pack, supplement, key) in [
        ("hebei_shahe", "shahe_demo", "all_workdays"),
        ("beijing", "", "all_workdays"),
        ("five_days", "", "service_days_per_week"),
    ] {
        for world in worlds(pack, supplement).await {
            let term = world.term().await;
            let care = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
            let rest = rest_of_the_week(&world, &term, &care).await;
            assert_eq!(rest.len(), 4);

            let refused = world.publish_all(&term).await.unwrap_err();
            assert_eq!((fact(&refused, "found"), fact(&refused, "least")), ("4".to_owned(), "5".to_owned()));
            assert_eq!(fact(&refused, "key"), key);
            assert_eq!(rule::<()>(Err(refused)), "WEEK_INCOMPLETE");
            assert_eq!(world.menu(&term).await.version, 0);

            let monday = world.slots(&term, &[slot(1, Afternoon, "15:45", "17:45")]).await;
            world.section(&care, &term, &[&monday[0]]).await;
            assert_eq!(world.publish_all(&term).await.unwrap(), 5);
            world.end().await;
        }
    }
}

#[tokio::test]
async fn c29_a_phase_that_names_no_such_courses_refuses_them_only_where_it_is_a_gate() {
    for (pack, is_gate) in [("gated_phases", true), ("named_phases", false)] {
        for world in worlds(pack, "").await {
            // From 8 September on, in the phase of basic care; and one that begins in the phase after it.
            let term = world.term_of(SCHOOL, TOWN, "2026-09-08", "2027-01-15").await;
            let slots = world.slots(&term, &monday()).await;
            let care = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
            let club = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
            let provider = world.listed_provider("1", DISTRICT).await;
            let theirs = world.provider_course(&provider, "编程入门").await;
            let care = world.section(&care, &term, &[&slots[0]]).await;
            let club = world.section(&club, &term, &[&slots[0]]).await;
            let theirs = world.section(&theirs, &term, &[&slots[0]]).await;
            let mut principal = world.principal();

            let alone = principal.publish_sections(publish(&term, &[&care])).await.unwrap().into_inner();
            assert_eq!((alone.published_count, alone.flags.len()), (1, 0));
            for (section, count) in [(&club, 1), (&theirs, 1)] {
                let answer = principal.publish_sections(publish(&term, &[section])).await;
                if is_gate {
                    let refused = answer.unwrap_err();
                    assert_eq!(fact(&refused, "section_id"), section.id);
                    assert_eq!(fact(&refused, "phase"), "第一阶段");
                    assert_eq!(rule::<()>(Err(refused)), "NOT_IN_THIS_PHASE");
                } else {
                    let answer = answer.unwrap().into_inner();
                    assert_eq!(
                        (answer.published_count, answer.flags),
                        (count, vec!["NOT_IN_THIS_PHASE".to_owned()])
                    );
                }
            }

            world.clock.set(testing::moment("2026-10-09T09:00:00+08:00"));
            let later = world.publish_all(&term).await.unwrap();
            assert_eq!(later, if is_gate { 2 } else { 0 });
            world.end().await;
        }
    }
}

#[tokio::test]
async fn c11_a_day_with_too_few_minutes_is_not_published() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let term = world.term().await;
        let slots = world
            .slots(
                &term,
                &[
                    slot(1, Noon, "14:00", "14:40"),
                    slot(1, Afternoon, "16:25", "17:40"),
                    slot(1, Afternoon, "16:25", "17:45"),
                ],
            )
            .await;
        let care = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
        let rest = rest_of_the_week(&world, &term, &care).await;
        let with_rest = |monday: &[&Section]| -> Vec<Section> {
            monday.iter().copied().cloned().chain(rest.clone()).collect()
        };
        let noon = world.section(&care, &term, &[&slots[0]]).await;
        let short = world.section(&care, &term, &[&slots[1]]).await;
        let mut principal = world.principal();

        let week = with_rest(&[&noon, &short]);
        let week: Vec<&Section> = week.iter().collect();
        let refused = principal.publish_sections(publish(&term, &week)).await.unwrap_err();
        assert_eq!((fact(&refused, "found"), fact(&refused, "least")), ("115".to_owned(), "120".to_owned()));
        assert!(fact(&refused, "clause_zh").contains("每日服务不少于2小时"), "{refused:?}");
        assert_eq!(rule::<()>(Err(refused)), "DAY_TOO_SHORT");
        assert_eq!(world.menu(&term).await.version, 0);

        let whole = world.section(&care, &term, &[&slots[2]]).await;
        let week = with_rest(&[&noon, &whole]);
        let week: Vec<&Section> = week.iter().collect();
        principal.publish_sections(publish(&term, &week)).await.unwrap();
        // With the day whole, the shorter one may come beside it.
        principal.publish_sections(publish(&term, &[&short])).await.unwrap();
        world.end().await;
    }
}

#[tokio::test]
async fn c11_a_day_that_a_cancellation_has_shortened_holds_no_other_day_up() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let term = world.term().await;
        let slots = world.slots(&term, &[slot(1, Afternoon, "15:45", "17:45")]).await;
        let care = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
        let on_monday = world.section(&care, &term, &[&slots[0]]).await;
        let rest = rest_of_the_week(&world, &term, &care).await;
        world.publish_all(&term).await.unwrap();
        world.principal().cancel_section(cancel(&on_monday, "停课")).await.unwrap();

        world.section(&care, &term, &[&rest[0].slots[0]]).await;
        assert_eq!(world.publish_all(&term).await.unwrap(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn c11_c14_class_hours_of_an_afternoon_and_of_homework_are_counted() {
    for world in worlds("hard_floor", "").await {
        let term = world.term().await;
        let slots = world
            .slots(&term, &[slot(1, Afternoon, "17:00", "18:00"), slot(1, Afternoon, "16:00", "17:00")])
            .await;
        let club = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let care = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
        let second = world.section(&club, &term, &[&slots[0]]).await;
        let first = world.section(&club, &term, &[&slots[1]]).await;
        let homework = world.section(&care, &term, &[&slots[1]]).await;
        let mut principal = world.principal();

        let one_hour = principal.publish_sections(publish(&term, &[&second])).await.unwrap_err();
        assert_eq!(fact(&one_hour, "key"), "min_class_hours_per_afternoon");
        assert_eq!(rule::<()>(Err(one_hour)), "DAY_TOO_SHORT");
        let without_homework =
            principal.publish_sections(publish(&term, &[&first, &second])).await.unwrap_err();
        assert_eq!(fact(&without_homework, "key"), "homework_min_class_hours");
        assert_eq!(rule::<()>(Err(without_homework)), "DAY_TOO_SHORT");
        principal.publish_sections(publish(&term, &[&first, &second, &homework])).await.unwrap();
        world.end().await;
    }
}

#[tokio::test]
async fn c16_a_menu_without_a_required_item_is_not_published() {
    for world in worlds("fixed_items", "").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let exercise = world.course("跳绳", ContentKind::Enrichment, "体育锻炼").await;
        let reading = world.course("诵读", ContentKind::Enrichment, "阅读").await;
        world.section(&exercise, &term, &[&slots[0]]).await;

        let refused = world.publish_all(&term).await.unwrap_err();
        assert_eq!(fact(&refused, "item"), "阅读");
        assert_eq!(fact(&refused, "key"), "required_items");
        assert_eq!(rule::<()>(Err(refused)), "REQUIRED_ITEM_MISSING");
        world.section(&reading, &term, &[&slots[0]]).await;
        assert_eq!(world.publish_all(&term).await.unwrap(), 2);
        // What is there already counts.
        world.section(&exercise, &term, &[&slots[0]]).await;
        assert_eq!(world.publish_all(&term).await.unwrap(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn c16_an_item_that_is_only_aimed_at_blocks_nothing() {
    for world in worlds("aimed_items", "").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        world.section(&course, &term, &[&slots[0]]).await;
        assert_eq!(world.publish_all(&term).await.unwrap(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn c24_a_menu_is_not_handed_over_whole_and_any_other_share_is_free() {
    for world in worlds("town_lists", "").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let provider = world.listed_provider("1", TOWN).await;
        let theirs = world.provider_course(&provider, "编程入门").await;
        for _ in 0..9 {
            world.section(&theirs, &term, &[&slots[0]]).await;
        }

        let refused = world.publish_all(&term).await.unwrap_err();
        assert_eq!(fact(&refused, "section_count"), "9");
        assert_eq!(rule::<()>(Err(refused)), "THIRD_PARTY_ONLY");
        let own = world.course("作业辅导", ContentKind::BasicCare, "看护").await;
        world.section(&own, &term, &[&slots[0]]).await;
        assert_eq!(world.publish_all(&term).await.unwrap(), 10);
        world.end().await;
    }
}

#[tokio::test]
async fn c20_the_list_is_asked_again_at_publication() {
    for world in worlds("district_lists", "").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let provider = world.listed_provider("1", DISTRICT).await;
        let theirs = world.provider_course(&provider, "编程入门").await;
        let published = world.section(&theirs, &term, &[&slots[0]]).await;
        world.principal().publish_sections(publish(&term, &[&published])).await.unwrap();
        world.section(&theirs, &term, &[&slots[0]]).await;

        world.clock.set(testing::moment("2027-01-01T00:00:00+08:00"));
        let refused = world.publish_all(&term).await.unwrap_err();
        assert_eq!(fact(&refused, "provider_id"), provider.id);
        assert_eq!(rule::<()>(Err(refused)), "PROVIDER_NOT_LISTED");
        world.officer().suspend_provider(suspend(&provider, DISTRICT)).await.unwrap();
        assert_eq!(rule(world.publish_all(&term).await), "PROVIDER_SUSPENDED");
        // What is on the menu stays there: families have chosen it.
        assert_eq!(world.menu(&term).await.sections.len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn an_unknown_section_and_another_terms_are_not_there() {
    for world in worlds("hunan_zhuzhou", "zhuzhou_demo").await {
        let term = world.term().await;
        let next = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        let slots = world.slots(&next, &monday()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        let section = world.section(&course, &next, &[&slots[0]]).await;

        let refused = refusal(world.principal().publish_sections(publish(&term, &[&section])).await);
        assert_eq!(refused, (Code::NotFound, "SECTION_NOT_FOUND".to_owned()));
        let request = GetMenuRequest { term_id: course.id };
        let refused = refusal(world.anyone().get_menu(request).await);
        assert_eq!(refused, (Code::NotFound, "TERM_NOT_FOUND".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn c03_the_policy_a_term_was_opened_with_goes_on_ruling_it() {
    use proto::identity::v1::{Stage, node::Kind};
    for world in worlds("fixed_items", "").await {
        let term = world.term().await;
        let slots = world.slots(&term, &monday()).await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        world.section(&course, &term, &[&slots[0]]).await;

        world.node(Kind::School, &[DISTRICT, TOWN, SCHOOL], Stage::Primary, "town_lists", "").await;

        assert_eq!(rule(world.publish_all(&term).await), "REQUIRED_ITEM_MISSING");
        let next = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        assert!(next.policy_version.starts_with("town_lists@"));
        world.end().await;
    }
}
