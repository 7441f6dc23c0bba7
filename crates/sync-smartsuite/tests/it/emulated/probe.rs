//! The probe finds the position of every switch it can see, keeps to its announced calls, and leaves nothing behind.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use smartsuite_emulator::{
    Emulator, EmulatorBuilder, Fault, FaultKind, Profile, ProfileName, TableSeed,
};
use sync_core::{
    error::CallErrorKind,
    port::{Boxed, Clock},
    state::{CallKind, StateError},
};
use sync_smartsuite::{
    Transport,
    probe::{Gate, MARKER, ProbeError, ProbeParts, ProbeProfile, calls_max, probe, topic_names},
};

use super::world::{TABLE, Virtual, demo_options, object_id, other_table};

/// The way to the emulator takes so long.
const TRAVEL: Duration = Duration::from_millis(40);
/// Departures of the gate at 4 calls a second.
const SPACING: SignedDuration = SignedDuration::from_millis(250);

/// The emulator's clock as everybody's, and the gate that stands before it.
struct Desk {
    service: Arc<Virtual>,
    start: Timestamp,
    gate: Mutex<Timestamp>,
    calls: Mutex<u64>,
    /// When the gate was closed, and until when.
    closings: Mutex<Vec<(Timestamp, Timestamp)>>,
}

impl Desk {
    fn new(builder: EmulatorBuilder) -> Arc<Self> {
        let service = Arc::new(Virtual::new(builder, TRAVEL));
        let start = service.now();
        Arc::new(Self {
            service,
            start,
            gate: Mutex::new(start),
            calls: Mutex::new(0),
            closings: Mutex::default(),
        })
    }

    async fn probe(self: &Arc<Self>, allow_lockout: bool) -> Result<ProbeProfile, ProbeError> {
        let transport: Arc<dyn Transport> = Arc::<Virtual>::clone(&self.service);
        let options = demo_options();
        let parts = ProbeParts {
            options: &options,
            transport,
            gate: Arc::<Self>::clone(self),
            clock: Arc::<Self>::clone(self),
            table: TABLE.to_owned(),
            allow_lockout,
        };
        probe(&parts, &|_| ()).await
    }

    /// Requests that the emulator answered with this status.
    fn answers(&self, status: u16) -> u64 {
        self.service.emulator().counters().by_status.get(&status).copied().unwrap_or(0)
    }
}

impl Gate for Desk {
    fn pass(&self, kind: CallKind) -> Boxed<'_, Result<(), StateError>> {
        let mut gate = self.gate.lock().unwrap();
        let wait = gate.duration_since(self.service.now());
        self.service.wait(Duration::try_from(wait).unwrap_or_default());
        *gate = self.service.now() + SPACING;
        drop(gate);
        self.count(kind)
    }

    fn count(&self, _: CallKind) -> Boxed<'_, Result<(), StateError>> {
        *self.calls.lock().unwrap() += 1;
        Box::pin(std::future::ready(Ok(())))
    }

    fn close(&self, retry_after: Option<Duration>) -> Boxed<'_, Result<(), StateError>> {
        let now = self.service.now();
        let until = now + retry_after.unwrap_or_default().max(Duration::from_secs(31));
        let mut gate = self.gate.lock().unwrap();
        *gate = (*gate).max(until);
        self.closings.lock().unwrap().push((now, *gate));
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Clock for Desk {
    fn now(&self) -> Timestamp {
        self.service.now()
    }

    fn elapsed(&self) -> Duration {
        self.service.now().duration_since(self.start).try_into().unwrap()
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        self.service.wait(length);
        Box::pin(std::future::ready(()))
    }
}

