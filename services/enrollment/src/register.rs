//! Registers as they stand: the lessons, who is on them, everything that was said, and what of it counts. Nothing here is kept; it is made
//! from the marks each time somebody asks.

use std::collections::{BTreeSet, HashMap};

use sea_orm::ConnectionTrait;
use shared::db::Error;
use shared::value::{Id, Lesson as LessonKind, Pupil};

use crate::domain::day::leave::Leave;
use crate::domain::day::lesson::Lesson;
use crate::domain::day::register::{self, Line, Mark, Tally};
use crate::store;

/// Registers of lessons of one school.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    pupils: HashMap<Id<LessonKind>, BTreeSet<Id<Pupil>>>,
    marks: HashMap<Id<LessonKind>, Vec<Mark>>,
    leaves: Vec<Leave>,
}

impl Registers {
    /// Reads what the registers of `lessons`, all of one school, are made of.
    ///
    /// # Errors
    /// When the database refuses, or a row breaks a promise.
    pub async fn read(db: &impl ConnectionTrait, lessons: &[Lesson]) -> Result<Self, Error> {
        let days = lessons.iter().map(|lesson| lesson.key.day);
        let (Some(first), Some(first_day), Some(last_day)) =
            (lessons.first(), days.clone().min(), days.max())
        else {
            return Ok(Self::default());
        };
        let pupils = store::day::lesson::pupils(db, lessons).await?;
        let mut marks: HashMap<_, Vec<_>> = HashMap::new();
        let ids: Vec<_> = lessons.iter().map(|lesson| lesson.id).collect();
        for ids in ids.chunks(MANY) {
            for mark in store::day::mark::list_of_lessons(db, first.district_id, ids).await? {
                marks.entry(mark.lesson_id).or_default().push(mark);
            }
        }
        let leaves =
            store::day::leave::list(db, first.district_id, first.school_id, first_day, last_day).await?;
        Ok(Self { pupils, marks, leaves })
    }

    /// Everything that was said in a lesson, in no order.
    #[must_use]
    pub fn marks(&self, lesson: &Lesson) -> &[Mark] {
        self.marks.get(&lesson.id).map_or(&[], Vec::as_slice)
    }

    /// Who is on a register, whatever was said of them.
    #[must_use]
    pub fn pupils(&self, lesson: &Lesson) -> BTreeSet<Id<Pupil>> {
        self.pupils.get(&lesson.id).cloned().unwrap_or_default()
    }

    /// The leaves of the days read.
    #[must_use]
    pub fn leaves(&self) -> &[Leave] {
        &self.leaves
    }

    /// A register's lines, by pupil.
    #[must_use]
    pub fn lines(&self, lesson: &Lesson) -> Vec<Line> {
        register::register(lesson, &self.pupils(lesson), self.marks(lesson), &self.leaves)
    }

    /// The sum over a register.
    #[must_use]
    pub fn tally(&self, lesson: &Lesson) -> Tally {
        Tally::of(&self.lines(lesson))
    }

    /// Adds marks that have just been written.
    pub fn add(&mut self, marks: impl IntoIterator<Item = Mark>) {
        for mark in marks {
            self.marks.entry(mark.lesson_id).or_default().push(mark);
        }
    }
}

/// The most lessons asked about in one statement.
const MANY: usize = 2_000;
