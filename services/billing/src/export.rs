//! Tables people take home: Excel workbooks and comma-separated text.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula. Text that begins so, or with the
//! same in full width, is given a `'` before it; numbers are numbers and are left as they are.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text, whoever wrote it.
    Text(String),
    /// A whole number, such as an amount in fen.
    Number(i64),
}

/// A table: names of columns, and rows below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The sheet's name, at most 31 characters.
    pub name: &'static str,
    /// The columns' names.
    pub header: Vec<&'static str>,
    /// The rows, as wide as the header.
    pub rows: Vec<Vec<Cell>>,
}

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The workbook.
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
    /// The text.
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The text as a cell may have it.
#[must_use]
pub fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// Numbers above this are not exact in a spreadsheet and become text.
const EXACT: i64 = 1 << 53;

/// Writes a workbook with one sheet.
///
/// # Errors
/// [`ExportError`] when it does not fit into a workbook.
pub fn xlsx(sheet: &Sheet) -> Result<Vec<u8>, ExportError> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    page.set_name(sheet.name)?;
    let bold = Format::new().set_bold();
    for (column, name) in (0..).zip(&sheet.header) {
        page.write_string_with_format(0, column, *name, &bold)?;
    }
    for (row, cells) in (1..).zip(&sheet.rows) {
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => page.write_string(row, column, harmless(text))?,
                Cell::Number(number) if number.abs() < EXACT => {
                    page.write_number(row, column, *number as f64)?
                }
                Cell::Number(number) => page.write_string(row, column, number.to_string())?,
            };
        }
    }
    page.set_freeze_panes(1, 0)?;
    page.autofit();
    Ok(workbook.save_to_buffer()?)
}

/// Writes comma-separated text: UTF-8 with the byte order mark Excel wants, lines ended by CRLF.
///
/// # Errors
/// [`ExportError`] when there is no memory for it.
pub fn csv(sheet: &Sheet) -> Result<Vec<u8>, ExportError> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
        writer.write_record(&sheet.header)?;
        for row in &sheet.rows {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Text(text) => harmless(text),
                Cell::Number(number) => number.to_string(),
            }))?;
        }
        writer.flush().map_err(csv::Error::from)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use shared::table::{Format as Read, Limits, Table};

    use super::*;

    #[test]
    fn c79_a_file_opens_again_with_the_same_cells_and_no_text_is_a_formula() {
        let texts = [
            "篮球",
            "=1+1",
            "+86",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "＝1",
            "a,\"b\"",
            "'quoted",
            "=HYPERLINK(\"http://x\")",
        ];
        let rows: Vec<_> = (0..)
            .zip(texts)
            .map(|(index, text)| vec![Cell::Text(text.to_owned()), Cell::Number(-12_345 * index)])
            .collect();
        let sheet = Sheet { name: "对账", header: vec!["名称", "金额（分）"], rows };

        for (format, bytes) in [(Read::Xlsx, xlsx(&sheet).unwrap()), (Read::Csv, csv(&sheet).unwrap())] {
            let table = Table::read(format, &bytes, Limits::default()).unwrap();

            // Names of columns are compared narrow.
            assert_eq!(table.columns(), ["名称", "金额(分)"]);
            assert_eq!(table.rows().len(), texts.len());
            assert_eq!(table.bad_cells(), []);
            for ((row, text), index) in table.rows().zip(texts).zip(0..) {
                let found = row.cell("名称");
                assert!(!found.starts_with(FORMULA), "{format:?} {found:?}");
                if text.contains('\r') {
                    // A workbook writes a carriage return in a way of its own.
                    assert!(found.starts_with('\''), "{format:?} {found:?}");
                } else {
                    assert_eq!(found, harmless(text), "{format:?}");
                }
                assert_eq!(row.cell("金额(分)"), (-12_345 * index).to_string(), "{format:?}");
            }
        }
    }
}
