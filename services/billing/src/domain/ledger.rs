//! Accounts and balanced entries. Money moves only by adding entries; a correction is an entry too.
//!
//! | what happened | debit | credit |
//! |---|---|---|
//! | an invoice was issued | receivable | fees |
//! | a part was waived | waiver_subsidy | receivable |
//! | it was paid | wechat_clearing | receivable |
//! | it was closed unpaid | fees | receivable, waiver_subsidy |
//! | it was paid after that | the closing reversed, then as paid | |
//! | a seat was given back | fees | refund_payable, waiver_subsidy |
//! | it was paid a second time | wechat_clearing | surplus |
//! | that is to go back | surplus | refund_payable |
//! | a refund arrived | refund_payable | wechat_clearing |
//! | a grant was approved | grant_receivable | grants |
//! | a grant arrived | bank | grant_receivable |
//! | money was spent | spending | bank |
//! | staff were paid | staff_pay | bank |
//! | one of these was taken back | the same with the sides changed | |

use shared::value::{Fen, FenError};

/// An account of a school's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What families owe.
    Receivable,
    /// What was charged for the service.
    Fees,
    /// What is let off and somebody else is to bear.
    WaiverSubsidy,
    /// What WeChat has taken in and not yet handed over.
    WechatClearing,
    /// What is to go back to families.
    RefundPayable,
    /// Money that came without being owed.
    Surplus,
    /// What the school has in the account the region names.
    Bank,
    /// What government owes.
    GrantReceivable,
    /// What government gives.
    Grants,
    /// What was spent.
    Spending,
    /// What staff were paid.
    StaffPay,
}

impl Account {
    /// Every account, by code.
    pub const ALL: [Self; 11] = [
        Self::Bank,
        Self::Fees,
        Self::GrantReceivable,
        Self::Grants,
        Self::Receivable,
        Self::RefundPayable,
        Self::Spending,
        Self::StaffPay,
        Self::Surplus,
        Self::WaiverSubsidy,
        Self::WechatClearing,
    ];

    /// The account's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Fees => "fees",
            Self::WaiverSubsidy => "waiver_subsidy",
            Self::WechatClearing => "wechat_clearing",
            Self::RefundPayable => "refund_payable",
            Self::Surplus => "surplus",
            Self::Bank => "bank",
            Self::GrantReceivable => "grant_receivable",
            Self::Grants => "grants",
            Self::Spending => "spending",
            Self::StaffPay => "staff_pay",
        }
    }
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Above zero debits, below zero credits; never zero.
    pub amount: Fen,
}

/// A balanced entry: the lines sum to zero, and there are none without an amount. Empty when nothing moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry(Vec<Line>);

impl Entry {
    /// Debits one account with each amount and credits the account beside it. An amount below zero does the reverse.
    fn moved(moves: &[(Account, Account, Fen)]) -> Result<Self, FenError> {
        let mut sums: Vec<Line> = Vec::new();
        let mut add =
            |account: Account, amount: Fen| match sums.iter_mut().find(|line| line.account == account) {
                Some(line) => line.amount.plus(amount).map(|sum| line.amount = sum),
                None => {
                    sums.push(Line { account, amount });
                    Ok(())
                }
            };
        for (debit, credit, amount) in moves {
            add(*debit, *amount)?;
            add(*credit, -*amount)?;
        }
        sums.retain(|line| !line.amount.is_zero());
        Ok(Self(sums))
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

/// An invoice was issued, or its price or waiver changed by so much.
///
/// # Errors
/// [`FenError`] when a sum does not fit, as for all of these.
pub fn issued(price: Fen, waived: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[
        (Account::Receivable, Account::Fees, price),
        (Account::WaiverSubsidy, Account::Receivable, waived),
    ])
}

/// An open invoice was closed: nothing is owed any more.
///
/// # Errors
/// [`FenError`].
pub fn closed(price: Fen, waived: Fen) -> Result<Entry, FenError> {
    issued(-price, -waived)
}

/// An order was paid.
///
/// # Errors
/// [`FenError`].
pub fn paid(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::WechatClearing, Account::Receivable, amount)])
}

/// A seat was given back: `money` goes back to the family, `subsidy` is no longer to be borne by anyone.
///
/// # Errors
/// [`FenError`].
pub fn released(money: Fen, subsidy: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[
        (Account::Fees, Account::RefundPayable, money),
        (Account::Fees, Account::WaiverSubsidy, subsidy),
    ])
}

/// Money came that nobody owed.
///
/// # Errors
/// [`FenError`].
pub fn surplus(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::WechatClearing, Account::Surplus, amount)])
}

/// That money is to go back.
///
/// # Errors
/// [`FenError`].
pub fn surplus_returned(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::Surplus, Account::RefundPayable, amount)])
}

/// A refund arrived.
///
/// # Errors
/// [`FenError`].
pub fn refunded(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::RefundPayable, Account::WechatClearing, amount)])
}

/// A grant was approved.
///
/// # Errors
/// [`FenError`].
pub fn granted(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::GrantReceivable, Account::Grants, amount)])
}

/// A grant arrived.
///
/// # Errors
/// [`FenError`].
pub fn grant_received(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::Bank, Account::GrantReceivable, amount)])
}

/// Money was spent.
///
/// # Errors
/// [`FenError`].
pub fn spent(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::Spending, Account::Bank, amount)])
}

/// Staff were paid.
///
/// # Errors
/// [`FenError`].
pub fn staff_paid(amount: Fen) -> Result<Entry, FenError> {
    Entry::moved(&[(Account::StaffPay, Account::Bank, amount)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn c79_every_entry_sums_to_zero_and_has_no_empty_line(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let (a, b) = (Fen::new(a), Fen::new(b));
            for entry in [issued(a, b), closed(a, b), paid(a), released(a, b), surplus(a), surplus_returned(a), refunded(a), granted(a), grant_received(a), spent(a), staff_paid(a)] {
                let entry = entry.unwrap();
                prop_assert_eq!(Fen::total(entry.lines().iter().map(|line| line.amount)), Ok(Fen::ZERO));
                prop_assert!(entry.lines().iter().all(|line| !line.amount.is_zero()));
            }
        }
    }

    #[test]
    fn a_fully_waived_invoice_leaves_nothing_receivable() {
        let entry = issued(Fen::new(400), Fen::new(400)).unwrap();

        assert!(entry.lines().iter().all(|line| line.account != Account::Receivable));
        assert_eq!(entry.lines().len(), 2);
    }

    #[test]
    fn accounts_are_listed_by_code() {
        assert!(Account::ALL.is_sorted_by_key(|account| account.code()));
    }
}
