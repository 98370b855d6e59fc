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
//! | [`postgres`], [`pgbench`] | a durable PostgreSQL for one run, and what its commits cost |
//! | [`http`], [`cpu`] | a client that costs little; processor time as the kernel counts it |
//! | [`report`] | what was measured, in lines |

#![expect(clippy::float_arithmetic, reason = "measurements; no money is near")]

pub mod cpu;
pub mod http;
pub mod load;
pub mod naive;
pub mod pgbench;
pub mod postgres;
pub mod profile;
pub mod report;
pub mod service;
pub mod whole;
pub mod world;

use std::io;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};
use policy::Live;
use shared::db::DbConfig;
use shared::telemetry;

use crate::platform::Settings;
use load::{Arrival, Ran};
use postgres::Server;
use profile::{Plan, Profile, Size};
use report::{Round, Series};
use service::Service;
use whole::{Place, Serve, Whole};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// In groups, as the service does.
    Groups,
    /// Each in a transaction of its own, the section's row locked.
    Naive,
}

impl Way {
    /// Its name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Naive => "naive",
        }
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
    /// Transactions the naive way has open at once.
    #[arg(long, default_value_t = 8)]
    naive_lanes: usize,
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
    /// The best rate of single durable commits, once measured.
    commits: Option<f64>,
}

impl Rush {
    async fn measure(self, settings: Settings, out: &mut impl io::Write) -> anyhow::Result<()> {
        report::print_machine(out)?;
        let packs = Arc::new(Live::open(&settings.policies)?);
        let mut ground = Ground { packs, settings, server: None, commits: None };
        let mut is_sound = true;
        for engine in &self.engines {
            if *engine == Engine::Postgres && !ground.has_postgres(out)? {
                continue;
            }
            if *engine == Engine::Postgres && self.versus.contains(&Against::Pgbench) {
                ground.commits = self.commits(&ground, out)?;
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

    fn ways(&self, plan: &Plan) -> Vec<Way> {
        let applies = !plan.sections.is_empty();
        let naive = (applies && self.versus.contains(&Against::Naive)).then_some(Way::Naive);
        [Some(Way::Groups), naive].into_iter().flatten().collect()
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
                max_connections: u32::try_from(self.naive_lanes)?.max(8),
                ..DbConfig::new(ground.fresh_database().await?)
            },
        };
        let mut service = Service::prepare(&config, ground.packs.clone(), plan, self.naive_lanes).await?;
        let ways = self.ways(plan);
        let mut rounds: Vec<_> = ways.iter().map(|way| (*way, Vec::new())).collect();
        for way in self.turns(&ways) {
            let before = (Numbers::read(&telemetry::metrics_text()), ground.cpu(engine, None));
            let ran = service.run(plan, way, self.arrival()).await?;
            let after = (Numbers::read(&telemetry::metrics_text()), ground.cpu(engine, None));
            let broken = service.world.look(&service.db, &service::promised(&ran), turned_away(&ran)).await?;
            let mut round = Round::of(&ran, &since(&before.1, &after.1), broken);
            after.0.since(before.0).tell(&mut round, &ran);
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
        let ways = self.ways(plan);
        let mut rounds: Vec<_> = ways.iter().map(|way| (*way, Vec::new())).collect();
        // One platform for each way, both up; only one is asked at a time.
        let mut platforms = Vec::new();
        for way in &ways {
            let database = match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(ground.fresh_database().await?),
            };
            let place = Place::new(database, &ground.settings.policies)?;
            platforms.push((*way, Whole::start(place, *way, self.naive_lanes, &ground.packs, plan).await?));
        }
        for way in self.turns(&ways) {
            let platform = platforms.iter_mut().find(|(one, _)| *one == way);
            let (_, whole) = platform.context("a platform for each way")?;
            let server = Some(whole.process_id);
            let before = (Numbers::read(&whole.metrics().await?), ground.cpu(engine, server));
            let ran = whole.run(plan, self.arrival()).await?;
            let after = (Numbers::read(&whole.metrics().await?), ground.cpu(engine, server));
            let broken = whole.world.look(&whole.db, &service::promised(&ran), turned_away(&ran)).await?;
            let mut round = Round::of(&ran, &since(&before.1, &after.1), broken);
            after.0.since(before.0).tell(&mut round, &ran);
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
    ran.outcomes().contains_key("SECTION_FULL")
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

    /// What each process has used by now.
    fn cpu(&self, engine: Engine, platform: Option<u32>) -> Vec<(&'static str, f64)> {
        let own = cpu::seconds_of(std::process::id());
        let mut all = match platform {
            Some(id) => vec![("client", own), ("platform", cpu::seconds_of(id))],
            None => vec![("service and client", own)],
        };
        if let (Engine::Postgres, Some(server)) = (engine, &self.server) {
            all.push(("PostgreSQL", cpu::seconds_of_tree(server.process_id())));
        }
        all
    }
}

fn since(before: &[(&'static str, f64)], after: &[(&'static str, f64)]) -> Vec<(&'static str, f64)> {
    before.iter().zip(after).map(|((whose, before), (_, after))| (*whose, after - before)).collect()
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

    fn tell(self, round: &mut Round, ran: &Ran) {
        round.group_size = (self.groups > 0.0).then(|| self.applications / self.groups);
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
        let full = ran.outcomes().get("SECTION_FULL").copied().unwrap_or(0) as f64;
        round.known_full_share = (full > 0.0).then(|| self.known_full / full);
    }
}
