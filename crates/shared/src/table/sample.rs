//! Small workbooks made in memory, for tests.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A cell of a sample workbook.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleCell {
    /// No cell at all.
    Empty,
    /// Text.
    Text(String),
    /// A number, as Excel keeps one that was typed.
    Number(f64),
}

impl SampleCell {
    /// A cell with `text`.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// An Excel workbook (.xlsx) with one sheet that has these rows, the header first. An empty row is left out of the file but keeps its number.
///
/// # Panics
/// Never for what fits into memory.
#[must_use]
pub fn xlsx(rows: &[Vec<SampleCell>]) -> Vec<u8> {
    let mut xml = String::from("<sheetData>");
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        let number = index + 1;
        let _ = write!(xml, r#"<row r="{number}">"#);
        for (column, cell) in row.iter().enumerate() {
            let place = format!("{}{number}", column_letter(column));
            let _ = match cell {
                SampleCell::Empty => Ok(()),
                SampleCell::Number(value) => write!(xml, r#"<c r="{place}"><v>{value:E}</v></c>"#),
                SampleCell::Text(text) => {
                    let text = text.replace('&', "&amp;").replace('<', "&lt;");
                    write!(
                        xml,
                        r#"<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#
                    )
                }
            };
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData>");
    workbook(&xml)
}

/// An Excel workbook whose one sheet has `content` as the inside of its `worksheet` element.
///
/// # Panics
/// Never for what fits into memory.
#[must_use]
#[expect(clippy::expect_used, reason = "writing to memory does not fail; for tests only")]
pub fn workbook(content: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let link = |kind: &str, target: &str| {
        format!(
            r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    let types = format!(
        r#"<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#
    );
    let parts = [
        ("[Content_Types].xml", types),
        ("_rels/.rels", link("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        ("xl/_rels/workbook.xml.rels", link("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", format!(r#"<worksheet xmlns="{MAIN}">{content}</worksheet>"#)),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, xml) in parts {
        archive.start_file(name, SimpleFileOptions::default()).expect("memory takes it");
        archive.write_all(br#"<?xml version="1.0" encoding="UTF-8"?>"#).expect("memory takes it");
        archive.write_all(xml.as_bytes()).expect("memory takes it");
    }
    archive.finish().expect("memory takes it").into_inner()
}

fn column_letter(index: usize) -> char {
    u8::try_from(index).ok().filter(|index| *index < 26).map_or('Z', |index| char::from(b'A' + index))
}
