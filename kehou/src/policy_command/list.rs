//! `kehou policy list`.

use std::io::Write;

use policy::value::Standing;
use policy::vocabulary::{EndBasis, FeeMode};
use policy::{Binding, Clause, Packs, Policy};

use super::Tongue;
use crate::columns;

/// A column of the table.
struct Column {
    zh: &'static str,
    en: &'static str,
    /// Its widest cell; what is longer is what `explain` is for.
    columns: usize,
    items: fn(&Policy) -> &'static [Item],
}

/// A key in a column.
struct Item {
    key: &'static str,
    /// What it is called there, in Chinese and English: before its value, or in place of a plain yes; nothing where the value
    /// says enough.
    label: Option<(&'static str, &'static str)>,
}

impl Item {
    const fn of(key: &'static str) -> Self {
        Self { key, label: None }
    }

    const fn called(key: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self { key, label: Some((zh, en)) }
    }
}

/// The columns.
const COLUMNS: [Column; 8] = [
    Column { zh: "家长缴费", en: "fee", columns: 38, items: fee },
    Column { zh: "减免", en: "waiver", columns: 30, items: waiver },
    Column { zh: "结束时间", en: "end time", columns: 30, items: end_time },
    Column { zh: "课时", en: "class hours", columns: 24, items: |_| CLASS_HOURS },
    Column { zh: "教师补贴", en: "staff pay", columns: 36, items: |_| STAFF_PAY },
    Column { zh: "退费", en: "refund", columns: 20, items: |_| REFUND },
    Column { zh: "投诉时限", en: "ticket deadlines", columns: 20, items: |_| DEADLINES },
    Column { zh: "第三方", en: "third party", columns: 30, items: |_| THIRD_PARTY },
];

const AMOUNTS: &[Item] = &[
    Item::of("parent_fee_fen_per_term"),
    Item::of("parent_fee_fen_per_month"),
    Item::of("parent_fee_cap_fen_per_class_hour"),
    Item::of("parent_fee_cap_fen_per_day"),
    Item::of("slot_fee_cap_fen_per_month"),
    Item::of("parent_fee_cap_fen_per_term"),
    Item::called("personalised_course_parent_cap_fen_per_term", "个性化课程", "personalised"),
    Item::of("parent_fee_avg_fen_per_term"),
];

const CLASS_HOURS: &[Item] = &[
    Item::of("class_hours_per_day"),
    Item::of("min_class_hours_per_afternoon"),
    Item::of("max_class_hours_per_day"),
    Item::of("min_minutes_per_day"),
];

const STAFF_PAY: &[Item] = &[
    Item::of("internal_pay_fen_per_class_hour"),
    Item::called("external_pay_cap_fen_per_class_hour", "外聘", "external"),
    Item::of("staff_pay_basis"),
];

const REFUND: &[Item] = &[Item::of("refund_rule")];

const DEADLINES: &[Item] = &[Item::of("ticket_accept_deadline"), Item::of("ticket_reply_deadline")];

const THIRD_PARTY: &[Item] = &[
    Item::called("third_party_course_allowed", "可引入课程", "courses allowed"),
    Item::called("third_party_assessor", "参与评估", "as assessors"),
    Item::called("whitelist_scope", "白名单", "whitelist"),
    Item::called("provider_fund_supervision", "资金监管", "funds supervised"),
];

/// The amounts; where no amount can stand beside it, the mode.
fn fee(policy: &Policy) -> &'static [Item] {
    match policy.fee.parent_fee_mode.get() {
        Some(FeeMode::Exact | FeeMode::Ceiling | FeeMode::Average) => AMOUNTS,
        Some(FeeMode::Free | FeeMode::AwaitingApproval) | None => const { &[Item::of("parent_fee_mode")] },
    }
}

/// Nothing where the service is free: there is nothing to waive.
fn waiver(policy: &Policy) -> &'static [Item] {
    match policy.fee.parent_fee_mode.get() {
        Some(FeeMode::Free) => &[],
        _ => const { &[Item::of("waivers")] },
    }
}

