//! Who takes parents' money at WeChat. One merchant today; asked for by payee, so that a school's own can stand beside it.

use policy::vocabulary::PayeeAccount;
use shared::value::{District, Id, School};
use wechat::pay::{Notification, NotificationError, Pay, SignatureHeaders};

/// Whose account an invoice's money goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payee {
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The account the policy names. A provider is none of them.
    pub account: PayeeAccount,
}

/// The merchants there are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Merchants {
    pay: Pay,
}

impl Merchants {
    /// One merchant for everyone.
    #[must_use]
    pub const fn one(pay: Pay) -> Self {
        Self { pay }
    }

    /// The merchant that takes a payee's money.
    #[must_use]
    pub const fn of(&self, _payee: &Payee) -> &Pay {
        &self.pay
    }

    /// Every merchant.
    #[must_use]
    pub const fn all(&self) -> &[Pay] {
        std::slice::from_ref(&self.pay)
    }

    /// The merchant with a number; none when no such merchant is set up any more.
    #[must_use]
    pub fn receiving(&self, mchid: &str) -> Option<&Pay> {
        (self.pay.merchant().payee_mchid() == mchid).then_some(&self.pay)
    }

    /// Verifies, opens and reads a notification to any of the merchants.
    ///
    /// # Errors
    /// [`NotificationError`] when none of them can.
    pub fn notification(
        &self,
        headers: &SignatureHeaders,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        self.pay.notification(headers, body)
    }
}
