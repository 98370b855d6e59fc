//! `OpenTerm`, `ListTerms`.

use proto::catalog::v1::Event;
use proto::catalog::v1::slot::Kind::Afternoon;
use proto::catalog::v1::{ListTermsRequest, OpenTermRequest, event};
use proto::identity::v1::Stage;
use proto::identity::v1::node::Kind;
use shared::caller::Role;
use shared::testing;
use tonic::Code;
use uuid::Uuid;

use crate::world::*;

#[tokio::test]
async fn c03_c104_a_term_pins_the_policy_of_its_school_and_is_told_once() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let request = OpenTermRequest {
            off_days: vec!["2026-10-02".to_owned(), "2026-10-01".to_owned()],
            ..open_term("2026-09-01", "2027-01-15")
        };

        let first = world.principal().open_term(request.clone()).await.unwrap().into_inner();
        let again = world.principal().open_term(request).await.unwrap().into_inner();

        let term = first.term.clone().unwrap();
        assert_eq!(again, first);
        assert!(term.policy_version.starts_with("hebei_shahe@"), "{}", term.policy_version);
        assert!(term.policy_version.contains("+shahe_demo@"), "{}", term.policy_version);
        assert_eq!(term.stage(), Stage::Primary);
        assert_eq!(term.path, [DISTRICT, TOWN, SCHOOL].map(|id| id.to_string()));
        assert_eq!(term.off_days, ["2026-10-01", "2026-10-02"]);
        let told = testing::told::<Event>(&world.db).await;
        let [(name, subject, told)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((name.as_str(), subject.to_string()), ("term_opened", term.id.clone()));
        let Some(event::Kind::TermOpened(opened)) = &told.kind else { panic!("{told:?}") };
        assert_eq!(opened.term, Some(term));
        world.end().await;
    }
}

#[tokio::test]
async fn a_request_id_serves_one_content() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let request = open_term("2026-09-01", "2027-01-15");
        world.principal().open_term(request.clone()).await.unwrap();

        let other = OpenTermRequest { name: "另一学期".to_owned(), ..request };

        let refused = refusal(world.principal().open_term(other).await);
        assert_eq!(refused, (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn terms_of_one_school_share_no_day_however_many_are_opened_at_once() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        for year in 2030..2036 {
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let mut principal = world.principal();
                    let request = open_term(&format!("{year}-09-01"), &format!("{}-01-15", year + 1));
                    tokio::spawn(async move { principal.open_term(request).await })
                })
                .collect();
            let mut opened = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(_) => opened += 1,
                    Err(status) => assert_eq!(rule::<()>(Err(status)), "TERM_OVERLAPS"),
                }
            }
            assert_eq!(opened, 1);
        }

        world.term_of(SCHOOL, TOWN, "2026-09-01", "2027-01-15").await;
        let status = world.principal().open_term(open_term("2027-01-15", "2027-07-01")).await.unwrap_err();
        assert_eq!(fact(&status, "last_day"), "2027-01-15");
        // The day after, and another school on the same days.
        world.principal().open_term(open_term("2027-01-16", "2027-07-01")).await.unwrap();
        world.term_of(OTHER_SCHOOL, OTHER_TOWN, "2026-09-01", "2027-01-15").await;
        assert_eq!(world.told().await, ["term_opened"; 9]);
        world.end().await;
    }
}

