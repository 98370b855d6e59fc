//! The steps that methods and jobs share. A payment is settled the same way whether a notification, a query or a closing
//! says so; these are written once, here.
//!
//! | file | knows |
//! |---|---|
//! | [`book`] | all invoices of a pupil in a term, locked; pricing what is open anew, settling what needs no money |
//! | [`order`] | orders at WeChat: asked after, closed |
//! | [`settle`] | a payment that happened |
//! | [`release`] | a seat given back |
//! | [`refund`] | money on its way back: asked for, sent, answered |
//! | [`reconcile`] | a day's bills: fetched, kept, compared |
//!
//! What takes `&Tx` changes rows and calls nobody; what calls WeChat holds no transaction.

pub mod book;
pub mod order;
pub mod reconcile;
pub mod refund;
pub mod release;
pub mod settle;

use std::sync::Arc;

use policy::{Live, Policy};
use shared::clock::SharedClock;
use shared::db::Db;
use shared::seal::Sealer;
use shared::status;
use tonic::Status;
use wechat::pay::Pay;

use crate::domain::invoice::PayWindow;
use crate::domain::payment::Payment;
use crate::domain::term::Term;
use crate::merchant::Merchants;

/// What the steps work with. Cheap to clone.
#[derive(Clone)]
pub struct Till {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: SharedClock,
    /// Every region's policy, as its files have it now.
    pub packs: Arc<Live>,
    /// Seals what is personal.
    pub sealer: Arc<Sealer>,
    /// Who takes the money.
    pub merchants: Merchants,
    /// Where WeChat sends notifications.
    pub notify_url: Arc<str>,
    /// When a payment may begin, and when its order ends.
    pub window: PayWindow,
}

impl Till {
    /// The policy a term is pinned to.
    ///
    /// # Errors
    /// UNAVAILABLE `POLICY_VERSION_UNKNOWN` when this process does not have that edition: another deployment may.
    pub fn policy(&self, term: &Term) -> Result<Arc<Policy>, Status> {
        self.packs.pinned(&term.policy_version).ok_or_else(|| {
            tracing::error!(term.id = %term.id, policy_version = term.policy_version, "a term's policy is not among the packs");
            status::unavailable("POLICY_VERSION_UNKNOWN")
        })
    }

    /// The merchant a payment was made to.
    ///
    /// # Errors
    /// UNAVAILABLE `WECHAT_UNAVAILABLE` when that merchant is not set up any more: nothing can be asked in its name.
    pub fn merchant(&self, payment: &Payment) -> Result<&Pay, Status> {
        self.merchants.receiving(&payment.payee_mchid).ok_or_else(|| {
            tracing::error!(payment.id = %payment.id, "the merchant of a payment is not set up");
            status::unavailable("WECHAT_UNAVAILABLE")
        })
    }

    /// Who ordered.
    ///
    /// # Errors
    /// INTERNAL when the field does not open.
    pub fn openid(&self, payment: &Payment) -> Result<String, Status> {
        let context = format!("payment.openid:{}", payment.id);
        self.sealer.open(&context, &payment.openid_sealed).map_err(|error| status::internal(&error))
    }

    /// The order's exact text.
    ///
    /// # Errors
    /// INTERNAL when the field does not open.
    pub fn order(&self, payment: &Payment) -> Result<String, Status> {
        let context = format!("payment.order:{}", payment.id);
        self.sealer.open(&context, &payment.order_sealed).map_err(|error| status::internal(&error))
    }
}
