//! What is asked in a run: made from a seed, so that two runs ask the same in the same order.

use clap::ValueEnum;

/// A kind of rush.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Everybody wants the one section with few seats.
    Hot,
    /// Two wishes a pupil over many sections, the first far more wanted than the last (Zipf); one in twenty sent twice.
    Spread,
    /// Every wish is granted: as many seats as wishes.
    Allsuccess,
    /// A whole week in one basket: five wishes a pupil, all or none.
    Week,
    /// Nobody applies: menus and seat counts are read.
    Menu,
    /// The opening minute: menus, seat counts, applications, repeats.
    Opening,
}

impl Profile {
    /// Its name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Spread => "spread",
            Self::Allsuccess => "allsuccess",
            Self::Week => "week",
            Self::Menu => "menu",
            Self::Opening => "opening",
        }
    }

    /// Whether it can be asked of the service alone, without the gateway.
    #[must_use]
    pub const fn is_of_the_service(self) -> bool {
        matches!(self, Self::Hot | Self::Spread | Self::Allsuccess)
    }
}

/// How much is asked of what.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Requests in a round.
    pub request_count: usize,
    /// Seats of the one section of [`Profile::Hot`].
    pub seat_count: i32,
    /// Sections of the other profiles.
    pub section_count: usize,
    /// For the order of wishes.
    pub seed: u64,
}

/// A section to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSection {
    /// How many seats.
    pub capacity_count: i32,
    /// 1 (Monday) to 5.
    pub weekday: i32,
}

/// One thing asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A seat for a pupil in a section, by their places in the plan. A repeat has the number of what it repeats.
    Seat {
        /// The pupil.
        pupil: usize,
        /// The section.
        section: usize,
        /// The request's number: the same number is the same request.
        request: usize,
    },
    /// Seats for a pupil in several sections, all or none.
    Basket {
        /// The pupil.
        pupil: usize,
        /// The sections.
        sections: Vec<usize>,
        /// The request's number.
        request: usize,
    },
    /// The menu, compressed; `known` says that the last one read is at hand.
    Menu {
        /// Whether to ask only for news.
        known: bool,
    },
    /// How full everything is.
    Seats,
}

/// Everything asked in a round.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sections there are.
    pub sections: Vec<NewSection>,
    /// How many pupils there are, each with a guardian.
    pub pupil_count: usize,
    /// What is asked, in order.
    pub wishes: Vec<Wish>,
}

impl Plan {
    /// Makes the plan of a profile.
    #[must_use]
    pub fn of(profile: Profile, size: Size) -> Self {
        let mut dice = Dice(size.seed);
        match profile {
            Profile::Hot => Self {
                sections: vec![NewSection { capacity_count: size.seat_count, weekday: 1 }],
                pupil_count: size.request_count,
                wishes: (0..size.request_count)
                    .map(|pupil| Wish::Seat { pupil, section: 0, request: pupil })
                    .collect(),
            },
            Profile::Allsuccess => {
                let section_count = size.section_count.max(1);
                let each = size.request_count.div_ceil(section_count);
                Self {
                    sections: sections(section_count, i32::try_from(each).unwrap_or(i32::MAX)),
                    pupil_count: size.request_count,
                    wishes: (0..size.request_count)
                        .map(|pupil| Wish::Seat { pupil, section: pupil % section_count, request: pupil })
                        .collect(),
                }
            }
            Profile::Spread => spread(size, &mut dice),
            Profile::Week => week(size, &mut dice),
            Profile::Menu => Self {
                sections: Vec::new(),
                pupil_count: 0,
                wishes: (0..size.request_count)
                    .map(|number| match number % 4 {
                        0 => Wish::Seats,
                        1 => Wish::Menu { known: false },
                        _ => Wish::Menu { known: true },
                    })
                    .collect(),
            },
            Profile::Opening => opening(size, &mut dice),
        }
    }
}

fn sections(count: usize, capacity_count: i32) -> Vec<NewSection> {
    (0..count).map(|number| NewSection { capacity_count, weekday: weekday(number) }).collect()
}

fn weekday(number: usize) -> i32 {
    i32::try_from(number % 5).unwrap_or(0) + 1
}

/// Two wishes a pupil by Zipf's law with exponent 1, every twentieth sent again with the same key.
fn spread(size: Size, dice: &mut Dice) -> Plan {
    let section_count = size.section_count.max(2);
    let pupil_count = size.request_count.div_ceil(2).max(1);
    let zipf = Zipf::new(section_count);
    let mut wishes: Vec<Wish> = Vec::with_capacity(size.request_count);
    for request in 0..size.request_count {
        let earlier = wishes.get(dice.below(wishes.len().max(1))).cloned();
        match earlier {
            Some(repeat) if dice.below(20) == 0 => wishes.push(repeat),
            _ => wishes.push(Wish::Seat { pupil: request % pupil_count, section: zipf.draw(dice), request }),
        }
    }
    Plan { sections: sections(section_count, 40), pupil_count, wishes }
}

