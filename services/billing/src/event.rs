//! What billing tells the other services, as messages. No event says whether anything was waived.

use proto::billing::v1 as pb;
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::{District, Enrollment, Fen, Id, Moment, Term};
use uuid::Uuid;

use crate::domain::invoice::{Event, Invoice};
use crate::domain::section_price::{SectionPrice, TermCeiling};

/// Tells what happened to an invoice.
///
/// # Errors
/// When the database refuses.
pub async fn invoice(tx: &Tx, invoice: &Invoice, event: Event, now: Moment) -> Result<(), Error> {
    let enrollment_id = invoice.enrollment_id.to_string();
    let (name, kind) = match event {
        Event::Settled { late } => {
            ("invoice_settled", pb::event::Kind::InvoiceSettled(pb::InvoiceSettled { enrollment_id, late }))
        }
        Event::Closed => {
            ("invoice_closed", pb::event::Kind::InvoiceClosed(pb::InvoiceClosed { enrollment_id }))
        }
    };
    tell(tx, invoice.district_id, invoice.enrollment_id.uuid(), name, kind, now).await
}

/// Tells that money went back.
///
/// # Errors
/// When the database refuses.
pub async fn refunded(
    tx: &Tx,
    district_id: Id<District>,
    enrollment_id: Id<Enrollment>,
    amount: Fen,
    now: Moment,
) -> Result<(), Error> {
    let message = pb::InvoiceRefunded { enrollment_id: enrollment_id.to_string(), amount_fen: amount.get() };
    let kind = pb::event::Kind::InvoiceRefunded(message);
    tell(tx, district_id, enrollment_id.uuid(), "invoice_refunded", kind, now).await
}

/// Tells that a school published its fee standard.
///
/// # Errors
/// When the database refuses.
pub async fn tariff(tx: &Tx, district_id: Id<District>, term_id: Id<Term>, now: Moment) -> Result<(), Error> {
    let kind = pb::event::Kind::TariffPublished(pb::TariffPublished { term_id: term_id.to_string() });
    tell(tx, district_id, term_id.uuid(), "tariff_published", kind, now).await
}

/// Tells the price of a section, and what all of a pupil's courses with a price of their own may cost.
///
/// # Errors
/// When the database refuses.
pub async fn section_priced(
    tx: &Tx,
    price: &SectionPrice,
    ceiling: Option<&TermCeiling>,
    now: Moment,
) -> Result<(), Error> {
    let mut message = pb::SectionPriced {
        section_id: price.section_id.to_string(),
        price_fen: price.amount.get(),
        ..pb::SectionPriced::default()
    };
    if let Some(TermCeiling { limit, clause }) = ceiling {
        message.ceiling_fen = limit.get();
        message.clause_zh.clone_from(&clause.text_zh);
        message.clause_en.clone_from(&clause.text_en);
        message.clause_key.clone_from(&clause.key);
        message.clause_source.clone_from(&clause.source);
    }
    let kind = pb::event::Kind::SectionPriced(message);
    tell(tx, price.district_id, price.section_id.uuid(), "section_priced", kind, now).await
}

async fn tell(
    tx: &Tx,
    district_id: Id<District>,
    subject_id: Uuid,
    name: &'static str,
    kind: pb::event::Kind,
    now: Moment,
) -> Result<(), Error> {
    let payload = pb::Event { kind: Some(kind) };
    feed::append(tx, NewEvent { district_id, subject_id, name, payload: &payload, happened_at: now }).await?;
    Ok(())
}
