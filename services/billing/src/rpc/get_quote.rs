//! Prices a choice for a pupil and says why.

use std::collections::BTreeSet;

use proto::billing::v1::quote::Day;
use proto::billing::v1::{GetQuoteRequest, GetQuoteResponse, Quote};
use shared::caller::Caller;
use shared::status;
use shared::value::{Fen, Id, Pupil, Section as SectionKind, Violations};
use tonic::Status;

use super::convert;
use crate::domain::explanation;
use crate::domain::pricing::{Charged, first_week, price};
use crate::domain::refusal::Refusal;
use crate::domain::tariff::free_of_charge;
use crate::store;
use crate::till::Till;
use crate::till::book::Book;

pub async fn get_quote(
    till: &Till,
    caller: &Caller,
    request: GetQuoteRequest,
) -> Result<GetQuoteResponse, Status> {
    let permit = caller.guardian()?;
    let (pupil_id, section_ids) = parse(&request)?;
    permit.pupil(pupil_id)?;

    let sections = store::section::find_all(till.db.read(), section_ids.iter().copied()).await?;
    if let Some(missing) = section_ids.iter().find(|id| !sections.contains_key(*id)) {
        return Err(status::not_found("section", missing));
    }
    let terms: BTreeSet<_> = sections.values().map(|section| section.term_id).collect();
    let (Some(term_id), 1) = (terms.first().copied(), terms.len()) else {
        let mut violations = Violations::default();
        violations.note("section_ids", "must be of one term");
        return Err(status::invalid(&violations));
    };
    let not_found = || status::not_found("term", term_id);
    let book = Book::read(till, pupil_id, term_id).await?.ok_or_else(not_found)?;
    if let Some(clause) = free_of_charge(&book.policy)? {
        let quote = Quote {
            free_of_charge: true,
            clauses: vec![convert::clause(&clause)],
            explanation: convert::sentences(explanation::free(&book.policy)),
            ..Quote::default()
        };
        return Ok(GetQuoteResponse { quote: Some(quote) });
    }
    if section_ids.iter().any(|id| !book.prices.has_price(*id)) {
        return Err(Refusal::TariffNotPublished.into());
    }
    let (charged, kept) = book.live()?;
    let is_chosen = |id: &Id<SectionKind>| {
        book.invoices.iter().any(|invoice| {
            invoice.section_id == *id
                && invoice.released_at.is_none()
                && (invoice.is_open() || invoice.is_settled())
        })
    };
    let new: Vec<_> = section_ids
        .iter()
        .filter(|id| !is_chosen(id))
        .filter_map(|id| sections.get(id))
        .map(Charged::all)
        .collect();
    let price = price(&book.policy, &book.prices, &book.term, &charged, kept, &new)?;
    let let_off = book.let_off(&charged, kept, &new)?;
    let explained = explanation::explain(&book.policy, &price, kept, let_off);
    let week = first_week(&book.term, price.charge.days());
    let week_total = Fen::total(week.iter().map(|day| day.charged)).map_err(Refusal::from)?;
    let quote = Quote {
        amount_fen: price.amount.get(),
        term_total_fen: price.charge.total.get(),
        week: week
            .iter()
            .map(|day| Day {
                date: day.date.to_string(),
                class_hour_count: i32::try_from(day.class_hours).unwrap_or(i32::MAX),
                before_cap_fen: day.before_cap.get(),
                charged_fen: day.charged.get(),
            })
            .collect(),
        week_total_fen: week_total.get(),
        clauses: convert::clauses(&price.clauses()),
        free_of_charge: false,
        explanation: convert::sentences(explained.map_err(Refusal::from)?),
    };
    Ok(GetQuoteResponse { quote: Some(quote) })
}

fn parse(request: &GetQuoteRequest) -> Result<(Id<Pupil>, BTreeSet<Id<SectionKind>>), Status> {
    let mut violations = Violations::default();
    let pupil_id = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let count = request.section_ids.len();
    violations.check("section_ids", (1..=20).contains(&count), "must be 1 to 20");
    let ids = request.section_ids.iter().enumerate();
    let ids = ids
        .filter_map(|(index, id)| convert::id(&mut violations, &format!("section_ids[{index}]"), id))
        .collect();
    convert::read(&violations, pupil_id.map(|pupil_id| (pupil_id, ids)))
}
