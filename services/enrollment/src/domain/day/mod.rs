//! The rules of the school day.
//!
//! | file | knows |
//! |---|---|
//! | [`local`] | the school's days and times of day as moments |
//! | [`lesson`] | when a section meets, and when the register of that closes |
//! | [`register`] | which of all marks of a pupil counts, what becomes of a new one, and the sums |
//! | [`aside`] | marks that wait for a person |
//! | [`leave`] | which lessons a guardian has excused a pupil from |
//! | [`duty`] | who of the staff answers for what |
//! | [`custody`] | who answers for a pupil, from arriving to leaving |
//! | [`collector`] | who may take a pupil home |
//! | [`dismissal`] | when a pupil leaves, and how long a pupil stays |
//! | [`room`] | waiting rooms |
//! | [`device`] | what an identity device saw |
//! | [`question`] | one pupil's question, asked and answered alone |
//! | [`cover`] | periods in which the service is insured |

pub mod aside;
pub mod collector;
pub mod cover;
pub mod custody;
pub mod device;
pub mod dismissal;
pub mod duty;
pub mod leave;
pub mod lesson;
pub mod local;
pub mod question;
pub mod register;
pub mod room;

#[cfg(test)]
mod register_tests;
