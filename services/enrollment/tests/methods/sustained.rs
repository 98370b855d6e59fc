//! Two processes of the service's own program on one PostgreSQL, pressed for tens of seconds: families apply, give back, apply again, send
//! what was not answered once more with the same key to the other process, and send what was answered once more too. No seat is
//! given twice, nothing happens twice, every answer is explained, and each section's answers could have been given in one order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use enrollment::hint;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::{ApplyRequest, Enrollment, WithdrawRequest};
use shared::clock::{Clock as _, SystemClock};
use shared::db::Kind;
use shared::testing::free_port;
use shared::value::{Id, Section};
use tokio::sync::Mutex;
use tonic::{Code, Status};

use crate::kill::{Program, rows};
use crate::linear::{Ask, Call, Told, call, counted, guess, heard, in_one_order, is_no_answer};
use crate::support::{FREE, Family, Menu, World, reason};

/// How long it goes on at least, and for how many requests.
const LASTS: Duration = Duration::from_secs(20);
const REQUESTS: usize = 3_000;

/// Families of a round, each after a seat in every section of it.
const FAMILIES: usize = 40;
const SECTIONS: usize = 4;
const CAPACITY: usize = 6;

/// How often one request is sent until it is answered.
const TRIES: usize = 60;

/// Who presses, and what came of it.
struct Press {
    world: World,
    began_at: Instant,
    dice: AtomicU64,
    sent: AtomicUsize,
    abandoned: AtomicUsize,
    repeated: AtomicUsize,
    refused: AtomicUsize,
    /// The ids of all enrollments anybody was told of.
    known: Mutex<BTreeSet<String>>,
}

/// What a request was answered in the end.
struct Answered<T> {
    answer: Result<T, Status>,
    /// Whether the first send was the one that was answered.
    at_once: bool,
    from: u64,
    to: u64,
}

impl Press {
    fn now(&self) -> u64 {
        u64::try_from(self.began_at.elapsed().as_nanos()).unwrap()
    }

    fn roll(&self, sides: u64) -> u64 {
        let next = self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % sides
    }

    /// Sends until there is an answer, always the same, to one process or the other; now and then does not wait for it.
    async fn send<T, F: Future<Output = Result<T, Status>>>(&self, send: impl Fn(bool) -> F) -> Answered<T> {
        let from = self.now();
        for tried in 0..TRIES {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let beside = self.roll(2) == 0;
            let answer = match self.roll(8) {
                0 => {
                    let patience = Duration::from_millis(1 + self.roll(25));
                    tokio::time::timeout(patience, send(beside)).await.ok()
                }
                _ => Some(send(beside).await),
            };
            match answer {
                None => {
                    self.abandoned.fetch_add(1, Ordering::Relaxed);
                }
                Some(Err(refusal)) if is_no_answer(&refusal) => {}
                // Nothing was done, and who sends it says when to come again.
                Some(Err(refusal)) if refusal.code() == Code::ResourceExhausted => {
                    let wait = shared::status::retry_after_of(&refusal).expect("it says when to come again");
                    tokio::time::sleep(wait).await;
                }
                Some(answer) => return Answered { answer, at_once: tried == 0, from, to: self.now() },
            }
        }
        panic!("no answer to the same request sent {TRIES} times");
    }

    async fn apply(&self, family: &Family, request: &ApplyRequest) -> Answered<Enrollment> {
        self.send(|beside| {
            let (mut guardian, request) = (self.world.guardian_at(family, beside), request.clone());
            async move { Ok(guardian.apply(request).await?.into_inner().enrollment.unwrap()) }
        })
        .await
    }

    async fn withdraw(&self, family: &Family, request: &WithdrawRequest) -> Answered<Enrollment> {
        self.send(|beside| {
            let (mut guardian, request) = (self.world.guardian_at(family, beside), request.clone());
            async move { Ok(guardian.withdraw(request).await?.into_inner().enrollment.unwrap()) }
        })
        .await
    }

    /// One family's wishes for one section, one after the other, written into `history`.
    async fn live(&self, number: usize, family: &Family, section: Id<Section>, history: &Mutex<Vec<Call>>) {
        for _ in 0..4 {
            let request = self.world.application(family, section, self.roll(4) > 0);
            let applied = self.apply(family, &request).await;
            let given = match applied.answer {
                Ok(given) => given,
                Err(refusal) => {
                    assert_eq!(reason(&refusal), "SECTION_FULL", "not explained: {refusal:?}");
                    assert!(!request.join_waitlist, "who would wait is put in line");
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    let refused = call(number, Ask::Apply, Told::Full, applied.from, applied.to);
                    history.lock().await.push(refused);
                    continue;
                }
            };
            // A repeat tells where it stands by then.
            let told = if applied.at_once { heard(&given) } else { Told::Placed };
            history.lock().await.push(call(number, Ask::Apply, told, applied.from, applied.to));
            self.known.lock().await.insert(given.id.clone());
            if self.roll(3) == 0 {
                self.repeated.fetch_add(1, Ordering::Relaxed);
                let again = self.apply(family, &request).await.answer.unwrap();
                assert_eq!(again.id, given.id, "one request, two enrollments");
            }
            if self.roll(3) == 0 {
                return;
            }
            let request =
                WithdrawRequest { request_id: self.world.request_id(), enrollment_id: given.id.clone() };
            let withdrawn = self.withdraw(family, &request).await;
            let left = withdrawn.answer.unwrap_or_else(|refusal| panic!("not explained: {refusal:?}"));
            assert_eq!((&left.id, left.state()), (&given.id, State::Released));
            let released = call(number, Ask::Withdraw, Told::Released, withdrawn.from, withdrawn.to);
            history.lock().await.push(released);
            if self.roll(3) == 0 {
                self.repeated.fetch_add(1, Ordering::Relaxed);
                let again = self.withdraw(family, &request).await.answer.unwrap();
                assert_eq!((&again.id, again.state()), (&left.id, State::Released));
            }
        }
    }

