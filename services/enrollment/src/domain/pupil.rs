//! What this service knows of a pupil: where the pupil belongs. Never a name.

use shared::value::{District, Id, Pupil as PupilKind, School};
use uuid::Uuid;

/// A pupil as identity last told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// The pupil.
    pub id: Id<PupilKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school, class; four of them.
    pub path: Vec<Uuid>,
    /// The grade, 1 to 9.
    pub grade: i32,
    /// Whether the pupil still belongs to the school.
    pub standing: Standing,
}

/// Whether a pupil belongs to a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Belongs to a class of the school.
    Enrolled,
    /// Has left; nothing new can be chosen.
    Left,
}

impl Pupil {
    /// Says whether the pupil belongs to `school_id` now.
    #[must_use]
    pub fn is_of(&self, school_id: Id<School>) -> bool {
        self.standing == Standing::Enrolled && self.school_id == school_id
    }
}
