//! IP address.
//!
//! **Accepts** text (MariaDB's INET4 and INET6 among them), a SET or a JSON array: addresses between `,`, `;` or white
//! space. **Canonical form**: the addresses in order, each once, in their shortest form (`::1`). **Empty**: no
//! addresses. **Faults**: not an address, several for a field that takes one.

use std::net::IpAddr;

use super::{Cell, Coerce, check_count, holds_text, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
};

/// The rule.
#[derive(Debug)]
pub(in crate::mapping) struct IpAddress {
    /// Whether the field takes several addresses.
    pub(in crate::mapping) multiple: bool,
}

impl Coerce for IpAddress {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set).then_some(
            "return the address as text from the query, e.g. INET_NTOA(...) or INET6_NTOA(...)",
        )
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut addresses: Vec<String> = Vec::new();
        for entry in source_text::entries(cell, &[',', ';', ' ', '\t', '\n', '\r'])? {
            let address: IpAddr =
                entry.parse().map_err(|_| Refusal::new(FaultCode::NotAnIpAddress).about(&entry))?;
            let text = address.to_string();
            if !addresses.contains(&text) {
                addresses.push(text);
            }
        }
        check_count(addresses.len(), self.multiple)?;
        Ok(FieldValue::list(addresses))
    }
}
