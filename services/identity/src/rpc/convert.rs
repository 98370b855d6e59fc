//! Proto ↔ domain.

use prost_types::Timestamp;
use proto::identity::v1 as proto_v1;
use shared::caller::{Grant as Granted, NodePath};
use shared::db::Error;
use shared::value::{self, Id, Moment};

use crate::domain::fault::Fault;
use crate::domain::node::{Kind, Node, Stage};
use crate::domain::pupil::{Pupil, State};
use crate::domain::staff::{Grant, Member, Place};

/// The most characters of an offending text that are shown.
const SHOWN: usize = 64;

/// A moment.
#[must_use]
pub fn timestamp(moment: Moment) -> Timestamp {
    let nanos = i32::try_from(moment.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: moment.timestamp(), nanos }
}

/// The ids of a path.
#[must_use]
pub fn path(path: &[Id<value::Node>]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

/// A path as permits know it.
#[must_use]
pub fn node_path(path: &[Id<value::Node>]) -> NodePath {
    NodePath::new(path.iter().map(|id| id.uuid()).collect())
}

/// A stage; unspecified for none.
#[must_use]
pub const fn stage(stage: Option<Stage>) -> proto_v1::Stage {
    match stage {
        None => proto_v1::Stage::Unspecified,
        Some(Stage::Primary) => proto_v1::Stage::Primary,
        Some(Stage::Junior) => proto_v1::Stage::Junior,
    }
}

/// A node, with its own pack and supplement.
#[must_use]
pub fn node(node: &Node) -> proto_v1::Node {
    let kind = match node.kind {
        Kind::District => proto_v1::node::Kind::District,
        Kind::Town => proto_v1::node::Kind::Town,
        Kind::School => proto_v1::node::Kind::School,
        Kind::Class => proto_v1::node::Kind::Class,
    };
    proto_v1::Node {
        id: node.id.to_string(),
        kind: kind.into(),
        path: path(&node.path),
        code: node.code.clone(),
        name: node.name.clone(),
        stage: stage(node.stage).into(),
        grade: node.grade.unwrap_or_default(),
        pack_id: node.pack_id.clone().unwrap_or_default(),
        supplement_id: node.supplement_id.clone().unwrap_or_default(),
    }
}

/// How much of a name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Whole,
    /// Its ends.
    Masked,
}

/// A pupil, with what the class and the school say.
#[must_use]
pub fn pupil(pupil: &Pupil, school: &Node, class: &Node, shown: Shown) -> proto_v1::Pupil {
    let state = match pupil.state {
        State::Enrolled => proto_v1::pupil::State::Enrolled,
        State::Left => proto_v1::pupil::State::Left,
    };
    proto_v1::Pupil {
        id: pupil.id.to_string(),
        path: path(&pupil.path),
        school_name: school.name.clone(),
        class_name: class.name.clone(),
        stage: stage(school.stage).into(),
        grade: class.grade.unwrap_or_default(),
        name: match shown {
            Shown::Whole => pupil.name.as_str().to_owned(),
            Shown::Masked => pupil.name.masked(),
        },
        state: state.into(),
    }
}

/// A fault of a table.
#[must_use]
pub fn fault(fault: &Fault) -> proto_v1::RowError {
    proto_v1::RowError {
        row: i32::try_from(fault.row).unwrap_or(i32::MAX),
        column: fault.column.clone(),
        reason: fault.reason.as_str().to_owned(),
        value: fault.value.chars().take(SHOWN).collect(),
    }
}

/// A grant as messages have it.
#[must_use]
pub fn grant(grant: &Grant) -> proto_v1::Grant {
    proto_v1::Grant {
        role: grant.role.clone(),
        path: place(&grant.place).nodes().iter().map(ToString::to_string).collect(),
    }
}

/// A grant as tokens have it.
///
/// # Errors
/// [`Error::Inconsistent`] when a stored role is none.
pub fn granted(grant: &Grant) -> Result<Granted, Error> {
    let role =
        grant.role.parse().map_err(|_| Error::inconsistent("staff_grant", &grant.role, "no such role"))?;
    Ok(Granted { role, path: place(&grant.place) })
}

/// A place as permits know it.
#[must_use]
pub fn place(place: &Place) -> NodePath {
    match place {
        Place::Node(path) => node_path(path),
        Place::Provider(id) => NodePath::new(vec![id.uuid()]),
        Place::Platform => NodePath::ROOT,
    }
}

/// A member of staff.
#[must_use]
pub fn member(member: &Member) -> proto_v1::StaffMember {
    proto_v1::StaffMember {
        id: member.id.to_string(),
        login_name: member.login_name.clone(),
        name: member.name.as_str().to_owned(),
        grants: member.grants.iter().map(grant).collect(),
    }
}
