//! Seats offered from the line: how long they wait, how they are declined, and what a family is told of its odds.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use enrollment::config::Jobs;
use enrollment::domain::admission::{self, Application};
use enrollment::domain::basket::{Ask, Refusal};
use enrollment::job::{Bench, promote};
use enrollment::rpc::apply::{Decide as _, Desk};
use policy::Live;
use proto::enrollment::v1::enrollment::{ReleaseReason, State};
use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{
    DecideStepRequest, Enrollment, Line, ListPupilEnrollmentsRequest, OpenRoundRequest, WithdrawRequest,
    line, round,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::Role;
use shared::db::Kind as Engine;
use shared::random;
use shared::testing::moment;
use shared::value::{Id, Section};
use tonic::Status;

use crate::fakes::Close;
use crate::support::{CHARGED, FREE, Family, Menu, REVIEWED, World, on_each, on_each_with, time};

const RESTED: &str = "rested";
const RESTED_REVIEWED: &str = "rested_reviewed";

fn rested() -> Arc<Live> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs"));
    Arc::new(Live::open(folder).unwrap())
}

fn one_seat() -> Menu {
    Menu { capacity_count: 1, ..Menu::default() }
}

async fn withdraw(world: &World, family: &Family, enrollment: &Enrollment) -> Result<Enrollment, Status> {
    let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: enrollment.id.clone() };
    Ok(world.guardian(family).withdraw(request).await?.into_inner().enrollment.unwrap())
}

/// A full section of one seat, paid for, and the next in line.
async fn full(world: &World, pack: &str) -> (Id<Section>, [(Family, Enrollment); 2]) {
    let (_, section_id) = world.open(pack, one_seat()).await;
    let [one, other] = <[Family; 2]>::try_from(world.families(2).await).unwrap();
    let seated = world.apply(&one, section_id).await;
    let waiting = world.apply(&other, section_id).await;
    (section_id, [(one, seated), (other, waiting)])
}

fn expires(enrollment: &Enrollment) -> i64 {
    enrollment.hold_expire_time.unwrap().seconds
}

