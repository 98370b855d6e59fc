//! The plan of how government, school and parents share, and that nothing is charged before it is there.

use proto::billing::v1 as pb;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;
use shared::status::violations_of;

use crate::world::{each, fact, reason};

fn plan(government_fen: i64, school_fen: i64, parents_fen: i64) -> Option<pb::SharingPlan> {
    Some(pb::SharingPlan { government_fen, school_fen, parents_fen })
}

#[tokio::test]
async fn c61_nothing_is_charged_before_the_price_is_approved_and_its_sharing_plan_is_on_record() {
    for world in each("xx_district", None).await {
        // The parents' share is still to be notified.
        world.heard().await;
        let request = pb::PublishTariffRequest {
            sharing_plan: plan(1, 1, 30_000),
            ..world.tariff(Basis::Term, 30_000)
        };
        let refused = world.staff(1, Role::SchoolFinance).publish_tariff(request).await.unwrap_err();
        assert_eq!(reason(&refused), "SHARE_UNDECIDED");
    }
    for world in each("xx_district", Some("xx_test")).await {
        let section = world.section(&[(1, 16, 1)]).await;
        let family = world.family().await;
        let seat = world.hold(family, section).await;
        let mut client = world.staff(1, Role::SchoolFinance);
        let whole = pb::PublishTariffRequest {
            sharing_plan: plan(50_000, 20_000, 30_000),
            ..world.tariff(Basis::Term, 30_000)
        };

        let unapproved = pb::PublishTariffRequest { approval_document: String::new(), ..whole.clone() };
        let refused = client.publish_tariff(unapproved).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("APPROVAL_REQUIRED", "price_approval_required")
        );
        let unshared = pb::PublishTariffRequest { sharing_plan: None, ..whole.clone() };
        assert_eq!(reason(&client.publish_tariff(unshared).await.unwrap_err()), "SHARING_PLAN_REQUIRED");
        let wrong = pb::PublishTariffRequest { sharing_plan: plan(-1, -1, 29_999), ..whole.clone() };
        let refused = client.publish_tariff(wrong).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(
            fields,
            ["sharing_plan.government_fen", "sharing_plan.school_fen", "sharing_plan.parents_fen"]
        );
        assert_eq!(reason(&world.pay(seat).await.unwrap_err()), "TARIFF_NOT_PUBLISHED");

        client.publish_tariff(whole).await.unwrap();

        let request = pb::GetTariffRequest { term_id: world.term.to_string() };
        let tariff = world.anonymous().get_tariff(request).await.unwrap().into_inner().tariff.unwrap();
        assert_eq!(tariff.sharing_plan, plan(50_000, 20_000, 30_000));
        world.pay_and_settle(seat).await;
    }
}
