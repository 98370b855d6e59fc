//! What concurrent families were told can be put in one order: each section behaves as if it had answered one after the other, every
//! answer somewhere between its question and its arrival.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use enrollment::hint;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{Enrollment, Event, ListSeatsRequest, WithdrawRequest};
use shared::client::Link;
use shared::db::Kind;
use shared::testing::told;
use shared::value::{Id, Section, Term};
use tokio::sync::Mutex;
use tonic::{Code, Status};

use crate::support::{FREE, Family, Menu, World, on_each, reason};

// The checker: a search over all orders, in which whatever is certain is done first.

/// What a family asked of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Apply,
    Withdraw,
    /// How full it is; the last to ask, when all is quiet.
    Count,
}

/// What it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Seated,
    /// In line, at this place.
    InLine(usize),
    /// That it has a place, seated or in line: what it was at the moment nobody heard.
    Placed,
    Full,
    Released,
    /// So many seated, so many in line.
    Counted(usize, usize),
    /// Nothing: it may have happened, or may yet, or never.
    Unknown,
}

/// One question and its answer, in nanoseconds of one clock.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub pupil: usize,
    pub ask: Ask,
    pub told: Told,
    pub from: u64,
    pub to: u64,
    /// Where the search looks first: the order in which the service says that it was. Proves nothing.
    guess: usize,
}

/// A section as the specification has it: who sits, and the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Spec {
    seated: Vec<usize>,
    line: Vec<usize>,
}

impl Spec {
    /// Answers `call` and moves on; nothing where the answer told is not the one it would give.
    fn answer(&self, capacity: usize, call: &Call) -> Option<Self> {
        let mut next = self.clone();
        let agrees = match (call.ask, call.told) {
            (Ask::Count, Told::Counted(seated, line)) => {
                (self.seated.len(), self.line.len()) == (seated, line)
            }
            (Ask::Apply, told) if self.seated.len() < capacity => {
                next.seated.push(call.pupil);
                next.seated.sort_unstable();
                matches!(told, Told::Seated | Told::Placed | Told::Unknown)
            }
            (Ask::Apply, Told::Full) => true,
            (Ask::Apply, told) => {
                next.line.push(call.pupil);
                told == Told::InLine(next.line.len()) || matches!(told, Told::Placed | Told::Unknown)
            }
            (Ask::Withdraw, told) => {
                next.line.retain(|pupil| *pupil != call.pupil);
                next.seated.retain(|pupil| *pupil != call.pupil);
                if next.seated.len() < self.seated.len() && !next.line.is_empty() {
                    let first = next.line.remove(0);
                    next.seated.push(first);
                    next.seated.sort_unstable();
                }
                matches!(told, Told::Released | Told::Unknown) && next != *self
            }
            (Ask::Count, _) => false,
        };
        agrees.then_some(next)
    }
}

/// Looks for an order in which the section gives every answer. Says whether there is one; nothing when it gave up.
pub fn in_one_order(capacity: usize, calls: &[Call]) -> Option<bool> {
    let mut search = Search { capacity, calls, seen: HashSet::new(), steps: 0 };
    search.go(vec![false; calls.len()], Spec::default())
}

struct Search<'a> {
    capacity: usize,
    calls: &'a [Call],
    seen: HashSet<(Vec<bool>, Spec)>,
    steps: usize,
}

impl Search<'_> {
    fn go(&mut self, mut done: Vec<bool>, spec: Spec) -> Option<bool> {
        // Whatever changes nothing is put as early as it can be: it stands in nobody's way.
        loop {
            let still = self.open(&done).into_iter().find(|at| {
                self.calls[*at].told != Told::Unknown
                    && spec.answer(self.capacity, &self.calls[*at]).as_ref() == Some(&spec)
            });
            let Some(at) = still else { break };
            done[at] = true;
        }
        if (0..done.len()).all(|at| done[at] || self.calls[at].told == Told::Unknown) {
            return Some(true);
        }
        self.steps += 1;
        if self.steps > 200_000 {
            return None;
        }
        if !self.seen.insert((done.clone(), spec.clone())) {
            return Some(false);
        }
        let mut open = self.open(&done);
        open.sort_by_key(|at| (self.calls[*at].guess, self.calls[*at].to));
        // Of those who get a seat now, the one who heard of it first may as well be first: the others can still be where it was.
        let seated = open.iter().copied().filter(|at| self.calls[*at].told == Told::Seated);
        let first_seated = seated.min_by_key(|at| self.calls[*at].to);
        for at in open {
            if self.calls[at].told == Told::Seated && Some(at) != first_seated {
                continue;
            }
            let Some(next) = spec.answer(self.capacity, &self.calls[at]) else { continue };
            let mut done = done.clone();
            done[at] = true;
            match self.go(done, next) {
                Some(false) => {}
                found => return found,
            }
        }
        Some(false)
    }

    /// Those that may come next: asked before anybody still missing was answered.
    fn open(&self, done: &[bool]) -> Vec<usize> {
        let missing = (0..done.len()).filter(|at| !done[*at]);
        let latest = missing.clone().map(|at| self.calls[at].to).min().unwrap_or(u64::MAX);
        missing.filter(|at| self.calls[*at].from <= latest).collect()
    }
}

