//! The mapping file as people write it.

mod fields;
mod forms;
mod include;
mod manners;
mod mistakes;
mod yaml;

use super::{
    model::{
        Conversion, OnMissing, QueryText, ScheduleDefinition, StateDefinition, SyncDefinition,
        Transformation,
    },
    *,
};
use crate::budget::{BudgetDefinition, Priority, WhenUsedUp};
use crate::table::FieldKind;

const EXAMPLE: &str = include_str!("../../../../config/sync_mappings.example.yml");

fn parsed(text: &str) -> Parsed {
    parse(text, &|_| None)
}

/// The configuration of a file without fault.
#[track_caller]
fn config(text: &str) -> Config {
    let parsed = parsed(text);
    assert_eq!(parsed.diagnostics, []);
    parsed.config.unwrap()
}

/// A sync with these lines at the end of its destination.
fn sync(destination: &str) -> String {
    format!(
        "syncs:
  - name: customers
    source: {{query: SELECT 1, primary_key: id}}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: sexternal1
{destination}"
    )
}

/// The query of a sync, with its place.
#[track_caller]
fn query_of(sync: &SyncDefinition) -> &QueryText {
    sync.source.rows.query_text().unwrap()
}

#[test]
fn the_example_is_without_fault() {
    let parsed = parsed(EXAMPLE);
    assert_eq!(parsed.diagnostics, []);
    let config = parsed.config.unwrap();
    let [customers, orders] = config.syncs.as_slice() else { panic!("{config:#?}") };
    assert_eq!(customers.name, "customers");
    assert!(customers.enabled);
    let query = query_of(customers);
    assert_eq!(query.text.lines().nth(1), Some("FROM customers"));
    assert_eq!(EXAMPLE.lines().nth(query.line - 1).map(str::trim), query.text.lines().next());
    assert_eq!(customers.source.primary_key, ["id"]);
    assert_eq!(customers.destination.fields.len(), 7);
    assert_eq!(customers.destination.on_missing, OnMissing::Recreate);
    let status = &customers.destination.fields[4];
    assert_eq!((status.columns(), status.slug.as_str()), (["status"].into(), "sstatus001"));
    let Conversion::Typed { kind: FieldKind::SingleSelect, options } = &status.conversion else {
        panic!("{status:?}")
    };
    assert_eq!(options.value_map.get("active").map(String::as_str), Some("Active"));
    assert_eq!(orders.destination.fields[0].conversion, Conversion::Automatic);
    assert_eq!(
        orders.destination.fields[3].conversion,
        Conversion::Transformed(Transformation::Number { whole: false })
    );
    assert_eq!(
        orders.destination.fields[2].conversion,
        Conversion::Transformed(Transformation::Date { format: None })
    );
}

/// Uncommenting every optional key of the example changes nothing.
#[test]
fn commented_keys_of_the_example_are_the_defaults() {
    let mut uncommented = EXAMPLE.to_owned();
    for (commented, key) in [
        ("# smartsuite:", "smartsuite:"),
        ("#   dedicated_member: false", "  dedicated_member: false"),
        ("#   calls_per_second: 4", "  calls_per_second: 4"),
        ("# state:", "state:"),
        ("#   log_effects: true", "  log_effects: true"),
        ("#   keep_effects_days: 90", "  keep_effects_days: 90"),
        ("#   keep_runs_days: 365", "  keep_runs_days: 365"),
        ("#   keep_refused_values: true", "  keep_refused_values: true"),
        ("#   keep_values: false", "  keep_values: false"),
        ("#   daily_backups: 7", "  daily_backups: 7"),
        ("    # on_drift: freeze", "    on_drift: freeze"),
        ("    # enabled: true", "    enabled: true"),
        ("      # time_zone: UTC", "      time_zone: UTC"),
        ("      # key_prefix: \"\"", "      key_prefix: \"\""),
        ("      # on_missing: recreate", "      on_missing: recreate"),
        ("      # on_delete: ignore", "      on_delete: ignore"),
        ("    # capture: query", "    capture: query"),
    ] {
        assert_eq!(uncommented.matches(&format!("{commented}\n")).count(), 1, "{commented}");
        uncommented = uncommented.replace(&format!("{commented}\n"), &format!("{key}\n"));
    }
    let explicit = parsed(&uncommented);
    assert_eq!(explicit.diagnostics, []);
    let (mut explicit, implicit) = (explicit.config.unwrap(), parsed(EXAMPLE).config.unwrap());
    // The one default that is not written down: DATETIME is UTC, with a warning where it matters.
    assert_eq!(explicit.syncs[0].source.time_zone.take().as_deref(), Some("UTC"));
    explicit.syncs[0].source.rows = implicit.syncs[0].source.rows.clone();
    // Tests know where they stand, and lines above them have moved.
    explicit.tests.clone_from(&implicit.tests);
    assert_eq!(explicit, implicit);
}

#[test]
fn schedules_keys_and_policies_are_read() {
    let parsed = parsed(
        "syncs:
  - name: a
    enabled: no
    previously: b
    schedule: {cron: '30 2 * * *', time_zone: Europe/Berlin}
    freshness: 90
    priority: high
    source:
      query: SELECT 1
      primary_key: [country, number]
      time_zone: America/New_York
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: sid
      key_prefix: 'a:'
      on_missing: quarantine
      field_mappings: {x: title}
smartsuite: {dedicated_member: true, calls_per_second: 2, monthly_calls: 5000, billing_day: 12, reserve: 700, when_used_up: go_on}
state: {log_effects: no, keep_effects_days: 1, keep_runs_days: 2, keep_refused_values: no, keep_values: yes, daily_backups: 0}
",
    );
    assert_eq!(parsed.diagnostics, []);
    let config = parsed.config.unwrap();
    let state = StateDefinition {
        log_effects: false,
        keep_effects_days: 1,
        keep_runs_days: 2,
        keep_refused_values: false,
        keep_values: true,
        daily_backups: 0,
    };
    assert_eq!(config.state, state);
    assert_eq!((config.dedicated_member, config.calls_per_second), (true, 2));
    let budget = BudgetDefinition {
        monthly_calls: 5_000,
        billing_day: 12,
        reserve: 700,
        when_used_up: WhenUsedUp::GoOn,
        has_overage: true,
    };
    assert_eq!(config.budget, Some(budget));
    let sync = &config.syncs[0];
    assert!(!sync.enabled);
    assert_eq!(sync.previously.as_deref(), Some("b"));
    assert_eq!((sync.freshness, sync.priority), (Some(90), Priority::High));
    assert_eq!(
        sync.schedule,
        Some(ScheduleDefinition::Cron {
            pattern: "30 2 * * *".into(),
            time_zone: "Europe/Berlin".into()
        })
    );
    assert_eq!(sync.source.primary_key, ["country", "number"]);
    assert_eq!(sync.source.time_zone.as_deref(), Some("America/New_York"));
    assert_eq!(sync.destination.key_prefix, "a:");
    assert_eq!(sync.destination.on_missing, OnMissing::Quarantine);
}
