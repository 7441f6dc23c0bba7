//! What the user typed, with places. The documentation of each key is the text of the reference page and of the
//! JSON schema.

mod alerts;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::{
    decode::{
        Decode, Entries, Given, Key, OneOrMany, Required, Section, Subject, ValueMap, section,
    },
    defaults, field_type,
    node::Node,
    report::Report,
    scalar::Scalar,
    words,
};

pub(super) use alerts::{
    MAIL_SECURITY, RawAlerts, RawEmail, RawHeartbeat, RawQuietHours, RawWebhook,
};

section! {
    /// The mapping file: which rows become which records.
    RawFile {
        /// Other files with syncs, by their paths from this file. They end in `.yml` or `.yaml` and hold `syncs` and `include`
        /// alone; each counts once.
        "include" include: Option<Given<OneOrMany>>,
        /// The syncs, each from one query into one table.
        #[schemars(with = "Option<Vec<RawSync>>")]
        "syncs" syncs: Required<Vec<Given<RawSync>>>,
        /// How the SmartSuite account is used, by all syncs together.
        "smartsuite" smartsuite: Option<Given<RawSmartSuite>>,
        /// Who is told when something is wrong, by `schedule`.
        "alerts" alerts: Option<Given<RawAlerts>>,
        /// What the state file keeps, and for how long.
        "state" state: Option<Given<RawState>>,
    }
}

section! {
    /// What the state file keeps beyond what the work needs, and for how long.
    RawState {
        /// Whether a log is kept of what was done to each record, by which run and which call.
        #[schemars(extend("default" = defaults::LOG_EFFECTS))]
        "log_effects" log_effects: Option<Given<bool>>,
        /// How many days the log is kept.
        #[schemars(range(min = 1, max = 36_500), extend("default" = defaults::KEEP_EFFECTS_DAYS))]
        "keep_effects_days" keep_effects_days: Option<Given<u32>>,
        /// How many days runs are kept. The newest of each sync stays.
        #[schemars(range(min = 1, max = 36_500), extend("default" = defaults::KEEP_RUNS_DAYS))]
        "keep_runs_days" keep_runs_days: Option<Given<u32>>,
        /// Whether the values of refused rows are kept with their reason. Without them `quarantine show` cannot show
        /// them, and such rows are read again before they are tried again. The reason itself may still quote a value.
        #[schemars(extend("default" = defaults::KEEP_REFUSED_VALUES))]
        "keep_refused_values" keep_refused_values: Option<Given<bool>>,
        /// Whether the values that were last written to each record are kept, so that `plan` can show what a field would change
        /// from without asking SmartSuite. The state then holds every mapped value, and grows by their size.
        #[schemars(extend("default" = defaults::KEEP_VALUES))]
        "keep_values" keep_values: Option<Given<bool>>,
        /// How many daily copies of the state `schedule` keeps beside it; 0: it takes none.
        #[schemars(range(min = 0, max = 366), extend("default" = defaults::DAILY_BACKUPS))]
        "daily_backups" daily_backups: Option<Given<u32>>,
    }
}

