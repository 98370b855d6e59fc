//! Priority groups in draws.

use proto::enrollment::v1::priority_service_client::PriorityServiceClient;
use proto::enrollment::v1::{OpenRoundRequest, RecordPriorityRequest, SectionRule, Tier};
use shared::caller::Role;
use shared::status::violations_of;

use super::stage::{Stage, on, opening, staff};
use crate::support::{on_each, reason};

/// A region whose list of groups is open, and one whose list is closed.
const OPEN: &str = "hebei_shahe";
const CLOSED: &str = "jiangsu_nanjing";

pub async fn record(stage: &Stage, at: usize, group: &str) -> Result<(), tonic::Status> {
    let office = staff(&stage.world, Role::TeachingOffice);
    let request = RecordPriorityRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        group_key: group.to_owned(),
        other_name: String::new(),
        reason: "学校登记".to_owned(),
        valid_from: "2026-09-01".to_owned(),
        valid_to: "2027-01-31".to_owned(),
    };
    PriorityServiceClient::new(stage.world.link(&office)).record_priority(request).await.map(|_| ())
}

#[tokio::test]
async fn c39_a_left_behind_child_wins_the_last_seat_over_any_ordinary_one() {
    on_each(|world| async move {
        let stage = Stage::open(world, OPEN, &[on(1, 1)], 12).await;
        record(&stage, 7, "left_behind").await.unwrap();
        for at in 0..12 {
            stage.wish(at, &[&[0]]).await;
        }

        let drawn = stage.draw_all().await;

        let seated = stage.enrollments(7).await;
        assert!(seated[0].waitlist_position == 0 && seated.len() == 1, "{seated:?}");
        let other = &stage.receipt(0, 1).await.1.results[0];
        assert!(other.sentence_zh.contains("优先类别"), "{}", other.sentence_zh);
        // The cutoffs tell by tier, not by child.
        assert_eq!((drawn.sections[0].cutoffs.len(), drawn.sections[0].cutoffs[0].tier), (1, 0));
        stage.assert_true(1).await;
        stage.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c39_where_the_list_is_closed_dual_income_families_have_no_priority() {
    on_each(|world| async move {
        let stage = Stage::open(world, CLOSED, &[on(1, 1)], 2).await;
        let refused = record(&stage, 0, "dual_income").await.unwrap_err();
        assert_ne!(reason(&refused), "", "it is refused");

        let groups = stage.round().await.draw.unwrap().sections[0].tiers[0].groups.clone();
        assert_eq!(groups, ["disabled", "left_behind", "migrant", "economically_difficult"]);
        let rule = SectionRule {
            section_id: stage.sections[0].to_string(),
            tiers: vec![Tier { groups: vec!["dual_income".to_owned()] }],
            reserves: Vec::new(),
        };
        let term_id = stage.world.term(CLOSED).await;
        let section_id = stage.world.section(term_id, on(1, 1)).await;
        let rule = SectionRule { section_id: section_id.to_string(), ..rule };
        let request = OpenRoundRequest { sections: vec![rule], ..opening(&stage.world, term_id) };
        let refused = stage.world.staff(Role::Principal).open_round(request).await.unwrap_err();
        let violations = violations_of(&refused);
        assert_eq!(violations.list()[0].field, "sections[0].tiers[0].groups[0]");
        assert!(violations.list()[0].rule.contains("closed"));
        stage.world.end().await;
    })
    .await;
}
