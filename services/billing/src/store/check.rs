//! The invariants, over the whole database, live or stopped.

use sea_orm::{ConnectionTrait as _, Statement};
use shared::db::{Db, Error};
use uuid::Uuid;

pub use shared::check::Checked;

/// An invariant that one statement looks into.
struct Invariant {
    /// What must hold.
    name: &'static str,
    /// Counts what is looked at, as `number`.
    all: &'static str,
    /// Gives the `id` of each thing that breaks it.
    broken: &'static str,
}

const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "every entry of the ledger has lines and sums to zero",
        all: "select count(*) as number from journal",
        broken: "select j.id as id from journal j left join posting p on p.journal_id = j.id \
                 group by j.id having count(p.line_number) < 2 or sum(p.debit_fen) <> sum(p.credit_fen)",
    },
    Invariant {
        name: "every line belongs to an entry of the same school",
        all: "select count(*) as number from posting",
        broken: "select p.journal_id as id from posting p left join journal j on j.id = p.journal_id \
                 and j.district_id = p.district_id and j.school_id = p.school_id where j.id is null",
    },
    Invariant {
        name: "the accounts of a district balance",
        all: "select count(distinct district_id) as number from posting",
        broken: "select district_id as id from posting group by district_id \
                 having sum(debit_fen) <> sum(credit_fen)",
    },
    Invariant {
        name: "a settled invoice was paid by exactly one payment of its amount, or had nothing to pay",
        all: "select count(*) as number from invoice where state = 'settled'",
        broken: "select i.id as id from invoice i where i.state = 'settled' and (\
                 i.paid_fen <> i.price_fen - i.waived_fen or \
                 (select count(*) from payment p where p.invoice_id = i.id and p.state = 'succeeded' \
                  and p.amount_fen = i.paid_fen) <> (case when i.paid_fen > 0 then 1 else 0 end))",
    },
    Invariant {
        name: "an invoice that is not settled has no payment that succeeded",
        all: "select count(*) as number from invoice where state <> 'settled'",
        broken: "select i.id as id from invoice i join payment p on p.invoice_id = i.id \
                 where i.state <> 'settled' and p.state = 'succeeded'",
    },
    Invariant {
        name: "every payment that happened has exactly one entry of its own",
        all: "select count(*) as number from payment where state in ('succeeded', 'surplus')",
        broken: "select p.id as id from payment p where (select count(*) from journal j where j.source_id = p.id \
                 and j.kind = case p.state when 'succeeded' then 'paid' else 'surplus' end) \
                 <> (case when p.state in ('succeeded', 'surplus') then 1 else 0 end)",
    },
    Invariant {
        name: "what a payment has given back or reserved is the sum of its refunds, and never more than was paid",
        all: "select count(*) as number from payment",
        broken: "select p.id as id from payment p where p.reserved_fen + p.refunded_fen > p.amount_fen \
                 or p.refunded_fen <> (select coalesce(sum(r.amount_fen), 0) from refund r \
                   where r.payment_id = p.id and r.state = 'succeeded') \
                 or p.reserved_fen <> (select coalesce(sum(r.amount_fen), 0) from refund r \
                   where r.payment_id = p.id and r.state <> 'succeeded') \
                 or p.refund_count <> (select count(*) from refund r where r.payment_id = p.id)",
    },
    Invariant {
        name: "every surplus payment is on its way back in full",
        all: "select count(*) as number from payment where state = 'surplus'",
        broken: "select id from payment where state = 'surplus' and reserved_fen + refunded_fen <> amount_fen",
    },
    Invariant {
        name: "what an invoice has given back is what its payment has",
        all: "select count(*) as number from invoice",
        broken: "select i.id as id from invoice i where i.refunded_fen <> \
                 (select coalesce(sum(p.reserved_fen + p.refunded_fen), 0) from payment p \
                  where p.invoice_id = i.id and p.state = 'succeeded')",
    },
    Invariant {
        name: "no order was ever made for an invoice without anything to pay, unless it was waived or priced anew later",
        all: "select count(*) as number from payment",
        broken: "select p.id as id from payment p left join invoice i on i.id = p.invoice_id \
                 where i.id is null or i.price_fen is null \
                 or (i.price_fen = i.waived_fen and i.waiver_category is null and i.reprice_count = 0)",
    },
    Invariant {
        name: "nobody decided a waiver twice",
        all: "select count(*) as number from waiver",
        broken: "select id from waiver where endorsed_by = decided_by",
    },
    Invariant {
        name: "every refund that arrived has exactly one entry, and no other has one",
        all: "select count(*) as number from refund",
        broken: "select r.id as id from refund r where (select count(*) from journal j where j.source_id = r.id \
                 and j.kind = 'refunded') <> (case when r.state = 'succeeded' then 1 else 0 end)",
    },
    Invariant {
        name: "what is receivable is what open invoices ask for",
        all: "select count(distinct school_id) as number from posting",
        broken: "select b.school_id as id from (select school_id, sum(debit_fen) - sum(credit_fen) as owed \
                 from posting where account = 'receivable' \
                 and journal_id not in (select id from journal where kind = 'corrected') group by school_id) b \
                 where b.owed <> (select coalesce(sum(coalesce(i.price_fen, 0) - i.waived_fen), 0) from invoice i \
                 where i.school_id = b.school_id and i.state = 'open')",
    },
    Invariant {
        name: "what is to go back is what refunds under way carry",
        all: "select count(distinct school_id) as number from posting",
        broken: "select b.school_id as id from (select school_id, sum(credit_fen) - sum(debit_fen) as owed \
                 from posting where account = 'refund_payable' \
                 and journal_id not in (select id from journal where kind = 'corrected') group by school_id) b \
                 where b.owed <> (select coalesce(sum(r.amount_fen), 0) from refund r join invoice i \
                 on i.id = r.invoice_id where i.school_id = b.school_id and r.state <> 'succeeded')",
    },
    Invariant {
        name: "money at WeChat is what was paid less what arrived back",
        all: "select count(distinct school_id) as number from posting",
        broken: "select b.school_id as id from (select school_id, sum(debit_fen) - sum(credit_fen) as held \
                 from posting where account = 'wechat_clearing' \
                 and journal_id not in (select id from journal where kind = 'corrected') group by school_id) b \
                 where b.held <> (select coalesce(sum(p.amount_fen - p.refunded_fen), 0) from payment p \
                 join invoice i on i.id = p.invoice_id where i.school_id = b.school_id \
                 and p.state in ('succeeded', 'surplus'))",
    },
    Invariant {
        name: "no entry is dated into a month after it was closed",
        all: "select count(*) as number from period where state = 'closed'",
        broken: "select distinct p.district_id as id from period p where p.state = 'closed' and p.journal_count <> \
                 (select count(*) from journal j where j.district_id = p.district_id and j.created_at < p.ends_at)",
    },
    Invariant {
        name: "every correction that two people agreed on has exactly one entry, and no other has one",
        all: "select count(*) as number from correction",
        broken: "select c.id as id from correction c where (select count(*) from journal j where j.source_id = c.id \
                 and j.kind = 'corrected') <> (case when c.state = 'booked' then 1 else 0 end)",
    },
    Invariant {
        name: "every open order is asked after again",
        all: "select count(*) as number from payment where state in ('created', 'prepay', 'unknown')",
        broken: "select id from payment where (state in ('created', 'prepay', 'unknown')) = (next_query_at is null)",
    },
];

/// Checks every invariant over the service's database.
///
/// # Errors
/// When the database refuses.
pub async fn check(db: &Db) -> Result<Vec<Checked>, Error> {
    let connection = db.read();
    let statement = |sql: &str| Statement::from_string(connection.get_database_backend(), sql);
    let mut checked = Vec::with_capacity(INVARIANTS.len());
    for invariant in INVARIANTS {
        let counted = connection.query_one_raw(statement(invariant.all)).await?;
        let number: i64 = match counted {
            Some(row) => row.try_get("", "number")?,
            None => 0,
        };
        let rows = connection.query_all_raw(statement(invariant.broken)).await?;
        let broken = rows.iter().map(|row| row.try_get::<Uuid>("", "id").map(|id| id.to_string()));
        checked.push(Checked {
            invariant: invariant.name,
            looked_at: u64::try_from(number).unwrap_or(0),
            broken: broken.collect::<Result<_, _>>()?,
        });
    }
    Ok(checked)
}
