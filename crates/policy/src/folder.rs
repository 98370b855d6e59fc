//! Reading the folder of packs, and files laid into it to see what would come of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use aws_lc_rs::digest;

use crate::document::Document;
use crate::problem::{Problem, Rule};

/// The most bytes a file may have.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Where supplements lie.
pub(crate) const SUPPLEMENTS: &str = "supplements/";

/// Where earlier editions lie.
const RETIRED: &str = "retired/";

/// Whether a file rules now or is kept for what it once ruled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    Current,
    Retired,
}

/// A file of the folder that is text.
pub(crate) struct File {
    /// What problems call it.
    pub name: String,
    /// Where in the folder it lies, such as `supplements/a.toml`.
    pub place: String,
    pub edition: Edition,
    pub text: String,
}

impl File {
    /// Its name without folder and `.toml`.
    pub fn stem(&self) -> &str {
        let name = self.place.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".toml")
    }
}

/// All files of a folder, and what could not be read.
#[derive(Default)]
pub(crate) struct Folder {
    pub files: Vec<File>,
    pub problems: Vec<Problem>,
    /// Places whose file is there and cannot be read.
    pub unread: BTreeSet<String>,
}

impl Folder {
    /// Reads the folder and the two below it. What lies there and is no pack, such as a README, is passed over.
    pub fn read(dir: &Path) -> Self {
        let mut folder = Self::default();
        folder.read_part(dir, "", Edition::Current);
        folder.read_part(&dir.join(SUPPLEMENTS), SUPPLEMENTS, Edition::Current);
        folder.read_part(&dir.join(RETIRED), RETIRED, Edition::Retired);
        folder
    }

    fn read_part(&mut self, dir: &Path, prefix: &str, edition: Edition) {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && !prefix.is_empty() => return,
            Err(error) => {
                let rule = Rule::Unreadable(error.to_string());
                return self.problems.push(Problem::of_file(dir.display().to_string(), rule));
            }
        };
        let mut paths = BTreeSet::new();
        for entry in entries {
            match entry {
                Ok(entry) => _ = paths.insert(entry.path()),
                Err(error) => {
                    let rule = Rule::Unreadable(error.to_string());
                    self.problems.push(Problem::of_file(dir.display().to_string(), rule));
                }
            }
        }
        for path in paths {
            let is_meant =
                path.extension().is_some_and(|extension| extension == "toml") || is_called_yaml(&path);
            if let (true, Some(file_name)) = (is_meant, path.file_name()) {
                let place = format!("{prefix}{}", file_name.to_string_lossy());
                match read_text(&path, &place) {
                    Ok(text) => self.files.push(File { name: place.clone(), place, edition, text }),
                    Err(problem) => {
                        self.problems.push(problem);
                        self.unread.insert(place);
                    }
                }
            }
        }
    }

    /// Lays a file in, in place of the one of the same name. A file from the folder itself keeps its place; of any other
    /// its content tells whether it is a pack or a supplement.
    pub fn lay(&mut self, dir: &Path, path: &Path) {
        let name = path.display().to_string();
        let own_place = own_place(dir, path);
        let text = match read_text(path, &name) {
            Ok(text) => text,
            Err(problem) => {
                let place = own_place.unwrap_or_else(|| self.place_by_name(file_name(path)));
                self.take_out(&place);
                self.unread.insert(place);
                self.problems.push(problem);
                return;
            }
        };
        let edition = match &own_place {
            Some(place) if place.starts_with(RETIRED) => Edition::Retired,
            _ => Edition::Current,
        };
        let mut file = File { place: file_name(path), name, edition, text };
        if let Some(place) = own_place {
            file.place = place;
        } else if self.is_supplement(&file) {
            file.place = format!("{SUPPLEMENTS}{}", file.place);
        }
        self.take_out(&file.place);
        self.files.push(file);
    }

    /// Tells a supplement by its content; a file that cannot be parsed, by what lies under its name already.
    fn is_supplement(&self, file: &File) -> bool {
        match Document::parse(file) {
            Ok(document) => document.supplement.is_some(),
            Err(_) => self.place_by_name(file.place.clone()) != file.place,
        }
    }

    /// Where a file of this name lies: a supplement only where there is one and no pack.
    fn place_by_name(&self, name: String) -> String {
        let lies =
            |place: &str| self.unread.contains(place) || self.files.iter().any(|file| file.place == place);
        let supplement = format!("{SUPPLEMENTS}{name}");
        if !lies(&name) && lies(&supplement) { supplement } else { name }
    }

    fn take_out(&mut self, place: &str) {
        self.files.retain(|file| file.place != place);
        self.problems.retain(|problem| problem.file != place);
        self.unread.remove(place);
    }

    /// A print of all that was read: another print, another folder.
    pub fn print(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut feed = |text: &str| {
            context.update(&text.len().to_be_bytes());
            context.update(text.as_bytes());
        };
        for file in &self.files {
            feed(&file.place);
            feed(&file.text);
        }
        for problem in &self.problems {
            feed(&problem.to_string());
        }
        let mut print = [0; 32];
        print.copy_from_slice(context.finish().as_ref());
        print
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Where in the folder a path lies; nothing when it lies elsewhere.
fn own_place(dir: &Path, path: &Path) -> Option<String> {
    let (dir, path) = (fs::canonicalize(dir).ok()?, fs::canonicalize(path).ok()?);
    let place = path.strip_prefix(dir).ok()?.to_str()?.to_owned();
    let is_known = |place: &str| !place.contains('/');
    let below = [SUPPLEMENTS, RETIRED].iter().find_map(|part| place.strip_prefix(part));
    is_known(below.unwrap_or(&place)).then_some(place)
}

fn is_called_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Reads one file: a plain file, not too large, UTF-8, not called YAML.
fn read_text(path: &Path, name: &str) -> Result<String, Problem> {
    let wrong = |rule: Rule| Problem::of_file(name.to_owned(), rule);
    let unreadable = |error: std::io::Error| wrong(Rule::Unreadable(error.to_string()));
    let facts = fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(wrong(Rule::NotAFile));
    }
    if is_called_yaml(path) {
        return Err(wrong(Rule::Yaml));
    }
    let too_large = |bytes: u64| wrong(Rule::TooLarge { bytes, limit: FILE_BYTES_MAX });
    if facts.len() > FILE_BYTES_MAX {
        return Err(too_large(facts.len()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    // It may have grown since it was measured.
    if let Ok(read) = u64::try_from(bytes.len())
        && read > FILE_BYTES_MAX
    {
        return Err(too_large(read));
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(sound).filter(|byte| **byte == b'\n').count() + 1;
        Problem { line, ..wrong(Rule::NotUtf8) }
    })
}
