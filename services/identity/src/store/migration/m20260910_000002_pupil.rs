//! Pupils. Codes, names and phone numbers are sealed.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000002_pupil")
        .table(
            Table::create()
                .table("pupil")
                .col(column::key("id"))
                .col(column::id("district_id"))
                .col(column::id("town_id"))
                .col(column::id("school_id"))
                .col(column::id("class_id"))
                // Of the code, within the school.
                .col(column::bytes("code_index"))
                .col(column::bytes("code_sealed"))
                .col(column::bytes("name_sealed"))
                // One or two numbers, separated by `;`.
                .col(column::bytes("phones_sealed"))
                .col(column::text("state"))
                .col(column::moment("created_at"))
                .col(column::moment("updated_at"))
                .check(column::one_of("pupil", "state", &["enrolled", "left"]))
                .foreign_key(&mut refers("pupil", "school_id", "node"))
                .foreign_key(&mut refers("pupil", "class_id", "node")),
        )
        .index(column::unique("pupil", &["school_id", "code_index"]))
        .index(column::index("pupil", &["school_id", "class_id", "id"]))
        .index(column::index("pupil", &["class_id", "id"]))
        .boxed()
}
