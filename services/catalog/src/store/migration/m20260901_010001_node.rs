//! Districts, towns and schools, as identity tells of them.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

/// The migration.
pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260901_010001_node")
        .table(
            Table::create()
                .table("node")
                .col(column::id("district_id"))
                .col(column::id("id"))
                .col(column::text("kind"))
                // Schools only.
                .col(column::optional(column::id("town_id")))
                .col(column::optional(column::text("stage")))
                // The pack that rules here, inherited ones included; empty where none is set.
                .col(column::text("pack_id"))
                .col(column::optional(column::text("supplement_id")))
                .primary_key(Index::create().name("node_pkey").col("district_id").col("id"))
                .check(column::one_of("node", "kind", &["district", "town", "school"]))
                .check(column::check("node", "stage", "stage is null or stage in ('primary', 'junior')"))
                .check(column::check("node", "town", "(kind = 'school') = (town_id is not null)"))
                .check(column::check("node", "school_stage", "(kind = 'school') = (stage is not null)"))
                .check(column::check("node", "district", "(kind = 'district') = (id = district_id)")),
        )
        // Calls name a node by its own id.
        .index(column::index("node", &["id"]))
        .boxed()
}
