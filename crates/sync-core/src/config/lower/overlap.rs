//! A record is made by one sync: enabled syncs of one table and external-id field must tell their keys apart, or all
//! but one only change what is there, each its own fields.

use crate::config::{
    diagnostic::Code,
    raw::{RawDestination, RawSync},
    report::{Finding, Report},
    span::Span,
};

use super::is_enabled;

/// What a sync claims: keys with a prefix, in a field of a table.
struct Claim<'r> {
    sync: &'r str,
    table: &'r str,
    field: &'r str,
    prefix: &'r str,
    /// Whether it only changes records that are there: it may share them with one that makes them.
    only_updates: bool,
    at: Span,
}

impl<'r> Claim<'r> {
    fn of(sync: &'r RawSync) -> Option<Self> {
        let destination: &RawDestination = &sync.destination.0.as_ref()?.value;
        let table = destination.table_id.0.as_ref()?;
        let prefix = destination.key_prefix.as_ref();
        if prefix.is_none() && destination.has("key_prefix") {
            return None;
        }
        Some(Self {
            sync: sync.name.0.as_ref()?.value.shown(),
            table: table.value.text.trim(),
            field: destination.external_id_field.0.as_ref()?.value.text.trim(),
            prefix: prefix.map_or("", |given| given.value.text.as_str()),
            only_updates: destination
                .mode
                .as_ref()
                .is_some_and(|given| given.value.text == "update_only"),
            at: prefix.map_or(table.span, |given| given.span),
        })
    }

    /// Whether some key of one could be read as a key of the other: then one prefix begins the other.
    fn overlaps(&self, other: &Self) -> bool {
        !(self.only_updates || other.only_updates)
            && self.table == other.table
            && self.field == other.field
            && (self.prefix.starts_with(other.prefix) || other.prefix.starts_with(self.prefix))
    }
}

pub(super) fn check(syncs: &[&RawSync], report: &mut Report<'_>) {
    let claims: Vec<_> =
        syncs.iter().filter(|sync| is_enabled(sync)).filter_map(|sync| Claim::of(sync)).collect();
    for (index, claim) in claims.iter().enumerate() {
        if let Some(first) = claims.iter().take(index).find(|first| first.overlaps(claim)) {
            let message = format!(
                "`{}` and `{}` would write the same records: same table, same external-id field",
                first.sync, claim.sync
            );
            let hint = if claim.prefix == first.prefix {
                "give each of them a `destination.key_prefix` of its own, set `mode: update_only` in all but one, or \
                 disable one"
            } else {
                "one prefix begins the other, so their keys could meet: choose prefixes such as `a:` and `b:`"
            };
            report.add(
                Finding::new(Code::SharedTable, claim.at, message)
                    .label("shared with the other sync")
                    .also(first.at, "already used here")
                    .hint(hint),
            );
        }
    }
}
