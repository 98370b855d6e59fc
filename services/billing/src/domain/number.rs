//! Order and refund numbers at WeChat: made from our ids, so that a repeat can never make another one.

use shared::value::{Id, Invoice, Refund};

/// Digits of a number in base 62, the smallest set WeChat, files and people all take.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits of 128 bits in base 62.
const UUID_LEN: usize = 22;

/// Digits of an attempt in base 62: 238,327 attempts.
const ATTEMPT_LEN: usize = 3;

/// The order number of one attempt to pay an invoice: 25 of `0-9 A-Z a-z`.
///
/// Source: WeChat Pay takes 6 to 32 of letters, digits and `_-|*`, unique for the merchant for ever.
#[must_use]
pub fn out_trade_no(invoice_id: Id<Invoice>, attempt: u32) -> String {
    let mut number = base62(invoice_id.uuid().as_u128(), UUID_LEN);
    number.push_str(&base62(u128::from(attempt), ATTEMPT_LEN));
    number
}

/// The number of a refund at WeChat: 22 of `0-9 A-Z a-z`.
#[must_use]
pub fn out_refund_no(refund_id: Id<Refund>) -> String {
    base62(refund_id.uuid().as_u128(), UUID_LEN)
}

fn base62(mut number: u128, len: usize) -> String {
    let mut digits = vec![b'0'; len];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 62).unwrap_or(0);
        *digit = DIGITS[index];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn every_attempt_of_every_invoice_has_a_number_of_its_own(id: u128, other: u128, attempt in 1_u32..1_000) {
            let invoice = Id::new(Uuid::from_u128(id));
            let number = out_trade_no(invoice, attempt);

            prop_assert!(wechat_takes(&number));
            prop_assert_eq!(&number, &out_trade_no(invoice, attempt));
            prop_assert_ne!(&number, &out_trade_no(invoice, attempt + 1));
            if id != other {
                prop_assert_ne!(&number, &out_trade_no(Id::new(Uuid::from_u128(other)), attempt));
            }
        }
    }

    fn wechat_takes(number: &str) -> bool {
        (6..=32).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    #[test]
    fn numbers_keep_their_leading_zeros() {
        assert_eq!(out_trade_no(Id::new(Uuid::from_u128(61)), 62), "000000000000000000000z010");
        assert_eq!(out_refund_no(Id::new(Uuid::from_u128(0))), "0".repeat(22));
    }
}
