//! Generated bill days: planted differences of every kind are found and classified, and nothing else is.

use std::collections::BTreeMap;

use billing::domain::reconciliation::{Day, Difference, Kind, OurPayment, OurRefund, compare, midnight};
use billing::domain::refund::State;
use billing::till::reconcile::{fund_lines, trade_lines};
use chrono::{NaiveDate, TimeDelta};
use shared::value::{Fen, Id, Moment};
use uuid::Uuid;
use wechat::pay::{FundBill, TradeBill};

const PAYEE: &str = "1900000001";

/// Numbers that come out the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A line of the trade bill as a test writes it: its own writer, not the sandbox's.
#[derive(Clone)]
struct Written {
    at: Moment,
    mchid: String,
    transaction: String,
    order: String,
    state: &'static str,
    order_fen: i64,
    /// Refund id, our number, state, fen.
    refund: Option<(String, String, &'static str, i64)>,
    fee_millifen: i64,
}

#[derive(Default)]
struct World {
    lines: Vec<Written>,
    /// Business number, type, fen with sign.
    funds: Vec<(String, &'static str, i64)>,
    payments: Vec<OurPayment>,
    refunds: Vec<OurRefund>,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, 15).unwrap()
}

fn id<K>(chance: &mut Chance) -> Id<K> {
    Id::new(Uuid::from_u64_pair(chance.below(u64::MAX), chance.below(u64::MAX)))
}

/// A day as it is when all is well: every payment on both sides, some refunds of that day and of days before.
fn clean(chance: &mut Chance) -> World {
    let mut world = World::default();
    for number in 0..5 + chance.below(60) {
        // Away from midnight by more than the edge.
        let at = midnight(day()) + TimeDelta::seconds(600 + i64::try_from(chance.below(85_000)).unwrap());
        let fen = 1 + i64::try_from(chance.below(40_000)).unwrap();
        let (order, transaction) = (format!("ORDER{number:04}"), format!("4200{number:024}"));
        // A fee of six thousandths, only where it is whole fen.
        let fee_fen = if fen % 1_000 == 0 { fen * 6 / 1_000 } else { 0 };
        world.lines.push(Written {
            at,
            mchid: PAYEE.to_owned(),
            transaction: transaction.clone(),
            order: order.clone(),
            state: "SUCCESS",
            order_fen: fen,
            refund: None,
            fee_millifen: fee_fen * 1_000,
        });
        world.funds.push((transaction.clone(), "交易", fen));
        if fee_fen > 0 {
            world.funds.push((transaction.clone(), "扣除交易手续费", -fee_fen));
        }
        world.payments.push(OurPayment {
            id: id(chance),
            out_trade_no: order.clone(),
            amount: Fen::new(fen),
            success: Some((transaction.clone(), at)),
            booked: Fen::new(fen),
            is_billed_before: false,
        });
        if chance.below(4) == 0 {
            let back = 1 + i64::try_from(chance.below(u64::try_from(fen).unwrap())).unwrap();
            let (number, refund) = (format!("BACK{number:04}"), format!("5000{number:024}"));
            // No refund leaves its day.
            let refunded_at = at.min(midnight(day()) + TimeDelta::hours(20)) + TimeDelta::minutes(1);
            world.lines.push(Written {
                at: refunded_at,
                state: "REFUND",
                order_fen: 0,
                refund: Some((refund.clone(), number.clone(), "SUCCESS", back)),
                fee_millifen: 0,
                ..world.lines.last().unwrap().clone()
            });
            world.funds.push((refund, "退款", -back));
            world.refunds.push(OurRefund {
                id: id(chance),
                out_refund_no: number,
                amount: Fen::new(back),
                state: State::Succeeded { at: refunded_at + TimeDelta::seconds(30) },
                booked: Fen::new(back),
                is_billed_before: false,
                is_covered: true,
            });
        }
    }
    if chance.below(2) == 0 {
        world.funds.push(("W1".to_owned(), "提现", -123));
    }
    world
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

fn local(at: Moment) -> String {
    (at.naive_utc() + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string()
}

impl World {
    fn trade_text(&self) -> String {
        let mut text = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,\
                        退款状态,商品名称,手续费,订单金额,申请退款金额\r\n"
            .to_owned();
        for line in &self.lines {
            let (refund_id, number, state, back) = match &line.refund {
                Some((id, number, state, back)) => (id.as_str(), number.as_str(), *state, *back),
                None => ("0", "0", "", 0),
            };
            let fee = format!(
                "{}{}.{:05}",
                if line.fee_millifen < 0 { "-" } else { "" },
                line.fee_millifen.abs() / 100_000,
                line.fee_millifen.abs() % 100_000
            );
            text.push_str(&format!(
                "`{},`wx1,`{},`0,`{},`{},`{},`{refund_id},`{number},`{state},`书法,绘画,`{fee},`{},`{}\r\n",
                local(line.at),
                line.mchid,
                line.transaction,
                line.order,
                line.state,
                yuan(line.order_fen),
                yuan(back),
            ));
        }
        let orders: i64 = self.lines.iter().map(|line| line.order_fen).sum();
        let backs: i64 = self.lines.iter().filter_map(|line| line.refund.as_ref()).map(|one| one.3).sum();
        let count = self.lines.len();
        text + &format!(
            "总交易单数,订单总金额,申请退款总金额\r\n`{count},`{},`{}\r\n",
            yuan(orders),
            yuan(backs)
        )
    }

    fn fund_text(&self) -> String {
        let mut text =
            "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
                        资金变更提交申请人,备注,业务凭证号\r\n"
                .to_owned();
        for (index, (number, word, fen)) in self.funds.iter().enumerate() {
            let direction = if *fen > 0 { "收入" } else { "支出" };
            text.push_str(&format!(
                "`2026-09-15 12:00:00,`{number},`{index},`{word},`{word},`{direction},`{},`0.00,`system,`,`\r\n",
                yuan(fen.abs())
            ));
        }
        let of = |sign: i64| self.funds.iter().map(|one| one.2).filter(move |fen| fen * sign > 0);
        text + &format!(
            "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{},`{},`{},`{},`{}\r\n",
            self.funds.len(),
            of(1).count(),
            yuan(of(1).sum()),
            of(-1).count(),
            yuan(-of(-1).sum::<i64>()),
        )
    }

    /// Through the texts, as they come from WeChat.
    fn differences(&self) -> Vec<Difference> {
        let trade = trade_lines(&TradeBill::parse(&self.trade_text()).unwrap());
        let fund = fund_lines(&FundBill::parse(&self.fund_text()).unwrap());
        let compared = compare(&Day {
            day: day(),
            payee_mchid: PAYEE,
            trade: &trade,
            fund: Some(&fund),
            payments: &self.payments,
            refunds: &self.refunds,
        });
        compared.differences
    }

    /// The place of the payment at `index` in the bill.
    fn line_of(&self, index: usize) -> usize {
        let order = &self.payments[index].out_trade_no;
        self.lines.iter().position(|line| line.refund.is_none() && line.order == *order).unwrap()
    }

    /// Plants one difference; gives what must be found.
    fn plant(&mut self, kind: Kind, index: usize, chance: &mut Chance) -> (Kind, String) {
        let at = self.line_of(index);
        let order = self.payments[index].out_trade_no.clone();
        let edge = midnight(day()) + TimeDelta::days(1) - TimeDelta::seconds(20);
        match kind {
            // Twice as often an order we never made as one we do not know to be paid.
            Kind::MissingHere if chance.below(3) > 0 => {
                let line = Written {
                    order: "STRANGE".to_owned(),
                    transaction: "4299".to_owned(),
                    fee_millifen: 0,
                    ..self.lines[at].clone()
                };
                self.funds.push((line.transaction.clone(), "交易", line.order_fen));
                self.lines.push(line);
                return (kind, "STRANGE".to_owned());
            }
            Kind::MissingHere => {
                self.payments[index].success = None;
                self.payments[index].booked = Fen::ZERO;
            }
            Kind::MissingThere => {
                let line = self.lines.remove(at);
                self.funds.retain(|one| one.0 != line.transaction);
            }
            Kind::Amount => {
                let more = if chance.below(2) == 0 { 1 } else { 1_000 };
                self.lines[at].order_fen += more;
                let transaction = self.lines[at].transaction.clone();
                let fund = self.funds.iter_mut().find(|one| one.0 == transaction && one.1 == "交易").unwrap();
                fund.2 += more;
            }
            Kind::Status => self.lines[at].state = "REVOKED",
            Kind::DuplicateLine => {
                let line = self.lines[at].clone();
                self.lines.push(line);
            }
            Kind::ForeignMerchant => {
                let line = Written {
                    mchid: "1999999999".to_owned(),
                    order: "FOREIGN".to_owned(),
                    transaction: "4298".to_owned(),
                    ..self.lines[at].clone()
                };
                self.lines.push(line);
                return (kind, "FOREIGN".to_owned());
            }
            Kind::RefundLater => {
                let line = Written {
                    state: "REFUND",
                    order_fen: 0,
                    refund: Some(("5999".to_owned(), "LATER".to_owned(), "PROCESSING", 1)),
                    fee_millifen: 0,
                    ..self.lines[at].clone()
                };
                self.lines.push(line);
                self.funds.push(("5999".to_owned(), "退款", -1));
                let is_under_way = chance.below(2) == 0;
                let later = State::Succeeded { at: edge + TimeDelta::hours(3) };
                self.refunds.push(OurRefund {
                    id: id(chance),
                    out_refund_no: "LATER".to_owned(),
                    amount: Fen::new(1),
                    state: if is_under_way { State::Submitted } else { later },
                    booked: if is_under_way { Fen::ZERO } else { Fen::new(1) },
                    is_billed_before: false,
                    is_covered: true,
                });
                return (kind, "LATER".to_owned());
            }
            Kind::FeeRounding => self.lines[at].fee_millifen += 400,
            Kind::MidnightEdge => {
                // Paid in the day's last seconds here: in tomorrow's bill, or in today's with tomorrow's moment here.
                let success = self.payments[index].success.as_mut().unwrap();
                if chance.below(2) == 0 {
                    success.1 = edge;
                    let line = self.lines.remove(at);
                    self.funds.retain(|one| one.0 != line.transaction);
                } else {
                    self.lines[at].at = edge;
                    success.1 = edge + TimeDelta::seconds(40);
                }
            }
            Kind::Ledger => self.payments[index].booked = Fen::new(chance.below(2).cast_signed()),
        }
        (kind, order)
    }
}

fn kinds(found: &[Difference]) -> BTreeMap<(Kind, String), u32> {
    let mut counts = BTreeMap::new();
    for one in found {
        *counts.entry((one.kind, one.subject.clone())).or_default() += 1;
    }
    counts
}

#[test]
fn c79_two_hundred_days_with_planted_differences_are_classified_and_fifty_clean_days_raise_nothing() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for number in 0..50 {
        assert_eq!(clean(&mut chance).differences(), [], "clean day {number}");
    }
    let mut planted_count = BTreeMap::<Kind, u32>::new();
    for number in 0..200 {
        let mut world = clean(&mut chance);
        let mut expected = BTreeMap::new();
        // One to five differences, each of another kind on another payment; the first goes round all kinds.
        let count = 1 + usize::try_from(chance.below(5)).unwrap();
        for index in 0..count {
            let kind = Kind::ALL[(number + index * 3) % Kind::ALL.len()];
            let (kind, subject) = world.plant(kind, index, &mut chance);
            *planted_count.entry(kind).or_default() += 1;
            expected.insert((kind, subject), 1);
        }

        let found = world.differences();

        assert_eq!(kinds(&found), expected, "day {number}: {found:#?}");
        assert_eq!(world.differences(), found, "the same bill again, day {number}");
    }
    assert!(Kind::ALL.iter().all(|kind| planted_count[kind] >= 20), "{planted_count:?}");
}

#[test]
fn c79_a_line_of_an_earlier_bill_is_a_duplicate_and_a_payment_of_last_night_without_any_line_is_missing() {
    let mut chance = Chance(7);
    let mut world = clean(&mut chance);
    world.payments[0].is_billed_before = true;
    let known = world.payments[0].out_trade_no.clone();
    let last_night = OurPayment {
        out_trade_no: "NIGHT".to_owned(),
        success: Some(("4297".to_owned(), midnight(day()) - TimeDelta::seconds(10))),
        ..world.payments[1].clone()
    };
    world.payments.push(last_night);

    let expected = [((Kind::MissingThere, "NIGHT".to_owned()), 1), ((Kind::DuplicateLine, known), 1)];
    assert_eq!(kinds(&world.differences()), expected.into());
}
