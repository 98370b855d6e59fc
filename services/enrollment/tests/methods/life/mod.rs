//! Whole lives of enrollments, made up at random and told to the service and to a model of it: after every step both stand in the
//! same place, down to the last counter, place in line, deadline and event.

mod desk;
mod model;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use proto::enrollment::v1::{ApplyRequest, WithdrawRequest, WithdrawResponse};
use shared::db::Kind;

use crate::fakes::Close;
use crate::support::reason;
pub use desk::Desk;
use desk::REGIONS;
use model::{Model, PUPILS};

/// How many lives each engine is told.
const STORIES: u32 = 1_010;

#[derive(Clone, Debug)]
enum Command {
    /// Applies; with or without standing in line.
    Apply {
        pupil: usize,
        section: usize,
        join: bool,
    },
    /// Sends an earlier application once more.
    ApplyAgain(usize),
    Withdraw(usize),
    /// Sends an earlier withdrawal once more.
    WithdrawAgain(usize),
    /// Billing tells that the invoice is settled.
    Settle(usize),
    /// Billing answers so from now on.
    Billing(Close),
    Close,
    Expire,
    Promote,
    Pass(Duration),
    Decide {
        at: usize,
        approve: bool,
    },
    Cancel(usize),
    Leave(usize),
    WithdrawConsent(usize),
    /// Signs the agreement in force, where the region asks for one.
    Sign(usize),
}

fn command() -> impl Strategy<Value = Command> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let any = 0..64_usize;
    prop_oneof![
        10 => (0..PUPILS, 0..3_usize, prop::bool::weighted(0.8))
            .prop_map(|(pupil, section, join)| Command::Apply { pupil, section, join }),
        2 => any.clone().prop_map(Command::ApplyAgain),
        4 => any.clone().prop_map(Command::Withdraw),
        1 => any.clone().prop_map(Command::WithdrawAgain),
        4 => any.clone().prop_map(Command::Settle),
        2 => prop_oneof![Just(Close::Closed), Just(Close::Settled), Just(Close::Unanswered)]
            .prop_map(Command::Billing),
        3 => Just(Command::Close),
        3 => Just(Command::Expire),
        2 => Just(Command::Promote),
        3 => prop_oneof![Just(minutes(1)), Just(minutes(31)), Just(minutes(8 * 24 * 60))].prop_map(Command::Pass),
        4 => (any.clone(), prop::bool::weighted(0.8)).prop_map(|(at, approve)| Command::Decide { at, approve }),
        1 => (0..3_usize).prop_map(Command::Cancel),
        1 => (0..PUPILS).prop_map(Command::Leave),
        1 => (0..PUPILS).prop_map(Command::WithdrawConsent),
        4 => (0..PUPILS).prop_map(Command::Sign),
    ]
}

/// What was asked for with which request, and what it got.
#[derive(Default)]
struct Sent {
    applications: Vec<(usize, usize, bool, ApplyRequest)>,
    given: Vec<Option<usize>>,
    withdrawals: Vec<(usize, WithdrawRequest, WithdrawResponse)>,
    ids: Vec<String>,
}

/// Tells a life to both, and compares after every step.
async fn live(desk: &mut Desk, region: usize, commands: &[Command]) -> Result<(), TestCaseError> {
    desk.clear(region).await;
    let (_, steps, charged, asks) = REGIONS[region];
    let mut model = Model { steps, charged, asks, ..Model::default() };
    let mut sent = Sent::default();
    let mut billing = Close::Closed;
    for (number, command) in commands.iter().enumerate() {
        desk.tick();
        model.now = desk.now();
        step(desk, &mut model, &mut sent, &mut billing, command).await?;
        if matches!(command, Command::Billing(_) | Command::Pass(_)) {
            continue;
        }
        let (rows, sections, ids) = desk.look().await;
        prop_assert_eq!(&rows, &model.rows, "after {}: {:?}", number, command);
        prop_assert_eq!(&sections, &model.sections, "after {}: {:?}", number, command);
        sent.ids = ids;
    }
    Ok(())
}

