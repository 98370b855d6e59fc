//! Packs that follow their folder.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use policy::{Live, Packs, Policy};
use tokio_util::sync::CancellationToken;

use crate::support::{day, folder, pack_text, region};

fn city(end: &str) -> String {
    pack_text("city", None, &[("time.end_target", &format!("\"{end}\""), "exact")])
}

/// A folder with one city, and the city's file.
fn city_folder(end: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::copy(folder().join("common.toml"), dir.path().join("common.toml")).expect("the common pack");
    let file = dir.path().join("city.toml");
    fs::write(&file, city(end)).expect("a file");
    (dir, file)
}

fn end(policy: &Policy) -> String {
    policy.time.end_target.get().expect("an end").format("%H:%M").to_string()
}

fn now(live: &Live) -> String {
    end(&live.policy("city", None).expect("the city"))
}

#[test]
fn c03_a_broken_file_leaves_the_last_good_set_and_a_mended_one_replaces_it() {
    let (dir, file) = city_folder("17:30");
    let live = Live::open(dir.path()).expect("sound packs");
    let (held, first) = (live.packs(), live.policy("city", None).expect("the city").pin());
    assert_eq!(live.refresh(), Ok(false), "nothing changed");

    fs::write(&file, "pack_id = \n").expect("a broken file");
    for _ in 0..2 {
        let unusable = live.refresh().expect_err("problems");
        assert!(unusable.to_string().contains("city.toml:1"), "{unusable}");
        assert_eq!(now(&live), "17:30");
        assert!(live.pinned(&first).is_some());
    }

    fs::write(&file, city("18:00")).expect("a mended file");
    assert_eq!(live.refresh(), Ok(true));
    assert_eq!(live.refresh(), Ok(false));
    assert_eq!(now(&live), "18:00");
    assert_eq!(end(&live.pinned(&first).expect("a pin known before stays findable")), "17:30");
    assert_eq!(end(&live.on("city", None, day("2026-09-01")).expect("the city")), "18:00");
    assert_eq!(end(&held.policy("city", None).expect("the city")), "17:30", "what is held stays whole");
}

#[test]
fn c03_a_file_that_is_mended_to_what_it_was_is_good_again() {
    let (dir, file) = city_folder("17:30");
    let live = Live::open(dir.path()).expect("sound packs");
    fs::write(&file, "= 1").expect("a broken file");
    assert!(live.refresh().is_err());
    fs::write(&file, city("17:30")).expect("the file as it was");
    assert_eq!(live.refresh(), Ok(true));
    assert_eq!(live.refresh(), Ok(false));
}

#[test]
fn c03_a_pack_that_is_gone_rules_no_more_but_its_pins_do() {
    let (dir, file) = city_folder("17:30");
    let live = Live::open(dir.path()).expect("sound packs");
    let pin = live.policy("city", None).expect("the city").pin();
    fs::remove_file(&file).expect("the file is gone");
    assert_eq!(live.refresh(), Ok(true));
    assert_eq!(live.policy("city", None), None);
    assert_eq!(live.on("city", None, day("2026-09-01")), None);
    assert!(live.pinned(&pin).is_some());
    assert_eq!(live.current().len(), 1);

    fs::remove_dir_all(dir.path()).expect("the folder is gone");
    assert!(live.refresh().is_err());
    assert!(live.pinned(&pin).is_some());
}

#[test]
fn a_folder_that_cannot_be_used_is_not_opened() {
    let (dir, file) = city_folder("17:30");
    fs::write(&file, "= 1").expect("a broken file");
    assert!(Live::open(dir.path()).is_err());
    assert!(Live::open(Path::new("/nowhere")).is_err());
}

#[test]
fn a_fixed_set_never_changes() {
    let live = Live::fixed(Packs::open(&folder()).expect("sound packs"));
    assert_eq!(live.refresh(), Ok(false));
    let pin = region("hebei", None).pin();
    assert_eq!(live.pinned(&pin).map(|policy| policy.pin()), Some(pin));
}

#[test]
fn readers_see_a_whole_set_while_it_is_replaced() {
    for _ in 0..5 {
        let (dir, file) = city_folder("17:30");
        let live = Live::open(dir.path()).expect("sound packs");
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..2_000 {
                            assert!(["17:30", "18:00"].contains(&now(&live).as_str()));
                        }
                    })
                })
                .collect();
            for turn in 0..20 {
                replace(&file, &city(["18:00", "17:30"][turn % 2]));
                assert_eq!(live.refresh(), Ok(true));
            }
            readers.into_iter().for_each(|reader| reader.join().expect("a reader"));
        });
    }
}

/// Replaces a file whole, as anybody who deploys one does.
fn replace(file: &Path, text: &str) {
    let next = file.with_extension("next");
    fs::write(&next, text).expect("a file");
    fs::rename(&next, file).expect("a replaced file");
}

/// What was logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self, level: &str) -> usize {
        let text = String::from_utf8_lossy(&self.0.lock().expect("the log")).into_owned();
        text.lines().filter(|line| line.trim_start().starts_with(level)).count()
    }

    /// Waits until so many lines of a level are there, then a while longer for more.
    async fn settles_at(&self, level: &str, count: usize) {
        for _ in 0..6_000 {
            if self.lines(level) >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(
            self.lines(level),
            count,
            "{level}: {}",
            String::from_utf8_lossy(&self.0.lock().expect("the log"))
        );
    }
}

#[tokio::test]
async fn c03_a_watch_tells_each_set_of_problems_once_and_stops_when_told() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (dir, file) = city_folder("17:30");
    let live = Arc::new(Live::open(dir.path()).expect("sound packs"));
    let stop = CancellationToken::new();
    let watch = tokio::spawn(Arc::clone(&live).watch(Duration::from_millis(5), stop.clone()));

    replace(&file, "= 1");
    log.settles_at("ERROR", 1).await;
    replace(&file, "= 1\n= 2");
    log.settles_at("ERROR", 2).await;
    assert_eq!(now(&live), "17:30");

    replace(&file, &city("18:00"));
    log.settles_at("INFO", 1).await;
    assert_eq!(now(&live), "18:00");
    assert!(String::from_utf8_lossy(&log.0.lock().expect("the log")).contains("changed: city"));

    stop.cancel();
    watch.await.expect("the watch ended");
}
