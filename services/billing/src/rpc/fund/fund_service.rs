//! The service: one line a method.

use proto::billing::v1::fund_service_server::FundService;
use proto::billing::v1::*;
use shared::caller;
use tonic::{Request, Response, Status};

use super::{decide, disclose, propose_grant, propose_pay_sheet, propose_spending, read};
use crate::till::Till;

/// `kehou.billing.v1.FundService`.
pub struct FundRpc(pub Till);

/// Hands a request to its method with who calls.
macro_rules! methods {
    ($($name:ident($request:ident) -> $response:ident = $method:path;)*) => {
        #[tonic::async_trait]
        impl FundService for FundRpc {
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                let caller = caller::of(&request);
                $method(&self.0, &caller, request.into_inner()).await.map(Response::new)
            })*
        }
    };
}

methods! {
    get_fund_rules(GetFundRulesRequest) -> GetFundRulesResponse = read::get_fund_rules;
    quote_grant(QuoteGrantRequest) -> QuoteGrantResponse = propose_grant::quote_grant;
    propose_grant(ProposeGrantRequest) -> ProposeGrantResponse = propose_grant::propose_grant;
    propose_spending(ProposeSpendingRequest) -> ProposeSpendingResponse = propose_spending::propose_spending;
    propose_pay_sheet(ProposePaySheetRequest) -> ProposePaySheetResponse = propose_pay_sheet::propose_pay_sheet;
    decide_fund_entry(DecideFundEntryRequest) -> DecideFundEntryResponse = decide::decide_fund_entry;
    receive_grant(ReceiveGrantRequest) -> ReceiveGrantResponse = decide::receive_grant;
    reverse_fund_entry(ReverseFundEntryRequest) -> ReverseFundEntryResponse = decide::reverse_fund_entry;
    get_disclosure(GetDisclosureRequest) -> GetDisclosureResponse = disclose::get_disclosure;
    list_fund_entries(ListFundEntriesRequest) -> ListFundEntriesResponse = read::list_fund_entries;
}
