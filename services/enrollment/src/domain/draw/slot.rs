//! Draw slots: sections whose times clash with each other belong to one, directly or through one between them.
//!
//! A section that meets twice a week joins the sections of both times. A pupil gets at most one section of a draw slot, so that no
//! two sections a draw gives to one pupil can clash.

use crate::domain::section::{Section, first_clash};

/// A draw slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawSlot {
    /// Its times, such as `周一 16:00-17:00、周三 16:00-17:00`; distinct among the slots of one menu.
    pub code: String,
    /// The positions of its sections in the list given, ascending.
    pub sections: Vec<usize>,
}

const WEEKDAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

/// Divides sections into draw slots, the one that begins earliest in the week first.
#[must_use]
pub fn divide(sections: &[Section]) -> Vec<DrawSlot> {
    // Each section points to the first of its slot found so far.
    let mut first: Vec<usize> = (0..sections.len()).collect();
    for (at, section) in sections.iter().enumerate() {
        for before in 0..at {
            if first[before] != first[at] && first_clash(&sections[before].slots, &section.slots).is_some() {
                let (from, to) = (first[at].max(first[before]), first[at].min(first[before]));
                first.iter_mut().filter(|of| **of == from).for_each(|of| *of = to);
            }
        }
    }
    let mut slots: Vec<(Vec<Span>, Vec<usize>)> = Vec::new();
    for head in 0..sections.len() {
        let members: Vec<usize> = (0..sections.len()).filter(|at| first[*at] == head).collect();
        if !members.is_empty() {
            slots.push((spans(sections, &members), members));
        }
    }
    slots.sort();
    slots.into_iter().map(|(spans, sections)| DrawSlot { code: code(&spans), sections }).collect()
}

/// Weekday, start and end minute.
type Span = (i32, i32, i32);

/// The times the sections take together, those that touch joined; ascending.
fn spans(sections: &[Section], members: &[usize]) -> Vec<Span> {
    let slots = members.iter().flat_map(|at| &sections[*at].slots);
    let mut all: Vec<Span> = slots.map(|slot| (slot.weekday, slot.start_minute, slot.end_minute)).collect();
    all.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (weekday, start, end) in all {
        match joined.last_mut() {
            Some(last) if last.0 == weekday && start <= last.2 => last.2 = last.2.max(end),
            _ => joined.push((weekday, start, end)),
        }
    }
    joined
}

fn code(spans: &[Span]) -> String {
    let time = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let span = |(weekday, start, end): &Span| {
        let day = usize::try_from(weekday - 1).ok().and_then(|at| WEEKDAYS.get(at)).unwrap_or(&"");
        format!("{day} {}-{}", time(*start), time(*end))
    };
    spans.iter().map(span).collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::admission::tests::{section, slot};

    #[test]
    fn c41_sections_that_clash_share_a_draw_slot_and_one_that_meets_twice_joins_both_times() {
        let menu = [
            section(1, 10, &[slot(3, 960)]),
            section(2, 10, &[slot(1, 960)]),
            section(3, 10, &[slot(1, 990)]),
            section(4, 10, &[slot(2, 960)]),
        ];

        let apart = divide(&menu);
        let twice = [menu.as_slice(), &[section(5, 10, &[slot(1, 1020), slot(3, 960)])]].concat();
        let joined = divide(&twice);

        let members = |slots: &[DrawSlot]| slots.iter().map(|slot| slot.sections.clone()).collect::<Vec<_>>();
        assert_eq!(members(&apart), [vec![1, 2], vec![3], vec![0]]);
        assert_eq!(apart[0].code, "周一 16:00-17:30");
        assert_eq!(members(&joined), [vec![0, 1, 2, 4], vec![3]]);
        assert_eq!(joined[0].code, "周一 16:00-18:00、周三 16:00-17:00");
    }

    #[test]
    fn a_section_that_begins_when_another_ends_has_a_slot_of_its_own() {
        let menu = [section(1, 10, &[slot(1, 960)]), section(2, 10, &[slot(1, 1020)])];

        assert_eq!(divide(&menu).len(), 2);
        assert!(divide(&[]).is_empty());
    }
}
