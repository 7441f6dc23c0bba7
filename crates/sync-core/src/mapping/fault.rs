//! Why a row cannot become a record.

use std::{borrow::Cow, fmt};

use crate::{error::Quoted, key::Key, slug::Slug};

/// Most characters of an offending value that are kept for the person who must mend it.
const EXCERPT_CHARACTERS_MAX: usize = 120;

/// One row that cannot be written, and what to do about it. It harms no other row.
///
/// `Display` never shows a row's value or key; [`RowFault::excerpt`] does, for the commands made to show rows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct RowFault {
    /// The row's key, unless the key is what is wrong.
    pub key: Option<Key>,
    /// The source column at fault.
    pub column: Option<String>,
    /// The field it was meant for; `None` if the key is at fault.
    pub slug: Option<Slug>,
    /// What is wrong, for machines.
    pub code: FaultCode,
    /// What is wrong, in words, without the value.
    pub reason: Cow<'static, str>,
    /// The beginning of the offending value, as text.
    pub excerpt: Quoted,
}

impl RowFault {
    /// What a person should do next.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.column, &self.slug) {
            (Some(column), Some(slug)) => write!(f, "column `{column}` into field `{slug}`: ")?,
            (Some(column), None) => write!(f, "column `{column}`: ")?,
            (None, _) => {}
        }
        f.write_str(&self.reason)
    }
}

/// The kinds of [`RowFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultCode {
    /// A key column is NULL.
    KeyNull,
    /// A key column holds a type whose text is not exact.
    KeyUnsuitable,
    /// The row has fewer cells than its read has columns.
    CellMissing,
    /// A value of this type has no meaning in the field.
    TypeUnsuitable,
    /// Bytes that are not UTF-8 text.
    NotText,
    /// More than 64 KiB.
    TextTooLong,
    /// Not a number.
    NotANumber,
    /// A number outside the field's range.
    NumberOutOfRange,
    /// Neither yes nor no.
    NotYesOrNo,
    /// No choice has this label or id.
    ChoiceUnknown,
    /// Several choices have this label.
    ChoiceAmbiguous,
    /// More entries than the field takes.
    TooManyEntries,
    /// Not a date.
    NotADate,
    /// A date beyond the years that can be kept.
    DateOutOfRange,
    /// Not an e-mail address.
    NotAnEmail,
    /// Not a telephone number.
    NotAPhone,
    /// Not a web address.
    NotALink,
    /// Not a SmartSuite id.
    NotAnId,
    /// Nothing, for a field that SmartSuite demands.
    RequiredEmpty,
}

impl FaultCode {
    /// Every code, for documents and tests.
    pub const ALL: [Self; 19] = [
        Self::KeyNull,
        Self::KeyUnsuitable,
        Self::CellMissing,
        Self::TypeUnsuitable,
        Self::NotText,
        Self::TextTooLong,
        Self::NotANumber,
        Self::NumberOutOfRange,
        Self::NotYesOrNo,
        Self::ChoiceUnknown,
        Self::ChoiceAmbiguous,
        Self::TooManyEntries,
        Self::NotADate,
        Self::DateOutOfRange,
        Self::NotAnEmail,
        Self::NotAPhone,
        Self::NotALink,
        Self::NotAnId,
        Self::RequiredEmpty,
    ];

