//! How the types of the file appear in the JSON schema.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Entries, Given, OneOrMany, Required, ValueMap};
use crate::config::scalar::Scalar;

/// In the schema a given value is just the value, and a scalar is a text that editors may show unquoted.
macro_rules! schema_of {
    ([$($generic:ident)?] $type:ty => $inner:ty) => {
        impl$(<$generic: JsonSchema>)? JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> { <$inner>::schema_name() }
            fn schema_id() -> Cow<'static, str> { <$inner>::schema_id() }
            fn inline_schema() -> bool { <$inner>::inline_schema() }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema { <$inner>::json_schema(generator) }
        }
    };
}

schema_of!([T] Given<T> => T);
schema_of!([T] Required<T> => T);
schema_of!([T] Entries<T> => BTreeMap<String, T>);
schema_of!([] Scalar => String);

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"], "minLength": 1, "items": {"type": "string"}, "minItems": 1
        })
    }
}

impl JsonSchema for ValueMap {
    fn schema_name() -> Cow<'static, str> {
        "ValueMap".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}
        })
    }
}
