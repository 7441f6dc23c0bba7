//! A key's text as a literal of its column's type.

use sync_core::source::ColumnKind;

/// The literal with which a key column is compared; `None` if the column's type cannot hold `text`, so that no row
/// has this key.
///
/// Only digits, signs and hexadecimal codes are written: whatever a key holds, it cannot become SQL.
pub(crate) fn key_literal(kind: &ColumnKind, text: &str) -> Option<String> {
    match kind {
        ColumnKind::Int { .. } | ColumnKind::Year | ColumnKind::Bit { .. } => {
            text.parse::<i128>().ok().map(|number| number.to_string())
        }
        ColumnKind::Decimal { .. } => {
            let number = text.strip_prefix('-').unwrap_or(text);
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            (is_digits(whole) && is_digits(fraction)).then(|| text.to_owned())
        }
        ColumnKind::Text | ColumnKind::Enum => Some(text_literal(text)),
        ColumnKind::Binary => {
            let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            (digits && text.len().is_multiple_of(2)).then(|| format!("X'{text}'"))
        }
        ColumnKind::Date | ColumnKind::DateTime | ColumnKind::Timestamp => time_literal(text),
        // FLOAT, DOUBLE, TIME, SET, JSON and the rest are no keys.
        ColumnKind::Float
        | ColumnKind::Double
        | ColumnKind::Time
        | ColumnKind::Set
        | ColumnKind::Json
        | ColumnKind::Other(_) => None,
    }
}

/// A date or time as a string, since a typed literal could not be `0000-00-00`. `T` and `Z` are how keys write an
/// instant; the session's zone is UTC.
fn time_literal(text: &str) -> Option<String> {
    let plain = text.strip_suffix('Z').unwrap_or(text).replacen('T', " ", 1);
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | ' ');
    (!plain.is_empty() && plain.chars().all(is_time)).then(|| format!("'{plain}'"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Text as the codes of its bytes, so that nothing in it can be taken for SQL.
pub(crate) fn text_literal(text: &str) -> String {
    let digits = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits: String =
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    format!("_utf8mb4 X'{digits}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &ColumnKind, text: &str, expected: Option<&str>) {
        assert_eq!(key_literal(kind, text).as_deref(), expected, "{text}");
    }

    #[test]
    fn numbers_are_written_as_digits() {
        let int = ColumnKind::Int { unsigned: true, width: 20 };
        check(&int, "18446744073709551615", Some("18446744073709551615"));
        check(&int, "-5", Some("-5"));
        for text in ["", "1.5", "1 OR 1", "0x1", "1e5"] {
            check(&int, text, None);
        }
        let decimal = ColumnKind::Decimal { scale: 2 };
        check(&decimal, "-12.50", Some("-12.50"));
        check(&decimal, "12", Some("12"));
        for text in ["", "-", ".5", "5.", "1e5", "1.2.3", "1) OR (1"] {
            check(&decimal, text, None);
        }
    }

    #[test]
    fn text_and_bytes_are_written_as_codes() {
        check(&ColumnKind::Text, "a'\\😀", Some("_utf8mb4 X'61275cf09f9880'"));
        check(&ColumnKind::Text, "", Some("_utf8mb4 X''"));
        check(&ColumnKind::Binary, "00ff", Some("X'00ff'"));
        check(&ColumnKind::Binary, "", Some("X''"));
        for text in ["0", "0g", "' OR 1"] {
            check(&ColumnKind::Binary, text, None);
        }
    }

    #[test]
    fn times_lose_their_t_and_z() {
        check(&ColumnKind::Date, "2024-02-29", Some("'2024-02-29'"));
        check(&ColumnKind::Date, "0000-00-00", Some("'0000-00-00'"));
        check(&ColumnKind::DateTime, "2024-02-29T12:00:00.5", Some("'2024-02-29 12:00:00.5'"));
        check(&ColumnKind::Timestamp, "2024-02-29T12:00:00Z", Some("'2024-02-29 12:00:00'"));
        for text in ["", "yesterday", "2024' OR '1"] {
            check(&ColumnKind::Timestamp, text, None);
        }
    }

    #[test]
    fn what_is_no_key_has_no_literal() {
        for kind in [ColumnKind::Double, ColumnKind::Time, ColumnKind::Json, ColumnKind::Set] {
            check(&kind, "1", None);
        }
    }
}
