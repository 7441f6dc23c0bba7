//! E-mail, link, address, full name, IP address, social networks (section 5.1).

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Writer, Written, array, entries_allowed, no, object, refused};
use crate::model::cell::Cell;
use crate::model::field::Field;

fn strings(value: &Value, what: &str) -> Result<Vec<Box<str>>, Value> {
    let items = array(value, what)?.iter();
    items
        .map(|item| item.as_str().map(Into::into).ok_or_else(|| refused("Not a valid string.")))
        .collect()
}

pub(super) fn emails(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let addresses = strings(value, "email addresses")?;
    if cx.profile.email_syntax && !addresses.iter().all(|address| is_email(address)) {
        return no("Enter a valid email address.");
    }
    Ok(Cell::texts(entries_allowed(cx.profile, field, addresses)?))
}

fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || ",;<>".contains(c));
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    plain && !local.is_empty() && !local.contains('@') && is_host(domain)
}

/// Whether a text can be the name of a host in the public network.
fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    labels.len() > 1 && labels.iter().all(is_label)
}

pub(super) fn links(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let links = strings(value, "links")?;
    if !links.iter().all(|link| is_url(link)) {
        return no("URL is not valid");
    }
    Ok(Cell::texts(entries_allowed(cx.profile, field, links)?))
}

fn is_url(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some(("http" | "https" | "ftp" | "ftps", rest)) => rest,
        Some(_) => return false,
        // An address without its scheme is accepted.
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None => (host, "80"),
    };
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let has_host = host == "localhost" || is_host(host) || host.parse::<IpAddr>().is_ok();
    plain && has_host && port.parse::<u16>().is_ok()
}

/// The texts of some keys of an object; absent and null ones are empty.
fn texts<'k>(
    parts: &Map<String, Value>,
    keys: &[&'k str],
) -> Result<Vec<(&'k str, String)>, Value> {
    let one = |key: &&'k str| match parts.get(*key) {
        None | Some(Value::Null) => Ok((*key, String::new())),
        Some(Value::String(text)) => Ok((*key, text.clone())),
        Some(_) => Err(json!({*key: ["Not a valid string."]})),
    };
    keys.iter().map(one).collect()
}

fn stored(mut parts: Map<String, Value>, root: Option<(&str, String)>) -> Cell {
    if parts.values().all(|part| part.as_str().is_some_and(str::is_empty)) {
        return Cell::Empty;
    }
    if let Some((key, text)) = root {
        parts.insert(key.to_owned(), text.into());
    }
    Cell::Json(Box::new(Value::Object(parts)))
}

fn joined(parts: &[(&str, String)], keys: &[&str], separator: &str) -> String {
    let wanted = parts.iter().filter(|(key, text)| keys.contains(key) && !text.is_empty());
    wanted.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(separator)
}

fn map(parts: &[(&str, String)]) -> Map<String, Value> {
    parts.iter().map(|(key, text)| ((*key).to_owned(), text.as_str().into())).collect()
}

pub(super) fn address(value: &Value) -> Written {
    const KEYS: [&str; 8] = [
        "location_address",
        "location_address2",
        "location_city",
        "location_state",
        "location_zip",
        "location_country",
        "location_longitude",
        "location_latitude",
    ];
    let parts = texts(object(value)?, &KEYS)?;
    let [lines @ .., _, _] = &KEYS;
    let root = joined(&parts, lines, ", ");
    Ok(stored(map(&parts), Some(("sys_root", root))))
}

pub(super) fn full_name(value: &Value) -> Written {
    const KEYS: [&str; 4] = ["title", "first_name", "middle_name", "last_name"];
    let parts = texts(object(value)?, &KEYS)?;
    let root = joined(&parts, &["first_name", "middle_name", "last_name"], " ");
    Ok(stored(map(&parts), Some(("sys_root", root))))
}

pub(super) fn social_networks(value: &Value) -> Written {
    const KEYS: [&str; 4] =
        ["facebook_username", "twitter_username", "instagram_username", "linkedin_username"];
    Ok(stored(map(&texts(object(value)?, &KEYS)?), None))
}

pub(super) fn ip_addresses(value: &Value) -> Written {
    let mut addresses = Vec::new();
    for item in array(value, "IP addresses")? {
        let parts = object(item)?;
        let address = parts.get("address").and_then(Value::as_str).unwrap_or_default();
        if address.parse::<IpAddr>().is_err() {
            return no("Enter a valid IPv4 or IPv6 address.");
        }
        let country = parts.get("country_code").and_then(Value::as_str).unwrap_or_default();
        addresses.push(json!({"country_code": country, "address": address}));
    }
    if addresses.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(Cell::Json(Box::new(addresses.into())))
}
