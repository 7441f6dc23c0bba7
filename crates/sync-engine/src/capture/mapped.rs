//! Rows of a chunk, mapped: most as far as their fingerprint, as most turn out unchanged.

use std::collections::BTreeMap;

use sync_core::{
    draft::Fingerprint,
    error::Quoted,
    field_value::FieldValue,
    key::Key,
    mapping::{CompiledMapping, Notes, Printer, RowFault},
    source::{Column, Row},
    state::{CapturedRow, Fault, RowOutcome},
};

use super::{Yield, seen::Seen};

/// A row with its key.
pub(super) struct MappedRow {
    pub(super) key: Key,
    pub(super) outcome: Mapped,
}

/// How far a row is mapped.
pub(super) enum Mapped {
    /// The fingerprint of its draft; the draft is made of the row when it is wanted.
    Print(Row, Fingerprint),
    /// To its end, and the cells of one that could not become a draft.
    Outcome(RowOutcome, Option<Quoted>),
}

impl MappedRow {
    /// What the state needs to know whether the row is unchanged, if it can tell by that.
    pub(super) fn print(&self) -> Option<(&Key, Fingerprint)> {
        match &self.outcome {
            Mapped::Print(_, print) => Some((&self.key, *print)),
            Mapped::Outcome(..) => None,
        }
    }

    /// The row as the state takes it.
    pub(super) fn captured(self, mapping: &CompiledMapping) -> CapturedRow {
        let (outcome, cells) = match self.outcome {
            Mapped::Print(row, _) => (outcome(mapping, &row, &mut Notes::default()), None),
            Mapped::Outcome(outcome, cells) => (outcome, cells),
        };
        CapturedRow { key: self.key, outcome, cells }
    }
}

/// Maps the rows of one read.
pub(super) struct Mapper<'m> {
    pub(super) mapping: &'m CompiledMapping,
    pub(super) seen: Seen,
    printer: Printer,
}

impl<'m> Mapper<'m> {
    pub(super) fn new(mapping: &'m CompiledMapping) -> Self {
        Self { mapping, seen: Seen::default(), printer: Printer::default() }
    }

    /// Maps rows; of two that share a key and differ, both fail.
    pub(super) fn mapped(
        &mut self,
        rows: Vec<Row>,
        columns: &[Column],
        into: &mut Yield,
    ) -> Vec<MappedRow> {
        let mut mapped: Vec<MappedRow> = Vec::with_capacity(rows.len());
        let mut at = Places::default();
        for row in rows {
            let (key, print, outcome) = match self.map(&row, into) {
                Ok(found) => found,
                Err(fault) => match fault.key.clone() {
                    Some(key) => {
                        into.take_wishes(&fault);
                        let outcome = faulty(&fault);
                        (key, fingerprint(&outcome), Some(outcome))
                    }
                    None => {
                        into.books.read += 1;
                        into.books.skipped += 1;
                        let fault = (fault.code.code(), fault.to_string());
                        *into.keyless.entry(fault).or_default() += 1;
                        continue;
                    }
                },
            };
            let earlier = self.seen.get(&key);
            if earlier.is_none() {
                self.seen.watch(&key, print);
            }
            let is_twice = earlier.is_some_and(|earlier| earlier != print);
            let outcome = if is_twice { Some(twice()) } else { outcome };
            // Each key at most once in a chunk: the later row stands for both.
            match at.place(&key, &mapped).and_then(|place| mapped.get_mut(place)) {
                Some(same) => {
                    into.books.read += 1;
                    into.books.skipped += 1;
                    if same.outcome.fingerprint() != print {
                        same.outcome = Mapped::Outcome(twice(), same.outcome.cells());
                    }
                }
                None => {
                    let outcome = match outcome {
                        None => Mapped::Print(row, print),
                        Some(outcome) => {
                            let is_fault = matches!(outcome, RowOutcome::Fault(..));
                            let cells = is_fault.then(|| row.shown(columns));
                            Mapped::Outcome(outcome, cells)
                        }
                    };
                    at.note(&key, mapped.len());
                    mapped.push(MappedRow { key, outcome });
                }
            }
        }
        mapped
    }

