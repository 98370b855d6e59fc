//! Public money, staff pay and spending; who takes part, and who is enrolled where.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_500000_fund")
        .table(
            Table::create()
                .table("fund_entry")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::id("term_id"))
                .col(column::text("kind"))
                .col(column::json("content"))
                .col(column::optional(column::text("grant_key")))
                .col(column::fen("amount_fen"))
                .col(column::text("document"))
                .col(column::json("clauses"))
                .col(column::text("state"))
                .col(column::id("proposed_by"))
                .col(column::optional(column::id("decided_by")))
                .col(column::optional(column::id("reversed_by")))
                .col(column::text("reason"))
                .col(column::text("receipt_document"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("fund_entry_pkey").col("id").col("district_id"))
                .check(column::one_of("fund_entry", "kind", &["grant", "spending", "pay_sheet"]))
                .check(column::one_of(
                    "fund_entry",
                    "state",
                    &["proposed", "approved", "received", "rejected", "reversed"],
                ))
                .check(column::at_least("fund_entry", "amount_fen", 1))
                .check(column::check(
                    "fund_entry",
                    "two_people",
                    "decided_by is null or decided_by <> proposed_by",
                ))
                .check(column::check("fund_entry", "decided", "(state = 'proposed') = (decided_by is null)"))
                .check(column::check("fund_entry", "grant", "(kind = 'grant') = (grant_key is not null)"))
                .check(column::check(
                    "fund_entry",
                    "received",
                    "(state = 'received') = (receipt_document <> '') and (state <> 'received' or kind = 'grant')",
                ))
                .check(column::check(
                    "fund_entry",
                    "reason",
                    "(state in ('rejected', 'reversed')) = (reason <> '') \
                     and (state = 'reversed') = (reversed_by is not null)",
                )),
        )
        .sql(
            "create unique index fund_entry_grant_key on fund_entry (school_id, grant_key, district_id) \
             where state in ('proposed', 'approved', 'received')",
        )
        .index(column::index("fund_entry", &["term_id", "created_at", "id"]))
        .table(
            Table::create()
                .table("participation")
                .col(column::id("enrollment_id"))
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                .col(column::id("pupil_id"))
                .col(column::flag("is_over"))
                .primary_key(
                    Index::create().name("participation_pkey").col("enrollment_id").col("district_id"),
                ),
        )
        .index(column::index("participation", &["term_id", "is_over", "pupil_id"]))
        .table(
            Table::create()
                .table("enrolled")
                .col(column::id("pupil_id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .primary_key(Index::create().name("enrolled_pkey").col("pupil_id").col("district_id")),
        )
        .index(column::index("enrolled", &["school_id"]))
        // Whoever was known before is enrolled where they learn.
        .sql_on(
            Kind::Postgres,
            "insert into enrolled (pupil_id, district_id, school_id) \
             select id, district_id, (path->>2)::uuid from pupil",
        )
        .sql_on(
            Kind::Sqlite,
            "insert into enrolled (pupil_id, district_id, school_id) \
             select id, district_id, unhex(replace(json_extract(path, '$[2]'), '-', '')) from pupil",
        )
        .boxed()
}
