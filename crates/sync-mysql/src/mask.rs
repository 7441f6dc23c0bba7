//! Takes row values out of the server's own words.

/// Words that the server itself puts in quotes.
const SERVER_PHRASES: [&str; 16] = [
    "field list",
    "where clause",
    "on clause",
    "having clause",
    "order clause",
    "group clause",
    "group statement",
    "from clause",
    "window order by",
    "window partition by",
    "SELECT",
    "WHERE",
    "ON",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
];

/// Words that the server puts between and behind quotations.
const SERVER_WORDS: [&str; 38] = [
    "a",
    "aggregate",
    "ambiguous",
    "and",
    "at",
    "be",
    "clause",
    "column",
    "does",
    "doesn't",
    "exist",
    "field",
    "for",
    "from",
    "function",
    "group",
    "has",
    "have",
    "in",
    "is",
    "isn't",
    "key",
    "line",
    "list",
    "name",
    "not",
    "of",
    "on",
    "order",
    "parameters",
    "row",
    "select",
    "statement",
    "table",
    "the",
    "to",
    "unknown",
    "where",
];

/// `message` without row values: what it quotes stays only if it is a phrase of the server or `is_known`.
///
/// The server does not escape what it quotes, and a value may hold quotes itself. So the first quotation that is not
/// known, and the first word behind a quotation that is not the server's, mask all that follows.
pub(crate) fn masked(message: &str, is_known: impl Fn(&str) -> bool) -> String {
    let Some((mut shown, mut rest)) =
        before_quote(message).map(|(text, rest)| (text.to_owned(), rest))
    else {
        return message.to_owned();
    };
    while let Some((quotation, inside, behind)) = quotation(rest) {
        if !inside.is_empty() && !SERVER_PHRASES.contains(&inside) && !is_known(inside) {
            break;
        }
        let (between, next) = before_quote(behind).unwrap_or((behind, ""));
        shown.push_str(quotation);
        if !is_of_server(between) {
            break;
        }
        shown.push_str(between);
        if next.is_empty() {
            return shown;
        }
        rest = next;
    }
    shown.push_str("***");
    shown
}

fn is_of_server(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).all(
        |word| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || SERVER_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
        },
    )
}

/// Splits before the first quote that opens a quotation; one between letters (`doesn't`) does not.
fn before_quote(text: &str) -> Option<(&str, &str)> {
    let at = text.match_indices(['\'', '"', '`']).find_map(|(at, _)| {
        let letter_before = text.get(..at)?.chars().next_back().is_some_and(char::is_alphanumeric);
        let letter_behind = text.get(at + 1..)?.chars().next().is_some_and(char::is_alphanumeric);
        (!(letter_before && letter_behind)).then_some(at)
    })?;
    text.split_at_checked(at)
}

/// The quotation at the beginning of `text`: whole, its inside, and what follows it.
fn quotation(text: &str) -> Option<(&str, &str, &str)> {
    let quote = text.chars().next()?;
    let from = text.get(1..)?;
    // A syntax error quotes a piece of SQL, quotes and all.
    let sql_end = from.rfind("' at line ").filter(|_| quote == '\'');
    let length = sql_end.or_else(|| from.find(quote))?;
    Some((text.get(..length + 2)?, from.get(..length)?, from.get(length + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let known = |text: &str| {
            text.split('.').all(|part| ["q", "colour", "shop"].contains(&part))
                || text.contains("FORM t")
        };
        assert_eq!(masked(message, known), expected);
    }

    #[test]
    fn what_the_user_wrote_stays() {
        check(
            "Unknown column 'q.colour' in 'field list'",
            "Unknown column 'q.colour' in 'field list'",
        );
        check("No tables used", "No tables used");
        check("Table 'shop.q' doesn't exist", "Table 'shop.q' doesn't exist");
        check("Column 'q' in field list is ambiguous", "Column 'q' in field list is ambiguous");
        check(
            "You have an error; check the manual near 'FORM t WHERE a = 'x'' at line 3",
            "You have an error; check the manual near 'FORM t WHERE a = 'x'' at line 3",
        );
        check("check the manual near '' at line 3", "check the manual near '' at line 3");
    }

    #[test]
    fn row_values_are_masked() {
        check("Incorrect datetime value: 'secret'", "Incorrect datetime value: ***");
        check("Duplicate entry 'secret' for key 'PRIMARY'", "Duplicate entry ***");
        check("Unknown column 'secret' in 'field list'", "Unknown column ***");
        check("XPATH syntax error: \"secret\"", "XPATH syntax error: ***");
        check("Incorrect value: 'cut off secr", "Incorrect value: ***");
    }

    #[test]
    fn values_with_quotes_do_not_slip_out() {
        for value in [
            "it's secret",
            "'secret'",
            "a' secret 'b",
            "\"secret",
            "`secret",
            "q' secret",
            "' secret '",
        ] {
            for tail in ["' for column 'colour' at row 7", "' at line 3", ""] {
                let shown = masked(&format!("Incorrect value: '{value}{tail}"), |text| {
                    ["q", "colour", "' secret"].contains(&text)
                });
                assert!(!shown.contains("secret"), "{shown}");
            }
        }
    }
}
