//! Measuring the rush: `kehou bench rush`.
//!
//! | file | knows |
//! |---|---|
//! | here | the command, and the order in which things are measured |
//! | [`profile`] | what is asked, from a seed |
//! | [`load`] | asking it: so many at once, or so many a second |
//! | [`world`] | a school for it, straight in the databases; what must hold afterwards |
//! | [`service`] | admission alone, in this process |
//! | [`whole`] | the whole way over HTTP, the platform in a process of its own |
//! | [`naive`] | the way it is measured against: a transaction for each application |
//! | [`redis`] | another: a stock counter in Redis |
//! | [`postgres`], [`pgbench`] | a durable PostgreSQL for one run, and what its commits cost |
//! | [`known_full`] | what became of those who came too late |
//! | [`http`] | a client that costs little |
//! | [`process`] | processor time and memory as the kernel counts them |
//! | [`report`] | what was measured, in lines |

#![expect(clippy::float_arithmetic, reason = "measurements; no money is near")]

pub mod http;
pub mod known_full;
pub mod load;
pub mod naive;
pub mod pgbench;
pub mod postgres;
pub mod process;
pub mod profile;
pub mod redis;
pub mod report;
pub mod service;
pub mod whole;
pub mod world;

use std::io;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};
use enrollment::config::Admission;
use policy::Live;
use shared::db::DbConfig;
use shared::telemetry;

use crate::platform::Settings;
use known_full::FULL;
use load::{Arrival, Ran};
use postgres::Server;
use process::Process;
use profile::{Plan, Profile, Size};
use redis::{Flush, Redis};
use report::{Memory, Round, Series};
use service::Service;
use whole::{Place, Serve, Whole};
use world::Broken;

/// What is measured.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchCommand {
    /// Measures the opening rush: applications for seats, many at once.
    Rush(Rush),
    /// The platform as it is measured, until its input ends. For the bench itself.
    #[command(hide = true)]
    Serve(Serve),
}

/// A way of deciding applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In groups, as the service does.
    Groups,
    /// Each in a transaction of its own, the section's row locked.
    Naive,
    /// By a stock counter in Redis, its append-only file flushed before each answer.
    RedisAlways,
    /// The same, flushed once a second.
    RedisEverySecond,
}

impl Way {
    /// What the groups are measured against.
    pub const OTHERS: [Self; 3] = [Self::Naive, Self::RedisAlways, Self::RedisEverySecond];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Naive => "naive",
            Self::RedisAlways => "redis always",
            Self::RedisEverySecond => "redis everysec",
        }
    }
}

/// What the platform, or the service alone, is given for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct Setting {
    /// Transactions the naive way has open at once.
    #[arg(long, default_value_t = Self::DEFAULT.naive_lanes)]
    pub naive_lanes: usize,
    /// Places in the queue of applications; whoever finds it full is told when to come again.
    #[arg(long, default_value_t = Self::DEFAULT.queue)]
    pub queue: usize,
    /// Seconds an application may wait for its answer, either way, over HTTP. More than the platform's own lets a slow way finish.
    #[arg(long, default_value_t = Self::DEFAULT.patience_seconds)]
    pub patience_seconds: u64,
}

impl Setting {
    const DEFAULT: Self = Self { naive_lanes: 8, queue: 65_536, patience_seconds: 10 };

    /// What the queue takes on.
    #[must_use]
    pub fn admission(self, is_naive: bool) -> Admission {
        let lane_count = if is_naive { self.naive_lanes } else { Admission::default().lane_count };
        Admission { queue_count: self.queue, lane_count, ..Admission::default() }
    }

    /// The arguments that give another process the same.
    #[must_use]
    pub fn arguments(self) -> [String; 3] {
        [
            format!("--naive-lanes={}", self.naive_lanes),
            format!("--queue={}", self.queue),
            format!("--patience-seconds={}", self.patience_seconds),
        ]
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How far a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reach {
    /// In this process: hint, queue, desk, database.
    Service,
    /// Over HTTP: gateway, gRPC, service, database.
    Whole,
}

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A file of one's own.
    Sqlite,
    /// A server started for the run, durable; or the one of `--database`.
    Postgres,
}

/// Something to measure against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// A transaction for each application, with the section's row locked: same tables, same checks, same path.
    Naive,
    /// PostgreSQL's own measure of single durable commits.
    Pgbench,
    /// A stock counter in Redis with its append-only file on, flushed always and every second: the service alone, on PostgreSQL.
    Redis,
}

