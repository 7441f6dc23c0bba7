//! What an answer means for each entry of its call. Pure: from a call and its answer to settlements.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use sync_core::{
    delivery::Operation,
    doubt::SETTLING,
    error::{CallError, CallErrorKind, Complaint, Quoted, Scope},
    field_value::FieldValue,
    mutation::{self, Mutation},
    port::{BulkAnswer, RecordShape},
    record::{RecordId, SeenRecord},
    silence,
    slug::Slug,
    state::{Call, CallEntry, EntryId, Fault, Outcome, Settlement},
    table::{Field, FieldKind},
};

use crate::record_text::external_id_of;

/// How long entries wait that a passing failure gave back.
const BACK_OFF: Duration = Duration::from_secs(1);
/// An item whose call was answered this often without naming it is no accident.
pub(super) const UNNAMED_MAX: u32 = 3;

/// The answer to a bulk call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To a create or update.
    Written(Result<BulkAnswer, CallError>),
    /// To a delete.
    Deleted(Result<Vec<RecordId>, CallError>),
}

/// A call with its answer read.
#[derive(Debug, Default)]
pub(crate) struct Landing {
    /// What became of each entry, except those in `unnamed` and `undeleted`.
    pub(crate) settlements: Vec<Settlement>,
    /// Entries of an update whose record the answer left out, with what it says against them: the record may be gone.
    pub(crate) unnamed: Vec<(CallEntry, Option<Fault>)>,
    /// Entries of a delete whose record the answer left out.
    pub(crate) undeleted: Vec<CallEntry>,
    /// Entries that were written.
    pub(crate) accepted: Vec<EntryId>,
    /// Entries that the answer itself blames, with the code. A create is refused only once a look-up finds nothing,
    /// but the breaker should not wait for that.
    pub(crate) blamed: Vec<(EntryId, String)>,
    /// The faults of those that are refused now.
    pub(crate) refused: Vec<Fault>,
    /// The call was refused for its content.
    pub(crate) split: bool,
    /// Of several records that were to be changed some are gone; the answer does not say which.
    pub(crate) some_gone: bool,
    /// The call was refused for its size.
    pub(crate) too_large: bool,
    /// A refusal named one of our fields, so the table's structure may have changed.
    pub(crate) names_field: bool,
    /// The answer shows nothing in a field that was sent a value: the field, or a choice of it, may be gone.
    pub(crate) shows_nothing: bool,
    /// A failure that is not about rows.
    pub(crate) failure: Option<CallError>,
    /// The member who created the records.
    pub(crate) member: Option<String>,
    /// Fields that the service keeps otherwise than they were sent, with the number of records.
    pub(crate) kept_otherwise: BTreeMap<Slug, u64>,
    /// Entries whose record was seen to have empty fields of `write: if_empty`: they are sent once more, with these.
    pub(crate) fills: Vec<(EntryId, Vec<Slug>)>,
}

/// Reads the answer to a call.
pub(crate) fn land(reading: &Reading<'_>, answer: Answer) -> Landing {
    match (reading.call.operation, answer) {
        (Operation::Create, Answer::Written(Ok(answer))) => reading.created(&answer),
        (_, Answer::Written(Ok(answer))) => reading.updated(&answer),
        (_, Answer::Deleted(Ok(named))) => reading.deleted(&named),
        (_, Answer::Written(Err(error)) | Answer::Deleted(Err(error))) => reading.failed(error),
    }
}

/// What is to be known of a call to read its answer.
pub(crate) struct Reading<'a> {
    pub(crate) call: &'a Call,
    /// The empty fields that it filled.
    pub(crate) filled: &'a BTreeMap<EntryId, Vec<Slug>>,
    pub(crate) shape: &'a RecordShape,
    pub(crate) left_at: Timestamp,
    pub(crate) now: Timestamp,
    /// Whether it is split if it goes unanswered once more ([`silence`]).
    pub(crate) may_split: bool,
    /// Whether another write of this delivery was answered.
    pub(crate) any_answered: bool,
}

