//! No region stands in code: neither its name nor a number of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::File;

/// Amounts below this many fen are too common to tell a region's from any other number.
const LEAST_TELLING_FEN: i64 = 5_000;

/// Words of pack ids that are words of the software, too.
const OWN_WORDS: [&str; 2] = ["xx", "district"];

/// What code may say although a pack says it: the end of the path, the word or number as found, and why it is no region's.
pub(crate) const EXCEPTIONS: [(&str, &str, &str); 11] = [
    ("crates/policy/src/vocabulary.rs", "100000", "basis points: ten times the whole"),
    ("crates/shared/src/caller/token.rs", "20000", "tokens that are remembered"),
    ("crates/shared/src/db/config.rs", "5000", "milliseconds to wait for a lock"),
    ("crates/shared/src/db/config.rs", "30000", "milliseconds a statement may take"),
    ("crates/shared/src/table/mod.rs", "20000", "rows of a table"),
    ("crates/wechat/src/pay/mod.rs", "beijing", "the time WeChat writes moments in"),
    ("crates/wechat/src/pay/order.rs", "beijing", "the time WeChat writes moments in"),
    ("gateway/src/door.rs", "100000", "addresses that are remembered"),
    ("gateway/src/sentence.rs", "shanghai", "the time zone of the whole country"),
    ("services/enrollment/src/store/enrollment.rs", "30000", "values a statement may carry"),
    ("services/identity/src/config.rs", "5000", "milliseconds to wait for WeChat"),
];

/// What packs say and code must not: each with the pack that says it.
#[derive(Debug, Default)]
pub(crate) struct Regional {
    /// `hunan_zhuzhou`, `hunan`, `zhuzhou`.
    words: BTreeMap<String, String>,
    /// 湖南, 株洲.
    places: BTreeMap<String, String>,
    /// Amounts of money, in fen.
    amounts: BTreeMap<i64, String>,
    /// Times of the day, `18:00`.
    times: BTreeMap<String, String>,
}

impl Regional {
    /// Reads packs, one file each, as text.
    pub(crate) fn of(packs: &[File]) -> Self {
        let mut regional = Self::default();
        for pack in packs {
            regional.read(pack);
        }
        regional
    }

    fn read(&mut self, pack: &File) {
        let id = field(&pack.text, "pack_id").unwrap_or_default();
        let say = |what: &mut BTreeMap<String, String>, word: &str| {
            what.entry(word.to_owned()).or_insert_with(|| id.to_owned());
        };
        say(&mut self.words, id);
        for word in id.split('_').filter(|word| !OWN_WORDS.contains(word)) {
            say(&mut self.words, word);
        }
        for place in places(field(&pack.text, "name_zh").unwrap_or_default()) {
            say(&mut self.places, &place);
        }
        let (mut is_money, mut is_value) = (false, false);
        for line in pack.text.lines() {
            if let Some(key) = line.strip_prefix('[') {
                (is_money, is_value) = (key.contains("_fen"), false);
            } else if !line.starts_with([' ', ']']) {
                is_value = line.starts_with("value =");
            }
            if !is_value {
                continue;
            }
            for (_, literal) in tokens(line) {
                match literal {
                    Token::Number(number) if is_money && number >= LEAST_TELLING_FEN => {
                        self.amounts.entry(number).or_insert_with(|| id.to_owned());
                    }
                    Token::Text(text) if is_time(&text) => say(&mut self.times, &text),
                    Token::Number(_) | Token::Text(_) | Token::Word(_) => {}
                }
            }
        }
    }
}

/// The value of a field of a pack's head.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.lines().take_while(|line| !line.starts_with('['));
    let value = head.filter_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('=')).next()?;
    value.trim().strip_prefix('"')?.split('"').next()
}

/// The names in a region's name: 浙江省台州市椒江区 gives 浙江, 台州, 椒江.
fn places(name_zh: &str) -> Vec<String> {
    let mut places = Vec::new();
    for part in name_zh.replace("自治", "").split(['省', '市', '区', '县']) {
        // 州 ends a prefecture's name where more follows, and belongs to the name where nothing does: 昌吉州, 郑州.
        match part.split_once('州').filter(|(before, after)| before.chars().count() > 1 && !after.is_empty())
        {
            Some((before, after)) => places.extend([before.to_owned(), after.to_owned()]),
            None => places.push(part.to_owned()),
        }
    }
    places.retain(|place| place.chars().count() > 1 && !place.is_ascii());
    places
}

fn is_time(text: &str) -> bool {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    text.len() == 5 && text.as_bytes()[2] == b':' && [0, 1, 3, 4].into_iter().all(digit)
}

/// What is found in code.
struct Found<'a> {
    path: &'a str,
    line: usize,
    what: String,
    why: String,
}