#[tokio::test]
async fn c104_a_school_not_heard_of_out_of_reach_or_without_a_pack_has_no_term() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let unheard = OpenTermRequest {
            school_id: Uuid::from_u128(99).to_string(),
            ..open_term("2026-09-01", "2027-01-15")
        };
        let foreign =
            OpenTermRequest { school_id: OTHER_SCHOOL.to_string(), ..open_term("2026-09-01", "2027-01-15") };
        let path = [DISTRICT, TOWN, Uuid::from_u128(0xa9)];
        world.node(Kind::School, &path, Stage::Primary, "", "").await;
        let unruled =
            OpenTermRequest { school_id: path[2].to_string(), ..open_term("2026-09-01", "2027-01-15") };

        let missing = (Code::NotFound, "SCHOOL_NOT_FOUND".to_owned());
        assert_eq!(refusal(world.principal().open_term(unheard).await), missing);
        assert_eq!(refusal(world.principal().open_term(foreign).await), missing);
        let mut principal = world.staff(Role::Principal, &path);
        let refused = principal.open_term(unruled).await.unwrap_err();
        assert_eq!(
            (fact(&refused, "key"), fact(&refused, "key_zh")),
            ("pack_id".to_owned(), "适用的政策包".to_owned())
        );
        assert_eq!(rule::<()>(Err(refused)), "POLICY_SILENT");
        assert!(world.told().await.is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn every_broken_field_of_a_term_is_named() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        let broken = OpenTermRequest {
            request_id: "x".to_owned(),
            school_id: String::new(),
            name: " ".to_owned(),
            first_day: "2026-9-1".to_owned(),
            last_day: "2026-02-30".to_owned(),
            off_days: vec!["heute".to_owned()],
        };
        let backwards = open_term("2026-09-01", "2026-08-31");
        let outside = OpenTermRequest {
            off_days: vec!["2027-02-01".to_owned()],
            ..open_term("2026-09-01", "2027-01-15")
        };

        let fields = broken_fields(world.principal().open_term(broken).await);
        assert_eq!(fields, ["request_id", "school_id", "name", "first_day", "last_day", "off_days[0]"]);
        assert_eq!(broken_fields(world.principal().open_term(backwards).await), ["last_day"]);
        assert_eq!(broken_fields(world.principal().open_term(outside).await), ["off_days"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c108_a_stage_takes_part_from_its_day_on() {
    for world in worlds("late_start", "").await {
        let mut principal = world.staff(Role::Principal, &[DISTRICT, TOWN, JUNIOR_SCHOOL]);
        let at = |first_day, last_day| OpenTermRequest {
            school_id: JUNIOR_SCHOOL.to_string(),
            ..open_term(first_day, last_day)
        };

        assert_eq!(rule(principal.open_term(at("2027-08-31", "2028-01-15")).await), "STAGE_NOT_OPEN");
        principal.open_term(at("2027-09-01", "2028-01-15")).await.unwrap();
        world.term().await;
        world.end().await;
    }
}

#[tokio::test]
async fn anyone_lists_terms_latest_first_page_by_page() {
    for world in worlds("hebei_shahe", "shahe_demo").await {
        for (first_day, last_day) in
            [("2026-09-01", "2027-01-15"), ("2027-09-01", "2028-01-15"), ("2027-02-20", "2027-07-01")]
        {
            world.term_of(SCHOOL, TOWN, first_day, last_day).await;
        }
        let page = |page_size, page_token: &str| ListTermsRequest {
            school_id: SCHOOL.to_string(),
            page_size,
            page_token: page_token.to_owned(),
        };

        let first = world.anyone().list_terms(page(2, "")).await.unwrap().into_inner();
        let second = world.anyone().list_terms(page(2, &first.next_page_token)).await.unwrap().into_inner();

        let days = |terms: &[proto::catalog::v1::Term]| {
            terms.iter().map(|term| term.first_day.clone()).collect::<Vec<_>>()
        };
        assert_eq!(days(&first.terms), ["2027-09-01", "2027-02-20"]);
        assert_eq!(days(&second.terms), ["2026-09-01"]);
        assert_eq!(second.next_page_token, "");
        assert_eq!(broken_fields(world.anyone().list_terms(page(2, "?")).await), ["page_token"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c03_a_term_is_ruled_by_the_edition_in_force_on_its_first_day_and_not_opened_where_none_was() {
    for world in worlds("dated", "").await {
        // Until 2026 service ended at 17:30; from 2027 on it ends at 18:00.
        let autumn = world.term_of(SCHOOL, TOWN, "2026-10-08", "2027-01-15").await;
        let spring = world.term_of(SCHOOL, TOWN, "2027-02-20", "2027-07-01").await;
        let before =
            OpenTermRequest { school_id: OTHER_SCHOOL.to_string(), ..open_term("2025-09-01", "2026-01-15") };
        let mut neighbour = world.staff(Role::Principal, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);
        let refused = neighbour.open_term(before).await.unwrap_err();

        assert_ne!(autumn.policy_version, spring.policy_version);
        assert_eq!(fact(&refused, "key"), "effective_from");
        assert_eq!(fact(&refused, "key_zh"), "学期首日适用的政策版本");
        assert_eq!(rule::<()>(Err(refused)), "POLICY_SILENT");
        let until_half_past = [slot(1, Afternoon, "16:00", "17:30")];
        world.slots(&autumn, &until_half_past).await;
        let refused = world.principal().add_slots(add_slots(&spring, &until_half_past, "")).await;
        assert_eq!(rule(refused), "SLOT_ENDS_TOO_EARLY");
        world.end().await;
    }
}
