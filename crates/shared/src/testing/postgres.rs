//! A PostgreSQL server for the tests of one user of one machine.
//!
//! The first test program that needs it starts it, those that run meanwhile share it, and it ends by itself a
//! few seconds after the last of them. Who uses it is told by locks on a file, which the kernel takes back
//! from a process however that ends:
//!
//! | file in the folder | locked by |
//! |---|---|
//! | `start.lock` | who looks for a server or starts one; exclusively |
//! | `users.lock` | every test program, shared, until it exits; the server's guard, exclusively, to stop it |
//! | `ready` | – : names the folder of the server that runs |
//!
//! The guard is a shell script that is the server's parent. Should the guard be killed, the kernel tells the
//! server to stop. The server listens on a socket in a folder that only its owner can enter: no port, no
//! password. It forgets everything at a power cut.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::random;

/// A running server, and our claim on it. The claim ends with the process.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    _claim: File,
}

impl Server {
    /// The URL of a database on it, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://kehou@localhost:5432/{database}?host={}", self.folder.display())
    }
}

/// How long a server may take to come up: a busy machine takes its time to make one.
const PATIENCE: Duration = Duration::from_secs(300);

/// Joins the server that runs, or starts one. Blocks for up to [`PATIENCE`].
pub fn join() -> anyhow::Result<Server> {
    let user = fs::metadata("/proc/self")?.uid();
    let base = std::env::temp_dir().join(format!("kehou-postgres-{user}"));
    match DirBuilder::new().mode(0o755).create(&base) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let metadata = fs::symlink_metadata(&base)?;
    ensure!(metadata.is_dir() && metadata.uid() == user, "{} belongs to somebody else", base.display());

    let starting = File::create(base.join("start.lock"))?;
    starting.lock()?;
    let claim = File::create(base.join("users.lock"))?;
    // Waits while a guard stops its server.
    claim.lock_shared()?;
    let ready = base.join("ready");
    let folder = match fs::read_to_string(&ready) {
        Ok(folder) if is_alive(Path::new(&folder)) => PathBuf::from(folder),
        // A guard that was killed has left its note.
        _ => {
            let _ = fs::remove_file(&ready);
            start(&base)?
        }
    };
    Ok(Server { folder, _claim: claim })
}

fn is_alive(folder: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(folder.join(".s.PGSQL.5432")).is_ok()
}

/// Starts a server and its guard; gives the server's folder once it answers.
fn start(base: &Path) -> anyhow::Result<PathBuf> {
    let programs = programs()?;
    let folder = base.join(format!("{:08x}", u32::from_be_bytes(random::bytes())));
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, Permissions::from_mode(0o700))?;

    // The server refuses to run as root. `--pdeathsig`: should the guard be killed, the server stops.
    let mut become_owner = vec!["setpriv".to_owned(), "--pdeathsig=INT".to_owned()];
    if folder.metadata()?.uid() == 0 {
        let (uid, gid) = unprivileged()?;
        chown(&folder, Some(uid), Some(gid))?;
        become_owner.extend([
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".to_owned(),
        ]);
    }
    let mut guard = Command::new("sh")
        .args(["-c", GUARD, "kehou-postgres-guard"])
        .args([base, &folder, &programs])
        .args(become_owner)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C at the terminal is for the tests; the guard sees them end.
        .process_group(0)
        .spawn()
        .context("the guard of the PostgreSQL server")?;

    let ready = base.join("ready");
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if fs::read_to_string(&ready).is_ok_and(|ready| Path::new(&ready) == folder) {
            return Ok(folder);
        }
        if guard.try_wait()?.is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let log = fs::read_to_string(base.join("failed.log")).unwrap_or_default();
    bail!("the PostgreSQL server does not start:\n{log}")
}

/// `$1` the base, `$2` the server's folder, `$3` where the programs are; the rest is the command that becomes
/// the owner.
const GUARD: &str = r#"
base=$1 folder=$2 programs=$3
shift 3
fail() { cp "$folder/log" "$base/failed.log"; rm -rf "$folder"; exit 1; }

"$@" "$programs/initdb" --pgdata="$folder/data" --username=kehou --auth=trust --encoding=UTF8 --locale=C \
    --no-sync --no-instructions > "$folder/log" 2>&1 || fail
"$@" "$programs/postgres" -D "$folder/data" -k "$folder" -p 5432 -c listen_addresses= -c max_connections=1000 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
    -c autovacuum=off -c deadlock_timeout=100ms >> "$folder/log" 2>&1 &
server=$!
until "$programs/pg_isready" --quiet --host="$folder" --port=5432; do
    kill -0 "$server" 2> /dev/null || fail
    sleep 0.05
done
exec 9> "$base/users.lock"
printf %s "$folder" > "$base/ready.new" && mv "$base/ready.new" "$base/ready"

# Ends when nobody has used it for 5 seconds, and never under somebody's hands.
idle=0
while sleep 1 && kill -0 "$server" 2> /dev/null; do
    if flock --nonblock --exclusive 9; then
        idle=$((idle + 1))
        [ "$idle" -ge 5 ] && break
        flock --unlock 9
    else
        idle=0
    fi
done
[ "$(cat "$base/ready")" = "$folder" ] && rm "$base/ready"
kill -INT "$server" 2> /dev/null
wait "$server"
rm -rf "$folder"
"#;

/// Where the newest PostgreSQL's programs are.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .collect();
    found.sort();
    let elsewhere = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let mut candidates = found.into_iter().rev().map(|(_, path)| path).chain(elsewhere);
    candidates.find(|path| path.join("initdb").exists() && path.join("postgres").exists()).context(
        "no PostgreSQL is installed: install version 15 or later, or set KEHOU_TEST_DATABASE_URL to a server whose role may \
         create databases",
    )
}

/// A user without rights for the server to run as: `postgres`, else `nobody`. User id, group id.
fn unprivileged() -> anyhow::Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody")).context("neither a user `postgres` nor `nobody`")
}
