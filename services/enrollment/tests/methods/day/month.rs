//! The month: the sum of its days, by day and by pupil, and who may ask.

use proto::enrollment::v1::get_month_response::Day;
use proto::enrollment::v1::{GetMonthRequest, GetMonthResponse};
use shared::caller::{Caller, Role};
use shared::random;

use super::stage::{Stage, Standing, staff, staff_at};
use crate::support::{FREE, Menu, on_each, reason};

fn of_section(stage: &Stage) -> GetMonthRequest {
    GetMonthRequest {
        school_id: String::new(),
        section_id: stage.section_id.to_string(),
        month: "2026-09".to_owned(),
    }
}

fn of_school(stage: &Stage) -> GetMonthRequest {
    GetMonthRequest { school_id: stage.school_id(), section_id: String::new(), month: "2026-09".to_owned() }
}

async fn month(stage: &Stage, caller: &Caller, request: GetMonthRequest) -> Result<GetMonthResponse, String> {
    let answer = stage.world.day(caller).get_month(request).await;
    answer.map(tonic::Response::into_inner).map_err(|refusal| reason(&refusal))
}

#[tokio::test]
async fn a_month_is_the_sum_of_its_days_whichever_way_it_is_added_up() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 4).await;
        let days = ["2026-09-07", "2026-09-14", "2026-09-21"];
        for (week, day) in days.iter().enumerate() {
            stage.at(&format!("{day}T16:05:00+08:00"));
            let states = [Standing::Present, Standing::Absent, Standing::Late];
            let marks = states.iter().enumerate().skip(week).zip(1..);
            let marks = marks.map(|((at, state), sequence)| stage.mark(&stage.phone, sequence, at, *state));
            let batch = proto::enrollment::v1::RecordRollRequest {
                day: (*day).to_owned(),
                ..stage.batch(&stage.phone, marks.collect())
            };
            stage.teacher().record_roll(batch).await.unwrap();
            stage.at(&format!("{day}T23:05:00+08:00"));
            stage.close().await;
        }

        let office = staff(&stage.world, Role::TeachingOffice);
        let month_of_section = month(&stage, &office, of_section(&stage)).await.unwrap();
        let month_of_school = month(&stage, &office, of_school(&stage)).await.unwrap();

        let tally = month_of_section.tally.unwrap();
        assert_eq!(
            (
                tally.expected_count,
                tally.present_count,
                tally.absent_count,
                tally.late_count,
                tally.unmarked_count
            ),
            (12, 1, 2, 3, 6)
        );
        assert_eq!(month_of_section.days.iter().map(|day| day.day.as_str()).collect::<Vec<_>>(), days);
        assert!(month_of_section.days.iter().all(|day| (day.lesson_count, day.closed_count) == (1, 1)));
        let by_day: i32 = month_of_section.days.iter().map(|day| day.tally.unwrap().expected_count).sum();
        let by_pupil: i32 = month_of_section.pupils.iter().map(|one| one.tally.unwrap().expected_count).sum();
        assert_eq!((by_day, by_pupil), (12, 12));
        let late: i32 = month_of_section.pupils.iter().map(|one| one.tally.unwrap().late_count).sum();
        assert_eq!(late, tally.late_count);
        assert_eq!(month_of_school.tally, month_of_section.tally, "the school has one section");
        assert!(month_of_school.pupils.is_empty());

        // A correction weeks later is in the month at once: it is kept nowhere.
        stage.at("2026-09-28T09:00:00+08:00");
        stage.office().correct_mark(stage.correction(1, Standing::Present, "看错了")).await.unwrap();
        let corrected = month(&stage, &office, of_section(&stage)).await.unwrap();
        assert_eq!(corrected.tally.unwrap().present_count, 2);
        assert_eq!(corrected.tally.unwrap().expected_count, 12);
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_month_is_shown_to_those_who_answer_for_it_and_its_pupils_to_the_office_alone() {
    on_each(|world| async move {
        let provider_id = random::uuid(world.now());
        let menu = Menu { provider_id: provider_id.to_string(), ..Menu::default() };
        let stage = Stage::set(world, FREE, menu, 2).await;
        stage.call_roll(&[Standing::Present, Standing::Absent]).await;
        let district = stage.world.school.path[..1].to_vec();

        let provider = staff_at(&stage.world, Role::Provider, vec![provider_id]);
        let bureau = staff_at(&stage.world, Role::BureauOfficer, district.clone());
        let inspector = staff_at(&stage.world, Role::Inspector, district);
        for caller in [&provider, &bureau, &inspector, &stage.instructor] {
            let month = month(&stage, caller, of_section(&stage)).await.unwrap();
            assert_eq!(month.tally.unwrap().present_count, 1);
            assert!(month.pupils.is_empty(), "numbers, never who");
        }
        for caller in [&bureau, &inspector] {
            let month = month(&stage, caller, of_school(&stage)).await.unwrap();
            let days: Vec<Day> = month.days;
            assert_eq!((days.len(), days[0].closed_count), (1, 0));
        }
        for caller in [&provider, &stage.instructor] {
            assert_eq!(month(&stage, caller, of_school(&stage)).await.unwrap_err(), "SCHOOL_NOT_FOUND");
        }
        let other = staff_at(&stage.world, Role::Provider, vec![random::uuid(stage.now())]);
        assert_eq!(month(&stage, &other, of_section(&stage)).await.unwrap_err(), "SECTION_NOT_FOUND");
        let finance = staff(&stage.world, Role::SchoolFinance);
        assert_eq!(month(&stage, &finance, of_section(&stage)).await.unwrap_err(), "ROLE_NOT_ALLOWED");
        let office = staff(&stage.world, Role::Principal);
        let both = GetMonthRequest { school_id: stage.school_id(), ..of_section(&stage) };
        assert_eq!(month(&stage, &office, both).await.unwrap_err(), "INVALID_FIELDS");
        let no_month = GetMonthRequest { month: "2026-13".to_owned(), ..of_section(&stage) };
        assert_eq!(month(&stage, &office, no_month).await.unwrap_err(), "INVALID_FIELDS");
        stage.end().await;
    })
    .await;
}
