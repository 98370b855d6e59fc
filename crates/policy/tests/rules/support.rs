//! Real packs, and packs made up for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use chrono::{NaiveDate, NaiveTime};
use policy::{Packs, Policy, Problem};
use shared::value::Fen;

static REAL: LazyLock<Packs> =
    LazyLock::new(|| Packs::load(&folder()).expect("the packs of the repository load"));

/// The packs of the repository.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// Every policy of the repository.
pub fn real() -> &'static Packs {
    &REAL
}

/// A policy of the repository.
pub fn region(pack_id: &str, supplement: Option<&str>) -> Arc<Policy> {
    REAL.policy(pack_id, supplement).expect("the region exists")
}

/// Loads made-up files, with the real common pack beneath them unless one is given.
pub fn load(files: &[(&str, &str)]) -> Result<Packs, Vec<Problem>> {
    let dir = tempfile::tempdir().expect("a folder");
    fs::copy(folder().join("common.toml"), dir.path().join("common.toml")).expect("the common pack");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    Packs::load(dir.path())
}

/// The text of a made-up pack: a header and `(group.key, value, binding)`, every key with a source.
pub fn pack_text(pack_id: &str, parent: Option<&str>, keys: &[(&str, &str, &str)]) -> String {
    let parent = parent.map_or(String::new(), |parent| {
        format!("parent_pack = \"{parent}\"\nparent_inferred = \"按行政隶属推定\"\n")
    });
    let mut text = format!("pack_id = \"{pack_id}\"\nname_zh = \"{pack_id}\"\n{parent}");
    text += "source_files = [{ file = \"doc.txt\", title = \"文件\" }]\n";
    for (key, value, binding) in keys {
        text += &format!("[{key}]\nvalue = {value}\nbinding = \"{binding}\"\n");
        text += "source = { file = \"doc.txt\", line = 7, words = \"原文\" }\n";
    }
    text
}

/// The text of a made-up supplement.
pub fn supplement_text(name: &str, pack_id: &str, keys: &[(&str, &str)]) -> String {
    let mut text = format!("supplement = \"{name}\"\npack_id = \"{pack_id}\"\n");
    text += "[decision]\ndecided_by = \"局\"\ndocument = \"文\"\ndated = 2026-08-20\n";
    for (key, value) in keys {
        text += &format!("[{key}]\nvalue = {value}\n");
    }
    text
}

/// A policy made up of keys.
pub fn made_of(keys: &[(&str, &str, &str)]) -> Arc<Policy> {
    let packs = load(&[("made_up.toml", &pack_text("made_up", None, keys))]).expect("a sound pack");
    packs.policy("made_up", None).expect("the pack")
}

/// A policy made up of keys and a district's decisions.
pub fn supplemented(keys: &[(&str, &str, &str)], decisions: &[(&str, &str)]) -> Arc<Policy> {
    let pack = pack_text("made_up", None, keys);
    let supplement = supplement_text("own", "made_up", decisions);
    let packs = load(&[("made_up.toml", &pack), ("supplements/own.toml", &supplement)]).expect("sound files");
    packs.policy("made_up", Some("own")).expect("the policy")
}

pub fn fen(amount: i64) -> Fen {
    Fen::new(amount)
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub fn at(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").expect("a time")
}

/// The packs of the repository with files laid beside them, in a folder that lives as long as it is held.
pub fn repository_with(files: &[(String, String)]) -> (tempfile::TempDir, Packs) {
    let dir = tempfile::tempdir().expect("a folder");
    copy_all(&folder(), dir.path());
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let packs = Packs::open(dir.path()).unwrap_or_else(|problems| panic!("{problems}"));
    (dir, packs)
}

/// Copies a folder and those below it.
pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy_all(&path, &target) } else { _ = fs::copy(&path, target).expect("a copy") }
    }
}
