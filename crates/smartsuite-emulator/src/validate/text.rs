//! Text, text area, title (sections 5.1 and 5.4).

use serde_json::Value;

use super::{Writer, Written, no};
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::profile::LongText;

pub(super) fn write(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let Some(text) = value.as_str() else { return no("Not a valid string.") };
    let text = if cx.profile.trim_text { text.trim() } else { text };
    let own = field.whole("max_length").and_then(|length| usize::try_from(length).ok());
    let general = cx.profile.max_text_chars.and_then(|chars| usize::try_from(chars).ok());
    let bound = [own, general].into_iter().flatten().min();
    match bound {
        Some(bound) if text.chars().count() > bound => match cx.profile.long_text {
            LongText::Refuse => {
                no(&format!("Ensure this field has no more than {bound} characters."))
            }
            LongText::Cut => Ok(Cell::text(text.chars().take(bound).collect::<String>())),
            LongText::Ignore => Ok(Cell::text(text)),
        },
        _ => Ok(Cell::text(text)),
    }
}
