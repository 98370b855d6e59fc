//! What the service should do, without any of its code: as plain as a table on paper.

use std::cmp::min;

/// When sections meet: 0 and 1 share half an hour, 2 is on another day.
const CLASH: [[bool; 3]; 3] = [[true, true, false], [true, true, false], [false, false, true]];
/// How many seats they have.
pub const CAPACITY: [i32; 3] = [1, 2, 1];
/// How many pupils there are.
pub const PUPILS: usize = 4;
/// How many seconds a review and a hold last.
pub const WAITS: [i64; 2] = [604_800, 1_800];

/// An enrollment. `until` is when a wait is over, or billing is asked next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub pupil: usize,
    pub section: usize,
    pub state: &'static str,
    pub number: Option<i64>,
    pub until: Option<i64>,
    pub approved: usize,
    pub reason: Option<&'static str>,
    pub settled: bool,
    pub told: Vec<&'static str>,
}

/// A section: seats taken, in line, last number, seats freed and offered, cancelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub taken: i32,
    pub waiting: i32,
    pub last: i64,
    pub freed: i32,
    pub offered: i32,
    pub cancelled: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now: i64,
    pub steps: usize,
    pub charged: bool,
    /// Whether guardians sign first, and for whom it is done.
    pub asks: bool,
    pub signed: [bool; PUPILS],
    pub rows: Vec<Row>,
    pub sections: [Section; 3],
    pub left: [bool; PUPILS],
    pub asked: Vec<u32>,
}

fn seated(state: &str) -> bool {
    ["awaiting_agreement", "in_review", "held", "releasing", "confirmed"].contains(&state)
}

impl Model {
    fn sits(&self, pupil: usize, section: usize) -> bool {
        self.rows.iter().any(|row| row.pupil == pupil && seated(row.state) && CLASH[row.section][section])
    }