impl Reading<'_> {
    /// A create is settled by its external id alone; what the answer does not name is in doubt (D3).
    fn created(&self, answer: &BulkAnswer) -> Landing {
        let mut landing = Landing::default();
        let named: BTreeMap<&str, _> = answer
            .records
            .iter()
            .rev()
            .filter_map(|record| Some((record.external_id.as_deref()?, record)))
            .collect();
        for (item, entry) in self.call.entries.iter().enumerate() {
            let id = external_id_of(&entry.fields, &self.shape.external_id.slug);
            if let Some(record) = named.get(id.as_str()) {
                landing.member = landing.member.take().or_else(|| record.created_by.clone());
                landing.shows_nothing |= self.shows_nothing(entry, record);
                landing.accept(entry, record, self.written(entry, record));
            } else {
                let complaint =
                    complaint_of(item, &answer.complaints).filter(|_| !answer.retry_as_is);
                let fault = complaint
                    .map(|complaint| self.fault(CallErrorKind::Refused { status: 200 }, complaint))
                    .or_else(|| (entry.attempts >= UNNAMED_MAX).then(unconfirmed));
                landing.blamed.extend(fault.as_ref().map(|fault| (entry.id, fault.code.clone())));
                if mutation::is_on(Mutation::UnnamedRepeated) {
                    landing.settle(entry, self.back(None, Duration::ZERO));
                    continue;
                }
                landing.settle(entry, self.in_doubt(true, None, fault));
            }
        }
        landing
    }

    /// Links that the answer does not show may lead to records that are gone. A field that it does not show at all
    /// says nothing.
    fn written(&self, entry: &CallEntry, record: &SeenRecord) -> Outcome {
        let left_out = |field: &Field| {
            let Some(FieldValue::Ids(sent)) = entry.fields.get(&field.slug) else { return None };
            let (_, shown) = record.fields.iter().find(|(slug, _)| *slug == field.slug)?;
            let missing: BTreeSet<String> = match shown {
                FieldValue::Ids(shown) => sent.difference(shown).cloned().collect(),
                _ => sent.clone(),
            };
            (!missing.is_empty()).then(|| (field.slug.clone(), missing))
        };
        let links = self.shape.fields.iter().filter(|field| field.kind == FieldKind::LinkedRecord);
        let left_out: Vec<_> = links.filter_map(left_out).collect();
        let (record, autonumber) = (record.id.clone(), record.autonumber);
        if left_out.is_empty() {
            Outcome::Written { record, autonumber }
        } else {
            Outcome::WrittenOtherwise { record, autonumber, left_out }
        }
    }

    /// Whether the answer shows nothing in a field that was sent a value. Links are judged by themselves.
    fn shows_nothing(&self, entry: &CallEntry, record: &SeenRecord) -> bool {
        let is_link = |slug: &Slug| {
            self.shape.field(slug).is_some_and(|field| field.kind == FieldKind::LinkedRecord)
        };
        record.fields.iter().any(|(slug, shown)| {
            let sent = entry.fields.get(slug).unwrap_or(&FieldValue::Empty);
            *shown == FieldValue::Empty && *sent != FieldValue::Empty && !is_link(slug)
        })
    }

    fn updated(&self, answer: &BulkAnswer) -> Landing {
        let mut landing = Landing::default();
        for (item, entry) in self.call.entries.iter().enumerate() {
            let named =
                answer.records.iter().find(|record| Some(&record.id) == entry.record.as_ref());
            let complaint = complaint_of(item, &answer.complaints);
            match (named, complaint) {
                (Some(record), _) => {
                    landing.accepted.push(entry.id);
                    landing.shows_nothing |= self.shows_nothing(entry, record);
                    let empty = self.to_fill(entry, record);
                    if empty.is_empty() {
                        landing.settle(entry, self.written(entry, record));
                    } else {
                        landing.fills.push((entry.id, empty));
                        landing.settle(entry, self.back(None, Duration::ZERO));
                    }
                }
                (None, Some(complaint)) if !answer.retry_as_is => {
                    let fault = self.fault(CallErrorKind::Refused { status: 200 }, complaint);
                    landing.blame(entry, fault);
                }
                (None, Some(_)) => landing.settle(entry, self.back(None, Duration::ZERO)),
                (None, None) if entry.attempts >= UNNAMED_MAX => {
                    landing.refuse(entry, unconfirmed());
                }
                (None, None) => landing.unnamed.push((entry.clone(), None)),
            }
        }
        landing
    }

    /// Fields that the answer shows empty and that the entry has a value for; none where it has just filled them.
    fn to_fill(&self, entry: &CallEntry, record: &SeenRecord) -> Vec<Slug> {
        if self.call.operation != Operation::Update || self.filled.contains_key(&entry.id) {
            return Vec::new();
        }
        let empty = entry.fields.if_empty().filter(|(slug, _)| record.empty.contains(slug));
        empty.map(|(slug, _)| slug.clone()).collect()
    }

    /// What a delete's answer names is deleted. What it leaves out was not there before, or is there still.
    fn deleted(&self, named: &[RecordId]) -> Landing {
        let mut landing = Landing::default();
        for entry in &self.call.entries {
            if entry.record.as_ref().is_some_and(|record| named.contains(record)) {
                landing.accepted.push(entry.id);
                landing.settle(entry, Outcome::Deleted);
            } else {
                landing.undeleted.push(entry.clone());
            }
        }
        landing
    }

    fn failed(&self, error: CallError) -> Landing {
        match error.kind {
            CallErrorKind::Refused { .. } => self.refused(&error),
            CallErrorKind::NotFound if self.call.operation != Operation::Create => self.not_found(),
            kind => {
                let mut landing = Landing::default();
                for (item, entry) in self.call.entries.iter().enumerate() {
                    match (kind.is_answered(), self.call.operation) {
                        // What there was room for may have been made.
                        (true, Operation::Create) if kind.is_about_adding() => {
                            landing.settle(entry, self.in_doubt(true, None, None));
                        }
                        (true, _) => landing.settle(entry, self.back(None, BACK_OFF)),
                        _ if mutation::is_on(Mutation::UnansweredRepeated) => {
                            landing.settle(entry, self.back(None, BACK_OFF));
                        }
                        (false, _) => self.unanswered(&mut landing, kind, item, entry),
                    }
                }
                landing.failure = Some(error);
                landing
            }
        }
    }

    /// Nobody knows what became of it. What went unanswered before is sent in parts next; a row that stands alone time
    /// after time is what the service stumbles over.
    fn unanswered(
        &self,
        landing: &mut Landing,
        kind: CallErrorKind,
        item: usize,
        entry: &CallEntry,
    ) {
        let items = self.call.entries.len();
        let again = self.call.entries.iter().any(|entry| entry.attempts > 0);
        let splits = kind.may_lie_in_the_call() && self.may_split && again && items > 1;
        let group = splits.then(|| silence::part(item, items));
        let alone = kind.may_lie_in_the_call() && items == 1;
        let to_blame =
            alone && silence::is_to_blame(entry.attempts, entry.refusals, self.any_answered);
        let fault = to_blame.then(|| unanswerable(kind));
        match (self.call.operation, fault) {
            (Operation::Create, fault) => landing.settle(entry, self.in_doubt(false, group, fault)),
            (_, fault @ Some(_)) => landing.unnamed.push((entry.clone(), fault)),
            (_, None) => {
                // A part is another call, which nothing speaks against.
                let not_before = if splits { self.now } else { self.after(BACK_OFF) };
                landing.settle(entry, Outcome::Unanswered { group, not_before });
            }
        }
    }

    /// A refusal about the content: the rows it names are to blame; where it names none, the call is halved.
    fn refused(&self, error: &CallError) -> Landing {
        let entries = &self.call.entries;
        let mut landing = Landing {
            names_field: error.complaints.iter().any(|complaint| complaint.slug.is_some()),
            too_large: error.kind == CallErrorKind::Refused { status: 413 },
            ..Landing::default()
        };
        // The client changed its written form: the same items once more, before anybody is blamed.
        let is_first =
            |entry: &CallEntry| entry.attempts <= u32::from(self.filled.contains_key(&entry.id));
        let as_is = error.retry_as_is && entries.iter().all(is_first);
        let alone = entries.len() == 1;
        let general = Complaint { item: None, slug: None, message: error.detail.clone() };
        let any_named =
            (0..entries.len()).any(|item| complaint_of(item, &error.complaints).is_some());
        landing.split = !as_is;
        let halves = halves(entries, &error.complaints);
        for ((item, entry), half) in entries.iter().enumerate().zip(halves) {
            let complaint = match complaint_of(item, &error.complaints) {
                Some(complaint) => Some(complaint),
                None if alone => Some(error.complaints.first().unwrap_or(&general)),
                None => None,
            }
            .filter(|_| !as_is);
            let fault = complaint.map(|complaint| self.fault(error.kind, complaint));
            let group = match (&fault, as_is) {
                (Some(_), _) | (None, true) => None,
                (None, false) if any_named => Some(0),
                (None, false) => Some(half),
            };
            if mutation::is_on(Mutation::BisectDropsRow) && item > 0 && item + 1 == entries.len() {
                landing.settle(entry, Outcome::Deleted);
                continue;
            }
            match (self.call.operation, fault) {
                (Operation::Create, None) if mutation::is_on(Mutation::RefusedBisectedBlind) => {
                    landing.settle(entry, self.back(group, Duration::ZERO));
                }
                (Operation::Create, fault) => {
                    landing
                        .blamed
                        .extend(fault.as_ref().map(|fault| (entry.id, fault.code.clone())));
                    landing.settle(entry, self.in_doubt(true, group, fault));
                }
                (_, Some(fault)) => landing.blame(entry, fault),
                (_, None) => landing.settle(entry, self.back(group, Duration::ZERO)),
            }
        }
        landing
    }

    /// One of the records is gone, or the table; which, is found by a look-up and by halving.
    fn not_found(&self) -> Landing {
        let mut landing = Landing::default();
        let entries = &self.call.entries;
        landing.some_gone = entries.len() > 1 && self.call.operation != Operation::Delete;
        for (item, entry) in entries.iter().enumerate() {
            if entries.len() > 1 {
                let group = u32::from(item >= entries.len().div_ceil(2));
                landing.settle(entry, self.back(Some(group), Duration::ZERO));
            } else {
                // Where the record is there all the same, this is not asked for ever.
                let fault = (entry.attempts >= UNNAMED_MAX).then(unconfirmed);
                landing.unnamed.push((entry.clone(), fault));
            }
        }
        landing
    }

    fn in_doubt(&self, answered: bool, group: Option<u32>, fault: Option<Fault>) -> Outcome {
        Outcome::InDoubt {
            answered,
            // Its process may have stood still before the request left: it did so before the call ended.
            left_at: if answered { self.left_at } else { self.now },
            empty_looks: 0,
            look_at: self.now.saturating_add(SETTLING).unwrap_or(self.now),
            group,
            fault,
        }
    }

    fn back(&self, group: Option<u32>, wait: Duration) -> Outcome {
        Outcome::Back { group, not_before: self.after(wait) }
    }

    fn after(&self, wait: Duration) -> Timestamp {
        self.now.saturating_add(wait).unwrap_or(self.now)
    }

    fn fault(&self, kind: CallErrorKind, complaint: &Complaint) -> Fault {
        let field = complaint.slug.as_ref().and_then(|slug| self.shape.field(slug));
        Fault {
            code: CallErrorKind::Refused { status: 0 }.code().to_owned(),
            slug: complaint.slug.clone(),
            reason: complaint.message.clone(),
            remedy: match (field, kind.scope()) {
                (Some(field), Scope::Rows) => format!(
                    "mend the value for field `{}` in the source, or its mapping; the row is tried again by itself",
                    field.label
                ),
                _ => "mend the row in the source, or its mapping; it is tried again by itself"
                    .to_owned(),
            },
        }
    }
}

