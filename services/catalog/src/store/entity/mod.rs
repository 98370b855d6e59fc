//! The tables as SeaORM sees them. What a column means stands in the migration that makes it.

pub mod course;
pub mod course_decision;
pub mod listing;
pub mod menu_change;
pub mod node;
pub mod provider;
pub mod section;
pub mod section_slot;
pub mod slot;
pub mod term;
