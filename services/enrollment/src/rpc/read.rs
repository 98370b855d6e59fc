//! The methods that only read.

use std::collections::HashMap;

use proto::enrollment::v1::{
    GetEnrollmentRequest, GetEnrollmentResponse, ListPupilEnrollmentsRequest, ListPupilEnrollmentsResponse,
    ListReviewsRequest, ListReviewsResponse, ListRoundsRequest, ListRoundsResponse, ListSeatsRequest,
    ListSeatsResponse,
};
use shared::caller::{Caller, GuardianPermit, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Page, PageToken, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::{EnrollmentRpc, error, line};
use crate::domain::enrollment::Enrollment;
use crate::domain::round::Round;
use crate::domain::section::Section;
use crate::event::timestamp;
use crate::store;
use crate::store::enrollment::Desk;

/// Staff who may see an enrollment of a pupil they reach.
const PUPIL_STAFF: &[Role] = &[
    Role::ClassTeacher,
    Role::MoralEducation,
    Role::TeachingOffice,
    Role::Principal,
    Role::SchoolFinance,
    Role::TownOffice,
    Role::BureauOfficer,
    Role::PlatformOperator,
];

/// Roles that decide steps.
const DESKS: &[Role] = &[Role::ClassTeacher, Role::MoralEducation, Role::TeachingOffice, Role::Principal];

/// Services that may look at an enrollment.
const SERVICES: &[&str] = &["billing", "supervision", "catalog", "identity", "gateway"];

/// Lists a term's rounds.
pub async fn list_rounds(
    rpc: &EnrollmentRpc,
    request: &ListRoundsRequest,
) -> Result<ListRoundsResponse, Status> {
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse());
    let term_id = term_id.ok_or_else(|| status::invalid(&violations))?;
    let term = store::term::find(rpc.db.read(), term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", term_id))?;
    let rounds = store::round::list(rpc.db.read(), &[term_id]).await?;
    let acts = store::draw::find_last(rpc.db.read(), &rounds).await?;
    let changes = store::round::list_changes(rpc.db.read(), &rounds).await?;
    let render = |round: &Round| {
        let changes = changes.get(&round.id).map(Vec::as_slice).unwrap_or_default();
        convert::round(round, &term.path, acts.get(&round.id), changes)
    };
    Ok(ListRoundsResponse { rounds: rounds.iter().map(render).collect() })
}

/// Gives how full a term's sections are.
pub async fn list_seats(
    rpc: &EnrollmentRpc,
    request: &ListSeatsRequest,
) -> Result<ListSeatsResponse, Status> {
    let mut violations = Violations::default();
    let term_id = violations.field("term_id", request.term_id.parse());
    let term_id = term_id.ok_or_else(|| status::invalid(&violations))?;
    let sections = store::section::list_published(rpc.db.read(), term_id).await?;
    Ok(ListSeatsResponse {
        seats: sections.iter().map(|section| convert::seats(section.id, &section.seats)).collect(),
    })
}

/// Who may look at one enrollment, each in their own reach.
enum Onlooker {
    Guardian(GuardianPermit),
    Staff(StaffPermit),
    Service,
}

impl Onlooker {
    fn permitted(caller: &Caller) -> Result<Self, Status> {
        match caller {
            Caller::Guardian(_) => caller.guardian().map(Self::Guardian),
            Caller::Service(_) => caller.service(SERVICES).map(|_| Self::Service),
            Caller::Staff(_) | Caller::Anonymous => caller.staff(PUPIL_STAFF).map(Self::Staff),
        }
    }
}

/// Gives one enrollment.
pub async fn get_enrollment(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &GetEnrollmentRequest,
) -> Result<GetEnrollmentResponse, Status> {
    let onlooker = Onlooker::permitted(caller)?;
    let mut violations = Violations::default();
    let id = violations.field("id", request.id.parse());
    let id = id.ok_or_else(|| status::invalid(&violations))?;
    let found = store::enrollment::find(rpc.db.read(), id).await?;
    let found = found.ok_or_else(|| error::no_enrollment(id))?;
    let reader = match onlooker {
        Onlooker::Guardian(permit) => {
            permit.pupil(found.pupil_id).map_err(|_| error::no_enrollment(id))?;
            Reader::Guardian
        }
        Onlooker::Staff(permit) => {
            permit.reach(&NodePath::new(found.pupil_path.clone()), "enrollment", id)?;
            Reader::Staff
        }
        Onlooker::Service => Reader::Staff,
    };
    Ok(GetEnrollmentResponse { enrollment: render(rpc, &[found], reader).await?.pop() })
}

/// Lists a pupil's enrollments.
pub async fn list_pupil_enrollments(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ListPupilEnrollmentsRequest,
) -> Result<ListPupilEnrollmentsResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let pupil = permit.pupil(pupil_id)?;
    let district_id = pupil.path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let found = store::enrollment::list_of_pupil(rpc.db.read(), district_id, pupil_id, &page).await?;
    Ok(ListPupilEnrollmentsResponse {
        next_page_token: next_page_token(&found, &page),
        enrollments: render(rpc, &found, Reader::Guardian).await?,
    })
}