pub fn call(pupil: usize, ask: Ask, told: Told, from: u64, to: u64) -> Call {
    let to = if told == Told::Unknown { u64::MAX } else { to };
    Call { pupil, ask, told, from, to, guess: usize::MAX }
}

#[test]
fn the_checker_finds_the_order_of_good_histories() {
    use Ask::{Apply, Count, Withdraw};
    use Told::{Counted, Full, InLine, Placed, Released, Seated, Unknown};
    let table = [
        (
            "one after the other",
            vec![call(1, Apply, Seated, 0, 1), call(2, Apply, InLine(1), 2, 3), call(3, Apply, Full, 4, 5)],
        ),
        (
            "at once, the later answer first",
            vec![call(1, Apply, InLine(1), 0, 9), call(2, Apply, Seated, 1, 2)],
        ),
        (
            "a seat given back goes to the line",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(2, Apply, InLine(1), 2, 3),
                call(1, Withdraw, Released, 4, 5),
                call(3, Apply, Full, 6, 7),
                call(9, Count, Counted(1, 0), 8, 9),
            ],
        ),
        (
            "one that was placed unheard gave its seat back",
            vec![
                call(1, Apply, Placed, 0, 9),
                call(2, Apply, InLine(1), 0, 5),
                call(1, Withdraw, Released, 10, 11),
                call(9, Count, Counted(1, 0), 12, 13),
            ],
        ),
        ("an unknown one took the seat", vec![call(1, Apply, Unknown, 0, 0), call(2, Apply, Full, 5, 6)]),
        ("an unknown one never happened", vec![call(1, Apply, Unknown, 0, 0), call(2, Apply, Seated, 5, 6)]),
        (
            "an unknown one happens late",
            vec![
                call(1, Apply, Unknown, 0, 0),
                call(2, Apply, Seated, 1, 2),
                call(3, Apply, InLine(2), 3, 4),
            ],
        ),
    ];
    for (name, calls) in table {
        assert_eq!(in_one_order(1, &calls), Some(true), "{name}");
    }
}

#[test]
fn the_checker_bites_on_bad_histories() {
    use Ask::{Apply, Count, Withdraw};
    use Told::{Counted, Full, InLine, Placed, Released, Seated, Unknown};
    let table = [
        ("one seat given twice", vec![call(1, Apply, Seated, 0, 9), call(2, Apply, Seated, 0, 9)]),
        ("refused while a seat was free", vec![call(1, Apply, Full, 0, 1), call(2, Apply, Seated, 2, 3)]),
        (
            "put in line while a seat was free",
            vec![call(1, Apply, InLine(1), 0, 1), call(2, Apply, Seated, 2, 3)],
        ),
        (
            "ahead of one who stood there before",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(2, Apply, InLine(2), 2, 3),
                call(3, Apply, InLine(1), 4, 5),
            ],
        ),
        (
            "two at one place",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(2, Apply, InLine(1), 2, 9),
                call(3, Apply, InLine(1), 2, 9),
            ],
        ),
        (
            "a newcomer got the seat of the line",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(2, Apply, InLine(1), 2, 3),
                call(1, Withdraw, Released, 4, 5),
                call(3, Apply, Seated, 6, 7),
            ],
        ),
        (
            "a seat given back was lost",
            vec![call(1, Apply, Seated, 0, 1), call(1, Withdraw, Released, 2, 3), call(2, Apply, Full, 4, 5)],
        ),
        (
            "a seat given back twice",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(1, Withdraw, Released, 2, 3),
                call(1, Withdraw, Released, 4, 5),
            ],
        ),
        (
            "one unknown answer cannot have happened twice",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(1, Withdraw, Unknown, 2, 2),
                call(2, Apply, Seated, 4, 5),
                call(3, Apply, Seated, 6, 7),
            ],
        ),
        ("one that was placed is nowhere", vec![call(1, Apply, Placed, 0, 1), call(2, Apply, Seated, 2, 3)]),
        (
            "a promised seat is gone at the end",
            vec![call(1, Apply, Seated, 0, 1), call(9, Count, Counted(0, 0), 2, 3)],
        ),
        (
            "the line is shorter than it was told",
            vec![
                call(1, Apply, Seated, 0, 1),
                call(2, Apply, InLine(1), 2, 3),
                call(9, Count, Counted(1, 0), 4, 5),
            ],
        ),
    ];
    for (name, calls) in table {
        assert_eq!(in_one_order(1, &calls), Some(false), "{name}");
    }
}

