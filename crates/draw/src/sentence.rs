//! A refusal as a family reads it, in Chinese and in English.

use crate::outcome::{Refusal, Why};

/// The sentence in Chinese: 「28 个名额，最后录取号 412，您的号 655」.
#[must_use]
pub fn zh(refusal: &Refusal) -> String {
    let Refusal { capacity, settled_count, reserved_count, own_number, .. } = *refusal;
    let mut parts = Vec::new();
    if settled_count > 0 && refusal.why != Why::NoSeats {
        parts.push(format!("{settled_count} 个抽签前已确认"));
    }
    if reserved_count > 0 && refusal.why != Why::Reserved {
        parts.push(format!("{reserved_count} 个按预留录取"));
    }
    let seats = match parts.join("，") {
        none if none.is_empty() => format!("{capacity} 个名额"),
        parts => format!("{capacity} 个名额（{parts}）"),
    };
    match (refusal.why, refusal.last_number) {
        (Why::NoSeats, _) if capacity == 0 => format!("没有名额，您的号 {own_number}"),
        (Why::NoSeats, _) => format!("{seats}在抽签前均已确认，您的号 {own_number}"),
        (Why::Reserved, _) => format!("{seats}均按预留录取，您的号 {own_number}"),
        (Why::Priority, _) | (Why::Number, None) => {
            format!("{seats}，由优先类别录满，您的号 {own_number}")
        }
        (Why::Number, Some(last)) => format!("{seats}，最后录取号 {last}，您的号 {own_number}"),
    }
}

/// The sentence in English: "28 seats, last number admitted 412, yours 655".
#[must_use]
pub fn en(refusal: &Refusal) -> String {
    let Refusal { capacity, settled_count, reserved_count, own_number, .. } = *refusal;
    let mut parts = Vec::new();
    if settled_count > 0 && refusal.why != Why::NoSeats {
        parts.push(format!("{settled_count} confirmed before the draw"));
    }
    if reserved_count > 0 && refusal.why != Why::Reserved {
        parts.push(format!("{reserved_count} given as reserved"));
    }
    let unit = if capacity == 1 { "seat" } else { "seats" };
    let seats = match parts.join(", ") {
        none if none.is_empty() => format!("{capacity} {unit}"),
        parts => format!("{capacity} {unit} ({parts})"),
    };
    match (refusal.why, refusal.last_number) {
        (Why::NoSeats, _) if capacity == 0 => format!("no seats, your number is {own_number}"),
        (Why::NoSeats, _) => format!("{seats}, all confirmed before the draw, your number is {own_number}"),
        (Why::Reserved, _) => format!("{seats}, all given as reserved, your number is {own_number}"),
        (Why::Priority, _) | (Why::Number, None) => {
            format!("{seats}, filled by groups with priority, your number is {own_number}")
        }
        (Why::Number, Some(last)) => format!("{seats}, last number admitted {last}, yours {own_number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::SectionIndex;

    fn refusal(why: Why) -> Refusal {
        Refusal {
            section: SectionIndex(0),
            capacity: 28,
            settled_count: 0,
            reserved_count: 0,
            last_number: (why == Why::Number).then_some(412),
            own_number: 655,
            why,
        }
    }

    #[test]
    fn every_refusal_has_its_sentence() {
        let plain = refusal(Why::Number);
        let cases = [
            (plain, "28 个名额，最后录取号 412，您的号 655", "28 seats, last number admitted 412, yours 655"),
            (
                Refusal { settled_count: 10, reserved_count: 4, ..plain },
                "28 个名额（10 个抽签前已确认，4 个按预留录取），最后录取号 412，您的号 655",
                "28 seats (10 confirmed before the draw, 4 given as reserved), last number admitted 412, yours 655",
            ),
            (
                refusal(Why::Priority),
                "28 个名额，由优先类别录满，您的号 655",
                "28 seats, filled by groups with priority, your number is 655",
            ),
            (
                Refusal { reserved_count: 28, ..refusal(Why::Reserved) },
                "28 个名额均按预留录取，您的号 655",
                "28 seats, all given as reserved, your number is 655",
            ),
            (
                Refusal { settled_count: 28, ..refusal(Why::NoSeats) },
                "28 个名额在抽签前均已确认，您的号 655",
                "28 seats, all confirmed before the draw, your number is 655",
            ),
            (
                Refusal { capacity: 0, ..refusal(Why::NoSeats) },
                "没有名额，您的号 655",
                "no seats, your number is 655",
            ),
        ];

        for (refusal, chinese, english) in cases {
            assert_eq!(zh(&refusal), chinese);
            assert_eq!(en(&refusal), english);
        }
    }
}
