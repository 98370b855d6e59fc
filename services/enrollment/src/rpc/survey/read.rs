//! Lists surveys: a family those that ask it, an office or authority those of a node.

use proto::enrollment::v1::list_pupil_surveys_response::Line;
use proto::enrollment::v1::{
    ListPupilSurveysRequest, ListPupilSurveysResponse, ListSurveysRequest, ListSurveysResponse,
};
use shared::caller::{Caller, NodePath};
use shared::status;
use shared::value::{District, Id, Page, PageToken, Pupil, School, Violations};
use tonic::Status;
use uuid::Uuid;

use super::{ASKERS, SurveyRpc, convert, own_node};
use crate::domain::day::local;
use crate::domain::survey::{self, Owed, Survey};
use crate::event::timestamp;
use crate::rpc::ruling;
use crate::store;

/// Lists the surveys that ask a pupil's family.
pub async fn list_pupil_surveys(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: &ListPupilSurveysRequest,
) -> Result<ListPupilSurveysResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse::<Id<Pupil>>());
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(pupil_id), Some(page)) = (pupil_id, page) else {
        return Err(status::invalid(&violations));
    };
    let path = &permit.pupil(pupil_id)?.path;
    let district_id = path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let nodes: Vec<_> = path.nodes().iter().take(3).copied().collect();
    let db = rpc.db.read();
    let found = store::survey::list(db, district_id, &nodes, &page).await?;
    let now = rpc.clock.now();
    let mut lines = Vec::with_capacity(found.len());
    for survey in &found {
        let answered = store::survey::find_answer(db, &rpc.vault, survey, pupil_id).await?;
        lines.push(Line {
            survey: Some(convert::survey(survey, now)),
            answer_time: answered.as_ref().map(|answered| timestamp(answered.answered_at)),
            answers: answered.map(|answered| convert::answers(&answered.answers)).unwrap_or_default(),
        });
    }
    Ok(ListPupilSurveysResponse { lines, next_page_token: next_page_token(&found, &page) })
}

/// Lists the surveys of a node.
pub async fn list_surveys(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: &ListSurveysRequest,
) -> Result<ListSurveysResponse, Status> {
    let permit = caller.staff(ASKERS)?;
    let mut violations = Violations::default();
    let node_id = violations.field("node_id", request.node_id.parse::<Uuid>().map_err(|_| "not a UUID"));
    let page = violations.field("page_token", Page::<Uuid>::parse(request.page_size, &request.page_token));
    let (Some(node_id), Some(page)) = (node_id, page) else {
        return Err(status::invalid(&violations));
    };
    let unknown = || status::not_found("node", node_id);
    let path = match own_node(&permit, node_id) {
        Some(path) => path,
        None => ruling::school_path(&rpc.db, &permit, Id::new(node_id)).await.map_err(|_| unknown())?,
    };
    let district_id = path.district().ok_or_else(unknown)?;
    let found = store::survey::list(rpc.db.read(), district_id, path.nodes(), &page).await?;
    let owed = match path.school() {
        Some(school_id) => owed(rpc, district_id, school_id).await?,
        None => None,
    };
    let now = rpc.clock.now();
    let (said, before) = owed.map(|owed| (owed.clause.say(), owed.before)).unwrap_or_default();
    Ok(ListSurveysResponse {
        surveys: found.iter().map(|survey| convert::survey(survey, now)).collect(),
        next_page_token: next_page_token(&found, &page),
        owed_zh: said.zh,
        owed_en: said.en,
        owed_before_day: before.map(|day| day.to_string()).unwrap_or_default(),
    })
}

async fn owed(
    rpc: &SurveyRpc,
    district_id: Id<District>,
    school_id: Id<School>,
) -> Result<Option<Owed>, Status> {
    let db = rpc.db.read();
    let today = local::day(rpc.clock.now());
    let Some(term) = store::term::find_ruling(db, district_id, school_id, today).await? else {
        return Ok(None);
    };
    let has_asked = store::survey::has_asked(db, &term, local::moment(term.first_day, 0)).await?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    Ok(survey::owed(&policy, term.first_day, has_asked))
}

/// Whether a survey asks the families of a place, or of some of it.
pub fn asks(survey: &Survey, place: &NodePath) -> bool {
    let asked = NodePath::new(survey.path.clone());
    asked.reaches(place) || place.reaches(&asked)
}

/// Empty when the page was not filled: nothing can come after it.
fn next_page_token(found: &[Survey], page: &Page<Uuid>) -> String {
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == page.size);
    let last = found.last().filter(|_| is_full);
    last.map(|last| PageToken::of(&last.id.uuid()).into_text()).unwrap_or_default()
}
