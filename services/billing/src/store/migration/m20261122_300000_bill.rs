//! WeChat's bills as they were read, the days compared, and the differences.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

use super::m20260905_082000_waiver::append_only;
use crate::domain::reconciliation::Kind;

pub fn migration() -> Box<dyn MigrationTrait> {
    let kinds = Kind::ALL.map(Kind::word);
    let migration = migration::named("m20261122_300000_bill")
        // A bill is one merchant's, whichever districts it serves: no district leads these keys.
        .table(
            Table::create()
                .table("bill")
                .col(column::key("id"))
                .col(column::text("payee_mchid"))
                .col(column::date("day"))
                .col(column::text("kind"))
                .col(column::text("sha1"))
                .col(column::count("line_count"))
                .col(column::moment("created_at"))
                .check(column::one_of("bill", "kind", &["trade", "fund"]))
                .check(column::check("bill", "sha1", "(line_count = 0) = (sha1 = '')")),
        )
        .index(column::unique("bill", &["payee_mchid", "day", "kind"]))
        .table(
            Table::create()
                .table("bill_line")
                .col(column::id("bill_id"))
                .col(column::count("line_number"))
                .col(column::text("payee_mchid"))
                .col(column::moment("booked_at"))
                .col(column::text("business_no"))
                .col(column::text("transaction_id"))
                .col(column::text("out_trade_no"))
                .col(column::text("out_refund_no"))
                .col(column::text("state"))
                .col(column::text("refund_state"))
                .col(column::fen("amount_fen"))
                .col(column::number("fee_millifen"))
                .primary_key(Index::create().name("bill_line_pkey").col("bill_id").col("line_number")),
        )
        .index(column::index("bill_line", &["out_trade_no"]))
        .index(column::index("bill_line", &["out_refund_no"]))
        .table(
            Table::create()
                .table("reconciliation")
                .col(column::key("id"))
                .col(column::text("payee_mchid"))
                .col(column::date("day"))
                .col(column::count("line_count"))
                .col(column::count("matched_count"))
                .col(column::moment("updated_at"))
                .check(column::check(
                    "reconciliation",
                    "matched",
                    "matched_count >= 0 and matched_count <= line_count",
                )),
        )
        .index(column::unique("reconciliation", &["payee_mchid", "day"]))
        .table(
            Table::create()
                .table("reconciliation_case")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::text("payee_mchid"))
                .col(column::date("day"))
                .col(column::text("kind"))
                .col(column::text("subject"))
                .col(column::optional(column::id("payment_id")))
                .col(column::optional(column::id("refund_id")))
                .col(column::optional(column::fen("ours_fen")))
                .col(column::optional(column::fen("theirs_fen")))
                .col(column::text("state"))
                .col(column::optional(column::id("taken_by")))
                .col(column::text("note"))
                .col(column::optional(column::moment("resolved_at")))
                .col(column::moment("created_at"))
                .primary_key(
                    Index::create().name("reconciliation_case_pkey").col("id").col("district_id"),
                )
                .check(column::one_of("reconciliation_case", "kind", &kinds))
                .check(column::one_of(
                    "reconciliation_case",
                    "state",
                    &["explained", "repaired", "open", "taken", "resolved"],
                ))
                .check(column::check(
                    "reconciliation_case",
                    "taken",
                    "(state in ('taken', 'resolved')) = (taken_by is not null)",
                ))
                .check(column::check(
                    "reconciliation_case",
                    "resolved",
                    "(state = 'resolved') = (resolved_at is not null) and (state = 'resolved') = (note <> '')",
                )),
        )
        .index(column::unique("reconciliation_case", &["payee_mchid", "day", "kind", "subject", "district_id"]))
        .index(column::index("reconciliation_case", &["district_id", "created_at", "id"]))
        .sql(
            "create index reconciliation_case_open_idx on reconciliation_case (district_id) \
             where state in ('open', 'taken')",
        );
    append_only(append_only(migration, "bill"), "bill_line").boxed()
}