/// A scratch table with a field of every type that the probe has a question about.
fn scratch(key: Value, title: Value) -> TableSeed {
    let choices = json!({ "choices": [{ "value": "aCt1V", "label": "Active" }] });
    let several = json!({ "entries_allowed": "multiple" });
    let plain = || json!({});
    TableSeed::new(object_id(TABLE), "Scratch")
        .field("title", "Title", "recordtitlefield", title)
        .field("sextid0001", "External ID", "textfield", key)
        .field("stextarea1", "Area", "textareafield", plain())
        .field("srichtext1", "Doc", "richtextareafield", plain())
        .field("snumber001", "Number", "numberfield", json!({ "precision": 2 }))
        .field("scurrency1", "Currency", "currencyfield", plain())
        .field("spercent01", "Percent", "percentfield", plain())
        .field("sduration1", "Duration", "durationfield", plain())
        .field(
            "sslider001",
            "Slider",
            "numbersliderfield",
            json!({ "min_value": 0, "max_value": 100 }),
        )
        .field("srating001", "Rating", "ratingfield", json!({ "scale": 5 }))
        .field("syesno0001", "Yes", "yesnofield", plain())
        .field("ssingle001", "Single", "singleselectfield", choices.clone())
        .field("smultiple1", "Multiple", "multipleselectfield", choices.clone())
        .field("sstatus001", "Status", "statusfield", choices)
        .field("sdate00001", "Date", "datefield", json!({ "include_time": true }))
        .field("srange0001", "Range", "daterangefield", plain())
        .field("semail0001", "Email", "emailfield", json!({ "entries_allowed": "single" }))
        .field("sphone0001", "Phone", "phonefield", several.clone())
        .field("slink00001", "Link", "linkfield", several)
        .field(
            "slinked001",
            "Linked",
            "linkedrecordfield",
            json!({ "linked_application": super::world::OTHER_TABLE, "entries_allowed": "multiple" }),
        )
}

/// A unique marker and a title that every record must have.
fn demanding() -> TableSeed {
    scratch(json!({ "unique": true }), json!({ "primary": true, "required": true }))
}

fn undemanding() -> TableSeed {
    scratch(json!({}), json!({ "primary": true }))
}

fn builder(profile: Profile, table: TableSeed) -> EmulatorBuilder {
    Emulator::builder()
        .profile(profile)
        .now("2026-01-05T08:00:00Z".parse().unwrap())
        .table(other_table())
        .table(table)
}

fn with(switch: &str, position: &Value) -> Profile {
    let mut profile = Profile::default();
    profile.apply(json!({ switch: position }).as_object().unwrap()).unwrap();
    profile
}

