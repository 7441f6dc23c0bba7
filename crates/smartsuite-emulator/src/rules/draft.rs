//! From the body of a write to the cells it sets (sections 3.8, 3.9 and 3.11; points 24 to 27).

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::model::cell::{Cell, StatusValue};
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::profile::{Profile, Unwanted, ValidationStatus};
use crate::rules::call::Call;
use crate::validate::{Writer, refused};

/// What a write does to the fields it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They get their defaults.
    Create,
    /// They stay.
    Update,
    /// They are cleared.
    Replace,
}

/// A checked write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// Values by column.
    pub(crate) cells: Vec<(usize, Cell)>,
    /// Files to fetch: slug and address.
    pub(crate) attachments: Vec<(String, String)>,
}

/// Why a write is refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused {
    /// Messages by slug.
    pub(crate) errors: Map<String, Value>,
    /// Whether something else than a missing or doubled value is wrong.
    is_invalid: bool,
}

impl Refused {
    fn add(&mut self, slug: &str, messages: Value, is_invalid: bool) {
        self.errors.insert(slug.to_owned(), messages);
        self.is_invalid |= is_invalid;
    }

    /// The refusal of something that is not a record at all.
    pub(crate) fn not_an_object() -> Self {
        let message = json!(["Invalid data. Expected a dictionary."]);
        let errors = Map::from_iter([("non_field_errors".to_owned(), message)]);
        Self { errors, is_invalid: true }
    }

