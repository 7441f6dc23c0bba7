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
    /// Labels of choices that `on_unknown: create` asks for; the row can be written once they are there.
    pub choices: Vec<String>,
    /// Whether the whole run must end: `on_unknown: error`.
    pub ends_run: bool,
}

impl RowFault {
    /// Whether the row can be written once something is added to SmartSuite, or looked up there.
    pub fn is_wish(&self) -> bool {
        matches!(self.code, FaultCode::ChoiceWanted | FaultCode::PersonWanted)
    }

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
            (None, Some(slug)) => write!(f, "field `{slug}`: ")?,
            (None, None) => {}
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
    /// A length of time that is no time of day.
    NotATimeOfDay,
    /// Not an IP address.
    NotAnIpAddress,
    /// Not a colour.
    NotAColor,
    /// A compound value with a part that the field does not have.
    PartUnknown,
    /// A zero or partial date, where the policy is quarantine.
    ZeroDate,
    /// Bytes that are no UUID.
    NotAUuid,
    /// Not a JSON document, where a part of one is mapped.
    NotJson,
    /// The expression has no value for this row.
    ExpressionFailed,
    /// A choice that is to be added to the field.
    ChoiceWanted,
    /// An e-mail address whose member is not known yet.
    PersonWanted,
    /// An e-mail address that no member has.
    PersonUnknown,
}

stable_codes!(FaultCode {
    Self::KeyNull => "key_null",
    Self::KeyUnsuitable => "key_unsuitable",
    Self::CellMissing => "cell_missing",
    Self::TypeUnsuitable => "type_unsuitable",
    Self::NotText => "not_text",
    Self::TextTooLong => "text_too_long",
    Self::NotANumber => "not_a_number",
    Self::NumberOutOfRange => "number_out_of_range",
    Self::NotYesOrNo => "not_yes_or_no",
    Self::ChoiceUnknown => "choice_unknown",
    Self::ChoiceAmbiguous => "choice_ambiguous",
    Self::TooManyEntries => "too_many_entries",
    Self::NotADate => "not_a_date",
    Self::DateOutOfRange => "date_out_of_range",
    Self::NotAnEmail => "not_an_email",
    Self::NotAPhone => "not_a_phone",
    Self::NotALink => "not_a_link",
    Self::NotAnId => "not_an_id",
    Self::NotATimeOfDay => "not_a_time_of_day",
    Self::NotAnIpAddress => "not_an_ip_address",
    Self::NotAColor => "not_a_color",
    Self::PartUnknown => "part_unknown",
    Self::ZeroDate => "zero_date",
    Self::NotAUuid => "not_a_uuid",
    Self::NotJson => "not_json",
    Self::ExpressionFailed => "expression_failed",
    Self::ChoiceWanted => "choice_wanted",
    Self::PersonWanted => "person_wanted",
    Self::PersonUnknown => "person_unknown",
    Self::RequiredEmpty => "required_empty",
});

