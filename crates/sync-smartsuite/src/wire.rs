//! SmartSuite's JSON, here and nowhere else.
//!
//! Everything read is treated as foreign: unknown keys, types and shapes are normal, nothing is trusted to be there,
//! and large answers are walked rather than loaded as trees.

pub(crate) mod bulk;
pub(crate) mod field;
pub(crate) mod list;
pub(crate) mod record;
pub(crate) mod structure;
pub(crate) mod walk;

/// A shape for tests; its first field carries the external id.
#[cfg(test)]
pub(crate) fn shape_of(fields: &[(&str, &str)]) -> sync_core::port::RecordShape {
    let structure: Vec<_> = fields
        .iter()
        .map(|(slug, kind)| serde_json::json!({ "slug": slug, "field_type": kind }))
        .collect();
    let json = serde_json::json!({ "structure": structure }).to_string();
    let fields = structure::read(&json, "t1").unwrap().fields;
    let external_id = fields.first().unwrap().clone();
    sync_core::port::RecordShape {
        table: "t1".to_owned(),
        external_id,
        fields,
        on_create: Vec::new(),
        if_empty: Vec::new(),
    }
}
