//! The oracle: what SmartSuite must hold, said as plainly as possible. It knows what was committed to the database and
//! what people did, looks at the service's tables and its log of requests, and shares nothing with the program.

mod departures;
mod theirs;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use smartsuite_emulator::{LogEntry, RouteKind};

pub use self::theirs::Place;
use self::{
    departures::{Departure, Departures, Going},
    theirs::Theirs,
};
use crate::{
    plan::Gone,
    world::{AMOUNT, AMOUNT_MAX, ARCHIVED, EXTERNAL_ID, NOTE, OTHER_EXTERNAL_ID},
};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// In a word.
    pub what: What,
    /// In a sentence.
    pub text: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Two records carry one key, and people made neither.
    Twins,
    /// More calls in a second than allowed, or a 429 that was earned.
    TooFast,
    /// Two processes hold one sync, or one that was replaced still writes.
    TwoHolders,
    /// A process found the sync busy though nobody had it.
    BusyForNobody,
    /// A record was deleted that the tool did not create.
    ForeignDelete,
    /// A record was deleted or archived though its row was there.
    UnwantedDelete,
    /// More records went at once than may without a yes.
    TooManyDeletes,
    /// A record outlived its row.
    Ghost,
    /// What people wrote into a field of their own is gone.
    PeoplesWork,
    /// The books of a run do not balance.
    Unbalanced,
    /// The state failed.
    StateFailed,
    /// Other key columns were accepted.
    KeyChangeAccepted,
    /// A record is not what its row says.
    NotRight,
    /// A row that cannot be delivered is not in quarantine, or one that can be is.
    Quarantine,
    /// A process does not come to its end.
    Endless,
    /// No success though nothing fails any more.
    NoSuccess,
    /// A run in which nothing changed made a call.
    WastedCall,
    /// A run cost more calls than its work asks for.
    TooCostly,
}

/// Says that something is wrong.
pub fn wrong<T>(what: What, text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { what, text: text.into() })
}

/// One live record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// What its two key fields hold.
    pub keys: [String; 2],
    /// Its title.
    pub title: String,
    /// Its amount.
    pub amount: String,
    /// What people wrote.
    pub note: String,
    /// What says that its row is gone.
    pub archived: String,
}

impl Seen {
    /// A record as the service shows it.
    pub fn of(record: &Json) -> Self {
        let text = |slug: &str| match &record[slug] {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        Self {
            id: text("id"),
            keys: [text(EXTERNAL_ID), text(OTHER_EXTERNAL_ID)],
            title: text("title"),
            amount: text(AMOUNT),
            note: text(NOTE),
            archived: text(ARCHIVED),
        }
    }

    fn carries(&self, key: &str) -> bool {
        self.keys.iter().any(|own| own == key)
    }
}

/// What the records of rows hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The amount.
    pub amount: bool,
    /// The title is the amount too, instead of the name.
    pub title_is_amount: bool,
}

/// A committed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueRow {
    /// Its name, which becomes the title.
    pub name: String,
    /// Its amount.
    pub amount: i64,
}

/// What is true.
#[derive(Debug, Default)]
pub struct Oracle {
    rows: BTreeMap<i64, TrueRow>,
    /// Records that people made or wrote to.
    peoples: BTreeSet<String>,
    /// Records that people made.
    made_by_people: BTreeSet<String>,
    notes: BTreeMap<String, String>,
    /// Rows whose records people changed or deleted: nothing notices before the row changes.
    disturbed: BTreeSet<i64>,
    /// Arrivals of the last calls.
    arrivals: Vec<Timestamp>,
    /// Calls that left before this may arrive beside those of who came next.
    counts_from: Option<Timestamp>,
    /// Until then a 429 is nobody's fault.
    lenient_until: Option<Timestamp>,
    /// When the service last answered 429.
    refused_at: Option<Timestamp>,
    /// When a process died, stood still or found the disk full: what it had just been answered may be lost.
    shocks: Vec<Timestamp>,
    /// When the last call left.
    left_at: Option<Timestamp>,
    /// What is known of rows and records that went.
    departures: Departures,
    /// What people made; only where no record goes with its row, as the copy of one that went is known to nobody.
    theirs: Option<Theirs>,
}

