//! Phone.
//!
//! **Accepts** text, whole numbers, a SET or a JSON array: numbers between `,`, `;` or line ends, each with an
//! optional extension (`x12`, `ext. 12`, `#12`); or JSON objects with `number`, `country`, `extension` and `type`
//! (also in SmartSuite's spelling `phone_number` ...). **Canonical form**: country, the national digits without trunk
//! prefix, extension digits, type; so `+44 20 7946 0958`, `0044 (0)20 79460958` and, in a GB column, `020 7946 0958`
//! are one number. The country comes from the calling code, else it is the declared one. **Empty**: no numbers.
//! **Faults**: letters, too few or too many digits, an unknown calling code, several for a field that takes one.

mod calling_code;

use serde_json::{Map, Value as Json};

pub(in crate::mapping) use calling_code::Country;

use super::{Cell, Coerce, check_count, holds_text, source_text};
use crate::{
    field_value::{FieldValue, Phone as Number},
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// The country of numbers that do not say, when none is declared: what files written for the earlier program mean.
pub(in crate::mapping) const COUNTRY_DEFAULT: &str = "US";
/// Mobile: the type of numbers that do not say, when none is declared.
pub(in crate::mapping) const KIND_DEFAULT: u8 = 2;
/// Office, mobile, home, fax, main, other.
const KINDS: [u8; 6] = [1, 2, 4, 5, 6, 8];
/// The shortest national numbers in use.
const DIGITS_MIN: usize = 4;
/// E.164's limit, calling code included.
const DIGITS_MAX: usize = 15;
/// The longest extension taken.
const EXTENSION_DIGITS_MAX: usize = 8;
/// What may stand between digits.
const SEPARATORS: &str = " \t\u{a0}()-./_\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2212}";
/// What announces an extension; the longer before what it begins with.
const EXTENSION_MARKS: [&str; 4] = ["extension", "ext", "x", "#"];

/// The rule with its defaults.
#[derive(Debug)]
pub(in crate::mapping) struct Phone {
    /// The country of numbers that do not say.
    pub(in crate::mapping) country: Country,
    /// The type of numbers that do not say.
    pub(in crate::mapping) kind: u8,
    /// Whether the field takes several numbers.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for Phone {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        let digits = matches!(column, ColumnKind::Int { .. } | ColumnKind::Decimal { scale: 0 });
        (!digits && !holds_text(column) && *column != ColumnKind::Set)
            .then_some("map a text column to this field")
    }

    fn parts(&self) -> &'static [&'static str] {
        &["number", "country", "extension", "type"]
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut distinct: Vec<Number> = Vec::new();
        for number in self.numbers(cell)? {
            if !distinct.contains(&number) {
                distinct.push(number);
            }
        }
        check_count(distinct.len(), self.multiple)?;
        Ok(if distinct.is_empty() { FieldValue::Empty } else { FieldValue::Phones(distinct) })
    }
}

impl Phone {
    fn numbers(&self, cell: Cell<'_>) -> Result<Vec<Number>, Refusal> {
        let json = source_text::compound_json(cell)?;
        let Some(json) = json.as_deref() else {
            let entries = source_text::entries(cell, &[',', ';', '\n', '\r'])?;
            return entries.iter().map(|entry| self.number(entry)).collect();
        };
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let item = |item: &Json| match item {
            Json::Null => None,
            Json::String(text) if text.trim().is_empty() => None,
            Json::String(text) => Some(self.number(text)),
            // A country or a type alone is no number.
            Json::Object(members) if has_no_number(members) => None,
            Json::Object(members) => Some(self.number_of(members)),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
                Some(self.number(&item.to_string()))
            }
        };
        items.iter().filter_map(item).collect()
    }

    fn number(&self, text: &str) -> Result<Number, Refusal> {
        parse(text, self.country, self.kind)
            .ok_or_else(|| Refusal::new(FaultCode::NotAPhone).about(text))
    }

    fn number_of(&self, members: &Map<String, Json>) -> Result<Number, Refusal> {
        let text = |names: [&str; 2]| {
            let member = names.iter().find_map(|name| members.get(*name));
            member
                .map(|m| m.as_str().map_or_else(|| m.to_string(), str::to_owned))
                .unwrap_or_default()
        };
        let refused =
            || Refusal::new(FaultCode::NotAPhone).about(&Json::from(members.clone()).to_string());
        let country = match text(["phone_country", "country"]).as_str() {
            "" | "null" => self.country,
            code => Country::new(code).ok_or_else(refused)?,
        };
        let kind = text(["phone_type", "type"]).parse().ok().filter(|kind| KINDS.contains(kind));
        let mut number =
            parse(&text(["phone_number", "number"]), country, kind.unwrap_or(self.kind))
                .ok_or_else(refused)?;
        let extension: String =
            text(["phone_extension", "extension"]).chars().filter(char::is_ascii_digit).collect();
        if !extension.is_empty() {
            number.extension = extension;
        }
        Ok(number)
    }
}

fn has_no_number(members: &Map<String, Json>) -> bool {
    let number = ["phone_number", "number"].iter().find_map(|name| members.get(*name));
    match number {
        Some(Json::Null) => true,
        Some(Json::String(text)) => text.trim().is_empty(),
        Some(_) => false,
        None => {
            let beside = ["country", "type", "extension"];
            let known = |name: &String| beside.contains(&name.trim_start_matches("phone_"));
            !members.is_empty() && members.keys().all(known)
        }
    }
}

/// One number; `None` if it is none.
fn parse(text: &str, default: Country, kind: u8) -> Option<Number> {
    let (text, extension) = split_extension(text.trim())?;
    let text = text.trim();
    let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
    let digits = match international {
        // `+44 (0)20`: a trunk digit that nobody dials from abroad.
        Some(rest) => digits(&rest.replacen("(0)", "", 1))?,
        None => digits(text)?,
    };
    let (country, national) = match international {
        Some(_) => default.abroad(&digits)?,
        None => default.at_home(&digits),
    };
    if national.len() < DIGITS_MIN || digits.len() > DIGITS_MAX {
        return None;
    }
    Some(Number { country: country.to_owned(), digits: national.to_owned(), extension, kind })
}

/// The number and its extension's digits; `None` if what follows the mark is no extension.
fn split_extension(text: &str) -> Option<(&str, String)> {
    let lower = text.to_ascii_lowercase();
    let Some((at, mark)) =
        EXTENSION_MARKS.iter().find_map(|mark| lower.rfind(mark).map(|at| (at, mark)))
    else {
        return Some((text, String::new()));
    };
    let extension = text.get(at + mark.len()..)?.trim_matches([' ', '.', ':', '=']);
    let is_extension = !extension.is_empty()
        && extension.len() <= EXTENSION_DIGITS_MAX
        && extension.bytes().all(|byte| byte.is_ascii_digit());
    is_extension.then_some((text.get(..at)?, extension.to_owned()))
}

/// The digits alone; `None` if anything but separators stands between them.
fn digits(text: &str) -> Option<String> {
    let known = |c: char| c.is_ascii_digit() || SEPARATORS.contains(c);
    text.chars().all(known).then(|| text.chars().filter(char::is_ascii_digit).collect())
}
