//! Key columns in the log: a cell's bytes as the value that a SELECT would yield.

use jiff::{Timestamp, tz::TimeZone};
use sync_core::{key::Key, source::ColumnKind, value::Value};

use super::{
    address::{inet4_text, inet6_text, uuid_text},
    bytes::{big_endian, little_endian},
    cell::decimal_text,
};
use crate::convert;

/// A column whose cells make, or help to make, a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// Its name in the table.
    pub(crate) name: String,
    /// Its place in the table, counted from 0.
    pub(crate) place: usize,
    /// How the log writes it.
    pub(crate) form: KeyForm,
    /// What a SELECT yields for it.
    pub(crate) kind: ColumnKind,
}

/// How the log writes the cells of a key column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// TINYINT to BIGINT.
    Int {
        /// UNSIGNED.
        unsigned: bool,
    },
    /// YEAR.
    Year,
    /// DECIMAL.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Text.
    Text(Charset),
    /// ENUM, by its labels.
    Enum(Vec<String>),
    /// Bytes; for BINARY(n) as many as there must be, as the log cuts zeros off.
    Bytes {
        /// Bytes of BINARY(n); 0 for types of varying length.
        length: usize,
    },
    /// DATE.
    Date,
    /// DATETIME.
    DateTime {
        /// Digits of the fraction of a second.
        digits: usize,
    },
    /// TIMESTAMP.
    Timestamp {
        /// Digits of the fraction of a second.
        digits: usize,
    },
    /// MariaDB's UUID.
    Uuid,
    /// MariaDB's INET4.
    Inet4,
    /// MariaDB's INET6.
    Inet6,
}

/// A character set that is understood without the server's help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// What MySQL calls latin1: Windows-1252.
    Latin1,
    /// UCS-2 and UTF-16, highest byte first.
    Utf16,
    /// UTF-16, lowest byte first.
    Utf16Le,
    Utf32,
}

/// What `information_schema.COLUMNS` says of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    pub(crate) data_type: String,
    pub(crate) column_type: String,
    pub(crate) charset: Option<String>,
    /// `CHARACTER_OCTET_LENGTH`.
    pub(crate) bytes: Option<usize>,
    pub(crate) precision: Option<u8>,
    pub(crate) scale: Option<u8>,
}

impl KeyForm {
    /// The form of a column, or why keys cannot be read from it.
    pub(crate) fn of(facts: &ColumnFacts) -> Result<Self, String> {
        let refused = || Err(format!("it is a {}", facts.data_type.to_uppercase()));
        Ok(match facts.data_type.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => {
                Self::Int { unsigned: facts.column_type.contains("unsigned") }
            }
            "year" => Self::Year,
            "decimal" => {
                let (Some(precision), Some(scale)) = (facts.precision, facts.scale) else {
                    return refused();
                };
                Self::Decimal { precision, scale }
            }
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                let name = facts.charset.as_deref().unwrap_or_default();
                Self::Text(Charset::of(name).ok_or_else(|| {
                    format!("its character set is {name}, which is not read from the log")
                })?)
            }
            "enum" => {
                let labels = labels(&facts.column_type);
                // The server shows what it cannot show of a label as `?`, and doubles backslashes.
                if labels.iter().any(|label| label.contains(['?', '\\'])) {
                    return Err("it is an ENUM with `?` or `\\` in a label".to_owned());
                }
                Self::Enum(labels)
            }
            "binary" => Self::Bytes { length: facts.bytes.unwrap_or(0) },
            "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit" => {
                Self::Bytes { length: 0 }
            }
            "date" => Self::Date,
            "datetime" => Self::DateTime { digits: fraction_digits(&facts.column_type) },
            "timestamp" => Self::Timestamp { digits: fraction_digits(&facts.column_type) },
            "uuid" => Self::Uuid,
            "inet4" => Self::Inet4,
            "inet6" => Self::Inet6,
            _ => return refused(),
        })
    }
}

