//! A day's bills held against our payments, our refunds and the ledger: line by line, nothing left over on either side.
//!
//! | kind | bill | ours | who sees to it |
//! |---|---|---|---|
//! | missing here | a payment or refund | unknown, or not known to have happened | settled when WeChat confirms it, else a person |
//! | missing there | no line | it happened that day | a person |
//! | amount | one amount | another | a person |
//! | status | revoked, closed, abnormal, another transaction | it happened | a person |
//! | duplicate line | the same line again, that day or before | once | a person |
//! | foreign merchant | another merchant's line | none of ours | a person |
//! | refund later | a refund accepted that day | it succeeded on a later day, or is under way | explained |
//! | fee rounding | a fee of a part of a fen | whole fen on the account | explained |
//! | midnight edge | that day | within five minutes on the other side of midnight | explained; missing there if the next bill has none |
//! | ledger | agrees | the payment or refund is not booked as it happened | a person |
//!
//! Withdrawals and other movements of the account that no order or refund caused are the payee's own and are not judged.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, TimeDelta};
use shared::value::{Fen, Id, Moment, Payment, Refund};

use super::refund::State as RefundState;
use super::term::{local_day, local_moment};

/// How far two clocks may disagree about which side of midnight it was.
pub const EDGE: TimeDelta = TimeDelta::minutes(5);

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The bill has what we do not know to have happened.
    MissingHere,
    /// We have what no bill has.
    MissingThere,
    /// Amounts differ.
    Amount,
    /// One side says that it happened, the other that it did not, or as another transaction.
    Status,
    /// The bill says the same thing twice.
    DuplicateLine,
    /// A line of another merchant.
    ForeignMerchant,
    /// A refund was accepted on the bill's day and succeeded later.
    RefundLater,
    /// WeChat's fee has a part of a fen, the account moved by whole fen.
    FeeRounding,
    /// The two sides put it on different sides of midnight.
    MidnightEdge,
    /// Bill and payment agree, the ledger does not.
    Ledger,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::MissingHere,
        Self::MissingThere,
        Self::Amount,
        Self::Status,
        Self::DuplicateLine,
        Self::ForeignMerchant,
        Self::RefundLater,
        Self::FeeRounding,
        Self::MidnightEdge,
        Self::Ledger,
    ];

    /// The kind's word in rows and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Amount => "amount",
            Self::Status => "status",
            Self::DuplicateLine => "duplicate_line",
            Self::ForeignMerchant => "foreign_merchant",
            Self::RefundLater => "refund_later",
            Self::FeeRounding => "fee_rounding",
            Self::MidnightEdge => "midnight_edge",
            Self::Ledger => "ledger",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is how things are, and nobody need look.
    #[must_use]
    pub const fn is_explained(self) -> bool {
        match self {
            Self::RefundLater | Self::FeeRounding | Self::MidnightEdge => true,
            Self::MissingHere
            | Self::MissingThere
            | Self::Amount
            | Self::Status
            | Self::DuplicateLine
            | Self::ForeignMerchant
            | Self::Ledger => false,
        }
    }
}

/// A line of the trade bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeLine {
    /// When it was paid, or the refund accepted.
    pub at: Moment,
    /// Who received the money.
    pub payee_mchid: String,
    /// WeChat's number of the order.
    pub transaction_id: String,
    /// Our number of the order.
    pub out_trade_no: String,
    /// `SUCCESS`, `REFUND` or `REVOKED`.
    pub state: String,
    /// What was paid, or is to go back; 0 or more.
    pub amount: Fen,
    /// WeChat's fee in thousandths of a fen.
    pub fee_millifen: i64,
    /// Present on the line of a refund.
    pub refund: Option<RefundLine>,
}

/// The refund half of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// `PROCESSING`, `SUCCESS`, `ABNORMAL` or `CLOSED` when the bill was made.
    pub state: String,
}