section! {
    /// How the SmartSuite account is used.
    RawSmartSuite {
        /// Whether the token belongs to a member that only this tool uses. Then every record which that member
        /// created counts as created by this tool.
        #[schemars(extend("default" = defaults::DEDICATED_MEMBER))]
        "dedicated_member" dedicated_member: Option<Given<bool>>,
        /// How many calls may leave each second, evenly spaced. SmartSuite allows 5 for one key; leave some if the
        /// key has other users.
        #[schemars(range(min = 1, max = 5), extend("default" = defaults::CALLS_PER_SECOND))]
        "calls_per_second" calls_per_second: Option<Given<u32>>,
        /// The workspace's plan, which says how many calls each month includes: 100 on `free`, 5000 on `team`, 50000 on
        /// `professional`, 250000 on `enterprise`. With it, or with `monthly_calls`, the month is planned: `status` and
        /// `plan` say what is left, and calls are spread so that the month lasts. `validate --online` also says where a
        /// sync yields more rows than a table of the plan may hold: 1,000, 5,000, 50,000 and 125,000.
        #[schemars(extend("enum" = PLANS))]
        "plan" plan: Option<Given<Scalar>>,
        /// How many calls each month includes, where that is another number than the plan's.
        #[schemars(range(min = 1, max = 1_000_000_000))]
        "monthly_calls" monthly_calls: Option<Given<u32>>,
        /// The day of the month on which SmartSuite's count begins anew, at midnight UTC. Of a month that does not have
        /// it, the last day.
        #[schemars(range(min = 1, max = 31), extend("default" = defaults::BILLING_DAY))]
        "billing_day" billing_day: Option<Given<u32>>,
        /// How many of the month's calls are left to people and other integrations, which count for the same month and
        /// are not seen from here. Without it: a tenth.
        #[schemars(range(min = 0, max = 1_000_000_000))]
        "reserve" reserve: Option<Given<u32>>,
        /// What happens when all but the reserve is used up. `wait`: what waits is sent when the next month begins.
        /// `go_on`: calls go on, slowly from 100 % on, until SmartSuite answers no more at 125 %.
        #[schemars(extend("enum" = WHEN_USED_UP), extend("default" = defaults::WHEN_USED_UP))]
        "when_used_up" when_used_up: Option<Given<Scalar>>,
    }
}

section! {
    /// One sync: the rows of one query become records of one table.
    RawSync in a list "a sync" {
        /// The sync's name in commands, logs and the state. Unique. After a change of name, give the old one as
        /// `previously`.
        #[schemars(length(min = 1))]
        "name" name: Required<Scalar>,
        /// `false`: the sync is checked, but never run.
        #[schemars(extend("default" = defaults::ENABLED))]
        "enabled" enabled: Option<Given<bool>>,
        /// For people; `status` shows it.
        "description" description: Option<Given<Scalar>>,
        /// The name this sync had before. Its links to records move to the new name, so that nothing is created
        /// again.
        "previously" previously: Option<Given<Scalar>>,
        /// Rows with the record that each must become, for `validate --online` to try.
        "tests" tests: Option<Given<Vec<Given<RawTest>>>>,
        /// When `schedule` runs this sync. Without it: at the interval of the service.
        "schedule" schedule: Option<Given<RawSchedule>>,
        /// How many minutes old the sync's records may be, against their rows, before somebody is told. Without it: two
        /// turns of its schedule and ten minutes.
        #[schemars(range(min = 1, max = 525_600))]
        "freshness" freshness: Option<Given<u32>>,
        /// How much the sync matters where the month's calls do not suffice for all: `high` is sent at once, `normal` and
        /// `low` share what is left of each day, three to one.
        #[schemars(extend("enum" = PRIORITIES), extend("default" = defaults::PRIORITY))]
        "priority" priority: Option<Given<Scalar>>,
        /// How changes are noticed. Without it: `query` for a `source.query`, `table` for a `source.table`. With `binlog` the
        /// server's binlog names every change within a moment, deletes included; the server must log rows, and the
        /// user needs the right to read the log.
        #[schemars(extend("enum" = CAPTURE))]
        "capture" capture: Option<Given<Scalar>>,
        /// `capture: binlog`: what to do when the server has deleted the binlog from where it was read. `stop`: every run
        /// fails until somebody runs it with `--full`. `repair`: every row is read and compared, and the log is
        /// followed from there.
        #[schemars(extend("enum" = ON_POSITION_LOST), extend("default" = defaults::ON_POSITION_LOST))]
        "on_position_lost" on_position_lost: Option<Given<Scalar>>,
        /// What to do when a mapping that fitted fits no more, because a column or a field is gone or has another type.
        /// `freeze`: every run fails and says so, and nothing is written. `ignore`: the run goes on without that
        /// mapping, says so, and leaves the field as it is in every record. `extend`, for a `source.table`: as
        /// `ignore`, and a column that is added to the table gets a new field in SmartSuite.
        #[schemars(extend("enum" = ON_DRIFT), extend("default" = defaults::ON_DRIFT))]
        "on_drift" on_drift: Option<Given<Scalar>>,
        /// When the keys of all rows are read to find rows that are gone, where `destination.on_delete` says what
        /// becomes of their records. Without it: with each `run`, and every hour of `schedule`.
        "sweep" sweep: Option<Given<RawSchedule>>,
        /// When every row is read again, to find changes that the cursor column or the binlog does not show. Unchanged rows
        /// cost no call. Without it: by `run --reconcile`, and daily in `schedule`.
        "reconcile" reconcile: Option<Given<RawSchedule>>,
        /// Where rows come from.
        "source" source: Required<RawSource>,
        /// Where records go.
        "destination" destination: Required<RawDestination>,
    }
}

