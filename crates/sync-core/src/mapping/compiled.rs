//! A mapping that has been held against both schemas and can be applied to rows.

use super::{
    archive::Archive,
    coerce::{self, Cell, Coerce},
    external_id::Carrier,
    fault::{FaultCode, Refusal, RowFault},
    hash::MappingHash,
    lent::Lent,
    link::CompiledLink,
    notes::Notes,
    origin::CompiledOrigin,
    treatment,
};
use crate::{
    config::model::{Treatment, WritePolicy},
    draft::{Draft, Fields, Fingerprint, PrintInput},
    key::{Key, KeyFault},
    matching::MatchFields,
    port::RecordShape,
    slug::Slug,
    source::{ColumnKind, Row},
};

/// Makes fingerprints of rows, one after the other.
#[derive(Debug, Default)]
pub struct Printer(PrintInput);

/// Turns rows of one read into drafts. Valid for reads with the columns it was compiled for.
#[derive(Debug)]
pub struct CompiledMapping {
    pub(super) archive: Option<Archive>,
    pub(super) match_on: Option<MatchFields>,
    /// Name and position of the key columns, in the key's order.
    pub(super) key_columns: Vec<(String, usize)>,
    pub(super) key_prefix: String,
    pub(super) carrier: Carrier,
    /// In order of their slugs, without the external-id field.
    pub(super) fields: Vec<CompiledField>,
    /// In order of their slugs.
    pub(super) links: Vec<CompiledLink>,
    pub(super) shape: RecordShape,
    pub(super) hash: MappingHash,
    pub(super) structure_hash: MappingHash,
}

/// One value into one field.
#[derive(Debug)]
pub(super) struct CompiledField {
    pub(super) slug: Slug,
    /// The column, where it comes from one.
    pub(super) column: Option<String>,
    pub(super) origin: CompiledOrigin,
    pub(super) kind: ColumnKind,
    /// Whether an empty value is refused.
    pub(super) required: bool,
    pub(super) treatment: Treatment,
    pub(super) write: WritePolicy,
    pub(super) rule: Box<dyn Coerce>,
}

impl CompiledMapping {
    /// The record a row should become: every mapped field that can be written, and the external-id field with
    /// `key.external_id(prefix)`. Link fields are named apart, by the rows they point to.
    ///
    /// # Errors
    /// The first fault found, the key first, then fields by slug. The row cannot be written; others can.
    pub fn draft(&self, row: &Row) -> Result<Draft, RowFault> {
        self.draft_noting(row, &mut Notes::default())
    }

    /// [`CompiledMapping::draft`], counting what people should know of.
    pub fn draft_noting(&self, row: &Row, notes: &mut Notes) -> Result<Draft, RowFault> {
        let mut fields = Vec::with_capacity(self.fields.len() + 1);
        let (mut on_create, mut if_empty) = (Vec::new(), Vec::new());
        let key = self.visit(row, notes, |slug, write, value| {
            let entry = (Slug::clone(slug), value.into_own());
            match write {
                WritePolicy::Always => fields.push(entry),
                WritePolicy::OnCreate => on_create.push(entry),
                WritePolicy::IfEmpty => if_empty.push(entry),
            }
        })?;
        let fields = Fields::new(fields).with_on_create(on_create).with_if_empty(if_empty);
        let links =
            self.links.iter().map(|link| link.wish(&key, row)).collect::<Result<Vec<_>, _>>()?;
        Ok(Draft { key, fields, links })
    }

    /// The row's key and the fingerprint of its [`CompiledMapping::draft`], which is not made: of most rows nothing else
    /// is wanted. Counts the same. Link fields are not in it, so of a mapping with links it says nothing.
    ///
    /// # Errors
    /// Those of a draft.
    pub fn print_noting(
        &self,
        row: &Row,
        notes: &mut Notes,
        printer: &mut Printer,
    ) -> Result<(Key, Fingerprint), RowFault> {
        let input = &mut printer.0;
        input.begin();
        let key = self.visit(row, notes, |slug, write, value| {
            if write == WritePolicy::Always {
                input.put(slug, |bytes| value.canonical_bytes(bytes));
            }
        })?;
        Ok((key, input.fingerprint()))
    }

