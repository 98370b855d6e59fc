//! The processes under measurement: what each has used of processor and memory, as the kernel counts it.

use std::collections::HashMap;
use std::fs;

/// The kernel's ticks per second: `USER_HZ`, 100 on every Linux this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The thread names of the gateway's runtime, where it has one of its own.
pub const GATEWAY_THREADS: &str = "gateway";

/// What is counted under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// One process.
    Alone,
    /// A process and all that it started.
    Tree,
    /// The threads of a process that have this name.
    Threads(&'static str),
    /// All its other threads.
    OtherThreads(&'static str),
}

/// Something that works, by the name a report gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its name in the report.
    pub name: &'static str,
    id: u32,
    extent: Extent,
}

impl Process {
    /// One process.
    #[must_use]
    pub const fn alone(name: &'static str, id: u32) -> Self {
        Self { name, id, extent: Extent::Alone }
    }

    /// A process and all below it.
    #[must_use]
    pub const fn tree(name: &'static str, id: u32) -> Self {
        Self { name, id, extent: Extent::Tree }
    }

    /// A platform's process, whose gateway has threads of its own, as two.
    #[must_use]
    pub const fn platform(id: u32) -> [Self; 2] {
        [
            Self { name: "gateway", id, extent: Extent::Threads(GATEWAY_THREADS) },
            Self { name: "services", id, extent: Extent::OtherThreads(GATEWAY_THREADS) },
        ]
    }

    /// Seconds of processor time, user and system, used by now; 0 for what is gone.
    #[must_use]
    pub fn cpu_seconds(&self) -> f64 {
        match self.extent {
            Extent::Alone => stat(&format!("/proc/{}/stat", self.id)).map_or(0.0, |stat| stat.own),
            Extent::Tree => seconds_of_tree(self.id),
            Extent::Threads(name) => seconds_of_threads(self.id, |one| one == name),
            Extent::OtherThreads(name) => seconds_of_threads(self.id, |one| one != name),
        }
    }

    /// Bytes of memory in use: what is resident; of a tree, each shared page counted once. None where it is not told, and for threads,
    /// which share their process's.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        match self.extent {
            Extent::Alone | Extent::OtherThreads(_) => in_status(self.id, "VmRSS:"),
            Extent::Threads(_) => None,
            Extent::Tree => {
                let shares = ids_below(&all(), self.id).into_iter().filter_map(|id| {
                    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
                    kibibytes(&text, "Pss:")
                });
                let sum: u64 = shares.sum();
                (sum > 0).then_some(sum)
            }
        }
    }

    /// The most memory in use since [`Self::forget_peak`], in bytes; none for threads and trees.
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        match self.extent {
            Extent::Alone | Extent::OtherThreads(_) => in_status(self.id, "VmHWM:"),
            Extent::Threads(_) | Extent::Tree => None,
        }
    }

    /// Begins a new peak (proc(5): 5 in `clear_refs`). Where the kernel does not let us, the peak stays that of the process's life.
    pub fn forget_peak(&self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.id), "5");
    }

    /// What its memory is called in the report: threads share that of their process.
    #[must_use]
    pub const fn memory_name(&self) -> &'static str {
        match self.extent {
            Extent::Threads(_) | Extent::OtherThreads(_) => "platform",
            Extent::Alone | Extent::Tree => self.name,
        }
    }
}

/// The load averages over 1, 5 and 15 minutes, as the kernel writes them.
#[must_use]
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// How many processors there are.
#[must_use]
pub fn processor_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

struct Stat {
    name: String,
    parent: u32,
    own: f64,
    /// Of children that have ended and were waited for.
    ended: f64,
}

/// Reads a `stat` of a process or thread (proc(5)): field 2 its name, 4 the parent, 14 and 15 its own ticks, 16 and 17 its ended
/// children's.
fn stat(file: &str) -> Option<Stat> {
    let text = fs::read_to_string(file).ok()?;
    // The name in parentheses may hold anything; after it comes field 3.
    let (head, rest) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some(Stat {
        name: name.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        own: (number(14)? + number(15)?) / TICKS_PER_SECOND,
        ended: (number(16)? + number(17)?) / TICKS_PER_SECOND,
    })
}

fn numbered(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn all() -> HashMap<u32, Stat> {
    let known = |id: u32| Some((id, stat(&format!("/proc/{id}/stat"))?));
    numbered("/proc").into_iter().filter_map(known).collect()
}

/// The process and all below it.
fn ids_below(all: &HashMap<u32, Stat>, id: u32) -> Vec<u32> {
    let (mut found, mut open) = (Vec::new(), vec![id]);
    while let Some(id) = open.pop() {
        found.push(id);
        open.extend(all.iter().filter(|(_, stat)| stat.parent == id).map(|(id, _)| *id));
    }
    found
}

/// Also what has ended meanwhile.
fn seconds_of_tree(id: u32) -> f64 {
    let all = all();
    ids_below(&all, id).iter().filter_map(|id| all.get(id)).map(|stat| stat.own + stat.ended).sum()
}

fn seconds_of_threads(id: u32, is_wanted: impl Fn(&str) -> bool) -> f64 {
    let folder = format!("/proc/{id}/task");
    let threads = numbered(&folder).into_iter().filter_map(|thread| stat(&format!("{folder}/{thread}/stat")));
    threads.filter(|stat| is_wanted(&stat.name)).map(|stat| stat.own).sum()
}

fn in_status(id: u32, name: &str) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{id}/status")).ok()?, name)
}

/// The bytes of a line such as `VmRSS:     1234 kB`, which the kernel counts in KiB.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let count: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(count * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_a_peak_and_processor_time() {
        let own = Process::alone("test", std::process::id());
        own.forget_peak();
        let memory = own.memory_bytes().unwrap();
        assert!(memory > 1024 * 1024, "{memory}");
        assert!(own.peak_bytes().unwrap() > 1024 * 1024);
        // Ticks are coarse: at least none is negative, and what is gone has none.
        assert!(own.cpu_seconds() >= 0.0);
        assert!(Process::alone("gone", u32::MAX).cpu_seconds() < f64::MIN_POSITIVE);
        assert_eq!(Process::alone("gone", u32::MAX).memory_bytes(), None);
    }

    #[test]
    fn threads_are_counted_by_their_name() {
        let names = |wanted: &str| {
            let folder = format!("/proc/{}/task", std::process::id());
            let stats = numbered(&folder).into_iter().filter_map(|id| stat(&format!("{folder}/{id}/stat")));
            stats.filter(|stat| stat.name == wanted).count()
        };
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (up, is_up) = std::sync::mpsc::channel();
        let work = move || {
            up.send(()).unwrap();
            let _ = ended.recv();
        };
        let thread = std::thread::Builder::new().name("counted".to_owned()).spawn(work).unwrap();
        is_up.recv().unwrap();
        assert_eq!(names("counted"), 1);
        drop(end);
        thread.join().unwrap();
    }

    #[test]
    fn a_line_of_the_kernel_is_read_in_bytes() {
        assert_eq!(kibibytes("Name: x\nVmRSS:\t    12 kB\n", "VmRSS:"), Some(12 * 1024));
        assert_eq!(kibibytes("Name: x\n", "VmRSS:"), None);
    }
}
