//! What a school's books say, month by month, as a message and as a file.

use proto::billing::v1::export_school_statement_request::Format;
use proto::billing::v1::{
    ExportSchoolStatementRequest, ExportSchoolStatementResponse, GetSchoolStatementRequest,
    GetSchoolStatementResponse, SchoolMonth,
};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{District, Fen, Id, School, Violations};
use tonic::Status;

use super::convert;
use crate::domain::ledger::Account;
use crate::domain::period::Month;
use crate::domain::refusal::Refusal;
use crate::domain::statement::Statement;
use crate::export::{self, Cell, Sheet};
use crate::store;
use crate::till::Till;

/// Who sees a school's books.
const ROLES: &[Role] = &[Role::BureauFinance, Role::SchoolFinance, Role::Principal];

/// The most months of one statement.
const MOST_MONTHS: usize = 24;

pub async fn get_school_statement(
    till: &Till,
    caller: &Caller,
    request: GetSchoolStatementRequest,
) -> Result<GetSchoolStatementResponse, Status> {
    caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let wanted = wanted(&mut violations, &request);
    let (school_id, months) = convert::read(&violations, wanted)?;
    let months = draw_up(till, caller, school_id, &months).await?;
    Ok(GetSchoolStatementResponse { months })
}

pub async fn export_school_statement(
    till: &Till,
    caller: &Caller,
    request: ExportSchoolStatementRequest,
) -> Result<ExportSchoolStatementResponse, Status> {
    caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let format = request.format();
    violations.check("format", format != Format::Unspecified, "must be given");
    let ExportSchoolStatementRequest { school_id, from_month, to_month, .. } = request;
    let same = GetSchoolStatementRequest { school_id, from_month, to_month };
    let wanted = wanted(&mut violations, &same);
    let (school_id, months) = convert::read(&violations, wanted)?;
    let sheet = sheet(&draw_up(till, caller, school_id, &months).await?);
    let (content_type, made) = match format {
        Format::Csv | Format::Unspecified => ("text/csv; charset=utf-8", export::csv(&sheet)),
        Format::Xlsx => {
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", export::xlsx(&sheet))
        }
    };
    let content = made.map_err(|error| status::internal(&error))?;
    Ok(ExportSchoolStatementResponse { content_type: content_type.to_owned(), content })
}

fn wanted(
    violations: &mut Violations,
    request: &GetSchoolStatementRequest,
) -> Option<(Id<School>, Vec<Month>)> {
    let school_id = convert::id(violations, "school_id", &request.school_id);
    let from = violations.field("from_month", request.from_month.parse::<Month>());
    let to = violations.field("to_month", request.to_month.parse::<Month>());
    let (from, to) = from.zip(to)?;
    let all = std::iter::successors(Some(from), |month| Some(month.next()));
    let months: Vec<Month> = all.take_while(|month| *month <= to).take(MOST_MONTHS + 1).collect();
    let fits = (1..=MOST_MONTHS).contains(&months.len());
    violations.check("to_month", fits, "must not be before from_month, and at most 24 months from it");
    Some((school_id?, months))
}

async fn draw_up(
    till: &Till,
    caller: &Caller,
    school_id: Id<School>,
    months: &[Month],
) -> Result<Vec<SchoolMonth>, Status> {
    let permit = caller.staff(ROLES)?;
    let db = till.db.read();
    let not_found = || status::not_found("school", school_id);
    let node = store::node::find(db, school_id.uuid()).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&node.path), "school", school_id)?;
    let district_id: Id<District> = Id::new(node.path.first().copied().unwrap_or_default());
    let last_closed = store::period::last_closed(db, district_id).await?;
    let Some(first) = months.first() else { return Ok(Vec::new()) };
    let before = store::statement::moved(db, school_id, None, first.begins_at()).await?;
    let clearing = before.iter().find(|one| one.account == Account::WechatClearing);
    let mut held = match clearing {
        Some(one) => one.debit.minus(one.credit).map_err(Refusal::from)?,
        None => Fen::ZERO,
    };
    let mut drawn = Vec::with_capacity(months.len());
    for month in months {
        let moved = store::statement::moved(db, school_id, Some(month.begins_at()), month.ends_at()).await?;
        let statement = Statement::of(*month, &moved, held).map_err(Refusal::from)?;
        if !statement.is_balanced().map_err(Refusal::from)? {
            return Err(
                store::Error::inconsistent("posting", school_id, format!("{month} is not balanced")).into()
            );
        }
        held = statement.held;
        let is_closed = last_closed.is_some_and(|last| last >= *month);
        drawn.push(message(&statement, is_closed));
    }
    Ok(drawn)
}

fn message(one: &Statement, is_closed: bool) -> SchoolMonth {
    SchoolMonth {
        month: one.month.to_string(),
        charged_fen: one.charged.get(),
        waived_fen: one.waived.get(),
        paid_fen: one.paid.get(),
        refunded_fen: one.refunded.get(),
        owed_fen: one.owed.get(),
        returning_fen: one.returning.get(),
        held_fen: one.held.get(),
        is_closed,
        elsewhere_fen: one.elsewhere.get(),
    }
}

fn sheet(months: &[SchoolMonth]) -> Sheet {
    let row = |one: &SchoolMonth| {
        let closed = if one.is_closed { "已结账" } else { "未结账" };
        vec![
            Cell::Text(one.month.clone()),
            Cell::Number(one.charged_fen),
            Cell::Number(one.waived_fen),
            Cell::Number(one.paid_fen),
            Cell::Number(one.refunded_fen),
            Cell::Number(one.owed_fen),
            Cell::Number(one.returning_fen),
            Cell::Number(one.elsewhere_fen),
            Cell::Number(one.held_fen),
            Cell::Text(closed.to_owned()),
        ]
    };
    Sheet {
        name: "学校收费月报",
        header: vec![
            "月份",
            "应收（分）",
            "减免（分）",
            "实收（分）",
            "已退（分）",
            "欠费增减（分）",
            "待退增减（分）",
            "转其他科目（分）",
            "月末结存（分）",
            "结账",
        ],
        rows: months.iter().map(row).collect(),
    }
}
