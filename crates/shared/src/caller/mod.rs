//! Who calls: read from a signed token by the server, turned into a permit by each method.
//!
//! | file | knows |
//! |---|---|
//! | `role` | roles, places in the tree, and which reaches which |
//! | `permit` | which caller gets which permit, and what the others are told |
//! | [`token`] | signing and verifying; who may speak for whom |
//! | [`keys`] | making a pair of keys |

pub mod keys;
mod permit;
mod role;
pub mod token;

use serde::{Deserialize, Serialize};

pub use permit::{GuardianPermit, ServicePermit, StaffPermit};
pub use role::{Grant, NodePath, Role, RoleError};
pub use token::{Signer, TokenError, Verifier};

use crate::value::{self, Id, Pupil, Staff};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Caller {
    /// No token came with the call. Never in a token.
    Anonymous,
    /// A guardian, through the mini-program.
    Guardian(Guardian),
    /// A member of staff, through a console.
    Staff(StaffMember),
    /// Another part of the platform, by its name: `billing`.
    Service(String),
}

/// A guardian and the pupils they speak for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardian {
    /// Who it is.
    pub id: Id<value::Guardian>,
    /// Their pupils when the token was made. May be empty: a guardian who has linked no pupil yet.
    pub pupils: Vec<GuardedPupil>,
}

/// A pupil, with the place they learn at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardedPupil {
    /// Who it is.
    pub pupil_id: Id<Pupil>,
    /// District, town, school, class.
    pub path: NodePath,
}

/// A member of staff and what they were granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// Who it is.
    pub id: Id<Staff>,
    /// Their roles when the token was made. May be empty.
    pub grants: Vec<Grant>,
}

impl Caller {
    /// A text that names the caller and nothing else: `guardian:<id>`, `staff:<id>`, `service:<name>`, `anonymous`.
    /// For rows that remember who did something.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Guardian(guardian) => format!("guardian:{}", guardian.id),
            Self::Staff(member) => format!("staff:{}", member.id),
            Self::Service(name) => format!("service:{name}"),
        }
    }

    /// The caller's kind, for logs and metrics: `anonymous`, `guardian`, `staff`, `service`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Guardian(_) => "guardian",
            Self::Staff(_) => "staff",
            Self::Service(_) => "service",
        }
    }
}

/// Who made this call, as the server verified it; [`Caller::Anonymous`] when no server did.
#[must_use]
pub fn of<T>(request: &tonic::Request<T>) -> Caller {
    request.extensions().get::<Caller>().cloned().unwrap_or(Caller::Anonymous)
}
