//! How the cells of a column are written in a row, as far as reading over them needs to know.

use super::bytes::Bytes;

/// How a cell's end is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellForm {
    /// So many bytes.
    Fixed(usize),
    /// So many bytes hold the length of what follows.
    Prefixed(usize),
    /// As [`CellForm::Prefixed`] with four bytes, and possibly a difference only: a JSON column.
    Json(usize),
}

impl CellForm {
    /// The form of a column of this type; takes its part of the metadata. `None` for types that are not known.
    pub(crate) fn parse(kind: u8, described: &mut Bytes<'_>) -> Option<Self> {
        let fraction = |digits: u8| usize::from(digits).div_ceil(2);
        Some(match kind {
            // TINY, YEAR
            1 | 13 => Self::Fixed(1),
            // SHORT
            2 => Self::Fixed(2),
            // LONG, TIMESTAMP
            3 | 7 => Self::Fixed(4),
            // NULL
            6 => Self::Fixed(0),
            // LONGLONG, DATETIME
            8 | 12 => Self::Fixed(8),
            // INT24, DATE, TIME, NEWDATE
            9 | 10 | 11 | 14 => Self::Fixed(3),
            // FLOAT, DOUBLE
            4 | 5 => Self::Fixed(usize::from(described.u8()?)),
            // VARCHAR, VAR_STRING, and MariaDB's compressed VARCHAR
            15 | 253 | 141 => Self::Prefixed(if described.uint(2)? > 255 { 2 } else { 1 }),
            // BIT
            16 => {
                let (bits, bytes) = (described.u8()?, described.u8()?);
                Self::Fixed(usize::from(bytes) + usize::from(bits > 0))
            }
            // TIMESTAMP2, DATETIME2, TIME2
            17 => Self::Fixed(4 + fraction(described.u8()?)),
            18 => Self::Fixed(5 + fraction(described.u8()?)),
            19 => Self::Fixed(3 + fraction(described.u8()?)),
            // JSON
            245 => Self::Json(length_bytes(described.u8()?)?),
            // NEWDECIMAL
            246 => {
                let (precision, scale) = (described.u8()?, described.u8()?);
                Self::Fixed(decimal_length(precision, scale)?)
            }
            // VECTOR, the four BLOBs, GEOMETRY, and MariaDB's compressed BLOB
            242 | 249..=252 | 255 | 140 => Self::Prefixed(length_bytes(described.u8()?)?),
            // ENUM, SET, STRING: the first byte is the real type, and holds two bits of the length.
            247 | 248 | 254 => {
                let (first, second) = (described.u8()?, described.u8()?);
                match first | 0x30 {
                    247 | 248 => Self::Fixed(usize::from(second)),
                    _ => {
                        let length = u16::from(second) | u16::from((first & 0x30) ^ 0x30) << 4;
                        Self::Prefixed(if length > 255 { 2 } else { 1 })
                    }
                }
            }
            _ => return None,
        })
    }

    /// Takes the cell: its bytes without a length before them.
    #[inline]
    pub(crate) fn take<'a>(self, bytes: &mut Bytes<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Fixed(length) => bytes.take(length),
            Self::Prefixed(1) => {
                let length = bytes.u8()?;
                bytes.take(usize::from(length))
            }
            Self::Prefixed(prefix) | Self::Json(prefix) => {
                let length = bytes.length(prefix)?;
                bytes.take(length)
            }
        }
    }
}

fn length_bytes(prefix: u8) -> Option<usize> {
    (1..=4).contains(&prefix).then_some(usize::from(prefix))
}

/// Bytes that so many decimal digits take: four for each nine.
const DIGIT_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Bytes of a DECIMAL.
fn decimal_length(precision: u8, scale: u8) -> Option<usize> {
    let bytes = |digits: u8| {
        let rest = DIGIT_BYTES.get(usize::from(digits % 9))?;
        Some(usize::from(digits / 9) * 4 + rest)
    };
    Some(bytes(precision.checked_sub(scale)?)? + bytes(scale)?)
}

/// The text of a DECIMAL as the server prints it; `None` if its bytes are no such number.
pub(crate) fn decimal_text(cell: &[u8], precision: u8, scale: u8) -> Option<String> {
    let negative = cell.first()? & 0x80 == 0;
    let mut plain: Vec<u8> = cell.iter().map(|byte| if negative { !byte } else { *byte }).collect();
    *plain.first_mut()? ^= 0x80;
    let mut bytes = Bytes(&plain);
    let mut digits = |count: u8| {
        let length = *DIGIT_BYTES.get(usize::from(count))?;
        let number = super::bytes::big_endian(bytes.take(length)?);
        Some(format!("{number:0width$}", width = usize::from(count)))
    };
    let whole_digits = precision.checked_sub(scale)?;
    let mut whole = String::new();
    if !whole_digits.is_multiple_of(9) {
        whole += &digits(whole_digits % 9)?;
    }
    for _ in 0..whole_digits / 9 {
        whole += &digits(9)?;
    }
    let mut fraction = String::new();
    for _ in 0..scale / 9 {
        fraction += &digits(9)?;
    }
    if !scale.is_multiple_of(9) {
        fraction += &digits(scale % 9)?;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let sign = if negative { "-" } else { "" };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: u8, described: &[u8], expected: Option<CellForm>) {
        assert_eq!(CellForm::parse(kind, &mut Bytes(described)), expected, "type {kind}");
    }

    #[test]
    fn each_type_has_its_length() {
        check(15, &[255, 0], Some(CellForm::Prefixed(1)));
        check(15, &[0, 1], Some(CellForm::Prefixed(2)));
        check(16, &[1, 0], Some(CellForm::Fixed(1)));
        check(16, &[0, 8], Some(CellForm::Fixed(8)));
        check(18, &[6], Some(CellForm::Fixed(8)));
        check(246, &[10, 2], Some(CellForm::Fixed(5)));
        check(246, &[65, 30], Some(CellForm::Fixed(30)));
        check(254, &[247, 2], Some(CellForm::Fixed(2)));
        check(254, &[254, 255], Some(CellForm::Prefixed(1)));
        // CHAR(255) of four-byte characters: 1,020 bytes, two bits of them in the type.
        check(254, &[0xce, 0xfc], Some(CellForm::Prefixed(2)));
        check(252, &[2], Some(CellForm::Prefixed(2)));
        for (kind, described) in
            [(20, &[1_u8, 1][..]), (200, &[]), (15, &[1]), (246, &[2, 3]), (252, &[9])]
        {
            check(kind, described, None);
        }
    }

    #[test]
    fn decimals_are_printed_as_the_server_does() {
        assert_eq!(
            decimal_text(&[0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2], 14, 4).as_deref(),
            Some("1234567890.1234")
        );
        assert_eq!(
            decimal_text(&[0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d], 14, 4).as_deref(),
            Some("-1234567890.1234")
        );
        assert_eq!(decimal_text(&[0x80, 0, 0, 0, 0, 0, 0], 14, 4).as_deref(), Some("0.0000"));
        assert_eq!(decimal_text(&[0x80, 0x05], 3, 0).as_deref(), Some("5"));
        assert_eq!(decimal_text(&[], 3, 0), None);
    }
}
