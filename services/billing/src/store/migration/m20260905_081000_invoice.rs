//! Tariffs, invoices, payments, refunds, and notifications as they came.

use sea_orm_migration::prelude::{Index, MigrationTrait, Table};
use shared::db::{column, migration};

pub fn migration() -> Box<dyn MigrationTrait> {
    migration::named("m20260905_081000_invoice")
        .table(
            Table::create()
                .table("tariff")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("term_id"))
                .col(column::text("basis"))
                .col(column::fen("amount_fen"))
                .col(column::text("approval_document"))
                .col(column::text("payee_account"))
                .col(column::id("published_by"))
                .col(column::moment("created_at"))
                .primary_key(Index::create().name("tariff_pkey").col("id").col("district_id"))
                .check(column::one_of("tariff", "basis", &["term", "class_hour"]))
                .check(column::at_least("tariff", "amount_fen", 1))
                // The accounts a policy can name. There is no provider among them.
                .check(column::one_of(
                    "tariff",
                    "payee_account",
                    &["school", "treasury", "operator_group", "supervised_platform"],
                )),
        )
        .index(column::unique("tariff", &["term_id", "district_id"]))
        // Whichever of the two comes first makes the row: hearing of the seat, or being asked to close it.
        .table(
            Table::create()
                .table("enrollment")
                .col(column::key("id"))
                .col(column::flag("is_closed_beforehand"))
                .col(column::moment("created_at")),
        )
        .table(
            Table::create()
                .table("invoice")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("school_id"))
                .col(column::id("enrollment_id"))
                .col(column::id("pupil_id"))
                .col(column::id("term_id"))
                .col(column::id("section_id"))
                .col(column::id("guardian_id"))
                .col(column::text("title"))
                .col(column::moment("created_at"))
                .col(column::text("state"))
                .col(column::optional(column::moment("due_at")))
                .col(column::optional(column::moment("ended_at")))
                .col(column::optional(column::fen("price_fen")))
                .col(column::fen("waived_fen"))
                .col(column::optional(column::text("waiver_category")))
                .col(column::json("clauses"))
                .col(column::fen("paid_fen"))
                .col(column::fen("refunded_fen"))
                .col(column::fen("reversed_fen"))
                .col(column::optional(column::moment("released_at")))
                .col(column::optional(column::moment("charged_until")))
                .col(column::flag("is_refund_undecided"))
                .col(column::flag("is_waiver_due"))
                .col(column::count("reprice_count"))
                .primary_key(Index::create().name("invoice_pkey").col("id").col("district_id"))
                .check(column::one_of("invoice", "state", &["open", "settled", "closed"]))
                .check(column::check("invoice", "due", "(state = 'open') = (due_at is not null)"))
                .check(column::check("invoice", "end", "(state = 'open') = (ended_at is null)"))
                .check(column::check("invoice", "priced", "state <> 'settled' or price_fen is not null"))
                .check(column::check("invoice", "waived", "waived_fen >= 0 and waived_fen <= coalesce(price_fen, 0)"))
                .check(column::check("invoice", "reversed", "reversed_fen >= 0 and reversed_fen <= coalesce(price_fen, 0)"))
                .check(column::check("invoice", "refunded", "refunded_fen >= 0 and refunded_fen <= paid_fen"))
                .check(column::check(
                    "invoice",
                    "paid",
                    "paid_fen = 0 or (state = 'settled' and paid_fen = price_fen - waived_fen)",
                )),
        )
        .index(column::unique("invoice", &["enrollment_id", "district_id"]))
        .index(column::index("invoice", &["pupil_id", "created_at", "id"]))
        .index(column::index("invoice", &["term_id", "pupil_id"]))
        .sql("create index invoice_waiver_due_idx on invoice (id) where is_waiver_due")
        .table(
            Table::create()
                .table("payment")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("invoice_id"))
                .col(column::count("attempt"))
                .col(column::text("out_trade_no"))
                .col(column::text("payee_mchid"))
                .col(column::fen("amount_fen"))
                .col(column::bytes("order_sealed"))
                .col(column::bytes("openid_sealed"))
                .col(column::moment("expires_at"))
                .col(column::text("state"))
                .col(column::optional(column::text("transaction_id")))
                .col(column::optional(column::moment("paid_at")))
                .col(column::optional(column::moment("closed_at")))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("next_query_at")))
                .col(column::count("query_count"))
                .col(column::fen("reserved_fen"))
                .col(column::fen("refunded_fen"))
                .col(column::count("refund_count"))
                .col(column::optional(column::moment("refund_sent_at")))
                .primary_key(Index::create().name("payment_pkey").col("id").col("district_id"))
                .check(column::one_of(
                    "payment",
                    "state",
                    &["created", "prepay", "unknown", "succeeded", "surplus", "closed"],
                ))
                .check(column::at_least("payment", "amount_fen", 1))
                .check(column::check(
                    "payment",
                    "success",
                    "(state in ('succeeded', 'surplus')) = (transaction_id is not null) \
                     and (transaction_id is null) = (paid_at is null)",
                ))
                .check(column::check("payment", "closed", "(state = 'closed') = (closed_at is not null)"))
                .check(column::check(
                    "payment",
                    "refunds",
                    "reserved_fen >= 0 and refunded_fen >= 0 and reserved_fen + refunded_fen <= amount_fen \
                     and (reserved_fen + refunded_fen = 0 or transaction_id is not null)",
                ))
                .check(column::check("payment", "refund_count", "refund_count between 0 and 50")),
        )
        .index(column::unique("payment", &["out_trade_no"]))
        .index(column::unique("payment", &["transaction_id"]))
        .index(column::unique("payment", &["invoice_id", "attempt", "district_id"]))
        .sql(
            "create unique index payment_open_key on payment (invoice_id, district_id) \
             where state in ('created', 'prepay', 'unknown')",
        )
        .sql("create unique index payment_success_key on payment (invoice_id, district_id) where state = 'succeeded'")
        .sql("create index payment_next_query_idx on payment (next_query_at) where next_query_at is not null")
        .table(
            Table::create()
                .table("refund")
                .col(column::id("id"))
                .col(column::id("district_id"))
                .col(column::id("invoice_id"))
                .col(column::id("payment_id"))
                .col(column::id("enrollment_id"))
                .col(column::id("pupil_id"))
                .col(column::text("out_refund_no"))
                .col(column::text("request_json"))
                .col(column::fen("amount_fen"))
                .col(column::text("reason"))
                .col(column::text("state"))
                .col(column::optional(column::moment("succeeded_at")))
                .col(column::moment("created_at"))
                .col(column::optional(column::moment("next_attempt_at")))
                .col(column::count("attempt_count"))
                .primary_key(Index::create().name("refund_pkey").col("id").col("district_id"))
                .check(column::one_of("refund", "state", &["requested", "submitted", "succeeded", "failed"]))
                .check(column::one_of("refund", "reason", &["released", "late", "surplus", "section_cancelled"]))
                .check(column::check("refund", "success", "(state = 'succeeded') = (succeeded_at is not null)"))
                .check(column::check(
                    "refund",
                    "ended",
                    "(state in ('succeeded', 'failed')) = (next_attempt_at is null)",
                ))
                .check(column::at_least("refund", "amount_fen", 1)),
        )
        .index(column::unique("refund", &["out_refund_no"]))
        .index(column::index("refund", &["payment_id"]))
        .index(column::index("refund", &["pupil_id", "created_at", "id"]))
        .sql("create index refund_next_attempt_idx on refund (next_attempt_at) where next_attempt_at is not null")
        .table(
            Table::create()
                .table("notification")
                .col(column::key("id"))
                .col(column::text("dedup_key"))
                .col(column::text("kind"))
                .col(column::text("out_trade_no"))
                .col(column::bytes("body"))
                .col(column::bytes("content_sealed"))
                .col(column::moment("received_at"))
                .col(column::optional(column::text("outcome")))
                .col(column::optional(column::moment("worked_at")))
                .check(column::one_of("notification", "kind", &["payment", "refund", "other"]))
                .check(column::check("notification", "outcome", "(outcome is null) = (worked_at is null)")),
        )
        .index(column::unique("notification", &["dedup_key"]))
        .sql("create index notification_waiting_idx on notification (received_at) where outcome is null")
        .boxed()
}
