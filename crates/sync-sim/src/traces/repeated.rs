//! A sync that is repeated makes no call after the first, whatever the table, the columns and the values: what SmartSuite
//! gives back for a value compares equal to it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::civil::date;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::json;
use smartsuite_emulator::{Profile, RouteKind, TableSeed};
use sync_core::{
    config::model::{Conversion, FieldMapping},
    error::SourceError,
    key::Key,
    port::{Boxed, ReadScope, RowRead, RowSource, Watermark},
    source::{Column, ColumnKind, Row},
    value::Value,
};
use sync_engine::run::RunOptions;

use super::{
    stage::{self, books_balance},
    state_files::lose_everything,
};
use crate::world::{EXTERNAL_ID, Process, TABLE, World};

/// Worlds of each profile.
const WORLDS: u64 = 9;
/// Rows of each.
const ROWS: i64 = 40;

/// Every type that takes values of a column, as SmartSuite calls it, with its parameters.
fn types() -> Vec<(&'static str, serde_json::Value)> {
    let choices = json!({"choices": [
        {"value": "aCt1V", "label": "Active"}, {"value": "iNa0T", "label": "Inactive"},
    ]});
    let several = json!({"entries_allowed": "multiple"});
    let mut types: Vec<(&str, serde_json::Value)> = [
        "textfield",
        "textareafield",
        "richtextareafield",
        "numberfield",
        "currencyfield",
        "percentfield",
        "durationfield",
        "percentcompletefield",
        "yesnofield",
        "datefield",
        "daterangefield",
        "duedatefield",
        "timefield",
        "addressfield",
        "fullnamefield",
        "socialnetworkfield",
    ]
    .into_iter()
    .map(|name| (name, json!({})))
    .collect();
    types.push(("numberfield", json!({"precision": 3})));
    types.push(("numbersliderfield", json!({"min_value": 0, "max_value": 100})));
    types.push(("ratingfield", json!({"scale": 5})));
    types.push(("datefield", json!({"include_time": true})));
    for name in ["singleselectfield", "multipleselectfield", "statusfield"] {
        types.push((name, choices.clone()));
    }
    for name in ["emailfield", "phonefield", "linkfield", "ipaddressfield", "colorpickerfield"] {
        types.push((name, several.clone()));
    }
    types
}

/// A cell of some column.
fn cell(dice: &mut SmallRng) -> Value {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "plain",
        " outer space ",
        "two\nlines\r\n",
        "tab\tand \u{7}bell",
        "Zürich 東京 👩‍💻",
        "<b>&amp;</b>",
        "null",
        "Active",
        "inactive",
        "aCt1V",
        "Active, Inactive",
        "yes",
        "no",
        "0",
        "1",
        "-0",
        "007",
        "1e3",
        "12.50",
        "-3.14159",
        "99999999999999999999.99",
        "0.1",
        "50",
        "3",
        "ada@example.com",
        "Ada@Example.COM, grace@example.org",
        "@",
        "+49 30 123456",
        "(212) 555-0100 x7",
        "https://example.com/a?b=c",
        "example.org",
        "2024-02-29",
        "2024-02-30",
        "2024-02-29 23:59:59.999999",
        "2024-01-01/2024-02-01",
        "12:34",
        "23:59:59",
        "25:00:00",
        "10.0.0.1",
        "::1",
        "#3A86FF",
        "abc",
        "{\"city\": \"Ulm\", \"zip\": \"01234\"}",
        "{\"first\": \"Ada\", \"last_name\": \"L\"}",
        "{\"facebook\": \"ada\"}",
        "[]",
        "{}",
    ];
    let some = |dice: &mut SmallRng, of: &[&str]| of[dice.random_range(0..of.len())].to_owned();
    match dice.random_range(0..14) {
        0 => Value::Null,
        1 => Value::Int(i128::from(dice.random::<i64>() >> dice.random_range(0..63))),
        2 => Value::Bool(dice.random()),
        3 => Value::Decimal(
            some(dice, &["0", "-0.00", "12.500", "3.333333333333", "100", "0.005"])
                .parse()
                .expect("digits"),
        ),
        4 => Value::Float(f64::from(dice.random_range(-1_000..1_000)) / 8.0),
        5 => Value::Date(date(
            dice.random_range(1990..2040),
            dice.random_range(1..=12),
            dice.random_range(1..=28),
        )),
        6 => Value::DateTime(date(2024, 3, 31).at(dice.random_range(0..24), 30, 15, 123_456_000)),
        7 => Value::Duration(dice.random_range(-100_000..200_000) * 1_000_000),
        8 => Value::Labels(vec!["Active".into()]),
        9 => Value::Json(json!({"city": "Ulm", "first": "Ada", "from": "2024-01-01"})),
        _ => Value::Text(some(dice, TEXTS)),
    }
}

