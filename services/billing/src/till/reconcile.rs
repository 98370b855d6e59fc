//! A day's bills: fetched, kept once, compared, and what follows from each difference.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, TimeDelta};
use shared::value::{Fen, Id, Moment, Payment as PaymentKind};
use shared::{db, random, status};
use tonic::Status;
use wechat::pay::{BillFile, BillKind, Error, FundBill, Pay, TradeBill};

use super::{Till, order};
use crate::domain::case::State;
use crate::domain::reconciliation::{
    Day, Difference, FundLine, Kind, OurPayment, Outcome, RefundLine, TradeLine, compare,
};
use crate::domain::refusal::Refusal;
use crate::domain::term::local_day;
use crate::store;
use crate::store::bill::{Content, Kept, Reconciled};
use crate::store::case::Case;

/// What a day's comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The day and its counts.
    pub reconciled: Reconciled,
    /// Every difference, with where it stands.
    pub differences: Vec<(Difference, State)>,
    /// How many of them were not known before.
    pub new_count: usize,
}

/// Fetches a day's bills of a merchant, keeps them, compares them, settles what WeChat confirms, and puts the rest before people.
/// Repeatable: the same bills change nothing.
///
/// # Errors
/// INVALID_ARGUMENT for a day that is not over. UNAVAILABLE `BILL_NOT_READY` before WeChat has made the bills, `BILL_UNREADABLE` when a file
/// is not the one announced or says what is not known here, `WECHAT_UNAVAILABLE`. FAILED_PRECONDITION `BILL_CHANGED` when another bill of
/// that day was kept before.
pub async fn reconcile(till: &Till, pay: &Pay, day: NaiveDate) -> Result<Report, Status> {
    let payee_mchid = pay.merchant().payee_mchid();
    if day >= local_day(till.clock.now()) {
        let mut violations = shared::value::Violations::default();
        violations.note("day", "must be a day that is over");
        return Err(status::invalid(&violations));
    }
    let (trade_sha1, trade) = trade(pay, day).await?;
    let fund = fund(pay, day).await?;
    keep(till, payee_mchid, day, &trade_sha1, Content::Trade(trade.clone())).await?;
    if let Some((sha1, lines)) = &fund {
        keep(till, payee_mchid, day, sha1, Content::Fund(lines.clone())).await?;
    }
    let fund = fund.as_ref().map(|(_, lines)| lines.as_slice());

    let before = compared(till, payee_mchid, day, &trade, fund).await?;
    let mut repaired = Vec::new();
    for payment_id in repairable(&before) {
        if repair(till, payment_id).await? {
            repaired.push(payment_id);
        }
    }
    let report = db::retry(|| record(till, payee_mchid, day, trade.len(), &before, &repaired)).await?;
    tell(&report);
    Ok(report)
}

/// The payments the bill has and we do not know to have happened.
fn repairable(outcome: &Outcome) -> Vec<Id<PaymentKind>> {
    let missing = outcome.differences.iter().filter(|one| one.kind == Kind::MissingHere);
    missing.filter(|one| one.refund_id.is_none()).filter_map(|one| one.payment_id).collect()
}

