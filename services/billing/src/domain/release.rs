//! What goes back when a seat is given back.
//!
//! The pupil's charge is worked out anew over the lessons that stay charged; whatever was kept above that goes back, first from
//! the released invoice, then from the pupil's other settled invoices of the term, latest first.
//!
//! | cause | lessons of the section that stay charged |
//! |---|---|
//! | given back before its first lesson | none |
//! | given back later, rule `full_before_first_lesson` | all |
//! | given back later, rule `unused_lessons` | those that have started |
//! | the section was cancelled | those that have started |
//! | paid too late, no seat | none |
//! | changed for another seat from a later day on | those before that day |

use chrono::TimeDelta;
use policy::vocabulary::RefundRule;
use policy::{Policy, Silent};
use shared::value::{Fen, Id, Invoice as InvoiceKind, Moment};

use super::invoice::Invoice;
use super::pricing::{Charged, Prices, total};
use super::refusal::{Clause, Refusal};
use super::term::{Section, Term, local_moment};
use super::waiver::waived;

/// Why a seat is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The family's wish, or the pupil left.
    GivenBack,
    /// The section was cancelled.
    SectionCancelled,
    /// The money came after the seat was given away.
    Unseated,
    /// The family has another seat in its stead from a day on.
    ChangedAt {
        /// The beginning of that day.
        at: Moment,
    },
}

/// Until when lessons stay charged: none means all of them.
pub type Until = Option<Moment>;

/// Says which lessons of a section stay charged, and by what.
///
/// # Errors
/// [`Silent`] when the family gives the seat back and nobody wrote a refund rule.
pub fn charged_until(
    policy: &Policy,
    term: &Term,
    section: &Section,
    cause: Cause,
    now: Moment,
) -> Result<(Until, Vec<Clause>), Silent> {
    let none = Some(local_moment(term.first_day.and_time(chrono::NaiveTime::MIN)));
    let started = Some(now + TimeDelta::microseconds(1));
    match cause {
        Cause::Unseated => Ok((none, Vec::new())),
        Cause::SectionCancelled => Ok((started, Vec::new())),
        Cause::ChangedAt { at } => Ok((Some(at), Vec::new())),
        Cause::GivenBack => {
            let (rule, clause) = policy.fee.refund_rule.demand()?;
            let until = match rule {
                _ if !section.has_begun(term, now) => none,
                RefundRule::FullBeforeFirstLesson => None,
                RefundRule::UnusedLessons => started,
            };
            Ok((until, vec![Clause::from(&clause)]))
        }
    }
}

/// What is taken back of one invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The invoice.
    pub invoice_id: Id<InvoiceKind>,
    /// What of its price no longer counts.
    pub gross: Fen,
    /// What of that goes back to the family; the rest had been waived.
    pub money: Fen,
}

