//! Waivers: proved, decided by two people, and told to nobody.

use proto::billing::v1 as pb;
use proto::billing::v1::invoice::State as InvoiceState;
use proto::billing::v1::tariff::Basis;
use proto::billing::v1::waiver::State;
use shared::caller::Role;

use crate::world::{Family, World, each, fact, reason, zhuzhou};

const PDF: &[u8] = b"%PDF-1.7 a certificate";

async fn upload(world: &World, family: Family) -> String {
    let request = pb::UploadEvidenceRequest {
        request_id: world.request_id(),
        pupil_id: family.pupil.to_string(),
        content: PDF.to_vec(),
    };
    world.guardian(family).upload_evidence(request).await.unwrap().into_inner().evidence_id
}

async fn apply(world: &World, family: Family, category: &str) -> Result<pb::Waiver, tonic::Status> {
    world.heard().await;
    let request = pb::ApplyForWaiverRequest {
        request_id: world.request_id(),
        pupil_id: family.pupil.to_string(),
        category: category.to_owned(),
        evidence_ids: vec![upload(world, family).await],
    };
    Ok(world.guardian(family).apply_for_waiver(request).await?.into_inner().waiver.unwrap())
}

fn decision(world: &World, waiver_id: &str, approved: bool) -> pb::DecideWaiverRequest {
    pb::DecideWaiverRequest {
        request_id: world.request_id(),
        waiver_id: waiver_id.to_owned(),
        approved,
        reason: String::new(),
        last_day: if approved { "2027-01-31".to_owned() } else { String::new() },
    }
}

pub async fn grant(world: &World, family: Family) -> pb::Waiver {
    let waiver = apply(world, family, "registered_poor").await.unwrap();
    world.staff(5, Role::MoralEducation).decide_waiver(decision(world, &waiver.id, true)).await.unwrap();
    let granted = world.staff(6, Role::BureauOfficer).decide_waiver(decision(world, &waiver.id, true)).await;
    granted.unwrap().into_inner().waiver.unwrap()
}

#[tokio::test]
async fn c62_c64_a_granted_waiver_settles_what_is_owed_without_an_order() {
    for world in zhuzhou().await {
        let one = world.section(&[(1, 15, 3)]).await;
        let other = world.section(&[(2, 15, 1)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        let before = world.hold(family, one).await;
        assert_eq!(world.invoice(before).await.amount_fen, 4_000);

        let granted = grant(&world, family).await;
        let after = world.hold(family, other).await;

        assert_eq!((granted.state(), granted.last_day.as_str()), (State::Granted, "2027-01-31"));
        for seat in [before, after] {
            let invoice = world.invoice(seat).await;
            assert_eq!(
                (invoice.state(), invoice.amount_fen, invoice.paid_fen),
                (InvoiceState::Settled, 0, 0)
            );
            assert_eq!(world.told(seat).await, ["invoice_settled"]);
        }
        assert!(world.orders().await.is_empty());
        assert_eq!(world.count("payment").await, 0);
        let subsidy = "select cast(sum(debit_fen) as bigint) from posting where account = 'waiver_subsidy'";
        assert_eq!(world.number(subsidy).await, Some(6_500));
        world.sound().await;
    }
}

#[tokio::test]
async fn an_open_order_is_closed_before_the_waiver_settles_the_invoice() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        let seat = world.hold(family, section).await;
        world.pay(seat).await.unwrap();

        grant(&world, family).await;
        world.settled(seat).await;

        assert_eq!(world.orders().await[0]["trade_state"], "CLOSED");
        assert_eq!(world.invoice(seat).await.amount_fen, 0);
        world.sound().await;
    }
}

