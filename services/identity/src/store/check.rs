//! The service's invariants, asked of its database.

use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use shared::db::Db;

pub use shared::check::Checked;

/// Sentence, table, and the condition of a row `x` that breaks it. Read alike by both databases.
const INVARIANTS: &[(&str, &str, &str)] = &[
    (
        "every node stands below a node of the kind above its own, in the same district",
        "node",
        "x.kind <> 'district' and not exists (select 1 from node p where p.id = x.parent_id and p.district_id = x.district_id \
         and p.kind = case x.kind when 'town' then 'district' when 'school' then 'town' else 'school' end)",
    ),
    (
        "every pupil stands in a class of the pupil's school",
        "pupil",
        "not exists (select 1 from node c where c.id = x.class_id and c.kind = 'class' and c.school_id = x.school_id \
         and c.town_id = x.town_id and c.district_id = x.district_id)",
    ),
    (
        "every consent is of the pupil's district and ends after it was given",
        "consent",
        "not exists (select 1 from pupil p where p.id = x.pupil_id and p.district_id = x.district_id) or x.ended_at < x.given_at",
    ),
    (
        "every guardian who is bound has a verified number",
        "consent",
        "x.ended_at is null and not exists (select 1 from guardian g where g.id = x.guardian_id and g.phone_sealed is not null)",
    ),
    (
        "every grant in the tree is at a node of its district",
        "staff_grant",
        "x.district_id is not null and not exists (select 1 from node n where n.id = x.place_id and n.district_id = x.district_id)",
    ),
    (
        "every member of staff was granted something",
        "staff",
        "not exists (select 1 from staff_grant g where g.staff_id = x.id)",
    ),
];

/// Checks every invariant, on a live database or a stopped one.
///
/// # Errors
/// When the database refuses.
pub async fn check(db: &Db) -> Result<Vec<Checked>, DbErr> {
    let backend = db.read().get_database_backend();
    let mut checked = Vec::with_capacity(INVARIANTS.len());
    for (invariant, table, broken_when) in INVARIANTS {
        let count = Statement::from_string(backend, format!("select count(*) as n from {table}"));
        let count = db.read().query_one_raw(count).await?;
        let looked_at: i64 = count.map(|row| row.try_get_by("n")).transpose()?.unwrap_or_default();
        let find = format!("select x.id as id from {table} x where {broken_when} limit 100");
        let rows = db.read().query_all_raw(Statement::from_string(backend, find)).await?;
        let broken = rows.iter().map(|row| row.try_get_by::<uuid::Uuid, _>("id").map(|id| id.to_string()));
        checked.push(Checked {
            invariant,
            looked_at: u64::try_from(looked_at).unwrap_or_default(),
            broken: broken.collect::<Result<_, _>>()?,
        });
    }
    Ok(checked)
}
