//! Hears of settled invoices, and of sections that have a price of their own.

use proto::billing::v1::event::Kind;
use proto::billing::v1::{Event, SectionPriced};
use shared::clock::SharedClock;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::status;
use shared::value::Fen;
use tonic::Status;

use crate::domain::enrollment::{self, State};
use crate::domain::term_ceiling::{Ceiling, OwnPrice};
use crate::{change, store};

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
            Some(Kind::SectionPriced(priced)) => keep_price(tx, priced).await,
            // Closing is asked for and answered by a call; refunds change no seat; tariffs are asked for when a round opens.
            Some(Kind::InvoiceClosed(_) | Kind::InvoiceRefunded(_) | Kind::TariffPublished(_)) | None => {
                Ok(())
            }
        }
    }
}

/// Keeps what a section with a price of its own costs, and the ceiling over all such.
async fn keep_price(tx: &Tx, priced: SectionPriced) -> Result<(), Status> {
    let section_id =
        priced.section_id.parse().map_err(|_| Status::invalid_argument("section_id is not a UUID"))?;
    let ceiling = (priced.ceiling_fen > 0).then(|| Ceiling {
        limit: Fen::new(priced.ceiling_fen),
        key: priced.clause_key,
        clause_zh: priced.clause_zh,
        clause_en: priced.clause_en,
        source: priced.clause_source,
    });
    let price = OwnPrice { price: Fen::new(priced.price_fen), ceiling };
    Ok(store::own_price::insert(tx, section_id, &price).await?)
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
