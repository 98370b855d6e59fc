//! What a family owes for one enrollment: open, then settled or closed.
//!
//! | from ↓ command → | settle          | close     | pay                        |
//! |------------------|-----------------|-----------|----------------------------|
//! | Open             | Settled         | Closed    | allowed ¹                  |
//! | Settled          | no change       | refused ² | refused ²                  |
//! | Closed           | Settled, late ³ | no change | refused `InvoiceClosed`    |
//!
//! ¹ with a price, something to pay, and enough of the hold left.  ² `InvoiceSettled`.
//! ³ the money came after all: enrollment decides whether there is a seat for it.

use chrono::TimeDelta;
use shared::value::{
    District, Enrollment, Fen, FenError, Guardian, Id, Invoice as InvoiceKind, Moment, Pupil, School,
    Section, Term,
};

use super::refusal::{Clause, Refusal};

/// Where an invoice stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for payment.
    Open {
        /// Until then.
        due_at: Moment,
    },
    /// Paid, waived, or nothing was left to pay.
    Settled {
        /// Since then.
        at: Moment,
    },
    /// Closed unpaid.
    Closed {
        /// Since then.
        at: Moment,
    },
}

/// What is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is settled.
    Settled {
        /// Whether it had been closed before.
        late: bool,
    },
    /// It is closed unpaid.
    Closed,
}

/// An invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Which invoice.
    pub id: Id<InvoiceKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school, whose ledger it stands in.
    pub school_id: Id<School>,
    /// What it is for.
    pub enrollment_id: Id<Enrollment>,
    /// Whose lessons.
    pub pupil_id: Id<Pupil>,
    /// The term.
    pub term_id: Id<Term>,
    /// The section.
    pub section_id: Id<Section>,
    /// Who applied.
    pub guardian_id: Id<Guardian>,
    /// The section's title.
    pub title: String,
    /// When it was issued.
    pub created_at: Moment,
    /// Where it stands.
    pub state: State,
    /// What the section adds to the pupil's charge, waivers not counted; none while the term has no fee standard.
    pub price: Option<Fen>,
    /// What of the price is waived.
    pub waived: Fen,
    /// The category it is waived by.
    pub waiver_category: Option<String>,
    /// What the price rests on.
    pub clauses: Vec<Clause>,
    /// What was paid for it.
    pub paid: Fen,
    /// What of that was given back, or is on its way.
    pub refunded: Fen,
    /// What of the price no longer counts, since its lessons were given back.
    pub reversed: Fen,
    /// When the seat was given back.
    pub released_at: Option<Moment>,
    /// Only lessons that start before are charged; all when absent.
    pub charged_until: Option<Moment>,
    /// The seat was given back and the policy does not say what of the money is: people must decide.
    pub is_refund_undecided: bool,
    /// A waiver was granted while an order is open at WeChat: it is applied once the order is closed.
    pub is_waiver_due: bool,
    /// How often it was priced anew.
    pub reprice_count: i32,
}

/// What must be left of a hold for a payment to begin, and how long before its end the order should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayWindow {
    /// The order's last moment is this much before the hold's end.
    pub margin: TimeDelta,
    /// With less than this left, no payment begins.
    pub least: TimeDelta,
}

/// WeChat gives every order at least this long. Source: WeChat Pay, JSAPI order, `time_expire`.
pub const WECHAT_LEAST: TimeDelta = TimeDelta::minutes(1);

impl PayWindow {
    /// When an order begun now must be paid by, or none when too little is left.
    ///
    /// The margin before the hold's end, but never sooner than WeChat allows: in the last moments of a hold the order may
    /// outlast it. That costs nothing: a seat is released only after WeChat has closed the order.
    #[must_use]
    pub fn expires_at(&self, due_at: Moment, now: Moment) -> Option<Moment> {
        (due_at - now >= self.least).then(|| (due_at - self.margin).max(now + WECHAT_LEAST))
    }
}

