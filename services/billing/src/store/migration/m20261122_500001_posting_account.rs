//! Accounts are the code's to list (`domain::ledger::Account`): a table that lists them too is made anew for each.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use sea_orm_migration::sea_query::SqliteQueryBuilder;
use shared::db::{Kind, column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    // SQLite changes no constraint of a table: it is made anew with its rows.
    let anew = Table::create()
        .table("posting_next")
        .col(column::id("journal_id"))
        .col(column::count("line_number"))
        .col(column::id("district_id"))
        .col(column::id("school_id"))
        .col(column::text("account"))
        .col(column::fen("debit_fen"))
        .col(column::fen("credit_fen"))
        .primary_key(
            Index::create().name("posting_pkey").col("journal_id").col("line_number").col("district_id"),
        )
        .check(column::check(
            "posting",
            "side",
            "debit_fen >= 0 and credit_fen >= 0 and (debit_fen = 0) <> (credit_fen = 0)",
        ))
        .to_string(SqliteQueryBuilder);
    let columns = "journal_id, line_number, district_id, school_id, account, debit_fen, credit_fen";
    let mut migration = migration::named("m20261122_500001_posting_account")
        .sql_on(Kind::Postgres, "alter table posting drop constraint posting_account_check")
        .sql_on(Kind::Sqlite, anew)
        .sql_on(Kind::Sqlite, format!("insert into posting_next ({columns}) select {columns} from posting"))
        .sql_on(Kind::Sqlite, "drop table posting")
        .sql_on(Kind::Sqlite, "alter table posting_next rename to posting")
        .sql_on(
            Kind::Sqlite,
            "create index posting_district_id_school_id_account_idx on posting (district_id, school_id, account)",
        );
    for change in ["update", "delete"] {
        migration = migration.sql_on(
            Kind::Sqlite,
            format!(
                "create trigger posting_no_{change} before {change} on posting \
                 begin select raise(abort, 'posting is append-only'); end"
            ),
        );
    }
    migration.boxed()
}
