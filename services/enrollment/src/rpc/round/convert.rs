//! Domain values of drawn rounds as messages.

use std::collections::HashMap;

use draw::seed::Kind;
use draw::{Siblings, SlotIndex, Terms};
use proto::enrollment::v1 as message;
use shared::value::{Id, Round as RoundKind, Section as SectionKind};

use crate::domain::draw::forecast::Forecast;
use crate::domain::draw::result::{Fate, WishResult};
use crate::domain::draw::wish::Wishes;
use crate::event::timestamp;
use crate::store::draw::{Act, Drawn, Kept, SectionSummary, State};
use crate::store::round::{ChangeKind, RoundChange};

/// A count as messages carry it; all are far below the edge.
pub fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What a round is drawn by.
pub fn settings(terms: &Terms) -> message::DrawSettings {
    let group = |index: draw::GroupIndex| terms.groups.get(index.at()).cloned().unwrap_or_default();
    let siblings = match terms.siblings {
        Siblings::Apart => message::Siblings::Apart,
        Siblings::Together => message::Siblings::Together,
    };
    let source = |source: &draw::Source| message::SeedSource {
        name: source.name.clone(),
        what: source.what.clone(),
        bits: count(source.bits),
        kind: Some(match &source.kind {
            Kind::Decimal { digit_count } => {
                message::seed_source::Kind::DecimalDigitCount(count(*digit_count))
            }
            Kind::Hex { digit_count } => message::seed_source::Kind::HexDigitCount(count(*digit_count)),
            Kind::Contribution { seal } => message::seed_source::Kind::ContributionSeal(seal.to_string()),
        }),
    };
    let slot = |(at, code): (usize, &String)| message::DrawSlot {
        code: code.clone(),
        section_ids: terms
            .sections
            .iter()
            .filter(|section| section.slot == SlotIndex::from_at(at))
            .map(|section| section.code.clone())
            .collect(),
    };
    let rule = |section: &draw::Section| message::SectionRule {
        section_id: section.code.clone(),
        tiers: section
            .tiers
            .iter()
            .map(|tier| message::Tier { groups: tier.iter().copied().map(group).collect() })
            .collect(),
        reserves: section
            .reserves
            .iter()
            .map(|reserve| message::SeatReserve {
                group: group(reserve.group),
                seat_count: count(reserve.seats),
            })
            .collect(),
    };
    message::DrawSettings {
        siblings: siblings.into(),
        sources: terms.sources.iter().map(source).collect(),
        slots: terms.slots.iter().enumerate().map(slot).collect(),
        sections: terms.sections.iter().map(rule).collect(),
    }
}

/// A change of a round. Who made it is not for the families.
pub fn change(change: &RoundChange) -> message::RoundChange {
    let kind = match change.kind {
        ChangeKind::Extended => message::round_change::Kind::Extended,
        ChangeKind::Cancelled => message::round_change::Kind::Cancelled,
        ChangeKind::Repeated => message::round_change::Kind::Repeated,
    };
    message::RoundChange {
        kind: kind.into(),
        reason: change.reason.clone(),
        change_time: Some(timestamp(change.created_at)),
        close_time: Some(timestamp(change.close_at)),
    }
}

/// A pupil's wishes.
pub fn wishes(round_id: Id<RoundKind>, wishes: &Wishes) -> message::Wishes {
    let texts = |ids: &[Id<SectionKind>]| ids.iter().map(ToString::to_string).collect();
    message::Wishes {
        round_id: round_id.to_string(),
        pupil_id: wishes.pupil_id.to_string(),
        lists: wishes
            .lists
            .iter()
            .map(|list| message::WishList {
                ranked_section_ids: texts(&list.ranked),
                any_of_section_ids: texts(&list.any_of),
                stand_in_line: Some(list.stand_in_line),
            })
            .collect(),
        together: wishes.together,
        update_time: Some(timestamp(wishes.updated_at)),
    }
}

