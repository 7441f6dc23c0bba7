//! Which written form of a value works, where public reports contradict each other.
//!
//! Each field starts with the most trusted form. A refusal that names the field turns to the next one, until some
//! answer has shown the value as it was sent; from then on the form stands, and refusals are about values. As long as
//! nothing is proved the forms take turns, so that a bad value in the first batch cannot settle on the wrong one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sync_core::{
    draft::Fields, error::Complaint, field_value::FieldValue, port::RecordShape,
    record::SeenRecord, slug::Slug,
};

use crate::wire::field::{Codec, codec};

/// After so many turns without a proof the form is not what is wrong.
const TURNS_MAX: u8 = 8;

/// What is remembered, for the life of the client, of every table.
#[derive(Default)]
pub(crate) struct FormMemory(Mutex<BTreeMap<(String, Place), State>>);

/// A field, and whether it is filled or cleared.
type Place = (Slug, bool);

#[derive(Clone, Copy, Default)]
struct State {
    form: usize,
    proved: bool,
    turns: u8,
}

/// The forms that one call uses, fixed when it is made.
#[derive(Default)]
pub(crate) struct Forms(BTreeMap<Place, usize>);

impl Forms {
    /// The form for a value of a field.
    pub(crate) fn chosen(&self, slug: &Slug, value: &FieldValue) -> usize {
        let place = (slug.clone(), *value == FieldValue::Empty);
        self.0.get(&place).copied().unwrap_or(0)
    }
}

impl FormMemory {
    /// The forms to use for a table now.
    pub(crate) fn forms(&self, table: &str) -> Forms {
        let states = self.lock();
        let ours = states.iter().filter(|((of, _), _)| of == table);
        Forms(ours.map(|((_, place), state)| (place.clone(), state.form)).collect())
    }

    /// Learns from a refusal of `items`; true if the same items would now be written differently.
    pub(crate) fn refused(
        &self,
        shape: &RecordShape,
        items: &[&Fields],
        sent: &Forms,
        complaints: &[Complaint],
    ) -> bool {
        let mut changed = false;
        for complaint in complaints {
            let Some(slug) = &complaint.slug else { continue };
            let Some(field) = shape.field(slug) else { continue };
            let codec = codec(&field.kind);
            let blamed = match complaint.item {
                Some(item) => items.get(item..=item).unwrap_or_default(),
                None => items,
            };
            let words = complaint.message.0.to_lowercase();
            for cleared in [false, true] {
                let is_sent = |item: &&Fields| {
                    item.get(slug).is_some_and(|value| (*value == FieldValue::Empty) == cleared)
                };
                let about_form = cleared || words.contains(codec.refusal_word);
                if about_form && blamed.iter().any(is_sent) {
                    changed |= self.turn(shape, slug, cleared, codec, sent);
                }
            }
        }
        changed
    }

    /// Learns from a 2xx: what was sent in an item, and the record that the answer shows for it.
    pub(crate) fn answered(
        &self,
        shape: &RecordShape,
        item: &Fields,
        seen: &SeenRecord,
        sent: &Forms,
    ) {
        for (slug, value) in item.iter() {
            let Some(field) = shape.field(slug) else { continue };
            let cleared = *value == FieldValue::Empty;
            let codec = codec(&field.kind);
            if form_count(codec, cleared) < 2 {
                continue;
            }
            let shown = seen.fields.iter().find(|(name, _)| name == slug).map(|(_, value)| value);
            if shown == Some(value) {
                let form = sent.chosen(slug, value);
                let key = (shape.table.clone(), (slug.clone(), cleared));
                let _earlier = self.lock().insert(key, State { form, proved: true, turns: 0 });
            } else if cleared || shown == Some(&FieldValue::Empty) {
                // Taken, and nothing came of it.
                self.turn(shape, slug, cleared, codec, sent);
            }
        }
    }

    /// Goes to the next form; false if there is none or the form is not to blame.
    fn turn(
        &self,
        shape: &RecordShape,
        slug: &Slug,
        cleared: bool,
        codec: &Codec,
        sent: &Forms,
    ) -> bool {
        let count = form_count(codec, cleared);
        let place = (slug.clone(), cleared);
        let used = sent.0.get(&place).copied().unwrap_or(0);
        let mut states = self.lock();
        let state = states.entry((shape.table.clone(), place)).or_default();
        if state.form != used {
            return true; // Another call, or another complaint of this one, has turned already.
        }
        if count < 2 || state.proved || state.turns >= TURNS_MAX {
            return false;
        }
        state.form = (state.form + 1) % count;
        state.turns += 1;
        true
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, Place), State>> {
        // Nothing between lock and unlock can leave a half-made state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn form_count(codec: &Codec, cleared: bool) -> usize {
    if cleared { codec.clear.len() } else { codec.write.len() }
}
