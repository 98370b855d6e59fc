//! The edge over real HTTP, with fake services behind it.
//!
//! | file | holds |
//! |---|---|
//! | `fake` | services that answer what a test tells them, and a gateway in front |
//! | `message` | contract messages by descriptor: filled, read as JSON, compared |
//! | `routes` | each route: what the service received, what the caller got |
//! | `description` | the description of the API |
//! | `refusal` | refusals of services as problem documents |
//! | `policy` | the rules a school is under: questions, silence, the ETag |
//! | `body`, `edge`, `session`, `admission` | reading requests; what every request passes; sessions; the stream |

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

mod admission;
mod body;
mod description;
mod edge;
mod fake;
mod message;
mod policy;
mod refusal;
mod routes;
mod session;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Compares a document with a file of this crate; writes the file instead when `KEHOU_UPDATE_SNAPSHOTS` is set.
fn assert_same_as_file(path: &str, document: &Value) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KEHOU_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, format!("{:#}\n", sorted(document))).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let known = serde_json::from_str(&text).unwrap_or(Value::Null);
    if let Some(difference) = difference(&known, document, "") {
        panic!(
            "{}: {difference}; if it should, run the test with KEHOU_UPDATE_SNAPSHOTS=1 and review the file",
            path.display()
        );
    }
}

/// The document with the fields of each object in the order of their names, however the map behind it keeps them.
fn sorted(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        value => value.clone(),
    }
}

/// Where two documents differ first.
fn difference(known: &Value, found: &Value, at: &str) -> Option<String> {
    match (known, found) {
        (Value::Object(known), Value::Object(found)) => {
            let names = known.keys().chain(found.keys());
            names
                .into_iter()
                .find_map(|name| difference(known.get(name)?, found.get(name)?, &format!("{at}/{name}")))
                .or_else(|| {
                    let gone = known.keys().find(|name| !found.contains_key(*name));
                    let new = found.keys().find(|name| !known.contains_key(*name));
                    let gone = gone.map(|name| format!("{at}/{name} is gone"));
                    gone.or_else(|| new.map(|name| format!("{at}/{name} is new")))
                })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| difference(one, other, &format!("{at}/{index}")))
        }
        _ => (known != found).then(|| format!("{at} was {known} and is {found}")),
    }
}