impl Charset {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => Self::Utf8,
            "latin1" => Self::Latin1,
            "ucs2" | "utf16" => Self::Utf16,
            "utf16le" => Self::Utf16Le,
            "utf32" => Self::Utf32,
            _ => return None,
        })
    }

    fn text(self, cell: &[u8]) -> Option<String> {
        let units = |unit: fn([u8; 2]) -> u16| {
            cell.chunks(2).map(|pair| pair.try_into().map(unit)).collect::<Result<Vec<_>, _>>()
        };
        match self {
            Self::Utf8 => String::from_utf8(cell.to_vec()).ok(),
            Self::Latin1 => Some(cell.iter().map(|byte| latin1(*byte)).collect()),
            Self::Utf16 => String::from_utf16(&units(u16::from_be_bytes).ok()?).ok(),
            Self::Utf16Le => String::from_utf16(&units(u16::from_le_bytes).ok()?).ok(),
            Self::Utf32 => cell
                .chunks(4)
                .map(|unit| char::from_u32(u32::from_be_bytes(unit.try_into().ok()?)))
                .collect(),
        }
    }
}

/// Windows-1252, with the five codes it leaves open as the control characters they are in ISO 8859-1.
fn latin1(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let place = usize::from(byte).checked_sub(0x80);
    place.and_then(|place| HIGH.get(place).copied()).unwrap_or(char::from(byte))
}

/// The labels in `enum('a','b''c')`.
fn labels(column_type: &str) -> Vec<String> {
    let inside = column_type.split_once('(').map_or("", |(_, inside)| inside);
    let mut labels = Vec::new();
    let mut label: Option<String> = None;
    let mut characters = inside.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, &mut label) {
            ('\'', None) => label = Some(String::new()),
            ('\'', Some(text)) if characters.peek() == Some(&'\'') => {
                characters.next();
                text.push('\'');
            }
            ('\'', Some(_)) => labels.extend(label.take()),
            (character, Some(text)) => text.push(character),
            (_, None) => {}
        }
    }
    labels
}

impl KeyColumn {
    /// The value of a cell; `None` if it is not of the column's form.
    pub(crate) fn value(&self, cell: Option<&[u8]>) -> Option<Value> {
        let Some(cell) = cell else { return Some(Value::Null) };
        let text = match &self.form {
            KeyForm::Int { unsigned } => return integer(cell, *unsigned).map(Value::Int),
            KeyForm::Year => {
                let year = i128::from(little_endian(cell));
                return Some(Value::Int(if year == 0 { 0 } else { 1_900 + year }));
            }
            KeyForm::Decimal { precision, scale } => decimal_text(cell, *precision, *scale)?,
            KeyForm::Text(charset) => charset.text(cell)?,
            KeyForm::Enum(labels) => {
                let index = usize::try_from(little_endian(cell)).ok()?;
                match index.checked_sub(1) {
                    Some(place) => labels.get(place)?.clone(),
                    None => String::new(),
                }
            }
            KeyForm::Bytes { length } => {
                let mut bytes = cell.to_vec();
                bytes.resize(bytes.len().max(*length), 0);
                return convert::value(&self.kind, bytes).ok();
            }
            KeyForm::Date => date(cell)?,
            KeyForm::DateTime { digits } => date_time(cell, *digits)?,
            KeyForm::Timestamp { digits } => timestamp(cell, *digits)?,
            KeyForm::Uuid => uuid_text(cell)?,
            KeyForm::Inet4 => inet4_text(cell)?,
            KeyForm::Inet6 => inet6_text(cell)?,
        };
        convert::value(&self.kind, text.into_bytes()).ok()
    }
}

/// The key that cells of these columns make; `None` if one is missing, damaged or NULL: no row has such a key.
pub(crate) fn key<'a>(
    columns: &[KeyColumn],
    cells: impl Iterator<Item = Option<&'a [u8]>>,
) -> Option<Key> {
    let mut cells = cells;
    if let [KeyColumn { form: KeyForm::Int { unsigned }, .. }] = columns {
        // Nearly all keys.
        let number = integer(cells.next()??, *unsigned)?;
        return Some(match i64::try_from(number) {
            Ok(number) => Key::Int(number),
            Err(_) => Key::from_text(&number.to_string()),
        });
    }
    let values =
        columns.iter().map(|column| column.value(cells.next()?)).collect::<Option<Vec<Value>>>()?;
    Key::from_cells(columns.iter().map(|column| column.name.as_str()).zip(&values)).ok()
}

fn integer(cell: &[u8], unsigned: bool) -> Option<i128> {
    if cell.is_empty() || cell.len() > 8 {
        return None;
    }
    let number = i128::from(little_endian(cell));
    let bits = cell.len() * 8;
    let negative = !unsigned && number >> (bits - 1) & 1 == 1;
    Some(if negative { number - (1 << bits) } else { number })
}