impl FaultCode {
    /// What is wrong, in words.
    pub fn meaning(self) -> &'static str {
        self.texts().0
    }

    /// What a person should do next.
    pub fn remedy(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::KeyNull => (
                "the key is NULL",
                "leave such rows out in the query, or choose a key column that is always filled",
            ),
            Self::KeyUnsuitable => (
                "the value cannot be a key",
                "choose a key of whole numbers or text, or convert it with CAST(... AS CHAR)",
            ),
            Self::CellMissing => {
                ("the row ends before this column", "run again; if it stays, report it as a bug")
            }
            Self::TypeUnsuitable => (
                "a value of this type has no meaning in the field",
                "convert the column in the query, or map it to another field",
            ),
            Self::NotText => (
                "the bytes are not UTF-8 text",
                "convert the column in the query: HEX(...), TO_BASE64(...) or CONVERT(... USING utf8mb4)",
            ),
            Self::TextTooLong => {
                ("the text is longer than 64 KiB", "shorten it in the query, e.g. LEFT(..., 16000)")
            }
            Self::NotANumber => (
                "the value is not a number",
                "write plain digits with a point, without separators or units, or mend the row",
            ),
            Self::NumberOutOfRange => (
                "the number is outside the field's range",
                "bring it into the range in the query, e.g. LEAST(GREATEST(..., 0), 100)",
            ),
            Self::NotYesOrNo => (
                "the value is neither yes nor no",
                "return 1 or 0 from the query, e.g. `(status = 'open')`",
            ),
            Self::ChoiceUnknown => (
                "no choice of the field has this label or id",
                "add the choice in SmartSuite, or add the value to `value_map`",
            ),
            Self::ChoiceAmbiguous => (
                "several choices of the field have this label",
                "name the choice by its id in `value_map`, or make the labels differ in SmartSuite",
            ),
            Self::TooManyEntries => (
                "the field takes one entry, the value has several",
                "allow multiple entries in the field's settings, or return one entry from the query",
            ),
            Self::NotADate => (
                "the value is not a date",
                "return a DATE or DATETIME from the query, e.g. with STR_TO_DATE(...), or mend the row",
            ),
            Self::DateOutOfRange => (
                "the date lies beyond the years that can be kept",
                "return NULL for dates that mean `for ever`, e.g. NULLIF(..., '9999-12-31')",
            ),
            Self::NotAnEmail => (
                "the value is not an e-mail address",
                "mend the row, or map the column to a text field",
            ),
            Self::NotAPhone => (
                "the value is not a telephone number",
                "mend the row, or map the column to a text field",
            ),
            Self::NotALink => (
                "the value is not a web address",
                "mend the row (a space is written %20), or complete it in the query: CONCAT('https://...', ...)",
            ),
            Self::NotAnId => (
                "the value is not a SmartSuite id of 24 hexadecimal digits",
                "return SmartSuite's own ids from the query (for people: their e-mail addresses), or map the column to \
                 a text field",
            ),
            Self::NotATimeOfDay => (
                "the value is not a time of day",
                "return a time from 00:00:00 to 23:59:59, or map the column to a duration field",
            ),
            Self::NotAnIpAddress => (
                "the value is not an IP address",
                "return its text from the query, e.g. INET6_NTOA(...), or mend the row",
            ),
            Self::NotAColor => {
                ("the value is not a colour", "write it as #RRGGBB, or mend the row")
            }
            Self::PartUnknown => (
                "the value has a part that the field does not have",
                "name the parts as the manual lists them, or map them one by one with `parts`",
            ),
            Self::ZeroDate => (
                "the value is a zero or partial date",
                "mend the row, or set `zero_date` to `empty` or to a date",
            ),
            Self::NotAUuid => (
                "the value has not the 16 bytes of a UUID",
                "set `binary: hex` or `binary: base64`, or mend the row",
            ),
            Self::NotJson => (
                "the value is not a JSON document",
                "mend the row, or leave such rows' value out in the query: IF(JSON_VALID(...), ..., NULL)",
            ),
            Self::ExpressionFailed => (
                "the expression has no value for this row",
                "guard it, e.g. `if(count = 0, null, total / count)`, or mend the row",
            ),
            Self::ChoiceWanted => (
                "the choice is to be added to the field and could not be yet",
                "it is tried again by itself; else add the choice in SmartSuite",
            ),
            Self::PersonWanted => {
                ("the members of the workspace are not known yet", "it is tried again by itself")
            }
            Self::PersonUnknown => (
                "no member of the workspace has this e-mail address",
                "invite the person, mend the row, or set `on_unknown: blank`",
            ),
            Self::RequiredEmpty => (
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
    choices: Vec<String>,
    ends_run: bool,
}

impl Refusal {
    /// What is wrong.
    pub(super) fn code(&self) -> FaultCode {
        self.code
    }

    /// With the code's own words.
    pub(super) fn new(code: FaultCode) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(code.meaning()),
            excerpt: Quoted::default(),
            choices: Vec::new(),
            ends_run: false,
        }
    }

    /// Asks for choices to be added.
    pub(super) fn wanting(choices: Vec<String>) -> Self {
        Self { choices, ..Self::new(FaultCode::ChoiceWanted) }
    }

    /// Ends the run.
    pub(super) fn ending_the_run(mut self) -> Self {
        self.ends_run = true;
        self
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

    /// About a key column.
    pub(super) fn at(self, key: Option<Key>, column: &str, slug: Option<&Slug>) -> RowFault {
        RowFault { column: Some(column.to_owned()), slug: slug.cloned(), ..self.placed(key) }
    }

    /// About a field, and the column that fills it, if it is one.
    pub(super) fn of_field(self, key: Option<Key>, column: Option<&str>, slug: &Slug) -> RowFault {
        RowFault { column: column.map(str::to_owned), slug: Some(slug.clone()), ..self.placed(key) }
    }

    fn placed(self, key: Option<Key>) -> RowFault {
        RowFault {
            key,
            column: None,
            slug: None,
            code: self.code,
            reason: self.reason,
            excerpt: self.excerpt,
            choices: self.choices,
            ends_run: self.ends_run,
        }
    }
}
