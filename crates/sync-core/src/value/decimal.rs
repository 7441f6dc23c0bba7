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
        Self::from(BigDecimal::from(number))
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let text = text.trim();
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

/// Plain notation without exponent or trailing zeros: the canonical form.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
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