fn date(cell: &[u8]) -> Option<String> {
    let packed = (cell.len() == 3).then(|| little_endian(cell))?;
    Some(format!("{:04}-{:02}-{:02}", packed >> 9, packed >> 5 & 15, packed & 31))
}

/// Microseconds of the fraction behind `whole` bytes: one byte for each two digits.
fn micros(cell: &[u8], whole: usize) -> Option<u64> {
    let fraction = cell.get(whole..)?;
    let scale = match fraction.len() {
        0 => return Some(0),
        1 => 10_000,
        2 => 100,
        3 => 1,
        _ => return None,
    };
    Some(big_endian(fraction) * scale)
}

/// The 3 of `datetime(3)`; 0 where nothing is said.
fn fraction_digits(column_type: &str) -> usize {
    let inside = column_type.split_once('(').and_then(|(_, behind)| behind.split_once(')'));
    inside.and_then(|(digits, _)| digits.parse().ok()).unwrap_or(0)
}

/// `.120` for three digits, nothing for none: as the server shows it, even behind a date that is none.
fn fraction(micros: u64, digits: usize) -> String {
    let all = format!("{micros:06}");
    all.get(..digits)
        .filter(|shown| !shown.is_empty())
        .map_or_else(String::new, |shown| format!(".{shown}"))
}

fn date_time(cell: &[u8], digits: usize) -> Option<String> {
    // The oldest form: YYYYMMDDhhmmss as a number.
    if cell.len() == 8 && little_endian(cell) < 1 << 47 {
        let number = little_endian(cell);
        let part = |unit: u64, size: u64| number / unit % size;
        return Some(format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            part(10_000_000_000, 10_000),
            part(100_000_000, 100),
            part(1_000_000, 100),
            part(10_000, 100),
            part(100, 100),
            part(1, 100)
        ));
    }
    let packed = big_endian(cell.get(..5)?).checked_sub(0x80_0000_0000)?;
    let month = packed >> 22;
    Some(format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}",
        month / 13,
        month % 13,
        packed >> 17 & 31,
        packed >> 12 & 31,
        packed >> 6 & 63,
        packed & 63,
        fraction(micros(cell, 5)?, digits)
    ))
}

