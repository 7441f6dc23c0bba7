//! MySQL's lexical rules.

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// `-- ...`, `# ...`, `/* ... */`; also `/*! ... */` and `/*+ ... */`, whose content is the server's business.
    Comment,
    /// `'...'` or `"..."`, quotes included.
    String,
    /// `` `...` ``, quotes included.
    QuotedName,
    /// `12`, `1.5e-3`, `0xFF`.
    Number,
    /// A keyword, or a name without quotes.
    Word,
    /// `:name`.
    Parameter,
    /// An operator or punctuation.
    Symbol,
    /// A string, quoted name or comment without its end; reaches to the end of the text.
    Unclosed,
}

/// One token. All tokens of a text, one behind the other, are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its text.
    pub text: &'a str,
    /// Bytes before it.
    pub offset: usize,
}

impl Token<'_> {
    /// Whether it means something to the server: no space, no comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }

    /// Whether it is this keyword, in any case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this operator or punctuation.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }
}

/// Splits `text` into tokens. Never fails: what has no end becomes [`TokenKind::Unclosed`].
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = scan(rest);
        let (token, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push(Token { kind, text: token, offset: text.len() - rest.len() });
        rest = tail;
    }
    out
}

/// Operators of more than one character; longer ones first.
const OPERATORS: [&str; 11] = ["->>", "<=>", ":=", "::", "<=", ">=", "<>", "!=", "||", "&&", "->"];

/// Kind and length in bytes of the token at the beginning of `rest`, which is not empty.
fn scan(rest: &str) -> (TokenKind, usize) {
    let Some(first) = rest.chars().next() else { return (TokenKind::Space, 0) };
    match first {
        _ if is_space(first) => (TokenKind::Space, length_while(rest, is_space)),
        '\'' | '"' => quoted(rest, first, true, TokenKind::String),
        '`' => quoted(rest, first, false, TokenKind::QuotedName),
        '#' => (TokenKind::Comment, line_length(rest)),
        '-' if is_dash_comment(rest) => (TokenKind::Comment, line_length(rest)),
        '/' if rest.starts_with("/*") => match rest.get(2..).and_then(|inside| inside.find("*/")) {
            Some(inside) => (TokenKind::Comment, inside + 4),
            None => (TokenKind::Unclosed, rest.len()),
        },
        '0'..='9' => number_or_word(rest),
        '.' if rest.get(1..).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit())) => {
            (TokenKind::Number, fraction_length(rest))
        }
        _ if is_name(first) => (TokenKind::Word, length_while(rest, is_name)),
        ':' if rest.get(1..).is_some_and(|name| name.starts_with(is_parameter_start)) => {
            (TokenKind::Parameter, 1 + rest.get(1..).map_or(0, |name| length_while(name, is_name)))
        }
        _ => {
            let known = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
            (TokenKind::Symbol, known.map_or(first.len_utf8(), |operator| operator.len()))
        }
    }
}

/// The white space of MySQL's grammar. Other Unicode spaces are letters to it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

fn is_parameter_start(c: char) -> bool {
    is_name(c) && !c.is_ascii_digit()
}

/// `--` begins a comment only before white space, a control character or the end.
fn is_dash_comment(rest: &str) -> bool {
    rest.strip_prefix("--").is_some_and(|after| {
        after.chars().next().is_none_or(|next| next == ' ' || next.is_ascii_control())
    })
}

fn length_while(text: &str, keep: impl Fn(char) -> bool) -> usize {
    text.find(|c| !keep(c)).unwrap_or(text.len())
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// A quoted token: a doubled quote stays inside, and so does a quote behind `\` where `escapes`.
fn quoted(rest: &str, quote: char, escapes: bool, kind: TokenKind) -> (TokenKind, usize) {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && escapes {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return (kind, at + quote.len_utf8());
        }
    }
    (TokenKind::Unclosed, rest.len())
}

/// A name may begin with digits (`2024_orders`); only what is digits throughout is a number.
fn number_or_word(rest: &str) -> (TokenKind, usize) {
    let run = length_while(rest, is_name);
    let name = rest.get(..run).unwrap_or_default();
    let digits = length_while(name, |c| c.is_ascii_digit());
    if digits == run {
        let tail = rest.get(run..).unwrap_or_default();
        return (TokenKind::Number, run + fraction_length(tail));
    }
    let after_digits = name.get(digits..).unwrap_or_default();
    if let Some(power) = after_digits.strip_prefix(['e', 'E']) {
        let tail = rest.get(digits..).unwrap_or_default();
        if power.is_empty() || power.chars().all(|c| c.is_ascii_digit()) {
            let exponent = exponent_length(tail);
            if exponent > 0 {
                return (TokenKind::Number, digits + exponent);
            }
        }
    }
    let is_radix = ["0x", "0b"].iter().any(|prefix| name.starts_with(prefix));
    (if is_radix { TokenKind::Number } else { TokenKind::Word }, run)
}