/// A switch of the emulator, its finding, and what is found in each position.
type Visible = (&'static str, &'static str, Vec<(Value, &'static str)>);

#[rustfmt::skip]
fn visible() -> Vec<Visible> {
    let (on, off) = (|| json!(true), || json!(false));
    vec![
        ("bulk_answer", "bulk_answer", vec![(json!("array"), "array"), (json!("items"), "items"), (json!("outcomes"), "successful_items, failed_items")]),
        ("bulk_order", "bulk_order", vec![(json!("input"), "as sent"), (json!("shuffled"), "another")]),
        ("bulk_bad_item", "bulk_bad_item", vec![(json!("refuse_all"), "refuses the call, writes nothing"), (json!("partial"), "answers 200, writes the other items"), (json!("partial_then_refuse"), "refuses the call, writes the items before")]),
        ("bulk_errors", "bulk_errors", vec![(json!("items_object"), "items, one for each"), (json!("aligned_array"), "an array like the items"), (json!("fields_only"), "the field alone")]),
        ("validation_status", "refusal_status", vec![(json!("bad_request"), "400"), (json!("unprocessable"), "422")]),
        ("unique_bulk", "unique_bulk", vec![(off(), "not enforced"), (on(), "enforced")]),
        ("required_bulk", "required_bulk", vec![(off(), "not enforced"), (on(), "enforced")]),
        ("bulk_unknown_id", "bulk_unknown_id", vec![(json!("refuse_all"), "refuses the whole call"), (json!("skip"), "left out")]),
        ("bulk_delete_unknown", "bulk_delete_unknown", vec![(json!("refuse_all"), "refuses the whole call"), (json!("skip"), "left out")]),
        ("bulk_duplicates", "bulk_duplicates", vec![(json!("apply"), "taken"), (json!("refuse"), "refused")]),
        ("empty_bulk", "empty_bulk", vec![(off(), "refused"), (on(), "taken")]),
        ("delete_answer", "delete_answer", vec![(json!("body"), "the record"), (json!("no_content"), "nothing")]),
        ("stamps_apart_ms", "stamps_apart", vec![(json!(0), "0 ms"), (json!(400), "400 ms")]),
        ("noop_bumps", "noop_bumps", vec![(on(), "moves last_updated"), (off(), "leaves last_updated")]),
        ("list_default", "list_default", vec![(json!("all"), "every record, by its word"), (json!("first_hundred"), "the first 100, by its word")]),
        ("list_over_limit", "list_over_limit", vec![(json!("refuse"), "refused"), (json!("cap"), "served as 1000")]),
        ("list_offset", "list_offset", vec![(json!("echo"), "the request's own"), (json!("next"), "that of the next page")]),
        ("text_is", "text_is", vec![(json!("exact"), "exact"), (json!("loose"), "ignores case and space")]),
        ("max_filter_clauses", "max_filter_clauses", vec![(Value::Null, "25 or more"), (json!(25), "25 or more"), (json!(24), "24"), (json!(10), "10"), (json!(1), "1")]),
        ("read_empties", "read_empties", vec![(json!("omitted"), "left out"), (json!("mixed"), "shown if they once held a value"), (json!("explicit"), "all shown")]),
        ("trim_text", "trim_text", vec![(off(), "kept"), (on(), "cut")]),
        ("long_text", "long_text", vec![(json!("refuse"), "refused"), (json!("cut"), "cut to 65536 characters"), (json!("ignore"), "taken")]),
        ("max_text_chars", "long_text", vec![(Value::Null, "taken"), (json!(1000), "refused")]),
        ("unknown_slug", "unknown_slug", vec![(json!("ignore"), "ignored"), (json!("refuse"), "refused")]),
        ("read_only_slug", "read_only_slug", vec![(json!("ignore"), "ignored"), (json!("refuse"), "refused")]),
        ("date_forms", "date_forms", vec![(json!("both"), "both"), (json!("object"), "the object alone"), (json!("text"), "the text alone")]),
        ("range_date_forms", "range_date_forms", vec![(json!("both"), "both"), (json!("object"), "the object alone"), (json!("text"), "the text alone")]),
        ("bare_days", "bare_days", vec![(off(), "refused"), (on(), "taken")]),
        ("incomplete_dates", "incomplete_dates", vec![(off(), "refused"), (on(), "taken")]),
        ("dates_to_the_second", "dates_to_the_second", vec![(off(), "kept"), (on(), "dropped")]),
        ("decimal_excess", "decimal_excess", vec![(json!("keep"), "taken"), (json!("round"), "rounded"), (json!("refuse"), "refused")]),
        ("out_of_range", "out_of_range", vec![(json!("refuse"), "refused"), (json!("clamp"), "set to the bound")]),
        ("unknown_choice", "unknown_choice", vec![(json!("refuse"), "refused"), (json!("blank"), "saved empty")]),
        ("select_object", "select_object", vec![(json!("blank"), "saved empty"), (json!("accepted"), "taken"), (json!("refuse"), "refused")]),
        ("doc_string", "doc_string", vec![(json!("blank"), "saved empty"), (json!("converted"), "made a document"), (json!("refuse"), "refused")]),
        ("phone_text", "phone_text", vec![(on(), "taken"), (off(), "refused")]),
        ("email_syntax", "email_syntax", vec![(on(), "refused"), (off(), "taken")]),
        ("single_overflow", "single_overflow", vec![(json!("refuse"), "refused"), (json!("keep_first"), "cut"), (json!("accept"), "taken")]),
        ("unknown_link", "unknown_link", vec![(json!("refuse"), "refused"), (json!("drop"), "left out")]),
        ("null_values", "null_values", vec![(json!("clear"), "clears every type tried"), (json!("scalars_only"), "does not clear rich_text, multiple_select, status, date_range, email, phone, link")]),
    ]
}

fn found<'p>(profile: &'p ProbeProfile, name: &str) -> &'p str {
    let finding = profile.finding(name).unwrap_or_else(|| panic!("{name} was not asked"));
    finding.found.as_deref().unwrap_or_else(|| panic!("{name}: {:?}", finding.unclear))
}

