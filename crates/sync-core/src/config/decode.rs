//! From the tree to the sections of `raw`, reporting everything that does not fit and going on.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    diagnostic::{Code, Finding, Report},
    node::{Entry, Node, boolean},
    scalar::Scalar,
    span::Span,
    suggestion::nearest,
};

/// A value the user gave, with the place of its key and its own.
#[derive(Clone, Debug)]
pub struct Given<T> {
    /// Of the key; of the item itself in a list.
    pub key: Span,
    /// Of the value.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// A key that must be there. Empty when it was missing or unusable, which is then reported.
#[derive(Clone, Debug)]
pub struct Required<T>(pub Option<Given<T>>);

/// A mapping whose keys the user chooses, in the file's order.
#[derive(Clone, Debug)]
pub struct Entries<T>(pub Vec<(Scalar, Given<T>)>);

/// One text, or a list of texts.
#[derive(Clone, Debug)]
pub struct OneOrMany(pub Vec<Scalar>);

/// Source texts to choices.
#[derive(Clone, Debug)]
pub struct ValueMap(pub Vec<(Scalar, Scalar)>);

/// What is being read, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'s> {
    /// In words, literals in backticks.
    pub(super) name: &'s str,
    /// Where to point when the value itself has no place.
    pub(super) at: Span,
}

/// A type that a value of the file can be read as.
pub(super) trait Decode: Sized {
    /// What the user should have written, in words.
    const EXPECTED: &'static str;

    /// Whether a key without a value counts as not given.
    const EMPTY_IS_ABSENT: bool = true;

    /// `None`: it does not fit, and that is reported.
    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self>;
}

/// A key of a section: required or optional.
pub(super) trait Key: Sized {
    fn take(section: &Section<'_>, key: &'static str, report: &mut Report<'_>) -> Self;
}

/// Declares a section of the file once: its keys with their types and documentation are the structure, the JSON
/// schema, the reference page, and what is accepted.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $key:literal $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* #[schemars(rename = $key)] pub $field: $type,)+
        }

        impl $name {
            /// The keys it knows, in the order of the reference.
            pub const KEYS: &'static [&'static str] = &[$($key),+];
        }

        impl Decode for $name {
            const EXPECTED: &'static str = "a mapping";

            fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
                let section = Section::read(node, Self::KEYS, subject, report)?;
                Some(Self { $($field: Key::take(&section, $key, report),)+ })
            }
        }
    };
}
pub(super) use section;

/// The entries of a mapping whose keys are known.
pub(super) struct Section<'n> {
    name: String,
    at: Span,
    entries: Vec<(&'static str, &'n Entry)>,
}

impl<'n> Section<'n> {
    /// Reports unknown keys. One that is a misspelt known key is then read as that, so that what is wrong inside it
    /// is reported too, and the known key is not called missing.
    pub(super) fn read(
        node: &'n Node,
        keys: &'static [&'static str],
        subject: Subject<'_>,
        report: &mut Report<'_>,
    ) -> Option<Self> {
        let Node::Map { span, entries: written } = node else {
            report.wrong_type(node, "a mapping", subject);
            return None;
        };
        let known = |entry: &Entry| keys.iter().find(|key| **key == entry.key.text).copied();
        let mut entries: Vec<_> =
            written.iter().filter_map(|entry| Some((known(entry)?, entry))).collect();
        for entry in written.iter().filter(|entry| known(entry).is_none()) {
            let free: Vec<_> = keys
                .iter()
                .copied()
                .filter(|key| !entries.iter().any(|(taken, _)| taken == key))
                .collect();
            let meant = nearest(&entry.key.text, free.iter().copied());
            report.unknown_key(&entry.key, meant, keys, subject);
            entries.extend(meant.map(|key| (key, entry)));
        }
        let at = if subject.at.start < subject.at.end { subject.at } else { *span };
        Some(Self { name: subject.name.to_owned(), at, entries })
    }

    fn given<T: Decode>(&self, key: &'static str, report: &mut Report<'_>) -> Option<Given<T>> {
        let (_, entry) = self.entries.iter().find(|(name, _)| *name == key)?;
        let name = format!("`{}`", entry.key.shown());
        let subject = Subject { name: &name, at: entry.key.span };
        decode_given(&entry.value, entry.key.span, subject, report)
    }
}

/// Reads a value together with its place.
fn decode_given<T: Decode>(
    node: &Node,
    key: Span,
    subject: Subject<'_>,
    report: &mut Report<'_>,
) -> Option<Given<T>> {
    let value = T::decode(node, subject, report)?;
    Some(Given { key, span: node.span().unwrap_or(key), value })
}

impl<T: Decode> Key for Required<T> {
    fn take(section: &Section<'_>, key: &'static str, report: &mut Report<'_>) -> Self {
        if !section.entries.iter().any(|(name, _)| *name == key) {
            let message = format!("{} has no `{key}`", section.name);
            report.add(
                Finding::new(Code::MissingKey, section.at, message)
                    .label(format!("`{key}` is missing here"))
                    .hint(format!("add `{key}:` with {}", T::EXPECTED)),
            );
        }
        Self(section.given(key, report))
    }
}

