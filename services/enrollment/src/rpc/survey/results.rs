//! Adds up what a survey was answered, for the school and for those above it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proto::enrollment::v1::get_survey_results_response::School as SchoolMessage;
use proto::enrollment::v1::list_survey_answers_response::Line;
use proto::enrollment::v1::{
    GetSurveyResultsRequest, GetSurveyResultsResponse, ListSurveyAnswersRequest, ListSurveyAnswersResponse,
};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::status;
use shared::value::{Id, School, Survey as SurveyKind, Violations};
use tonic::Status;

use super::read::asks;
use super::{ASKERS, OFFICE, SurveyRpc, convert, error};
use crate::domain::survey::{self, Naming, Sums, Survey};
use crate::rpc::names;
use crate::store;

/// Whose answers the caller sees, and how.
enum View {
    /// The own school's, every count.
    School(Id<School>),
    /// Those of many schools, no small count; none: all the survey asks.
    Authority(Option<BTreeSet<Id<School>>>),
}

/// Adds up what was answered.
pub async fn get_survey_results(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: &GetSurveyResultsRequest,
) -> Result<GetSurveyResultsResponse, Status> {
    let permit = caller.staff(ASKERS)?;
    let survey = find(rpc, &request.survey_id).await?;
    let view = view(rpc, &permit, &survey).await?.ok_or_else(|| error::unknown(survey.id))?;
    let wanted = match &view {
        View::School(school_id) => Some(BTreeSet::from([*school_id])),
        View::Authority(schools) => schools.clone(),
    };
    let mut sums = Sums::new(&survey.questions);
    let mut schools: BTreeMap<Id<School>, i64> = BTreeMap::new();
    let only = match &view {
        View::School(school_id) => Some(*school_id),
        View::Authority(_) => None,
    };
    let mut after = None;
    loop {
        let page = store::survey::list_answers(rpc.db.read(), &rpc.vault, &survey, only, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.pupil_id);
        let is_wanted = |school_id| wanted.as_ref().is_none_or(|wanted| wanted.contains(&school_id));
        for answered in page.iter().filter(|answered| is_wanted(answered.school_id)) {
            sums.add(&answered.answers);
            *schools.entry(answered.school_id).or_default() += 1;
        }
    }
    let asked = store::survey::asked_count(rpc.db.read(), survey.district_id, wanted.as_ref()).await?;
    let questions = survey.questions.iter().zip(&sums.questions);
    let (answered_count, results, schools) = match view {
        View::School(_) => {
            let results =
                questions.map(|(question, sum)| survey::to_school(question, sum)).collect::<Vec<_>>();
            (Some(sums.answered_count), results, Vec::new())
        }
        View::Authority(_) => {
            let results =
                questions.map(|(question, sum)| survey::to_authority(question, sum)).collect::<Vec<_>>();
            (survey::shown_count(sums.answered_count), results, by_school(&schools))
        }
    };
    Ok(GetSurveyResultsResponse {
        survey: Some(convert::survey(&survey, rpc.clock.now())),
        asked_count: i32::try_from(asked).unwrap_or(i32::MAX),
        answered_count: answered_count.map(convert::count),
        results: results.into_iter().map(convert::shown).collect(),
        schools,
    })
}

fn by_school(schools: &BTreeMap<Id<School>, i64>) -> Vec<SchoolMessage> {
    let counts: Vec<_> = schools.values().copied().collect();
    let shown = survey::withheld(&counts, true);
    let school = |(school_id, answered_count): (&Id<School>, Option<i64>)| SchoolMessage {
        school_id: school_id.to_string(),
        answered_count: answered_count.map(convert::count),
    };
    schools.keys().zip(shown).map(school).collect()
}

/// Lists each answer with the pupil's name.
pub async fn list_survey_answers(
    rpc: &SurveyRpc,
    caller: &Caller,
    request: &ListSurveyAnswersRequest,
) -> Result<ListSurveyAnswersResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let survey = find(rpc, &request.survey_id).await?;
    let school_id = own_school(&permit, &survey).ok_or_else(|| error::unknown(survey.id))?;
    match survey.naming {
        Naming::Anonymous => return Err(status::refused("SURVEY_ANONYMOUS", &[])),
        Naming::Named => {}
    }
    let (mut answered, mut after) = (Vec::new(), None);
    loop {
        let db = rpc.db.read();
        let page = store::survey::list_answers(db, &rpc.vault, &survey, Some(school_id), after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.pupil_id);
        answered.extend(page);
    }
    let pupil_ids: Vec<_> = answered.iter().map(|answered| answered.pupil_id.to_string()).collect();
    let pupils = names::ask(&rpc.identity, &pupil_ids).await?;
    let mut pupils: HashMap<_, _> = pupils.into_iter().map(|pupil| (pupil.id.clone(), pupil)).collect();
    let mut lines: Vec<_> = answered
        .iter()
        .map(|answered| {
            let pupil_id = answered.pupil_id.to_string();
            let pupil = pupils.remove(&pupil_id).unwrap_or_default();
            Line {
                pupil_id,
                pupil_name: pupil.name,
                class_name: pupil.class_name,
                answers: convert::answers(&answered.answers),
            }
        })
        .collect();
    lines.sort_by(|one, other| {
        (&one.class_name, &one.pupil_name, &one.pupil_id).cmp(&(
            &other.class_name,
            &other.pupil_name,
            &other.pupil_id,
        ))
    });
    Ok(ListSurveyAnswersResponse { lines })
}

async fn find(rpc: &SurveyRpc, id: &str) -> Result<Survey, Status> {
    let mut violations = Violations::default();
    let id = violations.field("survey_id", id.parse::<Id<SurveyKind>>());
    let id = id.ok_or_else(|| status::invalid(&violations))?;
    let survey = store::survey::find(rpc.db.read(), id).await?;
    survey.ok_or_else(|| error::unknown(id))
}

/// The caller's school, when the survey asks it and the caller is of its office.
fn own_school(permit: &StaffPermit, survey: &Survey) -> Option<Id<School>> {
    let asked = NodePath::new(survey.path.clone());
    let office = permit.grants().iter().filter(|grant| OFFICE.contains(&grant.role));
    let mut asked_schools = office.filter(|grant| asked.reaches(&grant.path));
    asked_schools.find_map(|grant| grant.path.school())
}

async fn view(rpc: &SurveyRpc, permit: &StaffPermit, survey: &Survey) -> Result<Option<View>, Status> {
    if let Some(school_id) = own_school(permit, survey) {
        return Ok(Some(View::School(school_id)));
    }
    let above = [Role::TownOffice, Role::BureauOfficer];
    let grants = permit.grants().iter().filter(|grant| above.contains(&grant.role));
    let Some(grant) =
        grants.filter(|grant| asks(survey, &grant.path)).min_by_key(|grant| grant.path.nodes().len())
    else {
        return Ok(None);
    };
    let asked = NodePath::new(survey.path.clone());
    // The narrower of what the survey asks and what the caller reaches.
    let place = if grant.path.reaches(&asked) { &asked } else { &grant.path };
    let schools = match (place.school(), place.nodes().get(1)) {
        (Some(school_id), _) => Some(BTreeSet::from([school_id])),
        (None, Some(town_id)) => {
            Some(store::survey::schools_of_town(rpc.db.read(), survey.district_id, *town_id).await?)
        }
        (None, None) => None,
    };
    Ok(Some(View::Authority(schools)))
}