#[tokio::test]
async fn the_probe_finds_the_position_of_every_switch_it_can_see() {
    let mut most = 0;
    for (switch, finding, positions) in visible() {
        for (position, word) in positions {
            let desk = Desk::new(builder(with(switch, &position), demanding()));
            let profile = desk.probe(false).await.unwrap();
            assert_eq!(found(&profile, finding), word, "{switch}: {position}");
            assert_eq!(desk.answers(429), 0, "{switch}: {position}");
            assert_eq!(desk.service.count(), 0, "{switch}: {position} leaves records");
            most = most.max(profile.calls);
        }
    }
    assert!((50..=calls_max(false)).contains(&most), "{most} calls");
}

/// Switches whose findings have tests of their own.
const SEEN_OTHERWISE: &[&str] =
    &["list_lag_ms", "rate_limit", "rate_body", "retry_after", "penalty_restarts"];

/// Switches that the probe leaves alone, and why.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "the harm: the month or the plan would have to be used up",
        &[
            "quota_stop_percent",
            "quota_throttle_per_second",
            "over_quota",
            "record_limit",
            "record_limit_bulk",
        ],
    ),
    (
        "the harm: megabytes in one request; the client stays far below, and halves what is refused",
        &["max_body_bytes"],
    ),
    (
        "the harm: rejected keys look like an attack; the client understands each position",
        &["rejected_token"],
    ),
    ("the harm: people would be notified", &["user_writes"]),
    (
        "it would take more keys, members or accounts than a user gives the probe",
        &["bucket_of", "shared_bucket"],
    ),
    (
        "it takes a lock-out for each value, and no gate could use what was found",
        &["lockout_seconds"],
    ),
    (
        "it is the emulator's own clock against ours: no client can see it",
        &["second_shift_ms", "second_jitter_ms"],
    ),
    ("it is the emulator's mark on itself", &["emulator_header"]),
    (
        "the probe changes no table: the program adds fields and choices only where it is asked to",
        &[
            "field_position",
            "add_field_delay_ms",
            "change_field_delay_ms",
            "delete_field_answer",
            "ten_character_slugs",
            "duplicate_labels",
            "underscore_bulk_fields",
        ],
    ),
    (
        "the client reads every position alike, wherever it meets one",
        &["missing_slash", "unknown_route", "tables_answer", "autonumber_prefix", "fields_query"],
    ),
    (
        "the client sends no such filter, and no such order",
        &[
            "linked_is",
            "select_labels_in_filters",
            "empty_check_value",
            "is_after",
            "nested_filters",
            "empty_any_of",
            "day_boundary",
            "nulls",
        ],
    ),
    (
        "the client writes in bulk alone, and deletes by PATCH",
        &["unique_single", "required_status", "bulk_delete_by_delete"],
    ),
    ("the client sends choices by id, as the table names them", &["new_label"]),
    (
        "the client does not read what it tells: who changed the other side of a link",
        &["link_bumps"],
    ),
    ("a restored record is asked for by the documented path alone", &["short_restore_path"]),
    ("the program sends no files", &["file_fetch_delay_ms"]),
    (
        "the program uses no webhooks yet",
        &[
            "rpc_omits_empty",
            "delete_event",
            "update_event",
            "previous",
            "own_writes_raise_events",
            "empty_page_token",
            "event_retention_days",
            "webhook_page_max",
            "pings",
            "ping_debounce_ms",
        ],
    ),
];

