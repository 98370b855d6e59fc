//! Comma-separated text.

use std::borrow::Cow;

use encoding_rs::GB18030;

use super::{Builder, Cell, MAX_COLUMN_COUNT, TableError, text};

pub(super) fn read(bytes: &[u8], table: &mut Builder) -> Result<(), TableError> {
    let text = decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    // Line ends within quoted cells: to the person they do not begin a row.
    let mut inner_lines = 0;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| TableError::Unreadable("not comma-separated text"))? {
        let number =
            record.position().map_or(0, |position| first_line(&text, position)).saturating_sub(inner_lines);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if record.len() > MAX_COLUMN_COUNT as usize
            && record.iter().skip(MAX_COLUMN_COUNT as usize).any(has_text)
        {
            return Err(TableError::TooManyColumns);
        }
        let cells = record.iter().take(MAX_COLUMN_COUNT as usize);
        table.row(number, cells.map(|cell| Cell::Text(text::trim(cell).to_owned())).collect())?;
        inner_lines += record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
    }
    Ok(())
}

/// The line a record begins at: the reader's position is that before the empty lines it passed over.
fn first_line(text: &str, position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let passed =
        rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + passed as u64
}

fn has_text(cell: &str) -> bool {
    !text::trim(cell).is_empty()
}

/// UTF-8 if it is that, else GB 18030. Chinese text in GB 18030 is hardly ever valid UTF-8.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(TableError::Unreadable("not text"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or(TableError::Unreadable("neither UTF-8 nor GB 18030")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Limits, Table};
    use super::*;

    fn read_table(bytes: &[u8]) -> Result<Table, TableError> {
        Table::read(Format::Csv, bytes, Limits::default())
    }

    #[test]
    fn the_same_table_reads_the_same_in_every_encoding() {
        let text = "代码,名称\r\nS1,镕基小学\r\n";
        let (gbk, _, _) = GB18030.encode(text);
        let marked = format!("\u{feff}{text}");

        let plain = read_table(text.as_bytes()).unwrap();

        assert_eq!(plain.rows().next().unwrap().cell("名称"), "镕基小学");
        assert_eq!(read_table(&gbk).unwrap(), plain);
        assert_eq!(read_table(marked.as_bytes()).unwrap(), plain);
    }

    #[test]
    fn bytes_of_no_encoding_are_refused() {
        for bytes in [b"a,b\n\xff\xff\xff".as_slice(), b"PK\x03\x04\0\0", b"\xff\xfea\0,\0"] {
            assert!(matches!(read_table(bytes), Err(TableError::Unreadable(_))), "{bytes:?}");
        }
    }

    #[test]
    fn row_numbers_are_those_a_person_sees() {
        let table = read_table("a,b\n\n1,\"x\ny\nz\"\n,\n2,w\n".as_bytes()).unwrap();

        let numbers: Vec<_> = table.rows().map(|row| (row.number(), row.cell("a"))).collect();
        assert_eq!(numbers, [(3, "1"), (5, "2")]);
    }

    #[test]
    fn a_row_may_be_shorter_than_the_header() {
        let table = read_table(b"a,b,c\n1\n").unwrap();

        let row = table.rows().next().unwrap();
        assert_eq!((row.cell("a"), row.cell("c"), row.cell("d")), ("1", "", ""));
    }

    #[test]
    fn columns_beyond_the_last_allowed_are_refused_only_when_something_is_there() {
        let names = (0..64).map(|n| format!("c{n},")).collect::<String>();
        let wide = |last: &str| format!("{names}{last}\n");

        assert!(read_table(wide("").as_bytes()).is_ok());
        assert_eq!(read_table(wide("x").as_bytes()), Err(TableError::TooManyColumns));
    }
}
