//! Finds queries that would yield nothing on a full read, where `:last_sync_time` is NULL.

use super::{
    position::{SqlFinding, TextPosition},
    template::PARAMETER,
    token::{Token, TokenKind, tokens},
};

/// The condition that is never true when `:last_sync_time` is NULL, if one surely is.
///
/// Conservative: it knows tokens, not grammar, and says nothing when in doubt. The server's answer to the query with
/// NULL is the other half of this check.
pub fn null_filter(query: &str) -> Option<SqlFinding> {
    let all = tokens(query);
    let significant: Vec<Token<'_>> = all.into_iter().filter(Token::is_significant).collect();
    let condition = rejecting(where_clause(&significant)?)?;
    let (first, last) = (condition.first()?, condition.last()?);
    let length = (last.offset + last.text.len()).checked_sub(first.offset)?;
    let text = query.get(first.offset..first.offset + length)?;
    Some(SqlFinding {
        at: TextPosition::of(query, first.offset),
        length,
        message: format!(
            "the query yields nothing on a full read: `{PARAMETER}` is NULL then, and `{text}` is never true"
        ),
        hint: format!("write ({text} OR {PARAMETER} IS NULL)"),
    })
}

/// The tokens between the outermost WHERE and what ends it. `None` where the outermost SELECT may yield rows whatever
/// WHERE says: several SELECTs put together, or an aggregate without groups.
fn where_clause<'a, 't>(tokens: &'a [Token<'t>]) -> Option<&'a [Token<'t>]> {
    const END: [&str; 8] =
        ["GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "PROCEDURE", "FOR", "INTO"];
    const AGGREGATES: [&str; 9] =
        ["COUNT", "SUM", "MIN", "MAX", "AVG", "GROUP_CONCAT", "JSON_ARRAYAGG", "STD", "BIT_XOR"];
    let outer: Vec<usize> = depths(tokens)
        .zip(0..)
        .filter_map(|(depth, index)| (depth == 0).then_some(index))
        .collect();
    let at = |word: &str| {
        outer.iter().copied().find(|index| tokens.get(*index).is_some_and(|t| t.is_word(word)))
    };
    if ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| at(word).is_some()) {
        return None;
    }
    let start = at("WHERE")?;
    let selected = tokens.get(at("SELECT")?..at("FROM")?)?;
    let aggregates = selected.iter().any(|t| AGGREGATES.iter().any(|name| t.is_word(name)));
    if aggregates && at("GROUP").is_none() {
        return None;
    }
    let end = END
        .iter()
        .filter_map(|word| at(word).filter(|index| *index > start))
        .min()
        .unwrap_or(tokens.len());
    tokens.get(start + 1..end)
}

/// The nesting depth of each token; a parenthesis counts as outside itself.
fn depths<'a>(tokens: &'a [Token<'_>]) -> impl Iterator<Item = usize> + 'a {
    tokens.iter().scan(0_usize, |depth, token| {
        if token.is_symbol(")") {
            *depth = depth.saturating_sub(1);
        }
        let own = *depth;
        if token.is_symbol("(") {
            *depth += 1;
        }
        Some(own)
    })
}

/// The part of a condition that makes it NULL or false when the parameter is NULL.
fn rejecting<'a, 't>(condition: &'a [Token<'t>]) -> Option<&'a [Token<'t>]> {
    if let [open, inside @ .., close] = condition
        && open.is_symbol("(")
        && close.is_symbol(")")
        && depths(condition).skip(1).take(inside.len()).all(|depth| depth > 0)
    {
        return rejecting(inside);
    }
    if split(condition, &["XOR"], &[]).len() > 1 {
        return None;
    }
    let alternatives = split(condition, &["OR"], &["||"]);
    if let [first, _, ..] = alternatives.as_slice() {
        let all = alternatives.iter().all(|alternative| rejecting(alternative).is_some());
        return if all { rejecting(first) } else { None };
    }
    let conjuncts = split(condition, &["AND"], &["&&"]);
    if conjuncts.len() > 1 {
        return conjuncts.into_iter().find_map(rejecting);
    }
    is_strict_comparison(condition).then_some(condition)
}

/// Splits at the outermost of these words and symbols; the AND of a BETWEEN is no place to split.
fn split<'a, 't>(
    tokens: &'a [Token<'t>],
    words: &[&str],
    symbols: &[&str],
) -> Vec<&'a [Token<'t>]> {
    let mut parts = Vec::new();
    let (mut start, mut between) = (0, false);
    for ((index, token), depth) in tokens.iter().enumerate().zip(depths(tokens)) {
        if depth > 0 {
            continue;
        }
        if token.is_word("BETWEEN") {
            between = true;
        } else if between && token.is_word("AND") {
            between = false;
        } else if words.iter().any(|word| token.is_word(word))
            || symbols.iter().any(|symbol| token.is_symbol(symbol))
        {
            parts.extend(tokens.get(start..index));
            start = index + 1;
        }
    }
    parts.extend(tokens.get(start..));
    parts
}

