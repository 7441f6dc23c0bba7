//! What a mistyped name was probably meant to be.

use crate::table::{Field, TableStructure};

/// Most fields that a hint lists.
const LISTED_MAX: usize = 12;

/// A hint for a slug that the table does not have. People often write the label.
pub(super) fn for_slug(wanted: &str, structure: &TableStructure) -> String {
    let by_label = structure.fields.iter().find(|field| folded(&field.label) == folded(wanted));
    let nearest = || {
        let distance = |field: &Field| {
            let slug = edit_distance(&folded(&field.slug), &folded(wanted));
            slug.min(edit_distance(&folded(&field.label), &folded(wanted)))
        };
        structure
            .fields
            .iter()
            .map(|field| (distance(field), field))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| is_near(*distance, wanted))
            .map(|(_, field)| field)
    };
    match by_label.or_else(nearest) {
        Some(field) => format!("did you mean `{}` (\"{}\")?", field.slug, field.label),
        None => format!(
            "the table's fields: {}",
            listed(structure.fields.iter().map(|f| format!("`{}` (\"{}\")", f.slug, f.label)))
        ),
    }
}

/// A hint for a column that the read does not return.
pub(super) fn for_column<'a>(
    wanted: &str,
    columns: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let nearest = columns
        .clone()
        .map(|name| (edit_distance(&folded(name), &folded(wanted)), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| is_near(*distance, wanted));
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => {
            format!("the query returns: {}", listed(columns.map(|name| format!("`{name}`"))))
        }
    }
}

/// The first dozen, and how many more there are.
pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let shown = names.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// At most a third of the characters are wrong, and never more than three.
fn is_near(distance: usize, wanted: &str) -> bool {
    distance <= (wanted.chars().count() / 3).clamp(1, 3)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut left = row + 1;
        for (y, pair) in b.iter().zip(previous.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            current.push(left);
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_insertions_deletions_and_changes() {
        for (a, b, distance) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ü", "u", 1),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} {a}");
        }
    }

    #[test]
    fn a_near_column_is_suggested_and_a_far_one_is_not() {
        let columns = ["id", "customer_name", "email"];
        assert_eq!(for_column("Email", columns.iter().copied()), "did you mean `email`?");
        assert_eq!(
            for_column("costumer_name", columns.iter().copied()),
            "did you mean `customer_name`?"
        );
        assert_eq!(
            for_column("total", columns.iter().copied()),
            "the query returns: `id`, `customer_name`, `email`"
        );
    }
}
