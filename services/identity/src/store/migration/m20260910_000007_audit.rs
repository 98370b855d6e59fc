//! Who read which children's data, and when. Rows are added and never changed.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{Kind, column, migration};

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000007_audit")
        .table(
            Table::create()
                .table("audit")
                .col(column::key("id"))
                .col(column::id("district_id"))
                // `staff:<id>`.
                .col(column::text("actor"))
                .col(column::text("action"))
                .col(column::id("node_id"))
                // How many children's data were in the answer.
                .col(column::count("subject_count"))
                .col(column::moment("happened_at"))
                .check(column::at_least("audit", "subject_count", 0)),
        )
        .index(column::index("audit", &["district_id", "happened_at"]))
        .sql_on(
            Kind::Sqlite,
            "create trigger audit_stays before update on audit begin select raise(abort, 'audit rows are never changed'); end",
        )
        .sql_on(
            Kind::Sqlite,
            "create trigger audit_is_kept before delete on audit begin select raise(abort, 'audit rows are never deleted'); end",
        )
        .sql_on(
            Kind::Postgres,
            "create function audit_stays() returns trigger language plpgsql as $$ begin raise exception 'audit rows are never changed'; end $$",
        )
        .sql_on(
            Kind::Postgres,
            "create trigger audit_stays before update or delete on audit for each row execute function audit_stays()",
        )
        .boxed()
}
