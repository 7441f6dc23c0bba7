//! Text, text area, title and rich text.
//!
//! **Accepts** the canonical text of everything but GEOMETRY and its like; bytes only if they are UTF-8.
//! **Canonical form**: line ends as `\n`, without NUL and the other control characters that cannot be typed or
//! shown (tab and line end stay); otherwise character by character as it is, outer spaces included. A rich text has
//! no empty lines at its end, as an empty paragraph there is no content.
//! **Empty**: the empty text. **Faults**: not UTF-8, longer than `max_length`, than the field takes or than 64 KiB
//! (SmartSuite documents no limit; this is what is believed safe); by `too_long: cut` such a text loses its end instead.

use std::borrow::Cow;

use super::{Cell, Coerce, OPAQUE_HINT, is_opaque, source_text};
use crate::{
    field_value::FieldValue,
    mapping::{
        fault::{FaultCode, Refusal},
        lent::Lent,
        notes::Notes,
    },
    source::ColumnKind,
};

/// The longest text that is sent, in bytes of UTF-8.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// The rule, for plain or rich text.
#[derive(Debug)]
pub(in crate::mapping) struct Text {
    /// Whether the field holds a document of paragraphs.
    pub(in crate::mapping) rich: bool,
    /// Most characters; `None`: what is believed safe.
    pub(in crate::mapping) length_max: Option<u32>,
    /// Whether a longer text is cut.
    pub(in crate::mapping) cut: bool,
}

impl Coerce for Text {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        is_opaque(column).then_some(OPAQUE_HINT)
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        self.lend(cell, notes).map(Lent::into_own)
    }

    fn lend<'v>(&'v self, cell: Cell<'v>, notes: &mut Notes) -> Result<Lent<'v>, Refusal> {
        let text = cleaned(source_text::text(cell)?, notes);
        let kept = if self.rich { text.trim_end_matches('\n') } else { &text };
        let kept = match self.end_of(kept) {
            None => kept,
            Some(end) if self.cut => {
                notes.cut_texts += 1;
                let kept = kept.get(..end).unwrap_or_default();
                if self.rich { kept.trim_end_matches('\n') } else { kept }
            }
            Some(_) => {
                let refusal = Refusal::new(FaultCode::TextTooLong).about(kept);
                return Err(match self.length_max {
                    Some(most) => {
                        refusal.because(format!("the text is longer than {most} characters"))
                    }
                    None => refusal,
                });
            }
        };
        let whole = kept.len() == text.len();
        Ok(Lent::Text(if whole { text } else { Cow::Owned(kept.to_owned()) }))
    }
}

impl Text {
    /// Where a text that is too long must end, in bytes.
    fn end_of(&self, text: &str) -> Option<usize> {
        let by_length = self
            .length_max
            .filter(|most| text.len() > *most as usize)
            .and_then(|most| text.char_indices().nth(most as usize))
            .map(|(at, _)| at);
        let by_bytes =
            (text.len() > TEXT_BYTES_MAX).then(|| text.floor_char_boundary(TEXT_BYTES_MAX));
        [by_length, by_bytes].into_iter().flatten().min()
    }
}

fn cleaned<'a>(text: Cow<'a, str>, notes: &mut Notes) -> Cow<'a, str> {
    // Most texts need neither step, and a look at all bytes, without a way out, is the cheapest.
    let is_odd = |byte: u8| byte < b' ' && byte != b'\n' && byte != b'\t' || byte == 0x7f;
    if !text.bytes().fold(false, |found, byte| found | is_odd(byte)) {
        return text;
    }
    // Line ends first.
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    };
    let unwanted = |c: char| (c < ' ' && c != '\n' && c != '\t') || c == '\u{7f}';
    if text.contains(unwanted) {
        notes.cleaned_texts += 1;
        Cow::Owned(text.replace(unwanted, ""))
    } else {
        text
    }
}
