//! What families are told of a round, in the words of a notice to the whole school.

use shared::value::Moment;

use super::day::local;
use super::round::Round;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoundNews {
    /// It closes later.
    Extended {
        /// Why.
        reason: String,
    },
    /// It was called off.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// A section joined those that are drawn.
    Joined {
        /// Its title.
        section_title: String,
    },
}

impl RoundNews {
    /// The title of the notice, at most 60 characters.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Extended { .. } => "选课截止时间延长",
            Self::Cancelled { .. } => "本轮选课取消",
            Self::Joined { .. } => "本轮选课新增课程",
        }
    }

    /// The text of the notice about `round` as it is by now.
    #[must_use]
    pub fn body(&self, round: &Round) -> String {
        let close = moment_text(round.close_at);
        match self {
            Self::Extended { reason } => {
                format!(
                    "本轮选课的截止时间延长至 {close}。原因：{reason}。此前填报的志愿和已报名的课程继续有效。"
                )
            }
            Self::Cancelled { reason } => {
                format!(
                    "原定 {close} 截止的本轮选课取消。原因：{reason}。本轮填报的志愿不再有效，已报上的课程不受影响。"
                )
            }
            Self::Joined { section_title } => {
                format!(
                    "本轮选课新增课程“{section_title}”，{close} 截止前可以写入志愿，与其他课程一同抽签。已填报的志愿不受影响。"
                )
            }
        }
    }
}

/// A moment in the school's local time: `2026年9月7日 16:05`.
fn moment_text(moment: Moment) -> String {
    let minute = local::minute(moment);
    format!("{} {:02}:{:02}", local::day(moment).format("%Y年%-m月%-d日"), minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draw::terms::tests::round;

    #[test]
    fn families_read_when_it_closes_in_their_own_time_and_why() {
        let close_at = "2026-09-06T16:05:00Z".parse().unwrap();
        let round = Round { close_at, ..round() };
        for (news, words) in [
            (RoundNews::Extended { reason: "系统繁忙".to_owned() }, ["2026年9月7日 00:05", "系统繁忙"]),
            (RoundNews::Cancelled { reason: "课程调整".to_owned() }, ["2026年9月7日 00:05", "课程调整"]),
            (RoundNews::Joined { section_title: "围棋".to_owned() }, ["2026年9月7日 00:05", "围棋"]),
        ] {
            let body = news.body(&round);
            assert!(words.iter().all(|word| body.contains(word)), "{body}");
            assert!(news.title().chars().count() <= 60);
        }
    }
}
