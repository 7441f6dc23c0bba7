//! Choices that `on_unknown: create` adds to a field.

use std::collections::BTreeSet;

use crate::table::Choice;

/// Length of the ids that SmartSuite itself gives to choices.
const ID_LENGTH: usize = 5;

/// The choices to add to those that a field has, so that each label is one: none for a label that a choice has already,
/// in any case. A label always gets the same id, so that two processes which add it at once add one choice.
pub fn new_choices(held: &[Choice], labels: &BTreeSet<String>) -> Vec<Choice> {
    let folded = |text: &str| text.trim().to_lowercase();
    let mut known: BTreeSet<String> =
        held.iter().flat_map(|choice| [folded(&choice.label), folded(&choice.id)]).collect();
    let mut new = Vec::new();
    for label in labels {
        if !known.insert(folded(label)) {
            continue;
        }
        let ids = (0_u32..).map(|attempt| id(label, attempt));
        if let Some(id) = ids.take(1_000).find(|id| known.insert(folded(id))) {
            new.push(Choice { id, label: label.clone() });
        }
    }
    new
}

fn id(label: &str, attempt: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut input = attempt.to_be_bytes().to_vec();
    input.extend(label.as_bytes());
    let hash = blake3::hash(&input);
    let digits = hash.as_bytes().iter().take(ID_LENGTH);
    digits
        .filter_map(|byte| DIGITS.get(usize::from(*byte) % DIGITS.len()))
        .map(|digit| char::from(*digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(labels: &[&str]) -> BTreeSet<String> {
        labels.iter().map(|label| (*label).to_owned()).collect()
    }

    #[test]
    fn a_label_that_is_a_choice_is_not_added_again() {
        let held = [Choice { id: "aB3".into(), label: "New".into() }];
        assert_eq!(new_choices(&held, &labels(&["new", "NEW ", "ab3"])), []);
        let added = new_choices(&held, &labels(&["Old", "old"]));
        assert_eq!(added.iter().map(|choice| &*choice.label).collect::<Vec<_>>(), ["Old"]);
    }

    #[test]
    fn a_label_always_gets_the_same_id_unless_it_is_taken() {
        let first = new_choices(&[], &labels(&["Old", "Older"]));
        assert_eq!(first, new_choices(&[], &labels(&["Older", "Old"])));
        assert!(first.iter().all(|choice| choice.id.len() == ID_LENGTH));
        let taken = Choice { id: first[0].id.to_lowercase(), label: "another".into() };
        let other = new_choices(&[taken], &labels(&["Old"]));
        assert_ne!(other[0].id, first[0].id);
    }
}
