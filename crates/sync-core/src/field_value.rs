//! A cell of a record in canonical form: what is sent and what is read back compare equal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::value::Decimal;

/// The value of one field of a record. What SmartSuite shows as absent, `null`, `""`, `[]`, an empty date or an
/// unticked yes/no is [`FieldValue::Empty`]: the service does not tell them apart.
///
/// `Debug` names the kind and never shows the content.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FieldValue {
    /// Nothing; written as the field type's own clearing value.
    Empty,
    /// Text, text area, title, the text of a rich-text document; a time of day as `HH:MM:SS`.
    Text(String),
    /// Number, currency, percent, duration (seconds), rating, slider.
    Number(Decimal),
    /// A ticked yes/no. An unticked one is `Empty`.
    Yes,
    /// Single select or status: the choice's id, not its label.
    Choice(String),
    /// Multiple select, tags, people, linked records: ids, order without meaning.
    Ids(BTreeSet<String>),
    /// E-mail addresses, links, IP addresses or colours, in order.
    List(Vec<String>),
    /// Phone numbers, in order.
    Phones(Vec<Phone>),
    /// A date, or an instant when `include_time`. Without time the instant is midnight UTC of the day.
    Date {
        /// The instant, UTC.
        at: jiff::Timestamp,
        /// Whether the time of day is meant.
        include_time: bool,
    },
    /// A date range or a due date; one end at least is there.
    DateRange {
        /// Its begin.
        from: Option<DateStamp>,
        /// Its end; the day that a due date is due.
        to: Option<DateStamp>,
    },
    /// Address, full name, social networks: texts by SmartSuite's names for them, none empty.
    Parts(BTreeMap<String, String>),
}

/// One end of a range: as [`FieldValue::Date`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DateStamp {
    /// The instant, UTC; midnight of the day without time.
    pub at: jiff::Timestamp,
    /// Whether the time of day is meant.
    pub include_time: bool,
}

/// SmartSuite's names for the parts of an address.
pub const ADDRESS_PARTS: &[&str] = &[
    "location_address",
    "location_address2",
    "location_city",
    "location_state",
    "location_zip",
    "location_country",
    "location_longitude",
    "location_latitude",
];

/// SmartSuite's names for the parts of a full name.
pub const FULL_NAME_PARTS: &[&str] = &["title", "first_name", "middle_name", "last_name"];

/// SmartSuite's names for social networks.
pub const SOCIAL_NETWORK_PARTS: &[&str] =
    &["facebook_username", "twitter_username", "instagram_username", "linkedin_username"];

/// A part's canonical text: coordinates are numbers, whose digits the service may write otherwise.
pub fn part_text(name: &str, text: &str) -> String {
    let is_number = matches!(name, "location_longitude" | "location_latitude");
    match text.parse::<Decimal>() {
        Ok(number) if is_number => number.to_string(),
        Ok(_) | Err(_) => text.to_owned(),
    }
}

/// One phone number as SmartSuite keeps it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Phone {
    /// Country, ISO alpha-2, upper case; empty when unknown.
    pub country: String,
    /// The number's digits only; separators have no meaning and the service rewrites them.
    pub digits: String,
    /// Extension digits; empty for none.
    pub extension: String,
    /// 1 office, 2 mobile, 4 home, 5 fax, 6 main, 8 other.
    pub kind: u8,
}