impl TradeLine {
    /// What it is about: our number of the refund, or of the order.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.refund.as_ref().map_or(&self.out_trade_no, |refund| &refund.out_refund_no)
    }

    /// WeChat's number of what moved the account.
    #[must_use]
    pub fn business_no(&self) -> &str {
        self.refund.as_ref().map_or(&self.transaction_id, |refund| &refund.refund_id)
    }
}

/// A line of the fund-flow bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundLine {
    /// WeChat's number of what caused it.
    pub business_no: String,
    /// `交易`, `退款`, `扣除交易手续费` and others.
    pub business_type: String,
    /// Above zero came in, below zero went out.
    pub amount: Fen,
}

/// A payment of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurPayment {
    /// Which one.
    pub id: Id<Payment>,
    /// Our number.
    pub out_trade_no: String,
    /// Its amount.
    pub amount: Fen,
    /// WeChat's number and when it was paid; none when we do not know that it was.
    pub success: Option<(String, Moment)>,
    /// What the ledger has of it on the clearing account.
    pub booked: Fen,
    /// Whether an earlier day's bill has its line.
    pub is_billed_before: bool,
}

/// A refund of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurRefund {
    /// Which one.
    pub id: Id<Refund>,
    /// Our number.
    pub out_refund_no: String,
    /// Its amount.
    pub amount: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// What the ledger has of it on the clearing account.
    pub booked: Fen,
    /// Whether an earlier day's bill has its line.
    pub is_billed_before: bool,
    /// Whether the bill of every day since it was decided has been read, so that a missing line is missing.
    pub is_covered: bool,
}

/// What a day is judged by.
#[derive(Clone, Debug)]
pub struct Day<'a> {
    /// The Beijing day.
    pub day: NaiveDate,
    /// Whose bills they are.
    pub payee_mchid: &'a str,
    /// The trade bill's lines.
    pub trade: &'a [TradeLine],
    /// The fund-flow bill's lines; none where there is no such bill.
    pub fund: Option<&'a [FundLine]>,
    /// Our payments the bill names, and those that happened on the day; those of the last minutes of the day before when its bill was read.
    pub payments: &'a [OurPayment],
    /// Our refunds the bill names, and those that succeeded on the day.
    pub refunds: &'a [OurRefund],
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// What it is about: our number of the order or refund; WeChat's where there is none of ours.
    pub subject: String,
    /// Our payment, when it is one.
    pub payment_id: Option<Id<Payment>>,
    /// Our refund, when it is one.
    pub refund_id: Option<Id<Refund>>,
    /// What we have.
    pub ours: Option<Fen>,
    /// What the bill has.
    pub theirs: Option<Fen>,
}

/// What a day's comparison gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lines of the trade bill that agree with payment or refund and ledger, explained ones among them.
    pub matched_count: u64,
    /// The differences, each kind once for each subject, sorted.
    pub differences: Vec<Difference>,
}

/// Compares a day.
#[must_use]
pub fn compare(day: &Day<'_>) -> Outcome {
    let mut comparison = Comparison {
        day,
        payments: day.payments.iter().map(|one| (one.out_trade_no.as_str(), one)).collect(),
        refunds: day.refunds.iter().map(|one| (one.out_refund_no.as_str(), one)).collect(),
        seen: HashSet::new(),
        agreed: Vec::new(),
        found: Vec::new(),
    };
    for line in day.trade {
        comparison.line(line);
    }
    comparison.left_over();
    if let Some(fund) = day.fund {
        comparison.fund(fund);
    }
    let is_matched = |line: &&TradeLine| {
        !comparison.found.iter().any(|one| !one.kind.is_explained() && one.subject == line.subject())
    };
    let matched = comparison.agreed.iter().filter(|line| is_matched(line)).count();
    let mut differences = comparison.found;
    differences.sort();
    differences.dedup_by(|one, other| one.kind == other.kind && one.subject == other.subject);
    Outcome { matched_count: u64::try_from(matched).unwrap_or(u64::MAX), differences }
}

