//! What a column holds, as far as a field for it goes.

use sync_core::table::FieldKind;
use sync_mysql::SourceColumn;

use super::name::plain;

/// Texts longer than this deserve a field of several lines.
const LINE_LENGTH_MAX: u32 = 255;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ColumnSense {
    /// Text on one line.
    Line,
    /// Text on several lines.
    Text,
    /// Whole or decimal numbers with so many digits behind the point.
    Number(u32),
    /// One of two.
    YesNo,
    /// A day or an instant.
    Date,
    /// One of these.
    OneOf(Vec<String>),
    /// Several of these.
    SomeOf(Vec<String>),
    /// Nothing that a field could show.
    Opaque(&'static str),
}

impl ColumnSense {
    /// Of a column.
    pub(crate) fn of(column: &SourceColumn) -> Self {
        match column.kind.as_str() {
            "tinyint" if column.full_kind.starts_with("tinyint(1)") => Self::YesNo,
            "bit" if matches!(column.full_kind.as_str(), "bit(1)" | "bit") => Self::YesNo,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" | "bit" => {
                Self::Number(0)
            }
            "decimal" => Self::Number(numbers(&column.full_kind).get(1).copied().unwrap_or(0)),
            "float" | "double" => Self::Number(6),
            "date" | "datetime" | "timestamp" => Self::Date,
            "enum" => Self::OneOf(words(&column.full_kind)),
            "set" => Self::SomeOf(words(&column.full_kind)),
            "char" | "varchar" => {
                let length = numbers(&column.full_kind).first().copied().unwrap_or(0);
                if length > LINE_LENGTH_MAX { Self::Text } else { Self::Line }
            }
            "tinytext" | "time" | "inet4" | "inet6" | "uuid" => Self::Line,
            "text" | "mediumtext" | "longtext" | "json" => Self::Text,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                Self::Opaque("it holds bytes")
            }
            _ => Self::Opaque("no field can show its type"),
        }
    }

    /// The type of a new field for it.
    pub(crate) fn field_kind(&self, column: &str) -> Option<FieldKind> {
        let name = plain(column);
        let named = |words: &[&str]| words.iter().any(|word| name.contains(word));
        Some(match self {
            Self::Line if named(&["email"]) => FieldKind::Email,
            Self::Line if named(&["phone", "mobile"]) => FieldKind::Phone,
            Self::Line if named(&["url", "website", "homepage"]) => FieldKind::Link,
            Self::Line => FieldKind::Text,
            Self::Text => FieldKind::TextArea,
            Self::Number(_) => FieldKind::Number,
            Self::YesNo => FieldKind::YesNo,
            Self::Date => FieldKind::Date,
            Self::OneOf(_) => FieldKind::SingleSelect,
            Self::SomeOf(_) => FieldKind::MultipleSelect,
            Self::Opaque(_) => return None,
        })
    }

    /// Whether a field of this type can hold it.
    pub(crate) fn fits(&self, field: &FieldKind) -> bool {
        let is_text = matches!(
            field,
            FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText
        );
        let is_number = matches!(
            field,
            FieldKind::Number
                | FieldKind::Currency
                | FieldKind::Percent
                | FieldKind::Duration
                | FieldKind::NumberSlider
                | FieldKind::PercentComplete
                | FieldKind::Rating
        );
        let is_choice = matches!(field, FieldKind::SingleSelect | FieldKind::Status);
        let is_choices = matches!(field, FieldKind::MultipleSelect | FieldKind::Tags);
        match self {
            Self::Opaque(_) => false,
            Self::Number(_) => is_number || is_text,
            Self::YesNo => is_number || is_text || *field == FieldKind::YesNo,
            Self::Date => is_text || *field == FieldKind::Date,
            Self::OneOf(_) => is_choice || is_text,
            Self::SomeOf(_) => is_choices || is_text,
            Self::Text => is_text,
            Self::Line => {
                is_text
                    || is_choice
                    || matches!(field, FieldKind::Email | FieldKind::Phone | FieldKind::Link)
            }
        }
    }
}

/// The numbers in the parentheses of a type: `decimal(10,2)`.
fn numbers(kind: &str) -> Vec<u32> {
    let inside = kind.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inside.map_or_else(Vec::new, |(inside, _)| {
        inside.split(',').filter_map(|number| number.trim().parse().ok()).collect()
    })
}

/// The words of `enum('a','it''s')`.
fn words(kind: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = kind.chars().peekable();
    while let Some(c) = characters.next() {
        match (&mut word, c) {
            (Some(text), '\'') if characters.peek() == Some(&'\'') => {
                characters.next();
                text.push('\'');
            }
            (Some(_), '\'') => words.extend(word.take()),
            (Some(text), other) => text.push(other),
            (None, '\'') => word = Some(String::new()),
            (None, _) => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sense(kind: &str, full_kind: &str) -> ColumnSense {
        ColumnSense::of(&SourceColumn {
            kind: kind.into(),
            full_kind: full_kind.into(),
            ..SourceColumn::default()
        })
    }

    #[test]
    fn the_catalogues_words_are_understood() {
        assert_eq!(sense("tinyint", "tinyint(1)"), ColumnSense::YesNo);
        assert_eq!(sense("tinyint", "tinyint(4)"), ColumnSense::Number(0));
        assert_eq!(sense("decimal", "decimal(65,30)"), ColumnSense::Number(30));
        assert_eq!(sense("varchar", "varchar(100)"), ColumnSense::Line);
        assert_eq!(sense("varchar", "varchar(2000)"), ColumnSense::Text);
        assert_eq!(
            sense("enum", "enum('a','it''s','b,c')"),
            ColumnSense::OneOf(vec!["a".into(), "it's".into(), "b,c".into()])
        );
        assert!(matches!(sense("geometry", "geometry"), ColumnSense::Opaque(_)));
    }

    #[test]
    fn a_new_field_is_of_the_type_that_the_name_suggests() {
        let line = ColumnSense::Line;
        assert_eq!(line.field_kind("contact_email"), Some(FieldKind::Email));
        assert_eq!(line.field_kind("city"), Some(FieldKind::Text));
        assert!(line.fits(&FieldKind::Email) && !line.fits(&FieldKind::Number));
    }
}
