//! What was measured, in lines people can read: ratios first, and the machine they were taken on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::Way;
use super::known_full::KnownFull;
use super::load::{Answered, Outcome, Ran};
use super::process;
use super::world::Broken;

/// One round of one way.
#[derive(Clone, Debug)]
pub struct Round {
    /// Requests answered per second.
    pub per_second: f64,
    /// Half of the answers came within this.
    pub p50: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
    /// What was answered, how often.
    pub outcomes: BTreeMap<String, usize>,
    /// Processor time for a request, in microseconds: whose → how much.
    pub cpu_us: Vec<(&'static str, f64)>,
    /// Applications in a group on average; none where nothing was decided.
    pub group_size: Option<f64>,
    /// Those who came when their section was known to be full; none where nobody did.
    pub known_full: Option<KnownFull>,
    /// Memory in use, process by process.
    pub memory: Vec<Memory>,
    /// What is not as it must be.
    pub broken: Broken,
    /// Answers that explain nothing.
    pub unexplained: usize,
}

impl Round {
    /// Sums up what ran. `cpu_seconds` is what each process used meanwhile.
    #[must_use]
    pub fn of(ran: &Ran, cpu_seconds: &[(&'static str, f64)], broken: Broken) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
        let count = ran.answered.len().max(1) as f64;
        let is_unexplained = |answered: &&Answered| matches!(answered.outcome, Outcome::Unexplained(_));
        Self {
            per_second: ran.per_second(),
            p50: ran.latency(0.5),
            p99: ran.latency(0.99),
            max: ran.latency(1.0),
            outcomes: ran.outcomes(),
            cpu_us: cpu_seconds.iter().map(|(whose, seconds)| (*whose, seconds * 1e6 / count)).collect(),
            group_size: None,
            known_full: None,
            memory: Vec::new(),
            broken,
            unexplained: ran.answered.iter().filter(is_unexplained).count(),
        }
    }

    fn cpu_sum(&self) -> f64 {
        self.cpu_us.iter().map(|(_, us)| us).sum()
    }

    fn is_sound(&self) -> bool {
        self.broken.is_none() && self.unexplained == 0
    }
}

/// The memory of a process over a round, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Whose.
    pub name: &'static str,
    /// Before the round.
    pub before_bytes: u64,
    /// After it.
    pub after_bytes: u64,
    /// The most in between; none where the kernel does not tell.
    pub peak_bytes: Option<u64>,
}

/// All rounds of a profile on an engine, by the way they were decided.
#[derive(Clone, Debug)]
pub struct Series {
    /// `hot, service, PostgreSQL`.
    pub title: String,
    /// The rounds of each way, in the order they were run.
    pub rounds: Vec<(Way, Vec<Round>)>,
}

/// A middle with its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The one in the middle.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of some numbers; none of none.
    #[must_use]
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median = if numbers.len().is_multiple_of(2) {
            f64::midpoint(*numbers.get(middle - 1)?, *numbers.get(middle)?)
        } else {
            *numbers.get(middle)?
        };
        Some(Self { min, median, max })
    }
}

impl Series {
    /// The rounds of a way.
    #[must_use]
    pub fn of(&self, way: Way) -> &[Round] {
        self.rounds.iter().find(|(one, _)| *one == way).map_or(&[], |(_, rounds)| rounds)
    }

    /// How many times as fast as another way the groups are, round by round.
    #[must_use]
    pub fn ratios(&self, than: Way) -> Option<Spread> {
        let pairs = self.of(Way::Groups).iter().zip(self.of(than));
        Spread::of(pairs.map(|(groups, other)| groups.per_second / other.per_second.max(1e-9)).collect())
    }

    fn cpu_ratios(&self, than: Way) -> Option<Spread> {
        let pairs = self.of(Way::Groups).iter().zip(self.of(than));
        Spread::of(pairs.map(|(groups, other)| other.cpu_sum() / groups.cpu_sum().max(1e-9)).collect())
    }

    /// Whether every round left everything as it must be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.rounds.iter().flat_map(|(_, rounds)| rounds).all(Round::is_sound)
    }

    /// Writes the series. `commits` is the machine's best rate of single durable commits, where it was measured.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn print(&self, out: &mut impl io::Write, commits: Option<f64>) -> io::Result<()> {
        writeln!(out, "\n{}", self.title)?;
        for (way, rounds) in &self.rounds {
            let middle = |of: fn(&Round) -> f64| {
                Spread::of(rounds.iter().map(of).collect()).map_or(0.0, |spread| spread.median)
            };
            writeln!(
                out,
                "  {:<15} throughput {:>8.0}/s   p50 {:>9}   p99 {:>9}   max {:>9}",
                way.name(),
                middle(|round| round.per_second),
                milliseconds(middle(|round| round.p50.as_secs_f64())),
                milliseconds(middle(|round| round.p99.as_secs_f64())),
                milliseconds(middle(|round| round.max.as_secs_f64())),
            )?;
            if let Some(last) = rounds.last() {
                writeln!(out, "          {}", details(last))?;
                if let Some(known) = &last.known_full {
                    writeln!(out, "          {}", known_full(known))?;
                }
                writeln!(out, "          memory MiB {}", memory(&last.memory))?;
                writeln!(out, "          outcomes {}", outcomes(&last.outcomes))?;
            }
            let bad = rounds.iter().filter(|round| !round.is_sound()).count();
            let unexplained: usize = rounds.iter().map(|round| round.unexplained).sum();
            let sum = |of: fn(&Broken) -> u64| rounds.iter().map(|round| of(&round.broken)).sum::<u64>();
            writeln!(
                out,
                "          invariants {}: oversold {}  duplicates {}  miscounted {}  clashes {}  unanswered {}  \
                 left empty {}  unexplained {unexplained}",
                if bad == 0 { "hold" } else { "BROKEN" },
                sum(|broken| broken.oversold),
                sum(|broken| broken.duplicates),
                sum(|broken| broken.miscounted),
                sum(|broken| broken.clashes),
                sum(|broken| broken.unanswered),
                sum(|broken| broken.left_empty),
            )?;
        }
        for than in Way::OTHERS {
            if let (Some(ratio), Some(cpu)) = (self.ratios(than), self.cpu_ratios(than)) {
                writeln!(
                    out,
                    "  groups / {}: {:.1}x throughput [{:.1}-{:.1}], 1/{:.1} of the processor time [{:.1}-{:.1}]",
                    than.name(),
                    ratio.median,
                    ratio.min,
                    ratio.max,
                    cpu.median,
                    cpu.min,
                    cpu.max
                )?;
            }
        }
        let groups = Spread::of(self.of(Way::Groups).iter().map(|round| round.per_second).collect());
        if let (Some(commits), Some(groups)) = (commits, groups) {
            writeln!(out, "  groups / single durable commits: {:.2}x", groups.median / commits.max(1e-9))?;
        }
        out.flush()
    }
}

