//! The user's query with `:last_sync_time` filled in.

use jiff::civil::DateTime;

use super::{
    position::TextPosition,
    token::{Token, TokenKind, tokens},
};
use crate::port::Watermark;

/// The one parameter a query may name.
pub const PARAMETER: &str = ":last_sync_time";

/// What stands for `:last_sync_time` on a full read; typed, so that comparisons and functions resolve as they do
/// with a time.
const NULL_LITERAL: &str = "CAST(NULL AS DATETIME(6))";

/// A query that is one `SELECT` and names no parameter but `:last_sync_time`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlTemplate {
    /// Without a trailing `;` and what follows it.
    text: String,
    /// Offsets of the parameter in `text`, rising.
    parameters: Vec<usize>,
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct TemplateFault {
    /// What is wrong.
    pub kind: TemplateFaultKind,
    /// Where.
    pub at: TextPosition,
    /// How many bytes it covers.
    pub length: usize,
}

/// The kinds of [`TemplateFault`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFaultKind {
    /// There is nothing but space and comments.
    #[error("the query is empty")]
    Empty,
    /// The statement begins with something that yields no rows.
    #[error("the query must be a SELECT, but begins with `{first}`")]
    NotSelect {
        /// Its first word.
        first: String,
    },
    /// A parameter that is not `:last_sync_time`.
    #[error("unknown parameter `{name}`: the only one is `{PARAMETER}`")]
    UnknownParameter {
        /// With its colon.
        name: String,
    },
    /// Something follows a `;`.
    #[error("the query holds more than one statement")]
    SeveralStatements,
    /// A string, quoted name or comment has no end.
    #[error("what begins here with `{opening}` has no end")]
    Unclosed {
        /// The quote or comment sign.
        opening: String,
    },
}

impl TemplateFaultKind {
    /// What a person should do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "write the SELECT that yields the rows to synchronise",
            Self::NotSelect { .. } => "a source must be one SELECT (or WITH ... SELECT) statement",
            Self::UnknownParameter { .. } => {
                "write `:last_sync_time`, or put the text in quotes if no parameter is meant"
            }
            Self::SeveralStatements => "keep one SELECT and remove the rest",
            Self::Unclosed { .. } => "add the closing quote or comment sign",
        }
    }
}

/// A watermark is not of the form `YYYY-MM-DDTHH:MM:SS[.ffffff]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored position is not a date and time")]
pub struct NotWatermark;

/// A watermark as a time: the only form in which it reaches SQL, so that no stored text ever does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorTime(DateTime);

impl CursorTime {
    /// The time; digits behind the sixth of a second are dropped, as MySQL has no more.
    pub fn new(at: DateTime) -> Self {
        let micros = at.subsec_nanosecond() / 1_000 * 1_000;
        Self(at.with().subsec_nanosecond(micros).build().unwrap_or(at))
    }

    /// The typed literal: `TIMESTAMP'2026-11-23 10:00:00.000000'`.
    pub fn literal(self) -> String {
        format!("TIMESTAMP'{}'", self.0.strftime("%Y-%m-%d %H:%M:%S.%6f"))
    }

    /// The stored form.
    pub fn watermark(self) -> Watermark {
        Watermark(self.0.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string())
    }
}

impl TryFrom<&Watermark> for CursorTime {
    type Error = NotWatermark;

