//! Where something stands in a text.

/// A place in a text, for people and for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPosition {
    /// Bytes before it.
    pub offset: usize,
    /// Its line, counted from 1.
    pub line: usize,
    /// Its column in characters, counted from 1.
    pub column: usize,
}

impl TextPosition {
    /// The place `offset` bytes into `text`; past the end: the end.
    pub fn of(text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or_default();
        let before = text.get(..offset).unwrap_or_default();
        let line_text = before.rsplit('\n').next().unwrap_or_default();
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: line_text.chars().count() + 1,
        }
    }
}

/// Something in the SQL that will not do what its writer expects, with the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFinding {
    /// Where it begins.
    pub at: TextPosition,
    /// How many bytes it covers.
    pub length: usize,
    /// What is wrong, one sentence.
    pub message: String,
    /// How to fix it.
    pub hint: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let text = "SELECT é,\n  x";
        let place = |offset| {
            let at = TextPosition::of(text, offset);
            (at.offset, at.line, at.column)
        };
        assert_eq!(place(0), (0, 1, 1));
        assert_eq!(place(9), (9, 1, 9));
        assert_eq!(place(8), (7, 1, 8), "inside é counts as its beginning");
        assert_eq!(place(13), (13, 2, 3));
        assert_eq!(place(99), (14, 2, 4));
    }
}
