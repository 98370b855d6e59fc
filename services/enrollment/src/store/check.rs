//! The invariants, over the whole database, live or stopped.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait as _, EntityTrait as _, QueryResult, Statement};
use shared::check::{Checked, FEED, Invariant};
use shared::db::{Db, Error};
use shared::value::Id;
use uuid::Uuid;

use super::entity::{lesson, section};
use crate::domain::day::register::{self, Tally};
use crate::domain::section::first_clash;
use crate::register::Registers;
use crate::store;

/// What one statement each looks into. `broken` gives a UUID: the thing that breaks it.
const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "a section's taken_count is the number of its seats awaiting the agreement, in review, held, being given back or confirmed",
        all: "select count(*) as number from section",
        broken: "select s.id as id from section s where s.taken_count <> (select count(*) \
                 from enrollment e where e.district_id = s.district_id and e.section_id = s.id \
                 and e.state in ('awaiting_agreement', 'in_review', 'held', 'releasing', 'confirmed'))",
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
                 or e.state not in ('awaiting_agreement', 'in_review', 'held', 'releasing', 'confirmed') \
                 or (e.state = 'releasing' and e.release_reason = 'changed') group by l.enrollment_id",
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
                 or (state in ('awaiting_agreement', 'in_review', 'held') and hold_expires_at is null) \
                 or (state = 'releasing' and next_close_at is null)",
    },
    Invariant {
        name: "what was last told of an enrollment is where it stands",
        all: "select count(*) as number from enrollment",
        broken: "select e.id as id from enrollment e left join (select subject_id, max(seq) as seq from event \
                 group by subject_id) last on last.subject_id = e.id left join event t on t.seq = last.seq \
                 where t.seq is null or not ( \
                 (e.state = 'waitlisted' and t.name = 'waitlisted') \
                 or (e.state = 'awaiting_agreement' and t.name = 'agreement_awaited') \
                 or (e.state = 'in_review' and t.name = 'review_begun') \
                 or (e.state in ('held', 'releasing') and t.name = 'seat_held') \
                 or (e.state = 'confirmed' and t.name in ('seat_confirmed', 'refund_rule_missing')) \
                 or (e.state = 'released' and t.name in ('seat_released', 'settlement_unseated')))",
    },
    Invariant {
        name: "of a withdrawal that waits the bureau was told once",
        all: "select count(*) as number from withdrawal",
        broken: "select w.enrollment_id as id from withdrawal w where (select count(*) from event e \
                 where e.subject_id = w.enrollment_id and e.name = 'refund_rule_missing') <> 1",
    },
    Invariant {
        name: "a trial's booked_count is the number of its places booked, those declined since included",
        all: "select count(*) as number from trial",
        broken: "select t.id as id from trial t where t.booked_count <> (select count(*) from booking b \
                 where b.district_id = t.district_id and b.trial_id = t.id and b.state in ('booked', 'declined'))",
    },
    Invariant {
        name: "nothing of a trial was told to anybody",
        all: "select count(*) as number from booking",
        broken: "select b.id as id from booking b join event e on e.subject_id in (b.id, b.trial_id)",
    },
    Invariant {
        name: "a signature is for a pupil of the school, under a version of its own term",
        all: "select count(*) as number from signature",
        broken: "select s.id as id from signature s \
                 left join agreement a on a.district_id = s.district_id and a.id = s.agreement_id \
                 left join pupil p on p.district_id = s.district_id and p.id = s.pupil_id \
                 where a.id is null or a.term_id <> s.term_id or a.school_id <> s.school_id or p.id is null",
    },
    Invariant {
        name: "seats are promised only while a round of the term waits for its draw",
        all: "select count(*) as number from section",
        broken: "select s.id as id from section s where s.promised_count <> 0 and not exists (select 1 from round r \
                 where r.district_id = s.district_id and r.term_id = s.term_id and r.state = 'closed')",
    },
    Invariant {
        name: "where a drawn round stands, its last act stands",
        all: "select count(*) as number from round where mode <> 'first_come'",
        broken: "select r.id as id from round r where r.mode <> 'first_come' and r.state <> 'cancelled' and not exists \
                 (select 1 from draw d where d.district_id = r.district_id and d.round_id = r.id and d.act = \
                 (select max(l.act) from draw l where l.district_id = r.district_id and l.round_id = r.id) \
                 and ((r.state = 'opened' and d.state = 'opened') or (r.state = 'closed' and d.state = 'committed') \
                 or (r.state = 'drawn' and d.state = 'drawn')))",
    },
    Invariant {
        name: "closed lists have an entry for every pupil on them, and a drawn one says what became of each",
        all: "select count(*) as number from draw where state <> 'opened'",
        broken: "select d.round_id as id from draw d where d.state <> 'opened' and (d.pupil_count <> \
                 (select count(*) from draw_entry e where e.district_id = d.district_id and e.round_id = d.round_id \
                 and e.act = d.act) or (d.state = 'drawn' and exists (select 1 from draw_entry e \
                 where e.district_id = d.district_id and e.round_id = d.round_id and e.act = d.act \
                 and e.results is null)))",
    },
    Invariant {
        name: "a mark is about a pupil and a lesson that are known",
        all: "select count(*) as number from mark",
        broken: "select m.id as id from mark m \
                 left join lesson l on l.district_id = m.district_id and l.id = m.lesson_id \
                 left join pupil p on p.district_id = m.district_id and p.id = m.pupil_id \
                 where l.id is null or p.id is null or l.day <> m.day or l.section_id <> m.section_id",
    },
    Invariant {
        name: "into a closed register only corrections are written",
        all: "select count(*) as number from mark",
        broken: "select m.id as id from mark m join lesson l on l.district_id = m.district_id and l.id = m.lesson_id \
                 where m.source <> 'correction' and l.closes_at <= m.created_at",
    },
    Invariant {
        name: "a register that closed was told of once, and one that is open was not",
        all: "select count(*) as number from lesson",
        broken: "select l.id as id from lesson l where (select count(*) from event e where e.subject_id = l.id \
                 and e.name = 'register_closed') <> (case when l.closed_at is null then 0 else 1 end)",
    },
    Invariant {
        name: "each link of a chain begins where the one before it ended",
        all: "select count(*) as number from custody_link",
        broken: "select b.id as id from custody_link b left join custody_link a \
                 on a.district_id = b.district_id and a.pupil_id = b.pupil_id and a.day = b.day \
                 and a.number = b.number - 1 where b.number > 1 and (a.id is null or a.state <> b.from_state \
                 or coalesce(a.post, '') <> coalesce(b.from_post, '') or coalesce(a.way, '') <> coalesce(b.from_way, '') \
                 or (a.place_id is null) <> (b.from_place_id is null) or a.place_id <> b.from_place_id \
                 or (a.staff_id is null) <> (b.from_staff_id is null) or a.staff_id <> b.from_staff_id \
                 or (a.taker_id is null) <> (b.from_taker_id is null) or a.taker_id <> b.from_taker_id)",
    },
    Invariant {
        name: "where a pupil is, is where the last link of the chain ends",
        all: "select count(*) as number from custody",
        broken: "select c.pupil_id as id from custody c left join custody_link l \
                 on l.district_id = c.district_id and l.pupil_id = c.pupil_id and l.day = c.day \
                 and l.number = c.link_count where l.id is null or l.state <> c.state \
                 or coalesce(l.post, '') <> coalesce(c.post, '') or coalesce(l.way, '') <> coalesce(c.way, '') \
                 or (l.staff_id is null) <> (c.staff_id is null) or l.staff_id <> c.staff_id \
                 or (l.taker_id is null) <> (c.taker_id is null) or l.taker_id <> c.taker_id \
                 or (select count(*) from custody_link n where n.district_id = c.district_id \
                 and n.pupil_id = c.pupil_id and n.day = c.day) <> c.link_count",
    },
    Invariant {
        name: "nobody went with a collector of another pupil",
        all: "select count(*) as number from custody_link where way in ('collector', 'alone')",
        broken: "select l.id as id from custody_link l left join collector c on c.district_id = l.district_id \
                 and c.id = l.taker_id where l.way in ('collector', 'alone') \
                 and (c.id is null or c.pupil_id <> l.pupil_id)",
    },
    Invariant {
        name: "a waiting room with a pupil in it has, or had that day, somebody on duty",
        all: "select count(*) as number from custody where state = 'held' and post = 'room'",
        broken: "select c.pupil_id as id from custody c where c.state = 'held' and c.post = 'room' \
                 and not exists (select 1 from duty d where d.district_id = c.district_id and d.post = 'room' \
                 and d.place_id = c.place_id and d.first_day <= c.day and d.last_day >= c.day)",
    },
    Invariant {
        name: "nothing of extended care was told to anybody",
        all: "select count(*) as number from extended_care",
        broken: "select x.id as id from extended_care x join event e on e.subject_id = x.id",
    },
];

