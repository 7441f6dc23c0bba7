//! Phone numbers (section 5.1) and the dialling codes they are shown with.

use serde_json::{Value, json};

use super::{Writer, Written, array, entries_allowed, object, refused};
use crate::model::cell::Cell;
use crate::model::field::Field;

/// Dialling codes by country. A country that is not here is accepted without a code.
const DIALLING: &[(&str, &str)] = &[
    ("US", "1"),
    ("CA", "1"),
    ("RU", "7"),
    ("KZ", "7"),
    ("EG", "20"),
    ("ZA", "27"),
    ("GR", "30"),
    ("NL", "31"),
    ("BE", "32"),
    ("FR", "33"),
    ("ES", "34"),
    ("HU", "36"),
    ("IT", "39"),
    ("RO", "40"),
    ("CH", "41"),
    ("AT", "43"),
    ("GB", "44"),
    ("DK", "45"),
    ("SE", "46"),
    ("NO", "47"),
    ("PL", "48"),
    ("DE", "49"),
    ("PE", "51"),
    ("MX", "52"),
    ("CU", "53"),
    ("AR", "54"),
    ("BR", "55"),
    ("CL", "56"),
    ("CO", "57"),
    ("VE", "58"),
    ("MY", "60"),
    ("AU", "61"),
    ("ID", "62"),
    ("PH", "63"),
    ("NZ", "64"),
    ("SG", "65"),
    ("TH", "66"),
    ("JP", "81"),
    ("KR", "82"),
    ("VN", "84"),
    ("CN", "86"),
    ("TR", "90"),
    ("IN", "91"),
    ("PK", "92"),
    ("AF", "93"),
    ("LK", "94"),
    ("IR", "98"),
    ("MA", "212"),
    ("DZ", "213"),
    ("TN", "216"),
    ("NG", "234"),
    ("KE", "254"),
    ("PT", "351"),
    ("LU", "352"),
    ("IE", "353"),
    ("IS", "354"),
    ("FI", "358"),
    ("BG", "359"),
    ("LT", "370"),
    ("LV", "371"),
    ("EE", "372"),
    ("UA", "380"),
    ("RS", "381"),
    ("HR", "385"),
    ("SI", "386"),
    ("CZ", "420"),
    ("SK", "421"),
    ("HK", "852"),
    ("TW", "886"),
    ("IL", "972"),
    ("AE", "971"),
    ("SA", "966"),
];

/// Office, mobile, home, fax, main, other.
const TYPES: [i64; 6] = [1, 2, 4, 5, 6, 8];

fn dialling_code(country: &str) -> &'static str {
    DIALLING.iter().find(|(name, _)| *name == country).map_or("", |(_, code)| code)
}

pub(super) fn phones(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let mut numbers = Vec::new();
    for item in array(value, "phone numbers")? {
        numbers.push(match item {
            Value::String(text) if cx.profile.phone_text => from_text(text)?,
            other => from_object(other)?,
        });
    }
    let numbers = entries_allowed(cx.profile, field, numbers)?;
    if numbers.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(Cell::Json(Box::new(numbers.into())))
}

fn from_object(value: &Value) -> Result<Value, Value> {
    let parts = object(value)?;
    let text = |key: &str| match parts.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(json!({key: ["Not a valid string."]})),
    };
    let (country, number) = (text("phone_country")?, text("phone_number")?);
    let extension = text("phone_extension")?;
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_country {
        return Err(json!({"phone_country": [format!("'{country}' is not a valid choice.")]}));
    }
    if !is_number(number) {
        return Err(json!({"phone_number": ["Enter a valid phone number."]}));
    }
    let kind = match parts.get("phone_type") {
        None | Some(Value::Null) => TYPES.first().copied().unwrap_or(1),
        Some(kind) => kind
            .as_i64()
            .filter(|kind| TYPES.contains(kind))
            .ok_or_else(|| json!({"phone_type": ["Not a valid choice."]}))?,
    };
    Ok(shown(country, number, extension, kind))
}

fn from_text(text: &str) -> Result<Value, Value> {
    let digits = digits(text);
    if !text.starts_with('+') || !is_number(text) {
        return Err(refused("Enter a valid phone number."));
    }
    let fits = DIALLING.iter().filter(|(_, code)| digits.starts_with(code));
    // The longest code wins; of several countries with one code the first of the list.
    let country = fits.rev().max_by_key(|(_, code)| code.len());
    let (country, code) = country.copied().unwrap_or(("", ""));
    let number = digits.strip_prefix(code).unwrap_or(&digits);
    Ok(shown(country, number, "", 2))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_number(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_digit() || " +-().,/#x*".contains(c);
    text.len() <= 40 && text.chars().all(allowed) && text.bytes().any(|b| b.is_ascii_digit())
}

fn shown(country: &str, number: &str, extension: &str, kind: i64) -> Value {
    let code = dialling_code(country);
    let plus = if code.is_empty() { String::new() } else { format!("+{code} ") };
    let title = if number.starts_with('+') { number.to_owned() } else { format!("{plus}{number}") };
    json!({
        "phone_country": country,
        "phone_number": number,
        "phone_extension": extension,
        "phone_type": kind,
        "sys_root": digits(&title),
        "sys_title": title,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_with_its_dialling_code() {
        let number = shown("US", "913 555 1212", "", 1);
        assert_eq!(number["sys_root"], "19135551212");
        assert_eq!(number["sys_title"], "+1 913 555 1212");
    }

    #[test]
    fn a_text_is_split_at_its_dialling_code() {
        let number = from_text("+353 1 555 1212").unwrap();
        assert_eq!(number["phone_country"], "IE");
        assert_eq!(number["phone_number"], "15551212");
        assert_eq!(from_text("+1 913 555 1212").unwrap()["phone_country"], "US");
        assert!(from_text("913 555 1212").is_err());
    }
}
