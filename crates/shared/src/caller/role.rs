//! What a member of staff does, and where.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::value::{District, Id, School};

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a member of staff does. A role is granted at a node of the tree and reaches what lies below it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role {
            $($(#[$doc])* $name,)*
        }

        impl Role {
            /// Every role, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The role's name in tokens, rows and messages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl FromStr for Role {
            type Err = RoleError;
            fn from_str(text: &str) -> Result<Self, RoleError> {
                match text {
                    $($text => Ok(Self::$name),)*
                    _ => Err(RoleError),
                }
            }
        }
    };
}

roles! {
    /// 班主任: the teacher who answers for one class.
    ClassTeacher = "class_teacher",
    /// 德育处: the office for pupils' conduct and welfare.
    MoralEducation = "moral_education",
    /// 教导处: the office that arranges teaching.
    TeachingOffice = "teaching_office",
    /// 校长: the head of a school.
    Principal = "principal",
    /// 学校财务: who keeps a school's money.
    SchoolFinance = "school_finance",
    /// 授课教师: who gives lessons, of the school or of a provider.
    Instructor = "instructor",
    /// 第三方机构: who acts for a provider.
    Provider = "provider",
    /// 中心校 or 镇街: the office over the schools of one town.
    TownOffice = "town_office",
    /// 教育局: an officer of the education bureau.
    BureauOfficer = "bureau_officer",
    /// 热线: who takes complaints for the bureau.
    HotlineOperator = "hotline_operator",
    /// 督学: who inspects schools.
    Inspector = "inspector",
    /// 评审: who judges providers and courses.
    Assessor = "assessor",
    /// 教育局财务: who keeps the bureau's money.
    BureauFinance = "bureau_finance",
    /// 平台运维: who runs the platform itself.
    PlatformOperator = "platform_operator",
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct RoleError;

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in the tree: district, town, school, class, outermost first; 0 to 4 ids.
///
/// Two paths are not of the tree: a provider's is its own id alone, and the empty path is the platform operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodePath(Vec<Uuid>);

impl NodePath {
    /// The platform operator's: above every district.
    pub const ROOT: Self = Self(Vec::new());

    /// Takes the ids from the district down.
    #[must_use]
    pub const fn new(nodes: Vec<Uuid>) -> Self {
        Self(nodes)
    }

    /// The ids from the district down.
    #[must_use]
    pub fn nodes(&self) -> &[Uuid] {
        &self.0
    }

    /// Says whether it is above every district.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether `below` is this node or lies below it.
    #[must_use]
    pub fn reaches(&self, below: &Self) -> bool {
        below.0.starts_with(&self.0)
    }

    /// The node itself: the innermost id. None for [`NodePath::ROOT`].
    #[must_use]
    pub fn node(&self) -> Option<Uuid> {
        self.0.last().copied()
    }

    /// The district of a path of the tree.
    #[must_use]
    pub fn district(&self) -> Option<Id<District>> {
        self.0.first().copied().map(Id::new)
    }

    /// The school of a path of the tree that goes down to one.
    #[must_use]
    pub fn school(&self) -> Option<Id<School>> {
        self.0.get(2).copied().map(Id::new)
    }

    /// The class of a path that goes down to one.
    #[must_use]
    pub fn class(&self) -> Option<Id<crate::value::Class>> {
        self.0.get(3).copied().map(Id::new)
    }

    /// The path of a node directly below this one.
    #[must_use]
    pub fn child(&self, node: Uuid) -> Self {
        let mut nodes = self.0.clone();
        nodes.push(node);
        Self(nodes)
    }
}

/// A role at a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// What the holder does.
    pub role: Role,
    /// Where, and below.
    pub path: NodePath,
}

impl Grant {
    /// Says whether it covers `below`. An empty path covers everything for the platform operator and nothing for
    /// anyone else, so that a grant that lost its path fails closed.
    #[must_use]
    pub fn reaches(&self, below: &NodePath) -> bool {
        self.is_sound() && self.path.reaches(below)
    }

    /// Says whether role and path go together.
    pub(super) fn is_sound(&self) -> bool {
        !self.path.is_root() || self.role == Role::PlatformOperator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!(Role::ALL.len(), 14);
        assert_eq!("headmaster".parse::<Role>(), Err(RoleError));
    }

    #[test]
    fn a_path_reaches_itself_and_what_lies_below() {
        let [district, town, school, class, other] = [1, 2, 3, 4, 5].map(Uuid::from_u128);
        let path = |nodes: &[Uuid]| NodePath::new(nodes.to_vec());
        let table = [
            (path(&[district]), path(&[district, town, school, class]), true),
            (path(&[district, town, school]), path(&[district, town, school]), true),
            (path(&[district, town, school, class]), path(&[district, town, school]), false),
            (path(&[district, other]), path(&[district, town, school]), false),
            (path(&[town]), path(&[district, town]), false),
            (NodePath::ROOT, path(&[district]), true),
        ];
        for (above, below, reached) in table {
            assert_eq!(above.reaches(&below), reached, "{above:?} {below:?}");
        }
    }

    #[test]
    fn only_the_platform_operator_reaches_all_with_an_empty_path() {
        let district = NodePath::new(vec![Uuid::from_u128(1)]);
        for role in Role::ALL {
            let grant = Grant { role: *role, path: NodePath::ROOT };
            assert_eq!(grant.reaches(&district), *role == Role::PlatformOperator, "{role}");
        }
    }
}
