//! Rounds that are drawn. Values in, values out; the draw itself is the crate `draw`.
//!
//! | file | knows |
//! |---|---|
//! | [`slot`] | which sections a pupil gets at most one of |
//! | [`terms`] | what a round is drawn by, when it is opened and in each act |
//! | [`wish`] | what a family would like, and which wishes are taken |
//! | [`closing`] | from wishes to the lists that are committed |
//! | [`family`] | which pupils draw together |
//! | [`seating`] | from the outcome to enrollments |
//! | [`result`] | what became of each wish |
//! | [`tie`] | in which order those stand who came first for seats left over |
//! | [`forecast`] | what a rehearsal says |

pub mod closing;
pub mod family;
pub mod forecast;
pub mod result;
pub mod seating;
pub mod slot;
pub mod terms;
pub mod tie;
pub mod wish;
