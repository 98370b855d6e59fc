//! S9: the whole platform in one process is killed in the middle of a rush and of payments, comes up on the same data, and is
//! asked everything again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use kehou::demo::Demo;
use kehou::person::{Parent, Site, text};
use kehou::platform::Addresses;
use kehou_tests::Kind;
use kehou_tests::people::fresh_key;
use kehou_tests::place::Place;
use kehou_tests::process::{Program, Start};
use kehou_tests::sandbox::{self, list};
use serde_json::{Value, json};
use shared::clock::SystemClock;
use shared::testing::free_port;
use uuid::Uuid;

/// Families that press, for half as many seats.
const FAMILIES: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_three_kills_on_sqlite() {
    let rounds = [("木工", Lights::Applied(20)), ("书法", Lights::Paid(4)), ("剪纸", Lights::Paid(15))];
    survive(Kind::Sqlite, &rounds).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill_on_postgres() {
    survive(Kind::Postgres, &[("木工", Lights::Paid(6))]).await.unwrap();
}

/// When the lights go out: a little after so many were told so.
#[derive(Clone, Copy, Debug)]
enum Lights {
    /// That they applied.
    Applied(usize),
    /// That their payment was taken.
    Paid(usize),
}

/// How many were told what so far.
#[derive(Default)]
struct Progress {
    applied: AtomicUsize,
    paid: AtomicUsize,
}

impl Progress {
    /// Waits for the moment, and up to 40 ms more that only the round decides.
    async fn until(&self, lights: Lights, round: u64) {
        let is_reached = || match lights {
            Lights::Applied(count) => self.applied.load(Ordering::Relaxed) >= count,
            Lights::Paid(count) => self.paid.load(Ordering::Relaxed) >= count,
        };
        while !is_reached() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(round.wrapping_mul(2_654_435_761) % 40)).await;
    }
}

/// The platform as a process that can be started again in the same place.
struct Machine {
    place: Place,
    arguments: Vec<String>,
}

impl Machine {
    async fn new(kind: Kind) -> anyhow::Result<Self> {
        let place = Place::empty(kind).await?;
        let mut arguments = vec!["--data".to_owned(), place.folder().display().to_string()];
        if let Some(url) = place.url() {
            arguments.extend(["--database".to_owned(), url]);
        }
        Ok(Self { place, arguments })
    }

    fn start(&self, command: &[&str]) -> Start<'_> {
        let command = command.iter().map(|&word| word.to_owned());
        Start {
            name: "kehou",
            arguments: self.arguments.iter().cloned().chain(command).collect(),
            variables: Vec::new(),
            folder: self.place.folder(),
        }
    }

    async fn run(&self, gateway: u16, sandbox: u16) -> anyhow::Result<Program> {
        let listen = [format!("127.0.0.1:{gateway}"), format!("127.0.0.1:{sandbox}")];
        let command = ["run", "--listen", &listen[0], "--sandbox-listen", &listen[1]];
        let _ = std::fs::remove_file(self.place.folder().join("addresses.json"));
        let mut program = self.start(&command).spawn()?;
        // The file is written last: everything serves, and the demonstration is loaded.
        let file = self.place.folder().join("addresses.json");
        program.wrote(&file).await?;
        program.ready(&format!("http://{}/v1/nodes", listen[0])).await?;
        Ok(program)
    }
}

/// What one family sent, and what it was told before the lights went out.
struct Family {
    parent: Parent,
    apply_key: Uuid,
    pay_key: Uuid,
    told: Told,
}

#[derive(Clone, Default)]
struct Told {
    enrollment: Option<Value>,
    order: Option<String>,
    has_paid: bool,
}

async fn survive(kind: Kind, rounds: &[(&str, Lights)]) -> anyhow::Result<()> {
    let machine = Machine::new(kind).await?;
    let (gateway, sandbox) = (free_port(), free_port());
    let mut program = machine.run(gateway, sandbox).await?;
    let addresses = Addresses::read(machine.place.folder())?;
    let demo: Demo = serde_json::from_slice(&std::fs::read(machine.place.folder().join("demo.json"))?)?;
    let zhuzhou = demo.districts.get("zhuzhou").context("no such district")?;
    let site = Site::new(&addresses.gateway, &addresses.sandbox, SystemClock::shared())?;
    let binding =
        futures::stream::iter(1..=FAMILIES).map(|number| {
            let (site, code) = (site.clone(), format!("ZZ2026{number:04}"));
            async move {
                site.parent(&format!("o-{code}"), &zhuzhou.phones[&code], &zhuzhou.school_id, &code).await
            }
        });
    let parents: Vec<Parent> = binding.buffered(8).try_collect().await?;

    for (round, (title, lights)) in (1_u64..).zip(rounds) {
        let menu = site.stranger().get(&format!("/v1/terms/{}/menu", zhuzhou.term_id)).await?.expect(200)?;
        let section = list(&menu, "sections").iter().find(|section| section["title"] == *title);
        let section_id = text(section.context("not on the menu")?, "id");
        let mut families: Vec<_> = parents
            .iter()
            .map(|parent| Family {
                parent: parent.clone(),
                apply_key: fresh_key(),
                pay_key: fresh_key(),
                told: Told::default(),
            })
            .collect();
        sandbox::fault(&site, &json!({ "target": "notify", "kind": "duplicate", "count": 1_000 })).await?;

        // Everybody presses and pays; in the middle of it the process is gone.
        let progress = Progress::default();
        let killing = async {
            let waiting = progress.until(*lights, round);
            tokio::time::timeout(Duration::from_secs(300), waiting).await.context("the moment never came")?;
            program.kill()
        };
        let traffic =
            join_all(families.iter_mut().map(|family| press(family, &site, &section_id, &progress)));
        let (_, killed) = tokio::join!(traffic, killing);
        killed?;
        let before: Vec<_> = families.iter().map(|family| family.told.clone()).collect();
        let acknowledged = |told: &dyn Fn(&Told) -> bool| before.iter().filter(|one| told(one)).count();
        let counts = [
            acknowledged(&|told| told.enrollment.is_some()),
            acknowledged(&|told| told.order.is_some()),
            acknowledged(&|told| told.has_paid),
        ];
        eprintln!(
            "{kind}, round {round}: killed at {lights:?} with [applied, ordered, paid] = {counts:?} of {FAMILIES}"
        );

        // It comes up on the same data, and everything is sent again with the same keys.
        program = machine.run(gateway, sandbox).await?;
        let again = Progress::default();
        for family in &mut families {
            family.told = Told::default();
        }
        join_all(families.iter_mut().map(|family| press(family, &site, &section_id, &again))).await;

        explain(&site, &families, &before, zhuzhou, &section_id).await?;
    }

    let verdict = machine.start(&["check"]).finish().await?;
    let last = verdict.lines().last().unwrap_or_default();
    ensure!(last.ends_with("0 broken") && !last.contains(" 0 things"), "{verdict}");
    eprintln!("{kind}: {last}");
    program.stop().await?;
    machine.place.leave().await
}

