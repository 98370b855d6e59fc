//! Opens a survey.

use proto::enrollment::v1::{self as message, OpenSurveyRequest, OpenSurveyResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Term, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{ASKERS, SurveyRpc, convert, own_node, parse};
use crate::domain::survey::{Naming, Question, Survey};
use crate::rpc::day::parse::{moment, optional_id};
use crate::store;

/// The longest title, in characters.
const TITLE_LENGTH: usize = 60;

struct Parsed {
    request_id: Uuid,
    node_id: Uuid,
    term_id: Option<Id<Term>>,
    title: String,
    naming: Naming,
    questions: Vec<Question>,
    close_at: Moment,
}

/// Opens a survey.
pub async fn open_survey(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: OpenSurveyRequest,
) -> Result<OpenSurveyResponse, Status> {
    let permit = caller.staff(ASKERS)?;
    let parsed = parse(&request, rpc.clock.now())?;
    let path = own_node(&permit, parsed.node_id);
    let path = path.ok_or_else(|| status::not_found("node", parsed.node_id))?;
    let content = OpenSurveyRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "OpenSurvey", parsed.request_id, &content);
    db::retry(|| open(rpc, &key, &parsed, &path, &actor)).await
}

fn parse(request: &OpenSurveyRequest, now: Moment) -> Result<Parsed, Status> {
    use message::survey::Naming as Message;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let node_id = violations.field("node_id", request.node_id.parse().map_err(|_| "not a UUID"));
    let term_id = optional_id(&mut violations, "term_id", &request.term_id);
    let title = violations.text("title", &request.title, 1, TITLE_LENGTH);
    let naming = match request.naming() {
        Message::Anonymous => Ok(Naming::Anonymous),
        Message::Named => Ok(Naming::Named),
        Message::Unspecified => Err("must be anonymous or named"),
    };
    let naming = violations.field("naming", naming);
    let questions = parse::questions(&mut violations, &request.questions);
    let close_at = moment(&mut violations, "close_time", request.close_time.as_ref());
    if let Some(close_at) = close_at {
        violations.check("close_time", now < close_at, "must be later than now");
    }
    match (request_id, node_id, term_id, title, naming, close_at) {
        (Some(request_id), Some(node_id), Some(term_id), Some(title), Some(naming), Some(close_at))
            if violations.is_empty() =>
        {
            Ok(Parsed { request_id, node_id, term_id, title, naming, questions, close_at })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn open(
    rpc: &SurveyRpc,
    key: &RequestKey,
    parsed: &Parsed,
    path: &NodePath,
    actor: &str,
) -> Result<OpenSurveyResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    check_term(&tx, path, parsed.term_id).await?;
    let now = rpc.clock.now();
    let district_id = path.district().ok_or_else(|| status::not_found("node", parsed.node_id))?;
    let survey = Survey {
        id: random::id(now),
        district_id,
        path: path.nodes().to_vec(),
        term_id: parsed.term_id,
        title: parsed.title.clone(),
        naming: parsed.naming,
        questions: parsed.questions.clone(),
        close_at: parsed.close_at,
        opener: actor.to_owned(),
        created_at: now,
    };
    store::survey::insert(&tx, &survey).await?;
    let response = OpenSurveyResponse { survey: Some(convert::survey(&survey, now)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// A school asks for one of its own terms; whoever asks many schools asks for none, for each has its own.
async fn check_term(tx: &db::Tx, path: &NodePath, term_id: Option<Id<Term>>) -> Result<(), Status> {
    let mut violations = Violations::default();
    match (path.school(), term_id) {
        (Some(school_id), Some(term_id)) => {
            let term = store::term::find(tx, term_id).await?.filter(|term| term.school_id == school_id);
            return term.map(|_| ()).ok_or_else(|| status::not_found("term", term_id));
        }
        (None, None) => return Ok(()),
        (Some(_), None) => violations.note("term_id", "must be a term of the school"),
        (None, Some(_)) => violations.note("term_id", "must be empty where many schools are asked"),
    }
    Err(status::invalid(&violations))
}
