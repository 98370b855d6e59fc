//! How much processor time processes have used, as the kernel counts it.

use std::collections::HashMap;
use std::fs;

/// The kernel's ticks per second: `USER_HZ`, 100 on every Linux this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time, user and system, that a process has used by now; 0 for one that is gone.
#[must_use]
pub fn seconds_of(process_id: u32) -> f64 {
    stat(process_id).map_or(0.0, |stat| stat.own)
}

/// The same for a process and everything below it, also what has ended meanwhile.
#[must_use]
pub fn seconds_of_tree(process_id: u32) -> f64 {
    let all: HashMap<u32, Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, stat(id)?)))
        .collect();
    let mut sum = 0.0;
    let mut open = vec![process_id];
    while let Some(id) = open.pop() {
        if let Some(stat) = all.get(&id) {
            sum += stat.own + stat.ended;
        }
        open.extend(all.iter().filter(|(_, stat)| stat.parent == id).map(|(id, _)| *id));
    }
    sum
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
    parent: u32,
    own: f64,
    /// Of children that have ended and were waited for.
    ended: f64,
}

/// Reads `/proc/<id>/stat` (proc(5)): field 4 the parent, 14 and 15 the process's own ticks, 16 and 17 its ended children's.
fn stat(process_id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
    // The name in parentheses may hold anything; after it comes field 3.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: (number(14)? + number(15)?) / TICKS_PER_SECOND,
        ended: (number(16)? + number(17)?) / TICKS_PER_SECOND,
    })
}
