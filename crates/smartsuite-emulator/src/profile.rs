//! Every behaviour whose truth is uncertain, as a switch (section 8: "`A | B`, default in bold").

mod preset;
mod switch;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use preset::ProfileName;
pub use switch::*;

/// The position of every switch. `docs/emulator.md` says which test shows each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, named and set alone"
)]
pub struct Profile {
    /// A path without its trailing slash (point 4).
    pub missing_slash: MissingSlash,
    /// A key that is not accepted (point 2).
    pub rejected_token: RejectedToken,
    /// The body of a 404 for an unknown path (point 5).
    pub unknown_route: UnknownRoute,
    /// Whether answers carry the header `X-Emulator` (point 52).
    pub emulator_header: bool,

    /// Requests a clock second may hold; none means no limit at all (point 9).
    pub rate_limit: Option<u32>,
    /// Seconds for which a key stays locked out after a 429 (point 9).
    pub lockout_seconds: u32,
    /// Whether a request during the lock-out starts it again (point 9).
    pub penalty_restarts: bool,
    /// Whether a 429 carries `Retry-After` (point 9).
    pub retry_after: bool,
    /// The body of a 429.
    pub rate_body: RateBody,
    /// Whether REST and webhook calls count in one bucket (point 10).
    pub shared_bucket: bool,
    /// What has a bucket of its own.
    pub bucket_of: BucketOf,
    /// How far the emulator's clock second is shifted against ours, in milliseconds.
    pub second_shift_ms: u32,
    /// How far each request's second is shifted beyond that, at random, in milliseconds.
    pub second_jitter_ms: u32,
    /// Requests a clock second may hold once the month's quota is spent (point 11).
    pub quota_throttle_per_second: u32,
    /// The share of the month's quota at which all calls fail, in percent (point 11).
    pub quota_stop_percent: u32,
    /// The answer once all calls fail (point 11).
    pub over_quota: OverQuota,
    /// The status of a record beyond the plan's limit (point 12).
    pub record_limit: RecordLimit,
    /// A bulk create that the plan has room for in part only (point 12).
    pub record_limit_bulk: BulkBadItem,
    /// The largest request body in bytes; above it 413.
    pub max_body_bytes: Option<u32>,

    /// Whether `field_position` must come with a new field (point 17).
    pub field_position: FieldPosition,
    /// Milliseconds until a new field shows (section 9, unknown 29).
    pub add_field_delay_ms: u32,
    /// Milliseconds until a change of a field takes effect (point 18).
    pub change_field_delay_ms: u32,
    /// The answer of `delete_field` (point 19).
    pub delete_field_answer: DeleteFieldAnswer,
    /// Whether a slug must have exactly ten characters (point 20).
    pub ten_character_slugs: bool,
    /// Whether two fields of a table may have one label.
    pub duplicate_labels: bool,
    /// The shape of the list of tables.
    pub tables_answer: TablesAnswer,
    /// Whether `bulk_add_fields` is served beside `bulk-add-fields`.
    pub underscore_bulk_fields: bool,

