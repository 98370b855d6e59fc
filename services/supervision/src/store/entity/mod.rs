//! The tables, in the shape SeaORM reads them.

pub mod entry;
pub mod school;
pub mod ticket;
pub mod ticket_day;