/// The earliest end by what it is measured, the latest, the one aimed at.
fn end_time(policy: &Policy) -> &'static [Item] {
    match policy.time.end_not_before_basis.get() {
        Some(EndBasis::LocalOfficeClosing) => {
            const { &[Item::called("end_not_before_basis", "不早于", "not before")] }
        }
        Some(EndBasis::Clock) | None => {
            const {
                &[
                    Item::of("end_not_before"),
                    Item::of("end_not_after"),
                    Item::called("end_target", "目标", "target"),
                ]
            }
        }
    }
}

/// The pack that stands above every region and is none.
const COMMON: &str = "common";

/// Whether it is a region: a pack without a supplement.
pub(super) fn is_region(policy: &Policy) -> bool {
    policy.supplement().is_none() && policy.pack_id() != COMMON
}

/// Prints a table of all regions and what each states.
pub(super) fn list(packs: &Packs, tongue: Tongue, out: &mut impl Write) -> anyhow::Result<()> {
    let mut rows =
        vec![vec![tongue.pick("政策包", "pack").to_owned(), tongue.pick("地区", "region").to_owned()]];
    rows[0].extend(COLUMNS.iter().map(|column| tongue.pick(column.zh, column.en).to_owned()));
    let regions: Vec<_> = packs.current().filter(|policy| is_region(policy)).collect();
    for policy in &regions {
        let mut row = vec![policy.pack_id().to_owned(), policy.name_zh().to_owned()];
        row.extend(COLUMNS.iter().map(|column| cell(policy, column, tongue)));
        rows.push(row);
    }
    for line in columns::table(&rows) {
        writeln!(out, "{line}")?;
    }
    let supplements = packs.current().filter(|policy| policy.supplement().is_some()).count();
    match tongue {
        Tongue::Chinese => {
            writeln!(out, "\nV 本地文件写明　I 承继上级（推定）　— 没有规定，须由教育局书面决定")?;
            writeln!(out, "{} 个地区，{supplements} 个补充规定", regions.len())?;
        }
        Tongue::English => {
            writeln!(
                out,
                "\nV its own document says so   I inherited   — nobody says it: the bureau must decide"
            )?;
            writeln!(out, "{} regions, {supplements} supplements", regions.len())?;
        }
    }
    Ok(())
}

/// What a policy says in a column, in short: its standing and the values.
fn cell(policy: &Policy, column: &Column, tongue: Tongue) -> String {
    let items = (column.items)(policy);
    if items.is_empty() {
        return tongue.pick("不适用", "n/a").to_owned();
    }
    let said = items.iter().filter_map(|item| {
        let entry = policy.entry(item.key)?;
        Some((entry.standing, value(item, entry.clause.as_ref()?, tongue)))
    });
    let (standings, values): (Vec<_>, Vec<_>) = said.unzip();
    let mark = if standings.contains(&Standing::Stated) {
        "V"
    } else if standings.contains(&Standing::Inherited) {
        "I"
    } else {
        return "—".to_owned();
    };
    columns::cut(&format!("{mark} {}", values.join(tongue.pick("，", ", "))), column.columns)
}

/// A value as a cell shows it.
fn value(item: &Item, clause: &Clause, tongue: Tongue) -> String {
    let value = tongue.of(clause.value.clone());
    let label = item.label.map(|(zh, en)| tongue.pick(zh, en));
    let bound = short(clause.binding, tongue);
    match label {
        Some(label) if value == tongue.pick("是", "yes") => format!("{bound}{label}"),
        Some(label) => format!("{label} {bound}{value}"),
        None => format!("{bound}{value}"),
    }
}

/// How a value binds, in short.
const fn short(binding: Binding, tongue: Tongue) -> &'static str {
    match binding {
        Binding::Exact => "",
        Binding::Ceiling => "≤",
        Binding::Floor => "≥",
        Binding::Average => tongue.pick("均 ", "avg "),
        Binding::Principle => tongue.pick("原则上 ", "as a rule "),
        Binding::Target => tongue.pick("目标 ", "target "),
    }
}
