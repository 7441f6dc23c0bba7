//! What a workspace starts with: the seed file (docs/emulator.md describes its format).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::account::{Account, Key, Member, Plan, Solution, Team};
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Stamp;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::Profile;
use crate::query::Query;
use crate::rules::call::{Actor, Call};
use crate::rules::draft::{Checker, Draft, Mode};
use crate::rules::tables::NewTableRequest;
use crate::rules::webhooks::event::Batch;
use crate::rules::{effect, tables};
use crate::validate::parse_instant;

/// The demo: two tables, Customers and Orders, without records.
pub(crate) const DEMO: &str = include_str!("../seeds/demo.json");

/// Accounts with all that is in them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The workspaces.
    pub accounts: Vec<AccountSeed>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSeed {
    /// The value of `ACCOUNT-ID`.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Its plan.
    #[serde(default)]
    pub plan: Plan,
    /// Its members; the first one made what the seed holds.
    pub members: Vec<Member>,
    /// Its teams.
    #[serde(default)]
    pub teams: Vec<Team>,
    /// Its API keys.
    pub keys: Vec<Key>,
    /// Its solutions.
    pub solutions: Vec<SolutionSeed>,
}

/// A solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolutionSeed {
    /// Its id.
    pub id: ObjectId,
    /// Its slug.
    #[serde(default)]
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its tables.
    #[serde(default)]
    pub tables: Vec<TableSeed>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSeed {
    /// Its id.
    pub id: ObjectId,
    /// Its slug; made up when absent.
    #[serde(default)]
    pub slug: Option<String>,
    /// Its name.
    pub name: String,
    /// Its own fields; the system fields are added.
    #[serde(default)]
    pub fields: Vec<FieldSeed>,
    /// Its records: flat maps as in a create, with an `id` and stamps if they matter.
    #[serde(default)]
    pub records: Vec<Map<String, Value>>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSeed {
    /// Its slug.
    pub slug: String,
    /// Its label.
    pub label: String,
    /// Its type, by the name the API uses.
    pub field_type: String,
    /// Its params; the rest is filled in.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// Why a seed is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed: {0}")]
pub struct SeedError(String);

/// The account every seed of the crate uses.
pub const DEMO_ACCOUNT: &str = "s1234567";
/// The key of that account.
pub const DEMO_TOKEN: &str = "demo-token";
/// The member that the key is.
pub const DEMO_MEMBER: &str = "6500000000000000000000e1";
/// A person of that account.
pub const DEMO_PERSON: &str = "6500000000000000000000e2";
/// The solution of that account.
pub const DEMO_SOLUTION: &str = "6500000000000000000000a1";

impl Seed {
    /// Reads a seed file.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        serde_json::from_str(text).map_err(|error| SeedError(error.to_string()))
    }

    /// The demo: the account with Customers and Orders.
    pub fn demo() -> Result<Self, SeedError> {
        Self::from_json(DEMO)
    }

    /// The demo's account, key, members and solution, without any table.
    pub fn account() -> Result<Self, SeedError> {
        let mut seed = Self::demo()?;
        for solution in seed.accounts.iter_mut().flat_map(|account| &mut account.solutions) {
            solution.tables.clear();
        }
        Ok(seed)
    }

    /// Adds a table to the first solution.
    #[must_use]
    pub fn with_table(mut self, table: TableSeed) -> Self {
        let mut solutions = self.accounts.iter_mut().flat_map(|account| &mut account.solutions);
        if let Some(solution) = solutions.next() {
            solution.tables.push(table);
        }
        self
    }

    /// Puts every account on a plan.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        for account in &mut self.accounts {
            account.plan = plan;
        }
        self
    }

    /// Adds all of it to a world.
    pub(crate) fn plant(&self, world: &mut World, now: Moment) -> Result<(), SeedError> {
        for account in &self.accounts {
            plant_account(world, account, now)?;
        }
        Ok(())
    }
}

impl TableSeed {
    /// A table without fields of its own.
    pub fn new(id: ObjectId, name: &str) -> Self {
        Self { id, slug: None, name: name.into(), fields: Vec::new(), records: Vec::new() }
    }

