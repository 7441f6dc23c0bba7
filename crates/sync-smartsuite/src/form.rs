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
            let Some(field) = shape.written_field(slug) else { continue };
            let codec = codec(&field.kind);
            let blamed = match complaint.item {
                Some(item) => items.get(item..=item).unwrap_or_default(),
                None => items,
            };
            let words = complaint.message.0.to_lowercase();
            for cleared in [false, true] {
                let is_sent = |item: &&Fields| {
                    item.written(slug).is_some_and(|value| (*value == FieldValue::Empty) == cleared)
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

    /// Learns from a 2xx that passed over an item in silence: perhaps its form was wrong. True if the item would now
    /// be written differently.
    pub(crate) fn passed_over(&self, shape: &RecordShape, item: &Fields, sent: &Forms) -> bool {
        let mut changed = false;
        for (slug, value) in item.iter() {
            let Some(field) = shape.field(slug) else { continue };
            let cleared = *value == FieldValue::Empty;
            changed |= self.turn(shape, slug, cleared, codec(&field.kind), sent);
        }
        changed
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

#[cfg(test)]
mod tests {
    use sync_core::{error::Quoted, record::RecordId};

    use super::*;
    use crate::wire::shape_of;

    /// A table with a date, as one service takes it, and what the client learns of it.
    struct World {
        memory: FormMemory,
        shape: RecordShape,
        /// The form that this service takes for dates; `None`: all.
        takes: Option<usize>,
    }

    impl World {
        fn new(takes: Option<usize>) -> Self {
            let shape = shape_of(&[("sext", "textfield"), ("sdate", "datefield")]);
            Self { memory: FormMemory::default(), shape, takes }
        }

        /// Sends items, of which the ones at `bad` hold a value that no form makes good; the hint, or nothing if
        /// the service took them.
        fn send(&self, items: &[Fields], bad: &[usize]) -> Option<bool> {
            let forms = self.memory.forms("t1");
            let refs: Vec<&Fields> = items.iter().collect();
            let wrong = |at: &usize| {
                let value = items[*at].get("sdate").unwrap();
                let form = forms.chosen(&Slug::from("sdate"), value);
                bad.contains(at) || self.takes.is_some_and(|takes| takes != form)
            };
            let complaints: Vec<_> = (0..items.len())
                .filter(wrong)
                .map(|item| complaint(item, "can't be converted to date"))
                .collect();
            if !complaints.is_empty() {
                return Some(self.memory.refused(&self.shape, &refs, &forms, &complaints));
            }
            for item in items {
                self.memory.answered(&self.shape, item, &seen(item), &forms);
            }
            None
        }
    }

    fn complaint(item: usize, words: &str) -> Complaint {
        let message = Quoted(words.to_owned());
        Complaint { item: Some(item), slug: Some("sdate".into()), message }
    }

    fn dated() -> Fields {
        let at = "2025-05-30T08:00:00Z".parse().unwrap();
        let date = FieldValue::Date { at, include_time: true };
        Fields::new(vec![("sext".into(), FieldValue::text("k")), ("sdate".into(), date)])
    }

    fn cleared() -> Fields {
        Fields::new(vec![("sdate".into(), FieldValue::Empty)])
    }

    fn seen(item: &Fields) -> SeenRecord {
        SeenRecord {
            id: RecordId("r".to_owned()),
            external_id: None,
            autonumber: None,
            created_by: None,
            updated_by: None,
            is_as_made: false,
            fields: item.iter().map(|(slug, value)| (slug.clone(), value.clone())).collect(),
            empty: Vec::new(),
        }
    }

    #[test]
    fn a_refused_form_gives_way_to_the_next_and_a_proved_one_stays() {
        let world = World::new(Some(1));
        assert_eq!(world.send(&[dated()], &[]), Some(true), "refused, and worth sending again");
        assert_eq!(world.send(&[dated()], &[]), None, "the other form is taken");
        assert_eq!(world.send(&[dated()], &[0]), Some(false), "now the value is to blame");
        assert_eq!(world.send(&[dated()], &[]), None);
    }

    #[test]
    fn a_form_that_was_taken_is_never_blamed() {
        let world = World::new(Some(0));
        assert_eq!(world.send(&[dated()], &[]), None);
        assert_eq!(world.send(&[dated()], &[0]), Some(false));
        assert_eq!(world.send(&[dated()], &[]), None);
    }

    #[test]
    fn a_bad_value_in_the_first_batch_does_not_settle_on_the_wrong_form() {
        for takes in [Some(0), Some(1), None] {
            let world = World::new(takes);
            let batch: Vec<Fields> = std::iter::repeat_with(dated).take(4).collect();
            // As the engine does: again once while the hint says so, then in halves down to the bad one.
            let mut parts = vec![(0..4_usize).collect::<Vec<_>>()];
            let mut blamed = Vec::new();
            while let Some(part) = parts.pop() {
                let items: Vec<Fields> = part.iter().map(|&at| batch[at].clone()).collect();
                let bad: Vec<usize> = (0..part.len()).filter(|&at| part[at] == 2).collect();
                let mut hint = world.send(&items, &bad);
                if hint == Some(true) {
                    hint = world.send(&items, &bad);
                }
                match (hint, part.split_at(part.len() / 2)) {
                    (None, _) => {}
                    (Some(_), ([], only)) => blamed.extend_from_slice(only),
                    (Some(_), (left, right)) => parts.extend([right.to_vec(), left.to_vec()]),
                }
            }
            assert_eq!(blamed, [2], "{takes:?}");
        }
    }

    #[test]
    fn without_a_proof_the_turns_end() {
        let world = World::new(Some(9));
        let hints = std::iter::repeat_with(|| world.send(&[dated()], &[])).take(20);
        assert_eq!(hints.filter(|hint| *hint == Some(true)).count(), usize::from(TURNS_MAX));
    }

    #[test]
    fn words_about_something_else_do_not_change_the_form() {
        let world = World::new(None);
        let item = dated();
        let other = [complaint(0, "This field may not exceed 5 entries.")];
        let forms = Forms::default();
        assert!(!world.memory.refused(&world.shape, &[&item], &forms, &other));
        let unnamed = [Complaint { slug: None, ..complaint(0, "no date") }];
        assert!(!world.memory.refused(&world.shape, &[&item], &forms, &unnamed));
        let elsewhere = [complaint(7, "no date")];
        assert!(!world.memory.refused(&world.shape, &[&item], &forms, &elsewhere));
    }

    #[test]
    fn clearing_has_forms_of_its_own() {
        let world = World::new(None);
        let item = cleared();
        let words = [complaint(0, "This field may not be null.")];
        assert!(world.memory.refused(&world.shape, &[&item], &Forms::default(), &words));
        let forms = world.memory.forms("t1");
        assert_eq!(forms.chosen(&"sdate".into(), &FieldValue::Empty), 1);
        assert_eq!(forms.chosen(&"sdate".into(), dated().get("sdate").unwrap()), 0);
        assert_eq!(world.memory.forms("t2").chosen(&"sdate".into(), &FieldValue::Empty), 0);
    }

    #[test]
    fn a_value_that_was_taken_and_lost_turns_the_form() {
        let world = World::new(None);
        let (item, forms) = (dated(), Forms::default());
        world.memory.answered(&world.shape, &item, &seen(&cleared()), &forms);
        assert_eq!(world.memory.forms("t1").chosen(&"sdate".into(), item.get("sdate").unwrap()), 1);
    }

    #[test]
    fn an_item_passed_over_turns_only_what_is_not_proved() {
        let world = World::new(None);
        let (item, forms) = (dated(), Forms::default());
        assert!(world.memory.passed_over(&world.shape, &item, &forms));
        assert_eq!(world.send(&[dated()], &[]), None);
        let forms = world.memory.forms("t1");
        assert!(!world.memory.passed_over(&world.shape, &item, &forms));
    }

    #[test]
    fn of_two_overlapping_calls_only_one_turns_the_form() {
        let world = World::new(Some(1));
        let item = dated();
        let (one, two) = (world.memory.forms("t1"), world.memory.forms("t1"));
        let words = [complaint(0, "no date")];
        assert!(world.memory.refused(&world.shape, &[&item], &one, &words));
        assert!(world.memory.refused(&world.shape, &[&item], &two, &words));
        assert_eq!(world.send(&[dated()], &[]), None, "the form has turned once, not back");
    }
}
