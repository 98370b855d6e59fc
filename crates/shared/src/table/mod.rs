//! Tables that people bring as files: bytes in, rows of named cells out.
//!
//! | file | knows |
//! |---|---|
//! | `csv_file` | comma-separated text: encodings, quotes, row numbers |
//! | `xlsx_file` | Excel workbooks: the first sheet, numbers, dates; bombs |
//! | `text` | what people's keyboards and spreadsheets do to text |
//!
//! A table is read whole before anything is done with it, and never trusted: sizes are bounded before memory is given, and a file
//! that cannot be read is a [`TableError`], never a panic. Reading 20,000 rows takes long enough to hold a thread up: call
//! [`Table::read`] where blocking is allowed.
//!
//! ```
//! use shared::table::{Format, Limits, Table};
//!
//! let file = "\u{feff}代码,名称\nS1, 示范小学 \n,\nS2,第二小学\n";
//! let table = Table::read(Format::Csv, file.as_bytes(), Limits::default())?;
//!
//! assert!(table.missing(&["代码", "名称"]).is_empty());
//! let rows: Vec<_> = table.rows().map(|row| (row.number(), row.cell("代码"), row.cell("名称"))).collect();
//! assert_eq!(rows, [(2, "S1", "示范小学"), (4, "S2", "第二小学")]);
//! # Ok::<(), shared::table::TableError>(())
//! ```

mod csv_file;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
mod text;
mod xlsx_file;

pub use text::{narrow, whole};

/// How the bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An Excel workbook (.xlsx); its first sheet.
    Xlsx,
    /// Comma-separated text in UTF-8 (with or without byte order mark) or GB 18030, of which GBK is a part.
    Csv,
}

/// How much of a file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Default 4 MiB.
    pub byte_count: usize,
    /// Rows below the header, empty ones included. Default 20,000.
    pub row_count: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { byte_count: 4 << 20, row_count: 20_000 }
    }
}

/// The most columns a header may have.
const MAX_COLUMN_COUNT: u32 = 64;

/// The most bytes of text all cells may have together: one long text may be shared by every cell of a workbook.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// The file as a whole is no table we take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// More bytes than allowed, packed or unpacked.
    #[error("the file is too large")]
    TooLarge,
    /// More rows than allowed.
    #[error("the table has more than {max_row_count} rows")]
    TooManyRows {
        /// How many are allowed, the header not counted.
        max_row_count: u32,
    },
    /// A cell lies beyond the last column allowed.
    #[error("the table has too many columns")]
    TooManyColumns,
    /// Not the format it is said to be, damaged, or in another encoding.
    #[error("the file cannot be read: {0}")]
    Unreadable(&'static str),
    /// The first row is missing or empty.
    #[error("the first row names no columns")]
    NoHeader,
    /// Two columns have the same name.
    #[error("the column {0} is there twice")]
    ColumnRepeated(String),
}

impl TableError {
    /// The column it is about; empty when it is about the whole file.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::ColumnRepeated(column) => column,
            Self::TooLarge
            | Self::TooManyRows { .. }
            | Self::TooManyColumns
            | Self::Unreadable(_)
            | Self::NoHeader => "",
        }
    }
}

/// A cell that holds no text or number, though the table as a whole can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The row as the person sees it, from 1 (the header) up.
    pub row_number: u32,
    /// The column's name; empty for a cell that stands under no header.
    pub column: String,
    /// What is there: a formula's error such as `#N/A`, or the text under no header.
    pub text: String,
}

/// A table: a header and rows below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<(u32, Vec<String>)>,
    bad_cells: Vec<BadCell>,
}

impl Table {
    /// Reads a table. Rows without any text are left out; their numbers are not given to others.
    ///
    /// Header and cells lose white space (of any width) and invisible characters around them. A number of a workbook becomes the text a
    /// person would write: no `.0`, no exponent below 10¹⁵; a date becomes `2026-09-01`.
    ///
    /// # Errors
    /// [`TableError`] when the file as a whole is no table we take.
    pub fn read(format: Format, bytes: &[u8], limits: Limits) -> Result<Self, TableError> {
        if bytes.len() > limits.byte_count {
            return Err(TableError::TooLarge);
        }
        let mut builder = Builder::new(limits);
        match format {
            Format::Csv => csv_file::read(bytes, &mut builder)?,
            Format::Xlsx => xlsx_file::read(bytes, &mut builder)?,
        }
        builder.finish()
    }

    /// The names of the columns, in file order. An empty one is a column without a header and without text.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Those of `wanted` that the header does not name, in the order wanted.
    #[must_use]
    pub fn missing<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        wanted.iter().copied().filter(|name| !self.columns.iter().any(|column| column == name)).collect()
    }

    /// The rows with any text, in file order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|(number, cells)| Row { columns: &self.columns, number: *number, cells })
    }

    /// Cells that hold no text or number, in file order.
    #[must_use]
    pub fn bad_cells(&self) -> &[BadCell] {
        &self.bad_cells
    }
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [String],
    number: u32,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// The row as the person sees it in the file, from 1 (the header) up.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The text under `column`; empty when there is none, or no such column.
    #[must_use]
    pub fn cell(&self, column: &str) -> &'a str {
        let index = self.columns.iter().position(|name| name == column);
        index.and_then(|index| self.cells.get(index)).map_or("", String::as_str)
    }
}

