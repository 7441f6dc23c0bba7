//! One stored value, small: a record of a hundred thousand holds a dozen of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::moment::Moment;
use crate::object_id::ObjectId;

/// A date with or without its time of day (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DateValue {
    pub(crate) at: Moment,
    pub(crate) include_time: bool,
}

/// A status and when it was set; a default has never been set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusValue {
    pub(crate) choice: Box<str>,
    pub(crate) updated_on: Option<Moment>,
}

/// What a record holds for one field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Cell {
    /// Never written.
    #[default]
    Absent,
    /// Written, and empty.
    Empty,
    /// Text, a choice id, a time of day.
    Text(Box<str>),
    /// A decimal in plain notation, without trailing zeros.
    Number(Box<str>),
    /// Yes.
    Yes,
    /// Choice ids, tag ids, e-mail addresses, link addresses, in order.
    Texts(Box<[Box<str>]>),
    /// Member ids or record ids, in order.
    Ids(Box<[ObjectId]>),
    /// A status.
    Status(Box<StatusValue>),
    /// A date.
    Date(DateValue),
    /// Two dates.
    Range(Box<(Option<DateValue>, Option<DateValue>)>),
    /// Anything else, as it is read.
    Json(Box<Value>),
}

impl Cell {
    /// A text, empty if there is none of it.
    pub(crate) fn text(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Ids, empty if there are none.
    pub(crate) fn ids(ids: Vec<ObjectId>) -> Self {
        if ids.is_empty() { Self::Empty } else { Self::Ids(ids.into()) }
    }

    /// Texts, empty if there are none.
    pub(crate) fn texts(texts: Vec<Box<str>>) -> Self {
        if texts.is_empty() { Self::Empty } else { Self::Texts(texts.into()) }
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty)
    }

    /// Whether the value is the same; never written and empty are (section 3.2).
    pub(crate) fn same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Status(left), Self::Status(right)) => left.choice == right.choice,
            (left, right) => left == right || left.is_empty() && right.is_empty(),
        }
    }

    /// The text of a text, a choice, a number or a status.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Status(status) => Some(&status.choice),
            Self::Absent
            | Self::Empty
            | Self::Yes
            | Self::Texts(_)
            | Self::Ids(_)
            | Self::Date(_)
            | Self::Range(_)
            | Self::Json(_) => None,
        }
    }

    /// The ids of members or records.
    pub(crate) fn as_ids(&self) -> &[ObjectId] {
        if let Self::Ids(ids) = self { ids } else { &[] }
    }

    /// The choices, tags or addresses.
    pub(crate) fn as_texts(&self) -> &[Box<str>] {
        if let Self::Texts(texts) = self { texts } else { &[] }
    }
}