// The recording.

/// How many families press on each of two sections, and how often the whole is done.
const FAMILIES: usize = 40;
const ROUNDS: usize = 4;
const CAPACITY: usize = 6;

struct Recorder {
    world: World,
    began_at: Instant,
    dice: AtomicU64,
    abandoned: AtomicU64,
}

impl Recorder {
    fn now(&self) -> u64 {
        u64::try_from(self.began_at.elapsed().as_nanos()).unwrap()
    }

    fn roll(&self, sides: u64) -> u64 {
        let next = self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % sides
    }

    fn client(&self, family: &Family) -> EnrollmentServiceClient<Link> {
        self.world.guardian_at(family, self.roll(2) == 0)
    }

    /// Waits for an answer, or now and then not long enough.
    async fn patiently<T>(
        &self,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Option<Result<T, Status>> {
        if self.roll(8) > 0 {
            return Some(answer.await);
        }
        let answered = tokio::time::timeout(Duration::from_millis(1 + self.roll(12)), answer).await.ok();
        if answered.is_none() {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        answered
    }

    /// One family's life on one section, written into `history`.
    async fn press(&self, number: usize, family: &Family, section: Id<Section>, history: &Mutex<Vec<Call>>) {
        for _ in 0..3 {
            let request = self.world.application(family, section, self.roll(4) > 0);
            let from = self.now();
            let (mut client, join) = (self.client(family), request.join_waitlist);
            let answered = self.patiently(async { client.apply(request).await }).await;
            let to = self.now();
            let (told, enrollment) = match answered {
                None => (Told::Unknown, None),
                Some(Err(refusal)) if reason(&refusal) == "SECTION_FULL" && !join => (Told::Full, None),
                Some(Err(refusal)) if is_no_answer(&refusal) => (Told::Unknown, None),
                Some(Err(refusal)) => panic!("not explained: {refusal:?}"),
                Some(Ok(answer)) => {
                    let given = answer.into_inner().enrollment.unwrap();
                    (heard(&given), Some(given))
                }
            };
            history.lock().await.push(call(number, Ask::Apply, told, from, to));
            match (told, enrollment) {
                // Whoever does not know what became of it stops here.
                (Told::Unknown, _) => return,
                (_, Some(given)) => {
                    let goes_on = self.roll(2) == 0 && self.withdraw(number, family, &given, history).await;
                    if !goes_on {
                        return;
                    }
                }
                (_, None) => {}
            }
        }
    }

    async fn withdraw(
        &self,
        number: usize,
        family: &Family,
        given: &Enrollment,
        history: &Mutex<Vec<Call>>,
    ) -> bool {
        let request =
            WithdrawRequest { request_id: self.world.request_id(), enrollment_id: given.id.clone() };
        let from = self.now();
        let mut client = self.client(family);
        let answered = self.patiently(async { client.withdraw(request).await }).await;
        let to = self.now();
        let told = match answered {
            None => Told::Unknown,
            Some(Err(refusal)) if is_no_answer(&refusal) => Told::Unknown,
            Some(Err(refusal)) => panic!("not explained: {refusal:?}"),
            Some(Ok(answer)) => {
                assert_eq!(answer.into_inner().enrollment.unwrap().state(), State::Released);
                Told::Released
            }
        };
        history.lock().await.push(call(number, Ask::Withdraw, told, from, to));
        told == Told::Released
    }
}

/// Notes where the events of the feed have each call. What left no event did not happen, and is looked at last.
pub async fn guess(world: &World, families: &[Family], section: Id<Section>, history: &mut [Call]) {
    let told = told::<Event>(&world.db).await;
    for (number, family) in families.iter().enumerate() {
        let (pupil_id, section_id) = (family.pupil_id.to_string(), section.to_string());
        let theirs = told
            .iter()
            .enumerate()
            .filter(|(_, (_, _, event))| event.pupil_id == pupil_id && event.section_id == section_id);
        let (mut begun, mut ended, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (position, (name, subject, _)) in theirs {
            if seen.insert(*subject) {
                begun.push(position);
            }
            if name == "seat_released" {
                ended.push(position);
            }
        }
        let (mut begun, mut ended) = (begun.into_iter(), ended.into_iter());
        for call in history.iter_mut().filter(|call| call.pupil == number && call.told != Told::Full) {
            let next = match call.ask {
                Ask::Apply => begun.next(),
                Ask::Withdraw => ended.next(),
                Ask::Count => None,
            };
            call.guess = next.unwrap_or(usize::MAX);
        }
    }
}

/// How full the section is.
pub async fn counted(world: &World, term_id: Id<Term>, section: Id<Section>) -> Told {
    let request = ListSeatsRequest { term_id: term_id.to_string() };
    let seats = world.anyone().list_seats(request).await.unwrap().into_inner().seats;
    let seats = seats.into_iter().find(|seats| seats.section_id == section.to_string()).unwrap();
    let count = |count: i32| usize::try_from(count).unwrap();
    Told::Counted(count(seats.taken_count), count(seats.waitlisted_count))
}

/// Says whether a refusal leaves open what became of the call.
pub fn is_no_answer(refusal: &Status) -> bool {
    [Code::Aborted, Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled].contains(&refusal.code())
}

pub fn heard(enrollment: &Enrollment) -> Told {
    match enrollment.state() {
        State::Confirmed => Told::Seated,
        State::Waitlisted => Told::InLine(usize::try_from(enrollment.waitlist_position).unwrap()),
        state => panic!("{state:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_processes_answer_at_once_they_could_have_answered_one_after_the_other() {
    on_each(|mut world| async move {
        let is_one = world.db.kind() == Kind::Sqlite;
        if !is_one {
            world.serve_beside().await;
        }
        let recorder = Arc::new(Recorder {
            world,
            began_at: Instant::now(),
            dice: AtomicU64::new(u64::from_be_bytes(shared::random::bytes())),
            abandoned: AtomicU64::new(0),
        });
        let mut calls = 0;
        for round in 0..ROUNDS {
            let world = &recorder.world;
            let weekday = i32::try_from(round).unwrap() + 1;
            let term_id = world.term(FREE).await;
            let menu = Menu { capacity_count: i32::try_from(CAPACITY).unwrap(), weekday, ..Menu::default() };
            let later = Menu { start_time: "17:00", end_time: "18:00", ..menu.clone() };
            let sections = [world.section(term_id, menu).await, world.section(term_id, later).await];
            world.open_round(term_id).await;
            let families = world.families(FAMILIES).await;
            let histories = Arc::new([Mutex::new(Vec::new()), Mutex::new(Vec::new())]);
            let pressing = (0..FAMILIES * 2).map(|at| {
                let (recorder, histories) = (recorder.clone(), histories.clone());
                let (family, which) = (families[at / 2].clone(), at % 2);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(recorder.roll(60))).await;
                    recorder.press(at / 2, &family, sections[which], &histories[which]).await;
                })
            });
            for pressed in futures::future::join_all(pressing).await {
                pressed.unwrap();
            }
            // What was abandoned mostly ends within the groups and transactions still under way; what does not may happen later.
            tokio::time::sleep(Duration::from_millis(300)).await;
            for (section, history) in sections.into_iter().zip(histories.iter()) {
                let (from, told) = (recorder.now(), counted(world, term_id, section).await);
                let mut history = history.lock().await.clone();
                history.push(call(usize::MAX, Ask::Count, told, from, recorder.now()));
                // Another process may know a section as full for a moment longer than it is.
                for call in history.iter_mut().filter(|call| call.told == Told::Full && !is_one) {
                    let stale = u64::try_from(hint::LIFETIME.as_nanos()).unwrap();
                    call.from = call.from.saturating_sub(stale);
                }
                guess(world, &families, section, &mut history).await;
                calls += history.len();
                let found = in_one_order(CAPACITY, &history);
                assert_eq!(found, Some(true), "no order gives {history:?}");
            }
        }
        let abandoned = recorder.abandoned.load(Ordering::Relaxed);
        println!("{}: {calls} answers, {abandoned} of them never awaited", recorder.world.db.kind());
        assert!(abandoned > 0, "no outcome was unknown");
        Arc::into_inner(recorder).unwrap().world.end().await;
    })
    .await;
}