/// Applies twice, and pays when a seat is held. Remembers what it was told; whatever fails, failed.
async fn press(family: &mut Family, site: &Site, section_id: &str, progress: &Progress) {
    let Family { parent, apply_key, pay_key, told } = family;
    let pressed = async {
        let (first, second) = tokio::join!(
            parent.apply_as(section_id, true, *apply_key),
            parent.apply_as(section_id, true, *apply_key)
        );
        let first = first.or(second)?.expect(200)?;
        let enrollment = first["enrollment"].clone();
        told.enrollment = Some(enrollment.clone());
        progress.applied.fetch_add(1, Ordering::Relaxed);
        if enrollment["state"] != "held" {
            return Ok(());
        }
        let id = text(&enrollment, "id");
        parent.invoice(&id).await?;
        let path = format!("/v1/enrollments/{id}/pay");
        let sheet = parent.person.post_when_heard(&path, &Value::Null, *pay_key, &[]).await?;
        let order = text(&sheet, "out_trade_no");
        told.order = Some(order.clone());
        sandbox::pay(site, &order).await?;
        told.has_paid = true;
        progress.paid.fetch_add(1, Ordering::Relaxed);
        anyhow::Ok(())
    };
    let _ = pressed.await;
}

/// Everything acknowledged is there, and everything that is there is explained.
async fn explain(
    site: &Site,
    families: &[Family],
    before: &[Told],
    zhuzhou: &kehou::demo::DemoDistrict,
    section_id: &str,
) -> anyhow::Result<()> {
    let mut ids = BTreeSet::new();
    let mut seated = 0;
    for (family, before) in families.iter().zip(before) {
        let now = family.told.enrollment.as_ref().context("an application sent again was not answered")?;
        if let Some(before) = &before.enrollment {
            assert_eq!(before["id"], now["id"], "an acknowledged application is another one now");
            let was_seated = before["state"] != "waitlisted";
            assert_eq!(
                was_seated,
                now["state"] != "waitlisted",
                "an acknowledged seat is gone: {before} {now}"
            );
        }
        let id = text(now, "id");
        assert!(ids.insert(id.clone()), "two families have one enrollment");
        let person = &family.parent.person;
        if now["state"] == "waitlisted" {
            let waiting = person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
            assert_eq!(waiting["state"], "waitlisted", "nobody gave up a seat");
            continue;
        }
        seated += 1;
        // Paid before or after: WeChat has the money once, and the seat is theirs.
        person.post(&format!("/v1/enrollments/{id}/payment/sync"), &Value::Null).await?.expect(200)?;
        person.enrollment_in(&id, "confirmed").await?;
        let invoice = family.parent.invoice(&id).await?;
        assert_eq!((&invoice["state"], &invoice["paid_fen"]), (&json!("settled"), &invoice["amount_fen"]));
        if let Some(order) = &before.order {
            let order = sandbox::order(site, order).await?;
            ensure!(
                !before.has_paid || order["trade_state"] == "SUCCESS",
                "WeChat forgot a payment: {order}"
            );
        }
    }
    assert_eq!(seated, FAMILIES / 2, "seats");
    let path = format!("/v1/terms/{}/seats", zhuzhou.term_id);
    let is_full = |answer: &kehou::person::Answer| {
        let seats = list(&answer.body, "seats").iter().find(|one| one["section_id"] == section_id).cloned();
        seats.is_some_and(|seats| seats["taken_count"] == 30 && seats["waitlisted_count"] == 30)
    };
    site.stranger().eventually(&path, is_full).await?;

    // Each payment WeChat took belongs to one settled invoice: nobody paid twice.
    let orders = site.sandbox_get("/sandbox/orders").await?;
    let mut payers = BTreeSet::new();
    for order in list(&orders, "orders").iter().filter(|order| order["trade_state"] == "SUCCESS") {
        let payer = format!("{} {}", text(order, "openid"), text(order, "description"));
        assert!(payers.insert(payer), "a family paid twice for one section: {order}");
    }
    Ok(())
}