/// Whether these tokens are one comparison that is NULL when the parameter is: the parameter stands on one side,
/// bare or inside functions that make NULL of NULL.
fn is_strict_comparison(tokens: &[Token<'_>]) -> bool {
    const COMPARISONS: [&str; 7] = ["=", "<", ">", "<=", ">=", "<>", "!="];
    const STRICT: [&str; 10] = [
        "DATE",
        "TIMESTAMP",
        "DATE_ADD",
        "DATE_SUB",
        "ADDDATE",
        "SUBDATE",
        "CONVERT_TZ",
        "CAST",
        "UNIX_TIMESTAMP",
        "FROM_UNIXTIME",
    ];
    const DOUBTFUL: [&str; 8] = ["NOT", "CASE", "IS", "SELECT", "ANY", "ALL", "SOME", "EXISTS"];
    if tokens.iter().any(|t| t.is_symbol("<=>") || DOUBTFUL.iter().any(|word| t.is_word(word))) {
        return false;
    }
    let compares = tokens.iter().zip(depths(tokens)).any(|(token, depth)| {
        depth == 0
            && (token.is_word("BETWEEN") || COMPARISONS.iter().any(|sign| token.is_symbol(sign)))
    });
    let mut open: Vec<bool> = Vec::new();
    let mut strict_parameter = false;
    let mut previous: Option<&Token<'_>> = None;
    for token in tokens {
        if token.is_symbol("(") {
            open.push(previous.is_none_or(|before| {
                before.kind == TokenKind::Symbol || STRICT.iter().any(|name| before.is_word(name))
            }));
        } else if token.is_symbol(")") {
            open.pop();
        } else if token.kind == TokenKind::Parameter && token.text == PARAMETER {
            strict_parameter |= open.iter().all(|strict| *strict);
        }
        previous = Some(token);
    }
    compares && strict_parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SELECT with `condition` as its WHERE.
    fn found(condition: &str) -> Option<String> {
        let finding = null_filter(&format!("SELECT id FROM t WHERE {condition}"))?;
        Some(finding.hint)
    }

    #[test]
    fn a_bare_comparison_yields_nothing_and_the_fix_is_shown() {
        assert_eq!(
            found("updated_at > :last_sync_time").unwrap(),
            "write (updated_at > :last_sync_time OR :last_sync_time IS NULL)"
        );
        let finding =
            null_filter("SELECT id\nFROM t\nWHERE a = 1 AND u >= :last_sync_time\nORDER BY u")
                .unwrap();
        assert_eq!((finding.at.line, finding.at.column, finding.length), (3, 17, 20));
    }

    #[test]
    fn conditions_that_reject_null_are_found() {
        for condition in [
            ":last_sync_time < updated_at",
            "(updated_at > :last_sync_time)",
            "a = 1 AND (b = 2 AND updated_at >= :last_sync_time) ORDER BY a",
            "updated_at BETWEEN :last_sync_time AND NOW() AND a = 1",
            "updated_at > :last_sync_time - INTERVAL 5 MINUTE",
            "updated_at > DATE_SUB(:last_sync_time, INTERVAL 1 HOUR)",
            "updated_at > :last_sync_time OR created_at > :last_sync_time",
            "a IN (1, 2) && updated_at > CAST(:last_sync_time AS DATETIME) LIMIT 5",
        ] {
            assert!(found(condition).is_some(), "{condition}");
        }
    }

    #[test]
    fn whatever_may_be_true_is_left_alone() {
        for condition in [
            "a = 1",
            "updated_at > :last_sync_time OR :last_sync_time IS NULL",
            "(:last_sync_time IS NULL OR updated_at > :last_sync_time)",
            "(:last_sync_time IS NULL || updated_at > :last_sync_time) AND a = 1",
            "updated_at > COALESCE(:last_sync_time, '1970-01-01')",
            "updated_at > IFNULL(:last_sync_time, 0)",
            "IF(:last_sync_time IS NULL, 1, updated_at > :last_sync_time)",
            "CASE WHEN :last_sync_time IS NULL THEN 1 ELSE updated_at > :last_sync_time END",
            "updated_at <=> :last_sync_time",
            "NOT (updated_at <= :last_sync_time)",
            "updated_at NOT BETWEEN :last_sync_time AND NOW()",
            "updated_at > :last_sync_time OR a = 1",
            "(updated_at > :last_sync_time) IS NOT TRUE",
            "a XOR updated_at > :last_sync_time",
            "id IN (SELECT id FROM log WHERE at > :last_sync_time)",
        ] {
            assert_eq!(found(condition), None, "{condition}");
        }
        for query in [
            "SELECT 1 FROM a WHERE u > :last_sync_time UNION SELECT 2 FROM b",
            "SELECT COUNT(*) FROM a WHERE u > :last_sync_time",
            "SELECT a.id FROM a LEFT JOIN b ON b.u > :last_sync_time",
            "(SELECT 1 FROM a WHERE u > :last_sync_time)",
            "SELECT 1 FROM (SELECT 1 FROM a WHERE u > :last_sync_time) q",
            "WHERE",
            "",
        ] {
            assert_eq!(null_filter(query), None, "{query}");
        }
        assert!(
            null_filter("SELECT a, COUNT(*) FROM t WHERE u > :last_sync_time GROUP BY a").is_some()
        );
    }
}
