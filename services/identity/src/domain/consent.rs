//! The terms of consent, and who may be bound to whom.
//!
//! | the guardian has … | then binding |
//! |---|---|
//! | no verified phone number | `PhoneNotVerified` |
//! | agreed to nothing | `ConsentRequired` |
//! | agreed to older terms | `ConsentOutdated` |
//! | a number that the school has for that pupil | binds, and keeps the consent |
//! | anything else | `NotTogether`: which of code, school and number is wrong is not told |

use super::person::Phone;
use super::pupil::{Pupil, State};

/// The version of the terms that hold.
pub const VERSION: &str = "2026-09";

/// The terms that hold, in Chinese.
pub const TEXT: &str = include_str!("../terms/2026-09.md");

/// Why a guardian was not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No phone number is verified.
    #[error("no phone number is verified")]
    PhoneNotVerified,
    /// No consent was given.
    #[error("consent is required")]
    ConsentRequired,
    /// Consent was given to other terms than those that hold.
    #[error("consent was given to other terms")]
    ConsentOutdated,
}

/// Checks what must be there before anything is looked up. Gives the verified number.
///
/// # Errors
/// [`Refusal`], the first that applies.
pub fn check(phone: Option<Phone>, agreed_version: &str) -> Result<Phone, Refusal> {
    let phone = phone.ok_or(Refusal::PhoneNotVerified)?;
    match agreed_version {
        "" => Err(Refusal::ConsentRequired),
        VERSION => Ok(phone),
        _ => Err(Refusal::ConsentOutdated),
    }
}

/// Says whether the guardian with this number may be bound to the pupil that was found for school and code, if one was.
///
/// Looks at a pupil in any case, so that how long it takes does not tell whether there is one.
#[must_use]
pub fn belong_together(phone: &Phone, found: Option<&Pupil>) -> bool {
    let mut together = false;
    for on_file in found.map(|pupil| pupil.phones.as_slice()).unwrap_or_default() {
        together |= on_file == phone;
    }
    together & found.is_some_and(|pupil| pupil.state == State::Enrolled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_first_is_told_first() {
        let phone = || Some(Phone::parse("13800138000").unwrap());
        let table = [
            (None, "", Err(Refusal::PhoneNotVerified)),
            (None, VERSION, Err(Refusal::PhoneNotVerified)),
            (phone(), "", Err(Refusal::ConsentRequired)),
            (phone(), "2025-09", Err(Refusal::ConsentOutdated)),
            (phone(), VERSION, Ok(phone().unwrap())),
        ];
        for (phone, version, expected) in table {
            assert_eq!(check(phone, version), expected);
        }
    }

    #[test]
    fn the_terms_say_their_version_and_what_the_law_wants_told() {
        assert!(TEXT.contains(VERSION));
        for word in [
            "不满十四周岁",
            "目的",
            "存储地点",
            "保存期限",
            "撤回",
            "删除",
            "查阅",
            "复制",
            "更正",
            "联系方式",
            "拒绝",
        ] {
            assert!(TEXT.contains(word), "{word}");
        }
    }
}