impl Landing {
    fn settle(&mut self, entry: &CallEntry, outcome: Outcome) {
        self.settlements.push(Settlement { id: entry.id, outcome });
    }

    /// The record was written. What it shows may still differ from what was sent: the link takes what was sent, so
    /// that it is not sent for ever, and people are told.
    fn accept(&mut self, entry: &CallEntry, record: &SeenRecord, outcome: Outcome) {
        for slug in entry.fields.differing(&record.fields) {
            *self.kept_otherwise.entry(slug).or_default() += 1;
        }
        self.accepted.push(entry.id);
        self.settle(entry, outcome);
    }

    /// A complaint about one of the fields is the row's; any other may mean that its record is gone.
    fn blame(&mut self, entry: &CallEntry, fault: Fault) {
        if fault.slug.is_some() || entry.record.is_none() {
            self.refuse(entry, fault);
        } else {
            self.unnamed.push((entry.clone(), Some(fault)));
        }
    }

    fn refuse(&mut self, entry: &CallEntry, fault: Fault) {
        self.blamed.push((entry.id, fault.code.clone()));
        self.refused.push(fault.clone());
        self.settle(entry, Outcome::Refused { fault });
    }
}

/// A row that is never answered, though it is sent by itself.
fn unanswerable(kind: CallErrorKind) -> Fault {
    Fault {
        code: kind.code().to_owned(),
        slug: None,
        reason: Quoted(format!("sent by itself, time after time: {kind}")),
        remedy: "look for something unusual in the row; it is tried again by itself".into(),
    }
}