    /// The status of the answer.
    pub(crate) fn status(&self, profile: &Profile) -> StatusCode {
        let position =
            if self.is_invalid { profile.validation_status } else { profile.required_status };
        match position {
            ValidationStatus::BadRequest => StatusCode::BAD_REQUEST,
            ValidationStatus::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// Keys of a record that are no fields and that nobody writes.
const SYSTEM_KEYS: [&str; 6] =
    ["application_id", "application_slug", "ranking", "deleted_date", "deleted_by", "account_slug"];

/// Checks writes to one table, singly or in bulk.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    world: &'a World,
    call: &'a Call<'a>,
    table: &'a Table,
    writer: Writer<'a>,
    requires: bool,
    unique: bool,
    /// Unique values of the items of a bulk call so far.
    taken: BTreeSet<(usize, String)>,
}

impl<'a> Checker<'a> {
    /// For a single call or a bulk call; none if the table or the account is gone.
    pub(crate) fn new(
        world: &'a World,
        call: &'a Call<'a>,
        table: &'a Table,
        is_bulk: bool,
    ) -> Option<Self> {
        let account = world.accounts.get(&call.actor.account)?;
        let profile = call.profile;
        Some(Self {
            world,
            call,
            table,
            writer: Writer { world, account, profile, now: call.now },
            requires: !is_bulk || profile.required_bulk,
            unique: if is_bulk { profile.unique_bulk } else { profile.unique_single },
            taken: BTreeSet::new(),
        })
    }

    /// Checks one body against the table and, for an update, against the record as it is.
    pub(crate) fn check(
        &mut self,
        body: &Map<String, Value>,
        mode: Mode,
        record: Option<&Record>,
    ) -> Result<Draft, Refused> {
        let mut draft = Draft::default();
        let mut refusal = Refused::default();
        for key in body.keys() {
            self.check_key(key, &mut refusal);
        }
        for field in self.table.visible_fields(self.call.now) {
            let Some(column) = field.column.filter(|_| !field.is_read_only()) else { continue };
            match body.get(&field.slug) {
                Some(value) => match self.writer.write(field, value) {
                    Ok(cell) => {
                        attachments(field, value, &mut draft);
                        let kept = record.map(|record| record.cell(column));
                        draft.cells.push((column, unmoved(cell, kept)));
                    }
                    Err(messages) => refusal.add(&field.slug, messages, true),
                },
                None => match mode {
                    Mode::Create => {
                        if let Some(cell) = self.default(field) {
                            draft.cells.push((column, cell));
                        }
                    }
                    Mode::Update => {}
                    Mode::Replace => draft.cells.push((column, Cell::Empty)),
                },
            }
            self.check_demands(field, column, &draft, mode, record, &mut refusal);
        }
        if refusal.errors.is_empty() { Ok(draft) } else { Err(refusal) }
    }

    fn check_key(&self, key: &str, refusal: &mut Refused) {
        let profile = self.call.profile;
        let refuse = |position: Unwanted| position == Unwanted::Refuse;
        match self.table.field(key, self.call.now) {
            Some(field) if field.is_read_only() && refuse(profile.read_only_slug) => {
                refusal.add(key, refused("This field is read-only."), true);
            }
            None if key == "id" => {}
            None if SYSTEM_KEYS.contains(&key) => {
                if refuse(profile.read_only_slug) {
                    refusal.add(key, refused("This field is read-only."), true);
                }
            }
            None if refuse(profile.unknown_slug) => {
                refusal.add(key, refused("This field does not exist."), true);
            }
            Some(_) | None => {}
        }
    }

    /// Required and unique, each where the kind of call enforces it.
    fn check_demands(
        &mut self,
        field: &Field,
        column: usize,
        draft: &Draft,
        mode: Mode,
        record: Option<&Record>,
        refusal: &mut Refused,
    ) {
        if refusal.errors.contains_key(&field.slug) {
            return;
        }
        let set = draft.cells.last().filter(|(last, _)| *last == column).map(|(_, cell)| cell);
        let is_empty = set.map_or(mode != Mode::Update, Cell::is_empty);
        if field.flag("required") && self.requires && is_empty {
            refusal.add(&field.slug, refused("This field is required."), false);
            return;
        }
        let Some(cell) = set.filter(|cell| !cell.is_empty()) else { return };
        if field.flag("unique") && self.unique {
            let text = identity(cell);
            let is_taken = !self.taken.insert((column, text.clone()))
                || self.is_held(column, cell, &text, record);
            if is_taken {
                refusal.add(&field.slug, refused("This field must be unique."), false);
            }
        }
    }

    /// Whether another live record holds the value.
    fn is_held(&self, column: usize, cell: &Cell, text: &str, but: Option<&Record>) -> bool {
        let work = &self.world.work;
        let other = |rank: u64| {
            work.count(|work| work.records_examined += 1);
            self.table.at(rank).is_some_and(|record| {
                record.deleted.is_none()
                    && but.is_none_or(|but| but.id != record.id)
                    && identity(record.cell(column)) == text
            })
        };
        let probe = cell.as_text().and_then(|text| self.table.candidates(column, text));
        match probe {
            Some(mut candidates) => {
                work.count(|work| work.index_probes += 1);
                candidates.any(other)
            }
            None => self.table.rows().any(|(rank, _)| other(rank)),
        }
    }

    /// What a field that a create leaves out begins with (point 26).
    fn default(&self, field: &Field) -> Option<Cell> {
        if field.slug == "followed_by" {
            return Some(Cell::Empty);
        }
        let value = field.params.get("default_value").filter(|value| !value.is_null())?;
        let cell = self.writer.write(field, value).ok().filter(|cell| !cell.is_empty())?;
        Some(match cell {
            // A default has never been set by anybody (section 3.8).
            Cell::Status(status) => {
                Cell::Status(Box::new(StatusValue { choice: status.choice, updated_on: None }))
            }
            other => other,
        })
    }
}

/// A status that is set to what it was keeps the time at which it became so.
fn unmoved(cell: Cell, kept: Option<&Cell>) -> Cell {
    match kept {
        Some(kept @ Cell::Status(_)) if kept.same_value(&cell) => kept.clone(),
        Some(_) | None => cell,
    }
}

/// What makes two values the same for `unique`.
fn identity(cell: &Cell) -> String {
    match cell.as_text() {
        Some(text) => text.to_owned(),
        None => format!("{cell:?}"),
    }
}

fn attachments(field: &Field, value: &Value, draft: &mut Draft) {
    if field.kind == FieldType::File {
        let addresses = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        draft.attachments.extend(addresses.map(|url| (field.slug.clone(), url.to_owned())));
    }
}
