//! Another way to sell out: a stock counter in Redis, checked and taken by one Lua script, its append-only file on.
//!
//! It does less than an admission does: it knows a section's stock and who has a seat in it, and neither rounds nor classes, clashes,
//! consent or lines; a repeat is told that it is one, and not what it got; what it appended has yet to be brought to a database. What
//! is compared is the pace of durable answers.
//!
//! The server is started for the run, on a socket in a folder of its own, and ended by its own process id. The askers are those of the
//! groups; commands are encoded beforehand; [`CONNECTIONS`] connections each send whatever waits in one piece and read the answers in
//! their order, so that one round trip and one flush of the file are shared by as many as wait, as in a group.

use std::collections::{HashMap, HashSet, VecDeque};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use shared::random;
use tempfile::TempDir;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::known_full::FULL;
use super::load::{self, Arrival, Ask, Outcome, Ran};
use super::profile::{Plan, Wish};
use super::world::Broken;

/// How many connections the askers share. More only make what goes in one piece smaller.
const CONNECTIONS: usize = 2;

/// How many commands go in one piece at the most, as many as a group has.
const PIECE_COUNT: usize = 512;

/// How long the server may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stock (`KEYS[1]`), who has a seat (`KEYS[2]`), what was given (`KEYS[3]`); the pupil and the entry. 1 given, 0 full, 2 had before.
const SCRIPT: &str = "\
    if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 2 end \
    if tonumber(redis.call('GET', KEYS[1])) <= 0 then return 0 end \
    redis.call('DECR', KEYS[1]) \
    redis.call('SADD', KEYS[2], ARGV[1]) \
    redis.call('RPUSH', KEYS[3], ARGV[2]) \
    return 1";

/// When the append-only file is flushed to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Before any answer.
    Always,
    /// Once a second: whoever was answered within the last one may lose the seat in a crash.
    EverySecond,
}

impl Flush {
    const fn setting(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
        }
    }
}

/// A running server. Ended when it is let go.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    socket: PathBuf,
    version: String,
    _folder: TempDir,
}

impl Redis {
    /// Starts one; none where `redis-server` is not installed. Blocks for a moment.
    ///
    /// # Errors
    /// When it is installed and does not start.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let Ok(version) = Command::new("redis-server").arg("--version").output() else { return Ok(None) };
        let version = String::from_utf8_lossy(&version.stdout);
        let version = version.split_whitespace().find_map(|word| word.strip_prefix("v="));
        let version = version.unwrap_or("of unknown version").to_owned();
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("redis.sock");
        // Ends with the thread that started it, however that ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "redis-server", "--port", "0", "--daemonize", "no", "--save", ""])
            .args(["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--maxmemory", "1gb"])
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting redis-server")?;
        let mut server = Self { child, socket, version, _folder: folder };
        let until = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(&server.socket).is_err() {
            if server.child.try_wait()?.is_some() || Instant::now() > until {
                bail!("redis-server does not come up");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(server))
    }