/// The opening rush.
#[derive(Clone, Debug, Args)]
pub struct Rush {
    /// What is asked. `week`, `menu` and `opening` are asked over HTTP only.
    #[arg(long = "profile", value_enum, value_delimiter = ',', default_value = "hot,allsuccess,spread")]
    profiles: Vec<Profile>,
    /// How far requests travel.
    #[arg(long = "path", value_enum, value_delimiter = ',', default_value = "service")]
    paths: Vec<Reach>,
    /// On which databases.
    #[arg(long = "engine", value_enum, value_delimiter = ',', default_value = "sqlite,postgres")]
    engines: Vec<Engine>,
    /// What to measure against.
    #[arg(long, value_enum, value_delimiter = ',')]
    versus: Vec<Against>,
    /// Requests in a round.
    #[arg(long, default_value_t = 4_000)]
    requests: usize,
    /// How many wait at once; each answered makes room for the next.
    #[arg(long, default_value_t = 256)]
    waiting: usize,
    /// Requests a second instead, whether those before were answered or not; latencies count from when each was due.
    #[arg(long)]
    rate: Option<f64>,
    /// Seats of the one section of `hot`.
    #[arg(long, default_value_t = 30)]
    seats: i32,
    /// Sections of the other profiles.
    #[arg(long, default_value_t = 100)]
    sections: usize,
    /// Rounds of each way, in turns: groups, naive, naive, groups.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    setting: Setting,
    /// Seconds for each number of clients of `pgbench`.
    #[arg(long, default_value_t = 3)]
    pgbench_seconds: u32,
    /// For the order of what is asked.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl BenchCommand {
    /// Measures and writes the report.
    ///
    /// # Errors
    /// When something cannot be measured, or a round left something not as it must be.
    pub async fn answer(self, settings: Settings, out: &mut impl io::Write) -> anyhow::Result<()> {
        match self {
            Self::Rush(rush) => rush.measure(settings, out).await,
            Self::Serve(serve) => whole::serve(settings, &serve).await,
        }
    }
}

/// Where the databases of a run are.
struct Ground {
    packs: Arc<Live>,
    settings: Settings,
    server: Option<Server>,
    redis: Option<Redis>,
    /// The best rate of single durable commits, once measured.
    commits: Option<f64>,
}

impl Rush {
    async fn measure(self, settings: Settings, out: &mut impl io::Write) -> anyhow::Result<()> {
        report::print_machine(out)?;
        let packs = Arc::new(Live::open(&settings.policies)?);
        let mut ground = Ground { packs, settings, server: None, redis: None, commits: None };
        let mut is_sound = true;
        for engine in &self.engines {
            if *engine == Engine::Postgres && !ground.has_postgres(out)? {
                continue;
            }
            if *engine == Engine::Postgres && self.versus.contains(&Against::Pgbench) {
                ground.commits = self.commits(&ground, out)?;
            }
            if *engine == Engine::Postgres && self.versus.contains(&Against::Redis) {
                ground.start_redis(out)?;
            }
            for reach in &self.paths {
                for profile in &self.profiles {
                    if *reach == Reach::Service && !profile.is_of_the_service() {
                        writeln!(out, "\n{}: asked over HTTP only, skipped here", profile.name())?;
                        continue;
                    }
                    let series = self.series(&ground, *engine, *reach, *profile).await?;
                    let commits = ground.commits.filter(|_| *engine == Engine::Postgres);
                    series.print(out, commits)?;
                    is_sound &= series.is_sound();
                }
            }
        }
        report::print_machine(out)?;
        ensure!(is_sound, "a round left something not as it must be");
        Ok(())
    }

    fn commits(&self, ground: &Ground, out: &mut impl io::Write) -> anyhow::Result<Option<f64>> {
        let Some(server) = &ground.server else {
            writeln!(out, "pgbench: measured only on a server of the bench's own, skipped")?;
            return Ok(None);
        };
        let Some(commits) = pgbench::measure(server, self.pgbench_seconds)? else {
            writeln!(out, "pgbench: not installed, skipped")?;
            return Ok(None);
        };
        for (clients, per_second) in &commits.by_clients {
            writeln!(out, "pgbench: {clients:>2} clients {per_second:.0} single durable commits/s")?;
        }
        Ok(Some(commits.best()))
    }

    fn arrival(&self) -> Arrival {
        self.rate.map_or(Arrival::Waiting(self.waiting), Arrival::Rate)
    }

    fn ways(&self, plan: &Plan, has_redis: bool) -> Vec<Way> {
        let mut ways = vec![Way::Groups];
        if !plan.sections.is_empty() && self.versus.contains(&Against::Naive) {
            ways.push(Way::Naive);
        }
        if has_redis {
            ways.extend([Way::RedisAlways, Way::RedisEverySecond]);
        }
        ways
    }

