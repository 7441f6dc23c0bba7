//! Hashes that tell a changed mapping from an unchanged one.

use std::fmt;

use super::family::type_name;
use crate::{
    config::model::{
        Conversion, DestinationDefinition, FieldMapping, LinkDefinition, SourceDefinition,
        Transformation, TypeOptions,
    },
    field_value::put_text,
    port::RecordShape,
};

/// First byte of every hash's input. Raise it when the rules of conversion change, so that every row is read again.
const RULES_VERSION: u8 = 1;

/// 16 bytes of BLAKE3; equal hashes mean that equal rows give equal drafts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MappingHash(pub [u8; 16]);

impl fmt::Display for MappingHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MappingHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of those parts of a definition that decide on values: mapping, types, options, key prefix, zone. Not of
/// the query, the key columns and the destination, whose changes have rules of their own; nor of names and order.
pub fn definition_hash(
    destination: &DestinationDefinition,
    source: &SourceDefinition,
) -> MappingHash {
    let mut bytes = vec![RULES_VERSION];
    put_text(&mut bytes, source.time_zone.as_deref().unwrap_or("UTC"));
    put_text(&mut bytes, &destination.key_prefix);
    let mut mappings: Vec<&FieldMapping> = destination.fields.iter().collect();
    mappings.sort_by(|a, b| (&a.slug, &a.column).cmp(&(&b.slug, &b.column)));
    for mapping in mappings {
        put_text(&mut bytes, &mapping.slug);
        put_text(&mut bytes, &mapping.column);
        put_conversion(&mut bytes, &mapping.conversion);
    }
    let mut links: Vec<&LinkDefinition> = destination.links.iter().collect();
    links.sort_by(|a, b| a.slug.cmp(&b.slug));
    for LinkDefinition { slug, parent, from, list, .. } in links {
        put_text(&mut bytes, "link");
        put_text(&mut bytes, slug);
        put_text(&mut bytes, parent);
        put_text(&mut bytes, &format!("{} {list}", from.len()));
        for column in from {
            put_text(&mut bytes, column);
        }
    }
    hashed(&bytes)
}

/// The hash of what the live table contributes to values: types, precision, choices, number of entries.
pub(super) fn shape_hash(shape: &RecordShape) -> MappingHash {
    let mut bytes = vec![RULES_VERSION];
    put_text(&mut bytes, &shape.external_id.slug);
    for field in &shape.fields {
        put_text(&mut bytes, &field.slug);
        put_text(&mut bytes, type_name(&field.kind));
        put_text(
            &mut bytes,
            &format!("{:?} {} {}", field.precision, field.multiple, field.required),
        );
        put_text(&mut bytes, &field.choices.len().to_string());
        for choice in &field.choices {
            put_text(&mut bytes, &choice.id);
            put_text(&mut bytes, &choice.label);
        }
    }
    hashed(&bytes)
}

fn put_conversion(out: &mut Vec<u8>, conversion: &Conversion) {
    match conversion {
        Conversion::Automatic => put_text(out, "automatic"),
        Conversion::Typed { kind, options } => {
            put_text(out, "typed");
            put_text(out, type_name(kind));
            put_options(out, options);
        }
        Conversion::Transformed(Transformation::Number { whole }) => {
            put_text(out, if *whole { "whole number" } else { "number" });
        }
        Conversion::Transformed(Transformation::Choice { value_map }) => {
            put_text(out, "choice");
            put_map(out, value_map);
        }
        Conversion::Transformed(Transformation::Date { format }) => {
            put_text(out, "date");
            put_text(out, format.as_deref().unwrap_or_default());
        }
    }
}

fn put_options(out: &mut Vec<u8>, options: &TypeOptions) {
    let TypeOptions { include_time, value_map, default_country, default_type } = options;
    put_text(out, &format!("{include_time:?} {default_type:?}"));
    put_text(out, default_country.as_deref().unwrap_or_default());
    put_map(out, value_map);
}

fn put_map(out: &mut Vec<u8>, map: &std::collections::BTreeMap<String, String>) {
    put_text(out, &map.len().to_string());
    for (source, target) in map {
        put_text(out, source);
        put_text(out, target);
    }
}

fn hashed(bytes: &[u8]) -> MappingHash {
    let mut short = [0; 16];
    short.copy_from_slice(blake3::hash(bytes).as_bytes().split_at(16).0);
    MappingHash(short)
}
