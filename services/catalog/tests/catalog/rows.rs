//! What the tables themselves refuse, and what is said of a row that broke a promise all the same.

use proto::catalog::v1::slot::Kind::Afternoon;
use proto::catalog::v1::{ContentKind, ListSlotsRequest, ListTermsRequest};
use sea_orm::ConnectionTrait as _;
use shared::db::Error;
use tonic::Code;

use crate::world::*;

#[tokio::test]
async fn every_constraint_refuses_by_its_name() {
    for world in worlds("town_lists", "").await {
        let term = world.term().await;
        let slots = world
            .slots(&term, &[slot(1, Afternoon, "16:00", "17:00"), slot(2, Afternoon, "16:00", "17:00")])
            .await;
        let course = world.course("剪纸", ContentKind::Enrichment, "艺术").await;
        world.section(&course, &term, &[&slots[0]]).await;
        world.listed_provider("1", TOWN).await;
        let refused = [
            ("update node set stage = null where kind = 'school'", "node_school_stage_check"),
            ("update node set town_id = null where kind = 'school'", "node_town_check"),
            ("update term set menu_version = -1", "term_menu_version_check"),
            ("update term set last_day = '2020-01-01'", "term_days_check"),
            ("update slot set weekday = 8", "slot_weekday_check"),
            ("update slot set ends_at = starts_at", "slot_times_check"),
            ("update slot set class_hour_count = 9", "slot_class_hour_count_check"),
            ("update slot set weekday = 1", "slot_district_id_term_id_weekday_kind_starts_at_ends_at_key"),
            ("update course set state = 'reviewed'", "course_review_check"),
            ("update course set state = 'rejected'", "course_rejection_check"),
            ("update course_decision set verdict = 'rejected', reason = ''", "course_decision_reason_check"),
            ("update section set capacity_count = 501", "section_capacity_count_check"),
            ("update section set state = 'cancelled'", "section_cancellation_check"),
            ("update section set state = 'published'", "section_published_at_check"),
            ("update listing set state = 'suspended'", "listing_reason_check"),
            ("update listing set last_day = '2020-01-01'", "listing_days_check"),
        ];
        for (sql, constraint) in refused {
            let tx = world.db.begin().await.unwrap();
            let error = Error::from(tx.execute_unprepared(sql).await.unwrap_err());
            assert_eq!(error.violated().as_deref(), Some(constraint), "{sql}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn a_broken_row_is_our_fault_and_never_mended() {
    for world in worlds("town_lists", "").await {
        let term = world.term().await;
        for damage in ["update term set off_days = '[1]'", "update term set off_days = '[\"2020-01-01\"]'"] {
            let tx = world.db.begin().await.unwrap();
            tx.execute_unprepared(damage).await.unwrap();
            tx.commit().await.unwrap();

            let list = ListTermsRequest { school_id: SCHOOL.to_string(), ..ListTermsRequest::default() };
            assert_eq!(refusal(world.anyone().list_terms(list).await), (Code::Internal, String::new()));
            let slots = ListSlotsRequest { term_id: term.id.clone() };
            assert_eq!(refusal(world.anyone().list_slots(slots).await), (Code::Internal, String::new()));
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn a_term_whose_policy_is_not_kept_any_more_is_not_judged_by_another() {
    for world in worlds("town_lists", "").await {
        let term = world.term().await;
        let tx = world.db.begin().await.unwrap();
        tx.execute_unprepared("update term set policy_version = 'town_lists@0000000000000000'")
            .await
            .unwrap();
        tx.commit().await.unwrap();

        let request = add_slots(&term, &[slot(1, Afternoon, "16:00", "17:00")], "");
        assert_eq!(refusal(world.principal().add_slots(request).await), (Code::Internal, String::new()));
        world.stop().await;
    }
}
