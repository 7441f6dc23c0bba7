//! What is wrong, or worth knowing, about a mapping as a whole.

use crate::slug::Slug;

/// One disagreement between a sync's definition and the two live schemas. Names columns, fields and labels, never a
/// row's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is, for machines; decides the severity.
    pub code: FindingCode,
    /// What it is, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The source column it is about.
    pub column: Option<String>,
    /// The field it is about.
    pub slug: Option<Slug>,
}

impl Finding {
    /// A finding about the mapping as a whole; narrow it with the methods below.
    pub(super) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, column: None, slug: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    pub(super) fn slug(mut self, slug: &Slug) -> Self {
        self.slug = Some(Slug::clone(slug));
        self
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// How grave a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Works, but perhaps not as meant.
    Warning,
    /// Rows cannot be written as the definition says.
    Error,
}

/// The kinds of [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCode {
    /// The read does not return a mapped column.
    ColumnMissing,
    /// The read returns two columns of one name.
    ColumnAmbiguous,
    /// The read does not return a key column.
    KeyColumnMissing,
    /// A key column's type is not exact (FLOAT, DOUBLE) or has no text (JSON, SET, TIME, GEOMETRY).
    KeyColumnUnsuitable,
    /// A key column may be NULL.
    KeyColumnNullable,
    /// The table has no field of this slug.
    SlugUnknown,
    /// SmartSuite computes the field; it is left out.
    FieldReadOnly,
    /// The field's type cannot be written yet.
    FieldTypeUnsupported,
    /// The table has no field of the external id's slug.
    ExternalIdFieldUnknown,
    /// The external-id field cannot carry these keys.
    ExternalIdFieldUnsuitable,
    /// A column other than the key is mapped onto the external-id field.
    ExternalIdFieldTaken,
    /// The declared type and the field's type do not go together.
    TypeMismatch,
    /// The declared type is not the field's, but its values fit.
    TypeDiffers,
    /// No value of the column could ever become a value of the field.
    ColumnTypeMisfit,
    /// A `value_map` target is no choice of the field. Only rows with that value fail.
    ValueMapTargetUnknown,
    /// The field has no choices, or none that can be read.
    ChoicesMissing,
    /// The declared zone does not exist.
    TimeZoneUnknown,
    /// A wall-clock time becomes an instant, and no zone is declared.
    TimeZoneMissing,
    /// The `format` of a date is no strftime pattern.
    DatePatternInvalid,
    /// The column has more digits behind the point than the field keeps.
    PrecisionLoss,
    /// SmartSuite demands a value for a field that nothing is mapped to.
    RequiredFieldUnmapped,
    /// The field by which records are archived is not there, cannot be set, or does not take the value.
    ArchiveFieldUnusable,
    /// Telephone numbers without a country code are taken as US numbers.
    PhoneCountryMissing,
    /// `default_country` is no country.
    PhoneCountryUnknown,
    /// A link's column cannot hold the other row's key.
    LinkColumnUnsuitable,
    /// The field of a link is no linked-record field.
    LinkFieldUnsuitable,
    /// The field links to another table than the one that the named sync writes.
    LinkTableDiffers,
    /// An expression does not go with its columns.
    ExpressionUnfit,
    /// A constant or a default does not fit its field.
    ConstantUnfit,
    /// `parts` names a part that the field's type does not have, or the type has none.
    PartUnknown,
    /// An option means nothing for the field's type.
    OptionUnused,
    /// The field takes shorter texts than `max_length` allows, or cannot take `max_length` at all.
    LengthUnfit,
    /// A word of an ENUM or SET is no choice of the field. Only rows that hold it are refused.
    WordWithoutChoice,
    /// The table holds as many fields as SmartSuite allows, and the sync would add some.
    TableFull,
    /// The rows would be more records than the workspace's plan allows a table, or a solution.
    PlanTooSmall,
    /// `match_on` names a field by which no record can be found.
    MatchFieldUnsuitable,
    /// `write: if_empty` for a field of which nobody can see whether it is empty.
    WriteUnsuitable,
}