/// A record that is neither named nor complained about, time after time.
pub(super) fn unconfirmed() -> Fault {
    Fault {
        code: "smartsuite_unconfirmed".into(),
        slug: None,
        reason: Quoted("SmartSuite answers the call without naming the record".into()),
        remedy: "look at the table in SmartSuite; the row is tried again by itself".into(),
    }
}

fn complaint_of(item: usize, complaints: &[Complaint]) -> Option<&Complaint> {
    complaints.iter().find(|complaint| complaint.item == Some(item))
}

/// The groups into which a refused call is split that names no item. Where it names a field, the rows that have a value
/// in it are suspected first; the other group takes the rest.
fn halves(entries: &[CallEntry], complaints: &[Complaint]) -> Vec<u32> {
    let named = complaints.iter().find_map(|complaint| complaint.slug.as_ref());
    let has_value = |entry: &CallEntry| {
        named.is_some_and(|slug| {
            entry.fields.get(slug).is_some_and(|value| *value != FieldValue::Empty)
        })
    };
    let suspects = entries.iter().filter(|entry| has_value(entry)).count();
    let (by_field, all) = (suspects > 0 && suspects < entries.len(), entries.len());
    let (suspects, first) =
        if by_field { (suspects, suspects.min(all.div_ceil(2))) } else { (all, all / 2) };
    let mut left_out = suspects - first;
    let half = |entry: &CallEntry| {
        let is_suspect = !by_field || has_value(entry);
        let is_later = is_suspect && left_out > 0;
        left_out -= usize::from(is_later);
        u32::from(is_suspect && !is_later)
    };
    entries.iter().map(half).collect()
}