    /// A stable code for machines, logs and the manual.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    /// What is wrong, in words.
    pub fn meaning(self) -> &'static str {
        self.texts().1
    }

    /// What a person should do next.
    pub fn remedy(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::KeyNull => (
                "key_null",
                "the key is NULL",
                "leave such rows out in the query, or choose a key column that is always filled",
            ),
            Self::KeyUnsuitable => (
                "key_unsuitable",
                "the value cannot be a key",
                "choose a key of whole numbers or text, or convert it with CAST(... AS CHAR)",
            ),
            Self::CellMissing => (
                "cell_missing",
                "the row ends before this column",
                "run again; if it stays, report it as a bug",
            ),
            Self::TypeUnsuitable => (
                "type_unsuitable",
                "a value of this type has no meaning in the field",
                "convert the column in the query, or map it to another field",
            ),
            Self::NotText => (
                "not_text",
                "the bytes are not UTF-8 text",
                "convert the column in the query: HEX(...), TO_BASE64(...) or CONVERT(... USING utf8mb4)",
            ),
            Self::TextTooLong => (
                "text_too_long",
                "the text is longer than 64 KiB",
                "shorten it in the query, e.g. LEFT(..., 16000)",
            ),
            Self::NotANumber => (
                "not_a_number",
                "the value is not a number",
                "write plain digits with a point, without separators or units, or mend the row",
            ),
            Self::NumberOutOfRange => (
                "number_out_of_range",
                "the number is outside the field's range",
                "bring it into the range in the query, e.g. LEAST(GREATEST(..., 0), 100)",
            ),
            Self::NotYesOrNo => (
                "not_yes_or_no",
                "the value is neither yes nor no",
                "return 1 or 0 from the query, e.g. `(status = 'open')`",
            ),
            Self::ChoiceUnknown => (
                "choice_unknown",
                "no choice of the field has this label or id",
                "add the choice in SmartSuite, or add the value to `value_map`",
            ),
            Self::ChoiceAmbiguous => (
                "choice_ambiguous",
                "several choices of the field have this label",
                "name the choice by its id in `value_map`, or make the labels differ in SmartSuite",
            ),
            Self::TooManyEntries => (
                "too_many_entries",
                "the field takes one entry, the value has several",
                "allow multiple entries in the field's settings, or return one entry from the query",
            ),
            Self::NotADate => (
                "not_a_date",
                "the value is not a date",
                "return a DATE or DATETIME from the query, e.g. with STR_TO_DATE(...), or mend the row",
            ),
            Self::DateOutOfRange => (
                "date_out_of_range",
                "the date lies beyond the years that can be kept",
                "return NULL for dates that mean `for ever`, e.g. NULLIF(..., '9999-12-31')",
            ),
            Self::NotAnEmail => (
                "not_an_email",
                "the value is not an e-mail address",
                "mend the row, or map the column to a text field",
            ),
            Self::NotAPhone => (
                "not_a_phone",
                "the value is not a telephone number",
                "mend the row, or map the column to a text field",
            ),
            Self::NotALink => (
                "not_a_link",
                "the value is not a web address",
                "mend the row (a space is written %20), or complete it in the query: CONCAT('https://...', ...)",
            ),
            Self::NotAnId => (
                "not_an_id",
                "the value is not a SmartSuite id of 24 hexadecimal digits",
                "return SmartSuite's own ids from the query, or map the column to a text field",
            ),
            Self::RequiredEmpty => (
                "required_empty",
                "SmartSuite demands a value for this field and the row has none",
                "return a default from the query, e.g. COALESCE(..., 'unknown'), or make the field optional",
            ),
        }
    }
}

/// Why one value is not taken; becomes a [`RowFault`] once column, field and key are known.
#[derive(Debug)]
pub(super) struct Refusal {
    code: FaultCode,
    reason: Cow<'static, str>,
    excerpt: Quoted,
}

impl Refusal {
    /// With the code's own words.
    pub(super) fn new(code: FaultCode) -> Self {
        Self { code, reason: Cow::Borrowed(code.meaning()), excerpt: Quoted::default() }
    }

    /// A value of `kind` where the field means something else.
    pub(super) fn unsuitable(kind: &'static str, field: &'static str) -> Self {
        Self::new(FaultCode::TypeUnsuitable).because(format!("{kind} cannot become {field}"))
    }

    /// In other words, which must not hold the value.
    pub(super) fn because(mut self, reason: String) -> Self {
        self.reason = Cow::Owned(reason);
        self
    }

    /// Keeps the beginning of the offending text.
    pub(super) fn about(mut self, text: &str) -> Self {
        self.excerpt = Quoted(text.chars().take(EXCERPT_CHARACTERS_MAX).collect());
        self
    }

    /// With its place.
    pub(super) fn at(self, key: Option<Key>, column: &str, slug: Option<&Slug>) -> RowFault {
        RowFault {
            key,
            column: Some(column.to_owned()),
            slug: slug.cloned(),
            code: self.code,
            reason: self.reason,
            excerpt: self.excerpt,
        }
    }
}