impl FieldValue {
    /// The kind in words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Text(_) => "text",
            Self::Number(_) => "number",
            Self::Yes => "yes",
            Self::Choice(_) => "choice",
            Self::Ids(_) => "ids",
            Self::List(_) => "list",
            Self::Phones(_) => "phones",
            Self::Date { .. } => "date",
            Self::DateRange { .. } => "date range",
            Self::Parts(_) => "parts",
        }
    }

    /// Text, with the empty text as `Empty`.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Ids, with none as `Empty`.
    pub fn ids(ids: impl IntoIterator<Item = String>) -> Self {
        let ids: BTreeSet<String> = ids.into_iter().collect();
        if ids.is_empty() { Self::Empty } else { Self::Ids(ids) }
    }

    /// Entries in order, with none as `Empty`.
    pub fn list(entries: Vec<String>) -> Self {
        if entries.is_empty() { Self::Empty } else { Self::List(entries) }
    }

    /// A range, with neither end as `Empty`.
    pub fn date_range(from: Option<DateStamp>, to: Option<DateStamp>) -> Self {
        if from.is_none() && to.is_none() { Self::Empty } else { Self::DateRange { from, to } }
    }

    /// Parts by name, without the empty ones; none as `Empty`.
    pub fn parts(parts: impl IntoIterator<Item = (String, String)>) -> Self {
        let parts: BTreeMap<_, _> =
            parts.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if parts.is_empty() { Self::Empty } else { Self::Parts(parts) }
    }

    /// Appends the canonical bytes: equal values give equal bytes, different values different ones, and no value's
    /// bytes are the beginning of another's.
    pub fn canonical_bytes(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.push(0),
            Self::Text(text) => put_text_value(out, text),
            Self::Number(number) => put_number(out, number),
            Self::Yes => out.push(3),
            Self::Choice(id) => put_choice(out, id),
            Self::Ids(ids) => {
                out.push(5);
                put_count(out, ids.len());
                for id in ids {
                    put_text(out, id);
                }
            }
            Self::List(entries) => {
                out.push(6);
                put_count(out, entries.len());
                for entry in entries {
                    put_text(out, entry);
                }
            }
            Self::Phones(phones) => {
                out.push(7);
                put_count(out, phones.len());
                for phone in phones {
                    put_text(out, &phone.country);
                    put_text(out, &phone.digits);
                    put_text(out, &phone.extension);
                    out.push(phone.kind);
                }
            }
            Self::Date { at, include_time } => {
                out.push(if *include_time { 9 } else { 8 });
                out.extend_from_slice(&at.as_nanosecond().to_be_bytes());
            }
            Self::DateRange { from, to } => {
                out.push(10);
                for end in [from, to] {
                    match end {
                        None => out.push(0),
                        Some(end) => {
                            out.push(if end.include_time { 2 } else { 1 });
                            out.extend_from_slice(&end.at.as_nanosecond().to_be_bytes());
                        }
                    }
                }
            }
            Self::Parts(parts) => {
                out.push(11);
                put_count(out, parts.len());
                for (name, text) in parts {
                    put_text(out, name);
                    put_text(out, text);
                }
            }
        }
    }
}

/// The canonical bytes of [`FieldValue::Text`].
pub(crate) fn put_text_value(out: &mut Vec<u8>, text: &str) {
    out.push(1);
    put_text(out, text);
}

/// The canonical bytes of [`FieldValue::Number`].
pub(crate) fn put_number(out: &mut Vec<u8>, number: &Decimal) {
    out.push(2);
    put_shown(out, number);
}

/// The canonical bytes of [`FieldValue::Choice`].
pub(crate) fn put_choice(out: &mut Vec<u8>, id: &str) {
    out.push(4);
    put_text(out, id);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// [`put_text`] of what a thing is shown as.
fn put_shown(out: &mut Vec<u8>, shown: &dyn std::fmt::Display) {
    use std::io::Write as _;
    let begin = out.len();
    put_count(out, 0);
    let text = out.len();
    // Writing into memory does not fail.
    drop(write!(out, "{shown}"));
    let length = (out.len() - text) as u64;
    if let Some(count) = out.get_mut(begin..text) {
        count.copy_from_slice(&length.to_be_bytes());
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_be_bytes());
}

impl std::fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FieldValue({})", self.kind())
    }
}

impl std::fmt::Debug for DateStamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DateStamp")
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phone")
    }
}
