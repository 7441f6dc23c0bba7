//! Percent signs that were doubled for another program.

use super::{
    position::{SqlFinding, TextPosition},
    token::{Token, TokenKind, tokens},
};

/// Every `%%` that means something else here than where it was needed: the program this one replaces took `%` for
/// itself, so its queries say `DATE_FORMAT(d, '%%Y')`, which MySQL reads as a percent sign and a `Y`.
///
/// Patterns of LIKE are left alone: `%%` matches there what `%` does.
pub fn doubled_percents(query: &str) -> Vec<SqlFinding> {
    let all = tokens(query);
    let significant: Vec<Token<'_>> = all.into_iter().filter(Token::is_significant).collect();
    let mut findings = Vec::new();
    let mut pattern = LikePattern::Outside;
    for (index, token) in significant.iter().enumerate() {
        pattern = pattern.after(token);
        let doubled_symbol = token.is_symbol("%")
            && significant
                .get(index + 1)
                .is_some_and(|next| next.is_symbol("%") && next.offset == token.offset + 1);
        if doubled_symbol {
            findings.push(finding(query, token.offset, 2, "%%"));
        }
        let quoted = matches!(token.kind, TokenKind::String | TokenKind::QuotedName);
        if quoted && token.text.contains("%%") && pattern == LikePattern::Outside {
            findings.push(finding(query, token.offset, token.text.len(), token.text));
        }
    }
    findings
}

fn finding(query: &str, offset: usize, length: usize, text: &str) -> SqlFinding {
    SqlFinding {
        at: TextPosition::of(query, offset),
        length,
        message: "`%%` stands for two percent signs here, not one".to_owned(),
        hint: format!(
            "percent signs are not doubled in this program: write {}",
            text.replace("%%", "%")
        ),
    }
}

/// Whether a token belongs to the right side of LIKE.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LikePattern {
    Outside,
    /// LIKE was just read.
    Begins,
    /// Inside parentheses, that many deep; or between the function's name and its parenthesis (0).
    Inside(usize),
    /// A string was read; another one beside it would continue it.
    String,
}

impl LikePattern {
    fn after(self, token: &Token<'_>) -> Self {
        match self {
            _ if token.is_word("LIKE") => Self::Begins,
            Self::Begins | Self::String if token.kind == TokenKind::String => Self::String,
            Self::Begins if token.is_word("BINARY") => Self::Begins,
            Self::Begins if token.kind == TokenKind::Word => Self::Inside(0),
            Self::Begins if token.is_symbol("(") => Self::Inside(1),
            Self::Inside(depth) if token.is_symbol("(") => Self::Inside(depth + 1),
            // An introducer such as `_utf8mb4` is a word before a string.
            Self::Inside(0) if token.kind == TokenKind::String => Self::String,
            Self::Inside(depth) if token.is_symbol(")") && depth > 1 => Self::Inside(depth - 1),
            Self::Inside(depth) if depth > 0 && !token.is_symbol(")") => Self::Inside(depth),
            Self::Outside | Self::Begins | Self::String | Self::Inside(_) => Self::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(usize, &str)]) {
        let found = doubled_percents(query);
        let shown: Vec<(usize, &str)> = found
            .iter()
            .map(|finding| {
                (finding.at.offset, finding.hint.rsplit(": write ").next().unwrap_or_default())
            })
            .collect();
        assert_eq!(shown, expected, "{query}");
    }

    #[test]
    fn doubled_percents_outside_like_are_reported_with_the_fix() {
        check("SELECT DATE_FORMAT(d, '%%Y-%%m')", &[(22, "'%Y-%m'")]);
        check("SELECT \"50%%\"", &[(7, "\"50%\"")]);
        check("SELECT 1 AS `a%%`", &[(12, "`a%`")]);
        check("SELECT 5 %% 3", &[(9, "%")]);
        check("SELECT '%%a', x LIKE 'b%%', '%%c'", &[(7, "'%a'"), (28, "'%c'")]);
    }

    #[test]
    fn like_patterns_comments_and_single_percents_are_left_alone() {
        for query in [
            "SELECT DATE_FORMAT(d, '%Y-%m')",
            "SELECT 1 WHERE a LIKE '%%x%%'",
            "SELECT 1 WHERE a NOT LIKE BINARY '%%x%%'",
            "SELECT 1 WHERE a like _utf8mb4 '%%x'",
            "SELECT 1 WHERE a LIKE CONCAT('%%', LOWER('%%'), '%%') AND b",
            "SELECT 1 WHERE a LIKE ('%%x')",
            "SELECT 1 WHERE a LIKE 'x' '%%'",
            "SELECT 1 -- %%\n /* '%%' */",
            "SELECT 5 % 3, 5 % (7)",
        ] {
            check(query, &[]);
        }
        check("SELECT 1 WHERE a LIKE CONCAT('%%') AND b = '%%'", &[(43, "'%'")]);
        check("SELECT 1 WHERE a LIKE b AND c = '%%'", &[(32, "'%'")]);
    }
}
