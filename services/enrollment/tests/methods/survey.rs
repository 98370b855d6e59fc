//! Surveys: who is asked, what the answers add up to, and what nobody learns.

use chrono::TimeDelta;
use enrollment::domain::survey::{Answers, Said};
use enrollment::store;
use enrollment::store::survey::Answered;
use enrollment::store::vault::Vault;
use proto::enrollment::v1::survey::{Naming, State};
use proto::enrollment::v1::survey_question::Kind;
use proto::enrollment::v1::survey_service_client::SurveyServiceClient;
use proto::enrollment::v1::{
    self as message, AnswerSurveyRequest, CloseSurveyRequest, GetSurveyResultsRequest,
    GetSurveyResultsResponse, ListPupilSurveysRequest, ListSurveyAnswersRequest, ListSurveysRequest,
    OpenSurveyRequest, Survey, SurveyAnswer, SurveyQuestion,
};
use shared::caller::{Caller, Role};
use shared::client::Link;
use shared::random;
use shared::status::violations_of;
use shared::testing::told;
use shared::value::{Id, Pupil, School, Term};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::day::stage::{staff, staff_at};
use crate::support::{FREE, Family, World, guardian, on_each, reason, time};

/// A region whose second phase rests on a survey.
const ASKS_FIRST: &str = "xx_district";

fn client(world: &World, caller: &Caller) -> SurveyServiceClient<Link> {
    SurveyServiceClient::new(world.link(caller))
}

