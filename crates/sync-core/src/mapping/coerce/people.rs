//! People.
//!
//! **Accepts** text, a SET or a JSON array: members' e-mail addresses or ids between `,`, `;` or white space.
//! **Canonical form**: the members' ids as a set. **Empty**: nobody. **Faults**: an address that no member has (or, by
//! `on_unknown: blank`, nobody), members that are not known yet, several for a field that takes one.

use std::collections::BTreeMap;

use super::{Cell, Coerce, check_count, holds_text, id_set::is_id, source_text};
use crate::{
    config::model::OnUnknown,
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
    table::Member,
};

/// The rule with the members of the workspace.
#[derive(Debug)]
pub(in crate::mapping) struct People {
    /// Ids by address in small letters; `None`: not known yet.
    members: Option<BTreeMap<String, String>>,
    multiple: bool,
    on_unknown: OnUnknown,
}

impl People {
    /// The rule for a field that takes several people or one.
    pub(in crate::mapping) fn new(
        members: Option<&[Member]>,
        multiple: bool,
        on_unknown: OnUnknown,
    ) -> Self {
        let by_address = |members: &[Member]| {
            let pairs = members.iter().flat_map(|member| {
                member.emails.iter().map(|email| (email.trim().to_lowercase(), member.id.clone()))
            });
            pairs.collect()
        };
        Self { members: members.map(by_address), multiple, on_unknown }
    }

    fn id(&self, entry: &str) -> Result<Option<String>, Refusal> {
        if is_id(entry) {
            return Ok(Some(entry.to_ascii_lowercase()));
        }
        if !entry.contains('@') {
            return Err(Refusal::new(FaultCode::NotAnId).about(entry));
        }
        let Some(members) = &self.members else {
            return Err(Refusal::new(FaultCode::PersonWanted).about(entry));
        };
        let refused = || Refusal::new(FaultCode::PersonUnknown).about(entry);
        match (members.get(&entry.to_lowercase()), self.on_unknown) {
            (Some(id), _) => Ok(Some(id.clone())),
            (None, OnUnknown::Blank) => Ok(None),
            (None, OnUnknown::Error) => Err(refused().ending_the_run()),
            (None, OnUnknown::Quarantine | OnUnknown::Create) => Err(refused()),
        }
    }
}

impl Coerce for People {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        (!holds_text(column) && *column != ColumnKind::Set)
            .then_some("return people's e-mail addresses from the query, as text")
    }

    fn coerce(&self, cell: Cell<'_>, _: &mut Notes) -> Result<FieldValue, Refusal> {
        let mut ids = Vec::new();
        for entry in source_text::entries(cell, &[',', ';', ' ', '\t', '\n', '\r'])? {
            ids.extend(self.id(&entry)?);
        }
        let ids = FieldValue::ids(ids);
        if let FieldValue::Ids(ids) = &ids {
            check_count(ids.len(), self.multiple)?;
        }
        Ok(ids)
    }
}
