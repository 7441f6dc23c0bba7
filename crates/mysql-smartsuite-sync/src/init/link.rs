//! Foreign keys as links: which linked-record field holds the record that a row points to. Pure.

use sync_core::{
    slug::Slug,
    table::{Field, FieldKind, TableStructure},
};
use sync_mysql::ForeignKey;
use sync_smartsuite::NewField;

use super::{
    name::{label, plain, singular, slug},
    proposal::{SyncProposal, Way, free_label},
};

/// A link field, as proposed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LinkProposal {
    /// The columns that hold the other row's key, in its order.
    pub(crate) from: Vec<String>,
    /// The sync whose records are linked to.
    pub(crate) parent: String,
    /// The field.
    pub(crate) field: LinkField,
    /// Why.
    pub(crate) reason: String,
}

/// The field of a link.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LinkField {
    /// It is there, with this label.
    There(Slug, String),
    /// It is to be made.
    New(NewField),
}

impl LinkField {
    /// Its slug.
    pub(crate) fn slug(&self) -> &Slug {
        match self {
            Self::There(slug, _) => slug,
            Self::New(field) => &field.slug,
        }
    }

    /// Its label.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::There(_, label) => label,
            Self::New(field) => &field.label,
        }
    }
}

/// Adds links for the foreign keys that lead to a table which another of these syncs brings. A column that a link shows
/// gets no field of its own.
pub(crate) fn propose_links(syncs: &mut [SyncProposal]) {
    let parents: Vec<(String, Vec<String>, String)> = syncs
        .iter()
        .map(|sync| {
            (sync.source.name.clone(), sync.source.primary_key.clone(), sync.table.id.clone())
        })
        .collect();
    for sync in syncs {
        sync.links.clear();
        for key in sync.source.foreign_keys.clone() {
            let leads_to = |(name, primary_key, _): &&(String, Vec<String>, String)| {
                *name == key.table && *primary_key == key.refers_to
            };
            let Some((parent, _, table)) = parents.iter().find(leads_to) else { continue };
            let taken = |slug: &Slug| sync.links.iter().any(|link| link.field.slug() == slug);
            let field = field_for(&sync.source.name, &key, &sync.table, table, &taken);
            for column in sync.columns.iter_mut().filter(|one| key.columns.contains(&one.column)) {
                if let Way::New(_) = column.way {
                    column.way = Way::Nowhere;
                    "the link below shows it".clone_into(&mut column.reason);
                }
            }
            sync.links.push(LinkProposal {
                from: key.columns.clone(),
                parent: parent.clone(),
                field,
                reason: format!("foreign key to {parent}"),
            });
        }
    }
}

/// The field that a foreign key goes to: one that was made for it, else one that leads there and is called like it.
fn field_for(
    source: &str,
    key: &ForeignKey,
    table: &TableStructure,
    parent_table: &str,
    taken: &dyn Fn(&Slug) -> bool,
) -> LinkField {
    let made = slug(&[&table.id, source, &key.columns.join("\0"), "\0link"]);
    let stem = stem(key);
    let leads_there = |field: &&Field| {
        field.kind == FieldKind::LinkedRecord
            && !field.read_only
            && field.linked_table.as_deref() == Some(parent_table)
            && !taken(&field.slug)
    };
    let is_called_so = |field: &&Field| {
        let name = singular(&field.label);
        name == singular(&stem) || name == singular(&key.table)
    };
    let there = table.fields.iter().filter(leads_there);
    let found = table
        .field(&made)
        .filter(|field| leads_there(field))
        .or_else(|| there.clone().find(is_called_so));
    match found {
        Some(field) => LinkField::There(field.slug.clone(), field.label.clone()),
        None => LinkField::New(NewField {
            slug: Slug::from(made),
            label: free_label(&label(&stem), table),
            kind: FieldKind::LinkedRecord,
            choices: Vec::new(),
            precision: None,
            linked_table: Some(parent_table.to_owned()),
        }),
    }
}

/// What the key is called by: `customer_id` is the customer.
fn stem(key: &ForeignKey) -> String {
    let [column] = key.columns.as_slice() else { return key.table.clone() };
    for end in ["_id", "_code", "_key", "_no", "_number"] {
        if let Some(stem) = column.strip_suffix(end).filter(|stem| !stem.is_empty()) {
            return stem.to_owned();
        }
    }
    // The column repeats what it refers to (`sku`): the table says more.
    if key.refers_to.iter().any(|name| plain(name) == plain(column)) {
        return key.table.clone();
    }
    column.clone()
}
