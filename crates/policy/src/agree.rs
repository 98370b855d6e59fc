//! Whether the values of one policy can stand together.

use crate::policy::Policy;
use crate::problem::Rule;
use crate::value::{Held, Say, Silent, Value};
use crate::vocabulary::{BasisPoints, FeeMode};

/// Every pair of values that cannot stand together, under the key or keys that say so.
pub(crate) fn disagreements(policy: &Policy) -> Vec<(&'static str, Rule)> {
    let mut found = Vec::new();
    priced_though_free(policy, &mut found);
    promised_but_absent(policy, &mut found);
    let (fee, time) = (&policy.fee, &policy.time);
    crossed(&fee.parent_fee_fen_per_term, &fee.parent_fee_cap_fen_per_term, &mut found);
    crossed(&fee.parent_fee_avg_fen_per_term, &fee.parent_fee_cap_fen_per_term, &mut found);
    crossed(&time.slot_count_min, &time.slot_count_max, &mut found);
    crossed(&time.min_class_hours_per_afternoon, &time.max_class_hours_per_day, &mut found);
    crossed(&time.class_hours_per_day, &time.max_class_hours_per_day, &mut found);
    crossed(&time.end_not_before, &time.end_not_after, &mut found);
    unlisted_scopes(policy, &mut found);
    offers_without_time(policy, &mut found);
    more_than_all(policy, &mut found);
    found
}

/// An offered seat can be taken, and a nightly rest has both its ends and some length.
fn offers_without_time(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let (minutes, from, to) = (
        &policy.enroll.waitlist_offer_minutes,
        &policy.enroll.waitlist_quiet_from,
        &policy.enroll.waitlist_quiet_to,
    );
    if minutes.get() == Some(&0) {
        found.push((minutes.key.name, Rule::WrongType { expected: "1 or more", found: "0".to_owned() }));
    }
    // A week, the longest a seat waits for payment.
    if let Some(found_minutes) = minutes.get().filter(|minutes| **minutes > 10_080) {
        found.push((minutes.key.name, Rule::TooHigh { most: 10_080, found: i64::from(*found_minutes) }));
    }
    match (from.known(), to.known()) {
        (Some((begin, one)), Some((end, other))) if begin == end => {
            let (one, other) = (Box::new(one), Box::new(other));
            found.push((from.key.name, Rule::Excludes { one, other }));
        }
        (Some(_), None) => found.push((from.key.name, Rule::Incomplete(to.silence()))),
        (None, Some(_)) => found.push((to.key.name, Rule::Incomplete(from.silence()))),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// A district lies in parts for which the region has a grant.
fn unlisted_scopes(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let gov = &policy.gov;
    let listed = gov.gov_scoped_grants.get().map_or(&[][..], Vec::as_slice);
    let scopes = gov.gov_scopes.get().into_iter().flatten();
    for scope in scopes.filter(|scope| listed.iter().all(|grant| grant.scope != **scope)) {
        let rule = Rule::Unlisted { found: scope.clone(), key: gov.gov_scoped_grants.key.name };
        found.push((gov.gov_scopes.key.name, rule));
    }
}

/// A part of something is not more than all of it. A total may well be more than a guidance line.
fn more_than_all(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let (waiver, gov) = (&policy.waiver, &policy.gov);
    let waivers = waiver.waivers.get().into_iter().flatten();
    let rates = waiver.partial_waiver_rates.get().into_iter().flatten();
    let grants = gov.gov_scoped_grants.get().into_iter().flatten();
    let targets = policy.supervise.targets.get().into_iter().flatten();
    let mut check = |key: &'static str, share: BasisPoints| {
        if share > BasisPoints::WHOLE {
            let (most, share) = (i64::from(BasisPoints::WHOLE.get()), i64::from(share.get()));
            found.push((key, Rule::TooHigh { most, found: share }));
        }
    };
    waivers.filter_map(|waiver| waiver.rate_bp).for_each(|rate| check(waiver.waivers.key.name, rate));
    rates.for_each(|rate| check(waiver.partial_waiver_rates.key.name, rate.rate_bp));
    grants.filter_map(|grant| grant.share_bp).for_each(|share| check(gov.gov_scoped_grants.key.name, share));
    targets.for_each(|target| check(policy.supervise.targets.key.name, target.at_least_bp));
    for share in [&gov.enrolled_share_bp, &gov.gov_match_bp, &policy.staff.fees_to_staff_bp] {
        share.get().into_iter().for_each(|found| check(share.key.name, *found));
    }
}

/// What is lower must not be above what is upper.
fn crossed<T: PartialOrd + Say>(lower: &Value<T>, upper: &Value<T>, found: &mut Vec<(&'static str, Rule)>) {
    let (Some((low, one)), Some((high, other))) = (lower.known(), upper.known()) else {
        return;
    };
    if low > high {
        let (one, other) = (Box::new(one), Box::new(other));
        found.push((lower.key.name, Rule::Excludes { one: one.clone(), other: other.clone() }));
        found.push((upper.key.name, Rule::Excludes { one: other, other: one }));
    }
}

/// Free excludes every amount beside it. An amount handed down from above is what free has overtaken.
fn priced_though_free(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let Some((FeeMode::Free, free)) = policy.fee.parent_fee_mode.known() else {
        return;
    };
    let fee = &policy.fee;
    let single = [
        &fee.parent_fee_fen_per_term,
        &fee.parent_fee_cap_fen_per_term,
        &fee.parent_fee_avg_fen_per_term,
        &fee.parent_fee_fen_per_month,
        &fee.parent_fee_cap_fen_per_class_hour,
        &fee.parent_fee_cap_fen_per_day,
        &fee.personalised_course_parent_cap_fen_per_term,
    ];
    let mut amounts: Vec<_> =
        single.iter().filter(|value| is_own(value)).filter_map(|value| value.clause()).collect();
    if is_own(&fee.slot_fee_cap_fen_per_month) {
        amounts.extend(fee.slot_fee_cap_fen_per_month.clause());
    }
    for amount in amounts {
        found.push((amount.key, Rule::Excludes { one: Box::new(amount), other: Box::new(free.clone()) }));
    }
}

fn is_own<T>(value: &Value<T>) -> bool {
    matches!(value.held(), Held::Stated { .. } | Held::Supplemented { .. })
}

/// A mode that names an amount needs one.
fn promised_but_absent(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let fee = &policy.fee;
    let absent: Option<Silent> = match fee.parent_fee_mode.get() {
        Some(FeeMode::Exact)
            if fee.parent_fee_fen_per_term.get().or(fee.parent_fee_fen_per_month.get()).is_none() =>
        {
            Some(fee.parent_fee_fen_per_term.silence())
        }
        Some(FeeMode::Average) if fee.parent_fee_avg_fen_per_term.get().is_none() => {
            Some(fee.parent_fee_avg_fen_per_term.silence())
        }
        Some(FeeMode::Ceiling) => {
            let single = [
                &fee.parent_fee_cap_fen_per_term,
                &fee.parent_fee_cap_fen_per_class_hour,
                &fee.parent_fee_cap_fen_per_day,
                &fee.personalised_course_parent_cap_fen_per_term,
            ];
            let is_said = single.iter().any(|cap| cap.get().is_some())
                || fee.slot_fee_cap_fen_per_month.get().is_some();
            (!is_said).then(|| fee.parent_fee_cap_fen_per_term.silence())
        }
        _ => None,
    };
    found.extend(absent.map(|silent| (fee.parent_fee_mode.key.name, Rule::Incomplete(silent))));
}
