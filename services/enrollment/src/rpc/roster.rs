//! Lists who has a seat in a section, by class and name.

use std::collections::HashSet;

use proto::enrollment::v1::list_roster_response::Place;
use proto::enrollment::v1::{ListRosterRequest, ListRosterResponse};
use proto::identity::v1::Pupil;
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Section as SectionKind, Violations};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, names};
use crate::domain::day::local;
use crate::domain::section::Section;
use crate::store;

/// Who may see rosters.
const ROLES: &[Role] = &[
    Role::ClassTeacher,
    Role::Instructor,
    Role::TeachingOffice,
    Role::MoralEducation,
    Role::Principal,
    Role::Provider,
];

/// Whom of a section the caller may see.
enum View {
    Everybody,
    /// Only the pupils of these classes: the caller is a class teacher and nothing else here.
    Classes(HashSet<Uuid>),
}

/// Lists a roster. Every seat looks the same: in review, held, being given back or confirmed; paid or waived.
pub async fn list_roster(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ListRosterRequest,
) -> Result<ListRosterResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let section_id = violations.field("section_id", request.section_id.parse::<Id<SectionKind>>());
    let section_id = section_id.ok_or_else(|| status::invalid(&violations))?;
    let section = store::section::find(rpc.db.read(), section_id).await?;
    let section = section.ok_or_else(|| status::not_found("section", section_id))?;
    let view = view(&permit, &section).ok_or_else(|| status::not_found("section", section_id))?;
    let seated = store::enrollment::list_seated(rpc.db.read(), section.district_id, section.id).await?;
    let today = local::day(rpc.clock.now());
    let seated = store::seat_change::had_on(rpc.db.read(), seated, today).await?;
    let is_seen = |path: &[Uuid]| match &view {
        View::Everybody => true,
        View::Classes(classes) => path.get(3).is_some_and(|class| classes.contains(class)),
    };
    let pupil_ids: Vec<_> = seated
        .iter()
        .filter(|enrollment| is_seen(&enrollment.pupil_path))
        .map(|enrollment| enrollment.pupil_id.to_string())
        .collect();

    let pupils = names::ask(&rpc.identity, &pupil_ids).await?;
    let place =
        |pupil: Pupil| Place { pupil_name: pupil.name, class_name: pupil.class_name, grade: pupil.grade };
    let mut places: Vec<_> = pupils.into_iter().map(place).collect();
    places.sort_by(|one, other| {
        (one.grade, &one.class_name, &one.pupil_name).cmp(&(
            other.grade,
            &other.class_name,
            &other.pupil_name,
        ))
    });
    Ok(ListRosterResponse { section_title: section.title, places })
}

/// None: the caller may not know of the section.
fn view(permit: &StaffPermit, section: &Section) -> Option<View> {
    let path = NodePath::new(section.path.clone());
    let sees_all =
        permit.grants().iter().any(|grant| grant.role != Role::ClassTeacher && grant.reaches(&path));
    let gives_it = section.provider_id.is_some_and(|provider| permit.providers().any(|own| own == provider));
    if sees_all || gives_it {
        return Some(View::Everybody);
    }
    let classes: HashSet<_> = permit
        .grants()
        .iter()
        .filter(|grant| grant.role == Role::ClassTeacher && path.reaches(&grant.path))
        .filter_map(|grant| grant.path.class().map(Id::uuid))
        .collect();
    (!classes.is_empty()).then_some(View::Classes(classes))
}
