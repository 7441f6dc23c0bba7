//! Bytes as text.

use std::fmt::Write as _;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Hexadecimal digits, two a byte, in small letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            let digit = BASE64.get(digit).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The text of a UUID; `None` unless there are 16 bytes.
pub(crate) fn uuid(bytes: &[u8]) -> Option<String> {
    let digits = (bytes.len() == 16).then(|| hex(bytes))?;
    let part = |from: usize, to: usize| digits.get(from..to);
    Some([part(0, 8)?, part(8, 12)?, part(12, 16)?, part(16, 20)?, part(20, 32)?].join("-"))
}

/// The same for bytes that MySQL's `UUID_TO_BIN(..., 1)` made, which puts the time's parts in order.
pub(crate) fn swapped_uuid(bytes: &[u8]) -> Option<String> {
    let (high, middle, low, rest) =
        (bytes.get(..2)?, bytes.get(2..4)?, bytes.get(4..8)?, bytes.get(8..)?);
    uuid(&[low, middle, high, rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text, "{bytes}");
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn a_uuid_has_its_usual_form_in_either_order() {
        let text = "6ccd780c-baba-1026-9564-5b8c656024db";
        let plain: Vec<u8> = (0..16)
            .map(|at| u8::from_str_radix(&text.replace('-', "")[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        assert_eq!(uuid(&plain).as_deref(), Some(text));
        // SELECT HEX(UUID_TO_BIN('6ccd780c-baba-1026-9564-5b8c656024db', 1)) by MySQL's manual.
        let swapped = "1026baba6ccd780c95645b8c656024db";
        let swapped: Vec<u8> = (0..16)
            .map(|at| u8::from_str_radix(&swapped[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        assert_eq!(swapped_uuid(&swapped).as_deref(), Some(text));
        assert_eq!(uuid(&plain[1..]), None);
        assert_eq!(swapped_uuid(&[]), None);
    }
}
