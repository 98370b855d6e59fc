//! What a family was charged, paid and got back for a pupil.

use proto::billing::v1::get_family_statement_response::{Line, line};
use proto::billing::v1::{GetFamilyStatementRequest, GetFamilyStatementResponse};
use shared::caller::Caller;
use shared::value::{Fen, Id, Moment, Page, Pupil, Violations};
use tonic::Status;

use super::convert;
use crate::domain::invoice::State;
use crate::domain::payment::State as PaymentState;
use crate::domain::refund::State as RefundState;
use crate::domain::refusal::Refusal;
use crate::store;
use crate::till::Till;

/// The most bills, and the most refunds, of one statement.
const MOST: u64 = 200;

/// What a refund of nothing in particular is called.
const REFUND_ZH: &str = "退费";

pub async fn get_family_statement(
    till: &Till,
    caller: &Caller,
    request: GetFamilyStatementRequest,
) -> Result<GetFamilyStatementResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id: Option<Id<Pupil>> = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let pupil_id = convert::read(&violations, pupil_id)?;
    permit.pupil(pupil_id)?;
    let db = till.db.read();
    let page = Page { size: MOST, after: None };
    let invoices = store::invoice::list(db, pupil_id, &page).await?;
    let ids: Vec<_> = invoices.iter().map(|invoice| invoice.id).collect();
    let mut lines: Vec<(Moment, Line)> = Vec::new();
    let mut add = |at: Moment, kind: line::Kind, title: &str, amount: Fen| {
        let line = Line {
            line_time: Some(convert::timestamp(at)),
            kind: kind.into(),
            title: title.to_owned(),
            amount_fen: amount.get(),
        };
        lines.push((at, line));
    };
    for invoice in &invoices {
        if matches!(invoice.state, State::Open { .. } | State::Settled { .. }) {
            add(
                invoice.created_at,
                line::Kind::Billed,
                &invoice.title,
                invoice.amount().map_err(Refusal::from)?,
            );
        }
    }
    let title_of = |id| {
        invoices.iter().find(|invoice| invoice.id == id).map_or(REFUND_ZH, |invoice| invoice.title.as_str())
    };
    for payment in store::payment::paid_of(db, &ids).await? {
        if let PaymentState::Succeeded(success) | PaymentState::Surplus(success) = &payment.state {
            add(success.at, line::Kind::Paid, title_of(payment.invoice_id), payment.amount);
        }
    }
    for refund in store::refund::list(db, pupil_id, &page).await? {
        let (at, kind) = match refund.state {
            RefundState::Succeeded { at } => (at, line::Kind::Refunded),
            RefundState::Requested | RefundState::Submitted | RefundState::Failed => {
                (refund.created_at, line::Kind::Returning)
            }
        };
        add(at, kind, title_of(refund.invoice_id), refund.amount);
    }
    lines.sort_by_key(|(at, line)| (*at, line.kind));
    let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    let sum = |kind: line::Kind| {
        let of_kind = lines.iter().filter(|line| line.kind() == kind);
        Fen::total(of_kind.map(|line| Fen::new(line.amount_fen))).map(Fen::get).map_err(Refusal::from)
    };
    let (billed_fen, paid_fen) = (sum(line::Kind::Billed)?, sum(line::Kind::Paid)?);
    let refunded_fen = sum(line::Kind::Refunded)?;
    Ok(GetFamilyStatementResponse { lines, billed_fen, paid_fen, refunded_fen })
}