fn question(title: &str, kind: Kind, options: &[&str]) -> SurveyQuestion {
    SurveyQuestion {
        title: title.to_owned(),
        kind: kind.into(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        least: 0,
        most: if kind == Kind::Number { 5 } else { 0 },
    }
}

fn opening(world: &World, node_id: Uuid, term_id: Option<Id<Term>>, naming: Naming) -> OpenSurveyRequest {
    OpenSurveyRequest {
        request_id: world.request_id(),
        node_id: node_id.to_string(),
        term_id: term_id.map(|id| id.to_string()).unwrap_or_default(),
        title: "课后服务需求摸排".to_owned(),
        naming: naming.into(),
        questions: vec![
            question("需要课后服务吗？", Kind::Single, &["需要", "不需要"]),
            question("每周几天？", Kind::Number, &[]),
            question("想选什么课？", Kind::Wishes, &["围棋", "足球", "书法"]),
            question("还有什么建议？", Kind::Text, &[]),
        ],
        close_time: Some(time(world.now() + TimeDelta::days(7))),
    }
}

async fn open(world: &World, caller: &Caller, request: OpenSurveyRequest) -> Survey {
    client(world, caller).open_survey(request).await.unwrap().into_inner().survey.unwrap()
}

fn options(question: i32, options: &[i32]) -> SurveyAnswer {
    SurveyAnswer { question, options: options.to_vec(), ..Default::default() }
}

fn days(number: i32) -> SurveyAnswer {
    SurveyAnswer { question: 1, number: Some(number), ..Default::default() }
}

fn text(text: &str) -> SurveyAnswer {
    SurveyAnswer { question: 3, text: text.to_owned(), ..Default::default() }
}

async fn answer(
    world: &World,
    family: &Family,
    survey: &Survey,
    answers: Vec<SurveyAnswer>,
) -> Result<(), Status> {
    let request = AnswerSurveyRequest {
        request_id: world.request_id(),
        survey_id: survey.id.clone(),
        pupil_id: family.pupil_id.to_string(),
        answers,
    };
    client(world, &guardian(family)).answer_survey(request).await.map(|_| ())
}

async fn results(world: &World, caller: &Caller, survey: &Survey) -> GetSurveyResultsResponse {
    let request = GetSurveyResultsRequest { survey_id: survey.id.clone() };
    client(world, caller).get_survey_results(request).await.unwrap().into_inner()
}

fn bureau(world: &World) -> Caller {
    staff_at(world, Role::BureauOfficer, world.school.path[..1].to_vec())
}

fn chosen(results: &GetSurveyResultsResponse, question: usize) -> Vec<Option<i32>> {
    results.results[question].options.iter().map(|option| option.chosen_count).collect()
}

#[tokio::test]
async fn c38_a_family_answers_once_per_pupil_and_replaces_until_it_closes() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let families = world.families(4).await;
        let office = staff(&world, Role::TeachingOffice);
        let survey =
            open(&world, &office, opening(&world, world.school.id(), Some(term_id), Naming::Anonymous)).await;

        answer(&world, &families[0], &survey, vec![options(0, &[1]), text("先不用")]).await.unwrap();
        answer(&world, &families[0], &survey, vec![options(0, &[0]), days(5), options(2, &[2, 0])])
            .await
            .unwrap();
        answer(&world, &families[1], &survey, vec![days(3), options(0, &[0]), options(2, &[0])])
            .await
            .unwrap();
        answer(&world, &families[2], &survey, vec![options(0, &[1]), text("离家近")]).await.unwrap();

        let found = results(&world, &office, &survey).await;
        assert_eq!((found.asked_count, found.answered_count), (4, Some(3)));
        assert_eq!(chosen(&found, 0), [Some(2), Some(1)]);
        assert_eq!((found.results[1].sum, found.results[1].answered_count), (Some(8), Some(2)));
        assert_eq!((found.results[1].least, found.results[1].greatest), (Some(3), Some(5)));
        assert_eq!(chosen(&found, 2), [Some(2), Some(0), Some(1)]);
        let firsts: Vec<_> = found.results[2].options.iter().map(|option| option.first_count).collect();
        assert_eq!(firsts, [Some(1), Some(0), Some(1)]);
        assert_eq!(found.results[3].texts, ["离家近"], "what was replaced is gone");

        let list =
            ListPupilSurveysRequest { pupil_id: families[0].pupil_id.to_string(), ..Default::default() };
        let lines = client(&world, &guardian(&families[0]))
            .list_pupil_surveys(list)
            .await
            .unwrap()
            .into_inner()
            .lines;
        assert_eq!(lines[0].answers, [options(0, &[0]), days(5), options(2, &[2, 0])]);
        world.clock.advance(TimeDelta::days(7));
        let late = answer(&world, &families[3], &survey, vec![days(1)]).await.unwrap_err();
        assert_eq!(reason(&late), "SURVEY_CLOSED");
        assert!(told::<message::Event>(&world.db).await.is_empty(), "nobody is told what a family needs");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c38_who_said_what_in_an_anonymous_survey_nobody_is_shown() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let family = world.family().await;
        world.fakes.name(family.pupil_id, "李小明", "三年级1班", 3);
        let office = staff(&world, Role::TeachingOffice);
        let node = world.school.id();
        let anonymous = open(&world, &office, opening(&world, node, Some(term_id), Naming::Anonymous)).await;
        let named = open(&world, &office, opening(&world, node, Some(term_id), Naming::Named)).await;
        for survey in [&anonymous, &named] {
            answer(&world, &family, survey, vec![days(4)]).await.unwrap();
        }
        let list = async |caller: &Caller, survey: &Survey| {
            let request = ListSurveyAnswersRequest { survey_id: survey.id.clone() };
            client(&world, caller).list_survey_answers(request).await.map(|answer| answer.into_inner().lines)
        };

        assert_eq!(reason(&list(&office, &anonymous).await.unwrap_err()), "SURVEY_ANONYMOUS");
        let lines = list(&office, &named).await.unwrap();
        assert_eq!((lines[0].pupil_name.as_str(), &lines[0].answers[..]), ("李小明", &[days(4)][..]));
        let refused = list(&bureau(&world), &named).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c38_the_bureau_sees_no_count_below_three_and_no_text() {
    on_each(|world| async move {
        world.term(FREE).await;
        let families = world.families(9).await;
        let officer = bureau(&world);
        let survey =
            open(&world, &officer, opening(&world, world.school.path[0], None, Naming::Anonymous)).await;
        for (family, at) in families.iter().zip(0..) {
            let need = i32::from(at >= 7);
            answer(&world, family, &survey, vec![options(0, &[need]), text("建议")]).await.unwrap();
        }

        let above = results(&world, &officer, &survey).await;
        let school = results(&world, &staff(&world, Role::Principal), &survey).await;

        assert_eq!((above.answered_count, chosen(&above, 0)), (Some(9), vec![None, None]));
        assert!(above.results[3].texts.is_empty());
        assert_eq!(above.schools.len(), 1);
        assert_eq!(chosen(&school, 0), [Some(7), Some(2)]);
        assert_eq!(school.results[3].texts.len(), 9);
        let town = staff_at(&world, Role::TownOffice, world.school.path[..2].to_vec());
        assert_eq!(results(&world, &town, &survey).await.answered_count, Some(9));
        let elsewhere = staff_at(&world, Role::BureauOfficer, vec![world.school.class_id]);
        let request = GetSurveyResultsRequest { survey_id: survey.id.clone() };
        let refused = client(&world, &elsewhere).get_survey_results(request).await.unwrap_err();
        assert_eq!(reason(&refused), "SURVEY_NOT_FOUND");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c38_11373_questionnaires_of_many_schools_add_up_exactly() {
    on_each(|world| async move {
        const COUNT: usize = 11_373;
        let officer = bureau(&world);
        let opened =
            open(&world, &officer, opening(&world, world.school.path[0], None, Naming::Anonymous)).await;
        let survey = store::survey::find(world.db.read(), opened.id.parse().unwrap()).await.unwrap().unwrap();
        let schools: Vec<Id<School>> = (0..17).map(|_| random::id(world.now())).collect();
        let answered: Vec<_> = (0..COUNT)
            .map(|at| Answered {
                pupil_id: random::id::<Pupil>(world.now()),
                school_id: schools[at % schools.len()],
                answers: Answers(vec![
                    (0, Said::Options(vec![usize::from(at % 3 == 0)])),
                    (1, Said::Number(i32::try_from(at % 6).unwrap())),
                    (2, Said::Options(vec![at % 3, (at + 1) % 3])),
                ]),
                answered_at: world.now(),
            })
            .collect();
        let vault = Vault::new(world.sealer());
        let tx = world.db.begin().await.unwrap();
        store::survey::save_answers(&tx, &vault, &survey, &answered).await.unwrap();
        tx.commit().await.unwrap();

        let found = results(&world, &officer, &opened).await;

        let count = |test: &dyn Fn(usize) -> bool| {
            Some(i32::try_from((0..COUNT).filter(|at| test(*at)).count()).unwrap())
        };
        assert_eq!(found.answered_count, Some(11_373));
        assert_eq!(chosen(&found, 0), [count(&|at| at % 3 != 0), count(&|at| at % 3 == 0)]);
        assert_eq!(found.results[1].sum, Some((0..COUNT).map(|at| i64::try_from(at % 6).unwrap()).sum()));
        let firsts: Vec<_> = found.results[2].options.iter().map(|option| option.first_count).collect();
        assert_eq!(firsts, [count(&|at| at % 3 == 0), count(&|at| at % 3 == 1), count(&|at| at % 3 == 2)]);
        let by_school: i32 = found.schools.iter().map(|school| school.answered_count.unwrap()).sum();
        assert_eq!((found.schools.len(), by_school), (17, 11_373));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c38_a_survey_is_owed_before_the_second_phase_until_one_is_opened() {
    on_each(|world| async move {
        let term_id = world.term(ASKS_FIRST).await;
        let office = staff(&world, Role::TeachingOffice);
        let list = || ListSurveysRequest { node_id: world.school.id().to_string(), ..Default::default() };

        let before = client(&world, &office).list_surveys(list()).await.unwrap().into_inner();
        open(&world, &office, opening(&world, world.school.id(), Some(term_id), Naming::Anonymous)).await;
        let after = client(&world, &bureau(&world)).list_surveys(list()).await.unwrap().into_inner();

        assert!(before.owed_zh.contains("摸排"), "{}", before.owed_zh);
        assert_eq!(before.owed_before_day, "2026-10-08");
        assert_eq!(
            (after.owed_zh.as_str(), after.owed_before_day.as_str(), after.surveys.len()),
            ("", "", 1)
        );
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_survey_is_closed_by_those_who_may_open_it_and_answered_by_those_it_asks() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let family = world.family().await;
        let office = staff(&world, Role::TeachingOffice);
        let survey =
            open(&world, &office, opening(&world, world.school.id(), Some(term_id), Naming::Named)).await;
        let close = || CloseSurveyRequest { request_id: world.request_id(), survey_id: survey.id.clone() };

        let refused = client(&world, &bureau(&world)).close_survey(close()).await.unwrap_err();
        assert_eq!(reason(&refused), "SURVEY_NOT_FOUND", "it is the school's");
        let request = close();
        let first = client(&world, &office).close_survey(request.clone()).await.unwrap().into_inner();
        let again = client(&world, &office).close_survey(request).await.unwrap().into_inner();
        assert_eq!((first.survey.as_ref().unwrap().state(), &first), (State::Closed, &again));
        assert_eq!(reason(&answer(&world, &family, &survey, Vec::new()).await.unwrap_err()), "SURVEY_CLOSED");

        let mut path = world.school.path.clone();
        path[2] = world.school.class_id;
        let elsewhere = staff_at(&world, Role::Principal, path);
        let theirs = opening(&world, world.school.id(), Some(term_id), Naming::Named);
        let refused = client(&world, &elsewhere).open_survey(theirs).await.unwrap_err();
        assert_eq!(reason(&refused), "NODE_NOT_FOUND");
        let other_town =
            staff_at(&world, Role::TownOffice, vec![world.school.path[0], world.school.class_id]);
        let towns =
            open(&world, &other_town, opening(&world, world.school.class_id, None, Naming::Named)).await;
        let refused = answer(&world, &family, &towns, vec![days(1)]).await.unwrap_err();
        assert_eq!(reason(&refused), "SURVEY_NOT_FOUND", "it asks another town");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn bad_questions_and_answers_are_named_together() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let family = world.family().await;
        let office = staff(&world, Role::TeachingOffice);
        let fields = |status: &Status| {
            violations_of(status).list().iter().map(|one| one.field.clone()).collect::<Vec<_>>()
        };
        let broken = OpenSurveyRequest {
            title: String::new(),
            naming: 0,
            questions: vec![
                question("一", Kind::Single, &["只有一个"]),
                question("二", Kind::Text, &["多余", "选项"]),
                question("三", Kind::Unspecified, &[]),
                SurveyQuestion { least: 6, ..question("四", Kind::Number, &[]) },
            ],
            close_time: Some(time(world.now())),
            ..opening(&world, world.school.id(), Some(term_id), Naming::Named)
        };
        let refused = client(&world, &office).open_survey(broken).await.unwrap_err();
        assert_eq!(
            fields(&refused),
            [
                "title",
                "naming",
                "questions[0].options",
                "questions[1].options",
                "questions[2].kind",
                "questions[3].most",
                "close_time"
            ]
        );
        let termless = opening(&world, world.school.id(), None, Naming::Named);
        let refused = client(&world, &office).open_survey(termless).await.unwrap_err();
        assert_eq!(fields(&refused), ["term_id"]);

        let survey =
            open(&world, &office, opening(&world, world.school.id(), Some(term_id), Naming::Named)).await;
        let answers = vec![options(0, &[0, 1]), days(6), options(9, &[0]), text(" "), options(0, &[0])];
        let refused = answer(&world, &family, &survey, answers).await.unwrap_err();
        assert_eq!(
            fields(&refused),
            ["answers[0]", "answers[1]", "answers[2].question", "answers[3]", "answers[4].question"]
        );
        world.end().await;
    })
    .await;
}
