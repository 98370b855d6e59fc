//! The rules: values in, values out. No I/O, no clock.
//!
//! | file | knows |
//! |---|---|
//! | [`admission`] | what becomes of one application, given all that is locked for its group |
//! | [`day`] | the school day: lessons, registers, leave, duties |
//! | [`enrollment`] | an enrollment's life: its states, and one function per command |
//! | [`round`] | when choices are taken |
//! | [`section`] | seats, grades and slots of a section; which slots clash |
//! | [`term`] | what the term's policy says about steps and fees |
//! | [`waitlist`] | who in line is next |

pub mod admission;
pub mod basket;
pub mod day;
pub mod enrollment;
pub mod pupil;
pub mod round;
pub mod section;
pub mod term;
pub mod waitlist;

#[cfg(test)]
mod life_tests;
