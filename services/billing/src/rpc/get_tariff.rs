//! Gives a term's fee standard. Public.

use proto::billing::v1::{GetTariffRequest, GetTariffResponse};
use shared::status;
use shared::value::{Id, Term, Violations};
use tonic::Status;

use super::convert;
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
        return Ok(GetTariffResponse { tariff: None, free_of_charge: true, clauses });
    }
    let tariff = store::tariff::find(till.db.read(), term_id).await?.ok_or_else(not_found)?;
    let (_, clauses) = judge(&policy, term.stage, tariff.basis, tariff.amount, &tariff.approval_document)?;
    Ok(GetTariffResponse {
        tariff: Some(convert::tariff(&tariff)),
        free_of_charge: false,
        clauses: convert::clauses(&clauses),
    })
}
