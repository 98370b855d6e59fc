//! What a round is drawn by: fixed for the sections on the menu when it is opened; capacities and sources by each act.

use std::collections::BTreeSet;

use draw::input::Fault;
use draw::{GroupIndex, Input, Mode, Reserve, Root, Siblings, SlotIndex, Source, Terms};
use shared::value::{Id, Section as SectionKind};

use super::slot;
use crate::domain::round::{self, Round};
use crate::domain::section::{Section, first_clash};

/// How a section is drawn where it is not as the policy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The section.
    pub section_id: Id<SectionKind>,
    /// Groups by tier, the first tier first; each a key of a priority group.
    pub tiers: Vec<Vec<String>>,
    /// Groups with the seats kept for them, in their order.
    pub reserves: Vec<(String, u32)>,
}

/// A field of the settings that breaks a rule: its path in the request that opens the round, and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Such as `sections[0].reserves[1].seat_count`.
    pub field: String,
    /// For the engineer who sent it.
    pub rule: String,
}

/// The mode as the draw has it; none where nothing is drawn.
#[must_use]
pub const fn mode(mode: round::Mode) -> Option<Mode> {
    match mode {
        round::Mode::FirstCome => None,
        round::Mode::Ranked => Some(Mode::Ranked),
        round::Mode::Lottery => Some(Mode::Lottery),
    }
}