    /// The server's process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The server's version: `7.0.15`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Runs a plan of applications for single seats once, from an empty server, and looks at what it left.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn run(&self, plan: &Plan, flush: Flush, arrival: Arrival) -> anyhow::Result<(Ran, Broken)> {
        let mut control = Control::open(&self.socket).await?;
        control.ask(&[b"CONFIG", b"SET", b"appendfsync", flush.setting().as_bytes()]).await?;
        control.ask(&[b"FLUSHALL"]).await?;
        for (number, section) in plan.sections.iter().enumerate() {
            let stock = section.capacity_count.to_string();
            control.ask(&[b"SET", key("stock", number).as_bytes(), stock.as_bytes()]).await?;
        }
        let Reply::Text(digest) = control.ask(&[b"SCRIPT", b"LOAD", SCRIPT.as_bytes()]).await? else {
            bail!("Redis gave no digest of the script")
        };
        let desks = Arc::new(Desks::open(&self.socket, plan, &digest).await?);
        let ran = load::run(plan.wishes.len(), arrival, || async { Ok(Asker(desks.clone())) }).await?;
        let broken = look(&mut control, plan, &ran).await?;
        Ok((ran, broken))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A section's key.
fn key(kind: &str, section: usize) -> String {
    format!("{kind}:{section}")
}

/// What must hold afterwards: as of the groups.
async fn look(control: &mut Control, plan: &Plan, ran: &Ran) -> anyhow::Result<Broken> {
    let mut broken = Broken::default();
    let mut kept: HashSet<String> = HashSet::new();
    let turned_away = ran.outcomes().contains_key(FULL);
    for (number, section) in plan.sections.iter().enumerate() {
        let stock = match control.ask(&[b"GET", key("stock", number).as_bytes()]).await? {
            Reply::Text(text) => String::from_utf8(text)?.parse::<i64>()?,
            other => bail!("a stock that is {other:?}"),
        };
        let Reply::Number(seated) = control.ask(&[b"SCARD", key("seated", number).as_bytes()]).await? else {
            bail!("a set without a size")
        };
        let Reply::List(given) =
            control.ask(&[b"LRANGE", key("given", number).as_bytes(), b"0", b"-1"]).await?
        else {
            bail!("a list that is none")
        };
        let given_count = i64::try_from(given.len())?;
        broken.oversold += u64::from(stock < 0 || given_count > i64::from(section.capacity_count));
        broken.duplicates += u64::from(seated != given_count);
        broken.miscounted += u64::from(stock + given_count != i64::from(section.capacity_count));
        broken.left_empty += u64::from(turned_away && plan.sections.len() == 1 && stock > 0);
        for entry in given {
            let entry = String::from_utf8(entry)?;
            kept.extend(entry.split(' ').next().map(str::to_owned));
        }
    }
    let promised: HashSet<String> =
        super::service::promised(ran).into_iter().map(|id| id.to_string()).collect();
    broken.unanswered = u64::try_from(kept.symmetric_difference(&promised).count())?;
    Ok(broken)
}

/// A command and whoever waits for its answer.
struct Item {
    command: Arc<[u8]>,
    answer: oneshot::Sender<i64>,
}

/// What an asker needs.
struct Desks {
    lanes: Vec<mpsc::Sender<Item>>,
    /// Wish → the command, encoded, and the enrollment it would make.
    commands: Vec<Option<(Arc<[u8]>, Uuid)>>,
}

#[derive(Clone)]
struct Asker(Arc<Desks>);

impl Desks {
    async fn open(socket: &Path, plan: &Plan, digest: &[u8]) -> anyhow::Result<Self> {
        let mut lanes = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let stream = UnixStream::connect(socket).await.context("connecting to Redis")?;
            let (sender, receiver) = mpsc::channel(65_536);
            lanes.push(sender);
            tokio::spawn(serve(stream, receiver));
        }
        // A pupil is known by an id as long as ours.
        let mut pupils: HashMap<usize, Uuid> = HashMap::new();
        let commands = plan.wishes.iter().map(|wish| {
            let Wish::Seat { pupil, section, request } = wish else { return None };
            let id = Uuid::from_bytes(random::bytes());
            let pupil = pupils.entry(*pupil).or_insert_with(|| Uuid::from_bytes(random::bytes())).to_string();
            let entry = format!("{id} {pupil} {request}");
            let keys = ["stock", "seated", "given"].map(|kind| key(kind, *section));
            let [stock, seated, given] = keys.each_ref().map(String::as_bytes);
            let words: [&[u8]; 8] =
                [b"EVALSHA", digest, b"3", stock, seated, given, pupil.as_bytes(), entry.as_bytes()];
            Some((Arc::from(encoded(&words)), id))
        });
        Ok(Self { lanes, commands: commands.collect() })
    }
}

impl Ask for Asker {
    async fn ask(&mut self, index: usize) -> Outcome {
        let unexplained = |what: &str| Outcome::Unexplained(what.to_owned());
        let Desks { lanes, commands } = self.0.as_ref();
        let Some(Some((command, id))) = commands.get(index) else {
            return unexplained("not a wish for one seat");
        };
        let Some(lane) = lanes.get(index % lanes.len().max(1)) else { return unexplained("no connection") };
        let (answer, waiting) = oneshot::channel();
        if lane.send(Item { command: command.clone(), answer }).await.is_err() {
            return unexplained("the connection broke");
        }
        match waiting.await {
            Ok(1) => Outcome::Admitted(vec![*id]),
            Ok(0) => Outcome::Refused(FULL.to_owned()),
            Ok(2) => Outcome::Refused("ALREADY_ENROLLED".to_owned()),
            Ok(other) => Outcome::Unexplained(format!("Redis answered {other}")),
            Err(_) => unexplained("no answer"),
        }
    }
}

