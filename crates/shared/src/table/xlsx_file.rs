//! Excel workbooks.

use std::io::{self, Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use zip::ZipArchive;

use super::{Builder, Cell, MAX_COLUMN_COUNT, TableError, text};

/// The most bytes all parts of a workbook may have unpacked. A full table of 20,000 rows has about 10 MiB.
const MAX_UNPACKED_BYTES: u64 = 32 << 20;

/// The most parts a workbook may have. An ordinary one has about 15.
const MAX_PART_COUNT: usize = 500;

/// From here on a 64-bit float, which is what a workbook keeps, no longer has all the digits a person typed: 10¹⁵.
const FIRST_INEXACT: f64 = 1e15;

const NO_WORKBOOK: TableError = TableError::Unreadable("not an Excel workbook (.xlsx)");

pub(super) fn read(bytes: &[u8], table: &mut Builder) -> Result<(), TableError> {
    weigh(bytes)?;
    // The reader of workbooks is not ours, and the file is anybody's: should one make the other panic, it is an unreadable file.
    catch_unwind(AssertUnwindSafe(|| read_first_sheet(bytes, table))).unwrap_or(Err(NO_WORKBOOK))
}

/// Unpacks every part into nothing and refuses what is more than a workbook of ours could be: sizes written in the file are a
/// stranger's word.
fn weigh(bytes: &[u8]) -> Result<(), TableError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NO_WORKBOOK)?;
    if archive.len() > MAX_PART_COUNT {
        return Err(TableError::TooLarge);
    }
    let mut left = MAX_UNPACKED_BYTES;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| NO_WORKBOOK)?;
        let read = io::copy(&mut part.take(left + 1), &mut io::sink()).map_err(|_| NO_WORKBOOK)?;
        left = left.checked_sub(read).ok_or(TableError::TooLarge)?;
    }
    Ok(())
}

fn read_first_sheet(bytes: &[u8], table: &mut Builder) -> Result<(), TableError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| NO_WORKBOOK)?;
    let sheet = workbook.sheet_names().first().cloned().ok_or(NO_WORKBOOK)?;
    // Cell by cell: a range would be given memory for every cell up to the last, and the last may stand anywhere.
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(|_| NO_WORKBOOK)?;
    let mut number = 1;
    let mut row = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|_| NO_WORKBOOK)? {
        let (row_index, column) = cell.get_position();
        let value = read_cell(cell.get_value());
        if matches!(&value, Cell::Text(text) if text.is_empty()) {
            continue;
        }
        if column >= MAX_COLUMN_COUNT {
            return Err(TableError::TooManyColumns);
        }
        let cell_number = row_index.saturating_add(1);
        if cell_number < number {
            return Err(TableError::Unreadable("its rows are out of order"));
        }
        if cell_number > number {
            table.row(number, std::mem::take(&mut row))?;
            number = cell_number;
        }
        let index = column as usize;
        if row.len() > index {
            return Err(TableError::Unreadable("its cells are out of order"));
        }
        row.resize_with(index, || Cell::Text(String::new()));
        row.push(value);
    }
    table.row(number, row)
}

fn read_cell(value: &DataRef<'_>) -> Cell {
    Cell::Text(match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => write_number(*number),
        DataRef::String(said) => text::trim(said).to_owned(),
        DataRef::SharedString(said) => text::trim(said).to_owned(),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) => write_date(moment),
        DataRef::DateTimeIso(said) | DataRef::DurationIso(said) => text::trim(said).to_owned(),
        DataRef::Error(error) => return Cell::Bad(error.to_string()),
    })
}

/// The text a person would write. With more digits than a float keeps, the exponent stays: the digits are not those that were typed.
fn write_number(number: f64) -> String {
    if number.abs() < FIRST_INEXACT {
        number.to_string()
    } else {
        format!("{number:E}").replacen('E', "E+", 1)
    }
}

