//! What is done to a value before its rule sees it.

use std::borrow::Cow;

use super::fault::{FaultCode, Refusal};
use crate::{
    config::model::{BinaryForm, Secrecy, Treatment, ZeroDate},
    encoding,
    mapping::cell_text,
    source::ColumnKind,
    value::Value,
};

/// Digits of a keyed hash: 128 bits are enough to keep a billion texts apart.
const HASH_DIGITS: usize = 32;

/// The value after zero dates, bytes, trimming, default and secrecy, in this order.
pub(super) fn treated<'v>(
    treatment: &Treatment,
    value: Cow<'v, Value>,
    column: &ColumnKind,
) -> Result<Cow<'v, Value>, Refusal> {
    let mut value = value;
    if let Value::ZeroDate(text) = &*value {
        match treatment.zero_date {
            ZeroDate::Empty => {}
            ZeroDate::Quarantine => return Err(Refusal::new(FaultCode::ZeroDate).about(text)),
            ZeroDate::Fixed(day) => value = Cow::Owned(Value::Date(day)),
        }
    }
    if let (Value::Bytes(bytes), Some(encode)) = (&*value, encoder(treatment.binary)) {
        let text = encode(bytes).ok_or_else(|| Refusal::new(FaultCode::NotAUuid))?;
        value = Cow::Owned(Value::Text(text));
    }
    if treatment.trim
        && let Value::Text(text) = &*value
        && text.trim().len() < text.len()
    {
        value = Cow::Owned(Value::Text(text.trim().to_owned()));
    }
    if let Some(default) = &treatment.default
        && is_blank(&value)
    {
        value = Cow::Owned(Value::Text(default.clone()));
    }
    match &treatment.secrecy {
        Some(secrecy) if !is_blank(&value) => {
            let text = cell_text(&value, column).map_err(|_| Refusal::new(FaultCode::NotText))?;
            Ok(Cow::Owned(Value::Text(hidden(secrecy, &text))))
        }
        Some(_) | None => Ok(value),
    }
}

/// Writes bytes as text; `None` for bytes that have no such form.
type Encoder = fn(&[u8]) -> Option<String>;

fn encoder(form: BinaryForm) -> Option<Encoder> {
    match form {
        BinaryForm::Text => None,
        BinaryForm::Base64 => Some(|bytes| Some(encoding::base64(bytes))),
        BinaryForm::Hex => Some(|bytes| Some(encoding::hex(bytes))),
        BinaryForm::Uuid => Some(encoding::uuid),
        BinaryForm::SwappedUuid => Some(encoding::swapped_uuid),
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::ZeroDate(_) | Value::Json(serde_json::Value::Null) => true,
        Value::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn hidden(secrecy: &Secrecy, text: &str) -> String {
    match secrecy {
        Secrecy::Hash(key) => {
            let hash = blake3::keyed_hash(key, text.as_bytes()).to_hex();
            hash.chars().take(HASH_DIGITS).collect()
        }
        Secrecy::Mask { shown } => {
            let length = text.chars().count();
            // At least half stays hidden: of a short text the last characters would be all of it.
            let shown = (*shown as usize).min(length / 2);
            let hidden = length - shown;
            std::iter::repeat_n('*', hidden).chain(text.chars().skip(hidden)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn treat(treatment: &Treatment, value: &Value) -> Result<Value, &'static str> {
        treated(treatment, Cow::Borrowed(value), &ColumnKind::Text)
            .map(Cow::into_owned)
            .map_err(|refusal| refusal.at(None, "c", None).code.code())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn the_steps_follow_each_other() {
        let treatment =
            Treatment { trim: true, default: Some("none".to_owned()), ..Treatment::default() };
        assert!(treat(&treatment, &text("  a ")) == Ok(text("a")));
        assert!(treat(&treatment, &text("   ")) == Ok(text("none")));
        assert!(treat(&treatment, &Value::Null) == Ok(text("none")));
        assert!(treat(&treatment, &Value::ZeroDate("0000-00-00".to_owned())) == Ok(text("none")));
        assert!(treat(&treatment, &Value::Int(0)) == Ok(Value::Int(0)));
    }

    #[test]
    fn zero_dates_follow_the_policy() {
        let zero = Value::ZeroDate("2024-00-00".to_owned());
        let with = |zero_date| Treatment { zero_date, ..Treatment::default() };
        let day = jiff::civil::date(1970, 1, 1);
        assert!(treat(&with(ZeroDate::Fixed(day)), &zero) == Ok(Value::Date(day)));
        assert_eq!(treat(&with(ZeroDate::Quarantine), &zero), Err("zero_date"));
        assert!(treat(&with(ZeroDate::Empty), &zero) == Ok(zero));
    }

    #[test]
    fn bytes_are_written_as_asked() {
        let bytes = Value::Bytes((0..16).collect());
        let with = |binary| Treatment { binary, ..Treatment::default() };
        for (form, expected) in [
            (BinaryForm::Hex, "000102030405060708090a0b0c0d0e0f"),
            (BinaryForm::Base64, "AAECAwQFBgcICQoLDA0ODw=="),
            (BinaryForm::Uuid, "00010203-0405-0607-0809-0a0b0c0d0e0f"),
            (BinaryForm::SwappedUuid, "04050607-0203-0001-0809-0a0b0c0d0e0f"),
        ] {
            assert!(treat(&with(form), &bytes) == Ok(text(expected)), "{form:?}");
        }
        assert_eq!(treat(&with(BinaryForm::Uuid), &Value::Bytes(vec![1])), Err("not_a_uuid"));
        assert!(treat(&with(BinaryForm::Hex), &text("plain")) == Ok(text("plain")));
    }

    #[test]
    fn a_hash_depends_on_its_key_and_a_mask_hides_at_least_half() {
        let with = |secrecy| Treatment { secrecy: Some(secrecy), ..Treatment::default() };
        let hash = |key: u8| treat(&with(Secrecy::Hash([key; 32])), &text("a@b.org"));
        assert!(hash(1) == hash(1) && hash(1) != hash(2));
        let Ok(Value::Text(shown)) = hash(1) else { panic!("no text") };
        assert_eq!(shown.len(), HASH_DIGITS);
        let mask = |value: &str| treat(&with(Secrecy::Mask { shown: 4 }), &text(value));
        assert!(mask("4111111111111111") == Ok(text("************1111")));
        assert!(mask("äöü") == Ok(text("**ü")));
        assert!(mask("1") == Ok(text("*")));
        assert!(mask("") == Ok(text("")));
    }
}