/// Asks WeChat after a payment and takes in what it says, as after any question. Says whether it is known to have happened now.
async fn repair(till: &Till, id: Id<PaymentKind>) -> Result<bool, Status> {
    let Some(payment) = store::payment::find(till.db.read(), id).await? else { return Ok(false) };
    match order::ask(till, &payment).await {
        Ok(standing) => Ok(standing == order::Standing::Paid),
        Err(refusal) if refusal.code() == tonic::Code::Unavailable => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

async fn trade(pay: &Pay, day: NaiveDate) -> Result<(String, Vec<TradeLine>), Status> {
    let Some(file) = fetched(pay, BillKind::Trade, day).await? else { return Ok(Default::default()) };
    let bill = TradeBill::parse(&file.text).map_err(|why| unreadable(BillKind::Trade, day, &why))?;
    Ok((file.sha1, trade_lines(&bill)))
}

async fn fund(pay: &Pay, day: NaiveDate) -> Result<Option<(String, Vec<FundLine>)>, Status> {
    let Some(file) = fetched(pay, BillKind::Fund, day).await? else { return Ok(None) };
    let bill = FundBill::parse(&file.text).map_err(|why| unreadable(BillKind::Fund, day, &why))?;
    Ok(Some((file.sha1, fund_lines(&bill))))
}

async fn fetched(pay: &Pay, kind: BillKind, day: NaiveDate) -> Result<Option<BillFile>, Status> {
    pay.bill_file(kind, day).await.map_err(|error| match error {
        Error::Final { ref code, .. } if code == "STATEMENT_CREATING" => {
            status::unavailable("BILL_NOT_READY")
        }
        Error::Unknown { ref why } if why.contains("bill") => unreadable(kind, day, why),
        error => {
            tracing::warn!(?kind, %day, %error, "a bill could not be fetched: {error}");
            status::unavailable("WECHAT_UNAVAILABLE")
        }
    })
}

/// A bill that is not as it must be: fetched again later, and a person should know.
fn unreadable(kind: BillKind, day: NaiveDate, why: &str) -> Status {
    tracing::error!(alarm = true, ?kind, %day, why, "a bill is not taken: {why}");
    status::unavailable("BILL_UNREADABLE")
}

/// The lines of a trade bill as they are compared.
#[must_use]
pub fn trade_lines(bill: &TradeBill) -> Vec<TradeLine> {
    let line = |row: &wechat::pay::BillRow| TradeLine {
        at: row.traded_at,
        payee_mchid: row.sub_mchid.clone().unwrap_or_else(|| row.mchid.clone()),
        transaction_id: row.transaction_id.clone(),
        out_trade_no: row.out_trade_no.clone(),
        state: row.trade_state.clone(),
        amount: Fen::new(row.refund.as_ref().map_or(row.order_fen, |refund| refund.refund_fen)),
        fee_millifen: row.fee_millifen,
        refund: row.refund.as_ref().map(|refund| RefundLine {
            refund_id: refund.refund_id.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            state: refund.state.clone(),
        }),
    };
    bill.rows.iter().map(line).collect()
}

/// The lines of a fund-flow bill as they are compared.
#[must_use]
pub fn fund_lines(bill: &FundBill) -> Vec<FundLine> {
    let line = |row: &wechat::pay::FundRow| FundLine {
        business_no: row.business_no.clone(),
        business_type: row.business_type.clone(),
        amount: Fen::new(row.amount_fen),
    };
    bill.rows.iter().map(line).collect()
}

async fn keep(
    till: &Till,
    payee_mchid: &str,
    day: NaiveDate,
    sha1: &str,
    content: Content,
) -> Result<(), Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        match store::bill::keep(&tx, payee_mchid, day, sha1, &content, till.clock.now()).await? {
            Kept::New | Kept::Known => Ok(tx.commit().await?),
            Kept::Differs => {
                tracing::error!(alarm = true, payee_mchid, %day, "WeChat gives another bill of a day than before");
                Err(Refusal::BillChanged { day }.into())
            }
        }
    })
    .await
}

async fn compared(
    till: &Till,
    payee_mchid: &str,
    day: NaiveDate,
    trade: &[TradeLine],
    fund: Option<&[FundLine]>,
) -> Result<Outcome, Status> {
    let db = till.db.read();
    let orders: Vec<String> = trade.iter().map(|line| line.out_trade_no.clone()).collect();
    let numbers = trade.iter().filter_map(|line| line.refund.as_ref());
    let numbers: Vec<String> = numbers.map(|half| half.out_refund_no.clone()).collect();
    let payments: Vec<OurPayment> = store::bill::our_payments(db, payee_mchid, day, &orders).await?;
    let refunds = store::bill::our_refunds(db, payee_mchid, day, &numbers).await?;
    Ok(compare(&Day { day, payee_mchid, trade, fund, payments: &payments, refunds: &refunds }))
}

/// Writes the day and its cases down, all or nothing.
async fn record(
    till: &Till,
    payee_mchid: &str,
    day: NaiveDate,
    line_count: usize,
    outcome: &Outcome,
    repaired: &[Id<PaymentKind>],
) -> Result<Report, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let districts = store::case::districts(&tx, payee_mchid, &outcome.differences).await?;
    let mut differences = Vec::with_capacity(outcome.differences.len());
    let mut new_count = 0;
    for (difference, district_id) in outcome.differences.iter().zip(districts) {
        let case = Case {
            id: random::id(now),
            district_id,
            payee_mchid: payee_mchid.to_owned(),
            day,
            difference: difference.clone(),
            state: first_state(difference, repaired),
            created_at: now,
        };
        if store::case::insert(&tx, &case).await? {
            new_count += 1;
        }
        differences.push((case.difference, case.state));
    }
    let is_repaired = |one: &&(Difference, State)| one.1 == State::Repaired;
    let repaired_count = u64::try_from(differences.iter().filter(is_repaired).count()).unwrap_or(u64::MAX);
    let line_count = u64::try_from(line_count).unwrap_or(u64::MAX);
    let reconciled = Reconciled {
        payee_mchid: payee_mchid.to_owned(),
        day,
        line_count,
        matched_count: (outcome.matched_count + repaired_count).min(line_count),
        updated_at: now,
    };
    store::bill::reconciled(&tx, &reconciled).await?;
    tx.commit().await?;
    Ok(Report { reconciled, differences, new_count })
}