section! {
    /// A test of the mapping: a row, and either the record that it must become or the reason why it must not.
    RawTest in a list "a test" {
        /// What is tested, for people.
        "name" name: Option<Given<Scalar>>,
        /// Columns of the query with their values as MySQL shows them. A column that is not listed is NULL, a key
        /// column 1.
        "row" row: Required<Entries<Scalar>>,
        /// Fields, by slug, with the values that they must get, as `plan` shows them: the label of a choice,
        /// `2026-01-31`, `yes`, and `(empty)` for none. Fields that are not listed are not compared.
        "record" record: Option<Given<Entries<Scalar>>>,
        /// The code with which the row must be refused, such as `choice_unknown`.
        "refused" refused: Option<Given<Scalar>>,
    }
}

section! {
    /// When something is due: either `interval` or `cron`. A time that was missed, because the service was down
    /// or still busy, is made up for once.
    RawSchedule {
        /// Minutes from one start to the next.
        #[schemars(range(min = 1, max = 525_600))]
        "interval" interval: Option<Given<u32>>,
        /// A cron pattern of five fields (minute, hour, day of month, month, day of week), or of six with seconds
        /// first.
        "cron" cron: Option<Given<Scalar>>,
        /// The zone in which `cron` is meant, by its IANA name. When clocks go forward, a time that is skipped runs
        /// as soon as it has passed; when they go back, a time of day that comes twice runs once.
        #[schemars(extend("default" = defaults::TIME_ZONE))]
        "time_zone" time_zone: Option<Given<Scalar>>,
    }
}

section! {
    /// Where rows come from.
    RawSource {
        /// The SQL that yields the rows; or give `table`. `:last_sync_time` stands for the time up to which changes are already known,
        /// and is NULL when everything is to be read: write
        /// `WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time`.
        #[schemars(length(min = 1))]
        "query" query: Option<Given<Scalar>>,
        /// The table, or view, whose rows are to be synchronised, instead of a `query`. Its mapped columns are read, in
        /// pages along its key, so that a long first load goes on where it was broken off.
        #[schemars(length(min = 1))]
        "table" table: Option<Given<Scalar>>,
        /// `table`: the SQL condition that rows must meet, as in `WHERE`.
        #[schemars(length(min = 1))]
        "where" filter: Option<Given<Scalar>>,
        /// The column that identifies a row, or a list of columns that do so together. A `query` needs it; of a
        /// `table` it is the primary key unless another is given.
        "primary_key" primary_key: Option<Given<OneOrMany>>,
        /// `query`: SQL that yields the key columns of every row there is, so that rows that are gone can be noticed.
        /// A `table` needs none, nor does a query with `related`, which itself is asked for them.
        #[schemars(length(min = 1))]
        "keys_query" keys_query: Option<Given<Scalar>>,
        /// The column that says that a row counts as deleted: by any value but NULL, 0, false, an empty text or a zero
        /// date.
        "deleted_field" deleted_field: Option<Given<Scalar>>,
        /// The column that says when a row last changed. Without it every run reads everything.
        "updated_at_field" updated_at_field: Option<Given<Scalar>>,
        /// `capture: binlog`: tables that the query joins. When a row of one changes, the rows that hold its value are read
        /// again; and the query itself is asked for the keys of all rows, so that those that left the join are noticed.
        "related" related: Option<Given<Vec<Given<RawRelated>>>>,
        /// The zone in which DATETIME columns are meant, by its IANA name. Without it: UTC; but as servers write their own
        /// zone into an `updated_at_field`, each run then reads the hours between the two again.
        "time_zone" time_zone: Option<Given<Scalar>>,
    }
}

