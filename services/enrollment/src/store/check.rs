//! The invariants, over the whole database, live or stopped.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait as _, EntityTrait as _, QueryResult, Statement};
use shared::check::{Checked, FEED, Invariant};
use shared::db::{Db, Error};
use shared::value::Id;
use uuid::Uuid;

use super::entity::section;
use crate::domain::section::first_clash;
use crate::store;

/// What one statement each looks into. `broken` gives a UUID: the thing that breaks it.
const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "a section's taken_count is the number of its seats in review, held, being given back or confirmed",
        all: "select count(*) as number from section",
        broken: "select s.id as id from section s where s.taken_count <> (select count(*) \
                 from enrollment e where e.district_id = s.district_id and e.section_id = s.id \
                 and e.state in ('in_review', 'held', 'releasing', 'confirmed'))",
    },
    Invariant {
        name: "a section's waitlisted_count is the number of those in its line",
        all: "select count(*) as number from section",
        broken: "select s.id as id from section s where s.waitlisted_count <> \
                 (select count(*) from enrollment e where e.district_id = s.district_id and e.section_id = s.id \
                 and e.state = 'waitlisted')",
    },
    Invariant {
        name: "no section but of basic care has more seats taken than there are",
        all: "select count(*) as number from section",
        broken: "select id from section \
                 where taken_count < 0 or (taken_count > capacity_count and not basic_care)",
    },
    Invariant {
        name: "the numbers given in a section's line are 1 to the last, each once",
        all: "select count(*) as number from section",
        broken: "select s.id as id from section s where s.last_waitlist_number <> \
                 (select count(distinct e.waitlist_number) from enrollment e where e.district_id = s.district_id \
                 and e.section_id = s.id) or s.last_waitlist_number <> coalesce((select max(e.waitlist_number) \
                 from enrollment e where e.district_id = s.district_id and e.section_id = s.id), 0)",
    },
    Invariant {
        name: "a pupil has at most one live enrollment in a section",
        all: "select count(*) as number from enrollment where state <> 'released'",
        broken: "select pupil_id as id from enrollment where state <> 'released' \
                 group by district_id, pupil_id, section_id having count(*) > 1",
    },
    Invariant {
        name: "a slot taken is taken by a seat",
        all: "select count(*) as number from enrollment_slot",
        broken: "select l.enrollment_id as id from enrollment_slot l left join enrollment e \
                 on e.id = l.enrollment_id where e.id is null or e.pupil_id <> l.pupil_id \
                 or e.state not in ('in_review', 'held', 'releasing', 'confirmed') group by l.enrollment_id",
    },
    Invariant {
        name: "an enrollment's section, term and pupil are known",
        all: "select count(*) as number from enrollment",
        broken: "select e.id as id from enrollment e \
                 left join section s on s.district_id = e.district_id and s.id = e.section_id \
                 left join term t on t.district_id = e.district_id and t.id = e.term_id \
                 left join pupil p on p.district_id = e.district_id and p.id = e.pupil_id \
                 where s.id is null or t.id is null or p.id is null or s.term_id <> e.term_id",
    },
    Invariant {
        name: "nothing free waits for billing, and nothing waits without an end",
        all: "select count(*) as number from enrollment",
        broken: "select id from enrollment where (state in ('held', 'releasing') and fee = 'free') \
                 or (state in ('in_review', 'held') and hold_expires_at is null) \
                 or (state = 'releasing' and next_close_at is null)",
    },
    Invariant {
        name: "what was last told of an enrollment is where it stands",
        all: "select count(*) as number from enrollment",
        broken: "select e.id as id from enrollment e left join (select subject_id, max(seq) as seq from event \
                 group by subject_id) last on last.subject_id = e.id left join event t on t.seq = last.seq \
                 where t.seq is null or not ( \
                 (e.state = 'waitlisted' and t.name = 'waitlisted') \
                 or (e.state = 'in_review' and t.name = 'review_begun') \
                 or (e.state in ('held', 'releasing') and t.name = 'seat_held') \
                 or (e.state = 'confirmed' and t.name = 'seat_confirmed') \
                 or (e.state = 'released' and t.name in ('seat_released', 'settlement_unseated')))",
    },
];

/// Checks every invariant of this service and of its feed.
///
/// # Errors
/// When the database refuses.
pub async fn check(db: &Db) -> Result<Vec<Checked>, Error> {
    let mut checked = Vec::with_capacity(INVARIANTS.len() + FEED.len() + 2);
    for invariant in INVARIANTS {
        let all = query(db, invariant.all).await?;
        let looked_at = all.first().map_or(Ok(0), |row| row.try_get::<i64>("", "number"))?;
        // The two databases keep ids in different shapes: read here, not by the statement.
        let id = |row: &QueryResult| row.try_get::<Uuid>("", "id").map(|id| id.to_string());
        let broken = query(db, invariant.broken).await?.iter().map(id).collect::<Result<_, _>>()?;
        let looked_at = u64::try_from(looked_at).unwrap_or_default();
        checked.push(Checked { invariant: invariant.name, looked_at, broken });
    }
    checked.extend(check_times(db).await?);
    checked.extend(shared::check::run(db, FEED).await?);
    Ok(checked)
}

/// What needs the slots' times: nobody sits in two places at once, and every seat has taken its slots.
async fn check_times(db: &Db) -> Result<[Checked; 2], Error> {
    let ids = section::Entity::find().all(db.read()).await?.into_iter().map(|row| Id::new(row.id));
    let sections: HashMap<Uuid, _> = store::section::find_all(db.read(), ids.collect::<Vec<_>>())
        .await?
        .into_iter()
        .map(|section| (section.id.uuid(), section))
        .collect();
    let rows = query(
        db,
        "select e.id as id, e.pupil_id as pupil_id, e.section_id as section_id, \
         (select count(*) from enrollment_slot l where l.district_id = e.district_id and l.pupil_id = e.pupil_id \
         and l.enrollment_id = e.id) as number from enrollment e \
         where e.state in ('in_review', 'held', 'releasing', 'confirmed') order by e.pupil_id",
    )
    .await?;
    let mut clashes = Vec::new();
    let mut slotless = Vec::new();
    let mut others: Vec<(Uuid, Uuid)> = Vec::new();
    for row in &rows {
        let (id, pupil_id): (Uuid, Uuid) = (row.try_get("", "id")?, row.try_get("", "pupil_id")?);
        let section_id: Uuid = row.try_get("", "section_id")?;
        let slot_count: i64 = row.try_get("", "number")?;
        let Some(section) = sections.get(&section_id) else {
            continue;
        };
        if usize::try_from(slot_count).ok() != Some(section.slots.len()) {
            slotless.push(id.to_string());
        }
        others.retain(|(other, _)| *other == pupil_id);
        for other in others.iter().filter_map(|(_, other)| sections.get(other)) {
            if other.term_id == section.term_id && first_clash(&section.slots, &other.slots).is_some() {
                clashes.push(format!("pupil {pupil_id}: {} and {}", section.id, other.id));
            }
        }
        others.push((pupil_id, section_id));
    }
    let looked_at = u64::try_from(rows.len()).unwrap_or(0);
    Ok([
        Checked { invariant: "nobody has two seats at one time", looked_at, broken: clashes },
        Checked { invariant: "every seat has taken its section's slots", looked_at, broken: slotless },
    ])
}

async fn query(db: &Db, sql: &'static str) -> Result<Vec<QueryResult>, Error> {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    Ok(db.read().query_all_raw(statement).await?)
}
