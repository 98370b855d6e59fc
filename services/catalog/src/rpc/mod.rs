//! Transport: messages in, messages out.
//!
//! One file for each changing method; those that only read share one by subject.

mod add_slots;
mod approve_course;
mod arrange_section;
mod cancel_section;
mod catalog_service;
mod convert;
mod courses;
mod create_course;
mod error;
mod event;
mod import_courses;
mod list_on_whitelist;
mod open_term;
mod providers;
mod publish_sections;
mod register_provider;
mod review_course;
mod submit_course;
mod suspend_provider;
mod terms;

use std::sync::Arc;

use policy::{Live, Policy};
use proto::catalog::v1::catalog_service_server::CatalogServiceServer;
use shared::caller::Role;
use shared::clock::SharedClock;
use shared::db::{self, Db};

use crate::domain::term::Term;

/// Whom the contract calls "school staff".
const SCHOOL_STAFF: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// Who reviews courses and keeps whitelists.
const OFFICES: &[Role] = &[Role::TownOffice, Role::BureauOfficer];

/// `kehou.catalog.v1.CatalogService`.
pub struct Catalog {
    db: Db,
    clock: SharedClock,
    packs: Arc<Live>,
}

impl Catalog {
    /// The service over a database.
    #[must_use]
    pub fn new(db: Db, clock: SharedClock, packs: Arc<Live>) -> Self {
        Self { db, clock, packs }
    }

    /// The gRPC service, to be added to a server.
    #[must_use]
    pub fn into_service(self) -> CatalogServiceServer<Self> {
        CatalogServiceServer::new(self)
    }

    /// The policy a term is ruled by.
    fn policy_of(&self, term: &Term) -> Result<Arc<Policy>, db::Error> {
        let missing =
            || db::Error::inconsistent("term", term.id, format!("{} is not kept", term.policy_version));
        self.packs.pinned(&term.policy_version).ok_or_else(missing)
    }
}
