//! Any region: the demonstration opened under each of the packs there are by changing one word of each district's file.
//!
//! What a school may charge, may not charge, or cannot know is told by the tour's fee stories; the table below says what must
//! be told there. `jinhua` and `zhuzhou` are primary schools, `shahe` is a junior one; each keeps its own district's
//! supplement under its own pack only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kehou::check;
use kehou::demo::{Demo, DemoDistrict, Undertaking};
use kehou::platform::{Platform, Settings};
use kehou::tour::Tour;
use kehou_tests::Kind;
use kehou_tests::place::{Place, checkout};
use kehou_tests::rows::Rows;
use kehou_tests::sandbox;
use shared::table::{Format, Limits, Table};
use shared::testing::{self, FixedClock};
use tempfile::TempDir;

/// A Monday before the school year.
const MORNING: &str = "2026-08-24T09:00:00+08:00";

/// How many platforms there are at once.
const AT_ONCE: usize = 2;

/// How many pupils of each school are brought in: enough for its families, and quick.
const PUPIL_COUNT: usize = 6;

/// The folders, in the order of [`Region::fees`].
const DISTRICTS: [&str; 3] = ["jinhua", "shahe", "zhuzhou"];

/// What a school may ask of parents.
#[derive(Clone, Copy)]
enum Fee {
    /// Nothing, whatever it tries; and a family's seat makes neither a bill nor an order.
    Free,
    /// This much, by this basis.
    Price(&'static str, i64),
    /// Nobody says what is needed: the key.
    Silent(&'static str),
    /// The documents say it otherwise: the refusal's reason.
    Refused(&'static str),
}

use Fee::{Free, Price, Refused, Silent};

/// What the demonstration tells under one pack.
struct Region {
    pack: &'static str,
    /// What every school's fee story says.
    told: &'static [&'static str],
    /// What each school may ask.
    fees: [Fee; 3],
}

/// Where no document says whether parents pay at all.
const UNDECIDED: [Fee; 3] = [Silent("parent_fee_mode"); 3];

/// What is told there.
const NOBODY_SAYS: &[&str] = &["未规定：", "没有规定家长是否交费、交多少", "（parent_fee_mode）"];

/// What is told where it is free.
const NOBODY_PAYS: &[&str] = &["家长不用交费", "免费，不收费也没有订单"];

const fn region(pack: &'static str, told: &'static [&'static str], fees: [Fee; 3]) -> Region {
    Region { pack, told, fees }
}

const REGIONS: [Region; 27] = [
    // 67: at most 600 yuan a pupil and term for personalised courses; nothing on the service itself. The key asked for is
    // that of the basis the school wished.
    region(
        "anhui_hefei",
        &["个性化课程 每学期不超过 60000 分"],
        [
            Silent("parent_fee_cap_fen_per_term"),
            Silent("parent_fee_cap_fen_per_term"),
            Silent("parent_fee_cap_fen_per_class_hour"),
        ],
    ),
    region("beijing", NOBODY_SAYS, UNDECIDED),
    region("beijing_dongcheng", NOBODY_SAYS, UNDECIDED),
    region("fujian_jinjiang", NOBODY_SAYS, UNDECIDED),
    region("guangdong_shenzhen", NOBODY_PAYS, [Free; 3]),
    region("hebei", NOBODY_PAYS, [Free; 3]),
    region("hebei_shahe", NOBODY_PAYS, [Free; 3]),
    // By inheritance, and told so.
    region("hebei_shijiazhuang", &["家长不用交费", "承继自河北省"], [Free; 3]),
    region("henan_jinshui", NOBODY_SAYS, UNDECIDED),
    region("hubei_hongan", NOBODY_SAYS, UNDECIDED),
    region("hunan_yuhua", NOBODY_SAYS, UNDECIDED),
    // 74: 5 yuan a class hour and 10 a day hold together; to whose account only the district's supplement says.
    region(
        "hunan_zhuzhou",
        &["每课时不超过 500 分", "每天不超过 1000 分"],
        [Silent("payee_account"), Silent("payee_account"), Price("class_hour", 500)],
    ),
    // 66: a ceiling is stated, an account is not.
    region("jiangsu", &["每学期不超过 30000 分"], [Silent("payee_account"); 3]),
    // Free stands before the ceiling of the province.
    region("jiangsu_nanjing", NOBODY_PAYS, [Free; 3]),
    region("liaoning", NOBODY_SAYS, UNDECIDED),
    region("shandong", NOBODY_SAYS, UNDECIDED),
    region("shandong_rizhao", NOBODY_SAYS, UNDECIDED),
    region("shanghai_jingan", NOBODY_SAYS, UNDECIDED),
    // 80: 120 yuan a month exactly; what a month that is not full costs is not said.
    region("sichuan_jingyan", &["每月标准 12000 分"], [Silent("proration_rule"); 3]),
    region("tianjin_heping", NOBODY_SAYS, UNDECIDED),
    region("tianjin_hexi", NOBODY_SAYS, UNDECIDED),
    region("xinjiang_manas", NOBODY_SAYS, UNDECIDED),
    region("xx_district", &["还没有核定"], [Refused("SHARE_UNDECIDED"); 3]),
    // 79: a ceiling for each end slot; a fee standard by another basis is not the region's.
    region(
        "zhejiang_anji",
        &["留到第 1 时段 每月不超过 5000 分", "留到第 2 时段 每月不超过 8000 分", "只看学生留到哪个时段"],
        [
            Silent("parent_fee_cap_fen_per_term"),
            Silent("parent_fee_cap_fen_per_term"),
            Silent("parent_fee_cap_fen_per_class_hour"),
        ],
    ),
    // 75: 600 yuan a term exactly, for primary schools; on junior ones the document is silent.
    region(
        "zhejiang_jiaojiang",
        &["小学 每学期标准 60000 分", "只适用于小学，其他学段没有规定"],
        [Price("term", 60_000), Silent("fee_stage_scope"), Price("term", 60_000)],
    ),
    // 72: an average of 500 yuan a term.
    region(
        "zhejiang_jinhua",
        &["每学期生均 50000 分"],
        [Price("term", 50_000), Price("term", 50_000), Price("term", 50_000)],
    ),
    region("zhejiang_shangyu", NOBODY_SAYS, UNDECIDED),
];

/// Where a school cannot open a timetable, because its district has not said when offices close: pack, folder, key.
const CLOSED: [(&str, &str, &str); 2] = [
    ("zhejiang_jinhua", "shahe", "local_office_closing"),
    ("zhejiang_jinhua", "zhuzhou", "local_office_closing"),
];

#[test]
fn c01_every_pack_there_is_has_a_row_here() {
    let files = fs::read_dir(checkout().join("policies")).unwrap();
    let names = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
    let packs: BTreeSet<String> = names
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .filter(|pack| pack != "common")
        .collect();

    let rows: BTreeSet<String> = REGIONS.iter().map(|region| region.pack.to_owned()).collect();

    assert_eq!(rows, packs);
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_c59_the_demonstration_opens_under_every_region_by_changing_one_word() {
    let ground = ground().await.unwrap();
    let told = futures::stream::iter(&REGIONS).map(|region| async {
        let opened = open(region, ground.path()).await.with_context(|| format!("under {}", region.pack))?;
        anyhow::Ok((region.pack, opened))
    });

    let told: Vec<(&str, String)> = told.buffer_unordered(AT_ONCE).try_collect().await.unwrap();

    assert_eq!(told.len(), REGIONS.len());
}

/// The data folder of a platform on which nothing has happened: keys made, databases migrated. Making it takes longer than
/// what is told of a region, so it is made once and copied.
async fn ground() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let place = Place::empty(Kind::Sqlite).await?;
    let settings = Settings { data: folder.path().to_owned(), demo: None, ..place.settings() };
    let clock = FixedClock::at(testing::moment(MORNING));
    Platform::start(&settings, clock.shared()).await?.stop().await?;
    place.leave().await?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Opens the demonstration under a region, walks its fee stories and holds them against the table. Gives what was printed.
async fn open(region: &Region, ground: &Path) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    prepare(folder.path(), region.pack)?;
    let place = Place::empty(Kind::Sqlite).await?;
    copy(ground, place.folder())?;
    let settings = Settings { demo: Some(folder.path().to_owned()), ..place.settings() };
    let clock = FixedClock::at(testing::moment(MORNING));
    let platform = Platform::start(&settings, clock.shared()).await?;

    let printed = Printed::default();
    let (site, demo) = (platform.site.clone(), platform.demo.clone());
    let walked = Tour::new(site.clone(), &platform.accounts, &demo, printed.clone()).walk_fees().await;
    let text = printed.text();
    walked.with_context(|| text.clone())?;

    let mut expected = region.fees.iter().zip(DISTRICTS);
    expected
        .try_for_each(|(fee, folder)| holds(region, folder, *fee, &demo, &text))
        .with_context(|| text.clone())?;
    for (folder, fee) in DISTRICTS.iter().zip(region.fees) {
        if let Price(basis, amount_fen) = fee {
            let path = format!("/v1/terms/{}/tariff", demo.districts[*folder].term_id);
            let tariff = site.stranger().get(&path).await?.expect(200)?["tariff"].clone();
            ensure!(tariff["basis"] == basis && tariff["amount_fen"] == amount_fen, "{folder}: {tariff}");
        }
    }
    let rows = Rows::open(&settings).await?;
    ensure!(rows.count("billing", "invoice").await? == 0, "looking at prices made an invoice");
    ensure!(sandbox::order_count(&site).await? == 0, "looking at prices made an order");
    let seats = rows.count("enrollment", "enrollment").await?;
    let free = region.fees.iter().filter(|fee| matches!(fee, Free)).count();
    ensure!(seats == i64::try_from(free)?, "{seats} seats were taken, {free} schools are free");
    rows.close().await;
    let verdict = check::check(&settings).await?;
    ensure!(verdict.broken_count() == 0, "an invariant is broken: {verdict:?}");
    platform.stop().await?;
    place.leave().await?;
    Ok(text)
}

/// The demonstration's files with another pack in each district and a few of each school's pupils.
fn prepare(folder: &Path, pack: &str) -> anyhow::Result<()> {
    fs::copy(checkout().join("demo/tour.toml"), folder.join("tour.toml"))?;
    for district in DISTRICTS {
        let (from, to) = (checkout().join("demo").join(district), folder.join(district));
        fs::create_dir(&to)?;
        for file in fs::read_dir(from)? {
            let file = file?;
            let name = file.file_name().into_string().map_err(|_| anyhow::anyhow!("a name in UTF-8"))?;
            let bytes = fs::read(file.path())?;
            match name.as_str() {
                "nodes.csv" => fs::write(to.join(name), with_pack(&String::from_utf8(bytes)?, pack)?)?,
                "pupils.csv" => fs::write(to.join("pupils.csv"), first_pupils(Format::Csv, &bytes)?)?,
                "pupils.xlsx" => fs::write(to.join("pupils.csv"), first_pupils(Format::Xlsx, &bytes)?)?,
                _ => fs::write(to.join(name), bytes)?,
            }
        }
    }
    Ok(())
}

/// The table with one word changed: the pack of its first row.
fn with_pack(nodes: &str, pack: &str) -> anyhow::Result<String> {
    let mut lines: Vec<String> = nodes.lines().map(str::to_owned).collect();
    let head = lines.first().context("no header")?;
    let column = head.split(',').position(|name| name == "政策包").context("no column of packs")?;
    let first = lines.get_mut(1).context("no row")?;
    let mut cells: Vec<&str> = first.split(',').collect();
    *cells.get_mut(column).context("no pack")? = pack;
    *first = cells.join(",");
    Ok(lines.join("\n"))
}

/// The first rows of a table of pupils, as comma-separated text.
fn first_pupils(format: Format, bytes: &[u8]) -> anyhow::Result<String> {
    let table = Table::read(format, bytes, Limits::default())?;
    let mut text = table.columns().join(",");
    for row in table.rows().take(PUPIL_COUNT) {
        let cells: Vec<&str> = table.columns().iter().map(|column| row.cell(column)).collect();
        text.push('\n');
        text.push_str(&cells.join(","));
    }
    Ok(text)
}

/// Holds what a school was told and could do against the table.
fn holds(region: &Region, folder: &str, fee: Fee, demo: &Demo, text: &str) -> anyhow::Result<()> {
    let school = demo.districts.get(folder).with_context(|| format!("no {folder}"))?;
    let heading = format!("{}：为什么是这个价", school.school_name);
    let story =
        text.split("\n== ").find(|story| story.lines().next().is_some_and(|line| line.ends_with(&heading)));
    let story = story.with_context(|| format!("no fee story of {folder}"))?;
    for words in region.told {
        ensure!(story.contains(words), "{folder} is not told `{words}`");
    }
    let closed = CLOSED.iter().find(|(pack, closed, _)| *pack == region.pack && *closed == folder);
    match closed {
        Some((_, _, key)) => {
            ensure!(undone(school, Undertaking::Timetable) == Some(("POLICY_SILENT", *key)), "{school:?}");
            ensure!(story.contains(&format!("（{key}）")), "{folder} is not told what is silent: {key}");
        }
        None => {
            for what in [Undertaking::Term, Undertaking::Timetable, Undertaking::Menu] {
                ensure!(school.has_done(what), "{folder} could not: {:?}", school.undone);
            }
        }
    }
    let tariff = undone(school, Undertaking::Tariff);
    let may_choose = match fee {
        Free => {
            ensure!(tariff.is_none(), "{folder} was asked for a price where it is free: {tariff:?}");
            ensure!(story.contains("想收 1 分钱"), "{folder}: nobody tried");
            let seat = format!("{folder} has no seat without a bill");
            ensure!(text.contains("没有需要支付的费用。微信里没有订单"), seat);
            true
        }
        Price(..) => {
            ensure!(tariff.is_none(), "{folder} has no price: {tariff:?}");
            ensure!(closed.is_some() || story.contains("应收"), "{folder}: a price without its reasons");
            true
        }
        Silent(key) => {
            ensure!(tariff == Some(("POLICY_SILENT", key)), "{folder}: {tariff:?} where {key} is silent");
            ensure!(story.contains(&format!("（{key}）")), "{folder} is not told what is silent: {key}");
            false
        }
        Refused(reason) => {
            ensure!(tariff.is_some_and(|(known, _)| known == reason), "{folder}: {tariff:?}");
            false
        }
    };
    if closed.is_none() {
        ensure!(school.has_done(Undertaking::Round) == may_choose, "{folder}: {:?}", school.undone);
    }
    Ok(())
}

/// Why something could not be done: reason and key.
fn undone(school: &DemoDistrict, what: Undertaking) -> Option<(&str, &str)> {
    let found = school.undone.iter().find(|undone| undone.what == what)?;
    Some((&found.reason, &found.key))
}

/// What was printed, for whoever prints and whoever reads.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