fn timestamp(cell: &[u8], digits: usize) -> Option<String> {
    let seconds = i64::try_from(big_endian(cell.get(..4)?)).ok()?;
    let micros = micros(cell, 4)?;
    if seconds == 0 && micros == 0 {
        return Some(format!("0000-00-00 00:00:00{}", fraction(0, digits)));
    }
    let at = TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).ok()?);
    Some(format!("{}{}", at.strftime("%Y-%m-%d %H:%M:%S"), fraction(micros, digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int() -> ColumnKind {
        ColumnKind::Int { unsigned: false, width: 11 }
    }

    #[track_caller]
    fn check(form: KeyForm, kind: ColumnKind, cell: &[u8], expected: &str) {
        let column = KeyColumn { name: "k".into(), place: 0, form, kind };
        let key = key(&[column], std::iter::once(Some(cell))).unwrap();
        assert_eq!(key.text(), expected);
    }

    #[test]
    fn integers_have_their_sign() {
        let signed = || KeyForm::Int { unsigned: false };
        let unsigned = || KeyForm::Int { unsigned: true };
        // MEDIUMINT -1, which other decoders take for 16777215.
        check(signed(), int(), &[0xff, 0xff, 0xff], "-1");
        check(unsigned(), int(), &[0xff, 0xff, 0xff], "16777215");
        check(signed(), int(), &[0, 0, 0, 0, 0, 0, 0, 0x80], "-9223372036854775808");
        check(unsigned(), int(), &[0xff; 8], "18446744073709551615");
        check(KeyForm::Year, ColumnKind::Year, &[0], "0");
        check(KeyForm::Year, ColumnKind::Year, &[124], "2024");
    }

    #[test]
    fn text_is_read_in_its_character_set() {
        let text = |charset, cell: &[u8], expected| {
            check(KeyForm::Text(charset), ColumnKind::Text, cell, expected);
        };
        text(Charset::Utf8, "é€😀".as_bytes(), "é€😀");
        text(Charset::Latin1, &[0xe9, 0x80, 0x81], "é€\u{81}");
        text(Charset::Utf16, &[0xd8, 0x3d, 0xde, 0x00], "😀");
        text(Charset::Utf16Le, &[0x3d, 0xd8, 0x00, 0xde], "😀");
        text(Charset::Utf32, &[0, 1, 0xf6, 0], "😀");
        assert_eq!(Charset::of("sjis"), None);
        assert_eq!(Charset::Utf16.text(&[1]), None);
    }

    #[test]
    fn bytes_get_their_zeros_back() {
        check(KeyForm::Bytes { length: 4 }, ColumnKind::Binary, &[1, 2], "01020000");
        check(KeyForm::Bytes { length: 0 }, ColumnKind::Binary, &[1, 2], "0102");
    }

    #[test]
    fn labels_are_read_from_the_type() {
        assert_eq!(labels("enum('a','it''s','')"), ["a", "it's", ""]);
        let facts = |column_type: &str| ColumnFacts {
            data_type: "enum".into(),
            column_type: column_type.into(),
            ..ColumnFacts::default()
        };
        let form = KeyForm::of(&facts("enum('x','y')")).unwrap();
        check(form, ColumnKind::Enum, &[2], "y");
        assert!(KeyForm::of(&facts("enum('?')")).is_err());
    }

    #[test]
    fn dates_are_those_of_the_server() {
        check(KeyForm::Date, ColumnKind::Date, &[0x5d, 0xd0, 0x0f], "2024-02-29");
        check(KeyForm::Date, ColumnKind::Date, &[0, 0, 0], "0000-00-00");
        // 2024-02-29 12:34:56.5 in DATETIME(1).
        let packed: u64 =
            0x80_0000_0000 + ((2024 * 13 + 2) << 22) + (29 << 17) + (12 << 12) + (34 << 6) + 56;
        let mut cell = packed.to_be_bytes()[3..].to_vec();
        cell.push(50);
        let date_time = |digits| KeyForm::DateTime { digits };
        let stamp = |digits| KeyForm::Timestamp { digits };
        check(date_time(1), ColumnKind::DateTime, &cell, "2024-02-29T12:34:56.5");
        check(
            date_time(0),
            ColumnKind::DateTime,
            &20_240_229_123_456_u64.to_le_bytes(),
            "2024-02-29T12:34:56",
        );
        // What is no date stays the server's text, with as many digits as it shows.
        let none = &[0x80, 0, 0, 0, 0, 0, 0];
        check(date_time(0), ColumnKind::DateTime, &none[..5], "0000-00-00 00:00:00");
        check(date_time(3), ColumnKind::DateTime, none, "0000-00-00 00:00:00.000");
        check(stamp(0), ColumnKind::Timestamp, &[0, 0, 0, 1], "1970-01-01T00:00:01Z");
        check(stamp(0), ColumnKind::Timestamp, &[0, 0, 0, 0], "0000-00-00 00:00:00");
        check(stamp(3), ColumnKind::Timestamp, &[0; 6], "0000-00-00 00:00:00.000");
        check(
            stamp(6),
            ColumnKind::Timestamp,
            &[0, 0, 0, 1, 0, 0, 1],
            "1970-01-01T00:00:01.000001Z",
        );
        for (column_type, digits) in [("datetime", 0), ("datetime(3)", 3), ("timestamp(6)", 6)] {
            assert_eq!(fraction_digits(column_type), digits, "{column_type}");
        }
        // MariaDB counts on after 2038.
        check(stamp(0), ColumnKind::Timestamp, &[0xff, 0xff, 0xff, 0xff], "2106-02-07T06:28:15Z");
    }

    #[test]
    fn what_is_missing_or_null_is_no_key() {
        let column = |form| KeyColumn { name: "k".into(), place: 0, form, kind: int() };
        assert!(key(&[column(KeyForm::Year)], std::iter::once(None)).is_none());
        assert!(key(&[column(KeyForm::Int { unsigned: true })], std::iter::once(None)).is_none());
        assert!(key(&[column(KeyForm::Date)], std::iter::once(Some(&[1][..]))).is_none());
    }

    #[test]
    fn types_without_a_stable_text_are_refused() {
        for data_type in ["float", "double", "json", "geometry", "time", "set", "vector"] {
            let facts = ColumnFacts { data_type: data_type.into(), ..ColumnFacts::default() };
            assert!(KeyForm::of(&facts).is_err(), "{data_type}");
        }
    }
}
