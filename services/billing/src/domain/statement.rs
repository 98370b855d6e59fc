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

/// The accounts of what families owe and pay.
const FAMILIES: [Account; 6] = [
    Account::Fees,
    Account::Receivable,
    Account::RefundPayable,
    Account::Surplus,
    Account::WaiverSubsidy,
    Account::WechatClearing,
];

/// A month of a school, in fen. `charged = waived + paid - refunded + owed - returning + elsewhere`, where owed and returning are the changes.
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
    /// What corrections moved to the accounts of public money and spending, which otherwise balance among themselves.
    pub elsewhere: Fen,
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
        let mut elsewhere = Fen::ZERO;
        for one in moved.iter().filter(|one| !FAMILIES.contains(&one.account)) {
            elsewhere = elsewhere.plus(one.debit)?.minus(one.credit)?;
        }
        Ok(Self {
            month,
            charged: -net_debit(Account::Fees)?,
            waived: net_debit(Account::WaiverSubsidy)?,
            paid,
            refunded,
            owed: net_debit(Account::Receivable)?,
            returning: -net_debit(Account::RefundPayable)?.plus(net_debit(Account::Surplus)?)?,
            elsewhere,
            held: held_before.plus(paid)?.minus(refunded)?,
        })
    }

    /// Whether both sides are equal, as they must be where every entry is balanced.
    ///
    /// # Errors
    /// [`FenError`] when a sum does not fit.
    pub fn is_balanced(&self) -> Result<bool, FenError> {
        let borne = self
            .waived
            .plus(self.paid)?
            .minus(self.refunded)?
            .plus(self.owed)?
            .minus(self.returning)?
            .plus(self.elsewhere)?;
        Ok(borne == self.charged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ledger::{self, Entry};

    fn moved(entries: &[Entry]) -> Vec<Moved> {
        let of = |account: Account| {
            let lines = entries.iter().flat_map(Entry::lines).filter(move |line| line.account == account);
            let amounts: Vec<i64> = lines.map(|line| line.amount.get()).collect();
            Moved {
                account,
                debit: Fen::new(amounts.iter().filter(|amount| **amount > 0).sum()),
                credit: Fen::new(-amounts.iter().filter(|amount| **amount < 0).sum::<i64>()),
            }
        };
        Account::ALL.map(of).to_vec()
    }

    proptest! {
        #[test]
        fn c79_a_statement_adds_up_whatever_happened(
            lives in proptest::collection::vec((1_i64..100_000, 0_i64..100_000, 0_u8..6, 0_i64..100_000), 0..40),
            before in 0_i64..1_000_000,
        ) {
            let mut entries = Vec::new();
            let (mut paid, mut refunded) = (0, 0);
            for (price, waived, ending, part) in lives {
                let (waived, part) = (waived.min(price), Fen::new(part.min(price)));
                let asks = price - waived;
                entries.push(ledger::issued(Fen::new(price), Fen::new(waived)).unwrap());
                match ending {
                    0 => entries.push(ledger::closed(Fen::new(price), Fen::new(waived)).unwrap()),
                    1 => {}
                    2 => entries.push(ledger::transferred(Account::Bank, Account::WechatClearing, part).unwrap()),
                    _ => {
                        paid += asks;
                        entries.push(ledger::paid(Fen::new(asks)).unwrap());
                        if ending > 3 {
                            let back = Fen::new(part.get().min(asks));
                            entries.push(ledger::released(back, Fen::ZERO).unwrap());
                            if ending > 4 {
                                refunded += back.get();
                                entries.push(ledger::refunded(back).unwrap());
                            }
                        }
                    }
                }
                if ending == 2 {
                    refunded += part.get();
                }
            }

            let statement = Statement::of("2026-09".parse().unwrap(), &moved(&entries), Fen::new(before)).unwrap();

            prop_assert!(statement.is_balanced().unwrap(), "{statement:?}");
            prop_assert_eq!((statement.paid, statement.refunded), (Fen::new(paid), Fen::new(refunded)));
            prop_assert_eq!(statement.held, Fen::new(before + paid - refunded));
        }
    }
}
