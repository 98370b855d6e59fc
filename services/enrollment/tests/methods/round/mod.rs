//! Drawn rounds: from wishes to seats.

mod bug_classes;
mod draws;
mod left_over;
mod opening;
mod priority;
mod races;
mod repeats;
mod stage;
mod wishes;
