//! Hears enrollment: seats held, given back, and money that came too late for one.

use async_trait::async_trait;
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::enrollment::ReleaseReason;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment};
use shared::{random, status};
use tonic::Status;

use super::identity::{unreadable, uuid};
use crate::domain::invoice::State;
use crate::domain::release::Cause;
use crate::domain::seat_change::SeatChange;
use crate::domain::tariff::free_of_charge;
use crate::store;
use crate::store::enrollment::Met;
use crate::till::book::{Book, ForWhom, next_issue, open};
use crate::till::{Till, release};

/// Issues invoices for held seats and gives money back for seats given back.
#[derive(Clone)]
pub struct Enrollment {
    /// What the steps work with.
    pub till: Till,
}

#[async_trait]
impl Consumer for Enrollment {
    type Event = pb::Event;

    async fn apply(&self, tx: &Tx, told: &Told, event: pb::Event) -> Result<(), Status> {
        // Facts of the school day are about no enrollment.
        let enrollment_id = || Ok::<_, Status>(Id::new(uuid(&event.enrollment_id)?));
        match &event.kind {
            Some(pb::event::Kind::SeatHeld(held)) => {
                let ends = held.hold_expire_time.as_ref().ok_or_else(|| unreadable("a hold has no end"))?;
                let nanos = u32::try_from(ends.nanos).unwrap_or(0);
                let due_at = Moment::from_timestamp(ends.seconds, nanos)
                    .ok_or_else(|| unreadable("a hold has no end"))?;
                self.bill(tx, enrollment_id()?, &event, due_at).await
            }
            Some(pb::event::Kind::SeatReleased(released)) => {
                let is_changed = released.reason() == ReleaseReason::Changed;
                let cause = match released.reason() {
                    ReleaseReason::SectionCancelled => Cause::SectionCancelled,
                    ReleaseReason::Unspecified
                    | ReleaseReason::HoldExpired
                    | ReleaseReason::AgreementExpired
                    | ReleaseReason::ReviewExpired
                    | ReleaseReason::Declined
                    | ReleaseReason::Withdrawn
                    | ReleaseReason::Changed
                    | ReleaseReason::PupilLeft => Cause::GivenBack,
                };
                store::heads::end_part(tx, enrollment_id()?).await?;
                self.release(tx, enrollment_id()?, cause, is_changed).await
            }
            Some(pb::event::Kind::ChangePlanned(planned)) => {
                self.plan_change(tx, told, enrollment_id()?, &event, planned).await
            }
            Some(pb::event::Kind::SeatConfirmed(_)) => {
                let (term_id, pupil_id) = (Id::new(uuid(&event.term_id)?), Id::new(uuid(&event.pupil_id)?));
                store::heads::take_part(tx, enrollment_id()?, told.district_id, term_id, pupil_id).await?;
                Ok(())
            }
            Some(pb::event::Kind::SettlementUnseated(_)) => {
                self.release(tx, enrollment_id()?, Cause::Unseated, false).await
            }
            Some(
                pb::event::Kind::Waitlisted(_)
                | pb::event::Kind::AgreementAwaited(_)
                | pb::event::Kind::RefundRuleMissing(_)
                | pb::event::Kind::ReviewBegun(_)
                | pb::event::Kind::RegisterClosed(_)
                | pb::event::Kind::PupilCheckedIn(_)
                | pb::event::Kind::PupilCheckedOut(_)
                | pb::event::Kind::PupilOverdue(_)
                | pb::event::Kind::RoundExtended(_)
                | pb::event::Kind::RoundCancelled(_)
                | pb::event::Kind::ListsClosed(_)
                | pb::event::Kind::RoundDrawn(_),
            )
            | None => Ok(()),
        }
    }
}

impl Enrollment {
    /// Issues the invoice of a held seat. Where the service is free there is none.
    async fn bill(
        &self,
        tx: &Tx,
        enrollment_id: Id<EnrollmentKind>,
        event: &pb::Event,
        due_at: Moment,
    ) -> Result<(), Status> {
        let pupil_id = Id::new(uuid(&event.pupil_id)?);
        let term_id = Id::new(uuid(&event.term_id)?);
        let section_id = Id::new(uuid(&event.section_id)?);
        let Some(mut book) = Book::lock(&self.till, tx, pupil_id, term_id).await? else {
            return Err(not_yet("the pupil or the term"));
        };
        let Some(section) = store::section::find_all(tx, [section_id]).await?.remove(&section_id) else {
            return Err(not_yet("the section"));
        };
        if free_of_charge(&book.policy).is_ok_and(|clause| clause.is_some()) {
            tracing::error!(alarm = true, enrollment.id = %enrollment_id, "a seat is held for payment where the service is free");
            return Ok(());
        }
        let now = self.till.clock.now();
        let met = store::enrollment::meet(tx, enrollment_id, false, now).await?;
        if met == Met::Billed || book.of_enrollment(enrollment_id).is_some() {
            return Ok(());
        }
        let for_whom = ForWhom {
            enrollment_id,
            pupil_id,
            section_id,
            guardian_id: Id::new(uuid(&event.guardian_id)?),
            title: section.title.clone(),
        };
        let issued_at = next_issue(&book, now);
        let mut invoice = open(random::id(issued_at), &book.term, due_at, &for_whom, issued_at);
        if met == Met::ClosedBeforehand {
            invoice.state = State::Closed { at: now };
            return Ok(store::invoice::insert(tx, &invoice).await?);
        }
        store::invoice::insert(tx, &invoice).await?;
        book.sections.insert(section_id, section);
        book.invoices.push(invoice);
        book.follow_up(tx, now).await
    }

    /// Keeps that a seat ends for another one on a day. Told before that one is held, so that it is priced from that day on.
    async fn plan_change(
        &self,
        tx: &Tx,
        told: &Told,
        from_enrollment_id: Id<EnrollmentKind>,
        event: &pb::Event,
        planned: &pb::ChangePlanned,
    ) -> Result<(), Status> {
        let from_day = planned.from_day.parse().map_err(|_| unreadable("a day is not a date"))?;
        let to_enrollment_id = Id::new(uuid(&planned.to_enrollment_id)?);
        let pupil_id = Id::new(uuid(&event.pupil_id)?);
        let change = SeatChange { from_enrollment_id, to_enrollment_id, from_day };
        let now = self.till.clock.now();
        Ok(store::seat_change::insert(tx, told.district_id, pupil_id, &change, now).await?)
    }

    /// Gives back what was paid for a seat that was given back.
    async fn release(
        &self,
        tx: &Tx,
        enrollment_id: Id<EnrollmentKind>,
        cause: Cause,
        is_changed: bool,
    ) -> Result<(), Status> {
        // Where nothing was billed there is nothing to give back.
        let Some(invoice) = store::invoice::of_enrollment(tx, enrollment_id).await? else { return Ok(()) };
        let mut book = Book::of(&self.till, tx, &invoice).await?;
        let cause = match book.succeeded_at(enrollment_id).filter(|_| is_changed) {
            Some(at) => Cause::ChangedAt { at },
            None => cause,
        };
        release::release(&self.till, tx, &mut book, invoice.id, cause, self.till.clock.now()).await
    }
}

/// Another feed is behind: the event is tried again until it has caught up.
fn not_yet(what: &'static str) -> Status {
    tracing::info!("{what} of a held seat is not known yet");
    status::unavailable("NOT_HEARD_YET")
}