/// Names each place where code, comments and tests aside, knows a region; and each exception that nothing needs.
pub(crate) fn known(files: &[File], regional: &Regional, exceptions: &[(&str, &str, &str)]) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut broken = Vec::new();
    for found in
        files.iter().filter(|file| !is_of_tests(&file.path)).flat_map(|file| known_in(file, regional))
    {
        let Found { path, line, what, why } = found;
        let except = |exception: &(&str, &str, &str)| path.ends_with(exception.0) && what == exception.1;
        match exceptions.iter().position(except) {
            Some(index) => _ = needed.insert(index),
            None => broken.push(format!("{path}:{line}: {what}: {why}")),
        }
    }
    let stale = (0..exceptions.len()).filter(|index| !needed.contains(index)).map(|index| exceptions[index]);
    broken.extend(stale.map(|(path, what, _)| format!("{path}: the exception of {what} is not needed")));
    broken
}

/// Whether a file below `src` exists for tests only.
fn is_of_tests(path: &str) -> bool {
    path.contains("/testing/") || path.ends_with("tests.rs")
}

fn known_in<'a>(file: &'a File, regional: &Regional) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (line, token) in tokens(&without_tests(&file.text)) {
        let mut find = |what: String, why: String| found.push(Found { path: &file.path, line, what, why });
        match token {
            Token::Number(number) => {
                if let Some(pack) = regional.amounts.get(&number) {
                    find(number.to_string(), format!("an amount of {pack}"));
                }
            }
            Token::Word(text) | Token::Text(text) => {
                let lower = text.to_ascii_lowercase();
                let words = regional.words.iter().filter(|(word, _)| has_word(&lower, word));
                let places = regional.places.iter().filter(|(place, _)| text.contains(*place));
                if let Some((word, pack)) = words.chain(places).max_by_key(|(word, _)| word.len()) {
                    find(word.clone(), format!("names {pack}"));
                }
                if let Some(pack) = regional.times.get(&text) {
                    find(text.clone(), format!("a time of {pack}"));
                }
            }
        }
    }
    found
}

/// Whether a text has a word of its own: `town_fee` and `demo/town` have `town`, `downtown` has not.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

/// The text with every item under `#[cfg(test)]` blanked out, line by line.
fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut until: Option<String> = None;
    let mut is_next = false;
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(end) = &until {
            if line == end {
                until = None;
            }
        } else if line.trim_start().starts_with("#[cfg(test)]") {
            is_next = true;
        } else if is_next {
            if !line.trim_start().starts_with("#[") {
                is_next = false;
                until = line.ends_with('{').then(|| format!("{indent}}}"));
            }
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// What the rule looks at.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name.
    Word(String),
    /// What stands in quotes.
    Text(String),
    /// A whole number, without its underscores and type.
    Number(i64),
}

/// The names, texts and whole numbers of Rust or TOML code with their lines, comments left out.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") || c == '#' && is_toml_comment(rest) {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((before, inner, after)) = quoted(rest) {
            found.push((line, Token::Text(rest[before..before + inner].to_owned())));
            before + inner + after
        } else if c == '\'' {
            after_tick(rest)
        } else if c.is_ascii_digit() {
            let length = length_of(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            let digits: String = rest[..length].chars().filter(|c| *c != '_').collect();
            let digits = digits.find(|c: char| !c.is_ascii_digit()).map_or(&digits[..], |end| &digits[..end]);
            found.extend(digits.parse().ok().map(|number| (line, Token::Number(number))));
            length
        } else if c.is_alphabetic() || c == '_' {
            let length = length_of(rest, |c| c.is_alphanumeric() || c == '_');
            found.push((line, Token::Word(rest[..length].to_owned())));
            length
        } else {
            c.len_utf8()
        };
        line += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    found
}

/// `# …` in TOML; `#[…]` and `#"` in Rust are none.
fn is_toml_comment(rest: &str) -> bool {
    rest.starts_with("# ")
}

fn length_of(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// The lengths of a text's opening, inside and closing, if one begins here: `"…"`, `b"…"`, `r#"…"#`.
fn quoted(rest: &str) -> Option<(usize, usize, usize)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let is_raw = prefix.ends_with('r');
    let hashes = length_of(&rest[prefix.len()..], |c| c == '#');
    if hashes > 0 && !is_raw {
        return None;
    }
    let before = prefix.len() + hashes + 1;
    let inner = &rest[before..];
    let closing = format!("\"{}", "#".repeat(hashes));
    let mut is_escaped = false;
    let end = inner.char_indices().find(|(at, c)| {
        let ends = !is_escaped && inner[*at..].starts_with(&closing);
        is_escaped = !is_raw && *c == '\\' && !is_escaped;
        ends
    });
    let length = end.map_or(inner.len(), |(at, _)| at);
    Some((before, length, if end.is_some() { closing.len() } else { 0 }))
}

/// How long a character in ticks is; a lifetime's tick alone.
fn after_tick(rest: &str) -> usize {
    let mut inner = rest[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), _) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 1,
    }
}
