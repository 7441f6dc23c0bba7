//! The pages that show figures: what stands between two marks is written by this program and by nobody else.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    case::growth,
    figure::{Figures, shown},
};

/// Begins what is written; behind it the block's name and ` -->`.
const BEGIN: &str = "<!-- figures: ";
/// Ends it.
const END: &str = "<!-- end of figures -->";

/// Figures of the usual run, and of one over a very large table.
pub(crate) struct Measured {
    pub(crate) usual: Figures,
    /// `None`: not measured yet.
    pub(crate) large: Option<Figures>,
}

impl Measured {
    /// Writes the figures into a page.
    pub(crate) fn write(&self, page: &Path) -> Result<()> {
        let text = fs::read_to_string(page)
            .with_context(|| format!("failed to read `{}`", page.display()))?;
        let written = self.filled(&text).with_context(|| format!("in `{}`", page.display()))?;
        fs::write(page, written).with_context(|| format!("failed to write `{}`", page.display()))
    }

    fn filled(&self, text: &str) -> Result<String> {
        let mut written = String::new();
        let mut rest = text;
        while let Some((before, block)) = rest.split_once(BEGIN) {
            let (name, block) = block.split_once(" -->").context("a mark has an end")?;
            let (_, after) = block.split_once(END).context("a block of figures has an end")?;
            written += &format!("{before}{BEGIN}{name} -->\n{}\n{END}", self.block(name)?);
            rest = after;
        }
        Ok(written + rest)
    }

    fn block(&self, name: &str) -> Result<String> {
        Ok(match name {
            "all" => format!("{}\n\n{}", self.usual.machine_line(), self.usual.markdown()),
            "large" => match &self.large {
                Some(large) => format!("{}\n\n{}", large.machine_line(), large.markdown()),
                None => "Not measured yet: `cargo x bench --large --keep`.".to_owned(),
            },
            "growth" => self.growth()?,
            "short" => {
                let large = self.large.iter().flat_map(|large| &large.figures);
                let figures = self.usual.figures.iter().chain(large).cloned().collect();
                let all = Figures { machine: self.usual.machine.clone(), figures };
                format!("{}\n\n{}", all.short(), all.machine_line())
            }
            other => bail!("there is no block of figures `{other}`"),
        })
    }

    /// Points of the unchanged run by size, and the power of the size that they grow with.
    fn growth(&self) -> Result<String> {
        let mut points = Vec::new();
        for figure in &self.usual.figures {
            let size =
                figure.what.strip_prefix("seconds for ").filter(|_| figure.case == growth::CASE);
            let Some(size) = size.and_then(|size| size.strip_suffix(" rows")) else { continue };
            let memory = self.usual.value(growth::CASE, &format!("MiB for {size} rows"))?;
            points.push((size.parse()?, figure.value, memory));
        }
        for figures in [Some(&self.usual), self.large.as_ref()].into_iter().flatten() {
            let case = |rows: f64| format!("unchanged run, table mode, {rows:.0} rows");
            let rows = [1e6, 1e7].into_iter().find(|rows| figures.has_case(&case(*rows)));
            let rows = rows.context("a run over a million or ten million rows")?;
            let value = |what| figures.value(&case(rows), what);
            points.push((rows, value("seconds")?, value("most resident memory, MiB")?));
        }
        let mut lines =
            vec!["| rows | seconds | microseconds a row | most resident memory, MiB |".to_owned()];
        lines.push("|---:|---:|---:|---:|".to_owned());
        lines.extend(points.iter().map(|(rows, seconds, memory)| {
            let each = seconds / rows * 1e6;
            format!("| {rows:.0} | {} | {} | {} |", shown(*seconds), shown(each), shown(*memory))
        }));
        let large: Vec<(f64, f64)> =
            points.iter().filter(|point| point.0 >= 1e5).map(|point| (point.0, point.1)).collect();
        lines.push(String::new());
        lines.push(format!(
            "From 100,000 rows on, where starting no longer counts, the time grows with the {:.2}th power of the rows \
             (least squares over the logarithms).",
            power(&large)
        ));
        Ok(lines.join("\n"))
    }
}

/// The slope of the line through the logarithms of both coordinates.
fn power(points: &[(f64, f64)]) -> f64 {
    let logs = points.iter().map(|(x, y)| (x.ln(), y.ln()));
    let n = points.len() as f64;
    let (x, y) = logs.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let over: f64 = logs.clone().map(|(a, b)| (a - x) * (b - y)).sum();
    over / logs.map(|(a, _)| (a - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    #[test]
    fn the_power_of_a_straight_line_is_one() {
        assert!((power(&[(1e3, 2.0), (1e4, 20.0), (1e5, 200.0)]) - 1.0).abs() < 1e-9);
        assert!((power(&[(1e3, 1.0), (1e4, 100.0)]) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn what_stands_between_the_marks_is_written_anew() {
        let mut usual = Figures::default();
        usual.add(Figure::at_most("a", "b", 1.0, 2.0));
        let measured = Measured { usual, large: None };
        let page = format!("Before.\n\n{BEGIN}all -->\nold\n{END}\n\nAfter.\n");
        let filled = measured.filled(&page).unwrap();
        assert!(filled.starts_with("Before.\n\n<!-- figures: all -->\n"), "{filled}");
        assert!(filled.contains("| a | b | 1 | at most 2 |\n<!-- end of figures -->"), "{filled}");
        assert!(filled.ends_with("\n\nAfter.\n") && !filled.contains("old"), "{filled}");
        assert_eq!(measured.filled(&filled).unwrap(), filled);
        assert!(measured.filled(&format!("{BEGIN}unknown --> {END}")).is_err());
    }
}
