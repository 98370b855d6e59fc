//! Drawn rounds: from wishes to seats.

mod draws;
mod large;
mod left_over;
mod opening;
mod priority;
mod races;
mod repeats;
mod stage;
mod wishes;
