//! Sorting by several fields (section 3.6; point 33).

use std::cmp::Ordering;

use bigdecimal::BigDecimal;
use serde_json::{Value, json};

use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::profile::Nulls;
use crate::rules::call::Call;
use crate::rules::filter::subject::{End, Subject};
use crate::rules::read::View;

/// One key of an order.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    field: &'a Field,
    end: End,
    descending: bool,
}

/// What a value sorts by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(BigDecimal),
    Moment(i64),
    Place(usize),
    Text(String, String),
}

/// What a record sorts by, one for each key of the order.
type Keys = Vec<Option<Key>>;

/// Reads the `sort` of a list; the error is the body of the refusal.
pub(crate) fn parse<'t>(
    call: &Call<'_>,
    table: &'t Table,
    sort: Option<&Value>,
) -> Result<Vec<Order<'t>>, Value> {
    let keys = match sort {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(keys)) => keys,
        Some(_) => return Err(json!({"sort": ["Expected a list of items."]})),
    };
    keys.iter().map(|key| order(call, table, key)).collect()
}

fn order<'t>(call: &Call<'_>, table: &'t Table, key: &Value) -> Result<Order<'t>, Value> {
    let required = |part: &str| json!({"sort": [{part: ["This field is required."]}]});
    let text = |part: &str| key.get(part).and_then(Value::as_str).ok_or_else(|| required(part));
    let slug = text("field")?;
    let descending = match text("direction")? {
        "asc" => false,
        "desc" => true,
        _ => return Err(json!({"sort": [{"direction": ["Not a valid choice."]}]})),
    };
    let (base, end) = match slug.rsplit_once('.') {
        Some((base, "from_date")) => (base, End::From),
        Some((base, "to_date")) => (base, End::To),
        _ => (slug, End::To),
    };
    match table.field(base, call.now) {
        Some(field) => Ok(Order { field, end, descending }),
        None => Err(json!({slug: "Field does not exist."})),
    }
}

/// Sorts; equal records stay in the default order.
pub(crate) fn apply(view: &View<'_>, order: &[Order<'_>], rows: &mut Vec<(u64, &Record)>) {
    if order.is_empty() {
        rows.sort_by_key(|(rank, _)| *rank);
        return;
    }
    let mut keyed: Vec<(Keys, (u64, &Record))> = rows
        .iter()
        .map(|(rank, record)| {
            let key = |by: &Order<'_>| {
                let subject = Subject { view, field: by.field, rank: *rank, record };
                key_of(&subject, by.end)
            };
            (order.iter().map(key).collect(), (*rank, *record))
        })
        .collect();
    let nulls = view.profile.nulls;
    keyed.sort_by(|(left, (left_rank, _)), (right, (right_rank, _))| {
        let pairs = left.iter().zip(right).zip(order);
        let each = pairs.map(|((left, right), by)| {
            compare(left.as_ref(), right.as_ref(), by.descending, nulls)
        });
        each.fold(Ordering::Equal, Ordering::then).then(left_rank.cmp(right_rank))
    });
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}

fn compare(left: Option<&Key>, right: Option<&Key>, descending: bool, nulls: Nulls) -> Ordering {
    let null_first = match nulls {
        Nulls::First => Ordering::Less,
        Nulls::Last => Ordering::Greater,
    };
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => null_first,
        (Some(_), None) => null_first.reverse(),
        (Some(left), Some(right)) if descending => right.cmp(left),
        (Some(left), Some(right)) => left.cmp(right),
    }
}

fn key_of(subject: &Subject<'_>, end: End) -> Option<Key> {
    match subject.field.kind {
        FieldType::Date
        | FieldType::DateRange
        | FieldType::DueDate
        | FieldType::FirstCreated
        | FieldType::LastUpdated => subject.date(end).map(|value| Key::Moment(value.at.0)),
        FieldType::SingleSelect | FieldType::Status => {
            let value = subject.texts().into_iter().next()?;
            let place = subject.field.choice_order(&value);
            Some(Key::Place(place.unwrap_or(usize::MAX)))
        }
        FieldType::MultipleSelect | FieldType::Tags => {
            let values = subject.texts();
            values
                .iter()
                .filter_map(|value| subject.field.choice_order(value))
                .min()
                .map(Key::Place)
        }
        FieldType::YesNo => Some(Key::Place(usize::from(subject.is_yes()))),
        FieldType::Number
        | FieldType::Currency
        | FieldType::Percent
        | FieldType::Duration
        | FieldType::NumberSlider
        | FieldType::PercentComplete
        | FieldType::Rating
        | FieldType::Vote
        | FieldType::Time
        | FieldType::TimeTracking
        | FieldType::SubItems
        | FieldType::Rollup
        | FieldType::Count
        | FieldType::CommentsCount
        | FieldType::AutoNumber => subject.number().map(Key::Number),
        FieldType::LinkedRecord => subject.linked_titles().first().copied().map(text_key),
        FieldType::Formula | FieldType::Lookup => match subject.number() {
            Some(number) => Some(Key::Number(number)),
            None => subject.texts().first().map(|text| text_key(text)),
        },
        _ => subject.texts().first().map(|text| text_key(text)),
    }
}

/// Text sorts without regard to case, and by case where that is all the difference.
fn text_key(text: &str) -> Key {
    Key::Text(text.to_lowercase(), text.to_owned())
}