stable_codes!(FindingCode {
    Self::ColumnMissing => "column_missing",
    Self::ColumnAmbiguous => "column_ambiguous",
    Self::KeyColumnMissing => "key_column_missing",
    Self::KeyColumnUnsuitable => "key_column_unsuitable",
    Self::KeyColumnNullable => "key_column_nullable",
    Self::SlugUnknown => "slug_unknown",
    Self::FieldReadOnly => "field_read_only",
    Self::FieldTypeUnsupported => "field_type_unsupported",
    Self::ExternalIdFieldUnknown => "external_id_field_unknown",
    Self::ExternalIdFieldUnsuitable => "external_id_field_unsuitable",
    Self::ExternalIdFieldTaken => "external_id_field_taken",
    Self::TypeMismatch => "type_mismatch",
    Self::TypeDiffers => "type_differs",
    Self::ColumnTypeMisfit => "column_type_misfit",
    Self::ValueMapTargetUnknown => "value_map_target_unknown",
    Self::ChoicesMissing => "choices_missing",
    Self::TimeZoneUnknown => "time_zone_unknown",
    Self::TimeZoneMissing => "time_zone_missing",
    Self::DatePatternInvalid => "date_pattern_invalid",
    Self::PrecisionLoss => "precision_loss",
    Self::RequiredFieldUnmapped => "required_field_unmapped",
    Self::ArchiveFieldUnusable => "archive_field_unusable",
    Self::PhoneCountryMissing => "phone_country_missing",
    Self::PhoneCountryUnknown => "phone_country_unknown",
    Self::LinkColumnUnsuitable => "link_column_unsuitable",
    Self::LinkFieldUnsuitable => "link_field_unsuitable",
    Self::LinkTableDiffers => "link_table_differs",
    Self::ExpressionUnfit => "expression_unfit",
    Self::ConstantUnfit => "constant_unfit",
    Self::PartUnknown => "part_unknown",
    Self::OptionUnused => "option_unused",
    Self::LengthUnfit => "length_unfit",
    Self::WordWithoutChoice => "word_without_choice",
    Self::TableFull => "table_full",
    Self::PlanTooSmall => "plan_too_small",
    Self::MatchFieldUnsuitable => "match_field_unsuitable",
    Self::WriteUnsuitable => "write_unsuitable",
});

impl FindingCode {
    /// How grave it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::ColumnMissing
            | Self::ColumnAmbiguous
            | Self::KeyColumnMissing
            | Self::KeyColumnUnsuitable
            | Self::SlugUnknown
            | Self::FieldTypeUnsupported
            | Self::ExternalIdFieldUnknown
            | Self::ExternalIdFieldUnsuitable
            | Self::ExternalIdFieldTaken
            | Self::TypeMismatch
            | Self::ColumnTypeMisfit
            | Self::ValueMapTargetUnknown
            | Self::TimeZoneUnknown
            | Self::DatePatternInvalid
            | Self::PhoneCountryUnknown
            | Self::ExpressionUnfit
            | Self::ConstantUnfit
            | Self::PartUnknown
            | Self::MatchFieldUnsuitable
            | Self::WriteUnsuitable
            | Self::ArchiveFieldUnusable
            | Self::LinkColumnUnsuitable
            | Self::LinkFieldUnsuitable
            | Self::LinkTableDiffers => Severity::Error,
            Self::FieldReadOnly
            | Self::TypeDiffers
            | Self::ChoicesMissing
            | Self::TimeZoneMissing
            | Self::PrecisionLoss
            | Self::RequiredFieldUnmapped
            | Self::PhoneCountryMissing
            | Self::OptionUnused
            | Self::WordWithoutChoice
            | Self::TableFull
            | Self::PlanTooSmall
            | Self::LengthUnfit => Severity::Warning,
            Self::KeyColumnNullable => Severity::Note,
        }
    }

    /// Whether no row can be mapped while it stands. An unknown `value_map` target is an error of the definition,
    /// but harms only the rows that hold its value.
    pub fn blocks(self) -> bool {
        self.severity() == Severity::Error && self != Self::ValueMapTargetUnknown
    }
}
