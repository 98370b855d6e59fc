//! Files people bring, as rows.

use proto::identity::v1::ImportFile;
use proto::identity::v1::import_file::Format;
use shared::status;
use shared::table::{self, Limits, Row, Table, TableError, narrow, whole};
use shared::value::Violations;
use tonic::Status;

use super::error;
use crate::domain::fault::{Fault, Reason};

/// Reads the format, noting one that is none.
pub fn format(violations: &mut Violations, file: Option<&ImportFile>) -> Option<table::Format> {
    let Some(file) = file else {
        violations.note("file", "must be given");
        return None;
    };
    match file.format() {
        Format::Xlsx => Some(table::Format::Xlsx),
        Format::Csv => Some(table::Format::Csv),
        Format::Unspecified => {
            violations.note("file.format", "must be given");
            None
        }
    }
}

/// Reads a table that must have `columns`. Gives it, or the faults of its header and of cells that hold neither text nor number.
///
/// # Errors
/// INVALID_ARGUMENT with `file.content` when the file as a whole is no table we take.
pub async fn read(
    format: table::Format,
    file: Option<&ImportFile>,
    columns: &[&str],
) -> Result<Result<Table, Vec<Fault>>, Status> {
    let content = file.map(|file| file.content.clone()).unwrap_or_default();
    let reading = tokio::task::spawn_blocking(move || Table::read(format, &content, Limits::default()));
    let read = reading.await.map_err(|stopped| error::fault(&stopped.into()))?;
    let table = match read {
        Ok(table) => table,
        Err(TableError::NoHeader) => return Ok(Err(missing(columns))),
        Err(TableError::ColumnRepeated(column)) => {
            return Ok(Err(vec![Fault::new(1, &column, Reason::ValueInvalid, &column)]));
        }
        Err(
            refused @ (TableError::TooLarge
            | TableError::TooManyRows { .. }
            | TableError::TooManyColumns
            | TableError::Unreadable(_)),
        ) => {
            let mut violations = Violations::default();
            violations.note("file.content", refused.to_string());
            return Err(status::invalid(&violations));
        }
    };
    let missing = missing(&table.missing(columns));
    if !missing.is_empty() {
        return Ok(Err(missing));
    }
    let bad = table.bad_cells().iter();
    let bad: Vec<_> =
        bad.map(|cell| Fault::new(cell.row_number, &cell.column, Reason::ValueInvalid, "")).collect();
    if bad.is_empty() { Ok(Ok(table)) } else { Ok(Err(bad)) }
}

fn missing(columns: &[&str]) -> Vec<Fault> {
    columns.iter().map(|column| Fault::new(1, column, Reason::ColumnMissing, "")).collect()
}

/// The text of a code or number: narrow, without white space around it, and without what a spreadsheet does to numbers.
#[must_use]
pub fn plain(row: Row<'_>, column: &str) -> String {
    whole(narrow(row.cell(column)).trim()).into_owned()
}

/// Reads the rows of a table one by one, noting what is wrong with each cell.
pub struct Cells<'a> {
    row: Row<'a>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Cells<'a> {
    /// The cells of `row`, noting into `faults`.
    pub const fn new(row: Row<'a>, faults: &'a mut Vec<Fault>) -> Self {
        Self { row, faults }
    }

    /// Keeps the value, or notes that the cell has not the form of its column. The text is not shown if `is_personal`.
    pub fn take<T>(
        &mut self,
        column: &str,
        value: Option<T>,
        reason: Reason,
        is_personal: bool,
    ) -> Option<T> {
        if value.is_none() {
            let shown = if is_personal { "" } else { self.row.cell(column) };
            self.faults.push(Fault::new(self.row.number(), column, reason, shown));
        }
        value
    }
}
