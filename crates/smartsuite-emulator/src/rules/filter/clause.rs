//! One condition: its value checked, and asked of a record (section 3.5; point 32).

use std::collections::BTreeSet;

use bigdecimal::BigDecimal;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Plan;
use super::day::{self, Days};
use super::family::{Family, Op};
use super::subject::{End, Subject};
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::profile::{EmptyAnyOf, EmptyCheck, LinkedIs, Profile, TextIs};
use crate::rules::call::Call;
use crate::rules::read::View;
use crate::validate::{canonical, decimal};

/// What a value is compared with.
#[derive(Debug)]
enum Operand {
    Nothing,
    Text(String),
    Number(BigDecimal),
    YesNo(bool),
    Set(BTreeSet<String>),
    Days(Days, TimeZone),
    /// Holds for every record, or for none.
    Always(bool),
}

/// A condition on one field.
#[derive(Debug)]
pub(crate) struct Clause<'a> {
    field: &'a Field,
    end: Option<End>,
    op: Op,
    operand: Operand,
    is_loose: bool,
}

impl<'a> Clause<'a> {
    /// Reads a clause; the error is the body of the refusal.
    pub(crate) fn parse(
        world: &'a World,
        call: &Call<'_>,
        table: &'a Table,
        clause: &Value,
    ) -> Result<Self, Value> {
        let text = |key: &str| {
            let required = || json!({"filter": {"fields": [{key: ["This field is required."]}]}});
            clause.get(key).and_then(Value::as_str).ok_or_else(required)
        };
        let (slug, comparison) = (text("field")?, text("comparison")?);
        let Some((field, end)) = find(table, slug, call) else {
            return Err(json!({slug: "Field does not exist."}));
        };
        let not_allowed = || json!({slug: "Not allowed comparison."});
        let op = Op::named(comparison).ok_or_else(not_allowed)?;
        let family = Family::of(world, table, field, call.now);
        let is_blind =
            family == Family::Linked && op == Op::Is && call.profile.linked_is == LinkedIs::NoRows;
        let operand = if is_blind {
            Operand::Always(false)
        } else if family.allows(op, call.profile) {
            let value = clause.get("value").unwrap_or(&Value::Null);
            operand(world, call, field, family, op, value).map_err(|said| json!({slug: said}))?
        } else {
            return Err(not_allowed());
        };
        let is_loose = call.profile.text_is == TextIs::Loose;
        Ok(Self { field, end, op, operand, is_loose })
    }

    /// Whether a record meets the condition.
    pub(crate) fn matches(&self, view: &View<'_>, rank: u64, record: &Record) -> bool {
        let subject = Subject { view, field: self.field, rank, record };
        match &self.operand {
            Operand::Always(answer) => *answer,
            Operand::Nothing => match self.op {
                Op::IsEmpty => subject.is_empty(self.end),
                Op::IsNotEmpty => !subject.is_empty(self.end),
                Op::IsOverdue => is_overdue(&subject),
                _ => !is_overdue(&subject),
            },
            Operand::Text(wanted) => self.matches_text(&subject, wanted),
            Operand::Number(wanted) => self.matches_number(&subject, wanted),
            Operand::YesNo(wanted) => subject.is_yes() == *wanted,
            Operand::Set(wanted) => self.matches_set(&subject, wanted),
            Operand::Days(days, zone) => self.matches_days(&subject, *days, zone),
        }
    }

    fn matches_text(&self, subject: &Subject<'_>, wanted: &str) -> bool {
        let same = |text: &str| {
            if self.is_loose { folded(text) == folded(wanted) } else { text == wanted }
        };
        let has = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
        let texts = || subject.texts();
        match self.op {
            Op::Is => texts().iter().any(|text| same(text)),
            Op::IsNot => !texts().iter().any(|text| same(text)),
            Op::FileNameContains => {
                subject.files("/metadata/filename").iter().any(|text| has(text))
            }
            Op::FileTypeIs => subject.files("/file_type").iter().any(|kind| kind == wanted),
            _ => {
                let found = if self.field.kind == FieldType::LinkedRecord {
                    subject.linked_titles().into_iter().any(has)
                } else {
                    texts().iter().any(|text| has(text))
                };
                found == (self.op == Op::Contains)
            }
        }
    }