/// The service's documented limit.
const CALLS_A_SECOND: usize = 5;
/// Two calls leave at least so far from each other: half of what is between two departures, as a later one is missed.
const APART: SignedDuration = SignedDuration::from_millis(125);
/// How long a call may be on its way.
const ON_THE_WAY: SignedDuration = SignedDuration::from_millis(200);
/// After a 429 no call may arrive between these: those that were under way have arrived, and the pause is not over.
const PAUSE: std::ops::Range<SignedDuration> =
    SignedDuration::from_secs(3)..SignedDuration::from_secs(29);
/// How long before a 429 the process may have died that would have heard it.
const UNHEARD: SignedDuration = SignedDuration::from_secs(2);
/// How long the service keeps refusing after a 429, and a little.
const LOCKOUT: SignedDuration = SignedDuration::from_secs(35);

/// What a request asks for, an item for each record. One record may go by itself, where a call for many gets no answer.
fn items(entry: &LogEntry) -> Vec<Json> {
    let mut body: Json =
        serde_json::from_str(entry.body.as_deref().unwrap_or_default()).unwrap_or_default();
    match entry.route {
        RouteKind::Create => vec![body],
        RouteKind::Update => {
            let record = entry.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            body["id"] = record.into();
            vec![body]
        }
        _ => body["items"].as_array_mut().map(std::mem::take).unwrap_or_default(),
    }
}

impl Oracle {
    /// One of a world where this becomes of records whose rows are gone.
    pub fn new(gone: Gone, dedicated: bool) -> Self {
        Self {
            departures: Departures::new(gone, dedicated),
            theirs: (gone == Gone::Stay).then(Theirs::default),
            ..Self::default()
        }
    }

    /// A row was committed.
    pub fn commits(&mut self, id: i64, name: &str, amount: i64, now: Timestamp) {
        self.departures.comes(id, now);
        self.rows.insert(id, TrueRow { name: name.to_owned(), amount });
    }

    /// A row was deleted.
    pub fn deletes(&mut self, id: i64, now: Timestamp) {
        if self.rows.remove(&id).is_some() {
            self.departures.goes(id, now);
        }
    }

    /// A run begins; `allowed`: any number of records may go in it; `after_death`: the one before was cut short.
    pub fn run_begins(&mut self, now: Timestamp, allowed: bool, after_death: bool) {
        self.departures.run_begins(now, allowed, after_death);
    }

    /// These records are there.
    pub fn learns(&mut self, records: &[Seen]) {
        self.departures.learns(records);
    }

    /// The state does not know any more who made which record.
    pub fn state_forgets(&mut self) {
        self.departures.is_certain = Some(false);
    }

    /// Creates were answered before anything went wrong: the state knows who its member is.
    pub fn state_knows_its_member(&mut self) {
        self.departures.is_certain.get_or_insert(true);
    }

    /// Records whose rows are gone.
    pub fn ghosts(&self, records: &[Seen]) -> u64 {
        records.iter().filter(|record| self.is_ghost(record)).count() as u64
    }

    fn is_ghost(&self, record: &Seen) -> bool {
        let keys = record.keys.iter().filter_map(|key| key.parse::<i64>().ok());
        let mut ids = keys.peekable();
        ids.peek().is_some() && ids.all(|id| !self.rows.contains_key(&id))
    }

    /// The committed rows.
    pub fn rows(&self) -> &BTreeMap<i64, TrueRow> {
        &self.rows
    }

    /// A process begins; `is_alone`: no other lives.
    pub fn process_begins(&mut self, now: Timestamp, is_alone: bool) {
        let shocked_at = self.shocks.last().copied();
        let Some(theirs) = &mut self.theirs else { return };
        let unseen = theirs.process_begins(now, is_alone, shocked_at);
        self.disturbed.extend(unseen);
    }

    /// People made a record.
    pub fn people_make(&mut self, record: &str) {
        self.peoples.insert(record.to_owned());
        self.made_by_people.insert(record.to_owned());
    }

    /// That record carries this key, and no process lives.
    pub fn is_made_at_rest(&mut self, record: &str, place: Place<'_>, key: &str, now: Timestamp) {
        if let Some(theirs) = &mut self.theirs {
            theirs.make(record, place, key, now);
        }
    }

    /// People deleted a row's record and made another, while no process lived.
    pub fn people_replace(&mut self, id: i64, record: &str, now: Timestamp) {
        self.peoples.insert(record.to_owned());
        match &mut self.theirs {
            Some(theirs) => theirs.replace(id, now),
            None => self.may_be_unnoticed(id),
        }
    }

    /// People deleted a record.
    pub fn people_delete(&mut self, record: &str) {
        if let Some(theirs) = &mut self.theirs {
            theirs.forget(record);
        }
    }

