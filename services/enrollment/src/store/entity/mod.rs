//! SeaORM entities: the tables as they are, no behaviour.

pub mod aside_mark;
pub mod collector;
pub mod consent;
pub mod cover;
pub mod custody;
pub mod custody_link;
pub mod day_audit;
pub mod device;
pub mod device_event;
pub mod dismissal;
pub mod dismissal_batch;
pub mod duty;
pub mod enrollment;
pub mod enrollment_slot;
pub mod extended_care;
pub mod leave;
pub mod lesson;
pub mod lesson_pupil;
pub mod mark;
pub mod person_link;
pub mod pupil;
pub mod question;
pub mod room;
pub mod round;
pub mod section;
pub mod term;