    fn matches_number(&self, subject: &Subject<'_>, wanted: &BigDecimal) -> bool {
        let Some(number) = subject.number() else { return self.op == Op::NotEqual };
        match self.op {
            Op::Equal => number == *wanted,
            Op::NotEqual => number != *wanted,
            Op::Greater => number > *wanted,
            Op::Less => number < *wanted,
            Op::EqualOrGreater => number >= *wanted,
            _ => number <= *wanted,
        }
    }

    fn matches_set(&self, subject: &Subject<'_>, wanted: &BTreeSet<String>) -> bool {
        let present: BTreeSet<String> =
            subject.texts().into_iter().map(std::borrow::Cow::into_owned).collect();
        match self.op {
            Op::IsAnyOf | Op::HasAnyOf => !present.is_disjoint(wanted),
            Op::HasAllOf => wanted.is_subset(&present),
            Op::IsExactly => present == *wanted,
            _ => present.is_disjoint(wanted),
        }
    }

    fn matches_days(&self, subject: &Subject<'_>, days: Days, zone: &TimeZone) -> bool {
        let date = subject.date(self.end.unwrap_or_default());
        let Some(day) = date.map(|value| day::of(value, zone)) else {
            return self.op == Op::IsNot;
        };
        match self.op {
            Op::Is => days.first <= day && day <= days.last,
            Op::IsNot => day < days.first || days.last < day,
            Op::IsBefore => day < days.first,
            Op::IsOnOrBefore => day <= days.last,
            Op::IsOnOrAfter => day >= days.first,
            _ => day > days.last,
        }
    }

