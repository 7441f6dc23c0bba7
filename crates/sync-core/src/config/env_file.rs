//! The text of a `.env` file.
//!
//! The rules are those of the library that the Python program used, so that its files mean what they meant: in
//! particular a `$` without braces is an ordinary character, as in many passwords.

use super::interpolate::expand;

/// One `NAME=value`.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvLine {
    /// The variable.
    pub name: String,
    /// Its value; often a secret, so `Debug` hides it.
    pub value: String,
    /// Where it stands, counted from 1.
    pub line: usize,
}

impl std::fmt::Debug for EnvLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=*** (line {})", self.name, self.line)
    }
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvFault {
    /// Not `NAME=value`.
    #[error("line {line} is not of the form NAME=value")]
    Form {
        /// Counted from 1.
        line: usize,
    },
    /// The value uses a variable that is set neither above nor in the environment.
    #[error("line {line} uses `${{{name}}}`, which is not set")]
    Unset {
        /// Counted from 1.
        line: usize,
        /// The variable.
        name: String,
    },
}

/// Every setting of the file, and every line that is none. `environment` gives the real variables, which come before
/// those of the file where a value says `${NAME}` or `${NAME:-default}`.
pub fn read(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Vec<EnvLine>, Vec<EnvFault>) {
    let mut lines: Vec<EnvLine> = Vec::new();
    let mut faults = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut line = 1;
    while !rest.is_empty() {
        let (statement, after) = Statement::read(rest);
        match statement {
            Statement::Blank => {}
            Statement::Fault => faults.push(EnvFault::Form { line }),
            Statement::Set { name, value } => {
                let lookup = |wanted: &str| {
                    let above = || lines.iter().rev().find(|line| line.name == wanted);
                    environment(wanted).or_else(|| above().map(|line| line.value.clone()))
                };
                match expand(&value, &lookup) {
                    Ok(value) => lines.push(EnvLine { name, value, line }),
                    Err(name) => faults.push(EnvFault::Unset { line, name }),
                }
            }
        }
        line +=
            rest.len().checked_sub(after.len()).and_then(|end| rest.get(..end)).map_or(0, breaks);
        rest = after;
    }
    (lines, faults)
}

fn breaks(text: &str) -> usize {
    text.matches('\n').count()
}

/// What stands at the beginning of a text, with all that follows it.
enum Statement {
    Blank,
    Set { name: String, value: String },
    Fault,
}

impl Statement {
    fn read(text: &str) -> (Self, &str) {
        let (line, next) = text.split_once('\n').unwrap_or((text, ""));
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return (Self::Blank, next);
        }
        let Some((name, _)) = line.split_once('=') else { return (Self::Fault, next) };
        let name = name.trim();
        let name = name.strip_prefix("export").filter(|rest| rest.starts_with(' ')).unwrap_or(name);
        let name = name.trim().trim_matches('\'');
        if name.is_empty()
            || name.contains(|character: char| character.is_whitespace() || character == '#')
        {
            return (Self::Fault, next);
        }
        let value = text.split_once('=').map_or("", |(_, value)| value);
        let value = value.trim_start_matches([' ', '\t']);
        match Self::value(value) {
            Some((value, next)) => (Self::Set { name: name.to_owned(), value }, next),
            None => (Self::Fault, next),
        }
    }

    /// The value, and what follows its line. A quoted one may have several lines.
    fn value(text: &str) -> Option<(String, &str)> {
        let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let Some(quote) = quote else {
            let (line, next) = text.split_once('\n').unwrap_or((text, ""));
            return Some((without_comment(line).trim_end().to_owned(), next));
        };
        let mut value = String::new();
        let mut characters = text.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if character == quote {
                let after = text.get(at + 1..)?;
                let (line, next) = after.split_once('\n').unwrap_or((after, ""));
                let line = line.trim();
                return (line.is_empty() || line.starts_with('#')).then_some((value, next));
            }
            match character {
                '\\' => match characters.next() {
                    Some((_, escaped)) => value.push_str(&unescaped(escaped, quote)),
                    None => value.push('\\'),
                },
                _ => value.push(character),
            }
        }
        None
    }
}

/// A `#` begins a comment only after white space.
fn without_comment(line: &str) -> &str {
    let comment = line.char_indices().find(|(at, character)| {
        let before = line.get(..*at).and_then(|before| before.chars().next_back());
        *character == '#' && before.is_some_and(char::is_whitespace)
    });
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

fn unescaped(character: char, quote: char) -> String {
    match (character, quote) {
        ('\\' | '\'', _) | ('"', '"') => character.to_string(),
        ('n', '"') => "\n".to_owned(),
        ('r', '"') => "\r".to_owned(),
        ('t', '"') => "\t".to_owned(),
        _ => format!("\\{character}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String, usize)> {
        let (lines, faults) = read(text, &|name| (name == "HOME").then(|| "/srv".to_owned()));
        assert_eq!(faults, []);
        lines.into_iter().map(|line| (line.name, line.value, line.line)).collect()
    }

    #[test]
    fn values_are_read_as_the_python_program_read_them() {
        for (text, value) in [
            ("A=b", "b"),
            ("A = b ", "b"),
            ("export A=b", "b"),
            ("'A'=b", "b"),
            ("A=", ""),
            ("A=a b # c", "a b"),
            ("A=a#b", "a#b"),
            ("A=#b", "#b"),
            ("A=pa$word", "pa$word"),
            ("A=pa$$w\\n", "pa$$w\\n"),
            ("A='it\\'s \\n $x' # c", "it's \\n $x"),
            ("A=\"x\\ty\\\"z\\q\"", "x\ty\"z\\q"),
            ("A=${HOME}/x", "/srv/x"),
            ("A=${NONE:-y}", "y"),
            ("A=x${", "x${"),
            ("A=x=y", "x=y"),
            ("\u{feff}A=b\r\n", "b"),
        ] {
            assert_eq!(values(text), [("A".to_owned(), value.to_owned(), 1)], "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_comments_and_quotes() {
        let text = "# c\n\nA=1\nB=\"x\ny\"\n  # d\nC=${A}${B}\n";
        assert_eq!(
            values(text),
            [
                ("A".into(), "1".into(), 3),
                ("B".into(), "x\ny".into(), 4),
                ("C".into(), "1x\ny".into(), 7),
            ]
        );
    }

    #[test]
    fn every_wrong_line_is_reported_without_its_text() {
        let (lines, faults) = read("A=1\nhunter2\nB='x\nC=${NONE}\n=x\nD F=1\nG=2", &|_| None);
        assert_eq!(lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["A", "G"]);
        assert_eq!(
            faults,
            [
                EnvFault::Form { line: 2 },
                EnvFault::Form { line: 3 },
                EnvFault::Unset { line: 4, name: "NONE".into() },
                EnvFault::Form { line: 5 },
                EnvFault::Form { line: 6 },
            ]
        );
        assert!(!format!("{lines:?} {faults:?}").contains("hunter2"));
    }
}
