//! Random lives of orders, by the rules alone: whatever happens, in whatever order, no fen is lost and none is made.

use std::collections::BTreeMap;

use billing::domain::chain::{Hash, Journal, Posting, hash};
use billing::domain::ledger::{self, Account, Entry};
use billing::domain::payment::{self, State as PaymentState, Success};
use billing::domain::period::Month;
use billing::domain::refund::{self, Answer, State as RefundState};
use billing::domain::statement::{Moved, Statement};
use billing::domain::{invoice, invoice::State as InvoiceState};
use chrono::TimeDelta;
use shared::value::{Fen, Moment};
use uuid::Uuid;

/// Numbers that come out the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn fen(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(limit).unwrap_or(0).max(1))).unwrap()
    }
}

/// One order as WeChat and we know it.
struct Order {
    school: usize,
    price: i64,
    waived: i64,
    invoice: InvoiceState,
    /// Attempts to pay it, and whether WeChat has the money.
    payments: Vec<(PaymentState, bool)>,
    /// Amount, where it stands with us, whether WeChat has given it back.
    refunds: Vec<(i64, RefundState, bool)>,
    released: bool,
}

const SCHOOLS: usize = 4;

/// The books of the schools, and what WeChat has.
struct Books {
    /// Per school and month: debits and credits of each account.
    moved: Vec<BTreeMap<Account, (i64, i64)>>,
    /// What WeChat took in and gave back, by its own count.
    wechat: Vec<(i64, i64)>,
    head: Hash,
    position: i64,
}

impl Books {
    fn book(&mut self, school: usize, entry: &Entry) {
        if entry.lines().is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(entry.lines()) {
            let amount = line.amount.get();
            let sums = self.moved[school].entry(line.account).or_default();
            *sums = (sums.0 + amount.max(0), sums.1 + (-amount).max(0));
            lines.push(Posting {
                number,
                account: line.account.code().to_owned(),
                debit_fen: amount.max(0),
                credit_fen: (-amount).max(0),
            });
        }
        self.position += 1;
        let journal = Journal {
            id: Uuid::from_u128(self.position.cast_unsigned().into()),
            district_id: Uuid::nil(),
            school_id: Uuid::from_u128(school as u128),
            source_id: Uuid::nil(),
            kind: "x".to_owned(),
            number: 0,
            created_at: Moment::from_timestamp(1_800_000_000, 0).unwrap(),
            lines,
        };
        let next = hash(&self.head, self.position, &journal);
        assert_ne!(next, self.head);
        self.head = next;
    }

    fn net(&self, school: usize, account: Account) -> i64 {
        self.moved[school].get(&account).map_or(0, |(debit, credit)| debit - credit)
    }
}

fn run(order_count: usize, seed: u64) {
    let mut chance = Chance(seed);
    let start = Moment::from_timestamp(1_800_000_000, 0).unwrap();
    let mut books = Books {
        moved: vec![BTreeMap::new(); SCHOOLS],
        wechat: vec![(0, 0); SCHOOLS],
        head: Hash::START,
        position: 0,
    };
    let mut alive: Vec<Order> = Vec::new();
    let mut begun = 0;
    let mut day = 0;
    while begun < order_count || !alive.is_empty() {
        day += 1;
        let now = start + TimeDelta::days(day);
        for _ in 0..200.min(order_count - begun) {
            begun += 1;
            let (school, price) =
                (usize::try_from(chance.below(SCHOOLS as u64)).unwrap(), 1 + chance.fen(50_000));
            let waived = if chance.below(5) == 0 { chance.fen(price + 1) } else { 0 };
            books.book(school, &ledger::issued(Fen::new(price), Fen::new(waived)).unwrap());
            let invoice = InvoiceState::Open { due_at: now };
            alive.push(Order {
                school,
                price,
                waived,
                invoice,
                payments: Vec::new(),
                refunds: Vec::new(),
                released: false,
            });
        }
        for order in &mut alive {
            for _ in 0..1 + chance.below(4) {
                step(order, &mut books, &mut chance, now);
            }
        }
        conserved(&books, &alive, &mut Vec::new());
        // What has come to rest leaves; its numbers stay in the books.
        let is_over = |order: &Order| {
            let is_settled_or_closed = !matches!(order.invoice, InvoiceState::Open { .. });
            is_settled_or_closed
                && order.refunds.iter().all(|one| matches!(one.1, RefundState::Succeeded { .. }))
        };
        let mut keep = Vec::new();
        for order in alive {
            if !(is_over(&order) && chance.below(3) == 0) {
                keep.push(order);
            }
        }
        alive = keep;
    }
    conserved(&books, &alive, &mut Vec::new());
    assert!(books.position > i64::try_from(order_count).unwrap());
}

