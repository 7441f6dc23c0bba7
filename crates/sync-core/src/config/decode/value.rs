//! The types of values that keys take.

use super::{Decode, Given, Subject, decode_given};
use crate::config::{
    diagnostic::Code,
    node::{Entry, Node, boolean},
    report::{Finding, Report},
    scalar::Scalar,
};

/// A mapping whose keys the user chooses, in the file's order.
#[derive(Clone, Debug)]
pub struct Entries<T>(pub Vec<(Scalar, Given<T>)>);

/// One text, or a list of texts.
#[derive(Clone, Debug)]
pub struct OneOrMany(pub Vec<Scalar>);

/// Source texts to choices.
#[derive(Clone, Debug)]
pub struct ValueMap(pub Vec<(Scalar, Scalar)>);

impl Decode for Scalar {
    const EXPECTED: &'static str = "a text";

    fn how() -> String {
        "write one text; quote it if it holds `: `, ` #` or brackets".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        node.text().cloned().or_else(|| report.wrong_type(node, subject))
    }
}

impl Decode for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    const EMPTY_IS_ABSENT: Self = false;

    fn how() -> String {
        "write `true` or `false`, without quotes".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        node.typed().and_then(boolean).or_else(|| report.wrong_type(node, subject))
    }
}

impl Decode for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn how() -> String {
        "write digits alone, without quotes".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let value = node.typed().and_then(|text| text.parse().ok());
        value.or_else(|| report.wrong_type(node, subject))
    }
}

impl<T: Decode> Decode for Vec<Given<T>> {
    const EXPECTED: &'static str = "a list";

    fn how() -> String {
        "write each entry on a line of its own that begins with `- `".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::List { items, .. } = node else {
            return report.wrong_type(node, subject);
        };
        let name = T::ITEM;
        let mut out = Self::new();
        for item in items {
            let at = item.span().unwrap_or(subject.at);
            let at = if at.start < at.end { at } else { subject.at };
            out.extend(decode_given(item, at, Subject { name, at }, report));
        }
        // A list of nothing but broken entries is not an empty list.
        (items.is_empty() || !out.is_empty()).then_some(out)
    }
}

impl<T: Decode> Decode for Entries<T> {
    const EXPECTED: &'static str = "lines of the form `column: ...`";

    fn how() -> String {
        "write one line for each column below it, further to the right".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::Map { entries, .. } = node else {
            return report.wrong_type(node, subject);
        };
        let mut out = Vec::new();
        for Entry { key, value } in entries {
            let name = format!("`{}`", key.shown());
            let subject = Subject { name: &name, at: key.span };
            let given = decode_given(value, key.span, subject, report);
            out.extend(given.map(|given| (key.clone(), given)));
        }
        Some(Self(out))
    }
}

impl Decode for OneOrMany {
    const EXPECTED: &'static str = "one name, or a list of names";

    fn how() -> String {
        "write one name, or several as in `[country, number]`".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        if let Some(scalar) = node.text() {
            return Some(Self(vec![scalar.clone()]));
        }
        if matches!(node, Node::List { .. }) {
            let items = Vec::<Given<Scalar>>::decode(node, subject, report)?;
            return Some(Self(items.into_iter().map(|item| item.value).collect()));
        }
        report.wrong_type(node, subject)
    }
}

impl Decode for ValueMap {
    const EXPECTED: &'static str = "lines of the form `text: choice`";

    fn how() -> String {
        "write one line for each text of the column below it, further to the right".to_owned()
    }

    fn decode(node: &Node, subject: Subject<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Node::Map { entries, .. } = node else {
            return report.wrong_type(node, subject);
        };
        let mut out = Vec::new();
        for Entry { key, value } in entries {
            if key.is_null() {
                report.add(
                    Finding::new(Code::BadValueMap, key.span, "NULL cannot be mapped to a choice")
                        .hint("remove this line: NULL always clears the field; quote the key if the text is meant"),
                );
                continue;
            }
            if let Some(target) = value.text() {
                out.push((key.clone(), target.clone()));
            } else if let Some(span) = value.span() {
                let span = if value.is_null() { key.span } else { span };
                let message = format!("`{}` is mapped to {}", key.shown(), value.kind());
                report.add(
                    Finding::new(Code::BadValueMap, span, message)
                        .label("not the label or id of a choice")
                        .hint("write one label or id after each source text"),
                );
            }
        }
        Some(Self(out))
    }
}
