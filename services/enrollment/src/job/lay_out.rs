//! Lays out the day's lessons, so that a lesson in which nobody calls the roll shows as one.
//!
//! A section that came onto the menu during the day, or a process that was down, is caught up with at the next look; a lesson that is
//! marked before that is laid out by whoever marks it.

use std::collections::HashMap;

use shared::{db, random};
use tonic::Status;

use super::Bench;
use crate::domain::day::{lesson, local};
use crate::domain::section::Section;
use crate::store;

/// Lays out today's lessons of every section; gives 0: there is nothing more to do before the next look.
///
/// # Errors
/// When the database refuses.
pub async fn lay_out(bench: &Bench, close_minute: i32) -> Result<u64, Status> {
    let today = local::day(bench.clock.now());
    let sections = store::section::list_published_on(bench.db.read(), today).await?;
    db::retry(|| insert(bench, &sections, close_minute)).await?;
    Ok(0)
}

async fn insert(bench: &Bench, sections: &[Section], close_minute: i32) -> Result<(), Status> {
    let now = bench.clock.now();
    let today = local::day(now);
    let mut term_ids: Vec<_> = sections.iter().map(|section| section.term_id).collect();
    term_ids.sort_unstable();
    term_ids.dedup();
    let terms = store::term::find_all(bench.db.read(), &term_ids).await?;
    let terms: HashMap<_, _> = terms.into_iter().map(|term| (term.id, term)).collect();
    let mut lessons = Vec::new();
    for section in sections {
        let Some(term) = terms.get(&section.term_id) else { continue };
        for slot in section.slots.iter().filter(|slot| slot.weekday == local::weekday(today)) {
            // A day off has none.
            lessons.extend(lesson::plan(random::id(now), section, term, today, slot.id, close_minute));
        }
    }
    if lessons.is_empty() {
        return Ok(());
    }
    let tx = bench.db.begin().await?;
    store::day::lesson::insert_all(&tx, &lessons).await?;
    tx.commit().await?;
    Ok(())
}
