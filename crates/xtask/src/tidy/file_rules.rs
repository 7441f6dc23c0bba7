//! Rules that look at one file: its length, its first words, and words that have no place here.

use super::{Finding, SourceFile};

/// A reader can hold no more.
const LINES_MAX: usize = 700;

/// What stands for "not finished". Taken apart, so that this file does not contain them.
const UNFINISHED: [&str; 6] = [
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("To be ", "written"),
];

/// What holds on one machine only, and hosts that a mirror or a closed network replaces.
const UNPORTABLE: [&str; 8] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", "."),
    concat!("deb.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
];

/// Cargo writes this one, and names its registry in it.
const GENERATED: &str = "Cargo.lock";

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.path.ends_with(GENERATED) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let is_rust = file.has_extension("rs");
    let lines = file.text.lines().count();
    if is_rust && lines > LINES_MAX {
        findings.push(Finding {
            place: file.path.clone(),
            message: format!("{lines} lines, at most {LINES_MAX}: split it by noun"),
        });
    }
    // The unit tests of a module need no introduction: their folder names it.
    let is_introduced = file.path.ends_with("/tests.rs") || says_what_it_is(&file.text);
    if is_rust && !is_introduced {
        findings.push(Finding {
            place: file.path.clone(),
            message: "starts without a `//!` line that says what the file is".to_owned(),
        });
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding {
            place: file.path.clone(),
            message: "does not end with a line feed".to_owned(),
        });
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        let mut report = |message: String| {
            findings.push(Finding { place: format!("{}:{number}", file.path), message });
        };
        for word in UNFINISHED.into_iter().filter(|word| line.contains(word)) {
            report(format!("`{word}`: finish it, or file an issue"));
        }
        for word in UNPORTABLE.into_iter().filter(|word| line.contains(word)) {
            report(format!("`{word}` is not the same on every machine"));
        }
        // A snapshot shows a screen as it is.
        if line.ends_with([' ', '\t']) && !file.has_extension("snap") {
            report("white space at the end of the line".to_owned());
        }
    }
    findings
}

/// Whether the first line, attributes and blank lines aside, is a module's documentation.
fn says_what_it_is(text: &str) -> bool {
    text.lines()
        .find(|line| !line.is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//! "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        check(&file)
            .into_iter()
            .map(|finding| format!("{}: {}", finding.place, finding.message))
            .collect()
    }

    #[test]
    fn a_documented_file_is_fine() {
        assert_eq!(messages("a.rs", "//! A thing.\nfn a() {}\n"), [""; 0]);
        assert_eq!(messages("a.rs", "#![forbid(unsafe_code)]\n\n//! A thing.\n"), [""; 0]);
        assert_eq!(messages("a.md", "# A thing\n"), [""; 0]);
    }

    #[test]
    fn a_file_must_say_what_it_is() {
        assert_eq!(messages("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(messages("a.rs", "").len(), 1);
        assert_eq!(messages("a/tests.rs", "use super::*;\n"), [""; 0]);
    }

    #[test]
    fn the_line_after_the_last_allowed_is_too_many() {
        let longest = format!("//! A thing.\n{}", "\n".repeat(LINES_MAX - 1));
        assert_eq!(messages("a.rs", &longest), [""; 0]);
        assert_eq!(messages("a.rs", &format!("{longest}\n")).len(), 1);
        assert_eq!(messages("a.sql", &format!("{longest}\n")), [""; 0]);
    }

    #[test]
    fn unfinished_and_unportable_words_are_found_with_their_line() {
        for word in UNFINISHED.into_iter().chain(UNPORTABLE) {
            let found = messages("notes.md", &format!("fine\n{word} here\n"));
            assert_eq!(found.len(), 1, "{word}");
            assert!(found[0].starts_with("notes.md:2: "), "{}", found[0]);
        }
        assert_eq!(messages("Cargo.lock", &format!("{}\n", UNPORTABLE[3])), [""; 0]);
    }

    #[test]
    fn lines_end_cleanly() {
        assert_eq!(messages("a.yml", "a: 1 \n").len(), 1);
        assert_eq!(messages("a.yml", "a: 1").len(), 1);
    }
}