/// `2026-09-01`, with the time (`2026-09-01 08:30:00`) unless it is midnight; `08:30:00` for a time of no day.
fn write_date(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if moment.is_duration() || moment.as_f64() < 1.0 {
        return time;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {time}") }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::super::sample::{self, SampleCell};
    use super::super::{Format, Limits, Table};
    use super::*;

    fn read_table(bytes: &[u8]) -> Result<Table, TableError> {
        Table::read(Format::Xlsx, bytes, Limits::default())
    }

    fn sheet(xml: &str) -> Vec<u8> {
        sample::workbook(&format!("<sheetData>{xml}</sheetData>"))
    }

    #[test]
    fn numbers_are_written_as_a_person_would() {
        let table = [
            (20_260_001.0, "20260001"),
            (13_800_138_000.0, "13800138000"),
            (0.0, "0"),
            (-3.0, "-3"),
            (12.5, "12.5"),
            (999_999_999_999_999.0, "999999999999999"),
            (330_702_201_501_011_234.0, "3.3070220150101126E+17"),
        ];
        for (number, expected) in table {
            assert_eq!(write_number(number), expected);
        }
    }

    #[test]
    fn a_workbook_gives_text_numbers_and_row_numbers() {
        let bytes = sample::xlsx(&[
            vec![SampleCell::text("学籍号"), SampleCell::text("姓名"), SampleCell::text("手机")],
            vec![
                SampleCell::Number(20_260_001.0),
                SampleCell::text(" 王小明 "),
                SampleCell::Number(13_800_138_000.0),
            ],
            vec![],
            vec![SampleCell::text("B2"), SampleCell::Empty, SampleCell::text("1.38E+10")],
        ]);

        let table = read_table(&bytes).unwrap();

        let rows: Vec<_> = table
            .rows()
            .map(|row| (row.number(), row.cell("学籍号"), row.cell("姓名"), row.cell("手机")))
            .collect();
        assert_eq!(rows, [(2, "20260001", "王小明", "13800138000"), (4, "B2", "", "1.38E+10")]);
    }

    #[test]
    fn a_formula_that_failed_is_a_bad_cell() {
        let header = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>代码</t></is></c></row>"#;
        let bytes = sheet(&format!(r#"{header}<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>"#));

        let table = read_table(&bytes).unwrap();

        assert_eq!(table.bad_cells().len(), 1);
        assert_eq!((table.bad_cells()[0].row_number, table.bad_cells()[0].column.as_str()), (2, "代码"));
    }

    #[test]
    fn a_cell_at_the_far_end_of_the_sheet_takes_no_memory() {
        let header = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>代码</t></is></c></row>"#;
        let deep = sheet(&format!(r#"{header}<row r="1048576"><c r="A1048576"><v>1</v></c></row>"#));
        let wide = sheet(&format!(r#"{header}<row r="2"><c r="XFD2"><v>1</v></c></row>"#));

        assert_eq!(read_table(&deep), Err(TableError::TooManyRows { max_row_count: 20_000 }));
        assert_eq!(read_table(&wide), Err(TableError::TooManyColumns));
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        archive.start_file("xl/worksheets/sheet1.xml", options).unwrap();
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..64 {
            archive.write_all(&zeros).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        assert!(bytes.len() < 1 << 20);

        assert_eq!(read_table(&bytes), Err(TableError::TooLarge));
    }

    #[test]
    fn one_long_text_shared_by_every_cell_is_refused() {
        let long = "长".repeat(100_000);
        let rows: Vec<_> = (0..200).map(|_| vec![SampleCell::text("x"), SampleCell::text(&long)]).collect();
        let mut all = vec![vec![SampleCell::text("a"), SampleCell::text("b")]];
        all.extend(rows);

        assert_eq!(read_table(&sample::xlsx(&all)), Err(TableError::TooLarge));
    }

    #[test]
    fn other_files_are_no_workbooks() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a.txt", SimpleFileOptions::default()).unwrap();
        let empty_zip = archive.finish().unwrap().into_inner();
        let good = sample::xlsx(&[vec![SampleCell::text("a")]]);
        let files: [&[u8]; 5] =
            [b"", b"\xd0\xcf\x11\xe0 an old workbook", b"a,b\n1,2\n", &empty_zip, &good[..good.len() / 2]];
        for file in files {
            assert_eq!(read_table(file), Err(NO_WORKBOOK));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]
        #[test]
        fn damage_anywhere_never_panics(at in 0.0_f64..1.0, byte in any::<u8>(), xml in "[<>/a-z0-9=\"& ]{0,40}") {
            let mut bytes = sample::xlsx(&[vec![SampleCell::text("a")], vec![SampleCell::Number(1.0)]]);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, clippy::float_arithmetic, reason = "a place in a small file")]
            let index = (at * bytes.len() as f64) as usize;
            bytes[index] = byte;
            let _ = read_table(&bytes);
            let _ = read_table(&sheet(&xml));
        }
    }
}
