//! Hands in a pupil's wishes.

use std::collections::{BTreeSet, HashMap, HashSet};

use proto::enrollment::v1::{self as message, SetWishesRequest, SetWishesResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Round as RoundKind, Section as SectionKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{RoundRpc, convert, error, sight};
use crate::domain::draw::wish::{self, WishList, Wishes};
use crate::domain::round;
use crate::rpc::error as refusal;
use crate::store;

/// Hands in wishes in place of those handed in before.
pub async fn set_wishes(
    rpc: &RoundRpc,
    caller: &Caller,
    request: SetWishesRequest,
) -> Result<SetWishesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let lists = lists(&mut violations, &request.lists);
    let (Some(request_id), Some(round_id), Some(pupil_id), true) =
        (request_id, round_id, pupil_id, violations.is_empty())
    else {
        return Err(status::invalid(&violations));
    };
    sight::of_pupil(rpc, &permit, round_id, pupil_id).await?;
    let wishes = Wishes {
        pupil_id,
        guardian_id: permit.id(),
        lists,
        together: request.together,
        updated_at: Moment::default(),
    };
    let content = SetWishesRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SetWishes", request_id, &content);
    db::retry(|| set(rpc, &permit, &key, round_id, &wishes)).await
}

fn lists(violations: &mut Violations, given: &[message::WishList]) -> Vec<WishList> {
    let mut ids = |field: String, texts: &[String]| -> Vec<Id<SectionKind>> {
        let parsed = texts
            .iter()
            .enumerate()
            .filter_map(|(at, text)| violations.field(&format!("{field}[{at}]"), text.parse()));
        parsed.collect()
    };
    let list = |(at, list): (usize, &message::WishList)| WishList {
        ranked: ids(format!("lists[{at}].ranked_section_ids"), &list.ranked_section_ids),
        any_of: ids(format!("lists[{at}].any_of_section_ids"), &list.any_of_section_ids),
        stand_in_line: list.stand_in_line.unwrap_or(true),
    };
    given.iter().enumerate().map(list).collect()
}

async fn set(
    rpc: &RoundRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    round_id: Id<RoundKind>,
    wishes: &Wishes,
) -> Result<SetWishesResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // Held, not locked: families do not wait for each other, and whoever closes the lists waits for all of them.
    let round = store::round::hold(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    // By the clock that all replicas share.
    let now = tx.now(rpc.clock.as_ref()).await?;
    round::take_wishes(&round, now).map_err(|error| refusal::round(&error))?;
    let act = store::draw::find(&tx, &round, None).await?;
    let act = act.ok_or_else(|| db::Error::inconsistent("round", round.id, "it is drawn and has no act"))?;

    let pupil_id = permit.pupil(wishes.pupil_id)?.pupil_id;
    let pupil = store::pupil::find(&tx, pupil_id).await?;
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let ids: BTreeSet<_> = wishes.lists.iter().flat_map(WishList::sections).collect();
    let sections = store::section::find_all(&tx, ids).await?;
    let live =
        store::enrollment::find_for(&tx, &HashSet::from([round.district_id]), &[pupil_id], &[]).await?;
    let places = store::place::of(&tx, &live, &sections).await?.remove(&pupil_id).unwrap_or_default();
    let sections: HashMap<_, _> = sections.into_iter().map(|section| (section.id, section)).collect();
    wish::take(wishes, &act.terms, round.school_id, &pupil, &sections, &places)
        .map_err(|error| error::wish(&error))?;

    let wishes = Wishes { updated_at: now, ..wishes.clone() };
    store::wish::save(&tx, &round, &wishes).await?;
    let response = SetWishesResponse { wishes: Some(convert::wishes(round.id, &wishes)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
