//! Gives the balances of the ledger's accounts.

use proto::billing::v1::get_trial_balance_response::Account;
use proto::billing::v1::{GetTrialBalanceRequest, GetTrialBalanceResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::status;
use shared::value::{District, Id, School, Violations};
use tonic::Status;

use super::convert;
use crate::store;
use crate::till::Till;

pub async fn get_trial_balance(
    till: &Till,
    caller: &Caller,
    request: GetTrialBalanceRequest,
) -> Result<GetTrialBalanceResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance, Role::SchoolFinance])?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let school_id: Option<Id<School>> = match request.school_id.as_str() {
        "" => None,
        text => convert::id(&mut violations, "school_id", text),
    };
    let district_id = convert::read(&violations, district_id)?;
    match school_id {
        None => permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)?,
        Some(school_id) => {
            let not_found = || status::not_found("school", school_id);
            let node = store::node::find(till.db.read(), school_id.uuid()).await?.ok_or_else(not_found)?;
            permit.reach(&convert::node_path(&node.path), "school", school_id)?;
        }
    }
    let balances = store::ledger::balances(till.db.read(), district_id, school_id).await?;
    let accounts = balances.iter().map(|balance| Account {
        code: balance.account.code().to_owned(),
        debit_fen: balance.debit.get(),
        credit_fen: balance.credit.get(),
    });
    Ok(GetTrialBalanceResponse { accounts: accounts.collect() })
}
