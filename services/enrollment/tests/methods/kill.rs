//! The service as a process of its own, killed in the middle of a rush, again and again: what was acknowledged is there, what was
//! not is answered when it is sent again, and nothing happened twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{ApplyRequest, Enrollment};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::client::{self, Link};
use shared::clock::{Clock as _, SystemClock};
use shared::db::Kind;
use shared::testing::free_port;

use crate::support::{CHARGED, Family, Menu, PATIENCE, World, eventually};

/// Families that press, for far fewer seats.
const FAMILIES: usize = 240;
const CAPACITY: usize = 90;

/// The service's own program, ended for good when it is let go.
pub struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts it and waits until it answers.
    pub async fn start(world: &World, port: u16) -> Self {
        let set = |key: &str, value: String| (format!("KEHOU_ENROLLMENT__{key}"), value);
        let mut command = Command::new("setpriv");
        command
            .arg("--pdeathsig=KILL")
            .arg(env!("CARGO_BIN_EXE_enrollment"))
            .envs([
                set("LISTEN", format!("127.0.0.1:{port}")),
                set("ADMIN_LISTEN", String::new()),
                set("DB__URL", world.db.config().url.clone()),
                set("KEYS", world.keys().display().to_string()),
                set("SEAL_KEYS", world.keys().join("enrollment.seal").display().to_string()),
                set("POLICIES", concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies").to_owned()),
                set("PEERS__IDENTITY", world.peers().to_owned()),
                set("PEERS__CATALOG", world.peers().to_owned()),
                set("PEERS__BILLING", world.peers().to_owned()),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Self(command.spawn().unwrap());
        eventually("the service to come up", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        program
    }

    /// SIGKILL: nothing is flushed, closed or answered any more.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

pub async fn rows(world: &World, sql: &str) -> i64 {
    let read = world.db.read();
    let row = read.query_one_raw(Statement::from_string(read.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get("", "number").unwrap()
}

/// Everybody sends at once, `tries` times until there is an answer; gives what each was told, as far as anything was.
async fn rush(
    url: &str,
    tokens: &[String],
    requests: &[ApplyRequest],
    answered: &Arc<AtomicUsize>,
    tries: usize,
) -> Vec<Option<Enrollment>> {
    let channel = client::channel(url).unwrap();
    let sending = tokens.iter().zip(requests).map(|(token, request)| {
        let link = Link::anonymous(channel.clone()).with_deadline(PATIENCE).as_caller(token.clone());
        let (request, answered) = (request.clone(), answered.clone());
        tokio::spawn(async move {
            for _ in 0..tries {
                match EnrollmentServiceClient::new(link.clone()).apply(request.clone()).await {
                    Ok(answer) => {
                        answered.fetch_add(1, Ordering::SeqCst);
                        return answer.into_inner().enrollment;
                    }
                    Err(refusal) if tries > 1 => {
                        tell(&format!("tried again: {:?} {}", refusal.code(), refusal.message()))
                    }
                    Err(_) => {}
                }
            }
            None
        })
    });
    let told = futures::future::join_all(sending).await;
    told.into_iter().map(Result::unwrap).collect()
}

async fn survive(kind: Kind, kills: usize) {
    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
    let packs = Arc::new(policy::Live::open(packs).unwrap());
    let mut world = World::start_with(kind, packs).await;
    world.clock.set(SystemClock.now());
    let families: Vec<Family> = world.families(FAMILIES).await;
    let mut sections = Vec::new();
    for weekday in 1..=kills {
        let menu = Menu {
            capacity_count: i32::try_from(CAPACITY).unwrap(),
            weekday: i32::try_from(weekday).unwrap(),
            ..Menu::default()
        };
        sections.push(world.open(CHARGED, menu).await.1);
    }
    // From here on only the program answers.
    world.halt().await;
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let mut program = Program::start(&world, port).await;
    let (mut unanswered_count, mut silently_kept_count) = (0, 0);

    for (round, section_id) in sections.into_iter().enumerate() {
        world.clock.set(SystemClock.now());
        let tokens: Vec<_> = families.iter().map(|family| world.token(family)).collect();
        let requests: Vec<_> =
            families.iter().map(|family| world.application(family, section_id, true)).collect();
        let answered = Arc::new(AtomicUsize::new(0));
        let killing = async {
            // At another moment in each round: some are told, the others are on their way.
            let until = Instant::now() + PATIENCE;
            while answered.load(Ordering::SeqCst) < 1 + round * 30 {
                assert!(Instant::now() < until, "the moment never came");
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            program.kill();
        };
        let (before, ()) = tokio::join!(rush(&url, &tokens, &requests, &answered, 1), killing);
        let of_section = format!(
            "select count(*) as number from enrollment where section_id = {}",
            match kind {
                Kind::Sqlite => format!("x'{}'", section_id.uuid().simple()),
                Kind::Postgres => format!("'{section_id}'"),
            }
        );
        let acknowledged = before.iter().flatten().count();
        unanswered_count += FAMILIES - acknowledged;
        let kept = usize::try_from(rows(&world, &of_section).await).unwrap();
        assert!(kept >= acknowledged, "{acknowledged} were told, {kept} are there");
        silently_kept_count += kept - acknowledged;

        program = Program::start(&world, port).await;
        let after = rush(&url, &tokens, &requests, &answered, 10).await;

        let mut ids = BTreeSet::new();
        let mut places: BTreeMap<State, Vec<i32>> = BTreeMap::new();
        for (before, after) in before.iter().zip(&after) {
            let after = after.as_ref().expect("sent again, it is answered");
            assert!(ids.insert(after.id.clone()), "one enrollment for two families");
            places.entry(after.state()).or_default().push(after.waitlist_position);
            if let Some(before) = before {
                assert_eq!(
                    (&before.id, before.state()),
                    (&after.id, after.state()),
                    "acknowledged, and changed"
                );
                assert_eq!(before.waitlist_position, after.waitlist_position);
            }
        }
        assert_eq!(places[&State::Held].len(), CAPACITY);
        places.get_mut(&State::Waitlisted).unwrap().sort_unstable();
        let line: Vec<_> = (1..=i32::try_from(FAMILIES - CAPACITY).unwrap()).collect();
        assert_eq!(places[&State::Waitlisted], line);
        assert_eq!(usize::try_from(rows(&world, &of_section).await).unwrap(), FAMILIES);
    }
    tell(&format!(
        "{kind}: killed {kills} times with {unanswered_count} unanswered, of which {silently_kept_count} were kept"
    ));
    assert!(unanswered_count > 0, "no kill hit a request on its way");
    drop(program);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill_and_nothing_happens_twice_on_sqlite() {
    survive(Kind::Sqlite, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill_and_nothing_happens_twice_on_postgres() {
    survive(Kind::Postgres, 5).await;
}

#[expect(clippy::print_stderr, reason = "what was provoked, for whoever asks for the output")]
fn tell(line: &str) {
    eprintln!("{line}");
}
