//! MariaDB's types of fixed length that a SELECT shows as text: UUID, INET4, INET6.

use std::fmt::Write as _;

/// The bytes of a cell, with the zeros at the end that the log cuts off.
fn whole<const LENGTH: usize>(cell: &[u8]) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    bytes.get_mut(..cell.len())?.copy_from_slice(cell);
    Some(bytes)
}

/// `00112233-4455-6677-8899-aabbccddeeff`; `None` if it has too many bytes.
pub(crate) fn uuid_text(cell: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(36);
    for (place, byte) in whole::<16>(cell)?.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _infallible = write!(text, "{byte:02x}");
    }
    Some(text)
}

/// `192.168.1.2`; `None` if it has too many bytes.
pub(crate) fn inet4_text(cell: &[u8]) -> Option<String> {
    let [a, b, c, d] = whole::<4>(cell)?;
    Some(format!("{a}.{b}.{c}.{d}"))
}

/// As MariaDB prints an INET6, which is not as everybody does: the first of the longest runs of zeros is left out, even
/// one alone, and what then looks like an IPv4 address is printed as one. `None` if it has too many bytes.
pub(crate) fn inet6_text(cell: &[u8]) -> Option<String> {
    let bytes = whole::<16>(cell)?;
    let mut words = [0_u16; 8];
    for (word, pair) in words.iter_mut().zip(bytes.chunks_exact(2)) {
        *word = u16::from_be_bytes(pair.try_into().ok()?);
    }
    let gap = longest_gap(&words);
    let mut text = String::with_capacity(39);
    let mut place = 0;
    while let Some(word) = words.get(place) {
        match gap {
            Some((start, length)) if place == start => {
                text.push_str(if start == 0 { "::" } else { ":" });
                place += length;
                continue;
            }
            Some((0, length))
                if place == 6
                    && (length == 6 || (length == 5 && words.get(5) == Some(&0xffff))) =>
            {
                return Some(text + &inet4_text(bytes.get(12..)?)?);
            }
            _ => {}
        }
        let _infallible = write!(text, "{word:x}");
        if place != 7 {
            text.push(':');
        }
        place += 1;
    }
    Some(text)
}

/// Where the first of the longest runs of zeros begins, and how long it is.
fn longest_gap(words: &[u16; 8]) -> Option<(usize, usize)> {
    let mut longest: Option<(usize, usize)> = None;
    let mut place = 0;
    while place < words.len() {
        let run = words.iter().skip(place).take_while(|word| **word == 0).count();
        if run > longest.map_or(0, |(_, length)| length) {
            longest = Some((place, run));
        }
        place += run.max(1);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_and_addresses_get_their_zeros_back() {
        let uuid = [0xf4, 0x7a, 0xc1, 0x0b, 0x58, 0xcc, 0x43, 0x72, 0xa5, 0x67, 0x0e, 0x02, 0xb2];
        assert_eq!(uuid_text(&uuid).as_deref(), Some("f47ac10b-58cc-4372-a567-0e02b2000000"));
        assert_eq!(inet4_text(&[10]).as_deref(), Some("10.0.0.0"));
        assert_eq!(inet6_text(&[]).as_deref(), Some("::"));
        assert_eq!(
            (uuid_text(&[0; 17]), inet4_text(&[0; 5]), inet6_text(&[0; 17])),
            (None, None, None)
        );
    }

    /// What a MariaDB 10.11 printed for each.
    #[test]
    fn addresses_are_printed_as_the_server_does() {
        for (words, printed) in [
            ([1, 0, 2, 3, 4, 5, 6, 7], "1::2:3:4:5:6:7"),
            ([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
            ([0, 0, 0, 0, 0, 0xffff, 0, 0], "::ffff:0.0.0.0"),
            ([0, 0, 1, 0, 0, 1, 0, 0], "::1:0:0:1:0:0"),
            ([1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"),
            ([0, 0, 0, 0, 0, 0, 1, 2], "::0.1.0.2"),
            ([0, 0, 0, 0, 0, 0, 0, 2], "::2"),
            ([0, 0, 0, 0, 0xffff, 1, 2, 3], "::ffff:1:2:3"),
            ([0, 1, 2, 3, 4, 5, 6, 7], "::1:2:3:4:5:6:7"),
            ([1, 2, 3, 4, 5, 6, 7, 0], "1:2:3:4:5:6:7::"),
            ([0, 0, 0, 0, 0, 5, 0x102, 0x304], "::5:102:304"),
            ([1, 0, 0, 0, 0, 0, 0x102, 0x304], "1::102:304"),
            ([0, 0, 0, 0, 0, 0xffff, 0xffff, 0], "::ffff:255.255.0.0"),
            ([0x2001, 0xdb8, 0, 0, 0, 0xff00, 0x42, 0x8329], "2001:db8::ff00:42:8329"),
            ([0; 8], "::"),
        ] {
            let bytes: Vec<u8> = words.iter().flat_map(|word: &u16| word.to_be_bytes()).collect();
            assert_eq!(inet6_text(&bytes).as_deref(), Some(printed));
        }
    }
}