#[tokio::test]
async fn a_seat_from_the_line_waits_as_long_as_the_district_says_and_never_ends_at_night() {
    on_each_with(rested(), |world: World| async move {
        // Offered at 20:15: an hour later the district is still awake. At 20:45: the hour ends at night, so at seven.
        for (offered_at, expected) in [
            ("2026-09-01T20:15:00+08:00", "2026-09-01T21:15:00+08:00"),
            ("2026-09-01T20:45:00+08:00", "2026-09-02T07:00:00+08:00"),
        ] {
            let (_, [(seated, theirs), (_, waiting)]) = full(&world, RESTED).await;
            world.clock.set(moment(offered_at));

            withdraw(&world, &seated, &theirs).await.unwrap();

            // The hold of who left may be over by this clock: then a job gives the seat back, and not the withdrawal.
            let promoted = world.until(&waiting.id, State::Held).await;
            assert_eq!(expires(&promoted), moment(expected).timestamp(), "offered at {offered_at}");
            let Kind::SeatHeld(told) = world.last_told(&waiting.id).await else { panic!() };
            assert_eq!(told.hold_expire_time.unwrap().seconds, moment(expected).timestamp());
            assert!(told.from_waitlist);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn approval_and_payment_of_a_seat_from_the_line_each_have_their_own_time() {
    on_each_with(rested(), |world: World| async move {
        let (_, [(seated, theirs), (_, waiting)]) = full(&world, RESTED_REVIEWED).await;
        withdraw(&world, &seated, &theirs).await.unwrap();
        let promoted = world.get(&waiting.id).await;
        assert_eq!(promoted.state(), State::InReview);
        assert_eq!(expires(&promoted), (world.now() + TimeDelta::hours(1)).timestamp());

        world.clock.advance(TimeDelta::minutes(50));
        let approve = DecideStepRequest {
            request_id: world.request_id(),
            enrollment_id: waiting.id.clone(),
            step_key: "class_pre_review".to_owned(),
            approved: true,
            reason: String::new(),
        };
        let approved =
            world.staff(Role::ClassTeacher).decide_step(approve).await.unwrap().into_inner().enrollment;

        let approved = approved.unwrap();
        assert_eq!(approved.state(), State::Held);
        assert_eq!(expires(&approved), (world.now() + TimeDelta::hours(1)).timestamp());
        let Kind::SeatHeld(told) = world.last_told(&waiting.id).await else { panic!() };
        assert!(told.from_waitlist, "also after the review");
        // A seat that never stood in line waits as the round says.
        let (_, direct) = world.open(RESTED, Menu { weekday: 3, ..one_seat() }).await;
        let direct = world.apply(&world.family().await, direct).await;
        assert_eq!(expires(&direct), (world.now() + TimeDelta::minutes(30)).timestamp());
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn where_nobody_says_it_a_seat_from_the_line_waits_as_any_other_and_the_opener_is_told() {
    on_each(|world| async move {
        let (_, [(seated, theirs), (_, waiting)]) = full(&world, CHARGED).await;
        world.clock.set(moment("2026-09-01T23:50:00+08:00"));

        withdraw(&world, &seated, &theirs).await.unwrap();

        let promoted = world.until(&waiting.id, State::Held).await;
        assert_eq!(expires(&promoted), moment("2026-09-02T00:20:00+08:00").timestamp());
        let term_id = world.term(CHARGED).await;
        world.section(term_id, Menu::default()).await;
        let opened = open(&world, term_id.to_string()).await;
        let silent = ["waitlist_offer_minutes", "waitlist_quiet_from", "waitlist_quiet_to"];
        assert_eq!(opened, silent);
        world.end().await;
    })
    .await;
    on_each_with(rested(), |world: World| async move {
        let term_id = world.term(RESTED).await;
        world.section(term_id, Menu::default()).await;
        assert!(open(&world, term_id.to_string()).await.is_empty());
        world.end().await;
    })
    .await;
}

/// Opens a round; gives the keys nobody has decided.
async fn open(world: &World, term_id: String) -> Vec<String> {
    let request = OpenRoundRequest {
        request_id: world.request_id(),
        term_id,
        mode: round::Mode::FirstCome.into(),
        open_time: Some(time(world.now())),
        close_time: Some(time(world.now() + TimeDelta::days(1))),
        review_seconds: 0,
        payment_seconds: 0,
        ..OpenRoundRequest::default()
    };
    world.staff(Role::Principal).open_round(request).await.unwrap().into_inner().silent_keys
}

#[tokio::test]
async fn c51_a_declined_offer_is_the_next_familys_in_the_same_answer() {
    on_each(|world| async move {
        let (section_id, [(seated, theirs), (declining, first)]) = full(&world, CHARGED).await;
        let second = world.apply(&world.family().await, section_id).await;
        withdraw(&world, &seated, &theirs).await.unwrap();
        assert_eq!(world.get(&first.id).await.state(), State::Held);

        // Billing closes the invoice nobody has paid: one step, no waiting.
        let declined = withdraw(&world, &declining, &first).await.unwrap();

        assert_eq!(
            (declined.state(), declined.release_reason()),
            (State::Released, ReleaseReason::Withdrawn)
        );
        assert_eq!(world.get(&second.id).await.state(), State::Held);
        assert_eq!(world.told(&first.id).await, ["waitlisted", "seat_held", "seat_released"]);
        assert_eq!(world.fakes.asked_to_close(), [theirs.id, first.id]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_offer_whose_money_may_have_arrived_is_not_given_away_by_declining_it() {
    on_each(|world| async move {
        for answer in [Close::Settled, Close::Unanswered] {
            world.fakes.close_with(Close::Closed);
            let (section_id, [(seated, theirs), (declining, first)]) = full(&world, CHARGED).await;
            let second = world.apply(&world.family().await, section_id).await;
            withdraw(&world, &seated, &theirs).await.unwrap();
            world.fakes.close_with(answer);

            let declined = withdraw(&world, &declining, &first).await.unwrap();

            assert_eq!(declined.state(), State::Releasing, "{answer:?}");
            assert_eq!(world.get(&second.id).await.state(), State::Waitlisted);
            if answer == Close::Settled {
                world.until(&first.id, State::Confirmed).await;
            }
            assert_eq!(world.get(&second.id).await.state(), State::Waitlisted);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn billing_is_asked_nothing_for_a_repeat_or_for_a_request_id_used_before() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let families = world.families(2).await;
        let first = world.apply(&families[0], section_id).await;
        let withdrawn = WithdrawRequest { request_id: world.request_id(), enrollment_id: first.id.clone() };
        let mut guardian = world.guardian(&families[0]);
        let answer = guardian.withdraw(withdrawn.clone()).await.unwrap().into_inner();
        let again = world.apply(&families[0], section_id).await;

        assert_eq!(guardian.withdraw(withdrawn.clone()).await.unwrap().into_inner(), answer);
        let reused = WithdrawRequest { enrollment_id: again.id.clone(), ..withdrawn };
        let refused = guardian.withdraw(reused).await.unwrap_err();

        assert_eq!(crate::support::reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(world.fakes.asked_to_close(), [first.id]);
        assert_eq!(world.get(&again.id).await.state(), State::Held);
        world.end().await;
    })
    .await;
}

/// The transaction that last wrote each of these enrollments.
async fn writers(world: &World, ids: [&str; 2]) -> Vec<String> {
    let read = world.db.read();
    let sql = format!(
        "select cast(xmin as text) as writer from enrollment where id in ('{}', '{}')",
        ids[0], ids[1]
    );
    let rows = read.query_all_raw(Statement::from_string(read.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "writer").unwrap()).collect()
}

#[tokio::test]
async fn a_seat_is_given_back_and_offered_in_one_transaction_or_not_at_all() {
    on_each(|world| async move {
        let (_, [(seated, theirs), (next, waiting)]) = full(&world, FREE).await;
        // Whoever stores the offer fails: then nothing was given back either.
        let statement = match world.db.kind() {
            Engine::Sqlite => format!(
                "create trigger poison before insert on enrollment_slot when new.pupil_id = x'{}' \
                 begin select raise(abort, 'poison'); end",
                next.pupil_id.uuid().simple()
            ),
            Engine::Postgres => format!(
                "alter table enrollment_slot add constraint poison check (pupil_id <> '{}')",
                next.pupil_id
            ),
        };
        run(&world, &statement).await;
        withdraw(&world, &seated, &theirs).await.unwrap_err();
        assert_eq!(world.get(&theirs.id).await.state(), State::Confirmed);
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
        assert_eq!(world.told(&theirs.id).await, ["seat_confirmed"]);
        run(
            &world,
            match world.db.kind() {
                Engine::Sqlite => "drop trigger poison",
                Engine::Postgres => "alter table enrollment_slot drop constraint poison",
            },
        )
        .await;

        withdraw(&world, &seated, &theirs).await.unwrap();

        assert_eq!(world.get(&waiting.id).await.state(), State::Confirmed);
        if world.db.kind() == Engine::Postgres {
            let writers = writers(&world, [&theirs.id, &waiting.id]).await;
            assert_eq!((writers.len(), &writers[0]), (2, &writers[1]), "one transaction wrote both");
        }
        world.end().await;
    })
    .await;
}

async fn run(world: &World, statement: &str) {
    let tx = world.db.begin().await.unwrap();
    tx.execute_unprepared(statement).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_family_in_line_reads_what_became_of_those_before_it_and_of_the_line_a_term_ago() {
    on_each(|world| async move {
        // The same course a term ago: one of two in line was offered a seat.
        let past = {
            let (term_id, section_id) = world.open(FREE, one_seat()).await;
            run(&world, "update term set first_day = '2026-02-23'").await;
            let families = world.families(3).await;
            let mut places = Vec::new();
            for family in &families {
                places.push(world.apply(family, section_id).await);
            }
            withdraw(&world, &families[0], &places[0]).await.unwrap();
            line::Past { term_id: term_id.to_string(), joined_count: 2, offered_count: 1 }
        };
        let (_, section_id) = world.open(REVIEWED, Menu { capacity_count: 2, ..Menu::default() }).await;
        let families = world.families(6).await;
        let mut places = Vec::new();
        for family in &families {
            places.push(world.apply(family, section_id).await);
        }
        let opened = Some(time(world.now() - TimeDelta::hours(1)));
        let before = world.get(&places[4].id).await;
        let untouched = Line {
            waiting_count: 4,
            joined_count: 4,
            freed_count: 0,
            offered_count: 0,
            last_offer_time: None,
            since_time: opened,
            past: vec![past.clone()],
        };
        assert_eq!((before.waitlist_position, before.line), (3, Some(untouched.clone())));

        world.clock.advance(TimeDelta::minutes(5));
        // One in line leaves it, which frees nothing; two give back a seat.
        withdraw(&world, &families[3], &places[3]).await.unwrap();
        withdraw(&world, &families[0], &places[0]).await.unwrap();
        let offered_at = time(world.now());
        withdraw(&world, &families[2], &places[2]).await.unwrap();

        let list = ListPupilEnrollmentsRequest {
            pupil_id: families[5].pupil_id.to_string(),
            page_size: 10,
            page_token: String::new(),
        };
        let listed = world.guardian(&families[5]).list_pupil_enrollments(list).await.unwrap().into_inner();
        let last = &listed.enrollments[0];
        let moved = Line {
            waiting_count: 1,
            freed_count: 2,
            offered_count: 2,
            last_offer_time: Some(offered_at),
            ..untouched
        };
        assert_eq!((last.waitlist_position, last.line.clone()), (1, Some(moved)));
        assert_eq!(world.get(&places[4].id).await.line, None, "seated by now");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_cannot_sit_never_keeps_another_sections_line_from_moving() {
    on_each(|mut world| async move {
        // More sections than one look takes have a free seat, and in line only a pupil who sits elsewhere at that hour.
        let term_id = world.term(FREE).await;
        let mut stuck = Vec::new();
        for _ in 0..5 {
            stuck.push(world.section(term_id, one_seat()).await);
        }
        let wanted = world.section(term_id, one_seat()).await;
        let rival =
            world.section(term_id, Menu { start_time: "16:30", end_time: "17:30", ..one_seat() }).await;
        let blocking = world.section(term_id, Menu::default()).await;
        world.open_round(term_id).await;
        let [seated, elsewhere, next] = <[Family; 3]>::try_from(world.families(3).await).unwrap();
        let mut leaving = Vec::new();
        for (section_id, family) in stuck.iter().zip(world.families(5).await) {
            let theirs = world.apply(&family, *section_id).await;
            world.apply(&elsewhere, *section_id).await;
            leaving.push((family, theirs));
        }
        world.apply(&elsewhere, blocking).await;
        for (family, theirs) in &leaving {
            withdraw(&world, family, theirs).await.unwrap();
        }
        let theirs = world.apply(&seated, wanted).await;
        let waiting = world.apply(&next, wanted).await;
        world.apply(&next, rival).await;
        withdraw(&world, &seated, &theirs).await.unwrap();
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted, "sits in the rival");
        // From here on the job works by hand, two sections a look.
        world.halt().await;
        world.cancel(rival).await;
        let config = Jobs { batch_count: 2, ..Jobs::default() };
        let bench =
            Bench { db: (**world.db).clone(), clock: world.clock.shared(), hints: Arc::default(), config };

        assert_eq!(promote::promote(&bench).await.unwrap(), 1);

        assert_eq!(world.told(&waiting.id).await, ["waitlisted", "seat_confirmed"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_newcomer_never_gets_the_seat_that_somebody_in_line_could_take_by_now() {
    on_each(|mut world| async move {
        let (term_id, wanted) = world.open(FREE, one_seat()).await;
        let rival =
            world.section(term_id, Menu { start_time: "16:30", end_time: "17:30", ..one_seat() }).await;
        let [seated, waiting, newcomer] = <[Family; 3]>::try_from(world.families(3).await).unwrap();
        let theirs = world.apply(&seated, wanted).await;
        let place = world.apply(&waiting, wanted).await;
        world.apply(&waiting, rival).await;
        withdraw(&world, &seated, &theirs).await.unwrap();
        assert_eq!(world.get(&place.id).await.state(), State::Waitlisted, "sits in the rival");
        // The rival is cancelled, and before any job has looked, somebody new asks for the free seat.
        world.halt().await;
        world.cancel(rival).await;
        let desk = Desk {
            db: (**world.db).clone(),
            clock: world.clock.shared(),
            packs: world.packs.clone(),
            hints: Arc::default(),
        };
        let application = Application {
            enrollment_id: random::id(world.now()),
            request_id: random::uuid(world.now()),
            guardian_id: newcomer.guardian_id,
            district_id: Id::new(world.school.path[0]),
            pupil_id: newcomer.pupil_id,
            section_id: wanted,
            join_waitlist: false,
        };

        let refused = desk.decide(&[&Ask::One(application.clone())]).await.unwrap().remove(0);

        assert!(matches!(refused, Err(Refusal::One(admission::Error::Full { .. }))), "{refused:?}");
        assert_eq!(world.told(&place.id).await, ["waitlisted", "seat_confirmed"]);
        world.end().await;
    })
    .await;
}
