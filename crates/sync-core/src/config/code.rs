//! The codes of diagnostics.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; a person should look.
    Warning,
    /// Good to know.
    Note,
}

/// Declares every code once: its name for machines, its severity, its meaning.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident;)+) => {
        /// What kind of problem it is. The names are part of the interface: they do not change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Code {
            /// Every code, in the manual's order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether a file with this problem can be used.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// The meaning, as the manual gives it.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML. Only the first such place is reported.
    YamlSyntax = "config_yaml_syntax", Error;
    /// The file, with its aliases followed, is larger than any real mapping file.
    TooLarge = "config_too_large", Error;
    /// An included file cannot be read, or its path is none.
    IncludeUnreadable = "config_include_unreadable", Error;
    /// A file is included twice, or by itself.
    IncludeTwice = "config_include_twice", Error;
    /// `${VAR}` names a variable that is not set.
    UnsetVariable = "config_unset_variable", Error;
    /// `${` is not followed by a name and `}`.
    BadVariable = "config_bad_variable", Error;
    /// The key means nothing here.
    UnknownKey = "config_unknown_key", Error;
    /// A key that is needed is not there.
    MissingKey = "config_missing_key", Error;
    /// The value is of another type than the key takes.
    WrongType = "config_wrong_type", Error;
    /// A key is given twice in one place.
    DuplicateKey = "config_duplicate_key", Error;
    /// Two keys that exclude each other, or one without the key it belongs to.
    ConflictingKeys = "config_conflicting_keys", Error;
    /// A value that must not be empty is empty.
    EmptyValue = "config_empty_value", Error;
    /// The value is not one of those allowed.
    UnknownValue = "config_unknown_value", Error;
    /// The number is out of range.
    OutOfRange = "config_out_of_range", Error;
    /// Two syncs have one name.
    DuplicateSync = "config_duplicate_sync", Error;
    /// `previously` names a sync that cannot be meant.
    BadPreviously = "config_bad_previously", Error;
    /// The option does not belong to this type.
    OptionNotForType = "config_option_not_for_type", Error;
    /// An entry of a `value_map` is not a text to a choice.
    BadValueMap = "config_bad_value_map", Error;
    /// Two columns are mapped to one field, or one column is listed twice in the key.
    MappedTwice = "config_mapped_twice", Error;
    /// Another column than the key is mapped to the external-id field.
    ExternalIdTaken = "config_external_id_taken", Error;
    /// A link names a sync that the file does not have.
    LinkUnknownSync = "config_link_unknown_sync", Error;
    /// A link names a sync that is disabled.
    LinkDisabledSync = "config_link_disabled_sync", Error;
    /// A link's columns do not make the key it leads to.
    LinkKey = "config_link_key", Error;
    /// Two enabled syncs would write the same records.
    SharedTable = "config_shared_table", Error;
    /// The cron pattern cannot be understood, or never comes due.
    BadCron = "config_bad_cron", Error;
    /// The time zone is not known.
    BadTimeZone = "config_bad_time_zone", Error;
    /// The date pattern cannot be understood.
    BadDateFormat = "config_bad_date_format", Error;
    /// The expression, template or path cannot be understood.
    BadExpression = "config_bad_expression", Error;
    /// A secret stands in the file itself, or is too short.
    BadSecret = "config_bad_secret", Error;
    /// `match_on` names a field that is not mapped, or not always.
    BadMatch = "config_bad_match", Error;
    /// The query names a parameter other than `:last_sync_time`.
    QueryParameter = "config_query_parameter", Error;
    /// The query is not one SELECT, or a quote or comment in it has no end.
    QueryStatement = "config_query_statement", Error;
    /// `source.where` is no condition by itself: a bracket is not closed, or one is closed that was not opened.
    TableFilter = "config_table_filter", Error;
    /// `on_delete` needs to know which rows are gone, and nothing says so: a query has neither `keys_query` nor
    /// `deleted_field`.
    DeletesUnseen = "config_deletes_unseen", Error;
    /// `%%` in the query, outside LIKE: the Python program needed percent signs doubled, here they stand for two.
    QueryPercent = "config_query_percent", Error;
    /// The query yields nothing while `:last_sync_time` is NULL, which is on every full read.
    QueryNullFilter = "config_query_null_filter", Warning;
    /// The query uses `:last_sync_time`, but without `updated_at_field` it is always NULL.
    QueryCursor = "config_query_cursor", Warning;
    /// The column has a conversion but is not mapped, so the conversion is not used.
    UnmappedColumn = "config_unmapped_column", Warning;
    /// The column has both a type and a transformation; the type is used.
    TwoConversions = "config_two_conversions", Warning;
    /// The table id does not look like one.
    DoubtfulTableId = "config_doubtful_table_id", Warning;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
