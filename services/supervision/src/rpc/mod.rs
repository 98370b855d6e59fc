//! Transport: messages in, messages out.
//!
//! One file for each changing method; those that read tickets share `read_ticket`.

mod accept_ticket;
mod assign_ticket;
mod convert;
mod error;
mod event;
mod explain_policy;
mod rate_ticket;
mod read_ticket;
mod receipt;
mod reply_ticket;
mod return_ticket;
mod submit_ticket;
mod supervision_service;
mod words;

use std::sync::Arc;

use policy::{Live, Policy};
use proto::supervision::v1::supervision_service_server::SupervisionServiceServer;
use shared::caller::Role;
use shared::clock::SharedClock;
use shared::db::{self, Db, Tx};
use shared::seal::{BlindIndex, Sealer};

use crate::domain::school::{SchoolNode, SchoolPath};
use crate::store;

/// Who takes tickets on and assigns them.
const BUREAU: &[Role] = &[Role::HotlineOperator, Role::BureauOfficer];

/// Who sees every ticket of the schools they reach.
const OVERSEERS: &[Role] = &[Role::HotlineOperator, Role::BureauOfficer, Role::Inspector];

/// Who may be asked to answer.
const HANDLERS: &[Role] = &[
    Role::Principal,
    Role::TeachingOffice,
    Role::MoralEducation,
    Role::SchoolFinance,
    Role::TownOffice,
    Role::BureauOfficer,
    Role::Inspector,
];

/// `kehou.supervision.v1.SupervisionService`.
pub struct Supervision {
    db: Db,
    clock: SharedClock,
    packs: Arc<Live>,
    sealer: Arc<Sealer>,
    index: Arc<BlindIndex>,
}

impl Supervision {
    /// The service over a database.
    #[must_use]
    pub fn new(
        db: Db,
        clock: SharedClock,
        packs: Arc<Live>,
        sealer: Arc<Sealer>,
        index: Arc<BlindIndex>,
    ) -> Self {
        Self { db, clock, packs, sealer, index }
    }

    /// The gRPC service, to be added to a server.
    #[must_use]
    pub fn into_service(self) -> SupervisionServiceServer<Self> {
        SupervisionServiceServer::new(self)
    }

    /// The policy that rules a school now. None where its pack is not among those kept: the school's tickets then have neither
    /// limits nor a section, for a complaint is taken all the same.
    fn policy_of(&self, school: &SchoolNode) -> Option<Arc<Policy>> {
        let policy = self.packs.policy(&school.pack_id, school.supplement_id.as_deref());
        if policy.is_none() {
            let (school_id, pack_id) = (school.path.school_id, &school.pack_id);
            tracing::warn!(school.id = %school_id, pack.id = pack_id, "school {school_id}: no policy pack {pack_id:?}");
        }
        policy
    }

    /// The policy that rules a ticket's school now.
    async fn policy_at(&self, tx: &Tx, path: &SchoolPath) -> Result<Option<Arc<Policy>>, db::Error> {
        let missing = || db::Error::inconsistent("school", path.school_id, "has a ticket and is not there");
        let school = store::school::find(tx, path.school_id).await?.ok_or_else(missing)?;
        Ok(self.policy_of(&school))
    }
}