async fn step(
    desk: &Desk,
    model: &mut Model,
    sent: &mut Sent,
    billing: &mut Close,
    command: &Command,
) -> Result<(), TestCaseError> {
    let some = |at: usize, count: usize| (count > 0).then(|| at % count.max(1));
    let enrollment = |at: usize| some(at, model.rows.len());
    let fail = |status: tonic::Status| TestCaseError::fail(format!("{status:?}"));
    match command {
        Command::Apply { pupil, section, join } => {
            let request = desk.application(*pupil, *section, *join);
            let expected = model.apply(*pupil, *section, *join);
            sent.given.push(expected.ok());
            sent.applications.push((*pupil, *section, *join, request.clone()));
            applied(desk, model, sent, *pupil, request, expected).await?;
        }
        Command::ApplyAgain(at) => {
            let Some(at) = some(*at, sent.applications.len()) else { return Ok(()) };
            let (pupil, section, join, request) = sent.applications[at].clone();
            let expected = match sent.given[at] {
                Some(given) => {
                    model.promote(section);
                    Ok(given)
                }
                // Nothing was kept of it: it is a first time again.
                None => model.apply(pupil, section, join),
            };
            sent.given[at] = expected.ok();
            applied(desk, model, sent, pupil, request, expected).await?;
        }
        Command::Withdraw(at) => {
            let Some(at) = enrollment(*at) else { return Ok(()) };
            let request =
                WithdrawRequest { request_id: desk.request_id(), enrollment_id: sent.ids[at].clone() };
            let pupil = model.rows[at].pupil;
            model.withdraw(at, *billing == Close::Closed);
            let answer = desk.withdraw(pupil, request.clone()).await.map_err(fail)?;
            sent.withdrawals.push((pupil, request, answer));
        }
        Command::WithdrawAgain(at) => {
            let Some(at) = some(*at, sent.withdrawals.len()) else { return Ok(()) };
            let (pupil, request, first) = sent.withdrawals[at].clone();
            prop_assert_eq!(desk.withdraw(pupil, request).await.map_err(fail)?, first);
        }
        Command::Settle(at) => {
            let Some(at) = enrollment(*at) else { return Ok(()) };
            let is_billed =
                !["waitlisted", "awaiting_agreement", "in_review"].contains(&model.rows[at].state);
            model.settle(at);
            prop_assert_eq!(desk.settle(&sent.ids[at]).await.is_ok(), is_billed);
        }
        Command::Billing(answer) => {
            *billing = *answer;
            desk.fakes.close_with(*answer);
        }
        Command::Close => {
            model.close(match billing {
                Close::Closed => Some(true),
                Close::Settled => Some(false),
                Close::Unanswered => None,
            });
            desk.close().await.map_err(fail)?;
        }
        Command::Expire => {
            model.expire();
            desk.expire().await.map_err(fail)?;
        }
        Command::Promote => {
            (0..3).for_each(|section| model.promote(section));
            desk.promote().await.map_err(fail)?;
        }
        Command::Pass(time) => desk.let_pass(*time),
        Command::Decide { at, approve } => {
            let Some(at) = enrollment(*at).filter(|_| model.steps > 0) else { return Ok(()) };
            let step = model.rows[at].approved;
            model.decide(at, *approve);
            // Whether it is refused is another test's; here it is only not to change more than it may.
            let _ = desk.decide(&sent.ids[at], step, *approve).await;
        }
        Command::Cancel(section) => {
            model.sections[*section].cancelled = true;
            model.lose("section_cancelled", |row| row.section == *section);
            desk.cancel(*section).await.map_err(fail)?;
        }
        Command::Leave(pupil) => {
            model.lose("pupil_left", |row| row.pupil == *pupil);
            model.left[*pupil] = true;
            desk.leave(*pupil).await.map_err(fail)?;
        }
        Command::Sign(pupil) if model.asks => {
            let expected = (!model.left[*pupil]).then_some(()).ok_or("NOT_OF_THIS_SCHOOL".to_owned());
            model.sign(*pupil);
            prop_assert_eq!(desk.sign(*pupil).await.map_err(|refusal| reason(&refusal)), expected);
        }
        Command::Sign(_) => {}
        Command::WithdrawConsent(pupil) => {
            model.lose("pupil_left", |row| row.pupil == *pupil);
            desk.withdraw_consent(*pupil).await.map_err(fail)?;
        }
    }
    Ok(())
}

/// The answer to an application: the enrollment expected, with its place in line, or the refusal.
async fn applied(
    desk: &Desk,
    model: &Model,
    sent: &Sent,
    pupil: usize,
    request: ApplyRequest,
    expected: Result<usize, &'static str>,
) -> Result<(), TestCaseError> {
    match (desk.apply(pupil, request).await, expected) {
        (Ok(answer), Ok(at)) => {
            let given = answer.enrollment.unwrap();
            let row = &model.rows[at];
            if let Some(id) = sent.ids.get(at) {
                prop_assert_eq!(&given.id, id);
            }
            let before = |other: &&model::Row| {
                other.section == row.section && other.state == "waitlisted" && other.number <= row.number
            };
            let position = match row.state {
                "waitlisted" => model.rows.iter().filter(before).count(),
                _ => 0,
            };
            prop_assert_eq!(usize::try_from(given.waitlist_position).unwrap(), position);
            let state = given.state().as_str_name().to_lowercase();
            prop_assert_eq!(state.strip_prefix("state_"), Some(row.state));
        }
        (Err(refusal), Err(expected)) => prop_assert_eq!(reason(&refusal), expected),
        (given, expected) => {
            return Err(TestCaseError::fail(format!("{given:?} where {expected:?} was expected")));
        }
    }
    Ok(())
}

fn tell_many(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = std::cell::RefCell::new(runtime.block_on(Desk::new(kind)));
    let began_at = Instant::now();
    let config =
        Config { cases: STORIES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let stories = (0..REGIONS.len(), prop::collection::vec(command(), 3..14));
    let (told, steps) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0));
    let outcome = TestRunner::new(config).run(&stories, |(region, commands)| {
        told.set(told.get() + 1);
        steps.set(steps.get() + commands.len());
        let mut desk = desk.borrow_mut();
        runtime.block_on(async {
            live(&mut desk, region, &commands).await?;
            if told.get() % 50 == 0 {
                desk.check().await;
            }
            Ok(())
        })
    });
    tell(&format!("{kind}: {} lives of {} steps in {:?}", told.get(), steps.get(), began_at.elapsed()));
    outcome.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert!(told.get() >= STORIES);
}

#[test]
fn whatever_happens_to_enrollments_the_service_stands_where_the_model_stands_on_sqlite() {
    tell_many(Kind::Sqlite);
}

#[test]
fn whatever_happens_to_enrollments_the_service_stands_where_the_model_stands_on_postgres() {
    tell_many(Kind::Postgres);
}

#[expect(clippy::print_stderr, reason = "how much was told, for whoever asks for the output")]
fn tell(line: &str) {
    eprintln!("{line}");
}