section! {
    /// A table that the query joins.
    RawRelated in a list "a related table" {
        /// The table's name.
        #[schemars(length(min = 1))]
        "table" table: Required<Scalar>,
        /// Its column that the query joins by, usually its key.
        #[schemars(length(min = 1))]
        "column" column: Required<Scalar>,
        /// The column of the query that holds the same value.
        #[schemars(length(min = 1))]
        "matches" matches: Required<Scalar>,
    }
}

section! {
    /// Where records go.
    RawDestination {
        /// The table's id: the last part of its address in the browser, 24 hexadecimal digits.
        #[schemars(length(min = 1))]
        "table_id" table_id: Required<Scalar>,
        /// Slug of the field that carries each row's key: a text, title or number field that nothing else writes.
        #[schemars(length(min = 1))]
        "external_id_field" external_id_field: Required<Scalar>,
        /// Put before every key in the external-id field, so that several syncs can share one table.
        #[schemars(extend("default" = defaults::KEY_PREFIX))]
        "key_prefix" key_prefix: Option<Given<Scalar>>,
        /// What to do when people have deleted a record: `recreate` it, `skip` the row, or put the row in
        /// `quarantine`, where `status` shows it.
        #[schemars(extend("enum" = ON_MISSING), extend("default" = defaults::ON_MISSING))]
        "on_missing" on_missing: Option<Given<Scalar>>,
        /// Whether the sync makes records and changes them (`upsert`), only changes records that carry its keys already
        /// (`update_only`), or makes them and leaves them to people from then on (`create_only`). With `update_only`, rows
        /// without a record are counted and skipped until there is one, and several such syncs may write different fields
        /// of the records that another sync makes.
        #[schemars(extend("enum" = WRITE_MODES), extend("default" = defaults::WRITE_MODE))]
        "mode" mode: Option<Given<Scalar>>,
        /// Slug of the field, or a list of slugs, by which records that carry no key are matched before the sync first
        /// writes to the table: a row takes over the one record that holds the same values, and is put in
        /// quarantine where there are several.
        "match_on" match_on: Option<Given<OneOrMany>>,
        /// Columns of the query, each with the slug of the field it is written to. Needed unless there are `fields`.
        "field_mappings" field_mappings: Option<Given<Entries<Scalar>>>,
        /// Slugs of fields, each with where its value comes from and what is done to it. For whatever a line of
        /// `field_mappings` cannot say.
        "fields" fields: Option<Given<Entries<RawField>>>,
        /// What to do with the record of a row that is gone: `ignore` leaves it as it is, `delete` deletes it, `archive`
        /// sets the field that `archive` names. Never on the word of one read, and never of many records at once
        /// without a yes: see the guide on deletes.
        #[schemars(extend("enum" = ON_DELETE), extend("default" = defaults::ON_DELETE))]
        "on_delete" on_delete: Option<Given<Scalar>>,
        /// The field that says that a record's row is gone. `on_delete: archive` sets it and leaves the record; with
        /// `on_delete: delete` it is set first, in a call of its own, and the record deleted once SmartSuite has answered.
        "archive" archive: Option<Given<RawArchive>>,
        /// `on_delete: delete`: whether records that this tool found and did not create are deleted too.
        #[schemars(extend("default" = defaults::DELETE_ADOPTED))]
        "delete_adopted" delete_adopted: Option<Given<bool>>,
        /// Linked-record fields, each with the other sync whose records it holds.
        "links" links: Option<Given<Entries<RawLink>>>,
        /// How single columns are converted. A column that is not listed converts by its own type and the type of
        /// its field, which is right for most.
        "field_types" field_types: Option<Given<Entries<RawFieldType>>>,
        /// The older way to say how single columns are converted; `field_types` can do more and wins.
        "transformations" transformations: Option<Given<Entries<RawTransformation>>>,
    }
}

