//! The rules: values in, values out.
//!
//! | file | knows |
//! |---|---|
//! | [`ticket`] | a ticket's life, its limits and who may handle it |
//! | [`deadline`] | when a span of working or calendar hours ends |
//! | [`local_time`] | what people's clocks show |
//! | [`school`] | a school, as far as tickets need it |

pub mod deadline;
pub mod local_time;
pub mod school;
pub mod ticket;