/// Works out what is taken back, invoice by invoice, when `released` stays charged only `until`.
///
/// `settled` are all settled invoices of the pupil and term with the lessons they pay for, the released one among them, oldest first.
/// Never more than was paid and not yet given back; never below zero.
///
/// # Errors
/// [`Refusal`] when the charge cannot be worked out.
pub fn draws(
    policy: &Policy,
    prices: &Prices,
    term: &Term,
    settled: &[(&Invoice, Charged<'_>)],
    released: Id<InvoiceKind>,
    until: Until,
) -> Result<Vec<Draw>, Refusal> {
    let charged: Vec<_> = settled
        .iter()
        .map(|(invoice, charged)| {
            if invoice.id != released {
                return *charged;
            }
            // A seat that ends for another one is not charged beyond that, whatever it is given back for.
            let until = match (until, charged.until) {
                (Some(until), Some(ended)) => Some(until.min(ended)),
                (until, ended) => until.or(ended),
            };
            Charged { until, ..*charged }
        })
        .collect();
    let target = total(policy, prices, term, &charged)?.total;
    let mut kept = Fen::ZERO;
    for (invoice, _) in settled {
        kept = kept.plus(invoice.kept()?)?;
    }
    let mut excess = kept.minus(target)?.max(Fen::ZERO);
    let first = settled.iter().filter(|(invoice, _)| invoice.id == released);
    let others = settled.iter().rev().filter(|(invoice, _)| invoice.id != released);
    let mut draws = Vec::new();
    for (invoice, _) in first.chain(others) {
        let gross = invoice.kept()?.min(excess);
        if gross > Fen::ZERO {
            draws.push(Draw { invoice_id: invoice.id, gross, money: money(policy, invoice, gross)? });
            excess = excess.minus(gross)?;
        }
    }
    Ok(draws)
}

/// Takes back everything of one invoice and nothing of any other.
///
/// # Errors
/// [`Refusal`] when an amount does not fit.
pub fn whole(invoice: &Invoice) -> Result<Draw, Refusal> {
    Ok(Draw { invoice_id: invoice.id, gross: invoice.kept()?, money: invoice.paid.minus(invoice.refunded)? })
}

/// What goes back to the family when `gross` of an invoice's price no longer counts.
fn money(policy: &Policy, invoice: &Invoice, gross: Fen) -> Result<Fen, Refusal> {
    let left = invoice.kept()?.minus(gross)?;
    let owed = left.minus(waived(policy, invoice.waiver_category.as_deref(), left)?)?;
    let holds = invoice.paid.minus(invoice.refunded)?;
    Ok(holds.minus(owed)?.max(Fen::ZERO).min(gross))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, LazyLock};

    use chrono::NaiveDate;
    use policy::Packs;
    use policy::vocabulary::PayeeAccount;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::invoice::State;
    use crate::domain::pricing::price;
    use crate::domain::tariff::Basis;
    use crate::domain::tariff::Tariff;
    use crate::domain::term::tests::{date, section, term};

    fn load(folder: &str) -> Packs {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        Packs::load(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    static PACKS: LazyLock<Packs> = LazyLock::new(|| load("../../policies"));

    /// The packs made for tests.
    static OWN_PACKS: LazyLock<Packs> = LazyLock::new(|| load("tests/packs"));

    /// A pupil's invoices as they come and go.
    struct Pupil {
        policy: Arc<Policy>,
        prices: Prices,
        term: Term,
        invoices: Vec<(Invoice, Section)>,
    }

    impl Pupil {
        fn of(pack: &str, supplement: &str, basis: Basis, amount: i64) -> Self {
            Self::under(PACKS.policy(pack, Some(supplement)).unwrap(), basis, amount)
        }

        fn under(policy: Arc<Policy>, basis: Basis, amount: i64) -> Self {
            let tariff = Tariff {
                id: Id::new(Uuid::from_u128(5)),
                district_id: Id::new(Uuid::from_u128(2)),
                term_id: Id::new(Uuid::from_u128(1)),
                basis,
                amount: Fen::new(amount),
                end_slots: Vec::new(),
                approval_document: "2026-1".to_owned(),
                sharing: None,
                cost_sheet_id: None,
                payee_account: PayeeAccount::School,
            };
            let prices = Prices { tariff: Some(tariff), ..Prices::default() };
            Self { policy, prices, term: term(), invoices: Vec::new() }
        }

        fn charged(&self) -> Vec<Charged<'_>> {
            self.invoices
                .iter()
                .map(|(invoice, section)| Charged { section, from: None, until: invoice.charged_until })
                .collect()
        }

        fn kept(&self) -> Fen {
            Fen::total(self.invoices.iter().map(|(invoice, _)| invoice.kept().unwrap())).unwrap()
        }

        fn charge(&self) -> Fen {
            total(&self.policy, &self.prices, &self.term, &self.charged()).unwrap().total
        }

        fn net(&self) -> Fen {
            Fen::total(self.invoices.iter().map(|(invoice, _)| invoice.paid.minus(invoice.refunded).unwrap()))
                .unwrap()
        }

        /// Takes a seat and pays what it adds.
        fn take(&mut self, section: Section, now: Moment) {
            let new = [Charged::all(&section)];
            let priced =
                price(&self.policy, &self.prices, &self.term, &self.charged(), self.kept(), &new).unwrap();
            let number = u128::try_from(self.invoices.len()).unwrap();
            let invoice = Invoice {
                id: Id::new(Uuid::from_u128(100 + number)),
                district_id: self.term.district_id,
                school_id: self.term.school_id(),
                enrollment_id: Id::new(Uuid::from_u128(200 + number)),
                pupil_id: Id::new(Uuid::from_u128(7)),
                term_id: self.term.id,
                section_id: section.id,
                guardian_id: Id::new(Uuid::from_u128(8)),
                title: String::new(),
                created_at: now,
                state: State::Settled { at: now },
                price: Some(priced.amount),
                waived: Fen::ZERO,
                waiver_category: None,
                clauses: Vec::new(),
                paid: priced.amount,
                refunded: Fen::ZERO,
                reversed: Fen::ZERO,
                released_at: None,
                charged_until: None,
                is_refund_undecided: false,
                is_waiver_due: false,
                reprice_count: 0,
            };
            self.invoices.push((invoice, section));
        }

        /// Gives a seat back; gives what goes back.
        fn give_back(&mut self, index: usize, now: Moment) -> Fen {
            let (released, section) = &self.invoices[index];
            let id = released.id;
            let (until, _) = charged_until(&self.policy, &self.term, section, Cause::GivenBack, now).unwrap();
            let settled: Vec<_> = self
                .invoices
                .iter()
                .map(|(invoice, section)| {
                    (invoice, Charged { section, from: None, until: invoice.charged_until })
                })
                .collect();
            let draws = draws(&self.policy, &self.prices, &self.term, &settled, id, until).unwrap();
            let mut money = Fen::ZERO;
            for draw in draws {
                let (invoice, _) =
                    self.invoices.iter_mut().find(|(invoice, _)| invoice.id == draw.invoice_id).unwrap();
                assert!(draw.money > Fen::ZERO && draw.money == draw.gross);
                invoice.reversed = invoice.reversed.plus(draw.gross).unwrap();
                invoice.refunded = invoice.refunded.plus(draw.money).unwrap();
                assert!(invoice.refunded <= invoice.paid, "more goes back than was paid");
                money = money.plus(draw.money).unwrap();
            }
            let (invoice, _) = &mut self.invoices[index];
            invoice.released_at = Some(now);
            invoice.charged_until = until;
            money
        }
    }

    fn noon(day: NaiveDate) -> Moment {
        local_moment(day.and_hms_opt(12, 0, 0).unwrap())
    }

    /// What a family does, day by day: takes a seat with these lessons, or gives one back.
    #[derive(Clone, Debug)]
    enum Act {
        Take(Vec<(u32, u32)>),
        GiveBack(usize),
    }

    fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
        let lessons = prop::collection::vec((1_u32..=5, 1_u32..=3), 1..4);
        let act = prop_oneof![lessons.prop_map(Act::Take), (0_usize..8).prop_map(Act::GiveBack)];
        prop::collection::vec((0_u64..3, act), 1..16)
    }

    fn live_out(mut pupil: Pupil, acts: Vec<(u64, Act)>) {
        // From ten days before the term to some time after it.
        let mut today = date("2026-08-28");
        for (number, (days, act)) in (1_000_u128..).zip(acts) {
            today = today + chrono::Days::new(days);
            match act {
                Act::Take(lessons) => pupil.take(section(number, &lessons), noon(today)),
                Act::GiveBack(index) => {
                    let Some((invoice, _)) = pupil.invoices.get(index) else { continue };
                    if invoice.released_at.is_none() {
                        pupil.give_back(index, noon(today));
                    }
                }
            }
            assert_eq!(pupil.net(), pupil.charge(), "what a family has paid is what its lessons cost");
            assert_eq!(pupil.kept(), pupil.net());
            assert!(!pupil.net().is_negative());
        }
    }

    proptest! {
        #[test]
        fn c76_what_stays_paid_is_the_charge_of_what_stays_by_the_class_hour(acts in acts()) {
            live_out(Pupil::of("hunan_zhuzhou", "zhuzhou_demo", Basis::ClassHour, 500), acts);
        }

        #[test]
        fn c76_what_stays_paid_is_the_charge_of_what_stays_at_an_odd_price(acts in acts()) {
            live_out(Pupil::of("hunan_zhuzhou", "zhuzhou_demo", Basis::ClassHour, 333), acts);
        }

        #[test]
        fn c76_what_stays_paid_is_the_charge_of_what_stays_by_the_day(acts in acts()) {
            live_out(Pupil::of("hunan_zhuzhou", "zhuzhou_demo", Basis::Day, 777), acts);
        }

        #[test]
        fn c76_what_stays_paid_is_the_charge_of_what_stays_by_the_month(acts in acts()) {
            let policy = OWN_PACKS.policy("by_month", None).unwrap();
            let mut pupil = Pupil::under(policy, Basis::Month, 12_000);
            // Over the turn of a month.
            pupil.term.first_day = date("2026-08-31");
            live_out(pupil, acts);
        }

        #[test]
        fn c76_what_stays_paid_is_the_charge_of_what_stays_by_the_term(acts in acts()) {
            live_out(Pupil::of("zhejiang_jinhua", "jinhua_demo", Basis::Term, 50_000), acts);
        }
    }

    #[test]
    fn giving_everything_back_before_the_first_lesson_leaves_nothing_paid() {
        let mut pupil = Pupil::of("hunan_zhuzhou", "zhuzhou_demo", Basis::ClassHour, 500);
        let now = noon(date("2026-09-01"));
        pupil.take(section(21, &[(1, 3)]), now);
        pupil.take(section(22, &[(1, 2), (2, 1)]), now);
        assert_eq!(pupil.net(), Fen::new(3_000));

        // Monday of the other alone reaches the day's ceiling too.
        assert_eq!(pupil.give_back(0, now), Fen::ZERO);
        assert_eq!(pupil.give_back(1, now), Fen::new(3_000));

        assert_eq!(pupil.net(), Fen::ZERO);
    }

    #[test]
    fn c76_where_no_rule_is_written_nobody_invents_one() {
        let policy = PACKS.policy("hunan_zhuzhou", None).unwrap();
        let silent = charged_until(
            &policy,
            &term(),
            &section(9, &[(1, 1)]),
            Cause::GivenBack,
            noon(date("2026-09-01")),
        );
        assert_eq!(silent.unwrap_err().key, "refund_rule");
    }
}