    fn try_from(watermark: &Watermark) -> Result<Self, NotWatermark> {
        const FORM: &str = "dddd-dd-ddTdd:dd:dd";
        let (whole, fraction) = match watermark.0.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (watermark.0.as_str(), None),
        };
        let fits = whole.len() == FORM.len()
            && whole.chars().zip(FORM.chars()).all(|(character, form)| match form {
                'd' => character.is_ascii_digit(),
                sign => character == sign,
            });
        let fraction_fits = fraction.is_none_or(|digits| {
            (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !fits || !fraction_fits {
            return Err(NotWatermark);
        }
        watermark.0.parse::<DateTime>().map(Self::new).map_err(|_| NotWatermark)
    }
}

/// SQL ready to be sent, and the way back from its offsets to the user's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedSql {
    /// The SQL. Line breaks stand where they stand in the user's text.
    pub sql: String,
    /// Offset in `sql` of each literal, rising.
    literals: Vec<usize>,
    /// Length of each literal.
    literal_length: usize,
}

impl RenderedSql {
    /// The offset in the user's text that `offset` in `sql` came from; inside a literal: its parameter's.
    pub fn source_offset(&self, offset: usize) -> usize {
        let mut shift = 0;
        for (passed, start) in
            self.literals.iter().take_while(|start| **start <= offset).enumerate()
        {
            shift = passed * (self.literal_length - PARAMETER.len());
            if offset < start + self.literal_length {
                return start - shift;
            }
            shift += self.literal_length - PARAMETER.len();
        }
        offset - shift
    }
}

impl SqlTemplate {
    /// Reads the user's query; every fault is reported.
    ///
    /// A trailing `;` is tolerated.
    ///
    /// # Errors
    /// The query cannot be used, for each of these reasons.
    pub fn parse(query: &str) -> Result<Self, Vec<TemplateFault>> {
        let all = tokens(query);
        let mut faults = Vec::new();
        let mut fault = |kind, token: &Token<'_>| {
            faults.push(TemplateFault {
                kind,
                at: TextPosition::of(query, token.offset),
                length: token.text.len(),
            });
        };
        let mut end = query.len();
        let mut parameters = Vec::new();
        let mut first = None;
        for token in all.iter().filter(|token| token.is_significant()) {
            let ended = end < query.len();
            if token.is_symbol(";") {
                end = end.min(token.offset);
                continue;
            }
            if ended {
                fault(TemplateFaultKind::SeveralStatements, token);
                break;
            }
            first.get_or_insert(*token);
            if token.kind == TokenKind::Unclosed {
                let opening = if token.text.starts_with("/*") { 2 } else { 1 };
                let opening = token.text.chars().take(opening).collect();
                fault(TemplateFaultKind::Unclosed { opening }, token);
            } else if token.kind == TokenKind::Parameter && token.text == PARAMETER {
                parameters.push(token.offset);
            } else if token.kind == TokenKind::Parameter {
                fault(TemplateFaultKind::UnknownParameter { name: token.text.to_owned() }, token);
            }
        }
        match first {
            None => fault(
                TemplateFaultKind::Empty,
                &Token { kind: TokenKind::Space, text: "", offset: 0 },
            ),
            Some(token) if !begins_select(&token) => {
                let first = token.text.chars().take(20).collect();
                fault(TemplateFaultKind::NotSelect { first }, &token);
            }
            Some(_) => {}
        }
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.at);
            return Err(faults);
        }
        let text = query.get(..end).unwrap_or(query).to_owned();
        Ok(Self { text, parameters })
    }

    /// Whether `:last_sync_time` occurs. If not, every read yields everything.
    pub fn has_parameter(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// The user's query, without a trailing `;`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The query with a typed literal for `:last_sync_time`; `None` is NULL, as on a full read.
    pub fn render(&self, since: Option<CursorTime>) -> RenderedSql {
        let literal = since.map_or_else(|| NULL_LITERAL.to_owned(), CursorTime::literal);
        let mut rendered =
            RenderedSql { sql: String::new(), literals: Vec::new(), literal_length: literal.len() };
        let mut done = 0;
        for offset in &self.parameters {
            rendered.sql.push_str(self.text.get(done..*offset).unwrap_or_default());
            rendered.literals.push(rendered.sql.len());
            rendered.sql.push_str(&literal);
            done = offset + PARAMETER.len();
        }
        rendered.sql.push_str(self.text.get(done..).unwrap_or_default());
        rendered
    }
}

