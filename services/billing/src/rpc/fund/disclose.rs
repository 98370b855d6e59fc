//! Sums a term's money up for publication.

use proto::billing::v1::get_disclosure_response::{Granted, Spent};
use proto::billing::v1::{GetDisclosureRequest, GetDisclosureResponse};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::Violations;
use tonic::Status;

use super::convert;
use crate::domain::fund::disclosure::sum;
use crate::domain::refusal::Refusal;
use crate::rpc::convert as common;
use crate::store;
use crate::till::Till;

/// Who sees the sums before they are published.
const ROLES: &[Role] = &[Role::SchoolFinance, Role::Principal, Role::BureauFinance, Role::BureauOfficer];

pub async fn get_disclosure(
    till: &Till,
    caller: &Caller,
    request: GetDisclosureRequest,
) -> Result<GetDisclosureResponse, Status> {
    let permit = match caller {
        Caller::Service(_) => None,
        _ => Some(caller.staff(ROLES)?),
    };
    let mut violations = Violations::default();
    let term_id = common::id(&mut violations, "term_id", &request.term_id);
    let term_id = common::read(&violations, term_id)?;
    let db = till.db.read();
    let found = store::term::find(db, term_id).await?;
    match permit {
        Some(permit) => super::reached(&permit, term_id, found)?,
        None => found.ok_or_else(|| status::not_found("term", term_id))?,
    };
    let fees = store::heads::fee_totals(db, term_id).await?;
    let funds = sum(&store::fund::standing(db, term_id).await?).map_err(Refusal::from)?;
    let is_withheld = fees.is_waived_withheld();
    let unless_withheld = |fen: i64| if is_withheld { 0 } else { fen };
    let spent = |(purpose, (purpose_zh, amount)): (String, (String, shared::value::Fen))| Spent {
        purpose,
        purpose_zh,
        amount_fen: amount.get(),
    };
    Ok(GetDisclosureResponse {
        charged_fen: unless_withheld(fees.charged.get()),
        paid_fen: fees.paid.get(),
        refunded_fen: fees.refunded.get(),
        waived_fen: unless_withheld(fees.waived.get()),
        waived_pupil_count: if is_withheld {
            0
        } else {
            i32::try_from(fees.waived_pupils).unwrap_or(i32::MAX)
        },
        waived_withheld: is_withheld,
        spent: funds.spent.into_iter().map(spent).collect(),
        staff_pay_fen: funds.staff_pay.get(),
        granted: funds
            .granted
            .into_iter()
            .map(|(rule, approved, received)| Granted {
                kind: convert::kind(rule).into(),
                approved_fen: approved.get(),
                received_fen: received.get(),
            })
            .collect(),
    })
}
