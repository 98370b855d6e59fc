//! Guardians, and their consents: the record of who agreed to what for whom, and the binding while it lasts.

use sea_orm_migration::prelude::{MigrationTrait, Table};
use shared::db::{column, migration};

use super::refers;

pub(super) fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260910_000003_guardian")
        .table(
            Table::create()
                .table("guardian")
                .col(column::key("id"))
                .col(column::text("appid"))
                .col(column::bytes("openid_index"))
                .col(column::bytes("openid_sealed"))
                .col(column::optional(column::bytes("phone_sealed")))
                .col(column::optional(column::moment("phone_verified_at")))
                .col(column::moment("created_at"))
                .check(column::check(
                    "guardian",
                    "phone",
                    "(phone_sealed is null) = (phone_verified_at is null)",
                )),
        )
        .index(column::unique("guardian", &["openid_index"]))
        .table(
            Table::create()
                .table("consent")
                .col(column::key("id"))
                .col(column::id("district_id"))
                .col(column::id("guardian_id"))
                .col(column::id("pupil_id"))
                .col(column::text("version"))
                // SHA-256 of the text that was agreed to.
                .col(column::bytes("text_digest"))
                .col(column::moment("given_at"))
                .col(column::optional(column::moment("ended_at")))
                .col(column::optional(column::text("ended_by")))
                .check(column::one_of("consent", "ended_by", &["withdrawal", "renewal"]))
                .check(column::check("consent", "end", "(ended_at is null) = (ended_by is null)"))
                .foreign_key(&mut refers("consent", "guardian_id", "guardian"))
                .foreign_key(&mut refers("consent", "pupil_id", "pupil")),
        )
        // While a consent lasts there is one: it is the binding.
        .sql("create unique index consent_guardian_id_pupil_id_key on consent (guardian_id, pupil_id) where ended_at is null")
        .index(column::index("consent", &["guardian_id", "pupil_id"]))
        .index(column::index("consent", &["pupil_id"]))
        .boxed()
}