/// The positions of a switch that has names for them; none for numbers.
fn named_positions(switch: &str) -> Vec<Value> {
    let error = Profile::default().set(switch, "\"no such position\"").unwrap_err().to_string();
    match error.split_once("expected ") {
        Some((_, words)) if words.contains('`') => {
            words.split('`').skip(1).step_by(2).map(Value::from).collect()
        }
        Some((_, "a boolean")) => vec![json!(true), json!(false)],
        _ => Vec::new(),
    }
}

#[test]
fn every_switch_is_found_or_left_alone_for_a_reason() {
    let left_out = LEFT_OUT.iter().flat_map(|(_, switches)| switches.iter().copied());
    let visible = visible();
    let asked = visible.iter().map(|(switch, ..)| *switch);
    let mut all: Vec<&str> = asked.chain(SEEN_OTHERWISE.iter().copied()).chain(left_out).collect();
    all.sort_unstable();
    assert_eq!(all, Profile::switch_names(), "each once");
    for (switch, _, positions) in &visible {
        for position in named_positions(switch) {
            let is_tried = positions.iter().any(|(tried, _)| *tried == position);
            assert!(is_tried, "{switch} is never put at {position}");
        }
    }
    // What no switch turns is found in the one position that there is.
    let without_switch = ["autonumber_reuse", "restored_id"];
    for topic in topic_names() {
        let is_found = visible.iter().any(|(_, finding, _)| *finding == topic)
            || SEEN_OTHERWISE
                .iter()
                .any(|switch| *switch == topic || *switch == format!("{topic}_ms"))
            || without_switch.contains(&topic);
        assert!(is_found, "no test shows what is found of {topic}");
    }
}