/// An act of a draw.
pub fn draw(act: &Act) -> message::Draw {
    let state = match act.state {
        State::Opened => message::draw::State::Opened,
        State::Committed(_) => message::draw::State::Committed,
        State::Drawn(..) => message::draw::State::Drawn,
        State::Abandoned(_) => message::draw::State::Abandoned,
    };
    let entered = act.entered.iter().map(|entered| message::EnteredValues {
        values: entered.values.clone(),
        enter_time: Some(timestamp(entered.at)),
    });
    let (committed, drawn) = (act.committed(), act.drawn());
    let sections = drawn.map(|drawn| sections(&act.terms, drawn)).unwrap_or_default();
    message::Draw {
        round_id: act.round_id.to_string(),
        act: count(act.terms.act),
        state: state.into(),
        reason: act.reason.clone(),
        settings: Some(settings(&act.terms)),
        root: committed.map(|committed| committed.root.to_string()).unwrap_or_default(),
        previous_root: act.terms.previous_root.map(|root| root.hash().to_string()).unwrap_or_default(),
        commit_time: committed.map(|committed| timestamp(committed.at)),
        pupil_count: committed.map(|committed| committed.pupil_count).unwrap_or_default(),
        values: entered.collect(),
        draw_time: drawn.map(|drawn| timestamp(drawn.at)),
        seed: drawn.map(|drawn| drawn.seed.to_string()).unwrap_or_default(),
        outcome_digest: drawn.map(|drawn| drawn.outcome_digest.to_string()).unwrap_or_default(),
        sections,
    }
}

fn sections(terms: &Terms, drawn: &Drawn) -> Vec<message::SectionDraw> {
    let render = |(section, came_to): (&draw::Section, &SectionSummary)| {
        let reserve = |at: Option<u32>| {
            let reserve = section.reserves.get(at? as usize)?;
            terms.groups.get(reserve.group.at()).cloned()
        };
        message::SectionDraw {
            section_id: section.code.clone(),
            slot_code: terms.slots.get(section.slot.at()).cloned().unwrap_or_default(),
            capacity_count: count(section.capacity),
            seat_count: count(came_to.seat_count),
            admitted_count: count(came_to.admitted_count),
            refused_count: count(came_to.refused_count),
            cutoffs: came_to
                .cutoffs
                .iter()
                .map(|line| message::DrawCutoff {
                    reserve_group: reserve(line.reserve).unwrap_or_default(),
                    tier: count(line.tier),
                    admitted_count: count(line.admitted_count),
                    last_number: count(line.last_number),
                })
                .collect(),
        }
    };
    terms.sections.iter().zip(&drawn.sections).map(render).collect()
}

/// What became of each wish. `titles` are those of the sections.
pub fn results(
    terms: &Terms,
    kept: &Kept,
    titles: &HashMap<Id<SectionKind>, String>,
) -> Vec<message::WishResult> {
    use message::wish_result::Outcome;
    let slot = |at: usize| terms.slots.get(at).cloned().unwrap_or_default();
    let title = |id: &Id<SectionKind>| titles.get(id).cloned().unwrap_or_default();
    let drawn = |result: &WishResult| {
        let (outcome, sentence_zh, sentence_en) = match &result.fate {
            Fate::Admitted => (Outcome::Admitted, String::new(), String::new()),
            Fate::Refused { zh, en } => (Outcome::Refused, zh.clone(), en.clone()),
            Fate::NotNeeded => (Outcome::NotNeeded, String::new(), String::new()),
            Fate::LeftOut => (Outcome::LeftOut, String::new(), String::new()),
            Fate::Unseated => (Outcome::Unseated, String::new(), String::new()),
        };
        message::WishResult {
            section_id: result.section_id.to_string(),
            section_title: title(&result.section_id),
            slot_code: result.slot.map(|at| slot(at as usize)).unwrap_or_default(),
            outcome: outcome.into(),
            number: count(result.number),
            sentence_zh,
            sentence_en,
        }
    };
    if let Some(results) = &kept.results {
        return results.iter().map(drawn).collect();
    }
    let pending = kept.wishes.iter().map(|wish| {
        let section = wish.drawn_as.and_then(|at| terms.sections.get(at.at()));
        message::WishResult {
            section_id: wish.section_id.to_string(),
            section_title: title(&wish.section_id),
            slot_code: section.map(|section| slot(section.slot.at())).unwrap_or_default(),
            outcome: if section.is_some() { Outcome::Pending } else { Outcome::LeftOut }.into(),
            ..message::WishResult::default()
        }
    });
    pending.collect()
}

/// What a rehearsal says of a section.
pub fn forecast(forecast: &Forecast, title: String) -> message::SectionForecast {
    message::SectionForecast {
        section_id: forecast.section_id.to_string(),
        section_title: title,
        seat_count: forecast.seat_count,
        wished_count: count(forecast.wished_count),
        first_count: count(forecast.first_count),
        chance_permille: count(forecast.chance_permille),
    }
}
