//! Exact decimals: up to MySQL's 65 digits, never a float.

use std::{fmt, str::FromStr};

use bigdecimal::BigDecimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest text taken for a number: MySQL's widest DOUBLE or DECIMAL in plain notation fits.
const TEXT_LENGTH_MAX: usize = 400;
/// The largest exponent taken: `1e308` is MySQL's widest DOUBLE.
const EXPONENT_MAX: i64 = 400;

/// An exact decimal. Equal numbers compare, hash and print equal: `12`, `12.0` and `12.00` are one value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(BigDecimal);

/// The text is no decimal number, or one too large to be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotDecimal;

impl Decimal {
    /// Digits behind the point in canonical form; 0 for integers.
    pub fn scale(&self) -> u64 {
        u64::try_from(self.0.as_bigint_and_exponent().1).unwrap_or(0)
    }

    /// The number itself, for arithmetic.
    pub fn as_big(&self) -> &BigDecimal {
        &self.0
    }

    /// Rounds half away from zero to `digits` behind the point.
    #[must_use]
    pub fn rounded(&self, digits: u32) -> Self {
        Self::from(self.0.with_scale_round(i64::from(digits), bigdecimal::RoundingMode::HalfUp))
    }
}

impl From<BigDecimal> for Decimal {
    fn from(number: BigDecimal) -> Self {
        Self(number.normalized())
    }
}

impl From<i128> for Decimal {
    fn from(number: i128) -> Self {
        match i64::try_from(number) {
            Ok(number) => scaled(number, 0),
            Err(_) => Self::from(BigDecimal::from(number)),
        }
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let text = text.trim();
        if let Some(number) = short(text) {
            return Ok(number);
        }
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        if text.is_empty() || text.len() > TEXT_LENGTH_MAX || !text.chars().all(plain) {
            return Err(NotDecimal);
        }
        let number = BigDecimal::from_str(text).map_err(|_| NotDecimal)?;
        // A short text may name a number of a billion digits; printing it would exhaust memory.
        if number.as_bigint_and_exponent().1.abs() > EXPONENT_MAX {
            return Err(NotDecimal);
        }
        Ok(Self::from(number))
    }
}

/// Digits that surely fit into 64 bits.
const SHORT_DIGITS_MAX: usize = 18;

/// A number of few digits in plain notation, as nearly every one is; `None` says nothing about the others.
fn short(text: &str) -> Option<Decimal> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > SHORT_DIGITS_MAX {
        return None;
    }
    let (mut number, mut scale, mut behind_point) = (0_i64, 0_i64, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10 + i64::from(byte - b'0');
                scale += i64::from(behind_point);
            }
            b'.' if !behind_point => behind_point = true,
            _ => return None,
        }
    }
    // A point wants digits on both sides here: what else it may mean is not decided twice.
    let is_plain =
        matches!((digits.first(), digits.last()), (Some(b'0'..=b'9'), Some(b'0'..=b'9')));
    if !is_plain {
        return None;
    }
    Some(scaled(if negative { -number } else { number }, scale))
}

/// `number` with so many of its digits behind the point, without trailing zeros.
fn scaled(mut number: i64, mut scale: i64) -> Decimal {
    if number == 0 {
        return Decimal(BigDecimal::default());
    }
    while number % 10 == 0 {
        number /= 10;
        scale -= 1;
    }
    Decimal(BigDecimal::new(number.into(), scale))
}

/// Plain notation without exponent or trailing zeros: the canonical form.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, scale) = self.0.as_bigint_and_scale();
        let Ok(number) = i64::try_from(&*digits) else {
            return f.write_str(&self.0.to_plain_string());
        };
        let sign = if number < 0 { "-" } else { "" };
        let number = number.unsigned_abs();
        let power = |digits: i64| u32::try_from(digits).ok().and_then(|d| 10_u64.checked_pow(d));
        match (power(scale), power(-scale).and_then(|zeros| number.checked_mul(zeros))) {
            (_, Some(whole)) => write!(f, "{sign}{whole}"),
            (Some(one), _) => {
                let (whole, behind) = (number / one, number % one);
                write!(f, "{sign}{whole}.{behind:0width$}", width = one.ilog10() as usize)
            }
            (None, None) => f.write_str(&self.0.to_plain_string()),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        text.parse::<Decimal>().unwrap().to_string()
    }

    #[test]
    fn equal_numbers_have_one_form() {
        for text in ["12", "12.0", "12.000", "+12", "1.2e1"] {
            assert_eq!(canonical(text), "12", "{text}");
        }
        assert_eq!(canonical("-0.00"), "0");
        assert_eq!(canonical("100"), "100");
    }

    #[test]
    fn short_numbers_are_what_they_are_the_long_way() {
        let long = |text: &str| Decimal::from(BigDecimal::from_str(text).unwrap());
        for text in [
            "0",
            "-0",
            "0.00",
            "7",
            "-7",
            "100",
            "-1200",
            "0.5",
            "-0.05",
            "12.3400",
            "1000.10",
            "999999999999999999",
            "-99999999999999999",
            "0.0000000000000001",
            "00012.50",
        ] {
            let (one, other) = (short(text).unwrap(), long(text));
            assert_eq!(one.0.as_bigint_and_scale(), other.0.as_bigint_and_scale(), "{text}");
            assert_eq!(one.to_string(), other.0.to_plain_string(), "{text}");
            assert!(one == other, "{text}");
        }
        for text in ["", "-", ".5", "5.", "1.2.3", "1e5", "+1", "1234567890123456789"] {
            assert!(short(text).is_none(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_what_they_are_the_long_way() {
        let tens = (0..38).map(|power| 10_i128.pow(power));
        let odd = [0, 1, 7, 120, 999_900, i128::from(i64::MAX), i128::from(i64::MIN), i128::MAX];
        for number in tens.chain(odd).flat_map(|number| [number, number - 1, -number]) {
            let long = Decimal::from(BigDecimal::from(number));
            let short = Decimal::from(number);
            assert_eq!(short.0.as_bigint_and_scale(), long.0.as_bigint_and_scale(), "{number}");
            assert_eq!(short.to_string(), number.to_string());
        }
    }

    #[test]
    fn a_number_is_shown_as_it_is_the_long_way() {
        for digits in [1, -1, 7, 1_234_567, -99, i64::MAX, i64::MIN] {
            for scale in -25..=25 {
                let number = Decimal::from(BigDecimal::new(digits.into(), scale));
                assert_eq!(number.to_string(), number.0.to_plain_string(), "{digits} {scale}");
            }
        }
    }

    #[test]
    fn sixty_five_digits_survive() {
        let text = "12345678901234567890123456789012345.123456789012345678901234567891";
        assert_eq!(canonical(text), text);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "abc", "1e999999999", "NaN", "1,5", "0x10", "--1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
