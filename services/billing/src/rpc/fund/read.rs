//! What the region says, and what there is.

use policy::Policy;
use proto::billing::v1::get_fund_rules_response::Purpose;
use proto::billing::v1::{
    GetFundRulesRequest, GetFundRulesResponse, ListFundEntriesRequest, ListFundEntriesResponse,
};
use shared::caller::Caller;
use shared::value::Violations;
use tonic::Status;

use super::{READ_ROLES, convert};
use crate::domain::fund::grant::Rule;
use crate::domain::refusal::Clause;
use crate::rpc::convert as common;
use crate::store;
use crate::till::Till;

pub async fn get_fund_rules(
    till: &Till,
    caller: &Caller,
    request: GetFundRulesRequest,
) -> Result<GetFundRulesResponse, Status> {
    let permit = caller.staff(READ_ROLES)?;
    let mut violations = Violations::default();
    let term_id = common::id(&mut violations, "term_id", &request.term_id);
    let term_id = common::read(&violations, term_id)?;
    let term = super::term(till, &permit, term_id).await?;
    let policy = till.policy(&term)?;
    let rules = Rule::ALL.into_iter().filter(|rule| rule.period(&policy).is_some());
    let purposes = policy.funds.fund_use_allowed.get().into_iter().flatten();
    Ok(GetFundRulesResponse {
        grant_kinds: rules.map(|rule| convert::kind(rule).into()).collect(),
        purposes: purposes
            .map(|item| Purpose { key: item.key.clone(), name_zh: item.name_zh.clone() })
            .collect(),
        clauses: common::clauses(&clauses(&policy)),
    })
}

/// Everything the region says of public money, pay and purposes.
fn clauses(policy: &Policy) -> Vec<Clause> {
    let (gov, staff, funds) = (&policy.gov, &policy.staff, &policy.funds);
    let said = [
        gov.gov_fen_per_pupil_per_year.clause(),
        gov.gov_floor_fen_per_participant_per_term.clause(),
        gov.gov_head_count_basis.clause(),
        gov.enrolled_share_bp.clause(),
        gov.gov_scoped_grants.clause(),
        gov.gov_scopes.clause(),
        gov.gov_match_bp.clause(),
        gov.gov_match_base.clause(),
        gov.gov_shortfall_covered.clause(),
        gov.gov_subsidy_tied_to_evaluation.clause(),
        gov.gov_fixed_fen_per_year.clause(),
        gov.gov_funded_by.clause(),
        staff.staff_pay_basis.clause(),
        staff.internal_pay_fen_per_class_hour.clause(),
        staff.external_pay_cap_fen_per_class_hour.clause(),
        staff.fees_to_staff_bp.clause(),
        staff.performance_total_cap_bp_of_guidance.clause(),
        staff.counts_in_performance_total.clause(),
        funds.fund_use_allowed.clause(),
        funds.earmarked.clause(),
    ];
    said.iter().flatten().map(Clause::from).collect()
}

pub async fn list_fund_entries(
    till: &Till,
    caller: &Caller,
    request: ListFundEntriesRequest,
) -> Result<ListFundEntriesResponse, Status> {
    let permit = caller.staff(READ_ROLES)?;
    let mut violations = Violations::default();
    let term_id = common::id(&mut violations, "term_id", &request.term_id);
    let page = common::page(&mut violations, request.page_size, &request.page_token);
    let (term_id, page) = common::read(&violations, term_id.zip(page))?;
    super::term(till, &permit, term_id).await?;
    let mut entries = store::fund::list(till.db.read(), term_id, &page).await?;
    let next_page_token = common::cut(&mut entries, page.size, |entry| (entry.created_at, entry.id.uuid()));
    Ok(ListFundEntriesResponse {
        fund_entries: entries.iter().map(convert::fund_entry).collect(),
        next_page_token,
    })
}