#[tokio::test]
async fn a_restored_record_is_itself_and_no_number_comes_twice() {
    for name in ProfileName::ALL {
        let desk = Desk::new(builder(name.profile(), demanding()));
        let profile = desk.probe(false).await.unwrap();
        assert_eq!(found(&profile, "restored_id"), "its own", "{name}");
        assert_eq!(found(&profile, "autonumber_reuse"), "never", "{name}");
        assert_eq!(desk.service.count(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_lag_of_lists_is_measured_and_waited_for() {
    for (lag, least, most) in [(0, 0.0, 0.0), (1_500, 1.0, 3.0), (6_000, 3.5, 9.0)] {
        let desk = Desk::new(builder(with("list_lag_ms", &json!(lag)), demanding()));
        let profile = desk.probe(false).await.unwrap();
        let word = found(&profile, "list_lag");
        if lag == 0 {
            assert_eq!(word, "none seen");
        } else {
            let bounds: Vec<f64> = word
                .split(" to ")
                .map(|part| part.strip_suffix(" s").unwrap().parse().unwrap())
                .collect();
            let lag = f64::from(lag) / 1_000.0;
            assert!(bounds[0] <= lag && lag <= bounds[1], "{word}");
            assert!(least <= bounds[0] && bounds[1] <= most, "{word}");
        }
        assert_eq!(found(&profile, "bulk_bad_item"), "refuses the call, writes nothing");
        desk.service.wait(Duration::from_secs(10));
        assert_eq!(desk.service.count(), 0);
    }
}

#[tokio::test]
async fn what_one_switch_hides_is_called_unclear_and_nothing_else_is() {
    for name in ProfileName::ALL {
        for table in [demanding(), undemanding()] {
            let demands = table == demanding();
            let desk = Desk::new(builder(name.profile(), table));
            let profile = desk.probe(false).await.unwrap();
            let unclear: Vec<&str> = profile
                .findings
                .iter()
                .filter(|finding| finding.found.is_none())
                .map(|finding| finding.name.as_str())
                .collect();
            let mut expected = Vec::new();
            if name == ProfileName::Lenient {
                expected.extend(["bulk_errors", "refusal_status"]);
            }
            if !demands {
                expected.extend(["unique_bulk", "required_bulk"]);
            }
            assert_eq!(unclear, expected, "{name}");
            assert_eq!((desk.answers(429), desk.service.count()), (0, 0), "{name}");
            // The manual says so: docs/guide/probe.md.
            assert!((50..=70).contains(&profile.calls), "{name}: {} calls", profile.calls);
            assert_eq!(*desk.calls.lock().unwrap(), profile.calls, "{name}: all are counted");
        }
    }
}

#[tokio::test]
async fn every_question_is_asked_and_those_about_the_lockout_only_if_allowed() {
    let names = |profile: &ProbeProfile| -> Vec<String> {
        let all = profile.findings.iter().map(|finding| finding.name.clone());
        all.filter(|name| !name.starts_with("clear_")).collect()
    };
    let (hidden, all): (Vec<&str>, Vec<&str>) = (
        ["rate_limit", "rate_body", "retry_after", "penalty_restarts"].into(),
        topic_names().collect(),
    );
    let without: Vec<&str> = all.iter().copied().filter(|name| !hidden.contains(name)).collect();
    let ask = async |allow_lockout| {
        let desk = Desk::new(builder(Profile::default(), demanding()));
        names(&desk.probe(allow_lockout).await.unwrap())
    };
    assert_eq!(ask(false).await, without);
    assert_eq!(ask(true).await, all);
}

#[tokio::test]
async fn the_lockout_is_found_out_only_where_it_is_allowed() {
    for (switch, position, finding, word) in [
        ("rate_body", json!("json"), "rate_body", "JSON"),
        ("rate_body", json!("html"), "rate_body", "a page or text"),
        ("rate_body", json!("empty"), "rate_body", "empty"),
        ("retry_after", json!(false), "retry_after", "absent"),
        ("retry_after", json!(true), "retry_after", "sent: 30"),
        (
            "penalty_restarts",
            json!(true),
            "penalty_restarts",
            "starts it again, or it lasts longer than 35 s",
        ),
        ("penalty_restarts", json!(false), "penalty_restarts", "does not prolong it"),
    ] {
        let desk = Desk::new(builder(with(switch, &position), demanding()));
        let profile = desk.probe(true).await.unwrap();
        assert_eq!(found(&profile, finding), word, "{switch}: {position}");
        assert!(desk.answers(429) > 0);
        assert!(profile.calls <= calls_max(true));
        assert_eq!(*desk.calls.lock().unwrap(), profile.calls, "all are counted");
        // Whoever comes next meets no lock-out.
        let before = desk.answers(429);
        desk.probe(false).await.unwrap();
        assert_eq!(desk.answers(429), before, "{switch}: {position}");
    }
}

#[tokio::test]
async fn nobodys_gate_opens_in_a_lock_out_that_the_probe_started_again() {
    for restarts in [true, false] {
        let desk = Desk::new(builder(with("penalty_restarts", &json!(restarts)), demanding()));
        desk.probe(true).await.unwrap();
        let closings = desk.closings.lock().unwrap();
        let moment = SignedDuration::from_secs(1);
        let lock_out = SignedDuration::from_secs(30);
        for entry in desk.service.emulator().log().filter(|entry| entry.status == 429) {
            let at: Timestamp = entry.at.parse().unwrap();
            let is_closed = closings
                .iter()
                .any(|(from, until)| *from <= at + moment && *until >= at + lock_out);
            assert!(is_closed, "the gate opens in the lock-out of {at}");
        }
    }
}

/// A lock-out that lasts longer than the documented 30 s is not taken for one that was started again.
#[tokio::test]
async fn a_long_lock_out_is_not_said_to_start_again() {
    let mut long = with("penalty_restarts", &json!(false));
    long.lockout_seconds = 60;
    let profile = Desk::new(builder(long, demanding())).probe(true).await.unwrap();
    assert!(found(&profile, "penalty_restarts").ends_with("or it lasts longer than 35 s"));
}

/// Each unknown of the working specification (its section 9): the questions about it, and what is left alone of it.
#[rustfmt::skip]
const UNKNOWNS: [(&[&str], &str); 32] = [
    (&["bulk_bad_item"], ""),
    (&["bulk_order"], ""),
    (&["bulk_answer"], ""),
    (&["unique_bulk"], ""),
    (&["unknown_slug", "read_only_slug"], ""),
    (&["refusal_status"], ""),
    (&["retry_after"], ""),
    (&["penalty_restarts"], ""),
    (&[], "whether webhooks use up the same calls"),
    (&[], "monthly quota and what is answered beyond it"),
    (&["list_default", "list_over_limit"], ""),
    (&[], "whether records move between pages while they are listed"),
    (&["list_lag"], ""),
    (&["text_is"], ""),
    (&["max_filter_clauses"], ""),
    (&[], "the day on which date filters change"),
    (&["noop_bumps"], "what a recalculated formula does to the time of a record's last change"),
    (&["date_forms", "range_date_forms"], ""),
    (&["null_values", "clear_number", "clear_date", "clear_status", "clear_email"], ""),
    (&["unknown_link"], ""),
    (&[], "what a written link does to the time of the other record's last change"),
    (&["long_text", "trim_text"], ""),
    (&[], "contents of webhook events"),
    (&[], "expiry of webhooks and their events"),
    (&[], "whether the program's own writes come back as webhook events"),
    (&["restored_id"], ""),
    (&["autonumber_reuse"], ""),
    (&[], "two tables of one name"),
    (&[], "adding, changing and deleting fields"),
    (&[], "the largest request body"),
    (&[], "how many calls may be under way at once"),
    (&[], "record limits of the plan"),
];

#[tokio::test]
async fn every_unknown_of_the_specification_is_asked_or_left_alone_for_a_reason() {
    let desk = Desk::new(builder(Profile::default(), demanding()));
    let profile = desk.probe(true).await.unwrap();
    for (place, (asked, left_alone)) in UNKNOWNS.iter().enumerate() {
        let unknown = place + 1;
        assert!(!asked.is_empty() || !left_alone.is_empty(), "unknown {unknown}");
        for name in *asked {
            assert!(profile.finding(name).is_some(), "unknown {unknown}: {name} is not asked");
        }
        let is_listed = profile.not_probed.iter().any(|entry| entry.what == *left_alone);
        assert!(left_alone.is_empty() || is_listed, "unknown {unknown}: {left_alone}");
    }
    for entry in &profile.not_probed {
        assert!(!entry.why.is_empty(), "{}", entry.what);
    }
}

#[tokio::test]
async fn the_rate_is_found_as_nearly_as_seconds_of_another_clock_allow() {
    for limit in [5, 6] {
        for shift in [0, 300, 700] {
            let mut profile = with("rate_limit", &json!(limit));
            profile.second_shift_ms = shift;
            let desk = Desk::new(builder(profile, demanding()));
            let profile = desk.probe(true).await.unwrap();
            let (least, most) = found(&profile, "rate_limit").split_once(" to ").unwrap();
            let (least, most): (u32, u32) = (least.parse().unwrap(), most.parse().unwrap());
            assert!(least <= limit && limit <= most && most <= 2 * limit, "{least} to {most}");
        }
    }
}

#[tokio::test]
async fn every_type_says_which_of_its_empty_forms_clears_it() {
    let desk = Desk::new(builder(with("null_values", &json!("scalars_only")), demanding()));
    let profile = desk.probe(false).await.unwrap();
    for (name, forms) in [
        ("clear_text_area", r#""" or null"#),
        ("clear_number", "null"),
        ("clear_date", "null"),
        ("clear_multiple_select", "[]"),
        ("clear_email", "[]"),
        ("clear_status", r#"{"value":""}"#),
        ("clear_yes_no", "false or null"),
    ] {
        assert_eq!(found(&profile, name), forms, "{name}");
    }
}

#[tokio::test]
async fn a_table_with_records_of_others_is_left_alone() {
    let table = demanding().record(json!({ "sextid0001": "4711", "title": "somebody's" }));
    let desk = Desk::new(builder(Profile::default(), table));
    let error = desk.probe(false).await.unwrap_err();
    assert!(error.to_string().contains("1 records that no probe made"), "{error}");
    assert_eq!(desk.service.emulator().counters().effects, 0);
}

#[tokio::test]
async fn records_beyond_the_first_page_are_no_probes_own() {
    let own = |n: usize| json!({ "sextid0001": format!("{MARKER}1-{n}"), "title": "own" });
    let table = (0..1_001).fold(demanding(), |table, n| table.record(own(n)));
    let desk = Desk::new(builder(Profile::default(), table));
    let error = desk.probe(false).await.unwrap_err();
    assert!(error.to_string().contains("more records"), "{error}");
    assert_eq!(desk.service.emulator().counters().effects, 0);
}

#[tokio::test]
async fn a_table_without_the_field_for_the_marker_is_left_alone() {
    let table = TableSeed::new(object_id(TABLE), "Customers").field(
        "title",
        "Title",
        "recordtitlefield",
        json!({ "primary": true }),
    );
    let desk = Desk::new(builder(Profile::default(), table));
    let error = desk.probe(false).await.unwrap_err();
    assert!(error.to_string().contains("External ID"), "{error}");
    assert_eq!(desk.service.emulator().counters().effects, 0);
}

#[tokio::test]
async fn what_an_interrupted_probe_left_is_deleted_by_the_next() {
    let left = json!({ "sextid0001": format!("{MARKER}1-bench"), "title": "left" });
    let desk = Desk::new(builder(Profile::default(), demanding().record(left)));
    desk.probe(false).await.unwrap();
    assert_eq!(desk.service.count(), 0);
}

#[tokio::test]
async fn a_question_without_an_answer_is_unclear_and_the_next_one_is_asked() {
    // The call without items is answered by a gateway.
    let place = |desk: &Arc<Desk>| {
        let emulator = desk.service.emulator();
        let found = emulator.log().enumerate().find(|(_, entry)| entry.items == Some(0));
        u64::try_from(found.expect("the call was made").0).unwrap()
    };
    let calm = Desk::new(builder(Profile::default(), demanding()));
    calm.probe(false).await.unwrap();
    let fault = Fault::new(FaultKind::Status(502)).skip(place(&calm));
    let desk = Desk::new(builder(Profile::default(), demanding()).fault(fault));
    let profile = desk.probe(false).await.unwrap();
    let finding = profile.finding("empty_bulk").unwrap();
    assert_eq!((&finding.found, finding.unclear.is_some()), (&None, true));
    assert_eq!(found(&profile, "bulk_delete_unknown"), "left out");
    assert_eq!(desk.service.count(), 0);
}

#[tokio::test]
async fn a_429_ends_the_probe_and_its_records_are_deleted_after_the_pause() {
    let fault = Fault::new(FaultKind::RateLimit).skip(20);
    let desk = Desk::new(builder(Profile::default(), demanding()).fault(fault));
    let error = desk.probe(false).await.unwrap_err();
    let ProbeError::Call(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind, CallErrorKind::Throttled { .. }));
    assert_eq!((desk.answers(429), desk.service.count()), (1, 0), "no call during the lock-out");
}

#[test]
fn the_manual_names_every_question() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/probe.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let rows = manual.lines().filter(|line| line.starts_with("| `"));
    let named: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let named: Vec<&str> = named.into_iter().filter(|name| *name != "clear_...").collect();
    assert_eq!(named, topic_names().collect::<Vec<_>>());
    assert!(manual.contains(&format!("at most {} API calls", calls_max(false))));
    assert!(manual.contains(&format!("at most {} calls more", calls_max(true) - calls_max(false))));
}
