//! Closed months, and corrections that two people decide.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{Kind, column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20261122_302000_period")
        .table(
            Table::create()
                .table("period")
                .col(column::id("district_id"))
                .col(column::text("month"))
                .col(column::moment("ends_at"))
                .col(column::text("state"))
                .col(column::id("proposed_by"))
                .col(column::optional(column::id("closed_by")))
                .col(column::optional(column::moment("closed_at")))
                .col(column::number("journal_count"))
                .col(column::fen("debit_fen"))
                .primary_key(Index::create().name("period_pkey").col("district_id").col("month"))
                .check(column::one_of("period", "state", &["proposed", "closed"]))
                .check(column::check("period", "two_people", "closed_by is null or closed_by <> proposed_by"))
                .check(column::check(
                    "period",
                    "closed",
                    "(state = 'closed') = (closed_by is not null) and (closed_by is null) = (closed_at is null)",
                )),
        )
        .table(
            Table::create()
                .table("correction")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::optional(column::id("journal_id")))
                .col(column::text("debit_account"))
                .col(column::text("credit_account"))
                .col(column::fen("amount_fen"))
                .col(column::text("reason"))
                .col(column::optional(column::id("case_id")))
                .col(column::id("proposed_by"))
                .col(column::text("state"))
                .col(column::optional(column::id("decided_by")))
                .col(column::optional(column::moment("decided_at")))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("correction_pkey").col("id").col("district_id"))
                .check(column::one_of("correction", "state", &["proposed", "booked", "rejected"]))
                .check(column::check(
                    "correction",
                    "two_people",
                    "decided_by is null or decided_by <> proposed_by",
                ))
                .check(column::check(
                    "correction",
                    "decided",
                    "(state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)",
                ))
                .check(column::check(
                    "correction",
                    "content",
                    "(journal_id is null) = (amount_fen > 0) and (amount_fen > 0) = (debit_account <> '') \
                     and (amount_fen > 0) = (credit_account <> '') \
                     and (debit_account <> credit_account or debit_account = '')",
                )),
        )
        .index(column::index("correction", &["district_id", "created_at", "id"]))
        .sql(
            "create unique index correction_journal_id_district_id_key on correction (journal_id, district_id) \
             where state <> 'rejected' and journal_id is not null",
        )
        .sql(
            "create unique index correction_case_id_district_id_key on correction (case_id, district_id) \
             where state <> 'rejected' and case_id is not null",
        )
        // The application dates into open months; the database refuses what does not.
        .sql_on(
            Kind::Postgres,
            "create function journal_in_open_period() returns trigger language plpgsql as $$ begin \
             if exists (select 1 from period p where p.district_id = new.district_id and p.state = 'closed' \
             and p.month >= to_char((new.created_at at time zone 'UTC') + interval '8 hours', 'YYYY-MM')) \
             then raise exception 'the period is closed'; end if; return new; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger journal_in_open_period before insert on journal \
             for each row execute function journal_in_open_period()",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger journal_in_open_period before insert on journal \
             when exists (select 1 from period p where p.district_id = new.district_id and p.state = 'closed' \
             and p.month >= strftime('%Y-%m', new.created_at, '+8 hours')) \
             begin select raise(abort, 'the period is closed'); end",
        )
        .boxed()
}
