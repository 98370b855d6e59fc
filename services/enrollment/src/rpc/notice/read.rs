//! Lists notices, and says how many they have reached.

use std::collections::HashSet;

use proto::enrollment::v1::get_reach_response::{Class, Target};
use proto::enrollment::v1::list_pupil_notices_response::Line;
use proto::enrollment::v1::list_unreached_response::Pupil as Unreached;
use proto::enrollment::v1::{
    GetReachRequest, GetReachResponse, ListNoticesRequest, ListNoticesResponse, ListPupilNoticesRequest,
    ListPupilNoticesResponse, ListUnreachedRequest, ListUnreachedResponse,
};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, Notice as NoticeKind, Page, PageToken, Pupil, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::{NoticeRpc, READERS, SENDERS, error};
use crate::domain::day::local;
use crate::domain::notice::{self, Notice, Reach};
use crate::event::timestamp;
use crate::rpc::{names, ruling};
use crate::store;

/// Lists a pupil's notices.
pub async fn list_pupil_notices(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: &ListPupilNoticesRequest,
) -> Result<ListPupilNoticesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = &permit.pupil(pupil_id)?.path;
    let district_id = path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let db = rpc.db.read();
    let found = store::notice::list_of_pupil(db, district_id, pupil_id, &page).await?;
    let ids = found.iter().map(|(notice, _)| notice.id);
    let corrected = store::notice::corrections(db, district_id, ids).await?;
    let next_page_token = next_page_token(found.iter().map(|(notice, _)| notice), &page);
    let line = |(notice, acknowledged_at): (Notice, Option<_>)| Line {
        notice: Some(convert::notice(&notice, corrected.get(&notice.id).copied(), Reader::Guardian)),
        acknowledge_time: acknowledged_at.map(timestamp),
    };
    Ok(ListPupilNoticesResponse { lines: found.into_iter().map(line).collect(), next_page_token })
}

/// Lists a school's notices.
pub async fn list_notices(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: &ListNoticesRequest,
) -> Result<ListNoticesResponse, Status> {
    let permit = caller.staff(READERS)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(school_id), Some(page)) = (school_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = ruling::school_path(&rpc.db, &permit, school_id).await?;
    let district_id = path.district().ok_or_else(|| status::not_found("school", school_id))?;
    let db = rpc.db.read();
    let found = store::notice::list_of_school(db, district_id, school_id, &page).await?;
    let corrected = store::notice::corrections(db, district_id, found.iter().map(|notice| notice.id)).await?;
    let today = local::day(rpc.clock.now());
    let owed = match store::term::find_ruling(db, district_id, school_id, today).await? {
        Some(term) => {
            let has_told = store::notice::has_told_school(db, district_id, school_id, term.id).await?;
            notice::owed(&*ruling::policy_in(&rpc.packs, &term)?, has_told).map(|clause| clause.say())
        }
        None => None,
    };
    let owed = owed.unwrap_or_default();
    Ok(ListNoticesResponse {
        next_page_token: next_page_token(found.iter(), &page),
        notices: found
            .iter()
            .map(|notice| convert::notice(notice, corrected.get(&notice.id).copied(), Reader::Staff))
            .collect(),
        owed_zh: owed.zh,
        owed_en: owed.en,
    })
}

/// Says how many a notice has reached.
pub async fn get_reach(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: &GetReachRequest,
) -> Result<GetReachResponse, Status> {
    let permit = caller.staff(READERS)?;
    let notice = seen(rpc, &permit, &request.notice_id).await?;
    let copies = store::notice::copies(rpc.db.read(), &notice).await?;
    let copies = copies.iter().filter_map(|(pupil, is)| Some((pupil.path.get(3).copied()?, *is)));
    let reach = Reach::of(copies);
    let term = store::term::find(rpc.db.read(), notice.term_id).await?;
    let term = term.ok_or_else(|| error::unknown(notice.id))?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    let (target, target_bp) = match reach.target(&policy) {
        None => (Target::None, 0),
        Some((target, true)) => (Target::Met, target.at_least_bp.get()),
        Some((target, false)) => (Target::Missed, target.at_least_bp.get()),
    };
    Ok(GetReachResponse {
        expected_count: reach.all.expected_count,
        acknowledged_count: reach.all.acknowledged_count,
        classes: reach
            .classes
            .iter()
            .map(|(class_id, share)| Class {
                class_id: class_id.to_string(),
                expected_count: share.expected_count,
                acknowledged_count: share.acknowledged_count,
            })
            .collect(),
        target: target.into(),
        target_bp: i32::try_from(target_bp).unwrap_or(i32::MAX),
    })
}

/// Lists whom a notice has not reached.
pub async fn list_unreached(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: &ListUnreachedRequest,
) -> Result<ListUnreachedResponse, Status> {
    let permit = caller.staff(SENDERS)?;
    let notice = seen(rpc, &permit, &request.notice_id).await?;
    let school = NodePath::new(notice.path.clone());
    let is_office = permit.holds(Role::TeachingOffice, &school) || permit.holds(Role::Principal, &school);
    let own: HashSet<_> =
        permit.grants().iter().filter_map(|grant| grant.path.class().map(Id::uuid)).collect();
    let copies = store::notice::copies(rpc.db.read(), &notice).await?;
    let pupil_ids: Vec<_> = copies
        .iter()
        .filter(|(_, is_acknowledged)| !is_acknowledged)
        .filter(|(pupil, _)| is_office || pupil.path.get(3).is_some_and(|class| own.contains(class)))
        .map(|(pupil, _)| pupil.id.to_string())
        .collect();
    let mut known: std::collections::HashMap<_, _> = names::ask(&rpc.identity, &pupil_ids)
        .await?
        .into_iter()
        .map(|pupil| (pupil.id.clone(), pupil))
        .collect();
    let unreached = |pupil_id: String| {
        let pupil = known.remove(&pupil_id).unwrap_or_default();
        Unreached { pupil_id, name: pupil.name, class_name: pupil.class_name, grade: pupil.grade }
    };
    let mut pupils: Vec<_> = pupil_ids.into_iter().map(unreached).collect();
    pupils.sort_by(|one, other| {
        (one.grade, &one.class_name, &one.name, &one.pupil_id).cmp(&(
            other.grade,
            &other.class_name,
            &other.name,
            &other.pupil_id,
        ))
    });
    Ok(ListUnreachedResponse { pupils })
}

/// A notice the caller may know of: of a school they reach, or at which they have a class.
async fn seen(rpc: &NoticeRpc, permit: &StaffPermit, id: &str) -> Result<Notice, Status> {
    let mut violations = Violations::default();
    let id = violations.field("notice_id", id.parse::<Id<NoticeKind>>());
    let id = id.ok_or_else(|| status::invalid(&violations))?;
    let unknown = || error::unknown(id);
    let notice = store::notice::find(rpc.db.read(), id).await?.ok_or_else(unknown)?;
    let path = NodePath::new(notice.path.clone());
    let works_there = permit.grants().iter().any(|grant| grant.path.school() == Some(notice.school_id));
    if works_there || permit.reaches(&path) { Ok(notice) } else { Err(unknown()) }
}

/// Empty when the page was not filled: nothing can come after it.
fn next_page_token<'a>(found: impl ExactSizeIterator<Item = &'a Notice>, page: &Page<Uuid>) -> String {
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == page.size);
    let last = found.last().filter(|_| is_full);
    last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default()
}