/// A section a weekday, the first of each weekday far more wanted than its last.
fn week(size: Size, dice: &mut Dice) -> Plan {
    let a_day = size.section_count.div_ceil(5).max(2);
    let zipf = Zipf::new(a_day);
    let wishes = (0..size.request_count)
        .map(|request| Wish::Basket {
            pupil: request,
            // Section 5 k + d meets on the weekday d.
            sections: (0..5).map(|day| 5 * zipf.draw(dice) + day).collect(),
            request,
        })
        .collect();
    Plan { sections: sections(5 * a_day, 40), pupil_count: size.request_count, wishes }
}

/// Of ten: four applications, one of them sent again, three menus, one of them whole, two looks at the seats.
fn opening(size: Size, dice: &mut Dice) -> Plan {
    let section_count = size.section_count.max(2);
    let zipf = Zipf::new(section_count);
    let mut pupil_count = 0;
    let mut applied: Vec<Wish> = Vec::new();
    let mut wishes = Vec::with_capacity(size.request_count);
    for request in 0..size.request_count {
        let wish = match dice.below(10) {
            0..=3 => {
                let wish = Wish::Seat { pupil: pupil_count, section: zipf.draw(dice), request };
                pupil_count += 1;
                applied.push(wish.clone());
                wish
            }
            4 => applied.get(dice.below(applied.len().max(1))).cloned().unwrap_or(Wish::Seats),
            5 | 6 => Wish::Seats,
            7 => Wish::Menu { known: false },
            _ => Wish::Menu { known: true },
        };
        wishes.push(wish);
    }
    Plan { sections: sections(section_count, 40), pupil_count, wishes }
}

/// Zipf's law with exponent 1 over `0..count`, by its sums.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=u32::try_from(count).unwrap_or(u32::MAX)).map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        });
        Self(sums.collect())
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        let thrown = dice.share() * self.0.last().copied().unwrap_or_default();
        self.0.partition_point(|sum| *sum <= thrown).min(self.0.len().saturating_sub(1))
    }
}

/// Numbers that look like chance and are always the same (SplitMix64, Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 or more, below `end`.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// 0 or more, below 1.
    fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { request_count: 2_000, seat_count: 30, section_count: 50, seed: 7 };

    fn seats(plan: &Plan) -> Vec<(usize, usize, usize)> {
        let seat = |wish: &Wish| match wish {
            Wish::Seat { pupil, section, request } => Some((*pupil, *section, *request)),
            _ => None,
        };
        plan.wishes.iter().filter_map(seat).collect()
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        for profile in [Profile::Spread, Profile::Week, Profile::Opening] {
            assert_eq!(Plan::of(profile, SIZE).wishes, Plan::of(profile, SIZE).wishes);
            let other = Plan::of(profile, Size { seed: 8, ..SIZE });
            assert_ne!(Plan::of(profile, SIZE).wishes, other.wishes);
        }
    }

    #[test]
    fn what_is_asked_is_there() {
        for profile in Profile::value_variants() {
            let plan = Plan::of(*profile, SIZE);
            assert_eq!(plan.wishes.len(), 2_000);
            for wish in &plan.wishes {
                let (pupil, sections) = match wish {
                    Wish::Seat { pupil, section, .. } => (*pupil, vec![*section]),
                    Wish::Basket { pupil, sections, .. } => (*pupil, sections.clone()),
                    Wish::Menu { .. } | Wish::Seats => continue,
                };
                assert!(pupil < plan.pupil_count && sections.iter().all(|one| *one < plan.sections.len()));
            }
        }
    }

    #[test]
    fn the_first_section_is_wanted_most_and_one_in_twenty_is_sent_again() {
        let plan = Plan::of(Profile::Spread, SIZE);
        let wishes = seats(&plan);
        let of = |section| wishes.iter().filter(|(_, one, _)| *one == section).count();
        assert!(of(0) > 5 * of(20).max(1) && of(0) > 200, "{} {}", of(0), of(20));
        let distinct: std::collections::BTreeSet<_> = wishes.iter().map(|(.., request)| request).collect();
        let repeats = wishes.len() - distinct.len();
        assert!((50..=150).contains(&repeats), "{repeats}");
    }

    #[test]
    fn a_basket_is_a_section_a_weekday() {
        let plan = Plan::of(Profile::Week, SIZE);
        for wish in &plan.wishes {
            let Wish::Basket { sections, .. } = wish else { panic!("{wish:?}") };
            let days: Vec<_> = sections.iter().map(|section| plan.sections[*section].weekday).collect();
            assert_eq!(days, [1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn where_every_wish_is_granted_there_are_seats_for_all() {
        let plan = Plan::of(Profile::Allsuccess, Size { section_count: 37, ..SIZE });
        let mut left: Vec<_> = plan.sections.iter().map(|section| section.capacity_count).collect();
        for (_, section, _) in seats(&plan) {
            left[section] -= 1;
        }
        assert!(left.iter().all(|left| *left >= 0));
    }
}
