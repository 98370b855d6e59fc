//! Faults on order: what goes wrong, where, how often, and proof that it did.

use serde::{Deserialize, Serialize};

/// Which call a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Creating an order.
    Order,
    /// Asking after an order or a refund.
    Query,
    /// Closing an order.
    Close,
    /// Asking for a refund.
    Refund,
    /// Asking for a bill.
    Bill,
    /// A notification to the merchant.
    Notify,
    /// The login code exchange.
    Login,
    /// The phone code exchange.
    Phone,
    /// A subscribe message.
    Message,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Waits before doing anything.
    Delay {
        /// Milliseconds.
        delay_ms: u64,
    },
    /// Does it, then breaks the connection instead of answering. Not for notifications.
    DropAfterCommit,
    /// Breaks the connection without doing it; a notification attempt is not made and counts as failed.
    Lose,
    /// Answers with this error and does nothing. Not for notifications.
    Error {
        /// HTTP status; ignored for the mini-program API, which always answers 200.
        status: u16,
        /// WeChat's code (`SYSTEM_ERROR`), or for the mini-program API the error number (`45011`).
        code: String,
    },
    /// Signs with a key that is not WeChat's. The notification itself follows in the next attempt.
    Forge,
    /// Signs with a probe. Notifications only; the real one follows in the next attempt.
    Probe,
    /// Signs with WeChat's other key. Notifications only.
    OtherKey,
    /// Sends the notification twice at once. Notifications only.
    Duplicate,
    /// Holds the notification until another one is delivered, at most 5 seconds. Notifications only.
    Reorder,
    /// Lets the refund end in `ABNORMAL`. Refunds only.
    Abnormal,
    /// Lets the refund end in `CLOSED`. Refunds only.
    RefundClosed,
    /// Gives a bill file of which a digit is not the announced one. Bills only.
    Alter,
    /// Gives the first half of a bill file. Bills only.
    Truncate,
}

/// A fault as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which call it strikes.
    pub target: Target,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// How many times.
    pub count: u32,
}

/// A fault in force and how often it has struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultStatus {
    /// Number in order of asking, from 1.
    pub id: u64,
    /// What was asked for.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it has struck, at most `count`.
    pub fired_count: u32,
}

impl Fault {
    /// Whether this kind can strike this target.
    pub(super) fn is_possible(&self) -> bool {
        let is_notify = self.target == Target::Notify;
        let is_pay = matches!(
            self.target,
            Target::Order | Target::Query | Target::Close | Target::Refund | Target::Bill
        );
        match self.kind {
            Kind::Delay { .. } | Kind::Lose => true,
            Kind::DropAfterCommit | Kind::Error { .. } => !is_notify,
            Kind::Forge => is_pay || is_notify,
            Kind::Probe | Kind::OtherKey | Kind::Duplicate | Kind::Reorder => is_notify,
            Kind::Abnormal | Kind::RefundClosed => self.target == Target::Refund,
            Kind::Alter | Kind::Truncate => self.target == Target::Bill,
        }
    }
}

/// The plan.
#[derive(Default)]
pub(super) struct Faults {
    list: Vec<FaultStatus>,
    last_id: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> u64 {
        self.last_id += 1;
        self.list.push(FaultStatus { id: self.last_id, fault, fired_count: 0 });
        self.last_id
    }

    pub(super) fn list(&self) -> &[FaultStatus] {
        &self.list
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// Takes one strike of the first fault that fits, and counts it.
    pub(super) fn strike(&mut self, target: Target, fits: impl Fn(&Kind) -> bool) -> Option<Kind> {
        let left = |status: &&mut FaultStatus| {
            status.fault.target == target
                && status.fired_count < status.fault.count
                && fits(&status.fault.kind)
        };
        let status = self.list.iter_mut().find(left)?;
        status.fired_count += 1;
        Some(status.fault.kind.clone())
    }
}