/// Gives the terms of a round's first act, over `sections`, which must be all those that are drawn.
///
/// A section without a rule of its own puts the pupils of `priority_groups` first, all alike. The sections with a rule come first, in
/// the order of the rules; then the others in the order given.
///
/// # Errors
/// Every problem of the settings: unknown or repeated sections and groups, more seats kept than there are, sources with too
/// little chance in them.
pub fn open(
    round: &Round,
    siblings: Siblings,
    sources: Vec<Source>,
    sections: &[Section],
    rules: &[Rule],
    priority_groups: &[String],
) -> Result<Terms, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let mut ordered: Vec<(&Section, Option<&Rule>)> = Vec::with_capacity(sections.len());
    for (at, rule) in rules.iter().enumerate() {
        let found = sections.iter().find(|section| section.id == rule.section_id);
        let field = || format!("sections[{at}].section_id");
        match found {
            _ if !seen.insert(rule.section_id) => {
                problems.push(Problem { field: field(), rule: "stands there twice".to_owned() });
            }
            Some(section) => ordered.push((section, Some(rule))),
            None => {
                let rule = "is not a section that is drawn".to_owned();
                problems.push(Problem { field: field(), rule });
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    ordered
        .extend(sections.iter().filter(|section| !seen.contains(&section.id)).map(|section| (section, None)));

    let own: Vec<Section> = ordered.iter().map(|(section, _)| (*section).clone()).collect();
    let slots = slot::divide(&own);
    let mut groups: Vec<String> = Vec::new();
    let mut index = |key: &String| {
        let at = groups.iter().position(|group| group == key).unwrap_or_else(|| {
            groups.push(key.clone());
            groups.len() - 1
        });
        GroupIndex::from_at(at)
    };
    let by_policy = if priority_groups.is_empty() { Vec::new() } else { vec![priority_groups.to_vec()] };
    let drawn = ordered.iter().enumerate().map(|(at, (section, rule))| {
        let (tiers, reserves) = rule.map_or((&by_policy, &[][..]), |rule| (&rule.tiers, &rule.reserves[..]));
        let slot = slots.iter().position(|slot| slot.sections.contains(&at)).unwrap_or_default();
        draw::Section {
            code: section.id.to_string(),
            slot: SlotIndex::from_at(slot),
            capacity: u32::try_from(section.seats.capacity_count).unwrap_or_default(),
            tiers: tiers.iter().map(|tier| tier.iter().map(&mut index).collect()).collect(),
            reserves: reserves
                .iter()
                .map(|(group, seats)| Reserve { group: index(group), seats: *seats })
                .collect(),
        }
    });
    let sections = drawn.collect();
    let terms = Terms {
        round_id: round.id.to_string(),
        act: 1,
        previous_root: None,
        // A round that is not drawn has no terms: whoever opens it asks for none.
        mode: mode(round.mode).unwrap_or(Mode::Ranked),
        siblings,
        slots: slots.into_iter().map(|slot| slot.code).collect(),
        groups,
        sections,
        sources,
    };
    check(&terms)?;
    Ok(terms)
}

/// Gives the terms of the act after `before`, whose root is `root`, with sources of its own.
///
/// # Errors
/// Every problem of the sources.
pub fn repeat(before: &Terms, root: Root, sources: Vec<Source>) -> Result<Terms, Vec<Problem>> {
    let terms =
        Terms { act: before.act.saturating_add(1), previous_root: Some(root), sources, ..before.clone() };
    check(&terms)?;
    Ok(terms)
}

/// Gives the terms of an act whose lists are open with `section` among those drawn; `drawn` are the sections of the terms. It has no rule of
/// its own: the pupils of `priority_groups` come first.
///
/// None where it cannot join: it meets at the hours of two draw slots, which would become one, and families have handed in a list for
/// each; or the draw has no room for more. One that is in the terms already joins nothing.
#[must_use]
pub fn join(
    before: &Terms,
    drawn: &[Section],
    section: &Section,
    priority_groups: &[String],
) -> Option<Terms> {
    let mut terms = before.clone();
    let code = section.id.to_string();
    let slot_of = |other: &Section| {
        let code = other.id.to_string();
        terms.sections.iter().find(|section| section.code == code).map(|section| section.slot)
    };
    let clashing = drawn.iter().filter(|other| first_clash(&other.slots, &section.slots).is_some());
    let met: BTreeSet<SlotIndex> = clashing.filter_map(slot_of).collect();
    if met.len() > 1 || terms.sections.iter().any(|section| section.code == code) {
        return None;
    }
    let slot = met.first().copied().unwrap_or_else(|| SlotIndex::from_at(terms.slots.len()));
    let mut members: Vec<_> = drawn.iter().filter(|other| slot_of(other) == Some(slot)).cloned().collect();
    members.push(section.clone());
    // Its times, those of the new section among them.
    let named = slot::divide(&members).into_iter().next()?;
    match terms.slots.get_mut(slot.at()) {
        Some(known) => *known = named.code,
        None => terms.slots.push(named.code),
    }
    let mut tier = Vec::with_capacity(priority_groups.len());
    for key in priority_groups {
        let at = terms.groups.iter().position(|group| group == key).unwrap_or_else(|| {
            terms.groups.push(key.clone());
            terms.groups.len() - 1
        });
        tier.push(GroupIndex::from_at(at));
    }
    terms.sections.push(draw::Section {
        code,
        slot,
        capacity: u32::try_from(section.seats.capacity_count).unwrap_or_default(),
        tiers: if tier.is_empty() { Vec::new() } else { vec![tier] },
        reserves: Vec::new(),
    });
    check(&terms).is_ok().then_some(terms)
}

/// Holds terms against the rules of the draw, before there are pupils.
fn check(terms: &Terms) -> Result<(), Vec<Problem>> {
    match Input::new(terms.clone(), Vec::new()) {
        Ok(_) => Ok(()),
        Err(problems) => Err(problems.iter().map(named).collect()),
    }
}

/// A problem as the request that opened the round knows its field.
fn named(problem: &draw::input::Problem) -> Problem {
    let field = problem.field.strip_prefix("terms.").unwrap_or(&problem.field);
    let field = field.replace(".seats", ".seat_count").replace(".kind.digit_count", ".digit_count");
    let field = match (problem.field.as_str(), &problem.fault) {
        // Slots follow from the menu: nothing the caller sent is wrong with them.
        ("terms.slots", _) => "term_id".to_owned(),
        _ => field,
    };
    Problem { field, rule: rule(&problem.fault) }
}

fn rule(fault: &Fault) -> String {
    match fault {
        Fault::Missing => "must not be empty".to_owned(),
        Fault::Zero => "must be 1 or more".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use draw::seed::Kind;

    use super::*;
    use crate::domain::admission::tests::{id, section, slot, snapshot};

    pub fn beacon() -> Source {
        Source {
            name: "公证摇号".to_owned(),
            what: "9 月 5 日 10 时公证处当众摇出的 40 个数字".to_owned(),
            bits: 128,
            kind: Kind::Decimal { digit_count: 40 },
        }
    }

    pub fn round() -> Round {
        let rounds = snapshot(Vec::new()).terms.into_values().next().unwrap().rounds;
        Round { mode: round::Mode::Ranked, ..rounds[0].clone() }
    }

    #[test]
    fn a_new_section_joins_the_slot_it_meets_or_makes_its_own_and_never_two_at_once() {
        // Monday 16:00 and Monday 17:00: two draw slots.
        let menu = [section(1, 10, &[slot(1, 960)]), section(2, 10, &[slot(1, 1020)])];
        let groups = keys(&["left_behind"]);
        let before = open(&round(), Siblings::Apart, vec![beacon()], &menu, &[], &groups).unwrap();

        let beside = join(&before, &menu, &section(3, 7, &[slot(1, 960)]), &groups).unwrap();
        let own = join(&before, &menu, &section(3, 7, &[slot(2, 960)]), &groups).unwrap();

        assert_eq!(beside.sections[2].slot, before.sections[0].slot);
        assert_eq!((beside.slots.len(), own.slots.len()), (2, 3));
        assert_eq!(own.sections[2].slot, SlotIndex(2));
        for terms in [beside, own] {
            let new = &terms.sections[2];
            assert_eq!((new.capacity, &new.tiers), (7, &before.sections[0].tiers));
            assert_eq!(terms.sections[..2], before.sections);
        }
        assert_eq!(join(&before, &menu, &section(3, 7, &[slot(1, 990)]), &groups), None);
        assert_eq!(join(&before, &menu, &menu[0], &groups), None);
    }

    fn keys(groups: &[&str]) -> Vec<String> {
        groups.iter().map(|group| (*group).to_owned()).collect()
    }

    #[test]
    fn c39_the_policys_groups_are_one_tier_before_all_others_unless_a_section_has_a_rule() {
        let menu = [section(1, 10, &[slot(1, 960)]), section(2, 10, &[slot(1, 960)])];
        let rule = Rule {
            section_id: id(2),
            tiers: vec![keys(&["disabled"]), keys(&["left_behind"])],
            reserves: vec![("left_behind".to_owned(), 3)],
        };
        let policy = keys(&["left_behind", "disabled"]);

        let terms = open(&round(), Siblings::Apart, vec![beacon()], &menu, &[rule], &policy).unwrap();

        let codes: Vec<_> = terms.sections.iter().map(|section| section.code.clone()).collect();
        assert_eq!(codes, [menu[1].id.to_string(), menu[0].id.to_string()]);
        assert_eq!(terms.groups, ["disabled", "left_behind"]);
        assert_eq!(terms.sections[0].tiers, [vec![GroupIndex(0)], vec![GroupIndex(1)]]);
        assert_eq!(terms.sections[0].reserves, [Reserve { group: GroupIndex(1), seats: 3 }]);
        assert_eq!(terms.sections[1].tiers, [vec![GroupIndex(1), GroupIndex(0)]]);
        assert_eq!(terms.slots, ["周一 16:00-17:00"]);
    }

    #[test]
    fn where_the_policy_names_no_group_nobody_comes_first() {
        let menu = [section(1, 10, &[slot(1, 960)])];
        let terms = open(&round(), Siblings::Apart, vec![beacon()], &menu, &[], &[]).unwrap();
        assert!(terms.sections[0].tiers.is_empty());
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_told_by_field() {
        let menu = [section(1, 10, &[slot(1, 960)]), section(2, 10, &[slot(1, 960)])];
        let rule = |section, tiers, reserves| Rule { section_id: id(section), tiers, reserves };
        let weak = Source { bits: 127, ..beacon() };
        let claims = Source { bits: 133, ..beacon() };
        let kept = vec![("left_behind".to_owned(), 6), ("disabled".to_owned(), 5)];
        let twice = vec![keys(&["disabled"]), keys(&["disabled"])];
        let table: Vec<(Vec<Source>, Vec<Rule>, &str)> = vec![
            (vec![], vec![], "sources"),
            (vec![weak], vec![], "sources"),
            (vec![claims], vec![], "sources[0].bits"),
            (vec![beacon()], vec![rule(3, vec![], vec![])], "sections[0].section_id"),
            (
                vec![beacon()],
                vec![rule(1, vec![], vec![]), rule(1, vec![], vec![])],
                "sections[1].section_id",
            ),
            (vec![beacon()], vec![rule(2, vec![], kept)], "sections[0].reserves"),
            (
                vec![beacon()],
                vec![rule(1, vec![], vec![]), rule(2, twice, vec![])],
                "sections[1].tiers[1][0]",
            ),
        ];
        for (sources, rules, field) in table {
            let problems = open(&round(), Siblings::Apart, sources, &menu, &rules, &[]).unwrap_err();
            assert!(problems.iter().any(|problem| problem.field == field), "{field}: {problems:?}");
        }
    }
}
