//! Text in columns on a terminal, where a Chinese character is as wide as two Latin ones.

/// How many columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum()
}

/// The text, filled up with blanks to so many columns; as it is when it is wider.
#[must_use]
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text, cut to so many columns; what is cut off is shown as `…`.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut kept = String::new();
    for character in text.chars() {
        let wide = if is_wide(character) { 2 } else { 1 };
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(character);
    }
    kept + "…"
}

/// A table as lines: every column as wide as its widest cell, two blanks between, nothing behind the last. Rows may be of
/// different length.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, columns)| padded(cell, *columns));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// East Asian Wide and Fullwidth, as far as Chinese text goes (Unicode Standard Annex 11).
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0x33FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA000..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_fullwidth_marks_are_two_columns_wide() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("课后（a）"), 9);
        assert_eq!(width("≤5.00 元"), 8);
    }

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["课后".to_owned(), "y".to_owned()]];

        assert_eq!(table(&rows), ["a     x", "课后  y"]);
    }

    #[test]
    fn what_is_cut_off_is_shown() {
        assert_eq!(cut("课后服务", 8), "课后服务");
        assert_eq!(cut("课后服务", 7), "课后服…");
        assert_eq!(cut("课后服务", 6), "课后…");
    }
}
