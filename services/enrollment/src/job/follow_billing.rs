//! Hears of settled invoices.

use proto::billing::v1::Event;
use proto::billing::v1::event::Kind;
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::status;
use tonic::Status;

use crate::change;
use crate::domain::enrollment::{self, State};

/// What billing tells, made true here.
pub struct FollowBilling {
    /// The time of day.
    pub clock: SharedClock,
}

#[async_trait::async_trait]
impl Consumer for FollowBilling {
    type Event = Event;

    async fn apply(&self, tx: &Tx, _told: &Told, event: Event) -> Result<(), Status> {
        match event.kind {
            Some(Kind::InvoiceSettled(settled)) => self.settle(tx, &settled.enrollment_id).await,
            // Closing is asked for and answered by a call; refunds change no seat; tariffs are asked for when a round opens.
            Some(Kind::InvoiceClosed(_) | Kind::InvoiceRefunded(_) | Kind::TariffPublished(_)) | None => {
                Ok(())
            }
        }
    }
}

impl FollowBilling {
    /// The seat is the pupil's; where it is gone, another one or the money back.
    async fn settle(&self, tx: &Tx, enrollment_id: &str) -> Result<(), Status> {
        let id =
            enrollment_id.parse().map_err(|_| Status::invalid_argument("enrollment_id is not a UUID"))?;
        let locked = change::lock(tx, id).await?;
        let locked =
            locked.ok_or_else(|| Status::invalid_argument("an invoice of no enrollment was settled"))?;
        let can_seat = match locked.enrollment.state {
            State::Released { was_settled: false, .. } => change::can_seat_again(tx, &locked).await?,
            State::Released { was_settled: true, .. }
            | State::Waitlisted { .. }
            | State::AwaitingAgreement { .. }
            | State::InReview { .. }
            | State::Held { .. }
            | State::Releasing { .. }
            | State::Confirmed => false,
        };
        let now = tx.now(self.clock.as_ref()).await?;
        let change =
            enrollment::settled(&locked.enrollment, can_seat).map_err(|error| status::internal(&error))?;
        let mut sections = [locked.section];
        change::make(tx, &mut sections, vec![(locked.enrollment, change)], now).await?;
        Ok(())
    }
}
