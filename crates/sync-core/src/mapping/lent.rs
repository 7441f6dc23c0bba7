//! What a cell comes to, lent from the cell or from the rule as long as that can be: most rows turn out unchanged, and of
//! these nothing but canonical bytes is wanted.

use std::borrow::Cow;

use crate::{
    field_value::{self, FieldValue},
    value::Decimal,
};

/// A field's value that need not be its own.
pub(super) enum Lent<'v> {
    /// A text; the empty one is [`FieldValue::Empty`].
    Text(Cow<'v, str>),
    /// A choice, by its id.
    Choice(&'v str),
    /// A number.
    Number(Cow<'v, Decimal>),
    /// Any value.
    Own(FieldValue),
}

impl Lent<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Choice(_) | Self::Number(_) => false,
            Self::Own(value) => *value == FieldValue::Empty,
        }
    }

    /// [`FieldValue::canonical_bytes`] of [`Lent::into_own`].
    pub(super) fn canonical_bytes(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) if text.is_empty() => FieldValue::Empty.canonical_bytes(out),
            Self::Text(text) => field_value::put_text_value(out, text),
            Self::Choice(id) => field_value::put_choice(out, id),
            Self::Number(number) => field_value::put_number(out, number),
            Self::Own(value) => value.canonical_bytes(out),
        }
    }

    pub(super) fn into_own(self) -> FieldValue {
        match self {
            Self::Text(text) => FieldValue::text(text),
            Self::Choice(id) => FieldValue::Choice(id.to_owned()),
            Self::Number(number) => FieldValue::Number(number.into_owned()),
            Self::Own(value) => value,
        }
    }
}
