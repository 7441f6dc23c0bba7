//! A log as it stands in a file, for tests, measuring and fuzzing: the same decoder, without a server.

use sync_core::source::ColumnKind;

use super::{
    bytes::Bytes,
    decoder::{Decoder, Step},
    event::{CHECKSUM_LENGTH, Event, EventKind, HEADER_LENGTH, Header, checksum},
    key_column::{KeyColumn, KeyForm},
    position::Position,
    watch::{Follower, Purpose, Watched},
};

/// What a log begins with.
const MAGIC: &[u8] = b"\xfebin";
/// Bytes of a format description before the list of header lengths: version, server's name, time, length.
const DESCRIPTION_LENGTH: usize = 57;

/// The bytes of a log file.
#[derive(Clone, Copy, Debug)]
pub struct LogFile<'a> {
    events: Bytes<'a>,
    has_checksums: bool,
}

/// What a log held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transactions and statements.
    pub transactions: u64,
    /// Different keys, counted anew in each transaction.
    pub keys: u64,
    /// Events that could not be read, or the damaged end of the file.
    pub unreadable: u64,
}

impl<'a> LogFile<'a> {
    /// The log in these bytes, with or without the four that a file begins with.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { events: Bytes(bytes.strip_prefix(MAGIC).unwrap_or(bytes)), has_checksums: false }
    }

    /// Reads the log for keys of this table, whose key is one integer column, its first.
    pub fn tally(mut self, schema: &str, table: &str, column_count: usize) -> Tally {
        let key = KeyColumn {
            name: "id".to_owned(),
            place: 0,
            form: KeyForm::Int { unsigned: false },
            kind: ColumnKind::Int { unsigned: false, width: 20 },
        };
        let watched = Watched {
            follower: Follower(0),
            schema: schema.to_owned(),
            table: table.to_owned(),
            column_count,
            hidden_count: 0,
            columns: vec![key],
            purpose: Purpose::Rows,
        };
        let position = Position {
            server: String::new(),
            file: String::new(),
            offset: 0,
            begun: None,
            gtids: None,
            is_unsure: false,
        };
        let mut decoder = Decoder::new(position, vec![watched]);
        let mut tally = Tally::default();
        while !self.events.is_empty() {
            let Some(event) = self.next() else {
                tally.unreadable += 1;
                break;
            };
            match decoder.read(&event) {
                Ok(Step::Committed(committed)) => {
                    tally.transactions += 1;
                    for found in committed.found.values() {
                        tally.keys += u64::try_from(found.size()).unwrap_or(u64::MAX);
                    }
                }
                Ok(Step::Within | Step::Idle) => {}
                Err(_) => tally.unreadable += 1,
            }
        }
        tally
    }

    /// The next event; `None` if the bytes end within it or its checksum is wrong.
    fn next(&mut self) -> Option<Event<'a>> {
        let start = self.events.0;
        let header = Header::parse(&mut self.events)?;
        let length = usize::try_from(header.size).ok()?.checked_sub(HEADER_LENGTH)?;
        let mut body = self.events.take(length)?;
        if EventKind::of(header.kind) == EventKind::FormatDescription {
            // The algorithm stands before the description's own checksum.
            let algorithm = body.len().checked_sub(CHECKSUM_LENGTH + 1);
            self.has_checksums = algorithm
                .filter(|place| *place > DESCRIPTION_LENGTH)
                .is_some_and(|place| body.get(place) == Some(&1));
        }
        if self.has_checksums {
            let (inside, sum) = body.split_at_checked(body.len().checked_sub(CHECKSUM_LENGTH)?)?;
            // While a log is written, a flag says so that is not there when its checksum is made.
            let head = start.get(..HEADER_LENGTH)?;
            let is_open = EventKind::of(header.kind) == EventKind::FormatDescription;
            let sums = super::bytes::little_endian(sum);
            if !is_open && u64::from(checksum(&[head, inside])) != sums {
                return None;
            }
            body = inside;
        }
        Some(Event { header, body })
    }
}
