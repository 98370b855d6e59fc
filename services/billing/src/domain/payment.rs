//! One attempt to pay an invoice: one order at WeChat.
//!
//! | from ↓ command → | prepaid   | unknown   | close     | succeed, owed | succeed, not owed |
//! |------------------|-----------|-----------|-----------|---------------|-------------------|
//! | Created          | Prepay    | Unknown   | Closed    | Succeeded     | Surplus           |
//! | Prepay           | no change | no change | Closed    | Succeeded     | Surplus           |
//! | Unknown          | Prepay    | no change | Closed    | Succeeded     | Surplus           |
//! | Closed           | no change | no change | no change | Succeeded     | Surplus           |
//! | Succeeded        | no change | no change | no change | no change     | no change         |
//! | Surplus          | no change | no change | no change | no change     | no change         |
//!
//! Owed is what pays exactly the invoice's amount while nothing else has. Everything else is surplus and goes back.

use chrono::TimeDelta;
use shared::value::{District, Fen, Id, Invoice, Moment, Payment as PaymentKind};

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Written down; WeChat may not have heard of it yet.
    Created,
    /// WeChat holds the order; a pay sheet may be out.
    Prepay,
    /// WeChat was asked and nobody knows what it did.
    Unknown,
    /// It paid the invoice.
    Succeeded(Success),
    /// It was paid and nothing was owed; the money goes back.
    Surplus(Success),
    /// It can not be paid any more, as far as WeChat said.
    Closed {
        /// Since then.
        at: Moment,
    },
}

/// A payment that happened, as WeChat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// WeChat's number.
    pub transaction_id: String,
    /// When it was paid.
    pub at: Moment,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Which payment.
    pub id: Id<PaymentKind>,
    /// The district.
    pub district_id: Id<District>,
    /// What it is to pay.
    pub invoice_id: Id<Invoice>,
    /// 1 for the invoice's first.
    pub attempt: u32,
    /// Our number at WeChat.
    pub out_trade_no: String,
    /// The merchant number that receives the money.
    pub payee_mchid: String,
    /// The order's amount.
    pub amount: Fen,
    /// The order's exact text, sealed: every repeat sends these bytes.
    pub order_sealed: Vec<u8>,
    /// Who ordered, sealed: only they can pay it.
    pub openid_sealed: Vec<u8>,
    /// The order's last moment.
    pub expires_at: Moment,
    /// Where it stands.
    pub state: State,
    /// When it was written down.
    pub created_at: Moment,
    /// When WeChat is asked next by itself; none once it has ended.
    pub next_query_at: Option<Moment>,
    /// How often WeChat was asked by itself.
    pub query_count: u32,
    /// What of the money is on its way back.
    pub reserved: Fen,
    /// What of the money is back.
    pub refunded: Fen,
    /// How many refunds were made of it.
    pub refund_count: u32,
    /// When the last of them was sent to WeChat.
    pub refund_sent_at: Option<Moment>,
}

/// The most refunds of one order. Source: WeChat Pay, refunds.
pub const MAX_REFUND_COUNT: u32 = 50;

/// The least time between two refunds of one order. Source: WeChat Pay, refunds.
pub const REFUND_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// When WeChat is asked after an order, in seconds after it was made. Source: WeChat Pay, order query guide.
const QUERY_PLAN: [i64; 7] = [5, 30, 60, 180, 300, 600, 1_800];

impl Payment {
    /// Whether money may still come by it in the ordinary way.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Created | State::Prepay | State::Unknown)
    }

    /// What of the money may still go back: zero unless it succeeded.
    #[must_use]
    pub fn refundable(&self) -> Fen {
        match self.state {
            State::Succeeded(_) | State::Surplus(_) if self.refund_count < MAX_REFUND_COUNT => self
                .amount
                .minus(self.reserved)
                .and_then(|left| left.minus(self.refunded))
                .unwrap_or(Fen::ZERO),
            State::Succeeded(_)
            | State::Surplus(_)
            | State::Created
            | State::Prepay
            | State::Unknown
            | State::Closed { .. } => Fen::ZERO,
        }
    }
}