/// Lists what is the caller's to decide.
pub async fn list_reviews(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: &ListReviewsRequest,
) -> Result<ListReviewsResponse, Status> {
    let permit = caller.staff(DESKS)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(school_id), Some(page)) = (school_id, page) else {
        return Err(status::invalid(&violations));
    };
    let grants = permit.grants().iter().filter(|grant| grant.path.school() == Some(school_id));
    let desks: Vec<_> = grants
        .clone()
        .map(|grant| Desk { role: grant.role.as_str(), class_id: grant.path.class().map(Id::uuid) })
        .collect();
    let district_id = grants.clone().find_map(|grant| grant.path.district());
    let district_id = district_id.ok_or_else(|| status::not_found("school", school_id))?;
    let found = store::enrollment::list_reviews(rpc.db.read(), school_id, district_id, &desks, &page).await?;
    Ok(ListReviewsResponse {
        next_page_token: next_page_token(&found, &page),
        enrollments: render(rpc, &found, Reader::Staff).await?,
    })
}

/// Empty when the page was not filled: nothing can come after it.
fn next_page_token(found: &[Enrollment], page: &Page<Uuid>) -> String {
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == page.size);
    let last = found.last().filter(|_| is_full);
    last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default()
}

async fn render(
    rpc: &EnrollmentRpc,
    enrollments: &[Enrollment],
    reader: Reader,
) -> Result<Vec<proto::enrollment::v1::Enrollment>, Status> {
    let ids = enrollments.iter().map(|enrollment| enrollment.section_id);
    let sections = store::section::find_all(rpc.db.read(), ids).await?;
    let titles: HashMap<_, _> = sections.iter().map(|section| (section.id, section.title.as_str())).collect();
    let positions = store::enrollment::positions(rpc.db.read(), enrollments).await?;
    let asked = store::withdrawal::asked(rpc.db.read(), enrollments).await?;
    let is_waited_for = |section: &&Section| {
        enrollments.iter().any(|one| one.section_id == section.id && one.state.is_waitlisted())
    };
    let waited_for: Vec<_> = sections.iter().filter(is_waited_for).collect();
    let lines = store::line::of(rpc.db.read(), &waited_for).await?;
    let render = |enrollment: &Enrollment| {
        let title = titles.get(&enrollment.section_id).copied().unwrap_or_default();
        let position = positions.get(&enrollment.id).copied().unwrap_or(0);
        let line = lines.get(&enrollment.section_id).filter(|_| enrollment.state.is_waitlisted());
        proto::enrollment::v1::Enrollment {
            withdrawal_ask_time: asked.get(&enrollment.id).copied().map(timestamp),
            line: line.map(line::line),
            ..convert::enrollment(enrollment, title, position, reader)
        }
    };
    Ok(enrollments.iter().map(render).collect())
}
