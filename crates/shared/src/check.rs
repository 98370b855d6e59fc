//! What must hold over all rows of a service, and what was found.
//!
//! A rule decides one change at a time; an invariant is looked for over everything that is there. A checker that finds nothing
//! says how much it looked at, so that nothing found and nothing looked at are not the same.

use sea_orm::{ConnectionTrait as _, Statement};

use crate::db::{Db, Error};

/// An invariant as two queries: how many things there are (a column `number`), and the ids of those that break it, as text in a
/// column `id`. Each is read alike by both databases.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// What must hold, as a sentence.
    pub name: &'static str,
    /// `select count(*) as number from …`.
    pub all: &'static str,
    /// `select … as id from …`, one row for each that breaks it.
    pub broken: &'static str,
}

/// One invariant, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What must hold.
    pub invariant: &'static str,
    /// How many things were looked at.
    pub looked_at: u64,
    /// Every one that breaks it, named by its ids; empty when all is well.
    pub broken: Vec<String>,
}

/// Looks for each invariant.
///
/// # Errors
/// When the database refuses.
pub async fn run(db: &Db, invariants: &[Invariant]) -> Result<Vec<Checked>, Error> {
    let mut checked = Vec::with_capacity(invariants.len());
    for invariant in invariants {
        let looked_at = match db.read().query_one_raw(statement(db, invariant.all)).await? {
            Some(row) => row.try_get::<i64>("", "number")?,
            None => 0,
        };
        let mut broken = Vec::new();
        for row in db.read().query_all_raw(statement(db, invariant.broken)).await? {
            broken.push(row.try_get::<String>("", "id")?);
        }
        checked.push(Checked {
            invariant: invariant.name,
            looked_at: u64::try_from(looked_at).unwrap_or_default(),
            broken,
        });
    }
    Ok(checked)
}

/// What must hold of every service's feed.
pub const FEED: &[Invariant] = &[
    Invariant {
        name: "positions of the feed are 1, 2, 3 … without a gap",
        all: "select count(*) as number from event where position is not null",
        broken: "select cast(min(position) as text) || '..' || cast(max(position) as text) as id from event \
                 having count(position) > 0 and (min(position) <> 1 or max(position) <> count(position))",
    },
    Invariant {
        name: "the sequencer has given out no more positions than there are events",
        all: "select count(*) as number from event",
        broken: "select cast(count(*) as text) as id from event having count(distinct position) <> count(position)",
    },
];

fn statement(db: &Db, sql: &str) -> Statement {
    Statement::from_string(db.read().get_database_backend(), sql)
}
