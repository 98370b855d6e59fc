//! What others are told: domain facts as `kehou.identity.v1.Event`. No event carries a name, a phone number or a pupil code.

use proto::identity::v1 as proto_v1;
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::{self, District, Id, Moment};
use uuid::Uuid;

use crate::domain::node::Node;
use crate::domain::pupil::{Change, Event};
use crate::rpc::convert;

/// A fact on its way into the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    district_id: Id<District>,
    subject_id: Uuid,
    name: &'static str,
    payload: proto_v1::Event,
}

impl Told {
    /// A node was added. `holding` are the pack and the supplement that hold there.
    #[must_use]
    pub fn node_added(node: &Node, holding: (Option<String>, Option<String>)) -> Self {
        let (pack_id, supplement_id) = holding;
        let told = proto_v1::Node {
            pack_id: pack_id.unwrap_or_default(),
            supplement_id: supplement_id.unwrap_or_default(),
            ..convert::node(node)
        };
        let kind = proto_v1::event::Kind::NodeAdded(proto_v1::NodeAdded { node: Some(told) });
        Self::new(node.district_id(), node.id.uuid(), "node_added", kind)
    }

    /// A pupil was enrolled, moved or left, if that is what the change is. `class` is the pupil's from now on, `school` the class's.
    #[must_use]
    pub fn pupil_changed(change: &Change, class: &Node, school: &Node) -> Option<Self> {
        let pupil_id = change.pupil.id.to_string();
        let path = convert::path(&change.pupil.path);
        let stage = convert::stage(school.stage).into();
        let grade = class.grade.unwrap_or_default();
        let (name, kind) = match change.event? {
            Event::Enrolled => (
                "pupil_enrolled",
                proto_v1::event::Kind::PupilEnrolled(proto_v1::PupilEnrolled {
                    pupil_id,
                    path,
                    stage,
                    grade,
                }),
            ),
            Event::Moved => (
                "pupil_moved",
                proto_v1::event::Kind::PupilMoved(proto_v1::PupilMoved { pupil_id, path, stage, grade }),
            ),
            Event::Left => ("pupil_left", proto_v1::event::Kind::PupilLeft(proto_v1::PupilLeft { pupil_id })),
        };
        Some(Self::new(class.district_id(), change.pupil.id.uuid(), name, kind))
    }

    /// A guardian was bound to a pupil.
    #[must_use]
    pub fn guardian_bound(
        district_id: Id<District>,
        guardian_id: Id<value::Guardian>,
        pupil_id: Id<value::Pupil>,
    ) -> Self {
        let bound =
            proto_v1::GuardianBound { guardian_id: guardian_id.to_string(), pupil_id: pupil_id.to_string() };
        let kind = proto_v1::event::Kind::GuardianBound(bound);
        Self::new(district_id, pupil_id.uuid(), "guardian_bound", kind)
    }

    /// A guardian withdrew consent.
    #[must_use]
    pub fn consent_withdrawn(
        district_id: Id<District>,
        guardian_id: Id<value::Guardian>,
        pupil_id: Id<value::Pupil>,
    ) -> Self {
        let withdrawn = proto_v1::ConsentWithdrawn {
            guardian_id: guardian_id.to_string(),
            pupil_id: pupil_id.to_string(),
        };
        let kind = proto_v1::event::Kind::ConsentWithdrawn(withdrawn);
        Self::new(district_id, pupil_id.uuid(), "consent_withdrawn", kind)
    }

    const fn new(
        district_id: Id<District>,
        subject_id: Uuid,
        name: &'static str,
        kind: proto_v1::event::Kind,
    ) -> Self {
        Self { district_id, subject_id, name, payload: proto_v1::Event { kind: Some(kind) } }
    }
}

/// Tells facts, in order: heard if and only if `tx` commits.
///
/// # Errors
/// When the database refuses.
pub async fn tell(tx: &Tx, facts: &[Told], now: Moment) -> Result<(), Error> {
    let events: Vec<_> = facts
        .iter()
        .map(|fact| NewEvent {
            district_id: fact.district_id,
            subject_id: fact.subject_id,
            name: fact.name,
            payload: &fact.payload,
            happened_at: now,
        })
        .collect();
    Ok(feed::append_all(tx, &events).await?)
}
