//! Names, phone numbers and pupil codes: how they are written, and how they are hidden.

use std::fmt;

/// The text is not of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormError(&'static str);

macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            /// Shows nothing of it: it is personal.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

/// A person's name, 1 to 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A mobile number of mainland China: 11 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// A pupil code as a school issues it: 4 to 32 letters, digits, `-` and `_`; letters in upper case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PupilCode(String);

hidden!(Name, Phone, PupilCode);

impl Name {
    /// Reads a name. White space between Chinese characters, with which lists are aligned (`王　明`), is taken out.
    ///
    /// # Errors
    /// When it is empty, too long or has control characters.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let words: Vec<_> = text.split_whitespace().collect();
        let mut name = String::with_capacity(text.len());
        for word in words {
            let joins_han =
                name.chars().last().is_some_and(is_han) && word.chars().next().is_some_and(is_han);
            if !name.is_empty() && !joins_han {
                name.push(' ');
            }
            name.push_str(word);
        }
        match name.chars().count() {
            0 => Err(FormError("must not be empty")),
            1..=64 if !name.chars().any(char::is_control) => Ok(Self(name)),
            _ => Err(FormError("must have 1 to 64 characters")),
        }
    }

    /// The name with all but its ends hidden: `王*明`, `王*`, `*`.
    #[must_use]
    pub fn masked(&self) -> String {
        let characters: Vec<char> = self.0.chars().collect();
        match characters.as_slice() {
            [] | [_] => "*".to_owned(),
            [first, _] => format!("{first}*"),
            [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
        }
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

impl Phone {
    /// Reads a number, with or without `+86`, spaces and hyphens.
    ///
    /// # Errors
    /// When it is not a mobile number of mainland China.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
        let number = digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086")).unwrap_or(&digits);
        let is_mobile = number.len() == 11
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && number.starts_with('1')
            && matches!(number.as_bytes().get(1), Some(b'3'..=b'9'));
        if is_mobile {
            Ok(Self(number.to_owned()))
        } else {
            Err(FormError("must be a mobile number of 11 digits"))
        }
    }

    /// The number with its middle hidden: `138****8000`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}****{}", &self.0[..3], &self.0[7..])
    }
}

impl PupilCode {
    /// Reads a code.
    ///
    /// # Errors
    /// When it is too short, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (4..=32).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self(text.to_ascii_uppercase()));
        }
        Err(FormError("must have 4 to 32 letters, digits, `-` or `_`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_but_for_their_ends() {
        let table = [
            ("王明", "王*"),
            ("王小明", "王*明"),
            ("欧阳小明", "欧**明"),
            ("王", "*"),
            ("阿依古丽·买买提", "阿******提"),
        ];
        for (name, masked) in table {
            assert_eq!(Name::parse(name).unwrap().masked(), masked);
        }
    }

    #[test]
    fn names_lose_the_white_space_of_aligned_lists() {
        let table =
            [("王　明", "王明"), (" 王 小 明 ", "王小明"), ("Anna  Li", "Anna Li"), ("李 Anna", "李 Anna")];
        for (text, name) in table {
            assert_eq!(Name::parse(text).unwrap().as_str(), name);
        }
        for text in ["", "　", "a\u{7}b", &"长".repeat(65)] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
        assert!(Name::parse(&"长".repeat(64)).is_ok());
    }

    #[test]
    fn phones_are_read_as_people_write_them() {
        for text in ["13800138000", "+86 138-0013-8000", "0086 13800138000", "138 0013 8000"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "13800138000", "{text}");
        }
        for text in [
            "",
            "1380013800",
            "138001380000",
            "12800138000",
            "23800138000",
            "1.38001E+10",
            "+8513800138000",
            "1380013800a",
        ] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
        assert_eq!(Phone::parse("13800138000").unwrap().masked(), "138****8000");
    }

    #[test]
    fn pupil_codes_have_4_to_32_plain_characters() {
        assert_eq!(PupilCode::parse("sh20260001").unwrap().as_str(), "SH20260001");
        assert!(PupilCode::parse("A001").is_ok() && PupilCode::parse(&"9".repeat(32)).is_ok());
        for text in ["", "A01", &"9".repeat(33), "3.3E+17", "学号0001", "A 001"] {
            assert!(PupilCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_of_a_person_shows_in_debug_text() {
        let shown =
            format!("{:?} {:?}", Name::parse("王小明").unwrap(), Phone::parse("13800138000").unwrap());
        assert_eq!(shown, "Name(…) Phone(…)");
    }
}
