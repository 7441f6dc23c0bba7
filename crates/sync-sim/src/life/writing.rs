//! What the application does to the database, and people to the records.

use serde_json::json;
use sync_core::port::Clock as _;

use super::Life;
use crate::{
    oracle::Place,
    plan::{Change, Edit, Fate},
    world::{AMOUNT_MAX, EXTERNAL_ID},
};

impl Life {
    pub(super) fn write(&mut self, change: Change) {
        match change {
            Change::Put { id, .. } | Change::Delete(id) | Change::Rekey(id, _) | Change::Begin(id, _)
                // Another transaction holds the row's lock.
                if self.transactions.contains_key(&id) => {}
            Change::Put { id, value, refused } => {
                let amount = if refused { AMOUNT_MAX + 1 } else { id };
                self.put(id, &named(id, value), amount);
            }
            Change::Delete(id) => self.delete(id),
            Change::Rekey(from, to) => {
                if let Some(row) = self.oracle.rows().get(&from).cloned() {
                    self.delete(from);
                    self.put(to, &row.name, row.amount);
                }
            }
            Change::Begin(id, value) => {
                self.transactions.insert(id, (self.world.database.begin(), value));
            }
            Change::Commit(id) => {
                if let Some((transaction, value)) = self.transactions.remove(&id) {
                    let name = named(id, value);
                    self.world.database.set_live(id);
                    self.world.database.commit_put(transaction, id, &name, id);
                    self.oracle.commits(id, &name, id, self.world.clock.now());
                }
            }
            Change::RollBack(id) => {
                if let Some((transaction, _)) = self.transactions.remove(&id) {
                    self.world.database.roll_back(transaction);
                }
            }
        }
    }

    pub(super) fn put(&mut self, id: i64, name: &str, amount: i64) {
        self.world.database.set_live(id);
        self.world.database.put(id, name, amount);
        self.oracle.commits(id, name, amount, self.now());
    }

    fn delete(&mut self, id: i64) {
        if self.setup.soft {
            self.world.database.set_deleted(id);
        } else {
            self.world.database.delete(id);
        }
        self.oracle.deletes(id, self.now());
    }

    /// A row changes unnoticed, and somebody asks for it to be read again.
    pub(super) fn resync(&mut self, id: i64, value: char) {
        let Some(row) = self.oracle.rows().get(&id).cloned() else { return };
        if self.transactions.contains_key(&id) {
            return;
        }
        let name = named(id, value);
        self.world.database.put_silently(id, &name);
        self.oracle.commits(id, &name, row.amount, self.now());
        if !self.mark(id) || self.is_fragile() {
            self.oracle.may_be_unnoticed(id);
        }
    }

    /// Whether a mark that was made now may be lost: marks are not safe from a power cut before the next call is.
    fn is_fragile(&self) -> bool {
        let fates = self.cast.actors.iter().map(|actor| actor.fate);
        fates.into_iter().any(|fate| matches!(fate, Fate::LosesPower(..)))
    }

    pub(super) fn edit(&mut self, edit: Edit) {
        let (Edit::Delete(id)
        | Edit::Copy(id)
        | Edit::Note(id)
        | Edit::Retitle(id)
        | Edit::Make(id)
        | Edit::Replace(id)) = edit;
        let key = id.to_string();
        if let Edit::Make(_) = edit {
            return self.make(&key);
        }
        let seen = self.seen(&self.world.definition.destination.table_id);
        let Some(found) = seen.iter().find(|record| record.keys.contains(&key)) else { return };
        let record = found.id.clone();
        match edit {
            Edit::Make(_) => {}
            Edit::Delete(_) => {
                self.world.person(&json!({"action": "delete", "record": record}));
                self.oracle.people_delete(&record);
                self.oracle.people_disturb(id, &record);
            }
            Edit::Replace(_) => {
                self.world.person(&json!({"action": "delete", "record": record}));
                self.oracle.people_delete(&record);
                let now = self.now();
                if self.cast.actors.is_empty() {
                    self.oracle.people_replace(id, &record, now);
                } else {
                    self.oracle.people_disturb(id, &record);
                }
                self.make(&key);
            }
            Edit::Copy(_) => {
                let copy = self.world.person(&json!({"action": "copy", "record": record}));
                let field = &self.world.definition.destination.external_id_field;
                let [first, other] = &found.keys;
                let held = if &**field == EXTERNAL_ID { first } else { other };
                let carries = *held == key;
                let copy = copy["id"].as_str().unwrap_or_default();
                self.made(copy, carries.then_some(key.as_str()));
            }
            Edit::Note(_) => {
                let values = json!({"snoteaaaaa": "seen"});
                self.world.person(&json!({"action": "update", "record": record, "values": values}));
                self.oracle.people_note(&record, "seen");
            }
            Edit::Retitle(_) => {
                let values = json!({"title": "theirs"});
                self.world.person(&json!({"action": "update", "record": record, "values": values}));
                self.oracle.people_disturb(id, &record);
            }
        }
    }
}

impl Life {
    /// People make a record with this key by hand.
    fn make(&mut self, key: &str) {
        let field = &self.world.definition.destination.external_id_field;
        let values = json!({"title": "theirs", field.as_str(): key});
        let made = self.world.person(&json!({"action": "create", "values": values}));
        self.made(made["id"].as_str().unwrap_or_default(), Some(key));
    }

    /// People made a record, with this key where the tool looks for it.
    fn made(&mut self, record: &str, key: Option<&str>) {
        self.oracle.people_make(record);
        if let (Some(key), true) = (key, self.cast.actors.is_empty()) {
            let destination = &self.world.definition.destination;
            let field = destination.external_id_field.as_str();
            let place = Place { table: &destination.table_id, field };
            self.oracle.is_made_at_rest(record, place, key, self.world.clock.now());
        }
    }
}

fn named(id: i64, value: char) -> String {
    format!("row {id} {value}")
}