    /// A slug in a write that the table does not have (point 24).
    pub unknown_slug: Unwanted,
    /// A read-only field in a write (point 24).
    pub read_only_slug: Unwanted,
    /// The status of a refused value.
    pub validation_status: ValidationStatus,
    /// The status of a missing required or a doubled unique value (point 25).
    pub required_status: ValidationStatus,
    /// Whether single writes enforce `unique` (point 25).
    pub unique_single: bool,
    /// Whether bulk writes enforce `unique` (point 25).
    pub unique_bulk: bool,
    /// Whether bulk creates enforce `required` (point 25).
    pub required_bulk: bool,
    /// What a `null` does (point 24).
    pub null_values: NullValues,
    /// Whether a write that changes nothing moves `last_updated` (point 27).
    pub noop_bumps: bool,
    /// Milliseconds from the `first_created` to the `last_updated` of a new record (point 27).
    pub stamps_apart_ms: u32,
    /// How reads show empty values (point 29).
    pub read_empties: ReadEmpties,
    /// A list without `limit` (point 30).
    pub list_default: ListDefault,
    /// A list with a `limit` above 1000 (point 30).
    pub list_over_limit: OverLimit,
    /// The `offset` in a list's answer (point 30).
    pub list_offset: ListOffset,
    /// How `is` compares text (point 32).
    pub text_is: TextIs,
    /// Whether outer white space of stored text is cut (section 9, unknown 22).
    pub trim_text: bool,
    /// `is` on a linked record field (point 32).
    pub linked_is: LinkedIs,
    /// Whether a choice may be named by its label in a filter (point 32).
    pub select_labels_in_filters: bool,
    /// Values that `is_empty` allows (point 32).
    pub empty_check_value: EmptyCheck,
    /// Whether the undocumented operator `is_after` exists.
    pub is_after: bool,
    /// Whether filter groups may be nested.
    pub nested_filters: bool,
    /// `has_any_of` with an empty array.
    pub empty_any_of: EmptyAnyOf,
    /// The most clauses a filter may have (section 9, unknown 15).
    pub max_filter_clauses: Option<u32>,
    /// Whose time zone sets the day of date filters (point 32).
    pub day_boundary: DayBoundary,
    /// Where empty values sort (point 33).
    pub nulls: Nulls,
    /// Whether `fields=` trims the records of a list.
    pub fields_query: bool,
    /// A choice id that the field does not have (point 35).
    pub unknown_choice: Misfit,
    /// The same where the field has `new_choices_allowed` (point 36).
    pub new_label: Misfit,
    /// `{"value": id}` sent to a single select (point 36).
    pub select_object: SelectObject,
    /// A string sent to a rich text field (point 36).
    pub doc_string: DocString,
    /// Forms of a date in date fields (point 35).
    pub date_forms: DateForms,
    /// Forms of a date in range and due date fields (point 35).
    pub range_date_forms: DateForms,
    /// Whether a date object may lack `include_time`.
    pub incomplete_dates: bool,
    /// Whether `YYYY-MM-DD` is understood as a date.
    pub bare_days: bool,
    /// Whether fractions of a second of a date value are dropped.
    pub dates_to_the_second: bool,
    /// Decimals beyond the field's precision.
    pub decimal_excess: DecimalExcess,
    /// Numbers outside the field's bounds.
    pub out_of_range: OutOfRange,
    /// Texts above the field's `max_length` or above `max_text_chars`.
    pub long_text: LongText,
    /// The most characters of one text value; none means no bound.
    pub max_text_chars: Option<u32>,
    /// Whether the syntax of e-mail addresses is checked.
    pub email_syntax: bool,
    /// Whether a phone number may be sent as a `+...` string.
    pub phone_text: bool,
    /// Several entries where one is allowed.
    pub single_overflow: SingleOverflow,
    /// Linked ids that do not exist (point 35).
    pub unknown_link: UnknownLink,
    /// Whether writing a link moves `last_updated` of the other record (section 9, unknown 21).
    pub link_bumps: bool,
    /// Member ids written to a user field.
    pub user_writes: UserWrites,
    /// Whether an `autonumber` with a prefix reads as text such as `EAV001`.
    pub autonumber_prefix: bool,
    /// The answer of a single delete (point 38).
    pub delete_answer: DeleteAnswer,
    /// Whether `/deleted-records/{r}/restore/` is served (section 3.10).
    pub short_restore_path: bool,
    /// The shape of a bulk answer (point 39).
    pub bulk_answer: BulkAnswer,
    /// The order of a bulk answer (point 39).
    pub bulk_order: BulkOrder,
    /// What one bad item does (point 39).
    pub bulk_bad_item: BulkBadItem,
    /// The body of a refused bulk call.
    pub bulk_errors: BulkErrors,
    /// Unknown ids in a bulk update (point 39).
    pub bulk_unknown_id: UnknownIds,
    /// Unknown ids in a bulk delete (point 39).
    pub bulk_delete_unknown: UnknownIds,
    /// One id twice in a bulk update.
    pub bulk_duplicates: BulkDuplicates,
    /// Whether a bulk call may have no items.
    pub empty_bulk: bool,
    /// Whether `DELETE .../records/bulk/` is served.
    pub bulk_delete_by_delete: bool,
    /// Milliseconds by which lists and filters lag behind writes (point 41).
    pub list_lag_ms: u32,
    /// Milliseconds until a file attached by its address appears (point 42).
    pub file_fetch_delay_ms: u32,