    /// A row's key and fingerprint, and what becomes of it where the fingerprint alone does not say.
    fn map(
        &mut self,
        row: &Row,
        into: &mut Yield,
    ) -> Result<(Key, Fingerprint, Option<RowOutcome>), RowFault> {
        if !self.mapping.has_links() {
            let (key, print) =
                self.mapping.print_noting(row, &mut into.notes, &mut self.printer)?;
            return Ok((key, print, None));
        }
        let draft = self.mapping.draft_noting(row, &mut into.notes)?;
        let outcome = RowOutcome::Linked(draft.fields, draft.links);
        Ok((draft.key, fingerprint(&outcome), Some(outcome)))
    }
}

impl Mapped {
    fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Print(_, print) => *print,
            Self::Outcome(outcome, _) => fingerprint(outcome),
        }
    }

    fn cells(&mut self) -> Option<Quoted> {
        match self {
            Self::Print(..) => None,
            Self::Outcome(_, cells) => cells.take(),
        }
    }
}

/// What a row that has a fingerprint becomes: a draft.
fn outcome(mapping: &CompiledMapping, row: &Row, notes: &mut Notes) -> RowOutcome {
    match mapping.draft_noting(row, notes) {
        Ok(draft) => RowOutcome::draft(draft.fields),
        Err(fault) => faulty(&fault),
    }
}

/// Where the keys of a chunk stand; nothing is kept as long as they come in order.
#[derive(Default)]
struct Places(Option<BTreeMap<Key, usize>>);

impl Places {
    /// The place of a key among the rows before it.
    fn place(&mut self, key: &Key, before: &[MappedRow]) -> Option<usize> {
        if self.0.is_none() {
            if before.last().is_none_or(|last| last.key < *key) {
                return None;
            }
            let keys = before.iter().map(|row| row.key.clone());
            self.0 = Some(keys.zip(0..).collect());
        }
        self.0.as_ref()?.get(key).copied()
    }

    fn note(&mut self, key: &Key, place: usize) {
        if let Some(places) = &mut self.0 {
            places.insert(key.clone(), place);
        }
    }
}

pub(super) fn fingerprint(outcome: &RowOutcome) -> Fingerprint {
    match outcome {
        RowOutcome::Linked(fields, wishes) => {
            let keys = |keys: &[Key]| keys.iter().map(|key| key.text().into_owned()).collect();
            let wishes = wishes
                .iter()
                .map(|wish| (wish.slug.clone(), FieldValue::list(keys(&wish.parents))));
            fields.clone().with(wishes.collect()).fingerprint()
        }
        RowOutcome::Draft(_, print) | RowOutcome::Fault(_, print) => *print,
        RowOutcome::Gone | RowOutcome::Unseen | RowOutcome::Absent => Fingerprint([0; 16]),
    }
}

/// A row that cannot become a draft. Its fingerprint is of the fault and the value, so that the same fault is parked
/// once and a mended value is noticed.
fn faulty(fault: &RowFault) -> RowOutcome {
    let reason = match fault.excerpt.0.as_str() {
        "" => fault.to_string(),
        excerpt => format!("{fault}: `{excerpt}`"),
    };
    fault_outcome(Fault {
        code: fault.code.code().to_owned(),
        slug: fault.slug.clone(),
        reason: Quoted(reason),
        remedy: fault.remedy().to_owned(),
    })
}

fn twice() -> RowOutcome {
    fault_outcome(Fault {
        code: "key_twice".into(),
        slug: None,
        reason: Quoted("two rows of the query have this key and differ".into()),
        remedy: "make the query yield one row a key: check its joins, or name every key column in `primary_key`".into(),
    })
}

fn fault_outcome(fault: Fault) -> RowOutcome {
    let fields = sync_core::draft::Fields::new(vec![
        ("code".into(), FieldValue::text(fault.code.clone())),
        ("reason".into(), FieldValue::text(fault.reason.0.clone())),
    ]);
    RowOutcome::Fault(fault, fields.fingerprint())
}
