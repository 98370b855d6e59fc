//! What must hold over all rows, whatever happened: looked at in a live or a stopped database.

use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use shared::db::Db;

pub use shared::check::Checked;

/// An invariant as two queries: how many things there are, and the ids of those that break it, as text in a column `id`.
struct Invariant {
    name: &'static str,
    count: &'static str,
    broken: &'static str,
}

/// Ids are selected as they are and read as UUIDs: neither database writes the other's as text.
const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "published_section_has_approved_course",
        count: "select count(*) as n from section where state = 'published'",
        broken: "select section.id as id from section \
                 left join course on course.district_id = section.district_id and course.id = section.course_id \
                 where section.state = 'published' and (course.state is null or course.state <> 'approved')",
    },
    Invariant {
        name: "section_has_slots_of_its_term",
        count: "select count(*) as n from section",
        broken: "select section.id as id from section where not exists (\
                   select 1 from section_slot where section_slot.district_id = section.district_id \
                   and section_slot.section_id = section.id\
                 ) union \
                 select section.id as id from section \
                 join section_slot on section_slot.district_id = section.district_id \
                   and section_slot.section_id = section.id \
                 left join slot on slot.district_id = section_slot.district_id and slot.id = section_slot.slot_id \
                 where slot.term_id is null or slot.term_id <> section.term_id",
    },
    Invariant {
        name: "section_is_of_its_terms_school",
        count: "select count(*) as n from section",
        broken: "select section.id as id from section \
                 join course on course.district_id = section.district_id and course.id = section.course_id \
                 join term on term.district_id = section.district_id and term.id = section.term_id \
                 where course.school_id <> term.school_id",
    },
    Invariant {
        name: "no_room_or_instructor_is_in_two_live_sections_at_once",
        count: "select count(*) as n from section where state <> 'cancelled'",
        broken: "select one.id as id from section as one \
                 join section_slot as one_in on one_in.district_id = one.district_id and one_in.section_id = one.id \
                 join slot as one_slot on one_slot.district_id = one.district_id and one_slot.id = one_in.slot_id \
                 join section as other on other.district_id = one.district_id and other.term_id = one.term_id \
                   and other.id > one.id and other.state <> 'cancelled' \
                   and ((other.room = one.room and one.room <> '') \
                     or (other.instructor_name = one.instructor_name and one.instructor_name <> '')) \
                 join section_slot as other_in on other_in.district_id = other.district_id \
                   and other_in.section_id = other.id \
                 join slot as other_slot on other_slot.district_id = other.district_id \
                   and other_slot.id = other_in.slot_id and other_slot.weekday = one_slot.weekday \
                   and other_slot.starts_at < one_slot.ends_at and one_slot.starts_at < other_slot.ends_at \
                 where one.state <> 'cancelled'",
    },
    Invariant {
        name: "menu_version_counts_menu_changes",
        count: "select count(*) as n from term",
        broken: "select term.id as id from term where term.menu_version <> (\
                   select count(*) from menu_change where menu_change.district_id = term.district_id \
                   and menu_change.term_id = term.id\
                 ) or term.menu_version <> coalesce((\
                   select max(version) from menu_change where menu_change.district_id = term.district_id \
                   and menu_change.term_id = term.id\
                 ), 0)",
    },
    Invariant {
        name: "terms_of_a_school_share_no_day",
        count: "select count(*) as n from term",
        broken: "select one.id as id from term as one \
                 join term as other on other.district_id = one.district_id and other.school_id = one.school_id \
                   and other.id > one.id and other.first_day <= one.last_day and one.first_day <= other.last_day",
    },
    Invariant {
        name: "every_told_section_was_published",
        count: "select count(*) as n from event where name = 'section_published'",
        broken: "select event.subject_id as id from event \
                 left join section on section.id = event.subject_id \
                 where event.name = 'section_published' and section.published_at is null",
    },
];

/// Looks at every invariant of the catalog.
///
/// # Errors
/// When the database cannot be read.
pub async fn check(db: &Db) -> Result<Vec<Checked>, DbErr> {
    let mut checked = Vec::with_capacity(INVARIANTS.len() + 1);
    for invariant in INVARIANTS {
        let rows = db.read().query_all_raw(statement(db, invariant.broken)).await?;
        let ids = rows.iter().map(|row| row.try_get_by::<uuid::Uuid, _>("id"));
        let broken = ids.map(|id| id.map(|id| id.to_string())).collect::<Result<Vec<_>, _>>()?;
        let looked_at = count(db, invariant.count).await?;
        checked.push(Checked { invariant: invariant.name, looked_at, broken });
    }
    checked.push(feed(db).await?);
    Ok(checked)
}

/// Positions are 1 to the last given out, each once.
async fn feed(db: &Db) -> Result<Checked, DbErr> {
    let numbered =
        count(db, "select count(distinct position) as n from event where position is not null").await?;
    let highest = count(db, "select coalesce(max(position), 0) as n from event").await?;
    let last = count(db, "select last_position as n from feed_sequence").await?;
    let is_whole = numbered == highest && highest == last;
    let broken = format!("{numbered} events have positions up to {highest}; {last} were given out");
    let broken = if is_whole { Vec::new() } else { vec![broken] };
    Ok(Checked { invariant: "feed_positions_have_no_gap", looked_at: numbered, broken })
}

async fn count(db: &Db, sql: &'static str) -> Result<u64, DbErr> {
    let row = db.read().query_one_raw(statement(db, sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
    let count: i64 = row.try_get_by("n")?;
    u64::try_from(count).map_err(|error| DbErr::Type(error.to_string()))
}

fn statement(db: &Db, sql: &'static str) -> Statement {
    Statement::from_string(db.read().get_database_backend(), sql)
}
