//! Receipt codes: with its number and its code an anonymous ticket is found again.
//!
//! A code is made from the ticket's id with a key, whenever it is needed, and kept nowhere. Without the key nobody who has the
//! tables can find it; a repeat of the first request gives the same one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use shared::seal::BlindIndex;
use shared::value::{Id, Ticket};

/// Digits and letters without I, L, O and U, which look like others or make words.
/// Source: Crockford, Base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters in a code: 60 bits.
const LENGTH: usize = 12;

/// The code of a ticket as people write it down: `7K3M-9QXT-2B8R`.
pub fn code(index: &BlindIndex, id: Id<Ticket>) -> String {
    let plain = plain(index, id);
    let groups: Vec<String> =
        plain.chunks(4).map(|group| group.iter().copied().map(char::from).collect()).collect();
    groups.join("-")
}

/// Says whether `given` is the ticket's code. Takes the same time however much of it is right; hyphens, spaces and case do not
/// count, and letters that look like digits are read as those.
pub fn is_code(index: &BlindIndex, id: Id<Ticket>, given: &str) -> bool {
    let given: Vec<u8> = given.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(canonical).collect();
    verify_slices_are_equal(&plain(index, id), &given).is_ok()
}

fn plain(index: &BlindIndex, id: Id<Ticket>) -> [u8; LENGTH] {
    let hash = index.of("ticket.receipt", &id.to_string());
    // Five bits of each byte: every character is equally likely.
    std::array::from_fn(|at| ALPHABET[usize::from(hash[at] & 0b1_1111)])
}

const fn canonical(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use uuid::Uuid;

    use super::*;

    fn index() -> BlindIndex {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        BlindIndex::from_file(file.path()).unwrap()
    }

    fn ticket(number: u128) -> Id<Ticket> {
        Id::new(Uuid::from_u128(number))
    }

    #[test]
    fn a_code_is_three_groups_of_four_and_its_tickets_own() {
        let index = index();
        let (one, other) = (code(&index, ticket(1)), code(&index, ticket(2)));

        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4]);
        assert!(one.bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)));
        assert_eq!(one, code(&index, ticket(1)));
        assert_ne!(one, other);
        assert!(is_code(&index, ticket(1), &one));
        assert!(!is_code(&index, ticket(1), &other));
        assert!(!is_code(&index, ticket(1), ""));
        assert!(!is_code(&index, ticket(1), &one[..one.len() - 1]));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let index = index();
        for number in 0..200 {
            let typed = code(&index, ticket(number))
                .to_lowercase()
                .replace('-', " ")
                .replace('0', "o")
                .replace('1', "l");
            assert!(is_code(&index, ticket(number), &typed), "{typed}");
        }
    }

    #[test]
    fn every_character_comes() {
        let index = index();
        let all: String = (0..200).map(|number| code(&index, ticket(number))).collect();
        assert!(ALPHABET.iter().all(|character| all.as_bytes().contains(character)));
    }
}
