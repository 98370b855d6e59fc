//! Chance: ids, tokens and codes. The only place that asks the operating system for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::value::{Id, Moment};

/// Fills `N` bytes that nobody can guess.
///
/// A system that cannot give any is broken below us: no id, key or code made on it would be safe, and every
/// caller would only pass the error on. The process ends at once; whatever it had not committed rolls back.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        tracing::error!("the operating system gives no random bytes");
        std::process::abort();
    }
    bytes
}

/// Makes an id of one `K`.
///
/// UUID version 7: 48 bits of milliseconds of `now`, 12 bits of the fraction of that millisecond, 62 random
/// bits. Ids of different moments sort in the order of making, to the microsecond.
#[must_use]
pub fn id<K>(now: Moment) -> Id<K> {
    Id::new(uuid(now))
}

/// Makes a UUID version 7, as [`id`] does, where no kind is known.
#[must_use]
pub fn uuid(now: Moment) -> Uuid {
    // Moments before 1970 do not happen here; they would share the first millisecond.
    let milliseconds = u128::from(u64::try_from(now.timestamp_millis()).unwrap_or(0) & 0xffff_ffff_ffff);
    let fraction = u128::from(now.timestamp_subsec_micros() % 1_000) * 4_096 / 1_000;
    let random = u128::from(u64::from_be_bytes(bytes()) >> 2);
    Uuid::from_u128(milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)
}

/// Makes a secret of 256 bits: 43 characters that need no escape in a URL.
#[must_use]
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// Makes a code of `digits` decimal digits for people to type, every code equally likely.
///
/// 1 to 18 digits; fewer or more are cut to these. Leading zeros are kept: the result is text.
#[must_use]
pub fn code(digits: u32) -> String {
    let digits = digits.clamp(1, 18);
    let count = 10_u64.pow(digits);
    // Above the last whole multiple of `count`, low codes would come more often than high ones: draw again.
    let limit = u64::MAX - u64::MAX % count;
    let drawn = loop {
        let drawn = u64::from_be_bytes(bytes());
        if drawn < limit {
            break drawn % count;
        }
    };
    format!("{drawn:0width$}", width = digits as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::value::Pupil;

    fn moment() -> Moment {
        DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap()
    }

    #[test]
    fn ids_are_version_7_of_the_given_moment() {
        let uuid = id::<Pupil>(moment()).uuid();

        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanoseconds) = uuid.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanoseconds / 1_000_000), (1_800_000_000, 123));
    }

    #[test]
    fn ids_a_microsecond_apart_sort_in_order_of_making() {
        let mut now = moment();
        let mut last = id::<Pupil>(now);
        for _ in 0..5_000 {
            now += TimeDelta::microseconds(1);
            let next = id(now);
            assert!(last < next);
            last = next;
        }
    }

    #[test]
    fn ids_of_one_moment_differ() {
        let ids: HashSet<_> = (0..10_000).map(|_| uuid(moment())).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn codes_have_their_digits_and_every_first_digit_comes() {
        let codes: Vec<_> = (0..2_000).map(|_| code(6)).collect();

        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())));
        let firsts: HashSet<_> = codes.iter().map(|code| code.as_bytes()[0]).collect();
        assert_eq!(firsts.len(), 10);
    }

    #[test]
    fn tokens_carry_256_bits_in_url_safe_text() {
        let (one, other) = (token(), token());

        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(one).unwrap().len(), 32);
    }
}