    /// With a field of a type and its params, an object.
    #[must_use]
    pub fn field(mut self, slug: &str, label: &str, field_type: &str, params: Value) -> Self {
        let params = match params {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        self.fields.push(FieldSeed {
            slug: slug.into(),
            label: label.into(),
            field_type: field_type.into(),
            params,
        });
        self
    }

    /// With a record, an object.
    #[must_use]
    pub fn record(mut self, values: Value) -> Self {
        if let Value::Object(values) = values {
            self.records.push(values);
        }
        self
    }
}

fn plant_account(world: &mut World, seed: &AccountSeed, now: Moment) -> Result<(), SeedError> {
    let Some(maker) = seed.members.first() else {
        return Err(SeedError(format!("account {}: it has no member", seed.id)));
    };
    for key in &seed.keys {
        if !seed.members.iter().any(|member| member.id == key.member) {
            return Err(SeedError(format!("account {}: a key's member is missing", seed.id)));
        }
    }
    for member in &seed.members {
        if jiff::tz::TimeZone::get(&member.timezone).is_err() {
            return Err(SeedError(format!("there is no time zone {}", member.timezone)));
        }
    }
    let id = world.dice.object_id(now);
    let account = world.accounts.entry(seed.id.clone()).or_insert_with(|| Account {
        slug: seed.id.clone(),
        id,
        name: seed.name.clone(),
        plan: seed.plan,
        members: Vec::new(),
        teams: Vec::new(),
        keys: Vec::new(),
        solutions: std::collections::BTreeMap::new(),
        calls: std::collections::BTreeMap::new(),
    });
    account.plan = seed.plan;
    for member in &seed.members {
        account.members.retain(|present| present.id != member.id);
        account.members.push(member.clone());
    }
    for key in &seed.keys {
        account.keys.retain(|present| present.token != key.token);
        account.keys.push(key.clone());
    }
    for team in &seed.teams {
        account.teams.retain(|present| present.id != team.id);
        account.teams.push(team.clone());
    }
    for solution in &seed.solutions {
        account.solutions.entry(solution.id).or_insert_with(|| Solution {
            id: solution.id,
            slug: solution.slug.clone(),
            name: solution.name.clone(),
            logo_icon: "folder".into(),
            logo_color: "#3A86FF".into(),
            created: now,
            created_by: maker.id,
        });
    }
    let profile = Profile::lenient();
    let actor = Actor {
        account: seed.id.clone(),
        member: maker.id,
        solutions: None,
        denied_tables: Vec::new(),
        read_only: false,
        is_person: true,
    };
    let call = Call {
        profile: &profile,
        actor: &actor,
        now,
        method: &http::Method::POST,
        query: Query::default(),
        content_type: "application/json",
        body: &[],
    };
    for solution in &seed.solutions {
        for table in &solution.tables {
            plant_table(world, &call, solution.id, table)?;
        }
    }
    // Records come last, so that links find what they point to.
    for table in seed.solutions.iter().flat_map(|solution| &solution.tables) {
        for record in &table.records {
            plant_record(world, &call, table, record)?;
        }
    }
    Ok(())
}

fn plant_table(
    world: &mut World,
    call: &Call<'_>,
    solution: ObjectId,
    seed: &TableSeed,
) -> Result<(), SeedError> {
    if world.tables.contains_key(&seed.id) {
        return Err(SeedError(format!("table {} exists already", seed.id)));
    }
    let mut fields = Vec::new();
    for field in &seed.fields {
        let Some(kind) = FieldType::named(&field.field_type) else {
            return Err(SeedError(format!(
                "table {}: field {}: there is no type {}",
                seed.name, field.slug, field.field_type
            )));
        };
        fields.push(Field::new(
            &field.slug,
            &field.label,
            kind,
            field.params.clone(),
            &mut world.dice,
        ));
    }
    let stamp = world.stamp(call.now, call.actor.member);
    let request =
        NewTableRequest { id: seed.id, slug: seed.slug.clone(), name: &seed.name, solution, stamp };
    tables::add(world, request, call, fields);
    Ok(())
}

fn plant_record(
    world: &mut World,
    call: &Call<'_>,
    table: &TableSeed,
    values: &Map<String, Value>,
) -> Result<(), SeedError> {
    let mut values = values.clone();
    let id = match values.remove("id").as_ref().and_then(Value::as_str) {
        Some(text) => text
            .parse()
            .map_err(|error| SeedError(format!("table {}: record {text}: {error}", table.name)))?,
        None => world.dice.object_id(call.now),
    };
    let mut stamp = world.stamp(call.now, call.actor.member);
    if let Some(created) = values.remove("first_created") {
        stamp = stamp_of(&created).unwrap_or(stamp);
    }
    let Some(target) = world.tables.get(&table.id) else {
        return Err(SeedError(format!("table {} is missing", table.name)));
    };
    let checker = Checker::new(world, call, target, true);
    let mut checker = checker.ok_or_else(|| SeedError("the account is missing".into()))?;
    let drafted = checker.check(&values, Mode::Create, None);
    let mut draft: Draft = drafted.map_err(|refused| {
        let said = json!(refused.errors);
        SeedError(format!("table {}: record {id}: {said}", table.name))
    })?;
    // Formulas and votes have no engine here: a seed says what they show.
    for field in target.fields.iter().filter(|field| field.kind.is_read_only()) {
        if let (Some(column), Some(value)) = (field.column, values.get(&field.slug)) {
            draft.cells.push((column, Cell::Json(Box::new(value.clone()))));
        }
    }
    let batch = Batch::new(world, 1);
    effect::create_as(world, call, table.id, id, stamp, draft, &batch);
    Ok(())
}

fn stamp_of(value: &Value) -> Option<Stamp> {
    let at = parse_instant(value.get("on")?.as_str()?)?;
    let by = value.get("by")?.as_str()?.parse().ok()?;
    Some(Stamp { at, by })
}
