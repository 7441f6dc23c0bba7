//! A sync with its two sides, and what a person asks of a run.

use std::{sync::Arc, time::Duration};

use sync_core::{
    change::ChangeLog,
    config::model::{RelatedDefinition, SourceRows, SyncDefinition, WriteMode},
    draft::Fields,
    drift::LeftOut,
    field_value::FieldValue,
    mapping::definition_hash,
    port::{RecordTarget, RowSource},
    state::{LinkField, SyncIdentity},
    table::TableStructure,
};

/// A sync with the adapters for its two sides.
#[derive(Clone)]
pub struct SyncTask {
    /// Its definition.
    pub definition: Arc<SyncDefinition>,
    /// Its rows.
    pub source: Arc<dyn RowSource>,
    /// What tells which of its rows change, for a sync that follows the database's log.
    pub changes: Option<Arc<dyn ChangeLog>>,
    /// Its records.
    pub target: Arc<dyn RecordTarget>,
    /// What was left out of the definition because it fits no more, and what is known of the source besides.
    pub drift: TaskDrift,
    /// Host of the service, without port.
    pub host: String,
    /// SmartSuite's account id.
    pub account: String,
}

/// What became of a sync's definition before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskDrift {
    /// Fields whose mapping was left out.
    pub left_out: Vec<LeftOut>,
    /// Every column of the source table, where new ones are taken up.
    pub all_columns: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

impl std::fmt::Debug for SyncTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncTask").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

impl SyncTask {
    /// Says whether two tasks are of the same definition and destination. Another version of this program may answer
    /// otherwise for the same ones.
    pub fn digest(&self) -> String {
        let identity = FieldValue::text(format!("{:?}", self.identity(false)));
        format!("{:?}", Fields::new(vec![("identity".into(), identity)]).fingerprint())
    }

    /// The sync as its definition has it now.
    pub(crate) fn identity(&self, accept_key_change: bool) -> SyncIdentity {
        let SyncDefinition { name, previously, source, destination, .. } = &*self.definition;
        let rows = match &source.rows {
            SourceRows::Query { query, .. } => query.text.clone(),
            SourceRows::Table { name, filter } => {
                let filter = filter.as_ref().map_or("", |filter| filter.text.as_str());
                ["table", name, filter].join("\0")
            }
        };
        let mut values = vec![
            rows,
            source.updated_at_field.clone().unwrap_or_default(),
            definition_hash(destination, source).to_string(),
        ];
        values.extend(source.deleted_field.clone());
        // What changed in a table before it was followed was not named.
        for RelatedDefinition { table, column, matches } in &source.related {
            values.push(["related", table, column, matches].join("\0"));
        }
        SyncIdentity {
            name: name.clone(),
            previously: previously.clone(),
            host: self.host.clone(),
            account: self.account.clone(),
            table: destination.table_id.clone(),
            external_id_field: destination.external_id_field.to_string(),
            values_hash: values.join("\0"),
            key_hash: (!source.primary_key.is_empty()).then(|| {
                [source.primary_key.join("\0"), destination.key_prefix.clone()].join("\0\0")
            }),
            only_updates: destination.mode == WriteMode::UpdateOnly,
            accept_key_change,
        }
    }
}

/// What a person asked of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Read everything, whatever the position.
    pub full: bool,
    /// Let a stopped sync go again, and try quarantined rows now.
    pub retry: bool,
    /// The key columns changed on purpose: drop the links and adopt anew.
    pub accept_key_change: bool,
    /// Read everything and sweep, though neither is due.
    pub reconcile: bool,
    /// So many records may be deleted or archived because their rows are gone, more than would be by themselves.
    pub allow_deletes: Option<u64>,
    /// The run is one of a service's, which sweeps and reconciles by its own times where the sync gives none.
    pub serves: bool,
    /// For how long a sync that follows the database's log goes on following it, once it has caught up; `None`: not at
    /// all.
    pub follow: Option<Duration>,
}

/// What the live table contributes to values: the mapped fields as they are.
pub(super) fn shape_hash(definition: &SyncDefinition, structure: &TableStructure) -> String {
    let destination = &definition.destination;
    let slugs = destination.fields.iter().map(|field| &field.slug);
    let slugs = slugs
        .chain(destination.links.iter().map(|link| &link.slug))
        .chain([&destination.external_id_field]);
    let fields: Vec<_> = slugs.filter_map(|slug| structure.field(slug)).collect();
    serde_json::to_string(&fields).unwrap_or_default()
}

/// The link fields of a sync, as the state knows them.
pub(crate) fn link_fields(definition: &SyncDefinition) -> Vec<LinkField> {
    let links = definition.destination.links.iter();
    links
        .map(|link| LinkField {
            slug: link.slug.clone(),
            parent: link.parent.clone(),
            parent_previously: link.parent_previously.clone(),
            table: link.parent_table.clone(),
        })
        .collect()
}
