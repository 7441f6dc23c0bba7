//! What a check of a source may find.

use sync_core::{error::SourceErrorKind, stable_codes};

/// One finding of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFinding {
    /// How bad it is.
    pub severity: Severity,
    /// Of which kind it is.
    pub code: SourceFindingCode,
    /// One sentence, free of row values.
    pub message: String,
    /// What to do about it; empty where the message says it.
    pub hint: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Rows would be missed or refused: the sync should not run.
    Error,
    /// It works, but not as well as it could.
    Warning,
    /// Good to know.
    Note,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFindingCode {
    /// The text of a key column's values is no stable key.
    KeyKind,
    /// A key column may be NULL.
    KeyNullable,
    /// No index gives the table the order of its key.
    KeyWithoutOrder,
    /// The server does not take the query inside another.
    QueryUnwrappable,
    /// The query yields nothing on a full read.
    NullYieldsNothing,
    /// Each incremental read reads a table from end to end.
    CursorIndex,
    /// The query does not use the position.
    CursorUnused,
    /// The cursor column holds no time.
    CursorNoTime,
    /// How exact positions are.
    Position,
    /// Only the application keeps the cursor column current.
    CursorApplicationWritten,
    /// The query does not return the cursor column.
    CursorNotReturned,
    /// The binlog lacks what a foreign key does.
    BinlogForeignKey,
    /// A table that the query joins is not followed.
    BinlogJoinUnfollowed,
    /// No grant is seen that lets the user read the binlog.
    BinlogRightNotSeen,
    /// The server soon deletes its binlog.
    BinlogKeptBriefly,
    /// The binlog cannot be followed.
    Error(SourceErrorKind),
}

stable_codes!(SourceFindingCode {
    Self::KeyKind => "key_kind",
    Self::KeyNullable => "key_nullable",
    Self::KeyWithoutOrder => "key_without_order",
    Self::QueryUnwrappable => "query_unwrappable",
    Self::NullYieldsNothing => "null_yields_nothing",
    Self::CursorIndex => "cursor_index",
    Self::CursorUnused => "cursor_unused",
    Self::CursorNoTime => "cursor_no_time",
    Self::Position => "position",
    Self::CursorApplicationWritten => "cursor_application_written",
    Self::CursorNotReturned => "cursor_not_returned",
    Self::BinlogForeignKey => "binlog_foreign_key",
    Self::BinlogJoinUnfollowed => "binlog_join_not_followed",
    Self::BinlogRightNotSeen => "binlog_right_not_seen",
    Self::BinlogKeptBriefly => "binlog_kept_briefly",
} Self::Error(kind) => kind.code());