/// A cell that a field of the type takes, more often than not.
fn suitable(name: &str, dice: &mut SmallRng) -> Value {
    let text = |dice: &mut SmallRng, of: &[&str]| {
        Value::Text(of[dice.random_range(0..of.len())].to_owned())
    };
    let whole = |dice: &mut SmallRng, most: i64| Value::Int(dice.random_range(0..=most).into());
    match (name, dice.random_range(0..6)) {
        (_, 0) => Value::Null,
        ("numberfield" | "currencyfield" | "percentfield" | "durationfield", 1 | 2) => {
            whole(dice, 1_000_000)
        }
        ("numberfield" | "currencyfield" | "percentfield" | "durationfield", _) => {
            text(dice, &["12.50", "-3.14159", "0.1", "007", "99999999.99", "-0"])
        }
        ("percentcompletefield" | "numbersliderfield", _) => whole(dice, 100),
        ("ratingfield", _) => whole(dice, 5),
        ("yesnofield", 1 | 2) => Value::Bool(dice.random()),
        ("yesnofield", _) => text(dice, &["yes", "no", "0", "1", ""]),
        ("datefield", 1 | 2) => {
            Value::DateTime(date(2024, 3, 31).at(dice.random_range(0..24), 30, 15, 123_456_000))
        }
        ("datefield" | "duedatefield" | "daterangefield", 3 | 4) => Value::Date(date(
            dice.random_range(1990..2040),
            dice.random_range(1..=12),
            dice.random_range(1..=28),
        )),
        ("datefield", _) => text(dice, &["2024-02-29", "2024-02-29 23:59:59.999999"]),
        ("duedatefield" | "daterangefield", _) => {
            text(dice, &["2024-01-01/2024-02-01", "2024-02-29"])
        }
        ("timefield", 1 | 2) => Value::Duration(dice.random_range(0..86_400) * 1_000_000),
        ("timefield", _) => text(dice, &["12:34", "23:59:59", "00:00"]),
        ("singleselectfield" | "statusfield", _) => {
            text(dice, &["Active", "inactive", "aCt1V", ""])
        }
        ("multipleselectfield", 1 | 2) => Value::Labels(vec!["Active".into()]),
        ("multipleselectfield", _) => text(dice, &["Active, Inactive", "inactive", ""]),
        ("emailfield", _) => {
            text(dice, &["ada@example.com", "Ada@Example.COM, grace@example.org", ""])
        }
        ("phonefield", _) => text(dice, &["+49 30 123456", "(212) 555-0100 x7", ""]),
        ("linkfield", _) => text(dice, &["https://example.com/a?b=c", "example.org", ""]),
        ("ipaddressfield", _) => text(dice, &["10.0.0.1", "::1", "10.0.0.1, 0:0::1"]),
        ("colorpickerfield", _) => text(dice, &["#3A86FF", "abc123", "#3a86ff, #000"]),
        ("addressfield", _) => {
            text(dice, &["Main Street 5", "{\"city\": \"Ulm\", \"zip\": \"01234\"}"])
        }
        ("fullnamefield", _) => text(dice, &["{\"first\": \"Ada\", \"last_name\": \"L\"}"]),
        ("socialnetworkfield", _) => text(dice, &["{\"facebook\": \"ada\"}"]),
        _ => cell(dice),
    }
}

/// A type whose columns may hold the value.
fn kind_of(value: &Value) -> ColumnKind {
    match value {
        Value::Int(_) => ColumnKind::Int { unsigned: false, width: 20 },
        Value::Bool(_) => ColumnKind::Bit { bits: 1 },
        Value::Decimal(_) => ColumnKind::Decimal { scale: 12 },
        Value::Float(_) => ColumnKind::Float,
        Value::Date(_) | Value::ZeroDate(_) => ColumnKind::Date,
        Value::DateTime(_) => ColumnKind::DateTime,
        Value::Instant(_) => ColumnKind::Timestamp,
        Value::Duration(_) => ColumnKind::Time,
        Value::Labels(_) => ColumnKind::Set,
        Value::Json(_) => ColumnKind::Json,
        Value::Bytes(_) => ColumnKind::Binary,
        Value::Null | Value::Text(_) => ColumnKind::Text,
    }
}