/// Checks every invariant of this service and of its feed.
///
/// # Errors
/// When the database refuses.
pub async fn check(db: &Db) -> Result<Vec<Checked>, Error> {
    let mut checked = Vec::with_capacity(INVARIANTS.len() + FEED.len() + 3);
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
    checked.push(check_months(db).await?);
    checked.extend(shared::check::run(db, FEED).await?);
    Ok(checked)
}

/// What needs the slots' times: nobody sits in two places at once, and every seat has taken its slots. A seat that ends for another one
/// on a later day has lent that one the hours they share.
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
         where e.state in ('awaiting_agreement', 'in_review', 'held', 'releasing', 'confirmed') \
         and not (e.state = 'releasing' and e.release_reason = 'changed') \
         and not exists (select 1 from seat_change c where c.from_enrollment_id = e.id and c.state = 'planned') \
         order by e.pupil_id",
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

/// A month is the sum of its days, whichever way it is added up: by lesson, as the register has it; and by pupil, from everything that
/// was ever said of them.
async fn check_months(db: &Db) -> Result<Checked, Error> {
    let rows = lesson::Entity::find().all(db.read()).await?;
    let mut lessons: HashMap<Uuid, Vec<_>> = HashMap::new();
    for row in &rows {
        lessons.entry(row.school_id).or_default().push(row.clone());
    }
    let mut broken = Vec::new();
    for (school_id, rows) in lessons {
        let district_id = rows.first().map(|row| Id::new(row.district_id));
        let (Some(district_id), Some(first), Some(last)) =
            (district_id, rows.iter().map(|row| row.day).min(), rows.iter().map(|row| row.day).max())
        else {
            continue;
        };
        let of = store::day::lesson::Of::School(district_id, Id::new(school_id));
        let lessons = store::day::lesson::list(db.read(), of, first, last).await?;
        let registers = Registers::read(db.read(), &lessons).await?;
        let marks = store::day::mark::list_of_days(db.read(), of, first, last).await?;
        let mut by_day: HashMap<String, Tally> = HashMap::new();
        let mut by_pupil: HashMap<String, Tally> = HashMap::new();
        for lesson in &lessons {
            let month = lesson.key.day.format("%Y-%m").to_string();
            *by_day.entry(month.clone()).or_default() += registers.tally(lesson);
            let of_lesson: Vec<_> =
                marks.iter().filter(|mark| mark.lesson_id == lesson.id).cloned().collect();
            let mut pupils = registers.pupils(lesson);
            pupils.extend(of_lesson.iter().map(|mark| mark.pupil_id));
            for pupil_id in pupils {
                let own: Vec<_> =
                    of_lesson.iter().filter(|mark| mark.pupil_id == pupil_id).cloned().collect();
                let lines = register::register(lesson, &[pupil_id].into(), &own, registers.leaves());
                *by_pupil.entry(month.clone()).or_default() += Tally::of(&lines);
            }
        }
        // A month of empty registers alone has nobody in it.
        let nobody = Tally::default();
        broken.extend(
            by_day
                .iter()
                .filter(|(month, sum)| by_pupil.get(*month).unwrap_or(&nobody) != *sum)
                .map(|(month, _)| format!("school {school_id}: {month}")),
        );
    }
    Ok(Checked {
        invariant: "a month is the sum of its days",
        looked_at: u64::try_from(rows.len()).unwrap_or(0),
        broken,
    })
}

async fn query(db: &Db, sql: &'static str) -> Result<Vec<QueryResult>, Error> {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    Ok(db.read().query_all_raw(statement).await?)
}
