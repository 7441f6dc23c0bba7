//! Any text as names of transactions: refused, or printed in a form that reads back the same.

use sync_mysql::binlog::{GtidSet, GtidState};

/// Reads the input as the text of both families.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(set) = text.parse::<GtidSet>() {
        assert_eq!(set.to_string().parse(), Ok(set.clone()));
        assert!(set.contains(&set), "a set contains itself");
    }
    if let Ok(state) = text.parse::<GtidState>() {
        assert_eq!(state.to_string().parse(), Ok(state.clone()));
        assert!(state.has_reached(&state));
    }
}
