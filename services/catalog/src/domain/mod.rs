//! The rules of the catalog: values in, values out. No I/O, no clock.
//!
//! | file | knows |
//! |---|---|
//! | [`node`] | schools and lists, as identity tells of them |
//! | [`policy_ref`] | by which policy a place is ruled now |
//! | [`term`] | calendars, and which terms may be opened |
//! | [`slot`] | weekly periods, and what a policy says of them |
//! | [`provider`] | institutions, their listings, and whether a school may take from them today |
//! | [`course`] | a course's life |
//! | [`section`] | a section's life, and what a timetable allows |
//! | [`menu`] | what a menu as a whole must offer |
//! | [`import`] | a table of courses, read cell by cell |

pub mod course;
pub mod import;
pub mod menu;
pub mod node;
pub mod policy_ref;
pub mod provider;
pub mod section;
pub mod slot;
pub mod term;