/// Sends whatever waits in one piece and gives each its answer, in their order, until nobody asks any more or the server is gone.
async fn serve(stream: UnixStream, mut waiting: mpsc::Receiver<Item>) {
    let (reading, mut writing) = stream.into_split();
    let (sender, mut sent) = mpsc::unbounded_channel::<VecDeque<oneshot::Sender<i64>>>();
    let answering = tokio::spawn(async move {
        let mut reading = BufReader::with_capacity(64 * 1024, reading);
        while let Some(piece) = sent.recv().await {
            for answer in piece {
                // A refusal of the command itself is no answer: whoever waits hears that there is none.
                let Ok(Reply::Number(number)) = reply(&mut reading).await else { return };
                let _ = answer.send(number);
            }
        }
    });
    let (mut items, mut bytes) = (Vec::with_capacity(PIECE_COUNT), Vec::new());
    while waiting.recv_many(&mut items, PIECE_COUNT).await > 0 {
        bytes.clear();
        let mut answers = VecDeque::with_capacity(items.len());
        for Item { command, answer } in items.drain(..) {
            bytes.extend_from_slice(&command);
            answers.push_back(answer);
        }
        if writing.write_all(&bytes).await.is_err() || sender.send(answers).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = answering.await;
}

/// A connection for what is asked before and after.
struct Control {
    reading: BufReader<OwnedReadHalf>,
    writing: tokio::net::unix::OwnedWriteHalf,
}

impl Control {
    async fn open(socket: &Path) -> anyhow::Result<Self> {
        let (reading, writing) =
            UnixStream::connect(socket).await.context("connecting to Redis")?.into_split();
        Ok(Self { reading: BufReader::new(reading), writing })
    }

    async fn ask(&mut self, words: &[&[u8]]) -> anyhow::Result<Reply> {
        self.writing.write_all(&encoded(words)).await?;
        reply(&mut self.reading).await
    }
}

/// An answer of the protocol (RESP2), as far as it is asked for here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reply {
    Number(i64),
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
    Nothing,
}

/// A command: its words, each with its length.
fn encoded(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one answer.
async fn reply(reading: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<Reply> {
    let (kind, rest) = line(reading).await?;
    let count = || rest.parse::<i64>().with_context(|| format!("a count that is {rest:?}"));
    Ok(match kind {
        b'+' => Reply::Text(rest.into_bytes()),
        b':' => Reply::Number(count()?),
        b'$' => text(reading, count()?).await?.map_or(Reply::Nothing, Reply::Text),
        b'*' => {
            let mut list = Vec::new();
            for _ in 0..count()? {
                let (kind, rest) = line(reading).await?;
                ensure!(kind == b'$', "a list of something else than texts");
                list.push(text(reading, rest.parse()?).await?.unwrap_or_default());
            }
            Reply::List(list)
        }
        _ => bail!("Redis refused: {rest}"),
    })
}

/// A line: its first byte, which says what it is, and the rest.
async fn line(reading: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<(u8, String)> {
    let mut line = String::new();
    ensure!(reading.read_line(&mut line).await? > 0, "Redis closed the connection");
    let kind = *line.as_bytes().first().context("an empty line")?;
    Ok((kind, line.get(1..).unwrap_or_default().trim_end().to_owned()))
}

/// A text of `length` bytes and its end of line; none for a negative length.
async fn text(reading: &mut (impl AsyncBufRead + Unpin), length: i64) -> anyhow::Result<Option<Vec<u8>>> {
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let mut bytes = vec![0; length + 2];
    reading.read_exact(&mut bytes).await?;
    bytes.truncate(length);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_length_of_each_word() {
        assert_eq!(encoded(&[b"GET", b"stock:0"]), b"*2\r\n$3\r\nGET\r\n$7\r\nstock:0\r\n");
    }

    #[tokio::test]
    async fn answers_are_read_one_after_another() {
        let mut bytes: &[u8] = b":1\r\n+OK\r\n$2\r\nhi\r\n$-1\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n-ERR no\r\n";
        let mut next = async || reply(&mut bytes).await;
        assert_eq!(next().await.unwrap(), Reply::Number(1));
        assert_eq!(next().await.unwrap(), Reply::Text(b"OK".to_vec()));
        assert_eq!(next().await.unwrap(), Reply::Text(b"hi".to_vec()));
        assert_eq!(next().await.unwrap(), Reply::Nothing);
        assert_eq!(next().await.unwrap(), Reply::List(vec![b"a".to_vec(), Vec::new()]));
        assert!(next().await.unwrap_err().to_string().contains("ERR no"));
        assert!(next().await.is_err());
    }
}
