//! What mapping did to values that people should know of, counted.

/// Counts of harmless but noteworthy conversions in a read. Holds no values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Zero and partial dates (`0000-00-00`, `2024-00-00`) that became empty.
    pub zero_dates: u64,
    /// Texts that lost NUL or other control characters.
    pub cleaned_texts: u64,
    /// Numbers rounded to the digits their field keeps.
    pub rounded_numbers: u64,
    /// Times that lost a fraction of a second: SmartSuite's dates have none.
    pub dropped_fractions: u64,
    /// Texts cut to their greatest length.
    pub cut_texts: u64,
    /// Wall-clock times that the zone's clock change made ambiguous or skipped.
    pub ambiguous_times: u64,
}

impl Notes {
    /// Adds another count to this one.
    pub fn add(&mut self, other: Self) {
        self.zero_dates += other.zero_dates;
        self.cleaned_texts += other.cleaned_texts;
        self.rounded_numbers += other.rounded_numbers;
        self.dropped_fractions += other.dropped_fractions;
        self.cut_texts += other.cut_texts;
        self.ambiguous_times += other.ambiguous_times;
    }

    /// One sentence for each kind that occurred, for logs and `status`.
    pub fn sentences(self) -> Vec<String> {
        [
            (self.zero_dates, "zero dates were written as empty"),
            (self.cleaned_texts, "texts were written without their control characters"),
            (self.rounded_numbers, "numbers were rounded to the digits their field keeps"),
            (self.dropped_fractions, "times were written without their fraction of a second"),
            (self.cut_texts, "texts were cut to their greatest length"),
            (self.ambiguous_times, "times fell into a clock change of the declared zone"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{what}: {count}"))
        .collect()
    }
}
