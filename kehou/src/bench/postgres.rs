//! A PostgreSQL server for one run: its own folder, its own socket, everything as durable as it comes (`fsync` and
//! `synchronous_commit` on); stopped and removed at the end.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

/// How long the server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Stopped when it is let go.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
    programs: PathBuf,
}

impl Server {
    /// Starts one; none when PostgreSQL is not installed. Blocks for some seconds.
    ///
    /// # Errors
    /// When it is installed and does not start.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
        let owner = owner(folder.path())?;
        let run = |program: &str| {
            let mut command = Command::new("setpriv");
            // Ends with the thread that started it, however that ends.
            command.arg("--pdeathsig=INT").args(&owner).arg(programs.join(program));
            command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
            command
        };
        let data = folder.path().join("data");
        let initialised = run("initdb")
            .arg("--pgdata")
            .arg(&data)
            .args(["--username=kehou", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"])
            .output()
            .context("running initdb")?;
        ensure!(initialised.status.success(), "initdb: {}", String::from_utf8_lossy(&initialised.stderr));
        let child = run("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-p", "5432", "-c", "listen_addresses=", "-c", "max_connections=200"])
            .args(["-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=256MB"])
            .args(["-c", "max_wal_size=4GB"])
            .stderr(Stdio::null())
            .spawn()
            .context("starting postgres")?;
        let mut server = Self { child, folder, programs };
        let until = Instant::now() + PATIENCE;
        while !server.answers() {
            if server.child.try_wait()?.is_some() || Instant::now() > until {
                bail!("the PostgreSQL server does not come up");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(server))
    }

    fn answers(&self) -> bool {
        let asked = Command::new(self.programs.join("pg_isready"))
            .args(["--quiet", "--port=5432", "--host"])
            .arg(self.folder.path())
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// The URL of its one database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://kehou@localhost:5432/postgres?host={}", self.folder.path().display())
    }

    /// The folder of its socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where PostgreSQL's programs are.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The server's process: the connections' are below it.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fast shutdown: connections are cut, what is committed is written.
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(20);
        while asked.is_ok() && Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the newest PostgreSQL's programs are.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    found.sort();
    let elsewhere = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let mut candidates = found.into_iter().rev().map(|(_, path)| path).chain(elsewhere);
    candidates.find(|path| path.join("initdb").exists() && path.join("postgres").exists())
}

/// PostgreSQL refuses to run as root: then `folder` is given to a user without rights, and these arguments become that user.
fn owner(folder: &Path) -> anyhow::Result<Vec<String>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(Vec::new());
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?))
    };
    let (uid, gid) =
        find("postgres").or_else(|| find("nobody")).context("neither a user `postgres` nor `nobody`")?;
    chown(folder, Some(uid), Some(gid))?;
    Ok(vec![format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()])
}
