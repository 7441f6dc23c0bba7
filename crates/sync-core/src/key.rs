//! What ties a row to a record: the source key, and the external id that carries it in the destination.
//!
//! Both mappings are injective: two keys never share a text, two texts never share an external id.

use std::{borrow::Cow, cmp::Ordering, fmt};

use crate::value::Value;

/// External ids longer than this, in characters, are replaced by a hash: the service documents no limit.
const EXTERNAL_ID_LENGTH_MAX: usize = 200;

/// A source key in the form that the state stores and sorts by. Its text is the `source_id` of `record_mappings`.
///
/// A key whose text is a canonical 64-bit integer is an [`Key::Int`] whatever its column's type, so that a state
/// written before the column's type was known still matches. `Debug` hides the content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Sorts numerically.
    Int(i64),
    /// Sorts by bytes. Composite keys have this form too, their parts joined by `|`.
    Text(String),
}

/// A value that cannot be a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// One of the key's columns is NULL.
    #[error("key column `{column}` is NULL")]
    Null {
        /// The column.
        column: String,
    },
    /// A type whose text is not exact or not stable.
    #[error("key column `{column}` holds a {kind}, which cannot be a key")]
    Kind {
        /// The column.
        column: String,
        /// The kind in words.
        kind: &'static str,
    },
}

impl Key {
    /// The key with this text.
    pub fn from_text(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Self::Int(number),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// The key of a row: the cells of its key columns, in the configured order.
    ///
    /// A single column keeps its text as it is. Several are joined by `|`, where `\` and `|` inside a part are
    /// written `\\` and `\|`.
    pub fn from_cells<'a>(
        cells: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Result<Self, KeyFault> {
        let mut cells = cells.into_iter();
        let parts = match (cells.next(), cells.next()) {
            // The usual key, without going through its text.
            (Some((_, Value::Int(number))), None) if i64::try_from(*number).is_ok() => {
                return Ok(Self::Int(i64::try_from(*number).unwrap_or_default()));
            }
            (first, second) => first.into_iter().chain(second).chain(cells),
        };
        let parts =
            parts.map(|(column, value)| part_text(column, value)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::from_parts(&parts))
    }

    /// The key whose columns have these texts, as [`Key::from_cells`] joins them.
    pub fn from_parts(parts: &[String]) -> Self {
        if let [single] = parts {
            return Self::from_text(single);
        }
        let joined = parts
            .iter()
            .map(|part| part.replace('\\', "\\\\").replace('|', "\\|"))
            .collect::<Vec<_>>()
            .join("|");
        Self::Text(joined)
    }

    /// The parts of a composite key's text, in order; the inverse of [`Key::from_cells`] for `columns` columns.
    pub fn parts(&self, columns: usize) -> Vec<String> {
        let text = self.text();
        if columns <= 1 {
            return vec![text.into_owned()];
        }
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match (character, parts.last_mut()) {
                ('|', _) => parts.push(String::new()),
                ('\\', Some(part)) => part.extend(characters.next()),
                (_, Some(part)) => part.push(character),
                (_, None) => {}
            }
        }
        parts
    }

    /// The key as text.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The external id that carries this key, with the sync's `key_prefix` (usually empty) before it.
    ///
    /// A text that would not survive the round trip is escaped: one that is empty, has outer white space, holds
    /// control characters or begins with `~` becomes `~` and the text with `%XX` for those bytes; one longer than
    /// 200 characters becomes `~~` and its BLAKE3 hash.
    pub fn external_id(&self, prefix: &str) -> String {
        if let (Self::Int(number), "") = (self, prefix) {
            // Digits need no look.
            return number.to_string();
        }
        let text = format!("{prefix}{}", self.text());
        if text.chars().count() > EXTERNAL_ID_LENGTH_MAX {
            return format!("~~{}", blake3::hash(text.as_bytes()).to_hex());
        }
        if is_plain(&text) { text } else { escaped(&text) }
    }

    /// The key that an external id stands for; the inverse of [`Key::external_id`]. `None` for an id that this
    /// prefix never makes, and for a hashed one.
    pub fn from_external_id(external_id: &str, prefix: &str) -> Option<Self> {
        let text = match external_id.strip_prefix('~') {
            None => external_id.to_owned(),
            Some(escaped) => unescaped(escaped)?,
        };
        let key = Self::from_text(text.strip_prefix(prefix)?);
        (key.external_id(prefix) == external_id).then_some(key)
    }
}

