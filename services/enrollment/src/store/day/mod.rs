//! Rows of the school day.
//!
//! | file | table |
//! |---|---|
//! | [`lesson`] | `lesson`, `lesson_pupil` |
//! | [`mark`] | `mark` |
//! | [`aside`] | `aside_mark` |
//! | [`leave`] | `leave` |
//! | [`duty`] | `duty` |
//! | [`custody`] | `custody`, `custody_link` |
//! | [`collector`] | `collector`, `day_audit` |
//! | [`dismissal`] | `dismissal_batch`, `dismissal`, `extended_care` |
//! | [`room`] | `room` |
//! | [`device`] | `device`, `device_event`, `person_link` |
//! | [`question`] | `question` |
//! | [`cover`] | `cover` |
//!
//! **Lock order.** Lessons, then pupils by id, then whatever is the pupil's alone. Whoever writes into a register holds its lesson's
//! lock, so that nothing is written into a register while it closes.

pub mod aside;
pub mod collector;
pub mod cover;
pub mod custody;
pub mod device;
pub mod dismissal;
pub mod duty;
pub mod leave;
pub mod lesson;
pub mod mark;
pub mod question;
pub mod room;