    /// Which records need looking at.
    pub(crate) fn plan(&self, table: &Table) -> Plan {
        let by_text = |text: &str| {
            let ranks = self.field.column.and_then(|column| table.candidates(column, text));
            ranks.map_or(Plan::From(0), |ranks| Plan::Some(ranks.collect(), 1))
        };
        match (&self.operand, self.op) {
            (Operand::Text(text), Op::Is) => by_text(text),
            (Operand::Number(number), Op::Equal) if self.field.column.is_some() => {
                by_text(&canonical(number))
            }
            (Operand::Number(number), Op::Equal | Op::Greater | Op::EqualOrGreater)
                if self.field.kind == FieldType::AutoNumber =>
            {
                let rank = canonical(number);
                let whole = rank.split('.').next().and_then(|whole| whole.parse().ok());
                Plan::From(whole.unwrap_or(0))
            }
            _ => Plan::From(0),
        }
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The field of a slug, which may name one end of a range.
fn find<'t>(table: &'t Table, slug: &str, call: &Call<'_>) -> Option<(&'t Field, Option<End>)> {
    if let Some(field) = table.field(slug, call.now) {
        return Some((field, None));
    }
    let (slug, end) = slug.rsplit_once('.')?;
    let end = match end {
        "from_date" => End::From,
        "to_date" => End::To,
        _ => return None,
    };
    let field = table.field(slug, call.now)?;
    let is_range = matches!(field.kind, FieldType::DateRange | FieldType::DueDate);
    is_range.then_some((field, Some(end)))
}

/// Checks the value of a clause; the error says what is wrong with it.
fn operand(
    world: &World,
    call: &Call<'_>,
    field: &Field,
    family: Family,
    op: Op,
    value: &Value,
) -> Result<Operand, Value> {
    let wrong = |said: &str| Err(json!([said]));
    match op {
        Op::IsEmpty | Op::IsNotEmpty => return nothing(call.profile, family, op, value),
        Op::IsOverdue | Op::IsNotOverdue if value.is_null() => return Ok(Operand::Nothing),
        Op::IsOverdue | Op::IsNotOverdue => return wrong("This field must be null."),
        _ => {}
    }
    match family {
        Family::Select if matches!(op, Op::Is | Op::IsNot) => match value.as_str() {
            Some(choice) => Ok(Operand::Text(choice_id(call.profile, field, choice))),
            None => wrong("Not a valid string."),
        },
        Family::Text | Family::File | Family::RecordId => text(value),
        Family::Linked if matches!(op, Op::Contains | Op::NotContains) => text(value),
        Family::Number | Family::Counter if field.kind == FieldType::Time => {
            let seconds = value.as_str().map(|text| text.split(':').map(str::parse::<u32>));
            let parts: Option<Vec<u32>> = seconds.and_then(|parts| parts.map(Result::ok).collect());
            match parts.as_deref() {
                Some([h @ 0..=23, m @ 0..=59, s @ 0..=59]) => {
                    Ok(Operand::Number(BigDecimal::from(h * 3600 + m * 60 + s)))
                }
                _ => wrong("Time has wrong format. Use HH:MM:SS."),
            }
        }
        Family::Number | Family::Counter => match decimal(value) {
            Some(number) => Ok(Operand::Number(number)),
            None => wrong("A valid number is required."),
        },
        Family::YesNo => match value {
            Value::Bool(yes) => Ok(Operand::YesNo(*yes)),
            _ => wrong("Must be a valid boolean."),
        },
        Family::Select | Family::Many | Family::Linked => set(call.profile, field, op, value),
        Family::Date | Family::DueDate => {
            let zone = day::zone(world, call);
            let today = call.now.timestamp().to_zoned(zone.clone()).date();
            match day::parse(value, op, today) {
                Some(days) => Ok(Operand::Days(days, zone)),
                None => wrong("Not a valid date value."),
            }
        }
        Family::Presence | Family::None => wrong("Not allowed comparison."),
    }
}

fn text(value: &Value) -> Result<Operand, Value> {
    match value {
        Value::String(text) => Ok(Operand::Text(text.clone())),
        _ => Err(json!(["Not a valid string."])),
    }
}

fn nothing(profile: &Profile, family: Family, op: Op, value: &Value) -> Result<Operand, Value> {
    let text_may = profile.empty_check_value == EmptyCheck::TextMayPassText;
    if value.is_null() || value == "" && family == Family::Text && text_may {
        return Ok(Operand::Nothing);
    }
    let name = if op == Op::IsEmpty { "is_empty" } else { "is_not_empty" };
    let shown = match value {
        Value::String(text) => text.chars().take(60).collect(),
        other => other.to_string().chars().take(60).collect::<String>(),
    };
    Err(json!([format!("'{shown}' is not allowed for the '{name}' comparison")]))
}

/// The id of a choice; its label stands for it where the profile allows that.
fn choice_id(profile: &Profile, field: &Field, wanted: &str) -> String {
    if field.choice(wanted).is_some() || !profile.select_labels_in_filters {
        return wanted.to_owned();
    }
    let labelled = field.choices.iter().find(|choice| choice.label == wanted);
    labelled.map_or_else(|| wanted.to_owned(), |choice| choice.value.clone())
}

fn set(profile: &Profile, field: &Field, op: Op, value: &Value) -> Result<Operand, Value> {
    let Value::Array(items) = value else { return Err(json!(["Expected a list of items."])) };
    let ids: Option<BTreeSet<String>> =
        items.iter().map(|id| Some(choice_id(profile, field, id.as_str()?))).collect();
    let ids = ids.ok_or_else(|| json!(["Not a valid string."]))?;
    if ids.is_empty() && matches!(op, Op::IsAnyOf | Op::HasAnyOf) {
        return match profile.empty_any_of {
            EmptyAnyOf::NoRows => Ok(Operand::Always(false)),
            EmptyAnyOf::AllRows => Ok(Operand::Always(true)),
            EmptyAnyOf::Refuse => Err(json!(["This list may not be empty."])),
        };
    }
    Ok(Operand::Set(ids))
}

fn is_overdue(subject: &Subject<'_>) -> bool {
    let shown = subject.view.field(subject.field, subject.rank, subject.record);
    shown.get("is_overdue") == Some(&Value::Bool(true))
}
