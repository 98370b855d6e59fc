//! Applies for a whole week at once: all parts or none, decided in the same queue as everything else.

use aws_lc_rs::digest::{SHA256, digest};
use proto::enrollment::v1::{ApplyBasketRequest, ApplyBasketResponse};
use shared::caller::Caller;
use shared::value::{Id, Section, Violations};
use shared::{random, status};
use tonic::Status;
use uuid::Uuid;

use super::super::EnrollmentRpc;
use super::{answer_all, response};
use crate::domain::admission::Application;
use crate::domain::basket::{Ask, Basket, PART_MAX};

/// Applies for several seats, and waits for the group's commit.
pub async fn apply_basket(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ApplyBasketRequest,
) -> Result<ApplyBasketResponse, Status> {
    let ask = Ask::Basket(parse(rpc, caller, request)?);
    // Whoever stops waiting drops this future, and with it the answer to come.
    let given = answer_all(rpc.queue.put(ask, None)?).await?;
    Ok(ApplyBasketResponse { places: given.iter().map(response).collect() })
}

fn parse(rpc: &EnrollmentRpc, caller: &Caller, request: &ApplyBasketRequest) -> Result<Basket, Status> {
    let guardian = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse::<Uuid>());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let sections = sections(&request.section_ids, &mut violations);
    let (Some(request_id), Some(pupil_id), true) = (request_id, pupil_id, violations.list().is_empty())
    else {
        return Err(status::invalid(&violations));
    };
    let pupil = guardian.pupil(pupil_id)?;
    let district_id = pupil.path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let now = rpc.clock.now();
    let part = |(place, section_id): (usize, &Id<Section>)| Application {
        enrollment_id: random::id(now),
        request_id: part_id(request_id, place),
        guardian_id: guardian.id(),
        district_id,
        pupil_id,
        section_id: *section_id,
        join_waitlist: request.join_waitlist,
    };
    Ok(Basket {
        parts: sections.iter().enumerate().map(part).collect(),
        next_request_id: part_id(request_id, sections.len()),
    })
}

/// Reads the sections: 1 to [`PART_MAX`], each once.
fn sections(texts: &[String], violations: &mut Violations) -> Vec<Id<Section>> {
    if texts.is_empty() || texts.len() > PART_MAX {
        violations.note("section_ids", format!("must have 1 to {PART_MAX} entries"));
        return Vec::new();
    }
    let mut sections = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let field = format!("section_ids[{place}]");
        let Some(section_id) = violations.field(&field, text.parse()) else { continue };
        if sections.contains(&section_id) {
            violations.note(&field, "must be another section than those before");
        }
        sections.push(section_id);
    }
    sections
}

/// The request id of the part at `place`: always the same of the same basket, and of no other.
fn part_id(request_id: Uuid, place: usize) -> Uuid {
    let mut named = request_id.as_bytes().to_vec();
    named.extend(u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes());
    let hash = digest(&SHA256, &named);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_ids_of_their_own_and_always_the_same() {
        let basket = Uuid::from_u128(7);
        let ids: std::collections::BTreeSet<_> =
            (0..=PART_MAX).flat_map(|place| [part_id(basket, place), part_id(Uuid::nil(), place)]).collect();
        assert_eq!(ids.len(), 2 * (PART_MAX + 1));
        assert_eq!(part_id(basket, 3), part_id(basket, 3));
    }

    #[test]
    fn every_wrong_section_is_named() {
        let mut violations = Violations::default();
        let one = Uuid::from_u128(1).to_string();
        sections(&[one.clone(), "x".to_owned(), one], &mut violations);
        let fields: Vec<_> = violations.list().iter().map(|violation| violation.field.clone()).collect();
        assert_eq!(fields, ["section_ids[1]", "section_ids[2]"]);
        for texts in [Vec::new(), vec![Uuid::nil().to_string(); PART_MAX + 1]] {
            let mut violations = Violations::default();
            sections(&texts, &mut violations);
            assert_eq!(violations.list()[0].field, "section_ids");
        }
    }
}
