//! From the tree to the sections of `raw`, reporting everything that does not fit and going on.

mod schema;
mod value;

pub use value::{Entries, OneOrMany, ValueMap};

use super::{
    diagnostic::Code,
    node::{Entry, Node},
    report::{Finding, Report},
    scalar::Scalar,
    span::Span,
    suggestion::nearest,
    words,
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

    /// How to write it.
    fn how() -> String {
        format!("write {}", Self::EXPECTED)
    }

    /// What to do where it is missing.
    fn add(key: &str) -> String {
        format!("add `{key}:` with {}", Self::EXPECTED)
    }

    /// What one of several is called.
    const ITEM: &'static str = "an entry";

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
    ($(#[$meta:meta])* $name:ident $(in a list $item:literal)? { $($(#[$field_meta:meta])* $key:literal $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* #[schemars(rename = $key)] pub $field: $type,)+
            #[schemars(skip)]
            written: Vec<&'static str>,
        }

        impl $name {
            /// The keys it knows, in the order of the reference.
            pub const KEYS: &'static [&'static str] = &[$($key),+];

            /// Whether the user wrote this key, even if its value could not be used.
            pub fn has(&self, key: &str) -> bool {
                self.written.contains(&key)
            }
        }

        impl Decode for $name {
            const EXPECTED: &'static str = "keys of its own";
            $(const ITEM: &'static str = $item;)?

            fn how() -> String {
                format!("write its keys below it, further to the right: {}", words::list(Self::KEYS))
            }

            fn add(key: &str) -> String {
                format!("add `{key}:` and below it, further to the right, {}", words::list(Self::KEYS))
            }

            fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
                let Node::Map { .. } = node else {
                    return report.wrong_type::<Self>(node, subject);
                };
                let section = Section::read(node, Self::KEYS, subject, report)?;
                Some(Self {
                    $($field: Key::take(&section, $key, report),)+
                    written: section.written(),
                })
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
        let Node::Map { span, entries: written } = node else { return None };
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

    pub(super) fn written(&self) -> Vec<&'static str> {
        self.entries.iter().map(|(key, _)| *key).collect()
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
        let has = |key: &str| section.entries.iter().any(|(name, _)| *name == key);
        // What a file includes has it.
        if !has(key) && !has("include") {
            let message = format!("{} has no `{key}`", section.name);
            report.add(
                Finding::new(Code::MissingKey, section.at, message)
                    .label(format!("`{key}` is missing here"))
                    .hint(T::add(key)),
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
    /// Says what stands there and what should. Always `None`, as there is nothing to go on with.
    pub(super) fn wrong_type<T: Decode>(&mut self, node: &Node, subject: Subject<'_>) -> Option<T> {
        let finding = if node.is_null() {
            Finding::new(Code::WrongType, subject.at, format!("{} has no value", subject.name))
        } else {
            let message =
                format!("{} takes {}, but {} stands here", subject.name, T::EXPECTED, node.kind());
            Finding::new(Code::WrongType, node.span()?, message)
        };
        self.add(finding.label(format!("expected {}", T::EXPECTED)).hint(T::how()));
        None
    }

    fn unknown_key(
        &mut self,
        key: &Scalar,
        meant: Option<&str>,
        keys: &[&str],
        subject: Subject<'_>,
    ) {
        let message = format!("`{}` is not a key of {}", key.shown(), subject.name);
        let hint = match (meant, super::raw::home_of(&key.text)) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(home)) => home,
            (None, None) => format!("its keys are {}", words::list(keys)),
        };
        self.add(Finding::new(Code::UnknownKey, key.span, message).label("unknown key").hint(hint));
    }
}
