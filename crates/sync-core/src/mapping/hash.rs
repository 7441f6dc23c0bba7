//! Hashes that tell a changed mapping from an unchanged one.

use std::fmt;

use crate::{
    config::model::{
        Conversion, DestinationDefinition, FieldMapping, LinkDefinition, OnUnknown, Origin,
        Secrecy, SourceDefinition, Transformation, Treatment, TypeOptions, WriteMode, WritePolicy,
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
    mappings.sort_by_key(|mapping| (&mapping.slug, mapping.columns()));
    for mapping in mappings {
        put_text(&mut bytes, &mapping.slug);
        put_origin(&mut bytes, &mapping.origin);
        put_conversion(&mut bytes, &mapping.conversion);
        // Nothing for what says nothing, so that a mapping without it keeps its hash.
        if mapping.treatment != Treatment::default() {
            put_treatment(&mut bytes, &mapping.treatment);
        }
        if mapping.write != WritePolicy::Always {
            put_text(&mut bytes, &format!("{:?}", mapping.write));
        }
    }
    match destination.mode {
        WriteMode::Upsert => {}
        WriteMode::CreateOnly => put_text(&mut bytes, "create only"),
        WriteMode::UpdateOnly => put_text(&mut bytes, "update only"),
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
    for field in shape.fields.iter().chain(&shape.on_create).chain(&shape.if_empty) {
        put_text(&mut bytes, &field.slug);
        put_text(&mut bytes, field.kind.name());
        put_text(
            &mut bytes,
            &format!("{:?} {} {}", field.precision, field.multiple, field.required),
        );
        let bounds = [&field.range.least, &field.range.greatest];
        let bounds = bounds.map(|bound| bound.as_ref().map(ToString::to_string));
        put_text(&mut bytes, &format!("{bounds:?} {:?}", field.length_max));
        put_text(&mut bytes, &field.choices.len().to_string());
        for choice in &field.choices {
            put_text(&mut bytes, &choice.id);
            put_text(&mut bytes, &choice.label);
        }
    }
    hashed(&bytes)
}

fn put_origin(out: &mut Vec<u8>, origin: &Origin) {
    match origin {
        Origin::Column { name, path } => {
            put_text(out, name);
            if let Some(path) = path {
                put_text(out, "path");
                put_text(out, path.text());
            }
        }
        Origin::Computed(expression) => {
            put_text(out, if expression.is_template() { "template" } else { "expression" });
            put_text(out, expression.text());
        }
        Origin::Parts(parts) => {
            put_text(out, "parts");
            for (name, part) in parts {
                put_text(out, name);
                put_text(out, part.text());
            }
        }
    }
}

fn put_treatment(out: &mut Vec<u8>, treatment: &Treatment) {
    let Treatment { zero_date, binary, trim, default, secrecy, length_max, cut } = treatment;
    put_text(out, &format!("{zero_date:?} {binary:?} {trim} {default:?} {length_max:?} {cut}"));
    match secrecy {
        None => {}
        Some(Secrecy::Mask { shown }) => put_text(out, &format!("mask {shown}")),
        // The key's own hash: who reads the state must not learn it.
        Some(Secrecy::Hash(key)) => put_text(out, &blake3::hash(key).to_hex()),
    }
}

fn put_conversion(out: &mut Vec<u8>, conversion: &Conversion) {
    match conversion {
        Conversion::Automatic => put_text(out, "automatic"),
        Conversion::Typed { kind, options } => {
            put_text(out, "typed");
            put_text(out, kind.name());
            put_options(out, options);
        }
        Conversion::Options(options) => {
            put_text(out, "options");
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
    let TypeOptions { include_time, value_map, on_unknown, default_country, default_type } =
        options;
    put_text(out, &format!("{include_time:?} {default_type:?}"));
    if *on_unknown != OnUnknown::default() {
        put_text(out, &format!("{on_unknown:?}"));
    }
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