/// Where a difference begins.
fn first_state(difference: &Difference, repaired: &[Id<PaymentKind>]) -> State {
    if difference.kind.is_explained() {
        State::Explained
    } else if difference.kind == Kind::MissingHere
        && difference.payment_id.is_some_and(|id| repaired.contains(&id))
    {
        State::Repaired
    } else {
        State::Open
    }
}

/// Says what a day came to; an alarm when somebody has to look.
fn tell(report: &Report) {
    let Reconciled { payee_mchid, day, line_count, matched_count, .. } = &report.reconciled;
    let open = report.differences.iter().filter(|(_, state)| *state == State::Open).count();
    if open > 0 && report.new_count > 0 {
        tracing::error!(
            alarm = true, payee_mchid, %day, line_count, matched_count, open_count = open,
            "{open} differences between WeChat's bill of {day} and ours wait for a person"
        );
    } else {
        tracing::info!(
            payee_mchid, %day, line_count, matched_count,
            "WeChat's bill of {day} is compared: {matched_count} of {line_count} lines agree"
        );
    }
}

/// The next day of a merchant whose bills can be had and were not compared yet; none when all are.
///
/// # Errors
/// When the database refuses.
pub async fn next_day(
    till: &Till,
    payee_mchid: &str,
    ready_hour: u32,
    now: Moment,
) -> Result<Option<NaiveDate>, Status> {
    let Some(oldest) = local_day(now).checked_sub_days(Days::new(KEPT_DAYS)) else { return Ok(None) };
    let (done, first) = store::bill::span(till.db.read(), payee_mchid, oldest).await?;
    Ok(next_of(&done, first.map(|first| first.max(oldest)), ready_hour, now))
}

/// WeChat keeps bills for three months.
const KEPT_DAYS: u64 = 89;

/// The first day from `first` on that is not among those done, if its bill is there.
fn next_of(
    done: &BTreeSet<NaiveDate>,
    first: Option<NaiveDate>,
    ready_hour: u32,
    now: Moment,
) -> Option<NaiveDate> {
    // Yesterday's bill is there from the hour on; before it, the day before yesterday's is the last.
    let ready = local_day(now - TimeDelta::hours(ready_hour.min(23).into())).pred_opt()?;
    first?.iter_days().take_while(|day| *day <= ready).find(|day| !done.contains(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c79_days_are_compared_one_after_the_other_from_the_first_payment_to_yesterday_after_ten() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        let at = |text: &str| text.parse::<Moment>().unwrap();
        let done =
            |days: &[&str]| days.iter().map(|day| day.parse().unwrap()).collect::<BTreeSet<NaiveDate>>();
        let (early, ten) = (at("2026-09-03T09:59:59+08:00"), at("2026-09-03T10:00:00+08:00"));

        assert_eq!(next_of(&done(&[]), None, 10, ten), None);
        assert_eq!(next_of(&done(&[]), day("2026-09-02"), 10, early), None);
        assert_eq!(next_of(&done(&[]), day("2026-09-02"), 10, ten), day("2026-09-02"));
        assert_eq!(next_of(&done(&[]), day("2026-09-03"), 10, ten), None);
        assert_eq!(
            next_of(&done(&["2026-08-31", "2026-09-01"]), day("2026-08-31"), 10, ten),
            day("2026-09-02")
        );
        assert_eq!(next_of(&done(&["2026-09-01", "2026-09-02"]), day("2026-09-01"), 10, ten), None);
        // A day compared by hand does not hide the one before it.
        assert_eq!(next_of(&done(&["2026-09-02"]), day("2026-09-01"), 10, ten), day("2026-09-01"));
    }
}
