//! Fields that many messages of rounds share.

use std::collections::BTreeSet;

use draw::seed::Kind;
use draw::{Hash, Siblings, Source};
use policy::Policy;
use proto::enrollment::v1 as message;
use shared::value::{Id, Violations};

use crate::domain::draw::terms::Rule;

/// The longest reason for the families, in characters.
pub const REASON: usize = 400;

/// How siblings are numbered; apart where nothing is said.
pub fn siblings(violations: &mut Violations, given: i32) -> Siblings {
    match message::Siblings::try_from(given) {
        Ok(message::Siblings::Unspecified | message::Siblings::Apart) => Siblings::Apart,
        Ok(message::Siblings::Together) => Siblings::Together,
        Err(_) => {
            violations.note("siblings", "no such value");
            Siblings::Apart
        }
    }
}

/// Where a seed comes from. What the draw itself says of sources is looked at later.
pub fn sources(violations: &mut Violations, given: &[message::SeedSource]) -> Vec<Source> {
    use message::seed_source::Kind as Given;
    let mut sources = Vec::with_capacity(given.len());
    for (at, source) in given.iter().enumerate() {
        let field = |name: &str| format!("sources[{at}].{name}");
        let count = |count: i32| u32::try_from(count).map_err(|_| "must not be negative");
        let bits = violations.field(&field("bits"), count(source.bits));
        let kind = match &source.kind {
            Some(Given::DecimalDigitCount(digits)) => violations
                .field(&field("decimal_digit_count"), count(*digits))
                .map(|digit_count| Kind::Decimal { digit_count }),
            Some(Given::HexDigitCount(digits)) => violations
                .field(&field("hex_digit_count"), count(*digits))
                .map(|digit_count| Kind::Hex { digit_count }),
            Some(Given::ContributionSeal(seal)) => violations
                .field(&field("contribution_seal"), seal.parse::<Hash>())
                .map(|seal| Kind::Contribution { seal }),
            None => {
                violations.note(field("kind"), "must be given");
                None
            }
        };
        if let (Some(bits), Some(kind)) = (bits, kind) {
            sources.push(Source { name: source.name.clone(), what: source.what.clone(), bits, kind });
        }
    }
    sources
}

/// How sections are drawn.
pub fn rules(violations: &mut Violations, given: &[message::SectionRule]) -> Vec<Rule> {
    let mut rules = Vec::with_capacity(given.len());
    for (at, rule) in given.iter().enumerate() {
        let section_id = violations.field(&format!("sections[{at}].section_id"), rule.section_id.parse());
        let reserve = |(position, reserve): (usize, &message::SeatReserve)| {
            let field = format!("sections[{at}].reserves[{position}].seat_count");
            let seats = u32::try_from(reserve.seat_count).ok().filter(|seats| *seats > 0);
            let seats = violations.field(&field, seats.ok_or("must be 1 or more"))?;
            Some((reserve.group.clone(), seats))
        };
        let reserves: Vec<_> = rule.reserves.iter().enumerate().filter_map(reserve).collect();
        let tiers = rule.tiers.iter().map(|tier| tier.groups.clone()).collect();
        rules.extend(section_id.map(|section_id: Id<_>| Rule { section_id, tiers, reserves }));
    }
    rules
}

/// What is wrong with the groups of rules under a policy: where its list of priority groups is closed a rule names no other; where it is
/// open, or there is none, a group's key is a word.
pub fn groups_violations(policy: &Policy, rules: &[Rule]) -> Violations {
    let known: BTreeSet<&str> =
        policy::enroll::priority_groups(policy).iter().map(|group| group.key.as_str()).collect();
    let is_closed = policy.enroll.priority_list_open.get() == Some(&false);
    let is_word = |key: &str| {
        (1..=64).contains(&key.len())
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut violations = Violations::default();
    let mut check = |field: String, key: &str| {
        if is_closed {
            let rule = "is not a priority group of the policy, whose list is closed";
            violations.check(&field, known.contains(key), rule);
        } else {
            let rule = "must be the key of a group: 1 to 64 of a-z, 0-9 and _";
            violations.check(&field, known.contains(key) || is_word(key), rule);
        }
    };
    for (at, rule) in rules.iter().enumerate() {
        for (tier, groups) in rule.tiers.iter().enumerate() {
            for (position, key) in groups.iter().enumerate() {
                check(format!("sections[{at}].tiers[{tier}].groups[{position}]"), key);
            }
        }
        for (position, (key, _)) in rule.reserves.iter().enumerate() {
            check(format!("sections[{at}].reserves[{position}].group"), key);
        }
    }
    violations
}