struct Comparison<'a> {
    day: &'a Day<'a>,
    payments: HashMap<&'a str, &'a OurPayment>,
    refunds: HashMap<&'a str, &'a OurRefund>,
    seen: HashSet<(bool, &'a str)>,
    agreed: Vec<&'a TradeLine>,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    fn line(&mut self, line: &'a TradeLine) {
        let subject = line.subject();
        let key = (line.refund.is_some(), subject);
        let payment = self.payments.get(line.out_trade_no.as_str()).copied();
        let refund = line.refund.as_ref().and_then(|half| self.refunds.get(half.out_refund_no.as_str()));
        let refund = refund.copied();
        let is_first = self.seen.insert(key);
        let mut found = Difference {
            kind: Kind::MissingHere,
            subject: subject.to_owned(),
            payment_id: payment.map(|one| one.id),
            refund_id: refund.map(|one| one.id),
            ours: None,
            theirs: Some(line.amount),
        };
        let kind = if line.payee_mchid != self.day.payee_mchid {
            Some(Kind::ForeignMerchant)
        } else if let Some(half) = &line.refund {
            found.ours = refund.map(|one| one.amount);
            match refund {
                None => Some(Kind::MissingHere),
                Some(ours) if !is_first || ours.is_billed_before => Some(Kind::DuplicateLine),
                Some(ours) if ours.amount != line.amount => Some(Kind::Amount),
                Some(ours) => self.refund_line(ours, half),
            }
        } else {
            found.ours = payment.filter(|one| one.success.is_some()).map(|one| one.amount);
            match payment {
                None if !is_first => Some(Kind::DuplicateLine),
                None => Some(Kind::MissingHere),
                Some(ours) if !is_first || ours.is_billed_before => Some(Kind::DuplicateLine),
                Some(ours) => self.payment_line(ours, line),
            }
        };
        match kind {
            None => self.agreed.push(line),
            Some(kind) => {
                if kind.is_explained() || kind == Kind::Ledger {
                    self.agreed.push(line);
                }
                self.found.push(Difference { kind, ..found });
            }
        }
    }

    fn payment_line(&self, ours: &OurPayment, line: &TradeLine) -> Option<Kind> {
        let Some((transaction_id, paid_at)) = &ours.success else {
            return Some(match line.state.as_str() {
                "SUCCESS" if line.amount == ours.amount => Kind::MissingHere,
                "SUCCESS" => Kind::Amount,
                // Revoked, and we never took it for paid.
                _ => return None,
            });
        };
        if line.state != "SUCCESS" || *transaction_id != line.transaction_id {
            return Some(Kind::Status);
        }
        if line.amount != ours.amount {
            return Some(Kind::Amount);
        }
        if ours.booked != ours.amount {
            return Some(Kind::Ledger);
        }
        if local_day(*paid_at) == self.day.day {
            return None;
        }
        Some(if (line.at - *paid_at).abs() <= EDGE { Kind::MidnightEdge } else { Kind::Status })
    }

    fn refund_line(&self, ours: &OurRefund, line: &RefundLine) -> Option<Kind> {
        let is_given_up = match line.state.as_str() {
            "PROCESSING" | "SUCCESS" => false,
            "ABNORMAL" | "CLOSED" => true,
            _ => return Some(Kind::Status),
        };
        match (ours.state, is_given_up) {
            (RefundState::Failed, true) => None,
            (RefundState::Succeeded { .. }, false) if ours.booked != ours.amount => Some(Kind::Ledger),
            (RefundState::Succeeded { at }, false) => {
                (local_day(at) > self.day.day).then_some(Kind::RefundLater)
            }
            (RefundState::Requested | RefundState::Submitted, false) => Some(Kind::RefundLater),
            (RefundState::Failed, false)
            | (RefundState::Succeeded { .. } | RefundState::Requested | RefundState::Submitted, true) => {
                Some(Kind::Status)
            }
        }
    }

    /// What happened here and has no line.
    fn left_over(&mut self) {
        let day = self.day;
        let Some(next_day) = day.day.succ_opt() else { return };
        let (begins, ends) = (midnight(day.day), midnight(next_day));
        for ours in day.payments {
            let Some((_, paid_at)) = &ours.success else { continue };
            if ours.is_billed_before || self.seen.contains(&(false, ours.out_trade_no.as_str())) {
                continue;
            }
            let kind = if *paid_at >= ends || *paid_at < begins - EDGE {
                continue;
            } else if *paid_at >= ends - EDGE {
                Kind::MidnightEdge
            } else {
                Kind::MissingThere
            };
            self.found.push(Difference {
                kind,
                subject: ours.out_trade_no.clone(),
                payment_id: Some(ours.id),
                refund_id: None,
                ours: Some(ours.amount),
                theirs: None,
            });
        }
        for ours in day.refunds {
            let RefundState::Succeeded { at } = ours.state else { continue };
            let is_seen = self.seen.contains(&(true, ours.out_refund_no.as_str()));
            if is_seen || ours.is_billed_before || !ours.is_covered || local_day(at) != day.day {
                continue;
            }
            self.found.push(Difference {
                kind: if at >= ends - EDGE { Kind::MidnightEdge } else { Kind::MissingThere },
                subject: ours.out_refund_no.clone(),
                payment_id: None,
                refund_id: Some(ours.id),
                ours: Some(ours.amount),
                theirs: None,
            });
        }
    }

    /// What the account did, beside what the trade bill says.
    fn fund(&mut self, fund: &'a [FundLine]) {
        let mut moved: HashMap<&str, (Fen, Fen)> = HashMap::new();
        for line in fund {
            let sums = moved.entry(line.business_no.as_str()).or_default();
            let sum = match line.business_type.as_str() {
                "交易" | "退款" => &mut sums.0,
                word if word.contains("手续费") => &mut sums.1,
                _ => continue,
            };
            *sum = Fen::new(sum.get().saturating_add(line.amount.get()));
        }
        for line in std::mem::take(&mut self.agreed) {
            let (principal, fee) = moved.remove(line.business_no()).unwrap_or_default();
            let expected = if line.refund.is_some() { -line.amount } else { line.amount };
            let is_given_up =
                line.refund.as_ref().is_some_and(|half| matches!(half.state.as_str(), "ABNORMAL" | "CLOSED"));
            // A fee of 1.5 fen takes one or two fen from the account; nothing else explains a difference.
            let fee_off = fee.get().saturating_mul(1_000).saturating_add(line.fee_millifen);
            let kind = if principal.is_zero() && !expected.is_zero() && !is_given_up {
                Some(Kind::MissingThere)
            } else if (principal != expected && !is_given_up) || fee_off.abs() >= 1_000 {
                Some(Kind::Amount)
            } else {
                (fee_off != 0).then_some(Kind::FeeRounding)
            };
            if let Some(kind) = kind {
                self.found.push(Difference {
                    kind,
                    subject: line.subject().to_owned(),
                    payment_id: self.payments.get(line.out_trade_no.as_str()).map(|one| one.id),
                    refund_id: self.refunds.get(line.subject()).map(|one| one.id),
                    ours: Some(expected),
                    theirs: Some(principal),
                });
            }
            self.agreed.push(line);
        }
        // Lines that did not agree with ours are known already.
        for line in self.day.trade {
            moved.remove(line.business_no());
        }
        let ours: HashSet<&str> = self
            .day
            .payments
            .iter()
            .filter_map(|one| one.success.as_ref())
            .map(|(id, _)| id.as_str())
            .collect();
        for (business_no, (principal, _)) in moved {
            // Money of ours that the trade bill left out is told of there.
            if principal.is_zero() || ours.contains(business_no) {
                continue;
            }
            self.found.push(Difference {
                kind: Kind::MissingHere,
                subject: business_no.to_owned(),
                payment_id: None,
                refund_id: None,
                ours: None,
                theirs: Some(principal),
            });
        }
    }
}

/// When a Beijing day begins.
#[must_use]
pub fn midnight(day: NaiveDate) -> Moment {
    local_moment(day.and_time(chrono::NaiveTime::MIN))
}
