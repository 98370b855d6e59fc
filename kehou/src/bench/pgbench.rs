//! What the machine's disk and PostgreSQL give anybody: one row a commit, by PostgreSQL's own measuring program.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::postgres::Server;

/// Commits per second of single rows by 1, 8 and 64 clients, the best of them last in the tuple's second place.
#[derive(Clone, Debug)]
pub struct Commits {
    /// Clients → commits per second.
    pub by_clients: Vec<(u32, f64)>,
}

impl Commits {
    /// The best of all.
    #[must_use]
    pub fn best(&self) -> f64 {
        self.by_clients.iter().map(|(_, per_second)| *per_second).fold(0.0, f64::max)
    }
}

/// Measures for `seconds` with each number of clients; none where `pgbench` is not installed. Blocks.
///
/// # Errors
/// When it is installed and fails.
pub fn measure(server: &Server, seconds: u32) -> anyhow::Result<Option<Commits>> {
    let program = server.programs().join("pgbench");
    if !program.exists() {
        return Ok(None);
    }
    let host = server.folder().to_string_lossy().into_owned();
    let psql = Command::new(server.programs().join("psql"))
        .args(["--host", &host, "--username=kehou", "--quiet", "--dbname=postgres", "--command"])
        .arg("create table if not exists commit_probe (number bigint not null)")
        .output()
        .context("running psql")?;
    ensure!(psql.status.success(), "psql: {}", String::from_utf8_lossy(&psql.stderr));
    let script = tempfile::NamedTempFile::new()?;
    std::fs::write(script.path(), "insert into commit_probe values (:client_id);\n")?;
    let mut by_clients = Vec::new();
    for clients in [1, 8, 64] {
        let ran = Command::new(&program)
            .args(["--host", &host, "--username=kehou", "--no-vacuum", "--protocol=prepared", "--jobs=2"])
            .arg(format!("--client={clients}"))
            .arg(format!("--time={seconds}"))
            .arg("--file")
            .arg(script.path())
            .arg("postgres")
            .output()
            .context("running pgbench")?;
        let text = String::from_utf8_lossy(&ran.stdout);
        ensure!(ran.status.success(), "pgbench: {}", String::from_utf8_lossy(&ran.stderr));
        let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let per_second = line.and_then(|line| line.split(' ').next()).and_then(|word| word.parse().ok());
        by_clients.push((clients, per_second.with_context(|| format!("no tps in {text}"))?));
    }
    Ok(Some(Commits { by_clients }))
}
