//! The rules: values in, values out. No I/O, no clock.
//!
//! | file | knows |
//! |---|---|
//! | [`admission`] | what becomes of one application, given all that is locked for its group |
//! | [`agreement`] | the agreement of a term: which version is in force, and what signing it takes |
//! | [`day`] | the school day: lessons, registers, leave, duties |
//! | [`draw`] | rounds that are drawn: draw slots, wishes, closing, seating |
//! | [`enrollment`] | an enrollment's life: its states, and one function per command |
//! | [`notice`] | to whom notices go, and how many they have reached |
//! | [`priority`] | who is served first where seats are scarce, and who decides that |
//! | [`line`] | how a line has moved |
//! | [`offer`] | how long whoever is offered a seat from the line has to take it |
//! | [`round`] | when choices are taken |
//! | [`seat_change`] | a seat changed for another from a later day on |
//! | [`section`] | seats, grades and slots of a section; which slots clash |
//! | [`survey`] | what families are asked, and what their answers add up to |
//! | [`term_ceiling`] | the ceiling over courses that have a price of their own |
//! | [`term`] | what the term's policy says about steps and fees |
//! | [`trial`] | lessons that may be tried before the choice |
//! | [`waitlist`] | who in line is next |

pub mod admission;
pub mod agreement;
pub mod basket;
pub mod day;
pub mod draw;
pub mod enrollment;
pub mod line;
pub mod notice;
pub mod offer;
pub mod priority;
pub mod pupil;
pub mod round;
pub mod round_news;
pub mod seat_change;
pub mod section;
pub mod survey;
pub mod term;
pub mod term_ceiling;
pub mod trial;
pub mod waitlist;

#[cfg(test)]
mod life_tests;
