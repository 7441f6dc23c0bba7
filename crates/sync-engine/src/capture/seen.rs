//! The keys of one read that are remembered to find two rows of one key.

use std::collections::BTreeMap;

use sync_core::{draft::Fingerprint, key::Key};

/// Keys of one read that are remembered to find two rows of one key; larger reads find them among these first ones
/// and within a chunk.
const KEYS_WATCHED: usize = 200_000;

/// Keys with what their rows came to. Rows mostly come in the order of their keys, and then nothing is searched.
#[derive(Default)]
pub(crate) struct Seen {
    /// Each greater than the one before.
    ascending: Vec<(Key, Fingerprint)>,
    others: BTreeMap<Key, Fingerprint>,
}

impl Seen {
    /// What the first row of this key came to, if there was one.
    pub(crate) fn get(&self, key: &Key) -> Option<Fingerprint> {
        if self.ascending.last().is_some_and(|(last, _)| key <= last)
            && let Ok(place) = self.ascending.binary_search_by(|(known, _)| known.cmp(key))
        {
            return self.ascending.get(place).map(|(_, print)| *print);
        }
        self.others.get(key).copied()
    }

    /// Remembers a key that is not known yet; one too many is forgotten.
    pub(crate) fn watch(&mut self, key: &Key, print: Fingerprint) {
        if self.ascending.len() + self.others.len() < KEYS_WATCHED {
            self.insert(key.clone(), print);
        }
    }

    /// Remembers a key, whatever was known of it.
    pub(crate) fn insert(&mut self, key: Key, print: Fingerprint) {
        match self.ascending.last() {
            Some((last, _)) if key <= *last => {
                match self.ascending.binary_search_by(|(known, _)| known.cmp(&key)) {
                    Ok(place) => {
                        if let Some((_, known)) = self.ascending.get_mut(place) {
                            *known = print;
                        }
                    }
                    Err(_) => {
                        self.others.insert(key, print);
                    }
                }
            }
            Some(_) | None if self.others.contains_key(&key) => {
                self.others.insert(key, print);
            }
            Some(_) | None => self.ascending.push((key, print)),
        }
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ascending.is_empty() && self.others.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_whatever_order_they_came() {
        let mut seen = Seen::default();
        assert!(seen.is_empty());
        let print = |number: u8| Fingerprint([number; 16]);
        for number in [5, 7, 3, 9, 4, 12, 11] {
            assert_eq!(seen.get(&Key::Int(number.into())), None);
            seen.watch(&Key::Int(number.into()), print(number));
        }
        for number in [3, 4, 5, 7, 9, 11, 12] {
            assert_eq!(seen.get(&Key::Int(number.into())), Some(print(number)));
            seen.insert(Key::Int(number.into()), print(number + 100));
            assert_eq!(seen.get(&Key::Int(number.into())), Some(print(number + 100)));
        }
        assert!(!seen.contains(&Key::Int(6)) && !seen.contains(&Key::Text("5".into())));
        assert!(!seen.contains(&Key::Int(13)) && !seen.is_empty());
    }
}
