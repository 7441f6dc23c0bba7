//! Tables for people: aligned columns, no lines.

use crate::report::Paint;

/// A table; the last column is not padded.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row, which has as many cells as there are headings.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, the headings faint.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let lines = self
            .rows
            .iter()
            .enumerate()
            .map(|(place, row)| if place == 0 { paint.faint(&line(row)) } else { line(row) });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The text on one line, cut to so many characters.
pub(crate) fn cut(text: &str, characters_max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= characters_max {
        return line;
    }
    let kept: String = line.chars().take(characters_max.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["sync", "key"]);
        table.row(vec!["orders".into(), "1".into()]);
        table.row(vec!["größe".into(), "2".into()]);
        let text = table.text(Paint { color: false });
        assert_eq!(text, "sync    key\norders  1\ngröße   2");
    }

    #[test]
    fn long_texts_are_cut_and_kept_on_one_line() {
        assert_eq!(cut("a\nb", 10), "a b");
        assert_eq!(cut("one two three", 10), "one two...");
    }
}