impl Invoice {
    /// What is to be paid: the price less what is waived; zero while there is no price.
    ///
    /// # Errors
    /// [`FenError`] when it does not fit.
    pub fn amount(&self) -> Result<Fen, FenError> {
        self.price.unwrap_or(Fen::ZERO).minus(self.waived)
    }

    /// What of the price still counts.
    ///
    /// # Errors
    /// [`FenError`] when it does not fit.
    pub fn kept(&self) -> Result<Fen, FenError> {
        self.price.unwrap_or(Fen::ZERO).minus(self.reversed)
    }

    /// Whether it waits for payment.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether it is settled.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self.state, State::Settled { .. })
    }

    /// Says by when an order must be paid that is begun now, and for how much.
    ///
    /// # Errors
    /// [`Refusal::InvoiceSettled`], [`Refusal::InvoiceClosed`], [`Refusal::TariffNotPublished`],
    /// [`Refusal::NothingToPay`], [`Refusal::HoldTooShort`].
    pub fn pay(&self, window: PayWindow, now: Moment) -> Result<(Fen, Moment), Refusal> {
        let due_at = match self.state {
            State::Open { due_at } => due_at,
            State::Settled { .. } => return Err(Refusal::InvoiceSettled),
            State::Closed { .. } => return Err(Refusal::InvoiceClosed),
        };
        if self.price.is_none() {
            return Err(Refusal::TariffNotPublished);
        }
        let amount = self.amount()?;
        if amount <= Fen::ZERO {
            return Err(Refusal::NothingToPay);
        }
        let expires_at = window.expires_at(due_at, now).ok_or(Refusal::HoldTooShort { due_at })?;
        Ok((amount, expires_at))
    }
}

/// Settles: the money is there, or none is owed.
#[must_use]
pub fn settle(state: State, now: Moment) -> (State, Option<Event>) {
    match state {
        State::Open { .. } => (State::Settled { at: now }, Some(Event::Settled { late: false })),
        State::Closed { .. } => (State::Settled { at: now }, Some(Event::Settled { late: true })),
        State::Settled { .. } => (state, None),
    }
}

/// Closes unpaid.
///
/// # Errors
/// [`Refusal::InvoiceSettled`].
pub fn close(state: State, now: Moment) -> Result<(State, Option<Event>), Refusal> {
    match state {
        State::Open { .. } => Ok((State::Closed { at: now }, Some(Event::Closed))),
        State::Closed { .. } => Ok((state, None)),
        State::Settled { .. } => Err(Refusal::InvoiceSettled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn every_cell_of_the_table_holds() {
        let (open, settled, closed) =
            (State::Open { due_at: at(60) }, State::Settled { at: at(0) }, State::Closed { at: at(0) });
        let now = at(9);

        let fresh = State::Settled { at: now };
        assert_eq!(settle(open.clone(), now), (fresh.clone(), Some(Event::Settled { late: false })));
        assert_eq!(settle(closed.clone(), now), (fresh, Some(Event::Settled { late: true })));
        assert_eq!(settle(settled.clone(), now), (settled.clone(), None));
        assert_eq!(close(open, now), Ok((State::Closed { at: now }, Some(Event::Closed))));
        assert_eq!(close(closed.clone(), now), Ok((closed, None)));
        assert_eq!(close(settled, now), Err(Refusal::InvoiceSettled));
    }

    #[test]
    fn an_order_ends_a_margin_before_the_hold_but_never_sooner_than_wechat_allows() {
        let window = PayWindow { margin: TimeDelta::seconds(60), least: TimeDelta::seconds(30) };

        for (due, expires) in [
            (1_800, Some(1_740)),
            (121, Some(61)),
            (120, Some(60)),
            (60, Some(60)),
            (30, Some(60)),
            (29, None),
            (-5, None),
        ] {
            assert_eq!(window.expires_at(at(due), at(0)), expires.map(at), "{due}");
        }
    }
}
