//! Link.
//!
//! **Accepts** text, a SET or a JSON array: web addresses, one a line, as addresses may hold commas.
//! **Canonical form**: the addresses in order, trimmed, each once, otherwise as they are; the scheme may be missing
//! (`www.example.com`). **Empty**: no addresses. **Faults**: not an address, several for a field that takes one.

use super::{Cell, Coerce, check_count, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// The longest address taken, in characters; browsers take little more.
const ADDRESS_LENGTH_MAX: usize = 2048;

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct Link {
    /// Whether the field takes several addresses.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for Link {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set)
            .then_some("return a web address from the query, e.g. CONCAT('https://...', id)")
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut addresses: Vec<String> = Vec::new();
        for entry in source_text::entries(cell, &['\n', '\r'])? {
            if !is_address(&entry) {
                return Err(Refusal::new(FaultCode::NotALink).about(&entry));
            }
            if !addresses.contains(&entry) {
                addresses.push(entry);
            }
        }
        check_count(addresses.len(), self.multiple)?;
        Ok(FieldValue::list(addresses))
    }
}

/// A scheme and any host, or a host with a dot; nothing invisible.
fn is_address(text: &str) -> bool {
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"');
    if !text.chars().all(visible) || text.chars().count() > ADDRESS_LENGTH_MAX {
        return false;
    }
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(s, r)| (Some(s), r));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A name and password need a scheme; without one, `a@b.org` is an e-mail address.
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if scheme.is_some() => host,
        _ => authority,
    };
    let known = matches!(
        scheme.map(str::to_ascii_lowercase).as_deref(),
        None | Some("http" | "https" | "ftp" | "ftps" | "sftp")
    );
    let is_ipv6 = scheme.is_some() && host.starts_with('[');
    known && (is_ipv6 || is_host(host, scheme.is_some()))
}

fn is_host(host: &str, with_scheme: bool) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let name = name.strip_suffix('.').unwrap_or(name);
    port.parse::<u16>().is_ok()
        && (with_scheme || name.contains('.'))
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        })
}
