//! Fee standards by end slot and month; sharing plans and cost sheets of fee standards.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use sea_orm_migration::sea_query::SqliteQueryBuilder;
use shared::db::{Kind, column, migration};

const BASES: [&str; 5] = ["term", "class_hour", "month", "day", "slot_month"];

pub fn migration() -> Box<dyn MigrationTrait> {
    let words = BASES.map(|word| format!("'{word}'")).join(", ");
    let slots = "(basis = 'slot_month') = (cast(end_slots as text) <> '[]')";
    // SQLite changes no constraint of a table: it is made anew with its rows.
    let anew = Table::create()
        .table("tariff_next")
        .col(column::id("id"))
        .col(column::id("district_id"))
        .col(column::id("term_id"))
        .col(column::text("basis"))
        .col(column::fen("amount_fen"))
        .col(column::json("end_slots").default("[]"))
        .col(column::text("approval_document"))
        .col(column::json("sharing").default("[]"))
        .col(column::optional(column::id("cost_sheet_id")))
        .col(column::text("payee_account"))
        .col(column::id("published_by"))
        .col(column::moment("created_at"))
        .primary_key(Index::create().name("tariff_pkey").col("id").col("district_id"))
        .check(column::one_of("tariff", "basis", &BASES))
        .check(column::at_least("tariff", "amount_fen", 1))
        .check(column::check("tariff", "end_slots", slots))
        .check(column::one_of(
            "tariff",
            "payee_account",
            &["school", "treasury", "operator_group", "supervised_platform"],
        ))
        .to_string(SqliteQueryBuilder);
    let columns = "id, district_id, term_id, basis, amount_fen, approval_document, payee_account, published_by, created_at";
    migration::named("m20261122_400001_tariff_slot")
        .sql_on(
            Kind::Postgres,
            format!(
                "alter table tariff add column end_slots jsonb not null default '[]', \
                 add column sharing jsonb not null default '[]', add column cost_sheet_id uuid, \
                 drop constraint tariff_basis_check, \
                 add constraint tariff_basis_check check (basis in ({words})), \
                 add constraint tariff_end_slots_check check ({slots})"
            ),
        )
        .sql_on(Kind::Sqlite, anew)
        .sql_on(Kind::Sqlite, format!("insert into tariff_next ({columns}) select {columns} from tariff"))
        .sql_on(Kind::Sqlite, "drop table tariff")
        .sql_on(Kind::Sqlite, "alter table tariff_next rename to tariff")
        .sql_on(
            Kind::Sqlite,
            "create unique index tariff_term_id_district_id_key on tariff (term_id, district_id)",
        )
        .boxed()
}
