//! "Did you mean": the nearest of the words that would have been right.

/// The candidate nearest to `word`, if it is near enough to be a slip of the finger or of the case.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word = folded(word);
    // A third of the letters wrong is still a likely slip; one letter always is.
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and the choice between `-`, `_` and nothing are no difference.
fn folded(word: &str) -> String {
    word.to_lowercase().replace(['_', '-', ' '], "")
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour to turn one into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous: Option<char> = None;
    for (row, letter) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in to.iter().enumerate() {
            let at = |line: &[usize], back: usize| {
                (column + 1).checked_sub(back).and_then(|column| line.get(column)).copied()
            };
            let replaced = at(&last, 1).map(|cost| cost + usize::from(letter != *wanted));
            let left_out = at(&last, 0).map(|cost| cost + 1);
            let put_in = at(&current, 1).map(|cost| cost + 1);
            let crossed = previous == Some(*wanted)
                && column.checked_sub(1).and_then(|column| to.get(column)) == Some(&letter);
            let swapped = if crossed { at(&before_last, 2).map(|cost| cost + 1) } else { None };
            current.extend([replaced, left_out, put_in, swapped].into_iter().flatten().min());
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_slips() {
        for (from, to, slips) in [
            ("", "", 0),
            ("query", "query", 0),
            ("quary", "query", 1),
            ("qurey", "query", 1),
            ("qery", "query", 1),
            ("queery", "query", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), slips, "{from} {to}");
            assert_eq!(distance(to, from), slips, "{to} {from}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = ["query", "primary_key", "updated_at_field"];
        assert_eq!(nearest("quary", words), Some("query"));
        assert_eq!(nearest("primaryKey", words), Some("primary_key"));
        assert_eq!(nearest("updated_field", words), Some("updated_at_field"));
        assert_eq!(nearest("table", words), None);
        assert_eq!(nearest("x", words), None);
    }
}