impl<T: Decode> Key for Option<Given<T>> {
    fn take(section: &Section<'_>, key: &'static str, report: &mut Report<'_>) -> Self {
        let (_, entry) = section.entries.iter().find(|(name, _)| *name == key)?;
        if T::EMPTY_IS_ABSENT && entry.value.is_null() {
            return None;
        }
        section.given(key, report)
    }
}

impl Report<'_> {
    /// Says what stands there and what should.
    pub(super) fn wrong_type(&mut self, node: &Node, expected: &str, subject: Subject<'_>) {
        let Some(span) = node.span() else { return };
        let finding = if node.is_null() {
            Finding::new(Code::WrongType, subject.at, format!("{} has no value", subject.name))
                .hint(format!("write {expected} after it"))
        } else {
            let message =
                format!("{} takes {expected}, but {} stands here", subject.name, node.kind());
            Finding::new(Code::WrongType, span, message).label(format!("not {expected}"))
        };
        self.add(finding);
    }

    fn unknown_key(
        &mut self,
        key: &Scalar,
        meant: Option<&str>,
        keys: &[&str],
        subject: Subject<'_>,
    ) {
        let message = format!("{} knows no key `{}`", subject.name, key.shown());
        let finding = Finding::new(Code::UnknownKey, key.span, message);
        self.add(match meant {
            Some(meant) => finding
                .label(format!("did you mean `{meant}`?"))
                .hint(format!("write `{meant}:` instead")),
            None => {
                finding.label("not known here").hint(super::raw::home_of(&key.text).unwrap_or_else(
                    || format!("the keys known here are {}", super::words::list(keys)),
                ))
            }
        });
    }
}

impl Decode for Scalar {
    const EXPECTED: &'static str = "text";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = node.text().cloned();
        if text.is_none() {
            report.wrong_type(node, Self::EXPECTED, subject);
        }
        text
    }
}

impl Decode for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    const EMPTY_IS_ABSENT: Self = false;

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let value = node.typed().and_then(boolean);
        if value.is_none() {
            report.wrong_type(node, Self::EXPECTED, subject);
        }
        value
    }
}

impl Decode for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let value = node.typed().and_then(|text| text.parse().ok());
        if value.is_none() {
            report.wrong_type(node, Self::EXPECTED, subject);
        }
        value
    }
}

impl<T: Decode> Decode for Vec<Given<T>> {
    const EXPECTED: &'static str = "a list";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::List { items, .. } = node else {
            report.wrong_type(node, Self::EXPECTED, subject);
            return None;
        };
        let name = format!("an entry of {}", subject.name);
        let mut out = Self::new();
        for item in items {
            let at = item.span().unwrap_or(subject.at);
            let at = if at.start < at.end { at } else { subject.at };
            out.extend(decode_given(item, at, Subject { name: &name, at }, report));
        }
        Some(out)
    }
}

impl<T: Decode> Decode for Entries<T> {
    const EXPECTED: &'static str = "a mapping";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::Map { entries, .. } = node else {
            report.wrong_type(node, Self::EXPECTED, subject);
            return None;
        };
        let mut out = Vec::new();
        for Entry { key, value } in entries {
            let name = format!("`{}`", key.shown());
            let subject = Subject { name: &name, at: key.span };
            let given = decode_given(value, key.span, subject, report);
            out.extend(given.map(|given| (key.clone(), given)));
        }
        Some(Self(out))
    }
}

impl Decode for OneOrMany {
    const EXPECTED: &'static str = "a column, or a list of columns";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        if let Some(scalar) = node.text() {
            return Some(Self(vec![scalar.clone()]));
        }
        if matches!(node, Node::List { .. }) {
            let items = Vec::<Given<Scalar>>::decode(node, subject, report)?;
            return Some(Self(items.into_iter().map(|item| item.value).collect()));
        }
        report.wrong_type(node, Self::EXPECTED, subject);
        None
    }
}

impl Decode for ValueMap {
    const EXPECTED: &'static str = "a mapping of source texts to choices";

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::Map { entries, .. } = node else {
            report.wrong_type(node, Self::EXPECTED, subject);
            return None;
        };
        let mut out = Vec::new();
        for Entry { key, value } in entries {
            if key.is_null() {
                report.add(
                    Finding::new(Code::BadValueMap, key.span, "NULL cannot be mapped to a choice")
                        .hint("remove this line: NULL always clears the field; quote the key if the text is meant"),
                );
                continue;
            }
            if let Some(target) = value.text() {
                out.push((key.clone(), target.clone()));
            } else if let Some(span) = value.span() {
                let span = if value.is_null() { key.span } else { span };
                let message = format!("`{}` is mapped to {}", key.shown(), value.kind());
                report.add(
                    Finding::new(Code::BadValueMap, span, message)
                        .label("not the label or id of a choice")
                        .hint("write one label or id after each source text"),
                );
            }
        }
        Some(Self(out))
    }
}

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
schema_of!([T] Entries<T> => std::collections::BTreeMap<String, T>);
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
