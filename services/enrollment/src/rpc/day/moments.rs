//! Lists what happened to a pupil, for the pupil's own family. Nothing in it is of another child, and no words that staff wrote.

use proto::enrollment::v1::pupil_moment::Kind;
use proto::enrollment::v1::{ListPupilMomentsRequest, ListPupilMomentsResponse, PupilMoment};
use shared::caller::Caller;
use shared::status;
use shared::value::{Id, Moment, Page, PageToken, Pupil, Violations};
use tonic::Status;
use uuid::Uuid;

use super::{DayRpc, convert, custody};
use crate::domain::day::custody::{Holder, State};
use crate::domain::day::duty::Post;
use crate::domain::day::register::Mark;
use crate::event::{check_out_way, timestamp};
use crate::store;
use crate::store::day::custody::Link;

/// Lists what happened to a pupil.
pub async fn list_pupil_moments(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListPupilMomentsRequest,
) -> Result<ListPupilMomentsResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let page = Page::<(Moment, Uuid)>::parse(request.page_size, &request.page_token);
    let page = violations.field("page_token", page);
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let unknown = || status::not_found("pupil", pupil_id);
    let path = &permit.pupil(pupil_id)?.path;
    let (district_id, school_id) = path.district().zip(path.school()).ok_or_else(unknown)?;
    let places = custody::places(rpc, district_id, school_id).await?;
    let db = rpc.db.read();
    let marks = store::day::mark::list_of_pupil(db, district_id, pupil_id, page.after, page.size).await?;
    let links = store::day::custody::list_links(db, district_id, pupil_id, page.after, page.size).await?;
    let place = |id: Option<Uuid>| id.and_then(|id| places.get(&id).cloned()).unwrap_or_default();

    let mut moments: Vec<((Moment, Uuid), PupilMoment)> = Vec::with_capacity(marks.len() + links.len());
    for (section_id, mark) in &marks {
        moments.push(((mark.created_at, mark.id.uuid()), marked(mark, place(Some(*section_id)))));
    }
    for (_, link) in &links {
        moments.push(((link.created_at, link.id), moved(link, place(place_of(&link.to)))));
    }
    moments.sort_by(|(one, _), (other, _)| other.cmp(one));
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    moments.truncate(size);
    let last = moments.last().filter(|_| moments.len() == size).map(|(key, _)| *key);
    Ok(ListPupilMomentsResponse {
        next_page_token: last.map(|key| PageToken::of(&key).into_text()).unwrap_or_default(),
        moments: moments.into_iter().map(|(_, moment)| moment).collect(),
    })
}

fn marked(mark: &Mark, place_name: String) -> PupilMoment {
    PupilMoment {
        id: mark.id.to_string(),
        kind: Kind::Marked.into(),
        happen_time: Some(timestamp(mark.taken_at())),
        place_name,
        state: convert::standing(Some(mark.standing)).into(),
        way: 0,
    }
}

fn moved(link: &Link, place_name: String) -> PupilMoment {
    let (kind, way) = match (&link.from, &link.to) {
        (Some(State::Held(_)), State::Held(_)) => (Kind::HandedOver, 0),
        (None | Some(State::Gone(_)), State::Held(_)) => (Kind::CheckedIn, 0),
        (_, State::Gone(way)) => (Kind::CheckedOut, check_out_way(*way).into()),
    };
    PupilMoment {
        id: link.id.to_string(),
        kind: kind.into(),
        happen_time: Some(timestamp(link.at)),
        place_name,
        state: 0,
        way,
    }
}

fn place_of(state: &State) -> Option<Uuid> {
    match state {
        State::Held(Holder::Staff { post: Post::Section(id), .. }) => Some(id.uuid()),
        State::Held(Holder::Staff { post: Post::Room(id), .. }) => Some(id.uuid()),
        State::Held(Holder::Staff { post: Post::Leader, .. } | Holder::Nobody) | State::Gone(_) => None,
    }
}
