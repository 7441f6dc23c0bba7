//! Rows that are gone: what says so, what becomes of their records, and how many may go without a person's yes.

use serde_json::Value as Json;

use crate::value::Value;

/// So many records may always go at once, unless they are more than half of all.
const RECORDS_ALWAYS: u64 = 20;
/// Of more than [`RECORDS_ALWAYS`], at most one in so many.
const ONE_IN: u64 = 10;

/// What becomes of records whose rows are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GonePolicy {
    /// They stay as they are.
    Leave,
    /// They are deleted; those that this tool did not create only if `adopted`.
    Delete {
        /// Whether adopted records go too.
        adopted: bool,
    },
    /// A field of theirs is set, and once that is known they are deleted; those that this tool did not create only if
    /// `adopted`.
    ArchiveFirst {
        /// Whether adopted records go too.
        adopted: bool,
    },
    /// A field of theirs is set, and they stay.
    Archive,
}

impl GonePolicy {
    /// Whether records that this tool created, and others too, do not stay as they are; the first is true where the
    /// second is.
    pub fn reaches(self) -> (bool, bool) {
        match self {
            Self::Leave => (false, false),
            Self::Delete { adopted } | Self::ArchiveFirst { adopted } => (true, adopted),
            Self::Archive => (true, true),
        }
    }
}

/// Records that are about to go, and what a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Going {
    /// Records that would be deleted or archived together, those of this run that already were among them.
    pub records: u64,
    /// Records that the sync is linked to, likewise.
    pub of: u64,
}

impl Going {
    /// Whether a person must be asked first: more than 20 and more than a tenth of the sync's records, or more than
    /// half of them however few. `allowed` is the number a person said yes to.
    pub fn needs_a_yes(self, allowed: Option<u64>) -> bool {
        let Self { records, of } = self;
        if allowed.is_some_and(|allowed| records <= allowed) {
            return false;
        }
        let many = records > RECORDS_ALWAYS && records.saturating_mul(ONE_IN) > of;
        many || records.saturating_mul(2) > of
    }
}

/// Texts that say no.
const NOES: [&str; 7] = ["", "0", "false", "f", "no", "n", "off"];

/// Whether a cell of the deleted column says that its row counts as deleted: anything but NULL, 0, false, an empty
/// text, a word that says no, and a zero date.
pub fn marks_deleted(cell: &Value) -> bool {
    match cell {
        Value::Null | Value::ZeroDate(_) => false,
        Value::Int(number) => *number != 0,
        Value::Bool(is_set) => *is_set,
        Value::Decimal(number) => number.to_string().contains(|digit| matches!(digit, '1'..='9')),
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => {
            let text = text.trim();
            !NOES.iter().any(|no| text.eq_ignore_ascii_case(no))
        }
        Value::Bytes(bytes) => bytes.iter().any(|byte| *byte != 0),
        Value::Labels(labels) => !labels.is_empty(),
        Value::Duration(micros) => *micros != 0,
        Value::Json(Json::Number(number)) => number.as_f64() != Some(0.0),
        Value::Json(Json::String(text)) => marks_deleted(&Value::Text(text.clone())),
        Value::Json(json) => !matches!(json, Json::Null | Json::Bool(false)),
        Value::Date(_) | Value::DateTime(_) | Value::Instant(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(records: u64, of: u64, allowed: Option<u64>, asks: bool) {
        assert_eq!(
            Going { records, of }.needs_a_yes(allowed),
            asks,
            "{records} of {of}, {allowed:?}"
        );
    }

    #[test]
    fn few_go_by_themselves_and_many_only_with_a_yes() {
        check(0, 0, None, false);
        check(20, 100, None, false);
        check(21, 1_000, None, false);
        check(100, 1_000, None, false);
        check(101, 1_000, None, true);
        check(21, 209, None, true);
        check(21, 210, None, false);
    }

    #[test]
    fn a_deleted_column_that_says_no_in_words_deletes_nothing() {
        for no in ["", " ", "0", "false", "FALSE", "f", "no", "N", "off"] {
            assert!(!marks_deleted(&Value::Text(no.to_owned())), "{no}");
            assert!(!marks_deleted(&Value::Json(Json::from(no))), "{no}");
        }
        for no in [Json::Null, Json::from(false), Json::from(0), Json::from(0.0)] {
            assert!(!marks_deleted(&Value::Json(no)));
        }
        for yes in ["1", "true", "Y", "yes", "deleted", "2026-11-26", "null"] {
            assert!(marks_deleted(&Value::Text(yes.to_owned())), "{yes}");
        }
        assert!(marks_deleted(&Value::Json(Json::from(1))));
        assert!(marks_deleted(&Value::Int(-1)) && !marks_deleted(&Value::Int(0)));
    }

    #[test]
    fn more_than_half_is_always_asked_for() {
        check(1, 1, None, true);
        check(1, 2, None, false);
        check(2, 3, None, true);
        check(10, 19, None, true);
        check(10, 20, None, false);
    }

    #[test]
    fn a_yes_reaches_as_far_as_its_number() {
        check(500, 1_000, Some(500), false);
        check(501, 1_000, Some(500), true);
        check(1, 1, Some(1), false);
        check(1, 1, Some(0), true);
        // A number below what goes by itself takes nothing away.
        check(5, 1_000, Some(1), false);
    }
}
