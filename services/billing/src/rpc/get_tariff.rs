//! Gives a term's fee standard. Public.

use proto::billing::v1::{GetTariffRequest, GetTariffResponse};
use shared::status;
use shared::value::{Id, Term, Violations};
use tonic::Status;

use super::convert;
use crate::domain::section_price::term_ceiling;
use crate::domain::tariff::{free_of_charge, judge};
use crate::store;
use crate::till::Till;

pub async fn get_tariff(till: &Till, request: GetTariffRequest) -> Result<GetTariffResponse, Status> {
    let mut violations = Violations::default();
    let term_id: Option<Id<Term>> = convert::id(&mut violations, "term_id", &request.term_id);
    let term_id = convert::read(&violations, term_id)?;

    let not_found = || status::not_found("tariff", term_id);
    let term = store::term::find(till.db.read(), term_id).await?.ok_or_else(not_found)?;
    let policy = till.policy(&term)?;
    // Where the policy does not say whether parents pay, there is no fee standard either.
    if let Ok(Some(clause)) = free_of_charge(&policy) {
        let clauses = vec![convert::clause(&clause)];
        return Ok(GetTariffResponse { free_of_charge: true, clauses, ..GetTariffResponse::default() });
    }
    let tariff = store::tariff::find(till.db.read(), term_id).await?;
    let prices = store::section_price::of_term(till.db.read(), term_id).await?;
    if tariff.is_none() && prices.is_empty() {
        return Err(not_found());
    }
    let clauses = match &tariff {
        // What was published rested on a sheet where one was asked for.
        Some(tariff) => judge(&policy, term.stage, &tariff.proposal(), true)?.1,
        None => term_ceiling(&policy).map(|ceiling| ceiling.clause).into_iter().collect(),
    };
    let sections = store::section::find_all(till.db.read(), prices.keys().copied()).await?;
    let title = |id| sections.get(&id).map(|section| section.title.clone()).unwrap_or_default();
    let mut section_prices: Vec<_> =
        prices.values().map(|price| convert::section_price(price, title(price.section_id))).collect();
    section_prices.sort_by(|one, other| (&one.title, &one.id).cmp(&(&other.title, &other.id)));
    Ok(GetTariffResponse {
        tariff: tariff.as_ref().map(convert::tariff),
        free_of_charge: false,
        clauses: convert::clauses(&clauses),
        section_prices,
    })
}
