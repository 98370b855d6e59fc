//! The tree of organisations.

use sea_orm_migration::prelude::{ColumnDef, MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000001_node")
        .table(
            Table::create()
                .table("node")
                .col(column::key("id"))
                // The path down to the node: its own id stands in none of the next three but its district's.
                .col(column::id("district_id"))
                .col(column::optional(column::id("town_id")))
                .col(column::optional(column::id("school_id")))
                .col(column::optional(column::id("parent_id")))
                .col(column::text("kind"))
                .col(column::text("code"))
                .col(column::text("name"))
                .col(column::optional(column::text("stage")))
                .col(ColumnDef::new("grade").integer().null())
                .col(column::optional(column::text("pack_id")))
                .col(column::optional(column::text("supplement_id")))
                .col(column::moment("created_at"))
                .check(column::one_of("node", "kind", &["district", "town", "school", "class"]))
                .check(column::check("node", "parent", "(kind = 'district') = (parent_id is null)"))
                .check(column::check("node", "district", "kind <> 'district' or (district_id = id and pack_id is not null)"))
                .check(column::check("node", "town", "(town_id is not null) = (kind in ('school', 'class'))"))
                .check(column::check("node", "school", "(school_id is not null) = (kind = 'class')"))
                .check(column::check("node", "stage", "(kind = 'school') = (stage is not null)"))
                .check(column::check("node", "grade", "(kind = 'class') = (grade is not null and grade between 1 and 9)"))
                .foreign_key(&mut refers("node", "parent_id", "node")),
        )
        .index(column::unique("node", &["district_id", "code"]))
        // A district's code is unique overall.
        .sql("create unique index node_code_key on node (code) where kind = 'district'")
        .index(column::index("node", &["parent_id", "code"]))
        .index(column::index("node", &["code"]))
        .boxed()
}
