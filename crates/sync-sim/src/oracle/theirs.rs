//! Records that people make by hand or by copying: nothing is created beside one that was there before its process
//! began, and one that took the place of the tool's is found without its row changing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use smartsuite_emulator::{LogEntry, RouteKind};

use super::{ON_THE_WAY, What, Wrong, items, wrong};

/// How long lists may lag behind what was written, and a little.
const LAG: SignedDuration = SignedDuration::from_secs(3);

/// Where a record carries its key.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table's id.
    pub table: &'a str,
    /// The external-id field.
    pub field: &'a str,
}

#[derive(Debug)]
struct Made {
    table: String,
    field: String,
    key: String,
    at: Timestamp,
}

/// What people made while no process lived: whoever begins later looks at the table before it creates anything. What they
/// make beside a living process is seen by none that comes later, as that one's creates raise the mark.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// By the record's id.
    made: BTreeMap<String, Made>,
    /// Rows whose record they replaced, and when.
    replaced: BTreeMap<i64, Timestamp>,
    /// When the first of those processes began that live now, or were the last to live.
    began: Option<Timestamp>,
    /// Requests are theirs from then on.
    from: Option<Timestamp>,
}

impl Theirs {
    /// A process begins; `shocked_at`: when one died last. Answers the rows whose records were replaced so shortly before
    /// that lists may not show it.
    pub(super) fn process_begins(
        &mut self,
        now: Timestamp,
        is_alone: bool,
        shocked_at: Option<Timestamp>,
    ) -> Vec<i64> {
        if is_alone {
            self.began = Some(now);
            let cleared = shocked_at.and_then(|at| at.saturating_add(ON_THE_WAY).ok());
            self.from = cleared.max(Some(now));
        }
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < LAG;
        // What this process's audit may not see, it passes by with its creates.
        self.made.retain(|_, made| !is_fresh(&made.at));
        let fresh = self.replaced.extract_if(.., |_, at| is_fresh(at));
        fresh.map(|(id, _)| id).collect()
    }

    /// They made a record with this key.
    pub(super) fn make(&mut self, record: &str, place: Place<'_>, key: &str, at: Timestamp) {
        let made = Made {
            table: place.table.to_owned(),
            field: place.field.to_owned(),
            key: key.to_owned(),
            at,
        };
        self.made.insert(record.to_owned(), made);
    }

    /// They replaced a row's record.
    pub(super) fn replace(&mut self, id: i64, now: Timestamp) {
        self.replaced.insert(id, now);
    }

    /// A record is gone.
    pub(super) fn forget(&mut self, record: &str) {
        self.made.remove(record);
    }

    /// Rows whose records they replaced.
    pub(super) fn replaced(&self) -> impl Iterator<Item = i64> {
        self.replaced.keys().copied()
    }

    /// A request arrived.
    pub(super) fn sees(&self, entry: &LogEntry, at: Timestamp) -> Result<(), Wrong> {
        let is_create = matches!(entry.route, RouteKind::BulkCreate | RouteKind::Create);
        let Some(began) = self.began.filter(|_| is_create) else { return Ok(()) };
        if self.from.is_some_and(|from| at < from) {
            return Ok(());
        }
        for item in items(entry) {
            let beside = self.made.iter().find(|(_, made)| {
                entry.path.contains(&made.table)
                    && item[&made.field].as_str() == Some(made.key.as_str())
                    && began.duration_since(made.at) >= LAG
            });
            if let Some((record, made)) = beside {
                let text = format!(
                    "key {} is created though {record}, which people made, carried it before the process began",
                    made.key
                );
                return wrong(What::Twins, text);
            }
        }
        Ok(())
    }
}