/// Puts cells together as they are read, within the limits.
struct Builder {
    limits: Limits,
    columns: Option<Vec<String>>,
    rows: Vec<(u32, Vec<String>)>,
    bad_cells: Vec<BadCell>,
    text_bytes: usize,
}

/// A cell on its way into a table.
enum Cell {
    Text(String),
    Bad(String),
}

impl Builder {
    const fn new(limits: Limits) -> Self {
        Self { limits, columns: None, rows: Vec::new(), bad_cells: Vec::new(), text_bytes: 0 }
    }

    /// Takes the next row: its number, and its cells from the first column on.
    fn row(&mut self, number: u32, cells: Vec<Cell>) -> Result<(), TableError> {
        if number > self.limits.row_count.saturating_add(1) {
            return Err(TableError::TooManyRows { max_row_count: self.limits.row_count });
        }
        let Some(columns) = &self.columns else {
            let columns = header(cells)?;
            self.columns = Some(columns);
            return Ok(());
        };
        let mut texts = Vec::with_capacity(columns.len());
        for (index, cell) in cells.into_iter().enumerate() {
            let column = columns.get(index).map_or("", String::as_str);
            let text = match cell {
                Cell::Text(text) if text.is_empty() || !column.is_empty() => text,
                Cell::Text(text) | Cell::Bad(text) => {
                    let bad = BadCell { row_number: number, column: column.to_owned(), text };
                    self.bad_cells.push(bad);
                    String::new()
                }
            };
            self.text_bytes += text.len();
            texts.push(text);
        }
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(TableError::TooLarge);
        }
        texts.truncate(columns.len());
        if texts.iter().any(|text| !text.is_empty()) {
            self.rows.push((number, texts));
        }
        Ok(())
    }

    fn finish(self) -> Result<Table, TableError> {
        let columns = self.columns.ok_or(TableError::NoHeader)?;
        Ok(Table { columns, rows: self.rows, bad_cells: self.bad_cells })
    }
}

fn header(cells: Vec<Cell>) -> Result<Vec<String>, TableError> {
    let mut columns: Vec<String> = Vec::with_capacity(cells.len());
    for cell in cells {
        let name = match cell {
            Cell::Text(text) => text::header(&text),
            Cell::Bad(_) => return Err(TableError::NoHeader),
        };
        if !name.is_empty() && columns.contains(&name) {
            return Err(TableError::ColumnRepeated(name));
        }
        columns.push(name);
    }
    if columns.iter().all(String::is_empty) { Err(TableError::NoHeader) } else { Ok(columns) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &[u8]) -> Result<Table, TableError> {
        Table::read(Format::Csv, text, Limits::default())
    }

    #[test]
    fn header_names_stand_in_any_order_and_however_they_are_padded() {
        let table = csv("　名 称　,* 代码 \n示范小学,S1\n".as_bytes()).unwrap();

        assert_eq!(table.columns(), ["名称", "代码"]);
        assert_eq!(table.rows().next().unwrap().cell("代码"), "S1");
        assert_eq!(table.missing(&["代码", "上级代码"]), ["上级代码"]);
    }

    #[test]
    fn a_column_named_twice_is_refused_by_name() {
        assert_eq!(csv("代码,名称,代码\n".as_bytes()), Err(TableError::ColumnRepeated("代码".to_owned())));
    }

    #[test]
    fn nothing_and_white_space_alone_are_no_header() {
        for file in ["", "\n\n", ",,\n", " \u{3000}\n", "\u{feff}"] {
            assert_eq!(csv(file.as_bytes()), Err(TableError::NoHeader), "{file:?}");
        }
    }

    #[test]
    fn text_under_no_header_is_a_bad_cell_and_not_lost() {
        let table = csv("代码,名称\nS1,示范,小学\nS2,第二,\n".as_bytes()).unwrap();

        let bad = BadCell { row_number: 2, column: String::new(), text: "小学".to_owned() };
        assert_eq!(table.bad_cells(), [bad]);
        assert_eq!(table.rows().len(), 2);
    }

    #[test]
    fn rows_are_counted_to_the_last_allowed() {
        let limits = Limits { row_count: 3, ..Limits::default() };
        let rows = |count: usize| format!("a\n{}", "x\n".repeat(count));

        assert_eq!(Table::read(Format::Csv, rows(3).as_bytes(), limits).unwrap().rows().len(), 3);
        let refused = Table::read(Format::Csv, rows(4).as_bytes(), limits);
        assert_eq!(refused, Err(TableError::TooManyRows { max_row_count: 3 }));
    }

    #[test]
    fn bytes_are_counted_to_the_last_allowed() {
        let limits = Limits { byte_count: 4, ..Limits::default() };

        assert!(Table::read(Format::Csv, b"a\nx\n", limits).is_ok());
        assert_eq!(Table::read(Format::Csv, b"a\nxy\n", limits), Err(TableError::TooLarge));
    }
}