/// WeChat holds the order.
#[must_use]
pub fn prepaid(state: State) -> State {
    match state {
        State::Created | State::Unknown | State::Prepay => State::Prepay,
        State::Succeeded(_) | State::Surplus(_) | State::Closed { .. } => state,
    }
}

/// Nobody knows what WeChat did. An order of which a sheet may be out stays what it is.
#[must_use]
pub fn unknown(state: State) -> State {
    match state {
        State::Created => State::Unknown,
        State::Unknown | State::Prepay | State::Succeeded(_) | State::Surplus(_) | State::Closed { .. } => {
            state
        }
    }
}

/// WeChat said that it cannot be paid any more.
#[must_use]
pub fn close(state: State, now: Moment) -> State {
    match state {
        State::Created | State::Prepay | State::Unknown => State::Closed { at: now },
        State::Closed { .. } | State::Succeeded(_) | State::Surplus(_) => state,
    }
}

/// WeChat said that it was paid. Gives nothing when that was known.
#[must_use]
pub fn succeed(state: &State, success: Success, is_owed: bool) -> Option<State> {
    match state {
        State::Created | State::Prepay | State::Unknown | State::Closed { .. } if is_owed => {
            Some(State::Succeeded(success))
        }
        State::Created | State::Prepay | State::Unknown | State::Closed { .. } => {
            Some(State::Surplus(success))
        }
        State::Succeeded(_) | State::Surplus(_) => None,
    }
}

/// When WeChat is to be asked next: by the plan, then every 30 minutes, and once the order has ended at the latest.
#[must_use]
pub fn next_query_at(created_at: Moment, expires_at: Moment, query_count: u32, now: Moment) -> Moment {
    let planned = usize::try_from(query_count).ok().and_then(|count| QUERY_PLAN.get(count));
    let planned = match planned {
        Some(seconds) => created_at + TimeDelta::seconds(*seconds),
        None => now + TimeDelta::minutes(30),
    };
    let end = expires_at + TimeDelta::seconds(5);
    if now < end { planned.min(end) } else { now + TimeDelta::minutes(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn every_cell_of_the_table_holds() {
        let success = Success { transaction_id: "4200".to_owned(), at: at(1) };
        let now = at(2);
        let closed = State::Closed { at: now };
        let (ok, extra) = (State::Succeeded(success.clone()), State::Surplus(success.clone()));
        let table = [
            (State::Created, State::Prepay, State::Unknown, closed.clone()),
            (State::Prepay, State::Prepay, State::Prepay, closed.clone()),
            (State::Unknown, State::Prepay, State::Unknown, closed.clone()),
            (closed.clone(), closed.clone(), closed.clone(), closed),
            (ok.clone(), ok.clone(), ok.clone(), ok.clone()),
            (extra.clone(), extra.clone(), extra.clone(), extra.clone()),
        ];
        for (from, on_prepaid, on_unknown, on_close) in table {
            assert_eq!(prepaid(from.clone()), on_prepaid);
            assert_eq!(unknown(from.clone()), on_unknown);
            assert_eq!(close(from.clone(), now), on_close);
            let is_paid = matches!(from, State::Succeeded(_) | State::Surplus(_));
            assert_eq!(succeed(&from, success.clone(), true), (!is_paid).then(|| ok.clone()));
            assert_eq!(succeed(&from, success.clone(), false), (!is_paid).then(|| extra.clone()));
        }
    }

    #[test]
    fn wechat_is_asked_by_the_plan_and_when_the_order_ends() {
        let far = at(86_400);
        let asked: Vec<_> =
            (0..8).map(|count| (next_query_at(at(0), far, count, at(0)) - at(0)).num_seconds()).collect();
        assert_eq!(asked, [5, 30, 60, 180, 300, 600, 1_800, 1_800]);

        assert_eq!(next_query_at(at(0), at(45), 2, at(31)), at(50));
        assert_eq!(next_query_at(at(0), at(45), 3, at(50)), at(110));
    }
}