/// Something happens to an order: paid, told twice, told late, paid a second time, closed, given back, refunded.
fn step(order: &mut Order, books: &mut Books, chance: &mut Chance, now: Moment) {
    let asks = order.price - order.waived;
    match chance.below(8) {
        // A new attempt, while something is owed.
        0 | 1 if asks > 0 && order.payments.len() < 4 => order.payments.push((PaymentState::Prepay, false)),
        // WeChat has the money; then it says so, perhaps again and again.
        2 | 3 if !order.payments.is_empty() => {
            let index = usize::try_from(chance.below(order.payments.len() as u64)).unwrap();
            if !order.payments[index].1 {
                order.payments[index].1 = true;
                books.wechat[order.school].0 += asks;
                settle(order, books, index, asks, now);
            }
            for _ in 0..chance.below(3) {
                settle(order, books, index, asks, now);
            }
        }
        4 if chance.below(2) == 0 => {
            if let Ok((state, Some(_))) = invoice::close(order.invoice.clone(), now) {
                order.invoice = state;
                let entry = ledger::closed(Fen::new(order.price), Fen::new(order.waived)).unwrap();
                books.book(order.school, &entry);
                for (payment, _) in &mut order.payments {
                    *payment = payment::close(payment.clone(), now);
                }
            }
        }
        5 if asks == 0 && matches!(order.invoice, InvoiceState::Open { .. }) => {
            order.invoice = invoice::settle(order.invoice.clone(), now).0;
        }
        // The seat is given back: part of the money, and of the subsidy.
        6 if matches!(order.invoice, InvoiceState::Settled { .. }) && !order.released => {
            let is_paid = order.payments.iter().any(|one| matches!(one.0, PaymentState::Succeeded(_)));
            let money = if is_paid { chance.fen(asks + 1) } else { 0 };
            let subsidy = chance.fen(order.waived + 1);
            order.released = true;
            books.book(order.school, &ledger::released(Fen::new(money), Fen::new(subsidy)).unwrap());
            if money > 0 {
                order.refunds.push((money, RefundState::Requested, false));
            }
        }
        _ => {
            for (amount, state, is_back) in &mut order.refunds {
                let answer = match chance.below(4) {
                    0 => Answer::Processing,
                    1 => Answer::Abnormal,
                    _ => Answer::Succeeded { at: now },
                };
                let is_success = matches!(answer, Answer::Succeeded { .. });
                if is_success && !*is_back {
                    *is_back = true;
                    books.wechat[order.school].1 += *amount;
                }
                // WeChat does not take back what it said.
                let answer = if *is_back { Answer::Succeeded { at: now } } else { answer };
                let next = refund::answered(*state, answer);
                if next != *state && matches!(next, RefundState::Succeeded { .. }) {
                    books.book(order.school, &ledger::refunded(Fen::new(*amount)).unwrap());
                }
                *state = next;
            }
        }
    }
}

/// What the one way of crediting does with the books.
fn settle(order: &mut Order, books: &mut Books, index: usize, asks: i64, now: Moment) {
    let is_paid = order.payments.iter().any(|one| matches!(one.0, PaymentState::Succeeded(_)));
    let is_owed = !is_paid && !matches!(order.invoice, InvoiceState::Settled { .. });
    let success = Success { transaction_id: index.to_string(), at: now };
    let Some(state) = payment::succeed(&order.payments[index].0, success, is_owed) else { return };
    order.payments[index].0 = state;
    let amount = Fen::new(asks);
    if is_owed {
        if matches!(order.invoice, InvoiceState::Closed { .. }) {
            let entry = ledger::issued(Fen::new(order.price), Fen::new(order.waived)).unwrap();
            books.book(order.school, &entry);
        }
        order.invoice = invoice::settle(order.invoice.clone(), now).0;
        books.book(order.school, &ledger::paid(amount).unwrap());
    } else {
        books.book(order.school, &ledger::surplus(amount).unwrap());
        books.book(order.school, &ledger::surplus_returned(amount).unwrap());
        order.refunds.push((asks, RefundState::Requested, false));
    }
}

/// Paid is what is held, and what is held is earned, owed back or was let off: for each school, each day.
fn conserved(books: &Books, alive: &[Order], scratch: &mut Vec<Moved>) {
    for school in 0..SCHOOLS {
        let own = || alive.iter().filter(move |order| order.school == school);
        let (paid, refunded) = books.wechat[school];
        assert_eq!(books.net(school, Account::WechatClearing), paid - refunded, "held is paid less refunded");
        assert_eq!(Account::ALL.iter().map(|one| books.net(school, *one)).sum::<i64>(), 0);
        assert_eq!(books.net(school, Account::Surplus), 0);
        let open = own().filter(|order| matches!(order.invoice, InvoiceState::Open { .. }));
        let owed: i64 = open.map(|order| order.price - order.waived).sum();
        assert_eq!(books.net(school, Account::Receivable), owed, "owed is what open invoices ask for");
        let under_way = own().flat_map(|order| &order.refunds);
        let under_way = under_way.filter(|one| !matches!(one.1, RefundState::Succeeded { .. }));
        let returning: i64 = under_way.map(|one| one.0).sum();
        assert_eq!(-books.net(school, Account::RefundPayable), returning, "owed back is what refunds carry");
        let earned = -books.net(school, Account::Fees);
        let borne = books.net(school, Account::WaiverSubsidy);
        assert_eq!(
            paid - refunded,
            earned - borne - owed + returning,
            "held = earned - let off - owed + owed back"
        );
        scratch.clear();
        scratch.extend(books.moved[school].iter().map(|(account, (debit, credit))| Moved {
            account: *account,
            debit: Fen::new(*debit),
            credit: Fen::new(*credit),
        }));
        let month: Month = "2027-01".parse().unwrap();
        let statement = Statement::of(month, scratch, Fen::ZERO).unwrap();
        assert!(statement.is_balanced().unwrap());
        assert_eq!(statement.held.get(), paid - refunded);
    }
}

#[test]
fn c79_twenty_thousand_random_orders_lose_and_make_no_fen() {
    for seed in 1..=4 {
        run(5_000, seed * 0x9e37_79b9);
    }
}

#[test]
#[ignore = "minutes: a million orders"]
fn c79_a_million_random_orders_lose_and_make_no_fen() {
    run(1_000_000, 0x5eed);
}