    async fn series(
        &self,
        ground: &Ground,
        engine: Engine,
        reach: Reach,
        profile: Profile,
    ) -> anyhow::Result<Series> {
        let size = Size {
            request_count: self.requests,
            seat_count: self.seats,
            section_count: self.sections,
            seed: self.seed,
        };
        let plan = Plan::of(profile, size);
        let engine_name = if engine == Engine::Sqlite { "SQLite" } else { "PostgreSQL" };
        let reach_name = if reach == Reach::Service { "service" } else { "whole path" };
        let title = format!(
            "{} | {reach_name} | {engine_name} | {} requests, {}",
            profile.name(),
            self.requests,
            match self.rate {
                Some(rate) => format!("{rate} a second"),
                None => format!("{} waiting", self.waiting),
            }
        );
        let rounds = match reach {
            Reach::Service => self.in_service(ground, engine, &plan).await?,
            Reach::Whole => self.in_whole(ground, engine, &plan).await?,
        };
        Ok(Series { title, rounds })
    }

    /// The ways in turns, each turn the other way round, so that a machine that grows busier wrongs neither.
    fn turns(&self, ways: &[Way]) -> Vec<Way> {
        let turn = |round: usize| -> Vec<Way> {
            if round.is_multiple_of(2) { ways.to_vec() } else { ways.iter().rev().copied().collect() }
        };
        (0..self.rounds.max(1)).flat_map(turn).collect()
    }

    async fn in_service(
        &self,
        ground: &Ground,
        engine: Engine,
        plan: &Plan,
    ) -> anyhow::Result<Vec<(Way, Vec<Round>)>> {
        let folder = tempfile::tempdir()?;
        let config = match engine {
            Engine::Sqlite => {
                DbConfig::new(format!("sqlite://{}", folder.path().join("enrollment.db").display()))
            }
            Engine::Postgres => DbConfig {
                max_connections: u32::try_from(self.setting.naive_lanes)?.max(8),
                ..DbConfig::new(ground.fresh_database().await?)
            },
        };
        let mut service = Service::prepare(&config, ground.packs.clone(), plan, self.setting).await?;
        let redis = ground.redis.as_ref().filter(|_| engine == Engine::Postgres);
        let ways = self.ways(plan, redis.is_some());
        let mut rounds: Vec<_> = ways.iter().map(|way| (*way, Vec::new())).collect();
        for way in self.turns(&ways) {
            let flush = match way {
                Way::Groups | Way::Naive => None,
                Way::RedisAlways => Some(Flush::Always),
                Way::RedisEverySecond => Some(Flush::EverySecond),
            };
            let mut processes = vec![Process::alone("service and client", std::process::id())];
            let round = if let Some((redis, flush)) = redis.zip(flush) {
                processes = vec![Process::alone("client", std::process::id())];
                processes.push(Process::alone("Redis", redis.process_id()));
                let watch = Watch::begin(processes);
                let (ran, broken) = redis.run(plan, flush, self.arrival()).await?;
                watch.end(&ran, broken)
            } else {
                processes.extend(ground.postgres(engine));
                let before = Numbers::read(&telemetry::metrics_text());
                let watch = Watch::begin(processes);
                let ran = service.run(plan, way == Way::Naive, self.arrival()).await?;
                let numbers = Numbers::read(&telemetry::metrics_text()).since(before);
                let mut round = watch.end(&ran, Broken::default());
                numbers.tell(&mut round, &ran, plan);
                round.broken =
                    service.world.look(&service.db, &service::promised(&ran), turned_away(&ran)).await?;
                round
            };
            keep(&mut rounds, way, round);
        }
        service.db.close(std::time::Duration::from_secs(5)).await;
        Ok(rounds)
    }

    async fn in_whole(
        &self,
        ground: &Ground,
        engine: Engine,
        plan: &Plan,
    ) -> anyhow::Result<Vec<(Way, Vec<Round>)>> {
        let ways = self.ways(plan, false);
        let mut rounds: Vec<_> = ways.iter().map(|way| (*way, Vec::new())).collect();
        // One platform for each way, both up; only one is asked at a time.
        let mut platforms = Vec::new();
        for way in &ways {
            let database = match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(ground.fresh_database().await?),
            };
            let place = Place::new(database, &ground.settings.policies)?;
            let is_naive = *way == Way::Naive;
            platforms.push((*way, Whole::start(place, is_naive, self.setting, &ground.packs, plan).await?));
        }
        for way in self.turns(&ways) {
            let platform = platforms.iter_mut().find(|(one, _)| *one == way);
            let (_, whole) = platform.context("a platform for each way")?;
            let mut processes = vec![Process::alone("client", std::process::id())];
            processes.extend(Process::platform(whole.process_id));
            processes.extend(ground.postgres(engine));
            let before = Numbers::read(&whole.metrics().await?);
            let watch = Watch::begin(processes);
            let ran = whole.run(plan, self.arrival()).await?;
            let mut round = watch.end(&ran, Broken::default());
            Numbers::read(&whole.metrics().await?).since(before).tell(&mut round, &ran, plan);
            round.broken = whole.world.look(&whole.db, &service::promised(&ran), turned_away(&ran)).await?;
            keep(&mut rounds, way, round);
        }
        for (_, whole) in platforms {
            whole.stop().await?;
        }
        Ok(rounds)
    }
}

