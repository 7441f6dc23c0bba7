//! Address, full name and social networks.
//!
//! **Accepts** a JSON object, which `parts` makes too, whose members have our names for the parts or SmartSuite's own
//! (`city` or `location_city`); an address also text, its first line. **Canonical form**: the parts under SmartSuite's
//! names, trimmed, without the empty ones; coordinates as plain decimals, a full name's title by its number.
//! **Empty**: no parts. **Faults**: other names, members that are no scalars, a title that is no number.

use serde_json::{Map, Value as Json};

use super::{Cell, Coerce, holds_text, source_text};
use crate::{
    field_value::{FieldValue, part_text},
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// The rule with the parts of its type.
#[derive(Debug)]
pub(in crate::mapping) struct Parts(
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

/// Our names of an address's parts, and SmartSuite's.
const ADDRESS: &[(&str, &str)] = &[
    ("street", "location_address"),
    ("street2", "location_address2"),
    ("city", "location_city"),
    ("state", "location_state"),
    ("zip", "location_zip"),
    ("country", "location_country"),
    ("longitude", "location_longitude"),
    ("latitude", "location_latitude"),
];
/// Our names of a full name's parts, and SmartSuite's.
const FULL_NAME: &[(&str, &str)] = &[
    ("title", "title"),
    ("first", "first_name"),
    ("middle", "middle_name"),
    ("last", "last_name"),
];
/// Our names of social networks, and SmartSuite's.
const SOCIAL_NETWORK: &[(&str, &str)] = &[
    ("facebook", "facebook_username"),
    ("twitter", "twitter_username"),
    ("instagram", "instagram_username"),
    ("linkedin", "linkedin_username"),
];

impl Parts {
    /// Of an address.
    pub(in crate::mapping) const ADDRESS: Self = Self(
        ADDRESS,
        &["street", "street2", "city", "state", "zip", "country", "longitude", "latitude"],
    );
    /// Of a full name.
    pub(in crate::mapping) const FULL_NAME: Self =
        Self(FULL_NAME, &["title", "first", "middle", "last"]);
    /// Of social networks.
    pub(in crate::mapping) const SOCIAL_NETWORK: Self =
        Self(SOCIAL_NETWORK, &["facebook", "twitter", "instagram", "linkedin"]);

    fn is_address(&self) -> bool {
        self.0.len() == ADDRESS.len()
    }

    fn of(&self, members: &Map<String, Json>) -> Result<FieldValue, Refusal> {
        let mut parts = Vec::with_capacity(members.len());
        for (name, member) in members {
            let Some((_, own)) = self.0.iter().find(|(ours, own)| ours == name || own == name)
            else {
                // SmartSuite's own summary, in a value that was read from it.
                if name == "sys_root" {
                    continue;
                }
                return Err(Refusal::new(FaultCode::PartUnknown).about(name));
            };
            let text = match member {
                Json::Null => continue,
                Json::String(text) => text.trim().to_owned(),
                Json::Number(number) => number.to_string(),
                Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
                    return Err(Refusal::unsuitable("nested JSON", "a part"));
                }
            };
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            let text = if *own == "title" { title(&text)? } else { part_text(own, &text) };
            parts.push(((*own).to_owned(), text));
        }
        Ok(FieldValue::parts(parts))
    }
}

impl Coerce for Parts {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column)).then_some("give its parts: `parts: {NAME: COLUMN, ...}`")
    }

    fn parts(&self) -> &'static [&'static str] {
        self.1
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        if let Some(json) = source_text::compound_json(cell)? {
            return match &*json {
                Json::Object(members) => self.of(members),
                _ => Err(Refusal::unsuitable("a list", "a compound value")),
            };
        }
        let text = source_text::text(cell)?;
        if text.trim().is_empty() {
            return Ok(FieldValue::Empty);
        }
        if !self.is_address() {
            return Err(Refusal::unsuitable(cell.value.kind(), "a compound value"));
        }
        let line = Json::from(text.split_whitespace().collect::<Vec<_>>().join(" "));
        self.of(&Map::from_iter([("street".to_owned(), line)]))
    }
}

/// SmartSuite keeps a title as the number of its entry: 1 Mr, 2 Mrs.
fn title(text: &str) -> Result<String, Refusal> {
    match text.trim_end_matches('.').to_ascii_lowercase().as_str() {
        "" => Ok(String::new()),
        "mr" => Ok("1".to_owned()),
        "mrs" => Ok("2".to_owned()),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number.to_owned()),
        _ => Err(Refusal::unsuitable("this text", "a title, which is a number: 1 Mr, 2 Mrs")),
    }
}