#[cfg(test)]
mod tests {
    use sync_core::{draft::Fields, key::Key};

    use super::*;

    /// Rows, of which these have a value in the field.
    fn entries(with_value: &[bool]) -> Vec<CallEntry> {
        let entry = |(id, has): (i64, &bool)| {
            let value = if *has { FieldValue::Text("x".into()) } else { FieldValue::Empty };
            CallEntry {
                id: EntryId(id),
                key: Key::Int(id),
                fields: Fields::new(vec![("sdate".into(), value)]),
                record: None,
                links: Vec::new(),
                attempts: 0,
                refusals: 0,
                returns: false,
            }
        };
        (1..).zip(with_value).map(entry).collect()
    }

    fn split(with_value: &[bool], slug: Option<&str>) -> Vec<u32> {
        let complaint =
            Complaint { item: None, slug: slug.map(Slug::from), message: Quoted::default() };
        halves(&entries(with_value), &[complaint])
    }

    #[test]
    fn a_refused_call_is_halved() {
        assert_eq!(split(&[true; 5], None), [0, 0, 0, 1, 1]);
        assert_eq!(split(&[true; 4], Some("sdate")), [0, 0, 1, 1]);
        assert_eq!(split(&[false; 4], Some("sdate")), [0, 0, 1, 1], "perhaps it is required");
        assert_eq!(split(&[true, false], Some("sother")), [0, 1]);
    }

    #[test]
    fn rows_with_a_value_in_the_field_that_is_named_are_suspected_first() {
        assert_eq!(split(&[false, true, false, false, true], Some("sdate")), [0, 1, 0, 0, 1]);
        assert_eq!(split(&[true, true, true, false], Some("sdate")), [0, 1, 1, 0]);
        assert_eq!(split(&[true, false], Some("sdate")), [1, 0]);
    }
}
