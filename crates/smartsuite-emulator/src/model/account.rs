//! A workspace: its plan, its members, its keys and what it has used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::moment::Moment;
use crate::object_id::ObjectId;

/// A plan of sections 2.2 and 2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// 100 calls a month, and no grace beyond them.
    Free,
    /// 5,000 calls a month.
    Team,
    /// 50,000 calls a month.
    #[default]
    Professional,
    /// 250,000 calls a month.
    Enterprise,
    /// By contract: here without limits.
    Signature,
}

/// What a plan allows; none means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanLimits {
    pub(crate) calls_a_month: Option<u64>,
    /// Whether calls beyond the quota are throttled before they fail.
    pub(crate) has_grace: bool,
    pub(crate) records_a_solution: Option<u64>,
    pub(crate) records_a_table: Option<u64>,
    pub(crate) retention_days: i64,
    pub(crate) solutions: Option<usize>,
    pub(crate) links_a_table: usize,
    pub(crate) computed_a_table: usize,
}

impl Plan {
    pub(crate) fn limits(self) -> PlanLimits {
        let plan = |calls, solution, table, retention_days, links| PlanLimits {
            calls_a_month: Some(calls),
            has_grace: true,
            records_a_solution: Some(solution),
            records_a_table: Some(table),
            retention_days,
            solutions: None,
            links_a_table: links,
            computed_a_table: links,
        };
        match self {
            // The newest text says 5 records a table, "probably 1,000" (section 2.3).
            Self::Free => {
                PlanLimits { has_grace: false, solutions: Some(5), ..plan(100, 1000, 1000, 14, 30) }
            }
            Self::Team => plan(5000, 5000, 5000, 30, 30),
            Self::Professional => plan(50_000, 100_000, 50_000, 45, 50),
            Self::Enterprise => plan(250_000, 400_000, 125_000, 60, 100),
            Self::Signature => PlanLimits {
                calls_a_month: None,
                records_a_solution: None,
                records_a_table: None,
                ..plan(0, 0, 0, 60, 1000)
            },
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Team => "team",
            Self::Professional => "professional",
            Self::Enterprise => "enterprise",
            Self::Signature => "signature",
        }
    }
}

/// A person, or a part of the system that acts like one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The member's id.
    pub id: ObjectId,
    /// First name.
    #[serde(default)]
    pub first_name: String,
    /// Last name.
    #[serde(default)]
    pub last_name: String,
    /// E-mail address; system members have none.
    #[serde(default)]
    pub email: String,
    /// IANA name of the time zone that sets the day of date filters.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Whether this is a part of the system, such as forms or automations.
    #[serde(default)]
    pub system: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Member {
    fn full_name(&self) -> Value {
        json!({
            "first_name": self.first_name,
            "last_name": self.last_name,
            "sys_root": format!("{} {}", self.first_name, self.last_name).trim(),
        })
    }

    fn emails(&self) -> Vec<&str> {
        if self.email.is_empty() { Vec::new() } else { vec![&self.email] }
    }

    /// As a hydrated record shows a member (section 3.7).
    pub(crate) fn hydrated(&self) -> Value {
        json!({"id": self.id, "full_name": self.full_name(), "email": self.emails()})
    }

    /// As the list of members shows one (section 4.7).
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "email": self.emails(),
            "full_name": self.full_name(),
            "role": if self.system { "6" } else { "1" },
            "status": {"value": "3"},
            "timezone": self.timezone,
            "deleted_date": {"date": null},
        })
    }
}

/// An API key: it is its member (section 1.1), possibly seeing less than all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The secret text after `Token`.
    pub token: String,
    /// The member the key is.
    pub member: ObjectId,
    /// The only solutions it sees; absent means all.
    #[serde(default)]
    pub solutions: Option<Vec<ObjectId>>,
    /// Tables it may not touch.
    #[serde(default)]
    pub denied_tables: Vec<ObjectId>,
    /// Whether it may only read.
    #[serde(default)]
    pub read_only: bool,
}

/// A group of tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Solution {
    pub(crate) id: ObjectId,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) logo_icon: String,
    pub(crate) logo_color: String,
    pub(crate) created: Moment,
    pub(crate) created_by: ObjectId,
}

/// A team of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The team's id.
    pub id: ObjectId,
    /// Its name.
    pub name: String,
    /// Its members.
    #[serde(default)]
    pub members: Vec<ObjectId>,
}

/// A workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The value of `ACCOUNT-ID`.
    pub(crate) slug: String,
    pub(crate) id: ObjectId,
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) members: Vec<Member>,
    pub(crate) teams: Vec<Team>,
    pub(crate) keys: Vec<Key>,
    pub(crate) solutions: BTreeMap<ObjectId, Solution>,
    /// Calls by month, such as `2026-11`.
    pub(crate) calls: BTreeMap<String, u64>,
}

impl Account {
    pub(crate) fn member(&self, id: ObjectId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    pub(crate) fn key(&self, token: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.token == token)
    }
}
