//! What people's keyboards and spreadsheets do to text, undone.

use std::borrow::Cow;

/// Takes away what stands around a text unseen: white space of any width, byte order marks, zero-width characters.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_unseen)
}

/// A column's name as it is compared: narrow, without white space within, without the `*` that marks a required column.
pub(super) fn header(text: &str) -> String {
    let name: String = narrow(text).chars().filter(|c| !is_unseen(*c)).collect();
    name.trim_matches('*').to_owned()
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\0')
}

/// Writes full-width letters, digits and signs (`１２３；ＡＢ`) as the keyboard's plain ones, and the wide space as a plain one.
///
/// For codes and numbers; names and sentences keep their full-width signs.
#[must_use]
pub fn narrow(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3000}')) {
        return Cow::Borrowed(text);
    }
    let narrowed = text.chars().map(|c| match c {
        '\u{3000}' => ' ',
        // Full-width forms stand in the order of ASCII, 0xfee0 above it.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    });
    Cow::Owned(narrowed.collect())
}

/// Undoes what a spreadsheet does to a whole number kept as text: `20260001.0` and `1.3800138000E+10` lose their dress.
///
/// What has lost digits (`1.38001E+10`: the last six are gone) stays as it is, so that it is not taken for a number. So does every
/// other text.
#[must_use]
pub fn whole(text: &str) -> Cow<'_, str> {
    if let Some((digits, zeros)) = text.split_once('.')
        && is_digits(digits)
        && !zeros.is_empty()
        && zeros.bytes().all(|byte| byte == b'0')
    {
        return Cow::Borrowed(digits);
    }
    // A spreadsheet always writes the sign, so that no code such as `12E5` is meant.
    let Some((mantissa, exponent)) = text.split_once("E+").or_else(|| text.split_once("e+")) else {
        return Cow::Borrowed(text);
    };
    let Some((first, rest)) = mantissa.split_once('.') else {
        return Cow::Borrowed(text);
    };
    let is_plain = first.len() == 1 && is_digits(first) && is_digits(rest) && is_digits(exponent);
    if is_plain && exponent.parse() == Ok(rest.len()) {
        return Cow::Owned(format!("{first}{rest}"));
    }
    Cow::Borrowed(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_becomes_plain_and_the_rest_stays() {
        assert_eq!(narrow("１３８００１３８０００；Ａ＿１－２"), "13800138000;A_1-2");
        assert_eq!(narrow("　张三　"), " 张三 ");
        assert!(matches!(narrow("七年级(1)班"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_unseen_around_a_text_goes() {
        assert_eq!(trim("\u{feff}\u{3000} \u{200b}张 三\t\u{a0}\r\n"), "张 三");
    }

    #[test]
    fn a_whole_number_loses_the_dress_of_a_spreadsheet_unless_digits_are_lost() {
        let table = [
            ("20260001.0", "20260001"),
            ("20260001.00", "20260001"),
            ("1.3800138000E+10", "13800138000"),
            ("1.3800138000e+10", "13800138000"),
            // Digits are lost: left as they are.
            ("1.38001E+10", "1.38001E+10"),
            ("1.38E+10", "1.38E+10"),
            ("1.38001380001E+10", "1.38001380001E+10"),
            // Codes, not numbers.
            ("12E5", "12E5"),
            ("1.5", "1.5"),
            ("1.", "1."),
            (".0", ".0"),
            ("S1.0", "S1.0"),
            ("1E+5", "1E+5"),
            ("1.2E+99999999999999999999", "1.2E+99999999999999999999"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(whole(text), expected, "{text}");
        }
    }
}
