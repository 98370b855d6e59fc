//! What a notification says, as text that is sealed into the inbox and read again by the job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::status;
use shared::value::Moment;
use tonic::Status;
use uuid::Uuid;
use wechat::pay::{Notified, Payment, RefundNotice, RefundState};

use crate::store::notification::Kind;

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An order was paid.
    Payment(Payment),
    /// A refund came to an end.
    Refund(RefundNotice),
    /// Something this platform does not use.
    Other,
}

/// What the sealed content of a notification is sealed as.
#[must_use]
pub fn context(id: Uuid) -> String {
    format!("notification:{id}")
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Text {
    Payment {
        appid: String,
        mchid: String,
        sub_mchid: Option<String>,
        out_trade_no: String,
        transaction_id: String,
        amount_fen: i64,
        payer_total_fen: Option<i64>,
        currency: String,
        openid: String,
        success_at: DateTime<Utc>,
        bank_type: String,
        attach: String,
    },
    Refund {
        mchid: String,
        sub_mchid: Option<String>,
        out_trade_no: String,
        transaction_id: String,
        out_refund_no: String,
        refund_id: String,
        state: RefundWord,
        succeeded_at: Option<Moment>,
        refund_fen: i64,
        total_fen: i64,
    },
    Other,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RefundWord {
    Processing,
    Succeeded,
    Closed,
    Abnormal,
}

impl Notice {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Payment(_) => Kind::Payment,
            Self::Refund(_) => Kind::Refund,
            Self::Other => Kind::Other,
        }
    }

    /// The order it is about; empty for [`Notice::Other`].
    #[must_use]
    pub fn out_trade_no(&self) -> &str {
        match self {
            Self::Payment(paid) => &paid.out_trade_no,
            Self::Refund(notice) => &notice.out_trade_no,
            Self::Other => "",
        }
    }

    /// The same for every delivery of the same fact, and different for every other. `delivery_id` stands for facts we do not know.
    #[must_use]
    pub fn dedup_key(&self, delivery_id: &str) -> String {
        match self {
            Self::Payment(paid) => {
                let Payment { out_trade_no, transaction_id, amount_fen, currency, mchid, .. } = paid;
                format!("payment:{out_trade_no}:{transaction_id}:{amount_fen}:{currency}:{mchid}")
            }
            Self::Refund(notice) => {
                let RefundNotice { out_refund_no, refund_id, refund_fen, .. } = notice;
                format!("refund:{out_refund_no}:{refund_id}:{refund_fen}:{:?}", word(notice.state).0)
            }
            Self::Other => format!("other:{delivery_id}"),
        }
    }

    /// The notice as text.
    ///
    /// # Errors
    /// INTERNAL when it has no JSON form, which every notice has.
    pub fn to_text(&self) -> Result<String, Status> {
        serde_json::to_string(&self.text()).map_err(|error| status::internal(&error))
    }

    fn text(&self) -> Text {
        match self.clone() {
            Self::Payment(paid) => Text::Payment {
                appid: paid.appid,
                mchid: paid.mchid,
                sub_mchid: paid.sub_mchid,
                out_trade_no: paid.out_trade_no,
                transaction_id: paid.transaction_id,
                amount_fen: paid.amount_fen,
                payer_total_fen: paid.payer_total_fen,
                currency: paid.currency,
                openid: paid.openid,
                success_at: paid.success_at,
                bank_type: paid.bank_type,
                attach: paid.attach,
            },
            Self::Refund(notice) => {
                let (state, succeeded_at) = word(notice.state);
                Text::Refund {
                    mchid: notice.mchid,
                    sub_mchid: notice.sub_mchid,
                    out_trade_no: notice.out_trade_no,
                    transaction_id: notice.transaction_id,
                    out_refund_no: notice.out_refund_no,
                    refund_id: notice.refund_id,
                    state,
                    succeeded_at,
                    refund_fen: notice.refund_fen,
                    total_fen: notice.total_fen,
                }
            }
            Self::Other => Text::Other,
        }
    }

    /// Reads the text back.
    ///
    /// # Errors
    /// INTERNAL when it is not such a text.
    pub fn from_text(text: &str) -> Result<Self, Status> {
        let text: Text = serde_json::from_str(text).map_err(|error| status::internal(&error))?;
        Ok(match text {
            Text::Payment {
                appid,
                mchid,
                sub_mchid,
                out_trade_no,
                transaction_id,
                amount_fen,
                payer_total_fen,
                currency,
                openid,
                success_at,
                bank_type,
                attach,
            } => Self::Payment(Payment {
                appid,
                mchid,
                sub_mchid,
                out_trade_no,
                transaction_id,
                amount_fen,
                payer_total_fen,
                currency,
                openid,
                success_at,
                bank_type,
                attach,
            }),
            Text::Refund {
                mchid,
                sub_mchid,
                out_trade_no,
                transaction_id,
                out_refund_no,
                refund_id,
                state,
                succeeded_at,
                refund_fen,
                total_fen,
            } => Self::Refund(RefundNotice {
                mchid,
                sub_mchid,
                out_trade_no,
                transaction_id,
                out_refund_no,
                refund_id,
                state: match (state, succeeded_at) {
                    (RefundWord::Succeeded, Some(at)) => RefundState::Succeeded { at },
                    (RefundWord::Processing | RefundWord::Succeeded, _) => RefundState::Processing,
                    (RefundWord::Closed, _) => RefundState::Closed,
                    (RefundWord::Abnormal, _) => RefundState::Abnormal,
                },
                refund_fen,
                total_fen,
            }),
            Text::Other => Self::Other,
        })
    }
}

impl From<Notified> for Notice {
    fn from(notified: Notified) -> Self {
        match notified {
            Notified::Payment(paid) => Self::Payment(paid),
            Notified::Refund(notice) => Self::Refund(notice),
            Notified::Other { .. } => Self::Other,
        }
    }
}

impl std::fmt::Debug for RefundWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
            Self::Abnormal => "abnormal",
        })
    }
}

const fn word(state: RefundState) -> (RefundWord, Option<Moment>) {
    match state {
        RefundState::Processing => (RefundWord::Processing, None),
        RefundState::Succeeded { at } => (RefundWord::Succeeded, Some(at)),
        RefundState::Closed => (RefundWord::Closed, None),
        RefundState::Abnormal => (RefundWord::Abnormal, None),
    }
}
