//! What is wrong with a mapping file, as plain data: terminal, JSON and pages render it in their own ways.

use std::fmt;

use serde::Serialize;

use super::span::{LineIndex, Place, Span};

/// One problem, with its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable, for machines and the manual.
    pub code: Code,
    /// Whether the file can be used in spite of it.
    pub severity: Severity,
    /// One line in words, literals in backticks. Never holds the value of an environment variable.
    pub message: String,
    /// Where; the first is the problem itself, others explain it. At least one.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; a person should look.
    Warning,
}

/// A marked part of the file, never longer than a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// In bytes of the file.
    pub span: Span,
    /// Where `span` starts.
    #[serde(flatten)]
    pub place: Place,
    /// Words beside the mark; may be empty.
    pub text: String,
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
    /// Two enabled syncs would write the same records.
    SharedTable = "config_shared_table", Error;
    /// The cron pattern cannot be understood, or never comes due.
    BadCron = "config_bad_cron", Error;
    /// The time zone is not known.
    BadTimeZone = "config_bad_time_zone", Error;
    /// The date pattern cannot be understood.
    BadDateFormat = "config_bad_date_format", Error;
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

/// A diagnostic in the making.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    code: Code,
    message: String,
    labels: Vec<(Span, String)>,
    hint: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: vec![(span, String::new())], hint: None }
    }

    /// Words beside the first mark.
    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        if let Some((_, label)) = self.labels.first_mut() {
            *label = text.into();
        }
        self
    }

    /// Marks another place that explains the first.
    pub(super) fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Collects what is found, so that one reading of the file reports all of it.
#[derive(Debug)]
pub(super) struct Report<'t> {
    lines: LineIndex<'t>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { lines: LineIndex::new(text), diagnostics: Vec::new() }
    }

    pub(super) fn lines(&self) -> &LineIndex<'t> {
        &self.lines
    }

    pub(super) fn add(&mut self, finding: Finding) {
        let labels = finding.labels.into_iter().map(|(span, text)| {
            let span = self.lines.first_line(span);
            Label { span, place: self.lines.place(span.start), text }
        });
        let diagnostic = Diagnostic {
            code: finding.code,
            severity: finding.code.severity(),
            message: finding.message,
            labels: labels.collect(),
            hint: finding.hint,
        };
        // What is reached through two aliases is reported once.
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics
            .sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
        self.diagnostics
    }
}
