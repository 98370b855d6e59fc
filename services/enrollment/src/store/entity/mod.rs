//! SeaORM entities: the tables as they are, no behaviour.

pub mod consent;
pub mod enrollment;
pub mod enrollment_slot;
pub mod pupil;
pub mod round;
pub mod section;
pub mod term;
