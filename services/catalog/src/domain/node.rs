//! Schools and the places whitelists belong to, as far as the catalog needs them.

use policy::vocabulary::Stage;
use shared::value::{District, Id, Node, School};

use super::policy_ref::PolicyRef;

/// Where a school is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SchoolPath {
    /// Its district.
    pub district_id: Id<District>,
    /// Its town or street.
    pub town_id: Id<Node>,
    /// Itself.
    pub school_id: Id<School>,
}

/// A school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchoolNode {
    /// Where it is.
    pub path: SchoolPath,
    /// What it teaches.
    pub stage: Stage,
    /// The policy that rules it now.
    pub ruled_by: PolicyRef,
}

/// A place that keeps a whitelist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListPlace {
    /// A whole district: the list serves every school of it.
    District(Id<District>),
    /// One town or street: the list serves its schools only.
    Town(Id<District>, Id<Node>),
}

impl ListPlace {
    /// The district it lies in, or is.
    #[must_use]
    pub const fn district_id(self) -> Id<District> {
        match self {
            Self::District(district_id) | Self::Town(district_id, _) => district_id,
        }
    }

    /// The place's own id.
    #[must_use]
    pub const fn node_id(self) -> Id<Node> {
        match self {
            Self::District(district_id) => Id::new(district_id.uuid()),
            Self::Town(_, town_id) => town_id,
        }
    }

    /// Says whether a list kept here serves a school.
    #[must_use]
    pub fn serves(self, school: &SchoolPath) -> bool {
        match self {
            Self::District(district_id) => district_id == school.district_id,
            Self::Town(district_id, town_id) => {
                district_id == school.district_id && town_id == school.town_id
            }
        }
    }
}

/// A place that may keep a whitelist, with the policy that rules it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListNode {
    /// Which place.
    pub place: ListPlace,
    /// The policy that rules it now.
    pub ruled_by: PolicyRef,
}

/// A node of the tree that the catalog keeps: classes are not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownNode {
    /// A district or a town.
    List(ListNode),
    /// A school.
    School(SchoolNode),
}
