//! What must hold after every step, and when everything has come to rest.

use std::collections::BTreeMap;

use rusqlite::{Connection, types::ValueRef};
use sync_core::{
    draft::Fingerprint,
    record::RecordId,
    state::{Books, StateStore as _},
};

use super::{WORDS, machine::Machine};
use crate::fixture::draft;

/// What the state holds for a key, read with plain SQL.
#[derive(Debug, Default)]
struct Slots {
    /// By rising number: state and word.
    entries: Vec<(i64, String)>,
    link: Option<Link>,
    is_marked: bool,
}

#[derive(Debug)]
struct Link {
    record: RecordId,
    /// `None`: unknown.
    word: Option<String>,
    standing: i64,
}

/// The word that this is the fingerprint of.
fn word_of(print: Fingerprint) -> &'static str {
    WORDS.into_iter().find(|word| draft(word).fingerprint() == print).unwrap()
}

fn print(value: ValueRef<'_>) -> Option<Fingerprint> {
    value.as_blob().ok().map(|bytes| Fingerprint(bytes.try_into().unwrap()))
}

fn slots(sql: &Connection) -> BTreeMap<i64, Slots> {
    let mut slots: BTreeMap<i64, Slots> =
        Machine::keys().map(|key| (key, Slots::default())).collect();
    let mut select =
        sql.prepare("SELECT key, state, gone, fingerprint FROM outbox ORDER BY seq").unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let word = match print(row.get_ref(3).unwrap()) {
            Some(print) => word_of(print),
            None => "gone",
        };
        assert_eq!(row.get::<_, bool>(2).unwrap(), word == "gone");
        let entry = (row.get(1).unwrap(), word.to_owned());
        slots.get_mut(&row.get(0).unwrap()).unwrap().entries.push(entry);
    }
    let mut select =
        sql.prepare("SELECT key, lower(hex(record_id)), fingerprint, standing FROM links").unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let link = Link {
            record: RecordId(row.get(1).unwrap()),
            word: print(row.get_ref(2).unwrap()).map(|print| word_of(print).to_owned()),
            standing: row.get(3).unwrap(),
        };
        let earlier = slots.get_mut(&row.get(0).unwrap()).unwrap().link.replace(link);
        assert!(earlier.is_none(), "two links for one key");
    }
    let mut select = sql.prepare("SELECT key FROM dirty").unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        slots.get_mut(&row.get(0).unwrap()).unwrap().is_marked = true;
    }
    slots
}

/// At most one entry of each state; those of one key rise in number from sent to parked or waiting.
fn check_entries(held: &Slots) {
    for state in 0..3 {
        let count = held.entries.iter().filter(|(of, _)| *of == state).count();
        assert!(count <= 1, "{held:?}");
    }
    let sending = held.entries.iter().position(|(state, _)| *state == 1);
    assert!(sending.is_none_or(|at| at == 0), "what is sent is the oldest: {held:?}");
    assert!(held.entries.len() <= 2, "{held:?}");
}

impl Machine {
    /// What must hold after every step.
    pub(super) fn check(&mut self) {
        let slots = slots(&Connection::open(self.path()).unwrap());
        for (key, held) in &slots {
            check_entries(held);
            self.check_link(held);
            self.check_intention(*key, held);
            let records = self.service.of_key(*key);
            assert!(records.len() <= 1, "key {key} has several records: {records:?}");
            assert!(held.is_marked || !self.marked.contains(key), "the mark of {key} is lost");
        }
        self.check_position();
        self.check_books();
        self.check_runs();
    }

    /// What the link claims to know is true.
    fn check_link(&self, held: &Slots) {
        let Some(link) = &held.link else { return };
        if let (Some(claimed), Some(word)) = (&link.word, self.service.word_in(&link.record)) {
            assert_eq!(claimed, word, "{held:?}");
        }
    }

    /// The newest captured row is on its way, or parked, or delivered; or its key will be read again.
    fn check_intention(&self, key: i64, held: &Slots) {
        let Some(index) = self.captured.get(&key) else { return };
        let wanted = self.history[*index].1;
        if wanted == "absent" {
            return;
        }
        if let Some((_, newest)) = held.entries.last() {
            assert!(newest == wanted || held.is_marked, "wanted {wanted} for {key}: {held:?}");
            return;
        }
        let is_held = match &held.link {
            // 3: a person deleted the record, and it is left so.
            Some(link) if [0, 3].contains(&link.standing) => link.word.as_deref() == Some(wanted),
            None | Some(_) => wanted == "gone",
        };
        assert!(is_held || held.is_marked, "wanted {wanted} for {key}: {held:?}");
    }

    /// The position never passed a change that was not captured (C4).
    fn check_position(&mut self) {
        let position = self.position();
        for (index, (key, _)) in self.history.iter().enumerate().take(position) {
            let captured = self.captured.get(key);
            assert!(captured.is_some_and(|at| at >= &index), "change {index} was passed");
        }
    }

    fn check_books(&mut self) {
        let (waiting_after, quarantine) = self.store.backlog(&self.writer).unwrap();
        let books = Books { waiting_after, quarantine, ..self.books };
        assert!(books.rows_balance(), "{books:?}");
        assert!(books.entries_balance(), "{books:?}");
    }

    /// The run under way has its counts so far, and those whose process died balance with what they left.
    fn check_runs(&self) {
        let sql = Connection::open(self.path()).unwrap();
        let mut select =
            sql.prepare("SELECT status, books FROM runs ORDER BY id DESC LIMIT 2").unwrap();
        let runs: Vec<(String, Books)> = select
            .query_map([], |row| {
                Ok((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?).unwrap()))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let (newest, older) = runs.split_first().unwrap();
        assert_eq!(newest, &("running".to_owned(), self.books));
        for (status, books) in older {
            assert_eq!(status, "interrupted");
            assert!(books.rows_balance() && books.entries_balance(), "{books:?}");
        }
    }

    /// Both sides agree, and nothing is left over.
    pub(super) fn check_at_rest(&mut self) {
        let slots = slots(&Connection::open(self.path()).unwrap());
        for (key, held) in &slots {
            assert!(!held.is_marked, "{key}: {held:?}");
            let records = self.service.of_key(*key);
            let words: Vec<&str> = records.iter().map(|(_, word)| *word).collect();
            match self.source(*key) {
                None => assert_eq!(words, [""; 0], "{key}"),
                Some("absent") => assert_eq!(held.entries, [], "{key}"),
                Some("gone") => {
                    let kept = held.link.as_ref().is_some_and(|link| link.standing == 1);
                    assert!(words.is_empty() || kept, "{key}: {words:?}, {held:?}");
                    assert_eq!(held.entries, []);
                }
                Some(fault) if fault.starts_with("fault") => {
                    assert_eq!(held.entries, [(2, fault.to_owned())], "{key}");
                }
                Some(word) => {
                    // What a person deleted is noticed when its row changes, or not at all if it is to stay so.
                    let link = held.link.as_ref().unwrap();
                    let deleted = words.is_empty() && link.word.as_deref() == Some(word);
                    assert!(words == [word] || deleted, "{key}: {words:?}, {held:?}");
                    assert_eq!(held.entries, [], "{key}");
                }
            }
        }
    }
}
