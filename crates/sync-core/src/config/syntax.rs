//! What is wrong with a text that is not YAML, in words for people who do not know YAML's grammar.

use granit_parser::{ErrorKind, ScanError};

use super::{
    diagnostic::Code,
    report::{Finding, Hinted},
    span::Span,
};

/// The parser stops at its first error, so there is only one of these.
pub(super) fn finding(text: &str, error: &ScanError) -> Hinted {
    let mut at = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(text.len()));
    if *error.kind() == ErrorKind::UnknownQuotedScalarEscape {
        at += bad_escape(text.get(at..).unwrap_or(""));
    }
    let rest = text.get(at..).unwrap_or("");
    let word = rest.split_whitespace().next().filter(|word| rest.starts_with(word)).unwrap_or("");
    let (width, message, hint) = explained(error, word);
    let width = width.unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
    Finding::new(Code::YamlSyntax, Span { start: at, end: at + width }, message)
        .label("the file cannot be read from here on")
        .hint(hint)
}

/// How many bytes are meant (`None`: one character), what is wrong, and what to do.
#[expect(clippy::wildcard_enum_match_arm, reason = "rare errors are told in the parser's words")]
fn explained(error: &ScanError, word: &str) -> (Option<usize>, String, &'static str) {
    let (message, hint) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => ("a line is indented by a tab", "indent with spaces"),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a `:` stands where no value can begin",
            "quote a text that holds `: `; otherwise check the indentation and the `:` of this line and the one above",
        ),
        ErrorKind::SimpleKeyExpected => {
            let hint = "write `key: value`; a text of several lines, such as SQL, goes below `query: |`, indented";
            return (
                Some(word.len()),
                "this line is not of the form `key: value`".to_owned(),
                hint,
            );
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent => (
            "this line does not line up with those above",
            "indent the keys of one section equally, and the `- ` of one list",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("this quote is never closed", "close it; a `'` inside `'...'` is written twice")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "something follows the closing quote",
            "quote the whole value; a `'` inside `'...'` is written twice",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "this `\\` means nothing in a text in double quotes",
            "use single quotes, or write `\\\\` for one backslash",
        ),
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            let message =
                format!("the character U+{:04X} cannot stand here", u32::from(*character));
            return (None, message, "remove it, or save the file as UTF-8 text");
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let message = format!("a text cannot begin with `{character}`");
            return (None, message, "put the text in quotes");
        }
        ErrorKind::UnknownAnchor => {
            let message = format!("nothing above is marked `{}`", word.replacen('*', "&", 1));
            let hint = "mark a part with `&name` before `*name` repeats it; quote a text that begins with `*`";
            return (Some(word.len()), message, hint);
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::UnclosedFlowCollection { .. } => (
            "the brackets do not match",
            "close each `{` and `[`, and quote a text that holds brackets, as in `\"${NAME}\"`",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => {
            ("a list cannot begin on this line", "begin it below its key")
        }
        ErrorKind::InvalidBlockScalarHeader => {
            ("a text cannot begin beside `|` or `>`", "begin it on the next line, indented")
        }
        ErrorKind::RecursionLimitExceeded => {
            ("the file is nested too deeply", "a mapping file needs no more than ten levels")
        }
        _ => {
            let message = format!("this is not YAML: {}", error.info());
            let hint = "check quotes, brackets and indentation of this line and the one above";
            return (None, message, hint);
        }
    };
    (None, message.to_owned(), hint)
}

/// Where the escape stands that the parser does not know; it tells only where the text begins.
fn bad_escape(quoted: &str) -> usize {
    const KNOWN: &str = "0abt\tnvfre \"/\\N_LPxuU\r\n";
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && !characters.next().is_some_and(|(_, next)| KNOWN.contains(next)) {
            return at;
        }
    }
    0
}