/// Undoes [`escaped`], without its leading `~`; `None` if it is not of that form.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit =
                |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(rest.next()?)? << 4 | digit(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The exact text of one key column.
fn part_text(column: &str, value: &Value) -> Result<String, KeyFault> {
    Ok(match value {
        Value::Null => return Err(KeyFault::Null { column: column.to_owned() }),
        Value::Int(number) => number.to_string(),
        Value::Bool(bit) => u8::from(*bit).to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Text(text) | Value::ZeroDate(text) => text.clone(),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Instant(at) => at.to_string(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Float(_) | Value::Duration(_) | Value::Labels(_) | Value::Json(_) => {
            return Err(KeyFault::Kind { column: column.to_owned(), kind: value.kind() });
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        for half in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(half), 16));
        }
        out
    })
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('~')
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

/// `~`, then the text with `%`, white space and control characters as `%XX` of their UTF-8 bytes.
fn escaped(text: &str) -> String {
    let mut out = String::from("~");
    for character in text.chars() {
        if character == '%'
            || character.is_control()
            || character.is_whitespace()
            || character == '~'
        {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                out.push('%');
                out.push_str(&hex(&[byte]).to_uppercase());
            }
        } else {
            out.push(character);
        }
    }
    // Escaping may triple the length; past the limit only the hash is sure to fit.
    if out.chars().count() > EXTERNAL_ID_LENGTH_MAX {
        return format!("~~{}", blake3::hash(text.as_bytes()).to_hex());
    }
    out
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Integers before texts, as SQLite sorts them.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Int(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Int(_)) => Ordering::Greater,
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_canonical_integers_are_integers() {
        assert!(Key::from_text("123") == Key::Int(123));
        assert!(Key::from_text("-5") == Key::Int(-5));
        for text in ["0123", "+1", "18446744073709551615", "1.0", " 1", "-0", ""] {
            assert!(Key::from_text(text) == Key::Text(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_float_or_null_is_no_key() {
        assert_eq!(
            Key::from_cells([("id", &Value::Null)]),
            Err(KeyFault::Null { column: "id".into() })
        );
        assert!(matches!(
            Key::from_cells([("f", &Value::Float(1.0))]),
            Err(KeyFault::Kind { kind: "float", .. })
        ));
    }

    #[test]
    fn plain_keys_are_their_own_external_id() {
        assert_eq!(Key::Int(42).external_id(""), "42");
        assert_eq!(Key::from_text("A b|c").external_id("eu:"), "eu:A b|c");
        assert_eq!(Key::from_text(" x").external_id(""), "~%20x");
        assert_eq!(Key::from_text("").external_id(""), "~");
        assert_eq!(Key::from_text(&"x".repeat(201)).external_id("").len(), 66);
    }

    proptest! {
        #[test]
        fn different_composite_keys_differ(a in "[a|\\\\]{0,4}", b in "[a|\\\\]{0,4}", c in "[a|\\\\]{0,4}", d in "[a|\\\\]{0,4}") {
            let key = |x: &str, y: &str| {
                Key::from_cells([("x", &Value::Text(x.to_owned())), ("y", &Value::Text(y.to_owned()))]).unwrap()
            };
            prop_assert_eq!((&a, &b) == (&c, &d), key(&a, &b) == key(&c, &d));
            prop_assert_eq!(key(&a, &b).parts(2), vec![a, b]);
        }

        #[test]
        fn different_keys_have_different_external_ids(a in "[ ~%a0-9\\n]{0,6}", b in "[ ~%a0-9\\n]{0,6}") {
            let (one, two) = (Key::from_text(&a).external_id(""), Key::from_text(&b).external_id(""));
            prop_assert_eq!(a == b, one == two);
        }

        #[test]
        fn an_external_id_leads_back_to_its_key(text in "[ ~%a0-9\\n\u{e9}]{0,8}", prefix in "(eu:)?") {
            let key = Key::from_text(&text);
            prop_assert!(Key::from_external_id(&key.external_id(&prefix), &prefix) == Some(key));
        }
    }
}
