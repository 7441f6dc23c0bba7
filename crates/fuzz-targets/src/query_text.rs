//! Any text as a query: its tokens are the text, and `:last_sync_time` is replaced or what stands in the way is said.

use sync_core::sql::{SqlTemplate, doubled_percents, null_filter, tokens};

/// Reads the input as a query.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let whole: usize = tokens(text).iter().map(|token| token.text.len()).sum();
    assert_eq!(whole, text.len(), "tokens lose nothing");
    drop(null_filter(text));
    drop(doubled_percents(text));
    if let Ok(template) = SqlTemplate::parse(text) {
        let rendered = template.render(None);
        assert!(!template.has_parameter() || rendered.sql != text, "the parameter is replaced");
    }
}
