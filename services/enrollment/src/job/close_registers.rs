//! Closes the registers of the day, on the day: from then on only a correction changes them.

use std::collections::BTreeSet;

use shared::db;
use tonic::Status;

use super::{Bench, Tally};
use crate::domain::day::lesson::{self, Lesson, State};
use crate::domain::day::register;
use crate::register::Registers;
use crate::{event, store};

/// Closes what is due now, at most a batch; gives how many were closed.
///
/// # Errors
/// When the database refuses all of them.
pub async fn close_registers(bench: &Bench) -> Result<u64, Status> {
    let due = store::day::lesson::list_closing(bench.db.read(), bench.clock.now(), bench.config.batch_count)
        .await?;
    let mut tally = Tally::default();
    for lesson in due {
        tally.note(db::retry(|| close(bench, &lesson)).await);
    }
    tally.sum()
}

async fn close(bench: &Bench, due: &Lesson) -> Result<(), Status> {
    let tx = bench.db.begin().await?;
    let Some(lesson) = store::day::lesson::lock(&tx, due.key).await? else {
        return Ok(());
    };
    let now = bench.clock.now();
    let Some(state @ State::Closed { at }) = lesson::close(&lesson, now) else {
        // Another replica was faster.
        return Ok(());
    };
    let registers = Registers::read(&tx, std::slice::from_ref(&lesson)).await?;
    let lines = registers.lines(&lesson);
    let pupils: BTreeSet<_> = lines.iter().map(|line| line.pupil_id).collect();
    store::day::lesson::close(&tx, &lesson, at, &pupils).await?;
    let closed = Lesson { state, ..lesson };
    event::tell_closed(&tx, &closed, register::Tally::of(&lines), now).await?;
    tx.commit().await?;
    Ok(())
}
