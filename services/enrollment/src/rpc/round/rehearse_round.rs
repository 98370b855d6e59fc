//! Tries a draw out on lists at hand. Keeps nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use draw::RoundSalt;
use proto::enrollment::v1::rehearse_round_request::Basis;
use proto::enrollment::v1::{RehearseRoundRequest, RehearseRoundResponse};
use shared::caller::Caller;
use shared::value::{Id, Section as SectionKind, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{RoundRpc, convert};
use crate::domain::draw::closing;
use crate::domain::draw::forecast::{self, RUN_COUNT};
use crate::domain::draw::wish::{WishList, Wishes};
use crate::domain::round::{self, Round};
use crate::domain::section::Section;
use crate::rpc::error as refusal;
use crate::{lists, store};

/// Tries a draw out.
pub async fn rehearse_round(
    rpc: &RoundRpc,
    caller: &Caller,
    request: &RehearseRoundRequest,
) -> Result<RehearseRoundResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let round_id = violations.field("round_id", request.round_id.parse());
    let basis = violations.field("basis", Basis::try_from(request.basis).map_err(|_| "no such value"));
    let (Some(round_id), Some(basis)) = (round_id, basis) else {
        return Err(status::invalid(&violations));
    };
    let (round, _) = sight::reached(rpc, &permit, round_id).await?;
    let db = rpc.db.read();
    let act = store::draw::find(db, &round, None).await?;
    let act = act.ok_or_else(|| refusal::round(&round::Error::ApplicationsOnly))?;
    let sections =
        store::section::find_all(db, closing::section_ids(&act.terms).into_iter().flatten()).await?;
    let wishes = match basis {
        Basis::Unspecified | Basis::Wishes => store::wish::list(db, &round).await?,
        Basis::LastTerm => last_term(rpc, &round, &act.terms, &sections).await?,
    };
    let now = rpc.clock.now();
    let entrants = lists::gather(db, &round, &act.terms, &sections, wishes, now).await?;
    let sections: HashMap<_, _> = sections.into_iter().map(|section| (section.id, section)).collect();
    // Entries of a rehearsal stand for nobody outside of it.
    let salt = RoundSalt::new(random::bytes());
    let closed = lists::closed(&round, act.terms, &sections, &entrants, &salt)?;
    // The draws are tried on a thread of their own: they take a while in a large school, and others are to be answered meanwhile.
    let label = format!("{}/{now}", round.id);
    let wishing = closed.listed.iter().filter(|listed| !listed.wishes.is_empty()).count();
    let tried = tokio::task::spawn_blocking(move || {
        let seats = |id: Id<SectionKind>| closed.drawn_counts.get(&id).copied().unwrap_or_default();
        forecast::rehearse(&label, &closed.input, &closed.listed, seats)
    });
    let forecasts = tried.await.map_err(|error| db::Error::inconsistent("round", round.id, error))?;
    let title = |id: Id<SectionKind>| sections.get(&id).map(|section| section.title.clone());
    Ok(RehearseRoundResponse {
        pupil_count: i32::try_from(wishing).unwrap_or(i32::MAX),
        run_count: convert::count(RUN_COUNT),
        sections: forecasts
            .iter()
            .map(|forecast| convert::forecast(forecast, title(forecast.section_id).unwrap_or_default()))
            .collect(),
    })
}

/// What everybody who was in a course of the school's term before is taken to wish for again: the sections of the round with the same
/// title, in the order of their ids, one list for each draw slot.
async fn last_term(
    rpc: &RoundRpc,
    round: &Round,
    terms: &draw::Terms,
    sections: &[Section],
) -> Result<Vec<Wishes>, Status> {
    let db = rpc.db.read();
    let known = store::section::list_of_school(db, round.district_id, round.school_id).await?;
    let ids: HashSet<_> = known.iter().map(|section| section.term_id).collect();
    let all = store::term::find_all(db, &ids.into_iter().collect::<Vec<_>>()).await?;
    let own = all.iter().find(|term| term.id == round.term_id).map(|term| term.first_day);
    let before = all.iter().filter(|term| own.is_some_and(|own| term.first_day < own));
    let Some(before) = before.max_by_key(|term| term.first_day) else {
        return Ok(Vec::new());
    };
    let old: HashMap<_, _> = known
        .iter()
        .filter(|section| section.term_id == before.id)
        .map(|section| (section.id, section.title.as_str()))
        .collect();
    let seated =
        store::enrollment::list_live(db, round.district_id, &old.keys().copied().collect::<Vec<_>>()).await?;
    let index = closing::section_ids(terms);
    let mut wishes: BTreeMap<_, (Wishes, HashSet<u32>)> = BTreeMap::new();
    for enrollment in seated.iter().filter(|enrollment| enrollment.state.holds_seat()) {
        let title = old.get(&enrollment.section_id).copied();
        let mut again: Vec<_> =
            sections.iter().filter(|section| Some(section.title.as_str()) == title).collect();
        again.sort_by_key(|section| section.id);
        let (own, slots) = wishes.entry(enrollment.pupil_id).or_insert_with(|| {
            let none = Wishes {
                pupil_id: enrollment.pupil_id,
                guardian_id: enrollment.guardian_id,
                lists: Vec::new(),
                together: false,
                updated_at: enrollment.created_at,
            };
            (none, HashSet::new())
        });
        for section in again {
            let at = index.iter().position(|id| *id == Some(section.id));
            let slot = at.and_then(|at| terms.sections.get(at)).map(|section| section.slot.0);
            if slot.is_some_and(|slot| slots.insert(slot)) {
                let list = WishList { ranked: vec![section.id], any_of: Vec::new(), stand_in_line: false };
                own.lists.push(list);
                break;
            }
        }
    }
    Ok(wishes.into_values().map(|(wishes, _)| wishes).filter(|wishes| !wishes.lists.is_empty()).collect())
}
