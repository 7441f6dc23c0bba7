//! Which records a webhook watches (section 6, `F`; point 49).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::object_id::ObjectId;

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// Every table of the solution.
    Solution,
    /// Some tables.
    Tables(BTreeSet<ObjectId>),
    /// One table; updates only where one of the fields changed, if any are named.
    Fields { table: ObjectId, slugs: BTreeSet<String> },
}

impl Scope {
    /// Reads a filter: exactly one of its three forms, or none of them for the solution.
    pub(crate) fn parse(filter: &Value) -> Option<Self> {
        let forms = match filter {
            Value::Null => return Some(Self::Solution),
            Value::Object(forms) if forms.is_empty() => return Some(Self::Solution),
            Value::Object(forms) if forms.len() == 1 => forms,
            _ => return None,
        };
        let (form, value) = forms.iter().next()?;
        match form.as_str() {
            "solution" => value.is_object().then_some(Self::Solution),
            "applications" => {
                let ids = value.get("application_ids")?.as_array()?.iter();
                let ids: Option<BTreeSet<ObjectId>> =
                    ids.map(|id| id.as_str()?.parse().ok()).collect();
                ids.filter(|ids| !ids.is_empty()).map(Self::Tables)
            }
            "application" => {
                let table = value.get("application_id")?.as_str()?.parse().ok()?;
                let slugs = match value.get("field_ids") {
                    None | Some(Value::Null) => Some(BTreeSet::new()),
                    Some(slugs) => {
                        slugs.as_array()?.iter().map(|slug| slug.as_str().map(Into::into)).collect()
                    }
                };
                slugs.map(|slugs| Self::Fields { table, slugs })
            }
            _ => None,
        }
    }

    /// The filter as RPCs show it.
    pub(crate) fn shown(&self) -> Value {
        match self {
            Self::Solution => json!({}),
            Self::Tables(ids) => json!({"applications": {"application_ids": ids}}),
            Self::Fields { table, slugs } => {
                json!({"application": {"application_id": table, "field_ids": slugs}})
            }
        }
    }

    /// The tables it names.
    pub(crate) fn tables(&self) -> Vec<ObjectId> {
        match self {
            Self::Solution => Vec::new(),
            Self::Tables(ids) => ids.iter().copied().collect(),
            Self::Fields { table, .. } => vec![*table],
        }
    }

    /// Whether a change of a table is watched; `changed` are the slugs an update changed.
    pub(crate) fn covers(&self, table: ObjectId, changed: Option<&BTreeSet<String>>) -> bool {
        match self {
            Self::Solution => true,
            Self::Tables(ids) => ids.contains(&table),
            Self::Fields { table: own, slugs } => {
                *own == table
                    && (slugs.is_empty()
                        || changed.is_none_or(|changed| !changed.is_disjoint(slugs)))
            }
        }
    }
}
