//! A school, as far as tickets need it.

use policy::vocabulary::Stage;
use shared::value::{District, Id, Node, School};

/// Where a school stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchoolPath {
    /// Its district.
    pub district_id: Id<District>,
    /// Its town.
    pub town_id: Id<Node>,
    /// The school.
    pub school_id: Id<School>,
}

/// A school with what rules its tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchoolNode {
    /// Where it stands.
    pub path: SchoolPath,
    /// The stage it teaches: it says which section of the bureau answers for it.
    pub stage: Stage,
    /// The region pack that rules it.
    pub pack_id: String,
    /// The district's supplement, if there is one.
    pub supplement_id: Option<String>,
}
