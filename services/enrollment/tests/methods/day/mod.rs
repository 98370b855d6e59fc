//! The school day over real gRPC and a real database.

mod care;
mod leaving;
mod locks;
mod month;
mod races;
mod roll;
mod school;
mod staff;
pub mod stage;