#[tokio::test]
async fn c62_two_different_people_decide_at_the_school_and_at_the_bureau() {
    for world in zhuzhou().await {
        let family = world.family().await;
        let waiver = apply(&world, family, "registered_poor").await.unwrap();
        let request = || decision(&world, &waiver.id, true);

        let refused = world.staff(9, Role::BureauOfficer).decide_waiver(request()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        let endorsed = world.staff(5, Role::Principal).decide_waiver(request()).await.unwrap().into_inner();
        assert_eq!(endorsed.waiver.unwrap().state(), State::Endorsed);
        let refused = world.staff(5, Role::BureauFinance).decide_waiver(request()).await.unwrap_err();
        assert_eq!(reason(&refused), "SECOND_PERSON_REQUIRED");
        let dateless = pb::DecideWaiverRequest { last_day: String::new(), ..request() };
        let refused = world.staff(6, Role::BureauFinance).decide_waiver(dateless).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
        let granted =
            world.staff(6, Role::BureauFinance).decide_waiver(request()).await.unwrap().into_inner();
        assert_eq!(granted.waiver.unwrap().state(), State::Granted);
        let other = pb::DecideWaiverRequest {
            reason: "材料不全".to_owned(),
            ..decision(&world, &waiver.id, false)
        };
        let refused = world.staff(6, Role::BureauFinance).decide_waiver(other).await.unwrap_err();
        assert_eq!(reason(&refused), "WAIVER_DECIDED");
    }
}

#[tokio::test]
async fn c54_a_rejection_has_a_reason_and_the_family_reads_it() {
    for world in zhuzhou().await {
        let family = world.family().await;
        let waiver = apply(&world, family, "registered_poor").await.unwrap();
        let mut school = world.staff(5, Role::SchoolFinance);
        let refused = school.decide_waiver(decision(&world, &waiver.id, false)).await.unwrap_err();
        assert_eq!(reason(&refused), "REASON_REQUIRED");
        let request = pb::DecideWaiverRequest {
            reason: "材料不全".to_owned(),
            ..decision(&world, &waiver.id, false)
        };
        school.decide_waiver(request).await.unwrap();

        let request = pb::ListWaiversRequest { pupil_id: family.pupil.to_string(), ..Default::default() };
        let listed = world.guardian(family).list_waivers(request).await.unwrap().into_inner().waivers;

        assert_eq!((listed[0].state(), listed[0].rejection_reason.as_str()), (State::Rejected, "材料不全"));
        // And may apply anew.
        apply(&world, family, "registered_poor").await.unwrap();
    }
}

#[tokio::test]
async fn c62_only_the_regions_own_categories_are_taken_and_one_application_at_a_time() {
    for world in zhuzhou().await {
        let family = world.family().await;
        let refused = apply(&world, family, "low_income").await.unwrap_err();
        assert_eq!(reason(&refused), "CATEGORY_NOT_LISTED");
        assert_eq!(fact(&refused, "categories"), "registered_poor");

        apply(&world, family, "registered_poor").await.unwrap();
        assert_eq!(reason(&apply(&world, family, "registered_poor").await.unwrap_err()), "WAIVER_PENDING");

        let other = world.family().await;
        world.heard().await;
        let strangers = upload(&world, family).await;
        let request = pb::ApplyForWaiverRequest {
            request_id: world.request_id(),
            pupil_id: other.pupil.to_string(),
            category: "registered_poor".to_owned(),
            evidence_ids: vec![strangers],
        };
        let refused = world.guardian(other).apply_for_waiver(request).await.unwrap_err();
        assert_eq!(reason(&refused), "EVIDENCE_REQUIRED");
    }
}

#[tokio::test]
async fn c59_where_the_service_is_free_there_is_nothing_to_waive() {
    for world in each("hebei_shahe", Some("shahe_demo")).await {
        let family = world.family().await;
        assert_eq!(reason(&apply(&world, family, "registered_poor").await.unwrap_err()), "FREE_OF_CHARGE");
    }
}

#[tokio::test]
async fn c54_c105_a_document_is_sealed_and_every_reading_is_on_the_record() {
    for world in zhuzhou().await {
        let family = world.family().await;
        let waiver = apply(&world, family, "registered_poor").await.unwrap();
        let id = waiver.evidence_ids[0].clone();
        let request = || pb::GetEvidenceRequest { evidence_id: id.clone() };

        let own = world.guardian(family).get_evidence(request()).await.unwrap().into_inner();
        world.clock.advance(chrono::TimeDelta::seconds(1));
        let school = world.staff(5, Role::MoralEducation).get_evidence(request()).await.unwrap().into_inner();
        let stranger = world.family().await;
        let refused = world.guardian(stranger).get_evidence(request()).await.unwrap_err();
        let teacher = world.staff(8, Role::ClassTeacher).get_evidence(request()).await.unwrap_err();

        assert_eq!((own.content.as_slice(), own.content_type.as_str()), (PDF, "application/pdf"));
        assert_eq!(school.content, PDF);
        assert_eq!(reason(&refused), "EVIDENCE_NOT_FOUND");
        assert_eq!(reason(&teacher), "ROLE_NOT_ALLOWED");
        let readers = billing::store::evidence::readers(world.db.read(), id.parse().unwrap()).await.unwrap();
        assert_eq!(
            readers,
            [world.guardian_caller(family).key(), world.staff_caller(5, Role::MoralEducation).key()]
        );
        assert_eq!(world.number("select count(*) from evidence where content_sealed is null").await, Some(0));
        for change in ["update evidence_reading set reader = 'x'", "delete from evidence_reading"] {
            assert!(world.try_execute(change).await.is_err(), "{change}");
        }
    }
}

#[tokio::test]
async fn documents_are_pictures_or_pdfs_of_at_most_5_mib_and_ten_unused() {
    for world in zhuzhou().await {
        let family = world.family().await;
        world.heard().await;
        let request = |content: Vec<u8>| pb::UploadEvidenceRequest {
            request_id: world.request_id(),
            pupil_id: family.pupil.to_string(),
            content,
        };
        let mut client = world.guardian(family);
        assert_eq!(
            reason(&client.upload_evidence(request(b"MZ".to_vec())).await.unwrap_err()),
            "INVALID_FIELDS"
        );
        let mut large = PDF.to_vec();
        large.resize(5 * 1024 * 1024, 7);
        client.upload_evidence(request(large.clone())).await.unwrap();
        large.push(7);
        assert_eq!(reason(&client.upload_evidence(request(large)).await.unwrap_err()), "INVALID_FIELDS");
        for _ in 0..9 {
            upload(&world, family).await;
        }

        let refused = client.upload_evidence(request(PDF.to_vec())).await.unwrap_err();

        assert_eq!(
            (reason(&refused), fact(&refused, "limit_count")),
            ("EVIDENCE_TOO_MANY".to_owned(), "10".to_owned())
        );
    }
}

#[tokio::test]
async fn c62_c105_nothing_that_is_told_differs_between_a_waived_and_a_paying_child() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        let (waived, paying) = (world.family().await, world.family().await);
        world.publish(Basis::ClassHour, 500).await;
        grant(&world, waived).await;
        let seats = [world.hold(waived, section).await, world.hold(paying, section).await];
        world.pay_and_settle(seats[1]).await;

        let told = shared::testing::told::<pb::Event>(&world.db).await;
        let of = |enrollment: uuid::Uuid| {
            let events = told.iter().filter(|(_, subject, _)| *subject == enrollment);
            let text = |(name, _, event): &(String, uuid::Uuid, pb::Event)| {
                format!("{name} {event:?}").replace(&enrollment.to_string(), "…")
            };
            events.map(text).collect::<Vec<_>>()
        };
        assert_eq!(of(seats[0].enrollment), of(seats[1].enrollment));
        assert!(told.iter().all(|(name, ..)| !name.contains("waiver")));
    }
}

#[tokio::test]
async fn a_waived_seat_given_back_moves_no_money() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        let family = world.family().await;
        world.publish(Basis::ClassHour, 500).await;
        grant(&world, family).await;
        let seat = world.hold(family, section).await;

        assert_eq!(world.refund_quote(seat).await.unwrap(), 0);
        world.withdraw(seat).await;

        assert!(world.refunds(family).await.is_empty());
        let subsidy = "select cast(sum(debit_fen) - sum(credit_fen) as bigint) from posting where account = 'waiver_subsidy'";
        assert_eq!(world.number(subsidy).await, Some(0));
        world.sound().await;
    }
}