    /// Rows whose records people replaced: they are found when something is created next, and looked at an hour after
    /// the last call for them at the latest.
    pub fn replaced(&self) -> BTreeSet<i64> {
        self.theirs.iter().flat_map(Theirs::replaced).collect()
    }

    /// People wrote a note into a record.
    pub fn people_note(&mut self, record: &str, note: &str) {
        self.peoples.insert(record.to_owned());
        self.notes.insert(record.to_owned(), note.to_owned());
    }

    /// People changed what the tool wrote, or deleted its record.
    pub fn people_disturb(&mut self, id: i64, record: &str) {
        self.peoples.insert(record.to_owned());
        self.disturbed.insert(id);
    }

    /// A change that nothing announces may have been forgotten.
    pub fn may_be_unnoticed(&mut self, id: i64) {
        self.disturbed.insert(id);
    }

    /// Rows that must change before their records can be right; and how many records people changed or deleted.
    pub fn take_disturbed(&mut self) -> (Vec<i64>, u64) {
        let rows = std::mem::take(&mut self.disturbed);
        let touched = rows.len() as u64;
        (rows.into_iter().filter(|id| self.rows.contains_key(id)).collect(), touched)
    }

    /// The gate's memory is lost: with the state, or by a power cut. Who comes next may meet the calls of who was
    /// there before.
    pub fn gate_forgets(&mut self, now: Timestamp) {
        self.shock(now);
        self.arrivals.clear();
        self.counts_from = now.saturating_add(ON_THE_WAY).ok();
        self.is_lenient(now);
    }

    /// A process died, stood still or found the disk full.
    pub fn shock(&mut self, now: Timestamp) {
        self.shocks.push(now);
    }

    /// After a 429 everything pauses, unless nobody may know of it.
    fn sees_pause(&mut self, entry: &LogEntry, at: Timestamp) -> Result<(), Wrong> {
        if let Some(refused_at) = self.refused_at
            && PAUSE.contains(&at.duration_since(refused_at))
            && !self.shocks.iter().any(|shock| {
                (refused_at.saturating_sub(UNHEARD).unwrap_or(refused_at)..=at).contains(shock)
            })
        {
            let text = format!("a call at {} although a 429 came at {refused_at}", entry.at);
            return wrong(What::TooFast, text);
        }
        if entry.status == 429 {
            self.refused_at = Some(at);
        }
        Ok(())
    }

    fn is_lenient(&mut self, now: Timestamp) {
        let until = now.saturating_add(LOCKOUT).unwrap_or(now);
        self.lenient_until = self.lenient_until.max(Some(until));
    }

    /// A call leaves.
    pub fn sees_leaving(&mut self, at: Timestamp) -> Result<(), Wrong> {
        let Some(before) = self.left_at.replace(at) else { return Ok(()) };
        let from = before.saturating_sub(UNHEARD).unwrap_or(before);
        let is_excused = self.counts_from.is_some_and(|counts_from| before < counts_from)
            || self.shocks.iter().any(|shock| (from..=at).contains(shock));
        let gap = at.duration_since(before);
        if gap < APART && !is_excused {
            return wrong(What::TooFast, format!("calls left at {before} and {at}"));
        }
        Ok(())
    }

    /// Looks at the requests since the last look; `missed` answers how many reads had passed over a row by then.
    pub fn sees_requests(
        &mut self,
        log: &[LogEntry],
        missed: impl Fn(i64, Timestamp, Timestamp) -> usize,
    ) -> Result<(), Wrong> {
        for entry in log {
            let at: Timestamp = entry.at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
            self.sees_pause(entry, at)?;
            if entry.status == 429 {
                let earned =
                    entry.fault.is_none() && self.lenient_until.is_none_or(|until| at > until);
                if earned {
                    return wrong(What::TooFast, format!("a 429 at {}", entry.at));
                }
                self.is_lenient(at);
            }
            if self.counts_from.is_none_or(|from| at >= from) {
                self.arrivals.push(at);
            }
            if self.arrivals.len() > CALLS_A_SECOND {
                let first = self.arrivals.remove(0);
                if at.duration_since(first) < SignedDuration::from_secs(1) {
                    return wrong(What::TooFast, format!("six calls in a second at {}", entry.at));
                }
            }
            self.sees_departures(entry, at, &missed)?;
            if let Some(theirs) = &self.theirs {
                theirs.sees(entry, at)?;
            }
        }
        Ok(())
    }