    /// Whether webhook answers leave out empty lists and messages (point 44).
    pub rpc_omits_empty: bool,
    /// What a delete event carries (point 45).
    pub delete_event: DeleteEvent,
    /// What an update event carries.
    pub update_event: UpdateEvent,
    /// What `previous` holds (point 45).
    pub previous: Previous,
    /// Whether writes through the API raise events (section 9, unknown 25).
    pub own_writes_raise_events: bool,
    /// `next_page_token` of a page without events.
    pub empty_page_token: EmptyPageToken,
    /// Days after which events are forgotten; none means with their webhook (section 6.2).
    pub event_retention_days: Option<u32>,
    /// The largest page of events or webhooks.
    pub webhook_page_max: u32,
    /// When a webhook's address is pinged (point 47).
    pub pings: Pings,
    /// How long events are collected before one ping, where they are.
    pub ping_debounce_ms: u32,
}

/// A switch that does not exist, or a position it does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SwitchError(String);

impl Profile {
    /// Sets a switch by its name: the value is JSON, or a word (`on`, `off`, `none`, `shuffled`).
    pub fn set(&mut self, name: &str, position: &str) -> Result<(), SwitchError> {
        let value = match position {
            "on" | "yes" | "true" => Value::Bool(true),
            "none" | "null" => Value::Null,
            // An optional number is switched off by `off` as well; see below.
            "off" | "no" | "false" => Value::Bool(false),
            other => serde_json::from_str(other).unwrap_or_else(|_| Value::String(other.into())),
        };
        self.apply(&serde_json::Map::from_iter([(name.to_owned(), value)]))
    }

    /// Sets several switches at once, all or none of them.
    pub fn apply(&mut self, changes: &serde_json::Map<String, Value>) -> Result<(), SwitchError> {
        let Ok(Value::Object(mut all)) = serde_json::to_value(&*self) else {
            return Err(SwitchError("the profile is not an object".into()));
        };
        for (name, value) in changes {
            let value = match value {
                Value::Bool(false) if OPTIONAL.contains(&name.as_str()) => Value::Null,
                other => other.clone(),
            };
            if all.insert(name.clone(), value).is_none() {
                return Err(SwitchError(format!(
                    "there is no switch `{name}`; there are: {}",
                    Self::switch_names().join(", ")
                )));
            }
        }
        *self = serde_json::from_value(Value::Object(all)).map_err(|error| {
            let names: Vec<&str> = changes.keys().map(String::as_str).collect();
            SwitchError(format!("{}: {error}", names.join(", ")))
        })?;
        Ok(())
    }

    /// The names of all switches, in alphabetical order.
    pub fn switch_names() -> Vec<String> {
        match serde_json::to_value(Self::default()) {
            Ok(Value::Object(all)) => all.into_iter().map(|(name, _)| name).collect(),
            Ok(_) | Err(_) => Vec::new(),
        }
    }
}

/// Switches whose value is a number or none, so that `off` can mean none.
const OPTIONAL: [&str; 5] = [
    "rate_limit",
    "max_body_bytes",
    "max_filter_clauses",
    "max_text_chars",
    "event_retention_days",
];