section! {
    /// Where a field's value comes from, and what is done to it. Exactly one of `column`, `value`, `template`,
    /// `expression`, `parts` and `link` says where from. The rest is done in the order of this list.
    RawField {
        /// The column of the query.
        "column" column: Option<Given<Scalar>>,
        /// A constant: every record gets it.
        "value" value: Option<Given<Scalar>>,
        /// Text with columns or expressions in braces: `{first_name} {last_name}`. `{{` and `}}` stand for braces.
        "template" template: Option<Given<Scalar>>,
        /// A computed value, with exact decimals: `round(price * 1.19, 2)`. Its language is described below.
        "expression" expression: Option<Given<Scalar>>,
        /// Several values into one field, each an expression: a column's name is one. Address: `street`, `street2`,
        /// `city`, `state`, `zip`, `country`, `longitude`, `latitude`. Full name: `title`, `first`, `middle`, `last`.
        /// Social networks: `facebook`, `twitter`, `instagram`, `linkedin`. Phone: `number`, `country`, `extension`,
        /// `type`. Date range and due date: `from`, `to`.
        "parts" parts: Option<Given<Entries<Scalar>>>,
        /// A linked-record field: as an entry of `links`. Nothing else is said of such a field.
        "link" link: Option<Given<RawLink>>,
        /// With `column`: the part of its JSON document that is meant, as in `address.city` or `items[0].name`.
        "path" path: Option<Given<Scalar>>,
        /// What a zero or partial date (`0000-00-00`, `2024-00-00`) becomes: `empty`, `quarantine`, or a day that is
        /// written instead.
        #[schemars(extend("default" = defaults::ZERO_DATE))]
        "zero_date" zero_date: Option<Given<Scalar>>,
        /// How the bytes of BINARY and BLOB columns become text: `text` (they are UTF-8), `base64`, `hex`, `uuid` (16
        /// bytes), or `swapped_uuid` (16 bytes as `UUID_TO_BIN(..., 1)` orders them).
        #[schemars(extend("enum" = BINARY_FORMS), extend("default" = defaults::BINARY))]
        "binary" binary: Option<Given<Scalar>>,
        /// Whether white space at both ends of a text is dropped.
        #[schemars(extend("default" = defaults::TRIM))]
        "trim" trim: Option<Given<bool>>,
        /// What stands in for NULL and blank text.
        "default" default: Option<Given<Scalar>>,
        /// For personal data: the value is replaced by a hash that only who knows this secret can make. Write it as
        /// `${VARIABLE}`, 16 characters or more.
        "hash" hash: Option<Given<Scalar>>,
        /// For personal data: all but the last so many characters are replaced by `*`; at least half always are.
        #[schemars(range(min = 0, max = 16))]
        "mask" mask: Option<Given<u32>>,
        /// Most characters of a text. Without it: what the field takes, and 64 KiB at most.
        #[schemars(range(min = 1, max = 65536))]
        "max_length" max_length: Option<Given<u32>>,
        /// What becomes of a longer text: `quarantine` its row, or `cut` it.
        #[schemars(extend("enum" = TOO_LONG), extend("default" = defaults::TOO_LONG))]
        "too_long" too_long: Option<Given<Scalar>>,
        /// The type of the SmartSuite field, where its values are read in a way of their own; without it the field's
        /// own type, which is right for most.
        #[schemars(schema_with = "type_schema")]
        "type" kind: Option<Given<Scalar>>,
        /// As in `options` of `field_types`.
        "include_time" include_time: Option<Given<bool>>,
        /// As in `options` of `field_types`.
        "value_map" value_map: Option<Given<ValueMap>>,
        /// As in `options` of `field_types`.
        #[schemars(extend("enum" = ON_UNKNOWN), extend("default" = defaults::ON_UNKNOWN))]
        "on_unknown" on_unknown: Option<Given<Scalar>>,
        /// As in `options` of `field_types`.
        #[schemars(length(min = 2, max = 2))]
        "default_country" default_country: Option<Given<Scalar>>,
        /// As in `options` of `field_types`.
        #[schemars(extend("enum" = PHONE_TYPES))]
        "default_type" default_type: Option<Given<u32>>,
        /// When it is written: `always` when it changes; `on_create`, so that it belongs to people from then on; or
        /// `if_empty`: with a new record, and where the field is found empty when its record is written for another
        /// reason.
        #[schemars(extend("enum" = WRITE_POLICIES), extend("default" = defaults::WRITE))]
        "write" write: Option<Given<Scalar>>,
    }
}

