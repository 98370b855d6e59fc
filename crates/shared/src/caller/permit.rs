//! What a caller may do, as an argument a method cannot run without.
//!
//! | permit | got by | refused with |
//! |---|---|---|
//! | [`GuardianPermit`] | [`Caller::guardian`] | UNAUTHENTICATED `TOKEN_MISSING`, PERMISSION_DENIED `GUARDIAN_ONLY` |
//! | [`StaffPermit`] | [`Caller::staff`] | UNAUTHENTICATED `TOKEN_MISSING`, PERMISSION_DENIED `ROLE_NOT_ALLOWED` |
//! | [`ServicePermit`] | [`Caller::service`] | UNAUTHENTICATED `TOKEN_MISSING`, PERMISSION_DENIED `SERVICE_ONLY` |
//!
//! A permit has no public constructor: whoever holds one went through the table.

use std::fmt::Display;

use tonic::Status;

use super::{Caller, Grant, GuardedPupil, Guardian, NodePath, Role, StaffMember};
use crate::status;
use crate::value::{self, Id, Provider, Pupil, Staff};

/// The caller is a guardian.
#[derive(Clone, Debug)]
pub struct GuardianPermit(Guardian);

/// The caller is a member of staff who holds at least one of the roles asked for. Keeps those grants only.
#[derive(Clone, Debug)]
pub struct StaffPermit(StaffMember);

/// The caller is one of the services asked for.
#[derive(Clone, Debug)]
pub struct ServicePermit(String);

impl Caller {
    /// Permits a guardian.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a token; PERMISSION_DENIED `GUARDIAN_ONLY` for staff and services.
    pub fn guardian(&self) -> Result<GuardianPermit, Status> {
        match self {
            Self::Anonymous => Err(status::unauthenticated("TOKEN_MISSING")),
            Self::Guardian(guardian) => Ok(GuardianPermit(guardian.clone())),
            Self::Staff(_) | Self::Service(_) => Err(status::denied("GUARDIAN_ONLY")),
        }
    }

    /// Permits a member of staff with at least one of `roles`, somewhere.
    ///
    /// Where is a second question: [`StaffPermit::reach`] for one thing, [`StaffPermit::paths`] for a list.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a token; PERMISSION_DENIED `ROLE_NOT_ALLOWED` for everyone else.
    pub fn staff(&self, roles: &[Role]) -> Result<StaffPermit, Status> {
        match self {
            Self::Anonymous => Err(status::unauthenticated("TOKEN_MISSING")),
            Self::Staff(member) => {
                let grants: Vec<_> = member
                    .grants
                    .iter()
                    .filter(|grant| roles.contains(&grant.role) && grant.is_sound())
                    .cloned()
                    .collect();
                if grants.is_empty() {
                    return Err(status::denied("ROLE_NOT_ALLOWED"));
                }
                Ok(StaffPermit(StaffMember { id: member.id, grants }))
            }
            Self::Guardian(_) | Self::Service(_) => Err(status::denied("ROLE_NOT_ALLOWED")),
        }
    }

    /// Permits one of the services in `names`.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a token; PERMISSION_DENIED `SERVICE_ONLY` for people and for other services.
    pub fn service(&self, names: &[&str]) -> Result<ServicePermit, Status> {
        match self {
            Self::Anonymous => Err(status::unauthenticated("TOKEN_MISSING")),
            Self::Service(name) if names.contains(&name.as_str()) => Ok(ServicePermit(name.clone())),
            Self::Service(_) | Self::Guardian(_) | Self::Staff(_) => Err(status::denied("SERVICE_ONLY")),
        }
    }
}

impl GuardianPermit {
    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> Id<value::Guardian> {
        self.0.id
    }

    /// One of the guardian's own pupils.
    ///
    /// # Errors
    /// NOT_FOUND `PUPIL_NOT_FOUND` for every other pupil, whether there is one or not.
    pub fn pupil(&self, pupil_id: Id<Pupil>) -> Result<&GuardedPupil, Status> {
        self.0
            .pupils
            .iter()
            .find(|pupil| pupil.pupil_id == pupil_id)
            .ok_or_else(|| status::not_found("pupil", pupil_id))
    }

    /// All of the guardian's pupils. May be empty.
    #[must_use]
    pub fn pupils(&self) -> &[GuardedPupil] {
        &self.0.pupils
    }
}

impl StaffPermit {
    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> Id<Staff> {
        self.0.id
    }

    /// Insists that `path`, the place of the `kind` named `id`, lies within reach.
    ///
    /// # Errors
    /// NOT_FOUND `<KIND>_NOT_FOUND`, the same as for a thing that does not exist.
    pub fn reach(&self, path: &NodePath, kind: &str, id: impl Display) -> Result<(), Status> {
        if self.reaches(path) { Ok(()) } else { Err(status::not_found(kind, id)) }
    }

    /// Says whether `path` lies within reach of any of the grants.
    #[must_use]
    pub fn reaches(&self, path: &NodePath) -> bool {
        self.0.grants.iter().any(|grant| grant.reaches(path))
    }

    /// Says whether the caller has `role` over `path`; only roles that were asked for count.
    #[must_use]
    pub fn holds(&self, role: Role, path: &NodePath) -> bool {
        self.0.grants.iter().any(|grant| grant.role == role && grant.reaches(path))
    }

    /// The outermost places within reach, sorted, none below another: what a list query is scoped by.
    ///
    /// Never empty. [`NodePath::ROOT`] among them (then the only one) means everything.
    #[must_use]
    pub fn paths(&self) -> Vec<&NodePath> {
        let mut all: Vec<_> = self.0.grants.iter().map(|grant| &grant.path).collect();
        all.sort();
        // Sorted, a path comes right after the ones above it.
        let mut outermost: Vec<&NodePath> = Vec::new();
        for path in all {
            if !outermost.last().is_some_and(|above| above.reaches(path)) {
                outermost.push(path);
            }
        }
        outermost
    }

    /// The grants with a role that was asked for. Never empty.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.0.grants
    }

    /// The providers the caller acts for; only when [`Role::Provider`] was asked for.
    pub fn providers(&self) -> impl Iterator<Item = Id<Provider>> {
        let grants = self.0.grants.iter().filter(|grant| grant.role == Role::Provider);
        grants.filter_map(|grant| grant.path.node().map(Id::new))
    }
}

impl ServicePermit {
    /// Which service it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}
