//! Who may import whom.

use crate::source::File;

/// The five services' crates.
const SERVICES: [&str; 5] = ["identity", "catalog", "enrollment", "billing", "supervision"];

/// What each room of a service must not name, by path prefix.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "domain",
        &[
            "sea_orm",
            "sea_orm_migration",
            "sqlx",
            "tonic",
            "prost",
            "prost_types",
            "proto",
            "tokio",
            "tokio_util",
            "tokio_stream",
            "futures",
            "axum",
            "tracing",
            "reqwest",
            "wechat",
            "crate::store",
            "crate::rpc",
            "crate::job",
            "crate::event",
            "shared::db",
            "shared::feed",
            "shared::request",
            "shared::clock",
            "shared::random",
            "shared::config",
            "shared::status",
            "shared::caller",
            "shared::server",
            "shared::client",
            "shared::telemetry",
            "shared::seal",
            "shared::table",
        ],
    ),
    ("store", &["tonic", "proto", "crate::rpc", "crate::job"]),
    ("rpc", &["sea_orm", "sea_orm_migration", "sqlx", "crate::job"]),
    ("job", &["crate::rpc", "tonic::transport::Server"]),
];

/// Every import that points outward.
pub(crate) fn broken(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        let code = file.code();
        if let Some((room, forbidden)) = room_of(&file.path) {
            for path in forbidden.iter().filter(|path| names(&code, path)) {
                broken.push(format!("{}: {room} must not name {path}", file.path));
            }
            if room == "domain" && has_word(&code, "async") {
                broken.push(format!("{}: domain must not be async", file.path));
            }
        }
        let own = file.path.strip_prefix("services/").and_then(|rest| rest.split('/').next());
        if own.is_some() || file.path.starts_with("gateway/") || file.path.starts_with("crates/") {
            for service in SERVICES.iter().filter(|service| Some(**service) != own) {
                // `proto::billing` is another thing with the same name, and so is a module or an alias.
                let is_own_word =
                    code.contains(&format!("mod {service};")) || code.contains(&format!(" as {service}"));
                if names(&code, service) && !is_own_word {
                    broken.push(format!("{}: must not know the service {service}", file.path));
                }
            }
        }
        if file.path.starts_with("gateway/") && names(&code, "sea_orm") {
            broken.push(format!("{}: the gateway has no database", file.path));
        }
    }
    broken
}

/// The room a service's file stands in, with what it must not name.
fn room_of(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let room = path.strip_prefix("services/")?.split_once("/src/")?.1.split(['/', '.']).next()?;
    FORBIDDEN.iter().find(|(name, _)| *name == room).map(|(name, forbidden)| (*name, *forbidden))
}

/// Whether the code names a path: `path::` or `use path;`, not as the tail of a longer path.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + path.len()..];
        let starts =
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '.' || c == '"');
        let used = code[..at].ends_with("use ") && after.starts_with([';', ' ', ',']);
        starts && (after.starts_with("::") || used)
    })
}

/// Whether the code has a word of its own.
fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Every dependency between crates that points outward.
pub(crate) fn broken_dependencies(manifests: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for manifest in manifests {
        let folder = manifest.path.trim_end_matches("/Cargo.toml");
        let own = folder.rsplit('/').next().unwrap_or(folder);
        let forbidden: Vec<&str> = match folder {
            "kehou" | "tests" => continue,
            "gateway" => {
                [&SERVICES[..], &["sea-orm", "sea-orm-migration", "sqlx", "policy", "wechat"]].concat()
            }
            "crates/shared" => [&SERVICES[..], &["gateway", "policy", "wechat"]].concat(),
            "crates/policy" => [&SERVICES[..], &["gateway", "wechat", "tonic", "sea-orm"]].concat(),
            "crates/draw" => {
                [&SERVICES[..], &["gateway", "shared", "policy", "wechat", "tokio", "tonic", "sea-orm"]]
                    .concat()
            }
            "crates/wechat" => [&SERVICES[..], &["gateway", "shared", "policy", "sea-orm"]].concat(),
            _ => [&SERVICES[..], &["gateway"]].concat(),
        };
        for line in manifest.text.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if name != own && forbidden.contains(&name) {
                broken.push(format!("{}: must not depend on {name}", manifest.path));
            }
        }
    }
    broken
}
