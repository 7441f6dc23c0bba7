//! A definition made to fit schemas that have changed, where its sync is to go on (`on_drift: ignore | extend`).

use std::time::Duration;

use sync_core::{
    config::model::{Conversion, FieldMapping, OnDrift, SourceRows, SyncDefinition},
    drift::KnownSchema,
    slug::Slug,
    source::Column,
    state::CallKind,
    table::TableStructure,
};
use sync_engine::run::{SyncTask, TaskDrift};
use sync_mysql::{MysqlSource, SourceTable, census};
use sync_smartsuite::NewField;

use super::Wire;
use crate::init::{
    name::slug,
    proposal::{NoField, new_field},
};

/// Looks at a table until a new field shows: the service says that it takes up to seconds.
const LOOKS_MAX: u32 = 8;

impl Wire {
    /// The definition without what fitted once and fits no more, and with fields for columns that were added. Where the
    /// schemas cannot be seen it stays as it is, and the run says why.
    pub(super) async fn fitted(
        &self,
        mut definition: SyncDefinition,
        may_extend: bool,
    ) -> (SyncDefinition, TaskDrift) {
        let mut drift = TaskDrift::default();
        let task = self.bare_task(&definition);
        let columns = MysqlSource::all_columns(&self.mysql, &definition.source).await;
        let (Ok(known), Ok(columns)) = (self.engine.known_schemas(&task).await, columns) else {
            return (definition, drift);
        };
        let extends = definition.on_drift == OnDrift::Extend;
        if extends {
            drift.all_columns = columns.iter().map(|column| column.name.clone()).collect();
        }
        // A mapping that never fitted is wrong, not outdated.
        let Some((known, table)) = known else { return (definition, drift) };
        let (destination, left_out) =
            known.fitting(&definition.destination, &definition.source, &columns, &table);
        definition.destination = destination;
        drift.left_out = left_out;
        if extends {
            let added = Self::extend(&mut definition, &columns, &known, &table);
            self.make_added(&task, &mut definition, added, (may_extend, &table), &mut drift).await;
        }
        (definition, drift)
    }

    /// Maps columns that have a field of their own since they were added to the source table. Answers those that have none
    /// yet.
    fn extend(
        definition: &mut SyncDefinition,
        columns: &[Column],
        known: &KnownSchema,
        table: &TableStructure,
    ) -> Vec<String> {
        let SourceRows::Table { name: source, .. } = &definition.source.rows else {
            return Vec::new();
        };
        let names = columns.iter().map(|column| column.name.as_str());
        let free = KnownSchema::free_columns(&definition.destination, &definition.source, names);
        let has_field = |name: &str| table.field(&extension_slug(table, source, name)).is_some();
        let mapped: Vec<FieldMapping> = free
            .iter()
            .filter(|name| has_field(name))
            .map(|name| extension(table, source, name))
            .collect();
        let added = free.into_iter().filter(|name| known.is_added(name) && !has_field(name));
        let added = added.map(str::to_owned).collect();
        definition.destination.fields.extend(mapped);
        added
    }

    /// Makes fields for columns that were added, and maps them.
    async fn make_added(
        &self,
        task: &SyncTask,
        definition: &mut SyncDefinition,
        added: Vec<String>,
        (may_extend, table): (bool, &TableStructure),
        drift: &mut TaskDrift,
    ) {
        let SourceRows::Table { name: source, .. } = definition.source.rows.clone() else { return };
        if added.is_empty() {
            return;
        }
        let made = if may_extend {
            self.make_fields(task, &source, &added, table).await
        } else {
            Err(format!("a run makes fields for what is new: column `{}`", added.join("`, `")))
        };
        match made {
            Ok((made, notes)) => {
                let mapped = made.iter().map(|name| extension(table, &source, name));
                definition.destination.fields.extend(mapped);
                drift.notes.extend(notes);
            }
            Err(note) => {
                drift.notes.push(note);
                // Another run tries again.
                drift.all_columns.retain(|name| !added.contains(name));
            }
        }
    }

    /// Makes fields for columns, and waits until they show. Answers for which, with what there is to say; or what went wrong.
    async fn make_fields(
        &self,
        task: &SyncTask,
        source: &str,
        added: &[String],
        table: &TableStructure,
    ) -> Result<(Vec<String>, Vec<String>), String> {
        let failed = |what: &dyn std::fmt::Display| {
            format!("no field could be made for column `{}`: {what}", added.join("`, `"))
        };
        let tables = census(&self.mysql).await.map_err(|error| failed(&error.message))?;
        let named = |one: &&SourceTable| one.name == source;
        let described =
            tables.iter().find(named).ok_or_else(|| failed(&"the table is not described"))?;
        let mut fields: Vec<(NewField, &String)> = Vec::new();
        let mut notes = Vec::new();
        for name in added {
            let Some(column) = described.column(name) else { continue };
            match new_field(described, column, table) {
                Ok(field) => {
                    let field = NewField { slug: extension_slug(table, source, name), ..field };
                    fields.push((field, name));
                }
                Err(NoField) => {
                    notes.push(format!("column `{name}` is new, and no field can show its type"));
                }
            }
        }
        for (field, name) in &fields {
            let call = self.client.add_field(&table.id, field);
            let added = self.engine.call_for(task, CallKind::Structure, call).await;
            match added.map_err(|error| failed(&error))? {
                Ok(()) => {
                    notes.push(format!(
                        "made field \"{}\" for the new column `{name}`",
                        field.label
                    ));
                }
                // It may have been added all the same: the look below tells.
                Err(error) if !error.kind.is_answered() => {}
                Err(error) => return Err(failed(&error.kind)),
            }
        }
        let mut wait = Duration::from_millis(500);
        for _ in 0..LOOKS_MAX {
            let seen = self.engine.look_at_table(task).await.map_err(|error| failed(&error))?;
            let seen = seen.map_err(|error| failed(&error.kind))?;
            if fields.iter().all(|(field, _)| seen.field(&field.slug).is_some()) {
                let made = fields.into_iter().map(|(_, name)| name.clone()).collect();
                return Ok((made, notes));
            }
            self.clock.sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
        Err(failed(&"the new fields do not show yet"))
    }
}

/// A column into the field that was made for it.
fn extension(table: &TableStructure, source: &str, column: &str) -> FieldMapping {
    FieldMapping::of_column(column, extension_slug(table, source, column), Conversion::Automatic)
}

/// The slug of the field that is made for a column: the same each time, so that it is found when the state is lost.
fn extension_slug(table: &TableStructure, source: &str, column: &str) -> Slug {
    Slug::from(slug(&[&table.id, source, column, "\0extend"]))
}