section! {
    /// The field that says that a record's row is gone.
    RawArchive {
        /// Its slug.
        #[schemars(length(min = 1))]
        "field" field: Required<Scalar>,
        /// What it is set to, as text: the label of a choice, `true` for a box to be ticked.
        #[schemars(length(min = 1))]
        "value" value: Required<Scalar>,
        /// What it is set to when the row is there again. Without it the field is emptied. A field that a column is
        /// mapped to takes the column's value instead.
        "restored" restored: Option<Given<Scalar>>,
    }
}

section! {
    /// A linked-record field that is filled from a foreign key. A row may point to one that has no record yet: its
    /// record goes without the link, and gets it as soon as the other has one.
    RawLink {
        /// The name of the sync that writes the table which the field links to; it may be this sync itself.
        #[schemars(length(min = 1))]
        "sync" sync: Required<Scalar>,
        /// The column of the query that holds the other row's key, or a list of columns where that key has several.
        "from" from: Required<OneOrMany>,
        /// `true`: the column holds several keys, as text between commas, a SET, or a JSON array.
        #[schemars(extend("default" = defaults::LINK_LIST))]
        "list" list: Option<Given<bool>>,
    }
}

section! {
    /// How a column is converted.
    RawFieldType {
        /// The type of the SmartSuite field. SmartSuite's own names are understood too.
        #[schemars(schema_with = "type_schema")]
        "type" kind: Required<Scalar>,
        /// What the type leaves open.
        "options" options: Option<Given<RawOptions>>,
    }
}

section! {
    /// What a type leaves open. Each option belongs to the types that its text names.
    RawOptions {
        /// `date`: whether the time of day is written too. Without it: if the column has one.
        "include_time" include_time: Option<Given<bool>>,
        /// `singleselect`, `multipleselectfield`, `status` and `tagsfield`: texts of the column, each with the label
        /// or id of a choice. A text that is not listed must be a label or id itself. Texts are compared exactly.
        "value_map" value_map: Option<Given<ValueMap>>,
        /// `singleselect`, `multipleselectfield`, `status` and people: what to do with a text that is no choice, or an
        /// address that is nobody's. `quarantine` sets the row aside, `blank` leaves the field empty, `create` adds the
        /// choice to the field (not tags, not people), and `error` ends the run before anything of the row is sent.
        #[schemars(extend("enum" = ON_UNKNOWN), extend("default" = defaults::ON_UNKNOWN))]
        "on_unknown" on_unknown: Option<Given<Scalar>>,
        /// `phonefield`: the country of numbers without one, two letters as in `DE`.
        #[schemars(length(min = 2, max = 2))]
        "default_country" default_country: Option<Given<Scalar>>,
        /// `phonefield`: 1 office, 2 mobile, 4 home, 5 fax, 6 main, 8 other.
        #[schemars(extend("enum" = PHONE_TYPES))]
        "default_type" default_type: Option<Given<u32>>,
    }
}

