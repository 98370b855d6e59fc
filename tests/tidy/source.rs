//! The project's own files, read as text.

use std::fs;
use std::path::{Path, PathBuf};

/// A file with its path from the project's root, slashes forward.
pub(crate) struct File {
    /// Such as `services/billing/src/domain/invoice.rs`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl File {
    /// A file that exists only to show that a rule bites.
    pub(crate) fn planted(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The text up to its test module, without line comments and without what stands in quotes.
    pub(crate) fn code(&self) -> String {
        let end = self.text.find("#[cfg(test)]").unwrap_or(self.text.len());
        self.text[..end]
            .lines()
            .map(|line| without_quotes(before_comment(line)))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What stands before `//`, unless the slashes follow a colon as in an address.
fn before_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| *at == 0 || line.as_bytes()[at - 1] != b':');
    comment.map_or(line, |(at, _)| &line[..at])
}

/// The line without its quoted text.
fn without_quotes(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand below the root").to_owned()
}

/// Every Rust file of the crates' `src` folders.
pub(crate) fn rust_files() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["crates", "services", "gateway", "kehou", "proto"] {
        collect(&root().join(folder), "rs", &mut files);
    }
    files.retain(|file| file.path.contains("/src/"));
    files
}

/// Every crate's `Cargo.toml`.
pub(crate) fn manifests() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["crates", "services", "gateway", "kehou", "proto", "tests"] {
        collect(&root().join(folder), "toml", &mut files);
    }
    files.retain(|file| file.path.ends_with("/Cargo.toml"));
    files
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, extension, files);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let text = fs::read_to_string(&path).expect("source is text");
            let from_root = path.strip_prefix(root()).expect("below the root");
            files.push(File { path: from_root.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

/// Names each file whose first line does not say what it knows.
pub(crate) fn without_first_line_doc(files: &[File]) -> Vec<String> {
    let silent = |file: &&File| !file.text.starts_with("//! ");
    files.iter().filter(silent).map(|file| format!("{}: the first line must be `//! …`", file.path)).collect()
}

/// The packs that exist, by id. What stands above all of them is no region.
pub(crate) fn packs() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root().join("policies"), "toml", &mut files);
    files.retain(|file| file.path.matches('/').count() == 1 && file.path != "policies/common.toml");
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
