//! Any bytes as a binlog: it is read to its end or to what cannot be read.

use sync_mysql::binlog::LogFile;

/// Reads the input as the bytes of a log file.
pub fn run(input: &[u8]) {
    let tally = LogFile::new(input).tally("shop", "t", 2);
    // A row takes a byte at least, unless it was compressed.
    assert!(tally.transactions <= u64::try_from(input.len()).unwrap_or(u64::MAX));
}
