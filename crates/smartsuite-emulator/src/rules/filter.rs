//! Filters: the shape, the clauses, which records need looking at (section 3.5; point 32).

pub(crate) mod clause;
pub(crate) mod day;
pub(crate) mod family;
pub(crate) mod subject;

use serde_json::{Value, json};

use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::rules::call::Call;
use crate::rules::read::View;
use clause::Clause;

/// How many groups may lie within each other, where that is allowed at all.
const DEPTH: usize = 8;

/// A filter.
#[derive(Debug)]
pub(crate) enum Filter<'a> {
    /// Every record.
    All,
    /// Every part holds.
    And(Vec<Self>),
    /// One part holds.
    Or(Vec<Self>),
    /// One condition.
    Clause(Clause<'a>),
}

/// The records that may match.
#[derive(Debug)]
pub(crate) enum Plan {
    /// All from a rank on.
    From(u64),
    /// Some, found by asking an index so many times.
    Some(Vec<u64>, u64),
}

impl<'a> Filter<'a> {
    /// Reads a filter; the error is the body of the refusal.
    pub(crate) fn parse(
        world: &'a World,
        call: &Call<'_>,
        table: &'a Table,
        filter: &Value,
    ) -> Result<Self, Value> {
        let mut clauses = 0;
        let parsed = Self::group(world, call, table, filter, 0, &mut clauses)?;
        match call.profile.max_filter_clauses {
            Some(most) if clauses > u64::from(most) => {
                Err(json!({"filter": ["The filter has too many clauses."]}))
            }
            _ => Ok(parsed),
        }
    }

    fn group(
        world: &'a World,
        call: &Call<'_>,
        table: &'a Table,
        filter: &Value,
        depth: usize,
        clauses: &mut u64,
    ) -> Result<Self, Value> {
        let members = match filter {
            Value::Null => return Ok(Self::All),
            Value::Object(members) if members.is_empty() => return Ok(Self::All),
            Value::Object(members) => members,
            _ => return Err(json!({"filter": ["Expected a dictionary."]})),
        };
        let required = |key: &str| json!({"filter": {key: ["This field is required."]}});
        let fields = match members.get("fields") {
            Some(Value::Array(fields)) => fields,
            Some(_) => return Err(json!({"filter": {"fields": ["Expected a list of items."]}})),
            None => return Err(required("fields")),
        };
        let operator = members.get("operator").ok_or_else(|| required("operator"))?;
        let mut parts = Vec::new();
        for part in fields {
            if part.get("fields").is_some() {
                if !call.profile.nested_filters || depth == DEPTH {
                    return Err(json!({"filter": {"fields": ["Nested filters are not allowed."]}}));
                }
                parts.push(Self::group(world, call, table, part, depth + 1, clauses)?);
            } else {
                *clauses += 1;
                parts.push(Self::Clause(Clause::parse(world, call, table, part)?));
            }
        }
        match operator.as_str() {
            Some("and" | "or") if parts.is_empty() => Ok(Self::All),
            Some("and") => Ok(Self::And(parts)),
            Some("or") => Ok(Self::Or(parts)),
            _ => Err(json!({"filter": {"operator": ["Not a valid choice."]}})),
        }
    }

    /// Whether a record matches.
    pub(crate) fn matches(&self, view: &View<'_>, rank: u64, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(view, rank, record)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(view, rank, record)),
            Self::Clause(clause) => clause.matches(view, rank, record),
        }
    }

    /// Which records need looking at: an index answers `is`, and an `or` of nothing else.
    pub(crate) fn plan(&self, table: &Table) -> Plan {
        match self {
            Self::All => Plan::From(0),
            Self::Clause(clause) => clause.plan(table),
            Self::And(parts) => {
                let plans = parts.iter().map(|part| part.plan(table));
                plans.reduce(Plan::narrower).unwrap_or(Plan::From(0))
            }
            Self::Or(parts) => {
                let plans = parts.iter().map(|part| part.plan(table));
                plans.reduce(Plan::joined).unwrap_or(Plan::From(0))
            }
        }
    }
}

impl Plan {
    fn narrower(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(left, asked), Self::Some(right, also)) => {
                let shorter = if left.len() <= right.len() { left } else { right };
                Self::Some(shorter, asked + also)
            }
            (Self::From(left), Self::From(right)) => Self::From(left.max(right)),
            (some @ Self::Some(..), Self::From(_)) | (Self::From(_), some) => some,
        }
    }

    fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(mut left, asked), Self::Some(right, also)) => {
                left.extend(right);
                Self::Some(left, asked + also)
            }
            (Self::From(left), Self::From(right)) => Self::From(left.min(right)),
            (Self::Some(..), Self::From(_)) | (Self::From(_), Self::Some(..)) => Self::From(0),
        }
    }
}
