//! A whole platform of a test's own.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::TimeDelta;
use kehou::check;
use kehou::demo::{Demo, DemoDistrict};
use kehou::person::{Person, Site};
use kehou::platform::{Platform, Settings};
use shared::clock::Clock as _;
use shared::db::Kind;
use shared::testing::{self, FixedClock};
use shared::value::Moment;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::place::Place;
use crate::rows::Rows;

/// When every story begins: a Monday morning in China, nine o'clock.
pub const MORNING: &str = "2026-08-24T09:00:00+08:00";

/// How many worlds there are at once: each is a platform with five databases, and a machine may have two cores.
static ROOM: Semaphore = Semaphore::const_new(3);

/// How long anything that happens by itself may take, in real time.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long to rest between two looks at whether the world has come to rest.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// How many looks in a row must see the same. Together they last longer than any job rests, and a look takes more statements than a
/// pass of any job: on a busy machine both are slow.
const EQUAL_LOOKS: u32 = 3;

/// Staff sign in again when their last sign-in is this old: their one-time codes are new then.
const CODE_LIFE: TimeDelta = TimeDelta::minutes(2);

/// A platform with the demonstration loaded, under a clock that only the test moves.
pub struct World {
    /// Which database it is on.
    pub kind: Kind,
    /// Its time.
    pub clock: FixedClock,
    /// Its doors.
    pub site: Site,
    /// What was loaded.
    pub demo: Demo,
    /// What it was started with.
    pub settings: Settings,
    /// Its databases, to look at.
    pub rows: Rows,
    platform: Platform,
    place: Place,
    signed_in: Mutex<BTreeMap<String, (Person, Moment)>>,
    _room: SemaphorePermit<'static>,
}

/// Plays a story in a world of its own on that database, then insists that every invariant holds and every event was heard.
///
/// # Panics
/// When the story fails, or leaves the world not as it must be.
pub async fn on(kind: Kind, story: impl AsyncFnOnce(&World) -> anyhow::Result<()>) {
    let began_at = Instant::now();
    let world = World::start(kind).await.unwrap_or_else(|error| panic!("no world on {kind}: {error:#}"));
    let ready_after = began_at.elapsed();
    if let Err(error) = story(&world).await {
        panic!("on {kind}: {error:?}");
    }
    world.end().await.unwrap_or_else(|error| panic!("after the story, on {kind}: {error:?}"));
    let rest = began_at.elapsed() - ready_after;
    tell(&format!(
        "{kind}: ready after {:.1} s, told in {:.1} s",
        ready_after.as_secs_f32(),
        rest.as_secs_f32()
    ));
}

#[expect(clippy::print_stderr, reason = "how long a story takes, for whoever asks for the output")]
fn tell(line: &str) {
    eprintln!("{line}");
}