    /// Everybody at once after every section of a new term, and then the books of each section.
    async fn round(self: &Arc<Self>) {
        // Tokens last five minutes of the clock, which here is the machine's.
        self.world.clock.set(SystemClock.now());
        let term_id = self.world.term(FREE).await;
        let mut sections = Vec::new();
        for weekday in 1..=SECTIONS {
            let menu = Menu {
                capacity_count: i32::try_from(CAPACITY).unwrap(),
                weekday: i32::try_from(weekday).unwrap(),
                ..Menu::default()
            };
            sections.push(self.world.section(term_id, menu).await);
        }
        self.world.open_round(term_id).await;
        let families = self.world.families(FAMILIES).await;
        let histories: Arc<Vec<_>> = Arc::new(sections.iter().map(|_| Mutex::new(Vec::new())).collect());
        let living = (0..FAMILIES * SECTIONS).map(|at| {
            let (press, histories) = (self.clone(), histories.clone());
            let (number, which) = (at / SECTIONS, at % SECTIONS);
            let (family, section) = (families[number].clone(), sections[which]);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(press.roll(150))).await;
                press.live(number, &family, section, &histories[which]).await;
            })
        });
        for lived in futures::future::join_all(living).await {
            lived.unwrap();
        }
        for (section, history) in sections.into_iter().zip(histories.iter()) {
            let (from, told) = (self.now(), counted(&self.world, term_id, section).await);
            let mut history = history.lock().await.clone();
            history.push(call(usize::MAX, Ask::Count, told, from, self.now()));
            // A process may know a section as full for a moment longer than it is.
            for call in history.iter_mut().filter(|call| call.told == Told::Full) {
                let stale = u64::try_from(hint::LIFETIME.as_nanos()).unwrap();
                call.from = call.from.saturating_sub(stale);
            }
            guess(&self.world, &families, section, &mut history).await;
            let found = in_one_order(CAPACITY, &history);
            assert_eq!(found, Some(true), "no order gives {history:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_on_one_database_under_lasting_load_oversell_nothing_and_explain_every_answer() {
    let packs = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
    let packs = Arc::new(policy::Live::open(packs).unwrap());
    let mut world = World::start_with(Kind::Postgres, packs).await;
    world.halt().await;
    world.clock.set(SystemClock.now());
    let ports = [free_port(), free_port()];
    let programs = [Program::start(&world, ports[0]).await, Program::start(&world, ports[1]).await];
    world.answered_by(ports.map(|port| format!("http://127.0.0.1:{port}")));
    let press = Arc::new(Press {
        world,
        began_at: Instant::now(),
        dice: AtomicU64::new(u64::from_be_bytes(shared::random::bytes())),
        sent: AtomicUsize::new(0),
        abandoned: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        known: Mutex::default(),
    });

    let mut rounds = 0;
    while press.began_at.elapsed() < LASTS || press.sent.load(Ordering::Relaxed) < REQUESTS {
        press.round().await;
        rounds += 1;
    }

    let press = Arc::into_inner(press).unwrap();
    println!(
        "{} requests in {rounds} rounds and {:?}: {} never awaited, {} sent again though answered, {} refused as full",
        press.sent.load(Ordering::Relaxed),
        press.began_at.elapsed(),
        press.abandoned.load(Ordering::Relaxed),
        press.repeated.load(Ordering::Relaxed),
        press.refused.load(Ordering::Relaxed),
    );
    assert!(press.abandoned.load(Ordering::Relaxed) > 0 && press.repeated.load(Ordering::Relaxed) > 0);
    let world = press.world;
    let oversold = format!(
        "select count(*) as number from (select section_id from enrollment where state = 'confirmed' \
         group by section_id having count(*) > {CAPACITY}) as oversold"
    );
    assert_eq!(rows(&world, &oversold).await, 0, "oversold");
    let twice = "select count(*) as number from (select section_id, pupil_id from enrollment \
                 where state <> 'released' group by section_id, pupil_id having count(*) > 1) as twice";
    assert_eq!(rows(&world, twice).await, 0, "a child sits twice in one section");
    let all = rows(&world, "select count(*) as number from enrollment").await;
    assert_eq!(usize::try_from(all).unwrap(), press.known.into_inner().len(), "one that nobody was told of");
    drop(programs);
    world.end().await;
}