/// Rows that never change.
#[derive(Clone)]
struct Still {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Still {
    /// Columns for so many fields, the key first. A column holds values of one type, and NULL.
    fn drawn(dice: &mut SmallRng, fields: &[&str]) -> Self {
        let key = Column {
            name: "id".into(),
            kind: ColumnKind::Int { unsigned: false, width: 20 },
            nullable: false,
        };
        let mut still = Self {
            columns: vec![key],
            rows: (1..=ROWS).map(|id| Row(vec![Value::Int(id.into())])).collect(),
        };
        for (place, name) in fields.iter().enumerate() {
            let kind = kind_of(&suitable(name, dice));
            for row in &mut still.rows {
                let value =
                    (0..50).map(|_| suitable(name, dice)).find(|value| kind_of(value) == kind);
                row.0.push(value.unwrap_or(Value::Null));
            }
            still.columns.push(Column { name: format!("c{place}"), kind, nullable: true });
        }
        still
    }
}

impl RowSource for Still {
    fn open(&self, scope: ReadScope) -> Boxed<'_, Result<Box<dyn RowRead>, SourceError>> {
        let mut read = self.clone();
        if let ReadScope::Keys(keys) = scope {
            let key =
                |row: &Row| row.0.first().and_then(|cell| Key::from_cells([("id", cell)]).ok());
            read.rows.retain(|row| key(row).is_some_and(|key| keys.contains(&key)));
        }
        read.rows.reverse();
        let read: Box<dyn RowRead> = Box::new(read);
        Box::pin(std::future::ready(Ok(read)))
    }
}

impl RowRead for Still {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn watermark(&self) -> Option<Watermark> {
        None
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn next_rows(&mut self, rows_max: usize) -> Boxed<'_, Result<Vec<Row>, SourceError>> {
        let rows = (0..rows_max).map_while(|_| self.rows.pop()).collect();
        Box::pin(std::future::ready(Ok(rows)))
    }
}

/// A world with a table of some fields, and what fills it.
fn drawn(seed: u64, profile: Profile) -> (World, Arc<Still>) {
    let mut dice = SmallRng::seed_from_u64(seed);
    let types = types();
    let chosen: BTreeSet<usize> = (0..8).map(|_| dice.random_range(0..types.len())).collect();
    let mut world = World::new(seed, profile.clone());
    let mut table = TableSeed::new(TABLE.parse().expect("an id"), "Anything")
        .field("title", "Title", "recordtitlefield", json!({"primary": true}))
        .field(EXTERNAL_ID, "External ID", "textfield", json!({}));
    let (mut fields, mut names) = (Vec::new(), Vec::new());
    for (place, (name, params)) in chosen.iter().filter_map(|place| types.get(*place)).enumerate() {
        let slug = format!("s{place:09}");
        names.push(*name);
        table = table.field(&slug, &format!("Field {place}"), name, params.clone());
        fields.push(FieldMapping::of_column(
            &format!("c{place}"),
            slug.as_str().into(),
            Conversion::Automatic,
        ));
    }
    world.replace_table(table, profile);
    let still = Still::drawn(&mut dice, &names);
    world.definition.destination.fields = fields;
    world.definition.source.updated_at_field = None;
    (world, Arc::new(still))
}

/// Catches: a value that is read back as another one, so that it is written for ever, or once more by each state that is
/// lost.
#[test]
fn a_sync_repeated_makes_no_call_after_the_first() {
    let mut written = 0;
    let profiles =
        [Profile::default(), Profile::lenient(), Profile::strict(), Profile::adversarial()];
    for profile in profiles {
        for seed in 0..WORLDS {
            // A service that cuts white space off texts keeps other ones than it was sent, and a state that is lost takes
            // with it that this is known: such records are written once more.
            let trims = profile.trim_text && seed % 2 == 0;
            let profile = Profile { trim_text: trims, ..profile.clone() };
            stage::world(profile.clone(), async |_| {
                let (world, still) = drawn(seed, profile.clone());
                let process = || -> Process {
                    world.process().reading(&world.definition, Arc::<Still>::clone(&still))
                };
                let once = async |options: RunOptions| {
                    let report = process().run(options).await.expect("the state works");
                    books_balance(&report);
                    report
                };
                let first = once(RunOptions::default()).await;
                written += first.books.created;
                world.clear_log();
                for full in [false, true, false] {
                    once(RunOptions { full, ..RunOptions::default() }).await;
                }
                assert_eq!(world.all_requests(), 0, "seed {seed}: {first:#?}");
                // What the table holds compares equal to the rows: nothing is written for a state that is lost.
                if first.books.quarantined == 0 {
                    // A list shows late what was made.
                    stage::pass(&world, Duration::from_mins(10)).await;
                    lose_everything(&world);
                    let again = once(RunOptions::default()).await;
                    let sent = |kinds: [RouteKind; 2]| -> usize {
                        kinds.into_iter().map(|kind| world.requests(kind)).sum()
                    };
                    let created = sent([RouteKind::BulkCreate, RouteKind::Create]);
                    let updated = sent([RouteKind::BulkUpdate, RouteKind::Update]);
                    assert!(created == 0 && (trims || updated == 0), "seed {seed}: {again:#?}");
                    world.clear_log();
                    once(RunOptions::default()).await;
                    assert_eq!(world.all_requests(), 0, "seed {seed}: after a lost state");
                }
            });
        }
    }
    assert!(written > 200, "only {written} records: the rows suit the fields too seldom");
}
