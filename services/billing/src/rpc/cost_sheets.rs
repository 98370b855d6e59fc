//! Lists the cost sheets of a term.

use proto::billing::v1::{ListCostSheetsRequest, ListCostSheetsResponse};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{Id, Term, Violations};
use tonic::Status;

use super::convert;
use super::decide_cost_sheet::BUREAU;
use crate::store;
use crate::till::Till;

pub async fn list_cost_sheets(
    till: &Till,
    caller: &Caller,
    request: ListCostSheetsRequest,
) -> Result<ListCostSheetsResponse, Status> {
    let permit = caller.staff(&[&[Role::SchoolFinance, Role::Principal], BUREAU].concat())?;
    let mut violations = Violations::default();
    let term_id: Option<Id<Term>> = convert::id(&mut violations, "term_id", &request.term_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (term_id, page) = convert::read(&violations, term_id.zip(page))?;
    let not_found = || status::not_found("term", term_id);
    let term = store::term::find(till.db.read(), term_id).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&term.path), "term", term_id)?;
    let mut sheets = store::cost_sheet::list(till.db.read(), term_id, &page).await?;
    let next_page_token = convert::cut(&mut sheets, page.size, |sheet| (sheet.created_at, sheet.id.uuid()));
    let cost_sheets = sheets.iter().map(convert::cost_sheet).collect::<Result<_, _>>()?;
    Ok(ListCostSheetsResponse { cost_sheets, next_page_token })
}