fn keep(rounds: &mut [(Way, Vec<Round>)], way: Way, round: Round) {
    if let Some((_, rounds)) = rounds.iter_mut().find(|(one, _)| *one == way) {
        rounds.push(round);
    }
}

fn turned_away(ran: &Ran) -> bool {
    ran.outcomes().contains_key(FULL)
}

impl Ground {
    /// Whether there is a PostgreSQL; starts one unless `--database` names one.
    fn has_postgres(&mut self, out: &mut impl io::Write) -> anyhow::Result<bool> {
        if self.settings.database.is_some() || self.server.is_some() {
            return Ok(true);
        }
        self.server = Server::start()?;
        if self.server.is_none() {
            writeln!(out, "PostgreSQL: not installed, skipped")?;
        }
        Ok(self.server.is_some())
    }

    /// The URL of a new database.
    async fn fresh_database(&self) -> anyhow::Result<String> {
        use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
        let own = self.server.as_ref().map(Server::url);
        let url = own.or_else(|| self.settings.database.clone()).context("no PostgreSQL")?;
        let name = format!("bench_{:016x}", u64::from_be_bytes(shared::random::bytes()));
        let mut options = ConnectOptions::new(url.clone());
        options.max_connections(1).sqlx_logging(false);
        let server = Database::connect(options).await?;
        server.execute_unprepared(&format!("create database {name}")).await?;
        server.close().await?;
        let (address, parameters) = url.split_once('?').map_or((url.as_str(), None), |(a, p)| (a, Some(p)));
        let (server, _) = address.rsplit_once('/').context("a database URL ends in a database")?;
        let parameters = parameters.map(|text| format!("?{text}")).unwrap_or_default();
        Ok(format!("{server}/{name}{parameters}"))
    }

    /// Starts Redis, unless there is none.
    fn start_redis(&mut self, out: &mut impl io::Write) -> anyhow::Result<()> {
        if self.redis.is_none() {
            self.redis = Redis::start()?;
            match &self.redis {
                Some(redis) => writeln!(out, "Redis: {}, appendonly yes, two connections", redis.version())?,
                None => writeln!(out, "Redis: redis-server is not installed, skipped")?,
            }
        }
        Ok(())
    }

    /// The database server, where it is the bench's own.
    fn postgres(&self, engine: Engine) -> Option<Process> {
        let server = self.server.as_ref().filter(|_| engine == Engine::Postgres)?;
        Some(Process::tree("PostgreSQL", server.process_id()))
    }
}

/// Processes over a round.
struct Watch(Vec<(Process, f64, Option<u64>)>);

impl Watch {
    /// Begins to watch.
    fn begin(processes: Vec<Process>) -> Self {
        let begin = |process: Process| {
            process.forget_peak();
            (process, process.cpu_seconds(), process.memory_bytes())
        };
        Self(processes.into_iter().map(begin).collect())
    }

    /// What came of the round, and what it took.
    fn end(self, ran: &Ran, broken: Broken) -> Round {
        let used = |(process, before, _): &(Process, f64, _)| (process.name, process.cpu_seconds() - before);
        let used: Vec<_> = self.0.iter().map(used).collect();
        let mut round = Round::of(ran, &used, broken);
        let memory = |(process, _, before): &(Process, f64, Option<u64>)| {
            Some(Memory {
                name: process.memory_name(),
                before_bytes: (*before)?,
                after_bytes: process.memory_bytes()?,
                peak_bytes: process.peak_bytes(),
            })
        };
        round.memory = self.0.iter().filter_map(memory).collect();
        round
    }
}

/// What the queue shows of itself, summed up since its process began.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    groups: f64,
    applications: f64,
    known_full: f64,
}

impl Numbers {
    /// Reads them out of Prometheus' text; what is not there yet is 0.
    fn read(text: &str) -> Self {
        let number = |name: &str| {
            let lines = text.lines().filter(|line| line.starts_with(name));
            let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
            values.sum::<f64>()
        };
        Self {
            groups: number("admission_group_size_count"),
            applications: number("admission_group_size_sum"),
            known_full: number("admission_known_full_total"),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            groups: self.groups - before.groups,
            applications: self.applications - before.applications,
            known_full: self.known_full - before.known_full,
        }
    }

    fn tell(self, round: &mut Round, ran: &Ran, plan: &Plan) {
        round.group_size = (self.groups > 0.0).then(|| self.applications / self.groups);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a counter, far below 2^52"
        )]
        let known_count = self.known_full.max(0.0) as u64;
        round.known_full = known_full::of(ran, plan, known_count);
    }
}
