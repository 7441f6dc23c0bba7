//! How a statement in the log is quoted: by the `sql_mode` that it was run in.

use std::{borrow::Cow, str::Chars};

use super::bytes::Bytes;

/// The variables that stand first among a statement's, with their length: flags, and the `sql_mode`.
const FLAGS: (u8, usize) = (0, 4);
const MODE: (u8, usize) = (1, 8);
/// Bits of the `sql_mode`.
const ANSI_QUOTES: u64 = 1 << 2;
const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// What quotes and backslashes mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quoting {
    /// Double quotes stand round names.
    names_in_double_quotes: bool,
    /// A backslash is a character like any other.
    plain_backslashes: bool,
}

impl Quoting {
    /// As the variables of a `QUERY` event say.
    pub(crate) fn of(variables: &[u8]) -> Self {
        let mut bytes = Bytes(variables);
        while let Some(code) = bytes.u8() {
            if code == FLAGS.0 && bytes.skip(FLAGS.1).is_some() {
                continue;
            }
            let mode = if code == MODE.0 { bytes.uint(MODE.1) } else { None };
            return mode.map_or_else(Self::default, |mode| Self {
                names_in_double_quotes: mode & ANSI_QUOTES != 0,
                plain_backslashes: mode & NO_BACKSLASH_ESCAPES != 0,
            });
        }
        Self::default()
    }

    /// The statement as one would write it without these modes.
    pub(crate) fn usual(self, sql: &str) -> Cow<'_, str> {
        if self == Self::default() || !sql.contains(['"', '\\']) {
            return Cow::Borrowed(sql);
        }
        let mut usual = String::with_capacity(sql.len());
        let mut rest = sql.chars();
        while let Some(first) = rest.next() {
            match first {
                '\'' | '"' | '`' => self.quoted(first, &mut rest, &mut usual),
                '#' => line(first, &mut rest, &mut usual),
                '-' if ["- ", "-\t", "-\n"]
                    .iter()
                    .any(|begin| rest.as_str().starts_with(begin)) =>
                {
                    line(first, &mut rest, &mut usual);
                }
                '/' if rest.as_str().starts_with('*') => comment(&mut rest, &mut usual),
                other => usual.push(other),
            }
        }
        Cow::Owned(usual)
    }

    /// What stands in quotes, the first of which was read.
    fn quoted(self, quote: char, rest: &mut Chars<'_>, usual: &mut String) {
        let is_name = quote == '`' || quote == '"' && self.names_in_double_quotes;
        let escapes = !is_name && !self.plain_backslashes;
        let written = if is_name { '`' } else { quote };
        usual.push(written);
        while let Some(next) = rest.next() {
            if next == '\\' && escapes {
                usual.push(next);
                usual.extend(rest.next());
            } else if next == quote {
                if !rest.as_str().starts_with(quote) {
                    usual.push(written);
                    return;
                }
                rest.next();
                usual.push(quote);
                // Doubled in the same quotes, plain in others.
                if quote == written {
                    usual.push(quote);
                }
            } else {
                usual.push(next);
                let doubles = next == written && quote != written;
                if doubles || next == '\\' && !is_name {
                    usual.push(next);
                }
            }
        }
    }
}

/// The rest of a line.
fn line(first: char, rest: &mut Chars<'_>, usual: &mut String) {
    usual.push(first);
    usual.extend(rest.by_ref().take_while(|next| *next != '\n'));
    usual.push('\n');
}

/// A comment, whose first character was read; what is carried out all the same is read on like any text.
fn comment(rest: &mut Chars<'_>, usual: &mut String) {
    usual.push('/');
    let is_run = ["*!", "*M!"].iter().any(|begin| rest.as_str().starts_with(begin));
    let text = rest.as_str();
    // Its own asterisk does not end it.
    let end = text.match_indices("*/").map(|(at, _)| at + 2).find(|end| *end > 2);
    let end = if is_run { 0 } else { end.unwrap_or(usize::MAX) };
    let (comment, after) = text.split_at_checked(end).unwrap_or((text, ""));
    usual.push_str(comment);
    *rest = after.chars();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names_in_double_quotes: bool, plain_backslashes: bool, sql: &str, usual: &str) {
        let quoting = Quoting { names_in_double_quotes, plain_backslashes };
        assert_eq!(quoting.usual(sql), usual, "{sql}");
    }

    #[test]
    fn names_in_double_quotes_become_names_in_backticks() {
        check(false, false, r#"DROP TABLE "a\""#, r#"DROP TABLE "a\""#);
        check(true, false, r#"DROP TABLE "a\", "b""c`d""#, r#"DROP TABLE `a\`, `b"c``d`"#);
        check(true, false, r#"SELECT 'it\'s "x"', "y""#, r#"SELECT 'it\'s "x"', `y`"#);
        check(true, false, r#"SELECT 'it''s "x"', "y""#, r#"SELECT 'it''s "x"', `y`"#);
        check(true, false, "`a\"` \"b\"", "`a\"` `b`");
    }

    #[test]
    fn plain_backslashes_are_doubled() {
        check(false, true, r"SELECT 'a\', `b\`", r"SELECT 'a\\', `b\`");
        check(false, true, r#"SELECT "a\""#, r#"SELECT "a\\""#);
        check(true, true, r#"SELECT 'a\', "b\""#, r"SELECT 'a\\', `b\`");
    }

    #[test]
    fn comments_stay_unless_they_are_carried_out() {
        check(true, false, "/* it's \"x\" */ \"y\"", "/* it's \"x\" */ `y`");
        check(true, false, "/*!50000 \"x\" */ \"y\"", "/*!50000 `x` */ `y`");
        check(true, false, "# it's\n\"y\"", "# it's\n`y`");
        check(true, false, "-- it's\n\"y\"", "-- it's\n`y`");
        check(true, false, "/* \"x\"", "/* \"x\"");
        check(true, false, "/*/ \"x\" */ \"y\"", "/*/ \"x\" */ `y`");
    }
}
