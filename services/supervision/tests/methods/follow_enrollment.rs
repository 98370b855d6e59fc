//! Hearing enrollment's feed.

use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{Event, RefundRuleMissing, SeatConfirmed};
use proto::supervision::v1::ListTicketsRequest;
use proto::supervision::v1::ticket::{Kind as TicketKind, State, Subject};
use shared::caller::Role;
use shared::feed::{Consumer as _, Told};
use shared::value::Id;
use supervision::job::follow_enrollment::FollowEnrollment;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::support::{World, on_each, packs};

async fn hear(world: &World, event: Event) -> Result<(), Status> {
    let about = Told {
        id: world.uuid(),
        position: 1,
        district_id: Id::new(world.school.district_id),
        subject_id: world.uuid(),
        name: "event".to_owned(),
        happened_at: world.now(),
    };
    let follower =
        FollowEnrollment { clock: world.clock.shared(), packs: packs(), sealer: world.sealer.clone() };
    let tx = world.db.begin().await.unwrap();
    follower.apply(&tx, &about, event).await?;
    tx.commit().await.unwrap();
    Ok(())
}

fn missing(world: &World, guardian_id: Uuid) -> Event {
    let mut path = world.school.path();
    path.push(world.uuid());
    Event {
        enrollment_id: world.uuid().to_string(),
        pupil_id: world.uuid().to_string(),
        section_id: world.uuid().to_string(),
        term_id: world.uuid().to_string(),
        guardian_id: world.uuid().to_string(),
        pupil_path: path.iter().map(ToString::to_string).collect(),
        kind: Some(Kind::RefundRuleMissing(RefundRuleMissing {
            key: "refund_rule".to_owned(),
            guardian_id: guardian_id.to_string(),
        })),
    }
}

#[tokio::test]
async fn c51_a_withdrawal_nobody_has_a_rule_for_is_one_ticket_to_the_bureau_with_pupil_term_and_section() {
    on_each(|world| async move {
        let guardian_id = world.uuid();
        let event = missing(&world, guardian_id);

        hear(&world, event.clone()).await.unwrap();

        let all = ListTicketsRequest::default();
        let mut bureau = world.staff(Role::BureauOfficer, &[world.school.district_id]);
        let tickets = bureau.list_tickets(all.clone()).await.unwrap().into_inner().tickets;
        let [ticket] = tickets.as_slice() else { panic!("{tickets:?}") };
        assert_eq!((ticket.kind(), ticket.subject()), (TicketKind::Suggestion, Subject::Fees));
        assert_eq!(ticket.state(), State::Submitted);
        for fact in [&event.pupil_id, &event.term_id, &event.section_id, &event.enrollment_id] {
            assert!(ticket.text.contains(fact), "{}", ticket.text);
        }
        assert!(event.pupil_path.iter().all(|node| ticket.text.contains(node)), "{}", ticket.text);
        assert!(ticket.text.contains("“退费规则”（refund_rule）"), "{}", ticket.text);

        // The family follows it as one of their own; another family does not.
        let seen = world.guardian(guardian_id).list_tickets(all.clone()).await.unwrap().into_inner().tickets;
        assert_eq!(seen.len(), 1);
        let mut other = world.guardian(world.uuid());
        assert!(other.list_tickets(all).await.unwrap().into_inner().tickets.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_asks_nothing_of_the_bureau_makes_no_ticket_and_a_school_not_heard_of_yet_is_waited_for() {
    on_each(|world| async move {
        let event = missing(&world, world.uuid());
        let seated = Event { kind: Some(Kind::SeatConfirmed(SeatConfirmed {})), ..event.clone() };
        hear(&world, seated).await.unwrap();
        let mut elsewhere = event.clone();
        elsewhere.pupil_path[2] = world.uuid().to_string();
        assert_eq!(hear(&world, elsewhere).await.unwrap_err().code(), Code::Unavailable);
        let nowhere = Event { pupil_path: Vec::new(), ..event };
        assert_eq!(hear(&world, nowhere).await.unwrap_err().code(), Code::InvalidArgument);

        let mut bureau = world.staff(Role::BureauOfficer, &[world.school.district_id]);
        let tickets = bureau.list_tickets(ListTicketsRequest::default()).await.unwrap();
        assert!(tickets.into_inner().tickets.is_empty());
    })
    .await;
}
