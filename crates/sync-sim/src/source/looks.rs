//! What reads showed: whoever lets a record go must have missed its row twice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sync_core::{key::Key, port::ReadScope, source::Row, value::Value};

/// Which rows a read should show if they are there.
#[derive(Debug)]
pub(super) enum Asked {
    /// Nobody knows: it is of rows that changed, or of a part.
    Part,
    These(BTreeSet<i64>),
    All,
}

/// What one batch of a read showed.
#[derive(Debug)]
pub(super) struct Look {
    at: Timestamp,
    /// Rows that are there.
    shown: BTreeSet<i64>,
    missed: Missed,
}

/// Rows that should have been shown if they were there, and were not.
#[derive(Debug)]
enum Missed {
    These(BTreeSet<i64>),
    AllBut(BTreeSet<i64>),
}

impl Asked {
    pub(super) fn by(scope: &ReadScope) -> Self {
        match scope {
            ReadScope::LiveKeys => Self::All,
            ReadScope::Keys(keys) => {
                let ids = keys.iter().filter_map(|key| match key {
                    Key::Int(id) => Some(*id),
                    Key::Text(_) => None,
                });
                Self::These(ids.collect())
            }
            ReadScope::Full
            | ReadScope::Since(_)
            | ReadScope::Page { .. }
            | ReadScope::KeysWhere(_) => Self::Part,
        }
    }

    /// What a batch of these rows shows; none: the read has ended. `seen`: all that the read has yielded; `deleted`:
    /// rows that say of themselves that they are, where there is a column for it.
    pub(super) fn look(
        &self,
        at: Timestamp,
        ids: &BTreeSet<i64>,
        seen: &BTreeSet<i64>,
        deleted: Option<&BTreeSet<i64>>,
    ) -> Look {
        let none = BTreeSet::new();
        let has_column = deleted.is_some();
        let deleted = deleted.unwrap_or(&none);
        let missed = match self {
            Self::All if ids.is_empty() => Missed::AllBut(seen.clone()),
            Self::All => Missed::These(BTreeSet::new()),
            Self::These(asked) if ids.is_empty() => {
                Missed::These(asked.difference(seen).copied().collect())
            }
            // A row that says of itself that it is deleted is none, whether or not the read comes to its end.
            Self::These(_) | Self::Part => {
                Missed::These(ids.intersection(deleted).copied().collect())
            }
        };
        // The column is not among the keys: whoever reads these does not learn that a row is back.
        let shown = match self {
            Self::All if has_column => none.clone(),
            Self::All | Self::Part | Self::These(_) => ids.difference(deleted).copied().collect(),
        };
        Look { at, shown, missed }
    }
}

impl Look {
    /// One that should have shown every row, and showed none.
    pub(super) fn of_nothing(at: Timestamp) -> Self {
        Self { at, shown: BTreeSet::new(), missed: Missed::AllBut(BTreeSet::new()) }
    }

    fn misses(&self, id: i64) -> bool {
        match &self.missed {
            Missed::These(ids) => ids.contains(&id),
            Missed::AllBut(ids) => !ids.contains(&id),
        }
    }
}

/// How many looks in a row had missed this row at some moment between the two, at most.
pub(super) fn missed(looks: &[Look], id: i64, from: Timestamp, until: Timestamp) -> usize {
    let before = looks.partition_point(|look| look.at < from);
    let after = looks.partition_point(|look| look.at <= until);
    (before..=after)
        .map(|end| missed_by(looks.get(..end).unwrap_or_default(), id))
        .max()
        .unwrap_or(0)
}

/// How many looks in a row missed this row in the end.
fn missed_by(looks: &[Look], id: i64) -> usize {
    let looks = looks.iter().rev().take_while(|look| !look.shown.contains(&id));
    looks.filter(|look| look.misses(id)).count()
}

/// The numbers of these rows.
pub(super) fn ids_of(rows: &[Row]) -> BTreeSet<i64> {
    let id = |row: &Row| match row.0.first() {
        Some(Value::Int(id)) => i64::try_from(*id).ok(),
        _ => None,
    };
    rows.iter().filter_map(id).collect()
}
