//! Computes the chain of a district's ledger again.

use proto::billing::v1::{VerifyLedgerRequest, VerifyLedgerResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::value::{District, Id, Violations};
use tonic::Status;

use super::convert;
use crate::domain::chain::Anchor;
use crate::store::verify;
use crate::till::Till;

pub async fn verify_ledger(
    till: &Till,
    caller: &Caller,
    request: VerifyLedgerRequest,
    anchors: &[Anchor],
) -> Result<VerifyLedgerResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let district_id = convert::read(&violations, district_id)?;
    permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)?;
    let found = verify::verify(&till.db, district_id.uuid(), anchors, |_| ()).await?;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let first = found.first_difference.as_ref();
    if let Some(first) = first {
        tracing::error!(
            alarm = true, district.id = %district_id, position = first.position, journal.id = ?first.journal_id,
            "the ledger is not what was sealed: {}", first.why
        );
    }
    Ok(VerifyLedgerResponse {
        is_true: first.is_none(),
        sealed_count: count(found.sealed_count),
        unsealed_count: count(found.unsealed_count),
        head_hash: found.head.to_string(),
        anchor_count: count(found.anchor_count),
        first_position: first.map_or(0, |first| first.position),
        first_journal_id: first
            .and_then(|first| first.journal_id)
            .map(|id| id.to_string())
            .unwrap_or_default(),
        first_difference: first.map(|first| first.why.to_owned()).unwrap_or_default(),
    })
}
