//! Bytes of an event, taken piece by piece; `None` wherever they end too early.

/// What is left of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `length` bytes.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(drop)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A little-endian number of `length` bytes, at most 8.
    #[inline]
    pub(crate) fn uint(&mut self, length: usize) -> Option<u64> {
        self.take(length).map(little_endian)
    }

    /// A length that is used in memory.
    #[inline]
    pub(crate) fn length(&mut self, bytes: usize) -> Option<usize> {
        usize::try_from(self.uint(bytes)?).ok()
    }

    /// A number in the protocol's length-encoded form.
    pub(crate) fn packed(&mut self) -> Option<u64> {
        match self.u8()? {
            short @ 0..=250 => Some(u64::from(short)),
            252 => self.uint(2),
            253 => self.uint(3),
            254 => self.uint(8),
            251 | 255 => None,
        }
    }

    /// A length in the protocol's length-encoded form.
    pub(crate) fn packed_length(&mut self) -> Option<usize> {
        usize::try_from(self.packed()?).ok()
    }

    /// A number in the form of MySQL's serialization library: as many ones at the low end of the first byte as bytes
    /// follow.
    pub(crate) fn serialized(&mut self) -> Option<u64> {
        let following = self.0.first()?.trailing_ones();
        if following == 8 {
            self.skip(1)?;
            return self.uint(8);
        }
        let length = following + 1;
        Some(self.uint(usize::try_from(length).ok()?)? >> length)
    }

    /// Text that ends with a zero byte after `length` bytes.
    pub(crate) fn name(&mut self, length: usize) -> Option<String> {
        let name = String::from_utf8_lossy(self.take(length)?).into_owned();
        (self.u8()? == 0).then_some(name)
    }
}

/// The number that at most 8 bytes stand for, lowest first.
#[inline]
pub(crate) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The number that at most 8 bytes stand for, highest first.
pub(crate) fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Whether the bit at `index` is set, counted from the lowest of the first byte. Bits that are not there are not set.
#[inline]
pub(crate) fn bit(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_each_form() {
        assert_eq!(Bytes(&[1, 2, 3]).uint(3), Some(0x03_02_01));
        assert_eq!(Bytes(&[1, 2]).uint(3), None);
        assert_eq!(Bytes(&[250]).packed(), Some(250));
        assert_eq!(Bytes(&[252, 1, 1]).packed(), Some(257));
        assert_eq!(Bytes(&[251]).packed(), None);
        assert_eq!(Bytes(&[0b10]).serialized(), Some(1));
        assert_eq!(Bytes(&[0b01, 0b10]).serialized(), Some(128));
        assert_eq!(Bytes(&[0xff, 1, 0, 0, 0, 0, 0, 0, 0]).serialized(), Some(1));
        assert_eq!(Bytes(&[0xff, 1]).serialized(), None);
    }

    #[test]
    fn names_end_with_a_zero() {
        assert_eq!(Bytes(b"ab\0").name(2).as_deref(), Some("ab"));
        assert_eq!(Bytes(b"abc").name(2), None);
    }
}