fn details(round: &Round) -> String {
    let mut text = String::new();
    let cpu: Vec<_> = round.cpu_us.iter().map(|(whose, us)| format!("{whose} {us:.0}")).collect();
    let _ = write!(text, "cpu us/request {:.0} ({})", round.cpu_sum(), cpu.join(", "));
    if let Some(size) = round.group_size {
        let _ = write!(text, "   group size {size:.1}");
    }
    text
}

fn known_full(known: &KnownFull) -> String {
    let KnownFull { before_count, after_count, repeat_count, without_database: (least, most), p50, p99 } =
        known;
    format!(
        "known full: {after_count} sent after the first refusal, {repeat_count} of them repeats; refused without the database \
         {:.1}-{:.1} %  p50 {}  p99 {}   (decided as full before that: {before_count})",
        least * 100.0,
        most * 100.0,
        milliseconds(p50.as_secs_f64()),
        milliseconds(p99.as_secs_f64()),
    )
}

fn memory(memory: &[Memory]) -> String {
    let of = |one: &Memory| {
        let peak = one.peak_bytes.map(|bytes| format!(" (at most {})", mebibytes(bytes))).unwrap_or_default();
        format!("{} {} to {}{peak}", one.name, mebibytes(one.before_bytes), mebibytes(one.after_bytes))
    };
    memory.iter().map(of).collect::<Vec<_>>().join(", ")
}

const fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1024 * 1024)
}

fn outcomes(outcomes: &BTreeMap<String, usize>) -> String {
    let counted: Vec<_> = outcomes.iter().map(|(name, count)| format!("{name} {count}")).collect();
    counted.join("  ")
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

/// Writes on what machine it was measured, and how busy that is.
///
/// # Errors
/// When `out` cannot be written.
pub fn print_machine(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "machine: {} processors, load average {}",
        process::processor_count(),
        process::load_average()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_between_its_ends() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Some(Spread { min: 1.0, median: 2.0, max: 3.0 }));
        assert_eq!(Spread::of(vec![4.0, 1.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_series_says_what_is_broken() {
        let ran = Ran {
            took: Duration::from_secs(1),
            answered: vec![Answered {
                index: 0,
                sent_at: Duration::ZERO,
                answered_at: Duration::from_millis(3),
                latency: Duration::from_millis(3),
                outcome: Outcome::Unexplained("500".to_owned()),
            }],
        };
        let mut round = Round::of(&ran, &[("client", 0.5)], Broken { oversold: 1, ..Broken::default() });
        let mebibyte = 1024 * 1024;
        round.memory = vec![Memory {
            name: "platform",
            before_bytes: 3 * mebibyte,
            after_bytes: 4 * mebibyte,
            peak_bytes: Some(5 * mebibyte),
        }];
        round.known_full = Some(KnownFull {
            before_count: 7,
            after_count: 40,
            repeat_count: 2,
            without_database: (0.95, 1.0),
            p50: Duration::from_millis(2),
            p99: Duration::from_millis(9),
        });
        let mut slower = round.clone();
        slower.per_second /= 4.0;
        slower.cpu_us = vec![("client", 1e6)];
        let rounds = vec![(Way::Groups, vec![round]), (Way::RedisAlways, vec![slower])];
        let series = Series { title: "hot".to_owned(), rounds };

        let mut out = Vec::new();
        series.print(&mut out, Some(10.0)).unwrap();

        let text = String::from_utf8(out).unwrap();
        assert!(!series.is_sound());
        for words in [
            "BROKEN",
            "oversold 1",
            "unexplained 1",
            "cpu us/request 500000",
            "commits: 0.10x",
            "known full: 40 sent after the first refusal, 2 of them repeats; refused without the database 95.0-100.0 %",
            "p99 9.0 ms   (decided as full before that: 7)",
            "memory MiB platform 3 to 4 (at most 5)",
            "groups / redis always: 4.0x throughput [4.0-4.0], 1/2.0 of the processor time",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