/// Length of `.5`, `.5e3`, `.`, `e3` or nothing.
fn fraction_length(tail: &str) -> usize {
    let Some(behind) = tail.strip_prefix('.') else { return exponent_length(tail) };
    let digits = length_while(behind, |c| c.is_ascii_digit());
    if digits == 0 {
        return 0;
    }
    1 + digits + behind.get(digits..).map_or(0, exponent_length)
}

/// Length of `e3`, `E-12` or nothing.
fn exponent_length(tail: &str) -> usize {
    let Some(behind) = tail.strip_prefix(['e', 'E']) else { return 0 };
    let sign = usize::from(behind.starts_with(['+', '-']));
    let digits = behind.get(sign..).map_or(0, |power| length_while(power, |c| c.is_ascii_digit()));
    if digits == 0 { 0 } else { 1 + sign + digits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The significant tokens as `kind:text`.
    fn shown(text: &str) -> Vec<String> {
        let significant = tokens(text).into_iter().filter(Token::is_significant);
        significant.map(|token| format!("{:?}:{}", token.kind, token.text)).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(shown(text), expected, "{text}");
    }

    #[test]
    fn parameters_are_found_only_where_they_are_parameters() {
        check("a > :last_sync_time", &["Word:a", "Symbol:>", "Parameter::last_sync_time"]);
        check("(:x)", &["Symbol:(", "Parameter::x", "Symbol:)"]);
        check("'12:30:00 :x'", &["String:'12:30:00 :x'"]);
        check("\":x\" `:x`", &["String:\":x\"", "QuotedName:`:x`"]);
        check("@a:=1", &["Symbol:@", "Word:a", "Symbol::=", "Number:1"]);
        check("a::b", &["Word:a", "Symbol:::", "Word:b"]);
        check("12:30", &["Number:12", "Symbol::", "Number:30"]);
    }

    #[test]
    fn comments_hide_what_is_in_them() {
        check("1 -- :x\n2", &["Number:1", "Number:2"]);
        check("1 --\n2", &["Number:1", "Number:2"]);
        check("1--2", &["Number:1", "Symbol:-", "Symbol:-", "Number:2"]);
        check("1 # ' :x\n2", &["Number:1", "Number:2"]);
        check("1 /* ' :x */ 2", &["Number:1", "Number:2"]);
        check("1 /*!50000 :x */ 2", &["Number:1", "Number:2"]);
        check("/*/ x */ 2", &["Number:2"]);
    }

    #[test]
    fn quotes_end_where_mysql_ends_them() {
        check(r"'it''s' x", &["String:'it''s'", "Word:x"]);
        check(r"'it\'s' x", &[r"String:'it\'s'", "Word:x"]);
        check(r"'\\' x", &[r"String:'\\'", "Word:x"]);
        check(r#""say ""x""" y"#, &[r#"String:"say ""x""""#, "Word:y"]);
        check(r"`a``b` `\` x", &["QuotedName:`a``b`", r"QuotedName:`\`", "Word:x"]);
        check("''", &["String:''"]);
    }

    #[test]
    fn what_has_no_end_is_unclosed() {
        for text in ["'abc", "'abc''", r"'abc\'", "\"", "`a", "/* x", "/*"] {
            check(text, &[&format!("Unclosed:{text}")]);
        }
    }

    #[test]
    fn numbers_and_names_that_look_like_numbers() {
        for number in ["1", "1.5", ".5", "1e5", "1.5e-3", "1E+5", "0xFF", "0b01"] {
            check(number, &[&format!("Number:{number}")]);
        }
        for word in ["2024_orders", "1e", "1ex", "_x", "$a", "größe"] {
            check(word, &[&format!("Word:{word}")]);
        }
        check("t.col", &["Word:t", "Symbol:.", "Word:col"]);
    }

    #[test]
    fn operators_are_whole() {
        for operator in ["<=>", "<=", ">=", "<>", "!=", "||", "&&", "->", "->>", ":=", "::"] {
            check(operator, &[&format!("Symbol:{operator}")]);
        }
    }

    proptest! {
        #[test]
        fn tokens_put_together_are_the_text(text in "[ -~é\\n]{0,40}|['\"`\\\\:/*#;a-c0-9 .-]{0,30}|\\PC{0,20}") {
            let found = tokens(&text);
            let whole: String = found.iter().map(|token| token.text).collect();
            prop_assert_eq!(&whole, &text);
            for token in found {
                prop_assert_eq!(text.get(token.offset..token.offset + token.text.len()), Some(token.text));
                prop_assert!(!token.text.is_empty());
            }
        }
    }
}