impl World {
    /// Starts one.
    ///
    /// # Errors
    /// When the platform does not come up.
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        let room = ROOM.acquire().await?;
        let place = Place::loaded(kind).await?;
        let settings = place.settings();
        let clock = FixedClock::at(testing::moment(MORNING));
        let platform = Platform::start(&settings, clock.shared()).await?;
        let rows = Rows::open(&settings).await?;
        // While something is late the clock runs, four times as fast as time and no faster, however many wait.
        let (moved, last) = (clock.clone(), std::sync::Mutex::new(Instant::now()));
        let site = platform.site.clone().nudged_by(move || {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = (last.elapsed() * 4).min(Duration::from_millis(200));
            *last = Instant::now();
            moved.advance(TimeDelta::from_std(gone).unwrap_or_default());
        });
        Ok(Self {
            kind,
            clock,
            site,
            demo: platform.demo.clone(),
            rows,
            settings,
            platform,
            place,
            signed_in: Mutex::default(),
            _room: room,
        })
    }

    /// A district of the demonstration.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn district(&self, name: &str) -> &DemoDistrict {
        self.demo.districts.get(name).unwrap_or_else(|| panic!("no district {name}"))
    }

    /// A member of staff, signed in. A one-time code works once, so a session is used again while it is young.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn staff(&self, login_name: &str) -> anyhow::Result<Person> {
        let mut signed_in = self.signed_in.lock().await;
        let now = self.clock.now();
        if let Some((person, at)) = signed_in.get(login_name)
            && now < *at + CODE_LIFE
        {
            return Ok(person.clone());
        }
        let signing = self.site.staff(&self.platform.accounts, login_name);
        let person = tokio::time::timeout(PATIENCE, signing)
            .await
            .with_context(|| format!("{login_name} has no one-time code left"))??;
        signed_in.insert(login_name.to_owned(), (person.clone(), now));
        Ok(person)
    }

    /// Keeps the credentials of accounts made by a story, so that [`Self::staff`] can sign them in.
    ///
    /// # Errors
    /// When they cannot be written down.
    pub fn keep_accounts(&self, imported: &serde_json::Value) -> anyhow::Result<()> {
        self.platform.accounts.keep(imported["credentials"].as_array().map(Vec::as_slice).unwrap_or_default())
    }

    /// Who can sign in.
    #[must_use]
    pub const fn accounts(&self) -> &kehou::accounts::Accounts {
        &self.platform.accounts
    }

    /// Where a service listens, behind the gateway.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn service_url(&self, name: &str) -> String {
        let services = &self.platform.services;
        match name {
            "identity" => services.identity.clone(),
            "catalog" => services.catalog.clone(),
            "enrollment" => services.enrollment.clone(),
            "billing" => services.billing.clone(),
            "supervision" => services.supervision.clone(),
            other => panic!("no service {other}"),
        }
    }

    /// Lets time pass, then waits until everything that is due by then has happened.
    ///
    /// # Errors
    /// When the world does not come to rest.
    pub async fn advance(&self, time: TimeDelta) -> anyhow::Result<()> {
        self.clock.advance(time);
        self.settle().await
    }

    /// Lets time pass, a second with each look, until `reached` gives something; gives that.
    ///
    /// # Errors
    /// When it is not reached, or looking fails.
    pub async fn until<T>(
        &self,
        what: &str,
        mut reached: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = reached().await? {
                return Ok(found);
            }
            if Instant::now() >= until {
                bail!("it never came to be that {what}");
            }
            self.clock.advance(TimeDelta::seconds(1));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until nothing moves any more: every event is numbered and heard by everybody who listens, and no row is added, for
    /// longer than any job rests.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        let mut last = None;
        let mut equal_looks = 0;
        loop {
            let standing = self.rows.standing().await?;
            let is_same = standing.is_drained() && last.as_ref() == Some(&standing);
            equal_looks = if is_same { equal_looks + 1 } else { 1 };
            if equal_looks >= EQUAL_LOOKS {
                return Ok(());
            }
            if Instant::now() >= until {
                bail!("the world does not come to rest: {standing:?}, before {last:?}");
            }
            last = Some(standing);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Insists that every invariant of every service holds.
    ///
    /// # Errors
    /// With every one that is broken.
    pub async fn check(&self) -> anyhow::Result<()> {
        let verdict = check::check(&self.settings).await?;
        let mut text = Vec::new();
        verdict.print(&mut text)?;
        ensure!(verdict.broken_count() == 0, "an invariant is broken:\n{}", String::from_utf8_lossy(&text));
        ensure!(verdict.checked.iter().any(|(_, checked)| checked.looked_at > 0), "nothing was looked at");
        Ok(())
    }

    /// Comes to rest, is checked, and stops.
    ///
    /// # Errors
    /// When an event was not heard, an invariant is broken, or a part does not stop.
    pub async fn end(self) -> anyhow::Result<()> {
        self.settle().await?;
        self.check().await?;
        self.rows.close().await;
        self.platform.stop().await?;
        self.place.leave().await
    }
}