section! {
    /// How a column is converted, in the older form.
    RawTransformation {
        /// `number`, `choice` or `date`.
        #[schemars(extend("enum" = TRANSFORMATIONS))]
        "type" kind: Required<Scalar>,
        /// `number`: `int` rounds to a whole number, `float` writes the number as it is, exactly. `date`: the strftime
        /// pattern by which text columns are read and text fields are written; without it ISO 8601.
        "format" format: Option<Given<Scalar>>,
        /// `choice`: texts of the column, each with the label or id of a choice.
        "value_map" value_map: Option<Given<ValueMap>>,
    }
}

impl RawOptions {
    /// The options that stand in a field itself.
    pub(super) fn of_field(field: &RawField) -> Self {
        Self {
            include_time: field.include_time.clone(),
            value_map: field.value_map.clone(),
            on_unknown: field.on_unknown.clone(),
            default_country: field.default_country.clone(),
            default_type: field.default_type.clone(),
            written: Vec::new(),
        }
    }
}
/// Values of `smartsuite.plan`, in the order of [`Plan::ALL`](crate::budget::Plan::ALL).
pub(super) const PLANS: &[&str] = &["free", "team", "professional", "enterprise"];

/// Values of `when_used_up`.
pub(super) const WHEN_USED_UP: &[&str] = &["wait", "go_on"];

/// Values of `priority`.
pub(super) const PRIORITIES: &[&str] = &["high", "normal", "low"];

/// Values of `on_position_lost`.
pub(super) const ON_POSITION_LOST: &[&str] = &["stop", "repair"];

/// Values of `on_drift`.
pub(super) const ON_DRIFT: &[&str] = &["freeze", "ignore", "extend"];

/// Values of `on_missing`.
pub(super) const ON_MISSING: &[&str] = &["recreate", "skip", "quarantine"];

/// Values of `mode`.
pub(super) const WRITE_MODES: &[&str] = &["upsert", "update_only", "create_only"];

/// Values of `write`.
pub(super) const WRITE_POLICIES: &[&str] = &["always", "on_create", "if_empty"];

/// Values of `on_unknown`.
pub(super) const ON_UNKNOWN: &[&str] = &["quarantine", "blank", "create", "error"];

/// Values of `binary`.
pub(super) const BINARY_FORMS: &[&str] = &["text", "base64", "hex", "uuid", "swapped_uuid"];

/// Values of `too_long`.
pub(super) const TOO_LONG: &[&str] = &["quarantine", "cut"];

/// Values of `on_delete`.
pub(super) const ON_DELETE: &[&str] = &["ignore", "delete", "archive"];

/// Values of `capture`.
pub(super) const CAPTURE: &[&str] = &["query", "table", "binlog"];

/// Types of `transformations`.
pub(super) const TRANSFORMATIONS: &[&str] = &["number", "choice", "date"];

/// Values of `default_type`.
pub(super) const PHONE_TYPES: &[u8] = &[1, 2, 4, 5, 6, 8];

fn type_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": field_type::all_names().collect::<Vec<_>>() })
}

/// Where a key belongs that stands in the wrong section, as a hint.
pub(super) fn home_of(key: &str) -> Option<String> {
    let homes = [
        ("at the top of the file", RawFile::KEYS),
        ("in the sync itself", RawSync::KEYS),
        ("under `source`", RawSource::KEYS),
        ("under `related`", RawRelated::KEYS),
        ("under `destination`", RawDestination::KEYS),
        ("under the field's slug in `fields`", RawField::KEYS),
        ("under `options`", RawOptions::KEYS),
        ("under `archive`", RawArchive::KEYS),
        ("under a field of `links`", RawLink::KEYS),
        ("under `schedule`", RawSchedule::KEYS),
        ("under `smartsuite`", RawSmartSuite::KEYS),
        ("under `state`", RawState::KEYS),
        ("under `alerts`", RawAlerts::KEYS),
        ("under `alerts.email`", RawEmail::KEYS),
    ];
    let (home, _) = homes.into_iter().find(|(_, keys)| keys.contains(&key))?;
    Some(format!("`{key}` belongs {home}"))
}
