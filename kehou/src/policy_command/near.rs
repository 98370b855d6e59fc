//! What somebody may have meant.

/// The labels of those of `known` (name, label) that are near a word, the nearest first, at most five: names with few other
/// letters, and names or labels that hold the word, or a part of it between `_`.
pub(super) fn near(word: &str, known: &[(String, String)]) -> Vec<String> {
    let asked = plain(word);
    let mut found: Vec<(usize, &String)> = Vec::new();
    for (name, label) in known {
        let name = plain(name);
        let parts = || asked.split('_').filter(|part| part.chars().count() >= 2);
        let holds = parts().any(|part| name.contains(part) || label.contains(part));
        // A slip in one part of a name is as near as one in a name of one part.
        let of_parts = name.split('_').map(|part| distance(&asked, part));
        let distance = of_parts.chain([distance(&asked, &name)]).min().unwrap_or_default();
        if holds || distance * 3 <= asked.chars().count().max(3) {
            found.push((distance, label));
        }
    }
    found.sort();
    found.into_iter().map(|(_, label)| label.clone()).take(5).collect()
}

/// The same letters in one case, words joined by `_`.
fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

/// How many letters must be put in, left out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in (1..).zip(one.chars()) {
        let mut before = number - 1;
        let mut left = number;
        if let Some(first) = row.first_mut() {
            *first = number;
        }
        for (cell, known) in row.iter_mut().skip(1).zip(&other) {
            let changed = before + usize::from(letter != *known);
            before = *cell;
            left = changed.min(before + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_by_letters_put_in_left_out_and_changed() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("zhuzou", "zhuzhou"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_slip_a_part_and_the_chinese_name_are_near_and_nothing_else_is() {
        let known = ["north_river", "north_lake", "south_hill"];
        let known = known.map(|name| (name.to_owned(), format!("{name}（{}）", &name[..5])));

        assert_eq!(near("north-rivr", &known)[0], "north_river（north）");
        assert_eq!(near("hill", &known), ["south_hill（south）"]);
        assert_eq!(near("hil", &known), ["south_hill（south）"]);
        assert_eq!(near("lske", &known), ["north_lake（north）"]);
        assert!(near("xyz", &known).is_empty());
    }
}
