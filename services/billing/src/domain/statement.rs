//! What a school's books say of a month. No family is named, and nothing says whose fee was waived.

use shared::value::{Fen, FenError};

use super::ledger::Account;
use super::period::Month;

/// What was debited and credited on one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The account.
    pub account: Account,
    /// Everything debited.
    pub debit: Fen,
    /// Everything credited.
    pub credit: Fen,
}

/// A month of a school, in fen. `charged = waived + paid - refunded + owed - returning`, where owed and returning are the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The month.
    pub month: Month,
    /// Charged for the service, less what was given back.
    pub charged: Fen,
    /// Let off, for somebody else to bear.
    pub waived: Fen,
    /// Came in.
    pub paid: Fen,
    /// Arrived back at families.
    pub refunded: Fen,
    /// What families owe more than at the month's beginning.
    pub owed: Fen,
    /// What is on its way back, or came without being owed, more than at the month's beginning.
    pub returning: Fen,
    /// What is held at the month's end: all that ever came in, less all that arrived back.
    pub held: Fen,
}

impl Statement {
    /// Draws up a month from what moved in it; `held_before` is what was held at its beginning.
    ///
    /// # Errors
    /// [`FenError`] when a sum does not fit.
    pub fn of(month: Month, moved: &[Moved], held_before: Fen) -> Result<Self, FenError> {
        let of = |account: Account| {
            moved
                .iter()
                .find(|one| one.account == account)
                .map_or((Fen::ZERO, Fen::ZERO), |one| (one.debit, one.credit))
        };
        let net_debit = |account| {
            let (debit, credit) = of(account);
            debit.minus(credit)
        };
        let (paid, refunded) = of(Account::WechatClearing);
        Ok(Self {
            month,
            charged: -net_debit(Account::Fees)?,
            waived: net_debit(Account::WaiverSubsidy)?,
            paid,
            refunded,
            owed: net_debit(Account::Receivable)?,
            returning: -net_debit(Account::RefundPayable)?.plus(net_debit(Account::Surplus)?)?,
            held: held_before.plus(paid)?.minus(refunded)?,
        })
    }

    /// Whether both sides are equal, as they must be where every entry is balanced.
    ///
    /// # Errors
    /// [`FenError`] when a sum does not fit.
    pub fn is_balanced(&self) -> Result<bool, FenError> {
        let borne =
            self.waived.plus(self.paid)?.minus(self.refunded)?.plus(self.owed)?.minus(self.returning)?;
        Ok(borne == self.charged)
    }
}
