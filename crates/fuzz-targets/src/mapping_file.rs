//! Any text as a mapping file: it becomes a configuration or a list of what is wrong with it.

use sync_core::config::parse;

/// Reads the input as a mapping file.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let known = |name: &str| (name == "KNOWN").then(|| "value".to_owned());
    let parsed = parse(text, &known);
    assert!(
        parsed.config.is_some() || !parsed.diagnostics.is_empty(),
        "a file that means nothing says why"
    );
}