fn begins_select(token: &Token<'_>) -> bool {
    // An unclosed token has its own fault; what it would have begun is unknown.
    token.kind == TokenKind::Unclosed
        || token.is_symbol("(")
        || ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| token.is_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(text: &str) -> Result<CursorTime, NotWatermark> {
        CursorTime::try_from(&Watermark(text.to_owned()))
    }

    /// Each fault as `line:column message`.
    fn faults(query: &str) -> Vec<String> {
        let found = SqlTemplate::parse(query).unwrap_err();
        found.iter().map(|f| format!("{}:{} {f}", f.at.line, f.at.column)).collect()
    }

    #[test]
    fn the_parameter_becomes_a_typed_literal() {
        let template =
            SqlTemplate::parse("SELECT ':last_sync_time' FROM t WHERE u > :last_sync_time")
                .unwrap();
        assert!(template.has_parameter());
        assert_eq!(
            template.render(None).sql,
            "SELECT ':last_sync_time' FROM t WHERE u > CAST(NULL AS DATETIME(6))"
        );
        assert_eq!(
            template.render(Some(since("2026-11-23T10:00:00").unwrap())).sql,
            "SELECT ':last_sync_time' FROM t WHERE u > TIMESTAMP'2026-11-23 10:00:00.000000'"
        );
    }

    #[test]
    fn a_query_without_the_parameter_stays_as_it_is() {
        for query in ["SELECT 1", "  ( select 1 )", "WITH a AS (SELECT 1) SELECT * FROM a"] {
            let template = SqlTemplate::parse(query).unwrap();
            assert!(!template.has_parameter());
            assert_eq!(template.render(None).sql, query);
        }
    }

    #[test]
    fn a_trailing_semicolon_is_dropped_with_what_follows() {
        for (query, text) in [
            ("SELECT 1;", "SELECT 1"),
            ("SELECT 1 ; -- done\n", "SELECT 1 "),
            ("SELECT ';';;", "SELECT ';'"),
        ] {
            assert_eq!(SqlTemplate::parse(query).unwrap().text(), text);
        }
    }

    #[test]
    fn faults_say_what_and_where() {
        for (query, expected) in [
            (
                "SELECT 1\n  WHERE a = :id",
                "2:13 unknown parameter `:id`: the only one is `:last_sync_time`",
            ),
            (
                "SELECT :Last_Sync_Time",
                "1:8 unknown parameter `:Last_Sync_Time`: the only one is `:last_sync_time`",
            ),
            ("SELECT 1; DELETE FROM t", "1:11 the query holds more than one statement"),
            ("SELECT 'abc", "1:8 what begins here with `'` has no end"),
            ("SELECT /* abc", "1:8 what begins here with `/*` has no end"),
            (" -- nothing", "1:1 the query is empty"),
            ("DELETE FROM t", "1:1 the query must be a SELECT, but begins with `DELETE`"),
        ] {
            assert_eq!(faults(query), [expected], "{query}");
        }
    }

    #[test]
    fn all_faults_are_reported_in_order() {
        assert_eq!(faults("UPDATE t SET a = :a, b = :b").len(), 3);
    }

    #[test]
    fn only_a_date_and_time_is_a_watermark() {
        for text in ["2026-11-23T10:00:00", "2026-11-23T10:00:00.5", "2024-02-29T23:59:59.999999"] {
            assert!(since(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-11-23 10:00:00",
            "2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00.",
            "2026-11-23T10:00:00.1234567",
            "2026-02-30T10:00:00",
            "2026-11-23T10:00:00' OR 1",
            "2026-11-23T25:00:00",
            "+026-11-23T10:00:00",
        ] {
            assert_eq!(since(text), Err(NotWatermark), "{text}");
        }
    }

    #[test]
    fn a_watermark_survives_the_round_trip() {
        let at = since("2026-11-23T10:00:00.25").unwrap();
        assert_eq!(at.watermark().0, "2026-11-23T10:00:00.250000");
        assert_eq!(CursorTime::try_from(&at.watermark()), Ok(at));
    }

    #[test]
    fn offsets_lead_back_to_the_users_text() {
        let query = "SELECT :last_sync_time, x WHERE :last_sync_time IS NULL ERR";
        let rendered = SqlTemplate::parse(query).unwrap().render(None);
        for word in ["SELECT", "x", "WHERE", "IS", "ERR"] {
            let offset = rendered.sql.find(word).unwrap();
            assert_eq!(rendered.source_offset(offset), query.find(word).unwrap(), "{word}");
        }
        let inside = rendered.sql.find("NULL AS").unwrap();
        let parameter = query.find(':').unwrap();
        assert!(
            (parameter..=parameter + PARAMETER.len()).contains(&rendered.source_offset(inside))
        );
    }
}