    /// Only records whose rows are gone may go, and those that are one too many; nothing of people's unless the sync
    /// says so.
    fn sees_departures(
        &mut self,
        entry: &LogEntry,
        at: Timestamp,
        missed: &impl Fn(i64, Timestamp, Timestamp) -> usize,
    ) -> Result<(), Wrong> {
        for item in items(entry) {
            let (record, departure) = match entry.route {
                RouteKind::BulkDelete => (item.as_str(), Departure::Delete),
                RouteKind::BulkUpdate | RouteKind::Update if item[ARCHIVED] == "gone" => {
                    (item["id"].as_str(), Departure::Archive)
                }
                _ => continue,
            };
            let record = record.unwrap_or_default();
            let going = Going {
                record,
                departure,
                at,
                touched: self.peoples.contains(record),
                made_by_people: self.made_by_people.contains(record),
            };
            self.departures.sees(&going, missed)?;
        }
        Ok(())
    }

    /// Looks at one table, which may be looked at at any time.
    pub fn sees_table(&self, records: &[Seen]) -> Result<(), Wrong> {
        let mut ours: BTreeMap<&str, &str> = BTreeMap::new();
        for record in records.iter().filter(|record| !self.made_by_people.contains(&record.id)) {
            let keys: BTreeSet<&str> =
                record.keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
            for key in keys {
                if let Some(other) = ours.insert(key, &record.id) {
                    let text = format!("records {other} and {} carry the key {key}", record.id);
                    return wrong(What::Twins, text);
                }
            }
        }
        Ok(())
    }

    /// What people wrote into their own field is still there.
    pub fn sees_notes(&self, records: &[Seen]) -> Result<(), Wrong> {
        for record in records {
            if let Some(note) = self.notes.get(&record.id)
                && *note != record.note
            {
                let text = format!("the note of record {} is now `{}`", record.id, record.note);
                return wrong(What::PeoplesWork, text);
            }
        }
        Ok(())
    }

    /// Rows that the service refuses.
    pub fn refused(&self, amount_is_mapped: bool) -> BTreeSet<String> {
        let refused =
            self.rows.iter().filter(|(_, row)| amount_is_mapped && row.amount > AMOUNT_MAX);
        refused.map(|(id, _)| id.to_string()).collect()
    }

    /// Looks at the table that the sync writes, at the end: every row has its record with its values, and those that
    /// the service refuses are in quarantine.
    pub fn sees_the_end(
        &self,
        records: &[Seen],
        quarantine: &BTreeSet<String>,
        mapped: Mapped,
        but: &BTreeSet<i64>,
    ) -> Result<(), Wrong> {
        let amount_is_mapped = mapped.amount;
        let refused = self.refused(amount_is_mapped);
        if *quarantine != refused {
            let text = format!("in quarantine are {quarantine:?} and should be {refused:?}");
            return wrong(What::Quarantine, text);
        }
        let judged_rows = self.rows.iter().filter(|(id, _)| !but.contains(id));
        for (id, row) in judged_rows.filter(|(id, _)| !refused.contains(&id.to_string())) {
            let key = id.to_string();
            let title =
                if mapped.title_is_amount { row.amount.to_string() } else { row.name.clone() };
            let is_right = |record: &&Seen| -> bool {
                record.title == title
                    && record.archived.is_empty()
                    && (!amount_is_mapped || record.amount == row.amount.to_string())
            };
            let (peoples, ours): (Vec<&Seen>, Vec<&Seen>) = records
                .iter()
                .filter(|record| record.carries(&key))
                .partition(|record| self.made_by_people.contains(&record.id));
            let ours_are_right = ours.iter().any(is_right);
            // Where people's record took the place of one that they deleted, it is the one that is written. And who lost
            // the state does not know whose it finds.
            let may_be_theirs = ours.is_empty() || self.departures.is_certain == Some(false);
            let right = ours_are_right || may_be_theirs && peoples.iter().any(is_right);
            if !right {
                let text =
                    format!("row {key} is {row:?}; its records are {ours:?}, people's {peoples:?}");
                return wrong(What::NotRight, text);
            }
        }
        // What people wrote to may be one too many, which stays.
        let untouched = records.iter().filter(|record| !self.peoples.contains(&record.id));
        for record in untouched.filter(|record| self.is_ghost(record)) {
            if self.departures.must_be_gone(record, &self.made_by_people) {
                return wrong(What::Ghost, format!("{record:?} has no row"));
            }
        }
        Ok(())
    }
}