    /// Whether rows point to rows of other syncs.
    pub fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// Hands over every field's value, in the order of slugs, the external-id field among them.
    fn visit(
        &self,
        row: &Row,
        notes: &mut Notes,
        mut take: impl FnMut(&Slug, WritePolicy, Lent<'_>),
    ) -> Result<Key, RowFault> {
        let key = self.key(row)?;
        let carrier = &self.shape.external_id.slug;
        let mut external_id = self.carrier.value(key.external_id(&self.key_prefix));
        let carries = external_id.is_some();
        for field in &self.fields {
            if let Some(external_id) = external_id.take_if(|_| field.slug > *carrier) {
                take(carrier, WritePolicy::Always, Lent::Own(external_id));
            }
            let taken = field.lend(row, notes, |value| take(&field.slug, field.write, value));
            if let Err(refusal) = taken {
                return Err(refusal.of_field(Some(key), field.column.as_deref(), &field.slug));
            }
        }
        if let Some(external_id) = external_id {
            take(carrier, WritePolicy::Always, Lent::Own(external_id));
        }
        if !carries {
            let refusal = Refusal::new(FaultCode::KeyUnsuitable)
                .because("the external-id field holds numbers, this key is none".to_owned())
                .about(&key.text());
            return Err(self.key_fault(refusal));
        }
        Ok(key)
    }

    /// The row's key.
    ///
    /// # Errors
    /// A key column is NULL, holds no exact value, or is missing from the row.
    pub fn key(&self, row: &Row) -> Result<Key, RowFault> {
        let mut cells = Vec::with_capacity(self.key_columns.len());
        for (column, position) in &self.key_columns {
            let Some(cell) = row.0.get(*position) else {
                return Err(Refusal::new(FaultCode::CellMissing).at(None, column, None));
            };
            cells.push((column.as_str(), cell));
        }
        Key::from_cells(cells).map_err(|fault| match fault {
            KeyFault::Null { column } => Refusal::new(FaultCode::KeyNull).at(None, &column, None),
            KeyFault::Kind { column, kind } => Refusal::new(FaultCode::KeyUnsuitable)
                .because(format!("{kind} cannot be a key"))
                .at(None, &column, None),
        })
    }

    /// The part of the table that drafts of this mapping write.
    pub fn shape(&self) -> &RecordShape {
        &self.shape
    }

    /// How records are archived whose rows are gone, if they are.
    pub fn archive(&self) -> Option<&Archive> {
        self.archive.as_ref()
    }

    /// The fields by which rows are matched with records that carry no key, if they are.
    pub fn match_on(&self) -> Option<&MatchFields> {
        self.match_on.as_ref()
    }

    /// [`super::definition_hash`] of the definition this was compiled from.
    pub fn hash(&self) -> MappingHash {
        self.hash
    }

    /// The hash of what the live table contributes to values. When it changes, refused rows are worth another try.
    pub fn structure_hash(&self) -> MappingHash {
        self.structure_hash
    }

    fn key_fault(&self, refusal: Refusal) -> RowFault {
        let column = self.key_columns.first().map_or("", |(column, _)| column.as_str());
        refusal.at(None, column, None)
    }
}

impl CompiledField {
    /// Hands over the field's value.
    pub(super) fn lend<T>(
        &self,
        row: &Row,
        notes: &mut Notes,
        take: impl FnOnce(Lent<'_>) -> T,
    ) -> Result<T, Refusal> {
        let value = treatment::treated(&self.treatment, self.origin.value(row)?, &self.kind)?;
        let cell = Cell { value: &value, column: &self.kind };
        let value = coerce::lend(&*self.rule, cell, notes)?;
        if self.required && value.is_empty() {
            return Err(Refusal::new(FaultCode::RequiredEmpty));
        }
        Ok(take(value))
    }
}
