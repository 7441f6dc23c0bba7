//! One event of the log: its header, what kind it is, and its bytes.

use flate2::Crc;

use super::bytes::Bytes;

/// Bytes of a header.
pub(crate) const HEADER_LENGTH: usize = 19;
/// Bytes of the checksum behind an event.
pub(crate) const CHECKSUM_LENGTH: usize = 4;
/// Set in events that the server made up for this connection: they stand in no file.
const ARTIFICIAL: u16 = 0x20;

/// The header that every event has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Seconds since 1970 when the statement began; 0 in events without a time.
    pub(crate) seconds: u32,
    /// The number of its kind.
    pub(crate) kind: u8,
    /// The server that wrote the change first.
    pub(crate) server_id: u32,
    /// Bytes of the event, header and checksum included.
    pub(crate) size: u32,
    /// Where the next event begins in the file; 0 where the server does not say.
    pub(crate) end: u32,
    /// Flags.
    pub(crate) flags: u16,
}

impl Header {
    pub(crate) fn parse(bytes: &mut Bytes<'_>) -> Option<Self> {
        let mut part = Bytes(bytes.take(HEADER_LENGTH)?);
        let mut number = |length| u32::try_from(part.uint(length)?).ok();
        Some(Self {
            seconds: number(4)?,
            kind: u8::try_from(number(1)?).ok()?,
            server_id: number(4)?,
            size: number(4)?,
            end: number(4)?,
            flags: u16::try_from(number(2)?).ok()?,
        })
    }

    /// Whether the event stands in no file.
    pub(crate) fn is_artificial(&self) -> bool {
        self.flags & ARTIFICIAL != 0
    }
}

/// One event, its checksum verified and cut off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    /// Its header.
    pub(crate) header: Header,
    /// What follows the header.
    pub(crate) body: &'a [u8],
}

/// What an event changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowChange {
    /// Rows appear.
    Insert,
    /// Rows change.
    Update,
    /// Rows go.
    Delete,
}

/// How a rows event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowsForm {
    /// What it does.
    pub(crate) change: RowChange,
    /// Whether extra bytes stand before the columns (the second version of the format).
    pub(crate) has_extra: bool,
    /// Whether JSON columns may hold differences only.
    pub(crate) is_partial: bool,
    /// Whether MariaDB compressed the rows.
    pub(crate) is_compressed: bool,
}

/// The kinds of events that are known. **Whatever is not on this list stops the reading: an event that is skipped
/// may be a change that is lost.**
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// How the events that follow are written.
    FormatDescription,
    /// The next file.
    Rotate,
    /// A statement; compressed by MariaDB or not.
    Query { is_compressed: bool },
    /// A statement that loaded a file: written as a statement, so that its rows are unknown.
    LoadedFile,
    /// The end of a transaction.
    Commit,
    /// A transaction that waits for `XA COMMIT`.
    XaPrepare,
    /// What the table of the rows to come looks like.
    TableMap,
    /// Rows.
    Rows(RowsForm),
    /// MySQL's name of the transaction to come; tagged or not.
    MySqlGtid { is_tagged: bool },
    /// The transaction to come has no name.
    NoGtid,
    /// MySQL's names of all transactions before this file (`PREVIOUS_GTIDS`).
    MySqlEarlier,
    /// MariaDB's name of the transaction to come.
    MariaDbGtid,
    /// MariaDB's newest transactions before this file (`GTID_LIST`).
    MariaDbEarlier,
    /// The log goes on, and nothing happens.
    Heartbeat,
    /// A whole transaction, compressed; its events follow.
    Payload,
    /// Nothing that could change a row.
    Silent,
    /// The server lost events.
    Incident,
    /// Not known: reading stops.
    Unknown(u8),
}

impl EventKind {
    pub(crate) fn of(kind: u8) -> Self {
        let rows = |change, has_extra, is_partial, is_compressed| {
            Self::Rows(RowsForm { change, has_extra, is_partial, is_compressed })
        };
        match kind {
            2 => Self::Query { is_compressed: false },
            // STOP, INTVAR, RAND, USER_VAR, BEGIN_LOAD_QUERY and APPEND_BLOCK (of a statement that follows), IGNORABLE,
            // ROWS_QUERY, TRANSACTION_CONTEXT, VIEW_CHANGE; MariaDB's ANNOTATE_ROWS, BINLOG_CHECKPOINT, START_ENCRYPTION.
            3 | 5 | 9 | 13 | 14 | 17 | 28 | 29 | 36 | 37 | 160 | 161 | 164 => Self::Silent,
            4 => Self::Rotate,
            15 => Self::FormatDescription,
            16 => Self::Commit,
            18 => Self::LoadedFile,
            19 => Self::TableMap,
            23 => rows(RowChange::Insert, false, false, false),
            24 => rows(RowChange::Update, false, false, false),
            25 => rows(RowChange::Delete, false, false, false),
            26 => Self::Incident,
            27 | 41 => Self::Heartbeat,
            30 => rows(RowChange::Insert, true, false, false),
            31 => rows(RowChange::Update, true, false, false),
            32 => rows(RowChange::Delete, true, false, false),
            33 => Self::MySqlGtid { is_tagged: false },
            34 => Self::NoGtid,
            35 => Self::MySqlEarlier,
            38 => Self::XaPrepare,
            39 => rows(RowChange::Update, true, true, false),
            40 => Self::Payload,
            42 => Self::MySqlGtid { is_tagged: true },
            162 => Self::MariaDbGtid,
            163 => Self::MariaDbEarlier,
            165 => Self::Query { is_compressed: true },
            166 => rows(RowChange::Insert, false, false, true),
            167 => rows(RowChange::Update, false, false, true),
            168 => rows(RowChange::Delete, false, false, true),
            169 => rows(RowChange::Insert, true, false, true),
            170 => rows(RowChange::Update, true, false, true),
            171 => rows(RowChange::Delete, true, false, true),
            other => Self::Unknown(other),
        }
    }
}

/// The checksum of an event over these pieces of it.
pub(crate) fn checksum(pieces: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for piece in pieces {
        crc.update(piece);
    }
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_nineteen_bytes() {
        let mut bytes = vec![1, 0, 0, 0, 16, 7, 0, 0, 0, 31, 0, 0, 0, 0, 1, 0, 0, 0x20, 0];
        let header = Header::parse(&mut Bytes(&bytes)).unwrap();
        let expected = Header { seconds: 1, kind: 16, server_id: 7, size: 31, end: 256, flags: 32 };
        assert_eq!(header, expected);
        assert!(header.is_artificial());
        bytes.pop();
        assert_eq!(Header::parse(&mut Bytes(&bytes)), None);
    }

    #[test]
    fn an_event_of_tomorrow_is_not_known() {
        let unknown: Vec<u8> =
            (0..=255).filter(|kind| EventKind::of(*kind) == EventKind::Unknown(*kind)).collect();
        assert!([0, 1, 6, 43, 100, 172, 255].iter().all(|kind| unknown.contains(kind)));
        assert_eq!(256 - unknown.len(), 44, "an event was added to the list or taken off it");
    }
}