    pub fn apply(&mut self, pupil: usize, section: usize, join: bool) -> Result<usize, &'static str> {
        // Whoever stands in line and can sit by now is first.
        self.promote(section);
        let is_full = self.sections[section].taken >= CAPACITY[section];
        let is_here = |row: &Row| (row.pupil, row.section) == (pupil, section) && row.state != "released";
        match () {
            () if self.left[pupil] => return Err("NOT_OF_THIS_SCHOOL"),
            () if self.sections[section].cancelled => return Err("SECTION_NOT_PUBLISHED"),
            () if self.rows.iter().any(is_here) => return Err("ALREADY_ENROLLED"),
            () if is_full && !join => return Err("SECTION_FULL"),
            () if self.sits(pupil, section) => return Err("SLOT_TAKEN"),
            () => {}
        }
        self.rows.push(Row { pupil, section, state: "", ..Row::default() });
        self.asked.push(0);
        let at = self.rows.len() - 1;
        if is_full {
            self.sections[section].last += 1;
            self.rows[at].number = Some(self.sections[section].last);
            self.to(at, "waitlisted", None, Some("waitlisted"));
        } else {
            self.seat(at);
        }
        Ok(at)
    }

    fn seat(&mut self, at: usize) {
        let row = &self.rows[at];
        let must_sign = self.asks && !self.signed[row.pupil];
        let (state, wait, told) = match (must_sign, row.approved < self.steps, self.charged) {
            (true, ..) => ("awaiting_agreement", Some(WAITS[0]), "agreement_awaited"),
            (false, true, _) => ("in_review", Some(WAITS[0]), "review_begun"),
            (false, false, true) => ("held", Some(WAITS[1]), "seat_held"),
            (false, false, false) => ("confirmed", None, "seat_confirmed"),
        };
        self.to(at, state, wait.map(|wait| self.now + wait), Some(told));
    }

    fn to(&mut self, at: usize, state: &'static str, until: Option<i64>, told: Option<&'static str>) {
        let before = self.rows[at].state;
        let row = &mut self.rows[at];
        (row.state, row.until) = (state, until);
        row.told.extend(told);
        let section = &mut self.sections[row.section];
        section.taken += i32::from(seated(state)) - i32::from(seated(before));
        section.waiting += i32::from(state == "waitlisted") - i32::from(before == "waitlisted");
        section.freed += i32::from(seated(before) && !seated(state));
    }

    fn release(&mut self, at: usize, reason: &'static str, settled: bool) {
        self.to(at, "released", None, Some("seat_released"));
        (self.rows[at].reason, self.rows[at].settled) = (Some(reason), settled);
    }

    fn begin_release(&mut self, at: usize, reason: &'static str) {
        self.to(at, "releasing", Some(self.now), None);
        (self.rows[at].reason, self.asked[at]) = (Some(reason), 0);
    }

    /// Gives free seats of a section to the lowest numbers that can sit.
    pub fn promote(&mut self, section: usize) {
        while self.sections[section].taken < CAPACITY[section] && !self.sections[section].cancelled {
            let can = |row: &Row| !self.left[row.pupil] && !self.sits(row.pupil, section);
            let line = (0..self.rows.len()).filter(|at| {
                let row = &self.rows[*at];
                row.section == section && row.state == "waitlisted" && can(row)
            });
            let Some(next) = line.min_by_key(|at| self.rows[*at].number) else { return };
            self.sections[section].offered += 1;
            self.seat(next);
        }
    }

    pub fn withdraw(&mut self, at: usize, is_closed: bool) {
        match self.rows[at].state {
            "waitlisted" | "awaiting_agreement" | "in_review" => self.release(at, "withdrawn", false),
            "held" if is_closed => self.release(at, "withdrawn", false),
            "held" => self.begin_release(at, "withdrawn"),
            "confirmed" => self.release(at, "withdrawn", true),
            _ => return,
        }
        self.promote(self.rows[at].section);
    }

    pub fn lose(&mut self, reason: &'static str, which: impl Fn(&Row) -> bool) {
        let lost: Vec<_> = (0..self.rows.len()).filter(|at| which(&self.rows[*at])).collect();
        for &at in &lost {
            match (self.rows[at].state, self.rows[at].reason) {
                ("waitlisted" | "awaiting_agreement" | "in_review", _) => self.release(at, reason, false),
                ("releasing", Some(before)) if before == reason => {}
                ("held" | "releasing", _) => self.begin_release(at, reason),
                ("confirmed", _) => self.release(at, reason, true),
                _ => {}
            }
        }
        let sections: std::collections::BTreeSet<_> = lost.iter().map(|at| self.rows[*at].section).collect();
        sections.into_iter().for_each(|section| self.promote(section));
    }

    pub fn settle(&mut self, at: usize) {
        let Row { pupil, section, state, reason, settled, .. } = self.rows[at].clone();
        let is_lost = matches!(reason, Some("section_cancelled" | "pupil_left"));
        let is_elsewhere =
            |row: &Row| (row.pupil, row.section) == (pupil, section) && row.state != "released";
        let can_seat = !self.sections[section].cancelled
            && !self.left[pupil]
            && self.sections[section].taken < CAPACITY[section]
            && !self.rows.iter().any(is_elsewhere)
            && !self.sits(pupil, section);
        match state {
            "releasing" if is_lost => self.release(at, reason.unwrap_or_default(), true),
            "held" | "releasing" => self.to(at, "confirmed", None, Some("seat_confirmed")),
            "released" if !settled && can_seat => self.to(at, "confirmed", None, Some("seat_confirmed")),
            "released" if !settled => {
                self.rows[at].settled = true;
                self.rows[at].told.push("settlement_unseated");
            }
            _ => return,
        }
        if self.rows[at].state != "released" {
            self.rows[at].reason = None;
        }
        self.promote(section);
    }

    /// What waits for the signature goes on, unless its time is over.
    pub fn sign(&mut self, pupil: usize) {
        if self.left[pupil] {
            return;
        }
        self.signed[pupil] = true;
        let waits =
            |row: &Row| row.pupil == pupil && row.state == "awaiting_agreement" && row.until > Some(self.now);
        let going: Vec<_> = (0..self.rows.len()).filter(|at| waits(&self.rows[*at])).collect();
        going.iter().for_each(|at| self.seat(*at));
        let sections: std::collections::BTreeSet<_> = going.iter().map(|at| self.rows[*at].section).collect();
        sections.into_iter().for_each(|section| self.promote(section));
    }

    pub fn decide(&mut self, at: usize, approve: bool) {
        if self.rows[at].state != "in_review" || self.rows[at].until <= Some(self.now) {
            return;
        }
        if approve {
            self.rows[at].approved += 1;
            if self.rows[at].approved == self.steps {
                self.seat(at);
            }
        } else {
            self.release(at, "declined", false);
        }
        self.promote(self.rows[at].section);
    }

    fn due(&self, states: &[&str]) -> Vec<usize> {
        let is_due =
            |at: &usize| states.contains(&self.rows[*at].state) && self.rows[*at].until <= Some(self.now);
        let mut due: Vec<_> = (0..self.rows.len()).filter(is_due).collect();
        due.sort_by_key(|at| self.rows[*at].until);
        due
    }

    pub fn expire(&mut self) {
        for at in self.due(&["awaiting_agreement", "in_review", "held"]) {
            match self.rows[at].state {
                "awaiting_agreement" => self.release(at, "agreement_expired", false),
                "in_review" => self.release(at, "review_expired", false),
                _ => self.begin_release(at, "hold_expired"),
            }
            self.promote(self.rows[at].section);
        }
    }

    /// Billing closes (`Some(true)`), says that it was paid (`Some(false)`), or gives no answer.
    pub fn close(&mut self, answer: Option<bool>) {
        for at in self.due(&["releasing"]) {
            match answer {
                Some(true) => {
                    self.release(at, self.rows[at].reason.unwrap_or_default(), false);
                    self.promote(self.rows[at].section);
                }
                Some(false) => self.settle(at),
                None => {
                    self.rows[at].until = Some(self.now + min(1 << min(self.asked[at], 6), 60));
                    self.asked[at] += 1;
                }
            }
        }
    }
}
