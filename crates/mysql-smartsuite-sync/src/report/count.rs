//! Numbers in sentences.

use std::time::Duration;

/// `1 row`, `2 rows`, `12,300 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count))
}

/// `no API calls`, `1 API call`, `12 API calls`.
pub(crate) fn calls_made(calls: u64) -> String {
    if calls == 0 { "no API calls".to_owned() } else { counted(calls, "API call") }
}

/// `12,300`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0.3 s`, `42 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn seconds(length: Duration) -> String {
    let whole = length.as_secs();
    match whole {
        0..10 => format!("{:.1} s", length.as_secs_f64()),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600.. => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_plural_and_their_commas() {
        for (count, words) in [
            (0, "0 rows"),
            (1, "1 row"),
            (999, "999 rows"),
            (1_000, "1,000 rows"),
            (1_234_567, "1,234,567 rows"),
        ] {
            assert_eq!(counted(count, "row"), words);
        }
    }

    #[test]
    fn lengths_are_as_exact_as_people_need() {
        for (milliseconds, words) in [
            (0, "0.0 s"),
            (340, "0.3 s"),
            (9_900, "9.9 s"),
            (42_000, "42 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
        ] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), words);
        }
    }
}
